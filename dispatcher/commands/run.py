"""`dispatcher run`: the engine and the gateway in one process."""

import asyncio
import logging
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from dispatcher.commands.keys.commands import keys_path
from dispatcher.commands.memory import settle_memory
from dispatcher.commands.opening import config_of
from dispatcher.commands.stopping import StopSignals
from dispatcher.console import add_console
from dispatcher.gateway import FileLink, Parts, build_app, load_atlas, parts_of, serve
from dispatcher.gateway.serving import bind
from dispatcher.hosts.disk import watch_disk
from dispatcher.hosts.embedded import Embedded
from dispatcher.hosts.replay import refuse_unfinished_replay
from dispatcher.hosts.run import Health, run_until
from dispatcher.hosts.setup import load_setup
from dispatcher.hosts.start import start
from dispatcher.ledger import SqliteLedger
from dispatcher.logs import report_ends, write_logs
from dispatcher.metrics import EngineMetrics
from dispatcher.notices import NoticeCounters, Voice, delivering
from dispatcher.webhooks import WebhookCounters, sending
from rules import Policy

__all__ = ["run_command"]

SWITCH_S = 0.000_1  # the engine computes for long stretches; what a request waits for it each time: docs/decisions/0012
log = logging.getLogger(__name__)


def run_command(config_path: Path, ledger_path: Path | None) -> None:
    """Run until SIGTERM or SIGINT; the batch under way, and every request, is finished first."""
    config = config_of(config_path)
    write_logs(config.log.format)
    report_ends()
    asked = StopSignals()
    setup = load_setup(config)
    path = ledger_path or config.ledger
    ledger = SqliteLedger(path)
    metrics, health = EngineMetrics(), Health()
    try:
        with bind(config.http.host, config.http.port) as bound:
            host = start(ledger, setup, batch_records=config.engine.batch_records, observer=metrics)
            refuse_unfinished_replay(ledger)
            settle_memory()
            in_force = _policy_in_force(host)
            metrics.policy(in_force)
            if in_force != setup.policy:
                log.warning(
                    f"{path} has policy {in_force.sha256[:12]} in force; {config.policy} holds"
                    f" {setup.policy.sha256[:12]}, which is not used: see `dispatcher rules diff"
                    f" {in_force.sha256[:12]} {config.policy}`, put it in force with `dispatcher rules activate`",
                    extra={"event": "other_policy", "in_force": in_force.sha256, "configured": setup.policy.sha256},
                )
            host_name, port = bound.getsockname()[:2]
            log.info(
                f"following {path}; http://{host_name}:{port}/, keys by `dispatcher keys`", extra={"event": "started"}
            )
            keys_file, voice = keys_path(config, ledger_path), Voice(config.notices.language, in_force.timezone)
            atlas = load_atlas(config, in_force.timezone)
            watch_disk(metrics.registry, path)
            poll_ms = config.engine.poll_ms
            telling = delivering(path, config.notices, voice, NoticeCounters(metrics.registry))
            posting = sending(path, config.webhooks, WebhookCounters(metrics.registry))
            serving = parts_of(config, keys_file, FileLink(path), atlas, metrics.registry, health)
            with telling, posting, serving as parts:
                sys.setswitchinterval(SWITCH_S)
                asyncio.run(_run(lambda stop: run_until(stop, host, metrics, health, poll_ms), parts, bound, asked))
    finally:
        ledger.close()
    log.info(f"{asked}: stopped; everything taken is committed", extra={"event": "stopped"})


def _policy_in_force(host: Embedded) -> Policy:
    """In a new ledger, work as far as the first policy: whoever asks the gateway, however soon, finds one."""
    while host.engine.state.policy_sha is None and host.step():
        pass
    return host.engine.state.book.policy


async def _run(
    engine: Callable[[threading.Event], None], parts: Parts, bound: socket.socket, asked: StopSignals
) -> None:
    """The engine in a thread, the gateway here, until a signal is `asked`."""
    ending, stop = asked.ending(), threading.Event()
    working = asyncio.create_task(asyncio.to_thread(engine, stop))
    working.add_done_callback(lambda _: ending.set())
    try:
        app = build_app(parts)
        add_console(app, parts)
        async with parts.city.open():
            await serve(app, bound, ending, parts.city.release, parts.config.gateway.proxies)
    finally:
        stop.set()
        await working
