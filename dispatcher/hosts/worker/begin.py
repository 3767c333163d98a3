"""Beginning a ledger on Kafka: its topics, its intake epoch, its first policy; whatever is there stays."""

import os

from aiokafka import TopicPartition

from dispatcher.config import Config
from dispatcher.core import CONTROL
from dispatcher.core.control import Activate
from dispatcher.core.messages import Actor
from dispatcher.core.wire import encode
from dispatcher.hosts.setup import Setup
from dispatcher.ledger.kafka import (
    Epoch,
    Out,
    bounds,
    connection_of,
    consumer,
    create_topics,
    put_values,
    require_epoch,
    topic_specs,
)

__all__ = ["begin"]


async def begin(config: Config, setup: Setup, by: str | None = None) -> tuple[list[str], bool]:
    """Make what is missing; returns the topics made, and whether the configured policy is the ledger's first.

    The policy is durable before the command that names it is.

    Raises:
        LedgerError: the cluster refuses, or the ledger was begun with another grid or other numbers.
    """
    kafka, policy = config.kafka, setup.policy
    connection = connection_of(kafka, os.environ)
    made = await create_topics(connection, topic_specs(kafka, policy.departments))
    epoch = Epoch(setup.grid.sha256, kafka.partitions, kafka.partition_level)
    await require_epoch(connection, kafka.prefix, epoch, begin=True)
    control = TopicPartition(kafka.prefix + CONTROL, 0)
    async with consumer(connection) as client:
        if (await bounds(client, [control]))[control][1]:
            return made, False
    await put_values(connection, [Out(f"{kafka.prefix}policies", 0, policy.sha256.encode(), policy.canonical)])
    actor = None if by is None else Actor("admin", person=by)
    first = Activate(command_id=f"first-{policy.sha256[:12]}", sha256=policy.sha256, actor=actor)
    await put_values(connection, [Out(control.topic, 0, None, encode(first))])
    return made, True
