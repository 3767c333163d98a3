"""Making the topics, and seeing whether they are as they must be."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from dispatcher.ledger.interface import LedgerError, NoTopic
from dispatcher.ledger.kafka.connection import Connection
from dispatcher.ledger.kafka.topics import TopicSpec
from dispatcher.ledger.kafka.unreachable import why_unreachable

__all__ = ["Wrong", "check_topics", "create_topics", "partition_counts", "require_topics", "topic_names"]

log = logging.getLogger(__name__)
CREATE_TIMEOUT_MS = 60_000
AT_A_TIME = 50  # topics in one request
STRICT = frozenset({"message.timestamp.type", "cleanup.policy"})  # with others, outputs would be wrong or lost


class Wrong(NamedTuple):
    """What is wrong with a topic, and what mends it."""

    topic: str
    problem: str
    mend: str
    tolerable: bool = False  # a worker may start all the same: nothing is lost or doubled by it


@asynccontextmanager
async def _admin(connection: Connection) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(**connection.options(), request_timeout_ms=CREATE_TIMEOUT_MS)
    try:
        try:
            await client.start()
        except (KafkaError, OSError) as error:
            raise LedgerError(await why_unreachable(connection, error)) from error
        yield client
    finally:
        await client.close()


async def topic_names(connection: Connection) -> list[str]:
    """Every topic this client may see, sorted. Raises LedgerError when no broker answers."""
    async with _admin(connection) as client:
        return sorted(await client.list_topics())


async def partition_counts(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """How many partitions topics have.

    Raises:
        NoTopic: there is no such topic.
        LedgerError: no broker answers.
    """
    async with _admin(connection) as client:
        counts = {topic["topic"]: len(topic["partitions"]) for topic in await client.describe_topics(list(names))}
    for name in names:
        if not counts.get(name):
            raise NoTopic(f"there is no topic {name}; see `dispatcher topics check`")
    return counts


async def create_topics(connection: Connection, specs: Sequence[TopicSpec]) -> list[str]:
    """Make what is not there yet; returns the names made. What is there stays as it is: `check_topics` tells.

    Raises:
        LedgerError: the cluster refuses.
    """
    made: list[str] = []
    async with _admin(connection) as client:
        there = set(await client.list_topics())
        missing = [spec for spec in specs if spec.name not in there]
        for start in range(0, len(missing), AT_A_TIME):
            some = missing[start : start + AT_A_TIME]
            answer = await client.create_topics(
                [
                    NewTopic(spec.name, spec.partitions, spec.replication, topic_configs=dict(spec.settings))
                    for spec in some
                ],
                timeout_ms=CREATE_TIMEOUT_MS,
            )
            for name, code, *said in answer.topic_errors:
                error = for_code(code)
                if error is TopicAlreadyExistsError:  # somebody else was a moment faster
                    continue
                if code:
                    raise LedgerError(f"{name} cannot be created: {error.__name__} {' '.join(map(str, said))}")
                made.append(name)
    return made


async def check_topics(connection: Connection, specs: Sequence[TopicSpec]) -> list[Wrong]:
    """Everything that is not as it must be: missing topics, other numbers of partitions or copies, other settings.

    Raises:
        LedgerError: no broker answers.
    """
    wrong: list[Wrong] = []
    async with _admin(connection) as client:
        there = set(await client.list_topics())
        present = [spec for spec in specs if spec.name in there]
        mend = "dispatcher topics create, or topics acls"
        missing = [spec for spec in specs if spec.name not in there]
        wrong += [Wrong(spec.name, "is missing, or not for this user to see", mend) for spec in missing]
        found = {topic["topic"]: topic for topic in await client.describe_topics([spec.name for spec in present])}
        for spec in present:
            partitions = found[spec.name]["partitions"]
            if len(partitions) != spec.partitions:
                said = f"has {len(partitions)} partitions, not {spec.partitions}"
                wrong.append(Wrong(spec.name, said, "set kafka.* as they were when it was made, or use a new prefix"))
            copies = min((len(partition["replicas"]) for partition in partitions), default=0)
            if copies < spec.replication:
                said = f"has {copies} copies of a partition, not {spec.replication}"
                mend = "kafka-reassign-partitions, or set kafka.replication"
                wrong.append(Wrong(spec.name, said, mend, tolerable=True))
        for start in range(0, len(present), AT_A_TIME):
            wrong += await _wrong_settings(client, present[start : start + AT_A_TIME])
    return wrong


async def require_topics(connection: Connection, specs: Sequence[TopicSpec]) -> None:
    """See that the topics are as they must be; what is tolerable is said in the log.

    Raises:
        LedgerError: one is missing, or so that outputs would be wrong or lost; or no broker answers.
    """
    wrong = await check_topics(connection, specs)
    for each in wrong:
        log.warning("topic %s %s; %s", each.topic, each.problem, each.mend, extra={"event": "topic_differs"})
    serious = "; ".join(f"{each.topic} {each.problem}" for each in wrong if not each.tolerable)
    if serious:
        raise LedgerError(f"the topics are not as they must be: {serious}. See `dispatcher topics check`")


async def _wrong_settings(client: AIOKafkaAdminClient, specs: Sequence[TopicSpec]) -> list[Wrong]:
    asked = [ConfigResource(ConfigResourceType.TOPIC, spec.name) for spec in specs]
    settings: dict[str, dict[str, str]] = {}
    for response in await client.describe_configs(asked):
        for code, said, _, name, entries in response.resources:
            if code:
                raise LedgerError(f"{name}: its settings cannot be read: {for_code(code).__name__} {said}")
            settings[name] = {entry[0]: entry[1] for entry in entries}
    return [
        Wrong(
            spec.name,
            f"{name} is {settings[spec.name].get(name)}, not {wanted}",
            f"kafka-configs --alter --topic {spec.name} --add-config {name}={wanted}",
            tolerable=name not in STRICT,
        )
        for spec in specs
        for name, wanted in spec.settings.items()
        if settings[spec.name].get(name) != wanted
    ]
