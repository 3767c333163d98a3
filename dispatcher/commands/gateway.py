"""`dispatcher gateway`: one of the processes that serve a Kafka cluster over HTTP."""

import asyncio
import logging
import os
import socket
import time
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector

from dispatcher.commands.keys.commands import keys_path
from dispatcher.commands.memory import settle_memory
from dispatcher.commands.opening import config_of
from dispatcher.commands.stopping import StopSignals
from dispatcher.config import Config
from dispatcher.console import add_console
from dispatcher.gateway import KafkaLink, Parts, build_app, load_atlas, parts_of, serve
from dispatcher.gateway.serving import bind
from dispatcher.hosts.run import Health
from dispatcher.hosts.setup import read_policy
from dispatcher.ledger.kafka import Connection, Epoch, Place, connection_of, require_epoch, require_topics, topic_specs
from dispatcher.logs import write_logs

__all__ = ["gateway_command"]

BEAT_S = 1.0
log = logging.getLogger(__name__)


def gateway_command(config_path: Path, port: int | None) -> None:
    """Serve until SIGTERM or SIGINT; what was taken by then is durable, and every request is finished first.

    Raises:
        LedgerError: the cluster does not answer, or is not as it must be.
        ProjectionError: another gateway has this projection.
    """
    config = config_of(config_path)
    write_logs(config.log.format)
    asked = StopSignals()
    connection = connection_of(config.kafka, os.environ)
    policy = read_policy(config.policy)
    atlas = load_atlas(config, policy.timezone)
    asyncio.run(_require(connection, config, atlas.grid.sha256, policy.departments))
    registry, health = CollectorRegistry(), Health()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    keys_file = keys_path(config, None)
    keys_file.parent.mkdir(parents=True, exist_ok=True)
    with bind(config.http.host, config.http.port if port is None else port) as bound:
        settle_memory()
        host_name, bound_port = bound.getsockname()[:2]
        log.info(
            f"serving {connection.bootstrap}; http://{host_name}:{bound_port}/, keys in {keys_file}",
            extra={"event": "started"},
        )
        link = KafkaLink(Place.of(connection, config.kafka), config.gateway.projection)
        with parts_of(config, keys_file, link, atlas, registry, health) as parts:
            asyncio.run(_serve(parts, bound, asked))
    log.info(f"{asked}: stopped; everything taken is durable", extra={"event": "stopped"})


async def _require(connection: Connection, config: Config, grid: str, departments: Iterable[str]) -> None:
    """See that the cluster is as it must be."""
    kafka = config.kafka
    await require_topics(connection, topic_specs(kafka, departments))
    await require_epoch(connection, kafka.prefix, Epoch(grid, kafka.partitions, kafka.partition_level))


async def _serve(parts: Parts, bound: socket.socket, asked: StopSignals) -> None:
    """Serve at once, ready when the projection has caught up, until a signal is `asked`."""
    ending = asked.ending()
    city, health = parts.city, parts.health

    def begun(catching_up: asyncio.Task[None]) -> None:
        health.ready = not catching_up.cancelled() and catching_up.exception() is None
        if not health.ready:
            ending.set()

    async with city.open(wait=False):
        catching_up = asyncio.create_task(city.caught_up())
        catching_up.add_done_callback(begun)
        beating = asyncio.create_task(_beat(health))
        app = build_app(parts)
        add_console(app, parts)
        await serve(app, bound, ending, city.release, parts.config.gateway.proxies)
        beating.cancel()
        if not asked:
            await catching_up  # it could not, and says why
        catching_up.cancel()


async def _beat(health: Health) -> None:
    """Say that the loop turns."""
    while True:
        health.turned_s = time.monotonic()
        await asyncio.sleep(BEAT_S)
