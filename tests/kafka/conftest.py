"""What several files here share: of the client library's seams, and a city with two gateways.

The broker is the one of all tests (tests/conftest.py).
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from kafka_city import City
from kafka_gateway import KafkaGateway
from kafka_lanes import lay_lanes
from kafka_records import create_topic

from bench.broker import Broker
from dispatcher.ledger.kafka import Connection, Place
from dispatcher.ledger.kafka.producing import transactional_producer
from tests.gateway.gateway_process import running

SMALL = 1_000  # bytes that the topic takes in one batch


@pytest.fixture
def connection(broker: Broker) -> Connection:
    return Connection(broker.bootstrap)


@pytest.fixture
async def topic(broker: Broker) -> str:
    """A topic with one partition that takes small batches only."""
    name = f"seam-{uuid4().hex[:8]}"
    await create_topic(broker.client(), name, max_message_bytes=str(SMALL))
    return name


@pytest.fixture
async def lane(broker: Broker) -> Place:
    """A place with one partition, and five records on its `work`."""
    return await lay_lanes(broker.bootstrap, f"lane-{uuid4().hex[:8]}.", 1, work=5)


@pytest.fixture
async def producers(connection: Connection) -> AsyncIterator[Callable[..., Awaitable[AIOKafkaProducer]]]:
    """Makes producers, started; those of one test have one name, and one id if they are transactional."""
    made: list[AIOKafkaProducer] = []
    name = f"seam-{uuid4().hex[:8]}"

    async def make(kind: Any = transactional_producer) -> AIOKafkaProducer:
        made.append(kind(connection, name))
        await made[-1].start()
        return made[-1]

    yield make
    for producer in made:
        await producer.stop()


@pytest.fixture(scope="module")
def served_city(
    broker: Broker, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[City]:
    """A city with one worker, on topics that are the test file's own; and under its policy, if it has a CITY_POLICY."""
    name = request.path.stem.removeprefix("test_").replace("_", "-")
    made = City(tmp_path_factory.mktemp(name), broker.client(), f"{name}.")
    policy = getattr(request.module, "CITY_POLICY", None)
    if policy is not None:
        (made.directory / "policy" / "policy.yaml").write_text(policy, encoding="utf-8")
    made.begin()
    made.worker()
    yield made
    made.end()


@pytest.fixture(scope="module")
def gateways(served_city: City) -> Iterator[list[KafkaGateway]]:
    """Two that serve it."""
    with running(KafkaGateway(served_city, 1)) as first, running(KafkaGateway(served_city, 2)) as second:
        yield [first, second]
