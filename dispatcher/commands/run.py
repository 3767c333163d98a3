"""`dispatcher run`: the engine, headless."""

import signal
import threading
from pathlib import Path
from types import FrameType

from dispatcher.commands.memory import settle_memory
from dispatcher.commands.opening import config_of
from dispatcher.commands.talk import say
from dispatcher.hosts.replay import refuse_unfinished_replay
from dispatcher.hosts.run import Health, run_until, serve_health
from dispatcher.hosts.setup import load_setup
from dispatcher.hosts.start import start
from dispatcher.ledger import SqliteLedger
from dispatcher.metrics import EngineMetrics
from dispatcher.notices import NoticeCounters, Voice, delivering

__all__ = ["run_command"]


def run_command(config_path: Path, ledger_path: Path | None) -> None:
    """Run until SIGTERM or SIGINT; the batch under way is finished first."""
    config = config_of(config_path)
    setup = load_setup(config)
    path = ledger_path or config.ledger
    ledger = SqliteLedger(path)
    stop = threading.Event()

    asked: list[str] = []

    def end(signum: int, _frame: FrameType | None) -> None:
        asked.append(signal.Signals(signum).name)  # nothing is printed here: a print may be what was interrupted
        stop.set()

    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, end)
    metrics, health = EngineMetrics(), Health()
    try:
        with serve_health(config.http.host, config.http.port, metrics.registry, health) as port:
            host = start(ledger, setup, batch_records=config.engine.batch_records, observer=metrics)
            refuse_unfinished_replay(ledger)
            settle_memory()
            state = host.engine.state
            in_force = setup.policy if state.policy_sha is None else state.book.policy
            metrics.policy(in_force.version, in_force.sha256)
            if in_force != setup.policy:
                say(
                    f"{path} has policy {in_force.sha256[:12]} in force; {config.policy} holds"
                    f" {setup.policy.sha256[:12]}, which is not used: see `dispatcher rules diff"
                    f" {in_force.sha256[:12]} {config.policy}`, put it in force with `dispatcher rules activate`"
                )
            say(f"following {path}; http://{config.http.host}:{port}/metrics, /health/live, /health/ready")
            voice = Voice(config.notices.language, in_force.timezone)
            with delivering(path, config.notices, voice, NoticeCounters(metrics.registry)):
                run_until(stop, host, metrics, health, config.engine.poll_ms)
    finally:
        ledger.close()
    say(f"{', '.join(asked)}: stopped; everything taken is committed")
