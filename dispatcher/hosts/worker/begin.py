"""Beginning a ledger on Kafka, and putting another policy in force: documents and topics first, then the command."""

import os
from typing import Any

import msgspec
from aiokafka import TopicPartition

from dispatcher.config import Config
from dispatcher.core import CONTROL
from dispatcher.core.control import Activate
from dispatcher.core.enact import COMMANDS_TAKEN
from dispatcher.core.homes import Homes
from dispatcher.core.messages import Actor
from dispatcher.core.wire import encode
from dispatcher.hosts.setup import Setup
from dispatcher.hosts.worker.relay import Relay
from dispatcher.ledger import LedgerError
from dispatcher.ledger.kafka import (
    Connection,
    Epoch,
    Out,
    begin_epoch,
    begun,
    connection_of,
    create_topics,
    idempotent_producer,
    newest_values,
    put_values,
    read_whole,
    require_epoch,
    topic_specs,
)

__all__ = ["begin", "enact"]


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


async def enact(config: Config, setup: Setup, by: str | None = None, reason: str | None = None) -> str | None:
    """Have the configured policy follow the one in force; returns that one's sha256, None when it is the same.

    The topics of its departments and its document are there before the command that names it. The command expects what
    is in force now, and says which one it is to be: of two given at once, one is refused.

    Raises:
        LedgerError: the ledger has not been begun, or the cluster refuses.
    """
    kafka, policy = config.kafka, setup.policy
    connection = connection_of(kafka, os.environ)
    await require_epoch(connection, kafka.prefix, Epoch(setup.grid.sha256, kafka.partitions, kafka.partition_level))
    state = await newest_values(connection, TopicPartition(f"{kafka.prefix}state", 0))
    if "policy" not in state:
        raise LedgerError(
            "no policy is in force yet: start a worker first, it takes up what `topics create` has written"
        )
    before = msgspec.json.decode(state["policy"], type=str)
    if before == policy.sha256:
        return None
    number = msgspec.json.decode(state["tally"], type=dict[str, int]).get(COMMANDS_TAKEN, 0) + 1
    await create_topics(connection, topic_specs(kafka, policy.departments))
    await put_values(connection, [Out(f"{kafka.prefix}policies", 0, policy.sha256.encode(), policy.canonical)])
    command = Activate(
        command_id=f"activate-{number}-{before[:12]}-{policy.sha256[:12]}", sha256=policy.sha256, expects=before,
        number=number, actor=Actor("policy_approver", person=by), reason=reason,
    )  # fmt: skip
    await put_values(connection, [Out(kafka.prefix + CONTROL, 0, None, encode(command))])
    return before


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
