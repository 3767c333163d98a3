"""`dispatcher run`: the engine and the gateway in one process."""

import asyncio
import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from dispatcher.commands.keys.commands import keys_path
from dispatcher.commands.memory import settle_memory
from dispatcher.commands.opening import config_of
from dispatcher.console import add_console
from dispatcher.gateway import (
    City,
    Drafts,
    FileLink,
    Gate,
    Handovers,
    HttpMetrics,
    Keys,
    Looks,
    MediaStore,
    Parts,
    Sessions,
    build_app,
    load_atlas,
    serve,
    watch_city,
)
from dispatcher.gateway.serving import bind
from dispatcher.hosts.disk import watch_disk
from dispatcher.hosts.replay import refuse_unfinished_replay
from dispatcher.hosts.run import Health, run_until
from dispatcher.hosts.setup import load_setup
from dispatcher.hosts.start import start
from dispatcher.ledger import SqliteLedger
from dispatcher.logs import report_ends, write_logs
from dispatcher.metrics import EngineMetrics
from dispatcher.notices import NoticeCounters, Voice, delivering
from dispatcher.webhooks import WebhookCounters, sending

__all__ = ["run_command"]

SWITCH_S = 0.000_1  # the engine computes for long stretches; what a request waits for it each time: docs/decisions/0012
log = logging.getLogger(__name__)


def run_command(config_path: Path, ledger_path: Path | None) -> None:
    """Run until SIGTERM or SIGINT; the batch under way, and every request, is finished first."""
    config = config_of(config_path)
    write_logs(config.log.format)
    report_ends()
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
            keys = Keys(keys_path(config, ledger_path))
            voice = Voice(config.notices.language, in_force.timezone)
            http = HttpMetrics(metrics.registry)
            gate = Gate(
                keys, Sessions(keys.db), config.gateway.rate_per_s, config.gateway.burst, refused=http.refused,
                strangers_per_s=config.gateway.strangers_per_s, strangers_burst=config.gateway.strangers_burst,
            )  # fmt: skip
            city = City(FileLink(path), http.appended)
            watch_city(metrics.registry, city)
            watch_disk(metrics.registry, path)
            store = MediaStore(
                config.media.directory or path.with_name(f"{path.name}.media"), config.media.store_bytes_max
            )
            parts = Parts(
                city, gate, Looks(keys.db), Handovers(keys.db), Drafts(keys.db), load_atlas(config, in_force.timezone),
                metrics.registry, http, health, store, open311=config.open311, media=config.media,
                four_eyes=config.gateway.four_eyes, console=config.console,
            )  # fmt: skip
            poll_ms = config.engine.poll_ms
            telling = delivering(path, config.notices, voice, NoticeCounters(metrics.registry))
            with telling, sending(path, config.webhooks, WebhookCounters(metrics.registry)):
                sys.setswitchinterval(SWITCH_S)
                asyncio.run(_run(lambda stop: run_until(stop, host, metrics, health, poll_ms), parts, bound, asked))
            keys.close()
            store.close()
    finally:
        ledger.close()
    log.info(f"{', '.join(asked)}: stopped; everything taken is committed", extra={"event": "stopped"})


async def _run(engine: Callable[[threading.Event], None], parts: Parts, bound: socket.socket, asked: list[str]) -> None:
    """The engine in a thread, the gateway here, until a signal is `asked`."""
    loop, ending, stop = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def end(signum: signal.Signals) -> None:
        asked.append(signum.name)
        ending.set()

    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, end, signum)
    if asked:
        ending.set()
    working = asyncio.create_task(asyncio.to_thread(engine, stop))
    working.add_done_callback(lambda _: ending.set())
    try:
        app = build_app(parts)
        add_console(app, parts)
        async with parts.city.open():
            await serve(app, bound, ending, parts.city.release)
    finally:
        stop.set()
        await working
