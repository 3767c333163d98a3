"""The Faust application: membership, rebalancing and fetching are Faust's; what becomes of records is not.

Two agents: one for all source topics (stage 1, `relay`), one for `work` (stage 2, an `owner` for each partition this
worker is assigned). Neither lets Faust see an exception: whatever fails ends the process, since Faust would go on with
the next event and lose this one.
"""

import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import faust
from faust.types import TP

from dispatcher.hosts.worker.batches import BatchConsumer, Batches
from dispatcher.hosts.worker.order import Order
from dispatcher.hosts.worker.parts import REVOKE_S, Parts, Worker
from dispatcher.ledger.kafka import WORK

__all__ = ["build"]

FETCH_RECORDS = 4_000  # most at a time
COMMIT_EVERY_S = 0.5  # of the group's offsets, which are no truth


def build(parts: Parts, fail: Callable[[BaseException], None]) -> tuple[faust.App, Worker]:
    """The application and what it works with; `fail` must end the process."""
    kafka, connection = parts.kafka, parts.connection
    credentials: Any = None
    if connection.user is not None:
        credentials = faust.SASLCredentials(
            username=connection.user, password=connection.password, mechanism=connection.mechanism,
            ssl_context=connection.tls,
        )  # fmt: skip
    elif connection.tls is not None:
        credentials = faust.SSLCredentials(connection.tls)
    session_s = kafka.session_timeout_s
    app = faust.App(
        kafka.application,
        broker=[f"kafka://{server.strip()}" for server in connection.bootstrap.split(",")],
        broker_credentials=credentials,
        value_serializer="raw",
        key_serializer="raw",
        store="memory://",
        datadir=tempfile.mkdtemp(prefix="dispatcher-worker-"),
        autodiscover=False,
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        stream_wait_empty=False,  # what is not committed is read again: waiting for it only lengthens a rebalance
        table_standby_replicas=0,
        ConsumerScheduler=Batches,
        consumer_auto_offset_reset="earliest",
        broker_max_poll_records=FETCH_RECORDS,
        broker_commit_interval=COMMIT_EVERY_S,
        broker_session_timeout=session_s,
        broker_heartbeat_interval=session_s / 4,
        broker_rebalance_timeout=session_s + REVOKE_S,
        broker_request_timeout=max(30.0, 2 * session_s),
    )
    order = Order()
    consumer = partial(BatchConsumer, order=order, sources=parts.sources)
    app.transport.Consumer = consumer  # type: ignore[assignment, misc]

    async def rewind(topic: str, partition: int, offset: int) -> None:
        await app.consumer.seek(TP(topic, partition), offset)

    worker = Worker(parts, fail, rewind, order)
    work_topic = kafka.prefix + WORK
    sources = app.topic(*parts.sources, value_serializer="raw", key_serializer="raw")
    work = app.topic(work_topic, value_serializer="raw", key_serializer="raw")

    @app.agent(sources, name="relay")
    async def relay(stream: Any) -> None:  # noqa: ANN401 - Faust's stream
        async for event in stream.noack().events():
            await worker.carry(event)

    @app.agent(work, name="owners")
    async def owners(stream: Any) -> None:  # noqa: ANN401 - Faust's stream
        async for event in stream.noack().events():
            await worker.give(event)

    @app.on_partitions_revoked.connect  # type: ignore[arg-type]
    async def revoked(_app: Any, revoked: Iterable[Any], **_: Any) -> None:  # noqa: ANN401
        await worker.pause([part.partition for part in revoked if part.topic == work_topic])

    @app.on_partitions_assigned.connect  # type: ignore[arg-type]
    async def assigned(_app: Any, assigned: Iterable[Any], **_: Any) -> None:  # noqa: ANN401
        await worker.assign(part.partition for part in assigned if part.topic == work_topic)

    return app, worker
