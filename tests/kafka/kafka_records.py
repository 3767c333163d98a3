"""The least that a test wants of Kafka: a topic, a record written, all of a topic's records read."""

from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import for_code


async def create_topic(client: dict[str, Any], topic: str, **settings: str) -> None:
    """One partition; a setting's dots are underscores here. Raises KafkaError."""
    configs = {name.replace("_", "."): value for name, value in settings.items()}
    admin = AIOKafkaAdminClient(**client)
    try:
        await admin.start()
        answer = await admin.create_topics([NewTopic(topic, 1, 1, topic_configs=configs)])
        for _, code, *message in answer.topic_errors:
            if code:
                raise for_code(code)(*message)
    finally:
        await admin.close()


async def send(client: dict[str, Any], topic: str, value: bytes, timestamp_ms: int | None = None) -> None:
    producer = AIOKafkaProducer(**client)
    try:
        await producer.start()
        await producer.send_and_wait(topic, value, timestamp_ms=timestamp_ms)
    finally:
        await producer.stop()


async def read(client: dict[str, Any], topic: str) -> list[ConsumerRecord]:
    """All there is in partition 0."""
    partition = TopicPartition(topic, 0)
    consumer = AIOKafkaConsumer(**client, auto_offset_reset="none", enable_auto_commit=False)
    try:
        await consumer.start()
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        consumer.seek(partition, (await consumer.beginning_offsets([partition]))[partition])
        records: list[ConsumerRecord] = []
        while await consumer.position(partition) < end:
            records.append(await consumer.getone())
        return records
    finally:
        await consumer.stop()


async def topics(client: dict[str, Any]) -> set[str]:
    """The names that this client may see."""
    admin = AIOKafkaAdminClient(**client)
    try:
        await admin.start()
        return set(await admin.list_topics())
    finally:
        await admin.close()
