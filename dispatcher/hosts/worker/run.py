"""A worker from start to end: see that all is as it must be, join, work, and leave in good order on SIGTERM."""

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import Mapping
from functools import partial
from typing import NoReturn

from dispatcher.config import Config
from dispatcher.core import CONTROL, REPORTS, UPDATES, Engine, EngineFault, Outcome
from dispatcher.hosts.run import Health, serve_health
from dispatcher.hosts.setup import Setup
from dispatcher.hosts.watchdog import Watchdog
from dispatcher.hosts.worker.app import build
from dispatcher.hosts.worker.parts import Parts, Stalled, Worker
from dispatcher.ledger import LedgerError
from dispatcher.ledger.kafka import (
    DEPARTMENT_UPDATES,
    Connection,
    Epoch,
    connection_of,
    consumer,
    require_epoch,
    require_topics,
    topic_names,
    topic_specs,
)
from dispatcher.metrics import Batch, EngineMetrics

__all__ = ["run_worker"]

log = logging.getLogger(__name__)
LOOK_EVERY_S = 0.25
ENDS_EVERY_S = 5.0
TELL_EVERY_S = 2.0  # of a long restore
FAILED = 1  # what a supervisor sees when the process ends by itself: start it again


class _Watcher:
    """Puts what happens to the partitions into the metrics."""

    def __init__(self, metrics: EngineMetrics) -> None:
        self._metrics = metrics
        self._watchdogs: dict[int, Watchdog] = {}
        self._told_s: dict[int, float] = {}  # of partitions being restored

    def committed(self, partition: int, outcome: Outcome, engine: Engine, batch: Batch) -> None:
        self._metrics.committed(outcome, batch)
        self._look(partition, engine, engine.position.time_ms)

    def idles(self, partition: int, engine: Engine) -> None:
        now_ms = time.time_ns() // 1_000_000
        self._look(partition, engine, now_ms if engine.next_due_ms > now_ms else engine.position.time_ms)

    def _look(self, partition: int, engine: Engine, now_ms: int) -> None:
        state = engine.state
        self._metrics.turned(partition, engine.next_due_ms)
        self._metrics.holds(partition, len(state.incidents))
        if state.policy_sha is not None:
            self._metrics.policy(state.book.policy)
            self._metrics.modes(state.book.policy.modes, [span.mode for span in state.modes.spans.values()])
        watchdog = self._watchdogs.get(partition)
        if watchdog is None:
            watchdog = self._watchdogs[partition] = Watchdog(partial(self._metrics.watched, partition))
        watchdog.turn(state, now_ms)

    def carried(self, unknown_fields: int, seconds: float) -> None:
        self._metrics.unknown(unknown_fields)
        self._metrics.carried(seconds)

    def faulted(self, fault: EngineFault) -> None:
        self._metrics.faulted(fault)

    def restoring(self, partition: int, done: int, total: int) -> None:
        now_s = time.monotonic()
        if now_s - self._told_s.setdefault(partition, now_s) >= TELL_EVERY_S:
            said = {"event": "restoring", "partition": partition}
            percent = 100 * done // total
            log.info("partition %d is being restored: %d %% of %d records", partition, percent, total, extra=said)
            self._told_s[partition] = now_s

    def restored(self, partition: int, incidents: int, seconds: float) -> None:
        self._told_s.pop(partition, None)
        self._watchdogs.pop(partition, None)  # a round goes through the incidents of one engine
        said = {"event": "restored", "partition": partition, "incidents": incidents, "seconds": round(seconds, 3)}
        log.info("partition %d is restored: %d incidents in %.2f s", partition, incidents, seconds, extra=said)

    def released(self, partition: int) -> None:
        self._watchdogs.pop(partition, None)
        self._metrics.forget(partition)

    def lags(self, behind: Mapping[tuple[str, int], int]) -> None:
        self._metrics.lags(behind)

    def waits_for_policy(self) -> None:
        self._metrics.activation(successful=False)


def run_worker(config: Config, setup: Setup) -> None:
    """Work until SIGTERM or SIGINT.

    Raises:
        LedgerError: the cluster does not answer, or is not as it must be.
    """
    connection = connection_of(config.kafka, os.environ)
    sources = asyncio.run(_prepare(config, setup, connection))
    metrics, health = EngineMetrics(), Health()
    parts = Parts(
        config.kafka, connection, setup.intake, setup.grid.sha256, sources, _Watcher(metrics), health,
        config.engine.poll_ms / 1000,
    )  # fmt: skip
    metrics.ready_if(lambda: health.ready and health.live)
    with serve_health(config.http.host, config.http.port, metrics.registry, health) as port:
        said = {"event": "started"}
        log.info("http://%s:%d/metrics, /health/live, /health/ready", config.http.host, port, extra=said)
        asyncio.run(_serve(parts, metrics))


async def _prepare(config: Config, setup: Setup, connection: Connection) -> list[str]:
    """See that everything is there; returns the source topics."""
    kafka = config.kafka
    await require_topics(connection, topic_specs(kafka, setup.policy.departments))
    epoch = Epoch(setup.grid.sha256, kafka.partitions, kafka.partition_level)
    await require_epoch(connection, kafka.prefix, epoch)
    names = await topic_names(connection)
    departments = [name for name in names if name.startswith(kafka.prefix + DEPARTMENT_UPDATES)]
    return [*(kafka.prefix + name for name in (REPORTS, UPDATES, CONTROL)), *sorted(departments)]


async def _serve(parts: Parts, metrics: EngineMetrics) -> None:
    """Work until SIGTERM or SIGINT, then finish the batches under way."""
    app, worker = build(parts, _fail)
    asked = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, asked.set)
    await worker.start()
    app.in_worker = True
    await app.start()
    watching = asyncio.create_task(_watch(parts, worker))
    watching.add_done_callback(_ended)
    while not asked.is_set():
        parts.health.ready, parts.health.turned_s = worker.ready, time.monotonic()
        metrics.lives()
        if app.crashed:
            _fail(app.crash_reason or LedgerError("Faust has ended"))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asked.wait(), LOOK_EVERY_S)
    watching.cancel()
    await worker.pause(list(worker.owners))
    await worker.stop()
    await app.stop()


def _ended(watching: asyncio.Task[None]) -> None:
    """Nobody watches any more: that must not go unseen."""
    if not watching.cancelled():
        _fail(watching.exception() or LedgerError("the watch over the partitions has ended"))


async def _watch(parts: Parts, worker: Worker) -> None:
    """End a process whose partitions do not move although there is something to do; brokers may be away meanwhile."""
    while True:
        try:
            async with consumer(parts.connection, isolation_level="read_uncommitted") as client:
                while True:
                    await asyncio.sleep(ENDS_EVERY_S)
                    await worker.look_at_ends(client)
        except Stalled as stalled:
            _fail(stalled)
        except LedgerError as error:
            log.warning("the ends of the partitions cannot be seen: %s", error)
            await asyncio.sleep(ENDS_EVERY_S)


def _fail(error: BaseException) -> NoReturn:
    """End the process at once: what is not committed is nobody's, and the ledger makes the restart exact."""
    log.critical("this worker ends", exc_info=error, extra={"event": "process_failed"})
    logging.shutdown()
    os._exit(FAILED)
