"""Beginning a ledger on Kafka: its topics, its intake epoch, its first policy; whatever is there stays."""

import os
from typing import Any

from aiokafka import TopicPartition

from dispatcher.config import Config
from dispatcher.core import CONTROL
from dispatcher.core.control import Activate
from dispatcher.core.homes import Homes
from dispatcher.core.messages import Actor
from dispatcher.core.wire import encode
from dispatcher.hosts.setup import Setup
from dispatcher.hosts.worker.relay import Relay
from dispatcher.ledger.kafka import (
    Connection,
    Epoch,
    Out,
    begin_epoch,
    begun,
    connection_of,
    create_topics,
    idempotent_producer,
    put_values,
    read_whole,
    require_epoch,
    topic_specs,
)

__all__ = ["begin"]


async def begin(config: Config, setup: Setup, by: str | None = None) -> tuple[list[str], bool]:
    """Make what is missing; returns the topics made, and whether the configured policy is the ledger's first.

    The policy is durable before the command that names it is; the command is on every partition of `work`, before
    anything that needs it, when the epoch is written, without which no worker starts.

    Raises:
        LedgerError: the cluster refuses, or the ledger was begun with another grid or other numbers.
    """
    kafka, policy = config.kafka, setup.policy
    connection = connection_of(kafka, os.environ)
    made = await create_topics(connection, topic_specs(kafka, policy.departments))
    epoch = Epoch(setup.grid.sha256, kafka.partitions, kafka.partition_level)
    if await begun(connection, kafka.prefix):
        await require_epoch(connection, kafka.prefix, epoch)
        return made, False
    control = TopicPartition(kafka.prefix + CONTROL, 0)
    commands = [record async for records in read_whole(connection, control) for record in records]
    first = not commands  # otherwise an earlier beginning was interrupted
    if first:
        await put_values(connection, [Out(f"{kafka.prefix}policies", 0, policy.sha256.encode(), policy.canonical)])
        actor = None if by is None else Actor("admin", person=by)
        command = Activate(command_id=f"first-{policy.sha256[:12]}", sha256=policy.sha256, actor=actor)
        await put_values(connection, [Out(control.topic, 0, None, encode(command))])
        commands = [record async for records in read_whole(connection, control) for record in records]
    await _relay(config, setup, connection, commands)
    await begin_epoch(connection, kafka.prefix, epoch)
    return made, first


async def _relay(config: Config, setup: Setup, connection: Connection, commands: list[Any]) -> None:
    """What stage 1 will do with them once more: stage 2 takes the second time for a repeat."""
    kafka = config.kafka
    producer = idempotent_producer(connection, f"{kafka.application}-begin")
    try:
        await producer.start()
        homes = Homes(kafka.partitions, kafka.partition_level)
        await Relay(setup.intake, homes, producer, kafka.prefix, lambda _: None).carry(commands)
    finally:
        await producer.stop()
