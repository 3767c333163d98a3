"""`dispatcher run`: the engine and the gateway in one process."""

import asyncio
import signal
import socket
import threading
from pathlib import Path
from typing import NamedTuple

from dispatcher.commands.keys.commands import keys_path
from dispatcher.commands.memory import settle_memory
from dispatcher.commands.opening import config_of
from dispatcher.commands.talk import say
from dispatcher.config import Config
from dispatcher.gateway import City, Gate, Keys, Parts, build_app, serve
from dispatcher.gateway.serving import bind
from dispatcher.hosts.embedded import Embedded
from dispatcher.hosts.replay import refuse_unfinished_replay
from dispatcher.hosts.run import Health, run_until
from dispatcher.hosts.setup import load_setup
from dispatcher.hosts.start import start
from dispatcher.ledger import SqliteLedger
from dispatcher.metrics import EngineMetrics
from dispatcher.notices import NoticeCounters, Voice, delivering
from geo import Grid

__all__ = ["run_command"]


class _Running(NamedTuple):
    """What the process is made of."""

    config: Config
    path: Path  # of the ledger
    keys: Keys
    grid: Grid
    host: Embedded
    metrics: EngineMetrics
    health: Health


def run_command(config_path: Path, ledger_path: Path | None) -> None:
    """Run until SIGTERM or SIGINT; the batch under way, and every request, is finished first."""
    config = config_of(config_path)
    asked: list[str] = []
    for signum in (signal.SIGTERM, signal.SIGINT):  # asked before everything stands, it stops then
        signal.signal(signum, lambda number, _frame: asked.append(signal.Signals(number).name))
    setup = load_setup(config)
    path = ledger_path or config.ledger
    ledger = SqliteLedger(path)
    metrics, health = EngineMetrics(), Health()
    try:
        with bind(config.http.host, config.http.port) as bound:
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
            host_name, port = bound.getsockname()[:2]
            say(f"following {path}; http://{host_name}:{port}/, keys by `dispatcher keys`")
            keys = Keys(keys_path(config, ledger_path))
            voice = Voice(config.notices.language, in_force.timezone)
            running = _Running(config, path, keys, setup.grid, host, metrics, health)
            with delivering(path, config.notices, voice, NoticeCounters(metrics.registry)):
                asyncio.run(_run(running, bound, asked))
            keys.close()
    finally:
        ledger.close()
    say(f"{', '.join(asked)}: stopped; everything taken is committed")


async def _run(running: _Running, bound: socket.socket, asked: list[str]) -> None:
    """The engine in a thread, the gateway here, until a signal is `asked`."""
    loop, ending, stop = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def end(signum: signal.Signals) -> None:
        asked.append(signum.name)
        ending.set()

    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, end, signum)
    if asked:
        ending.set()
    poll_ms = running.config.engine.poll_ms
    engine = asyncio.create_task(
        asyncio.to_thread(run_until, stop, running.host, running.metrics, running.health, poll_ms)
    )
    engine.add_done_callback(lambda _: ending.set())
    try:
        city, limits = City(running.path), running.config.gateway
        gate = Gate(running.keys, limits.rate_per_s, limits.burst)
        parts = Parts(
            city, running.keys, gate, running.grid, running.config.locate.tolerance_m, running.metrics.registry,
            running.health,
        )  # fmt: skip
        app = build_app(parts)
        async with city.open():
            await serve(app, bound, ending, city.release)
    finally:
        stop.set()
        await engine
