"""What `dispatcher topics acls` prints is enough for everybody's work, and nothing more: done by Kafka's own tool."""

import shlex
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import GroupAuthorizationFailedError, NoError, TopicAuthorizationFailedError, for_code
from aiokafka.protocol.fetch import FetchRequest
from kafka_city import POLICY, City, report, send_reports
from kafka_department import Department
from kafka_gateway import KafkaGateway
from kafka_gateway import report as at_gateway
from kafka_records import send, topics
from kafka_waiting import values, wait_for

from bench.broker import ADMIN, Broker, find_java
from tests.gateway.gateway_events import streaming
from tests.gateway.gateway_process import later, running, update

PREFIX = "acl."
USERS = {ADMIN: "secret", "worker": "w", "gateway": "g", "gas": "ga", "fire": "f"}
AT_ONCE = 2  # each is a Java of its own
TOOL_S = 120


@pytest.fixture(scope="module")
def broker(kafka_libraries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One with users, who may do nothing yet."""
    with Broker(tmp_path_factory.mktemp("acls"), users=USERS, libraries=kafka_libraries) as broker:
        yield broker


@pytest.fixture(scope="module")
def city(broker: Broker, kafka_libraries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """Begun by the administrator, who also does what is printed; a worker works as the user `worker`."""
    city = City(
        tmp_path_factory.mktemp("city"), broker.client(), PREFIX, partitions=2,
        security="SASL_PLAINTEXT", mechanism="PLAIN", user_env="TEST_USER", password_env="TEST_PASSWORD",
    )  # fmt: skip
    city.env |= {"TEST_USER": ADMIN, "TEST_PASSWORD": USERS[ADMIN]}
    city.begin()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda line: allow(line, kafka_libraries, city.directory), printed(city)))
    city.worker(TEST_USER="worker", TEST_PASSWORD=USERS["worker"])
    yield city
    city.end()


def printed(city: City) -> list[str]:
    """The commands for those who are users of this broker."""
    done = city.run("topics", "acls")
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    wanted = [f"--allow-principal User:{user} " for user in USERS]
    return [line for line in lines if any(each in line for each in wanted)]


def allow(line: str, libraries: Path, directory: Path) -> None:
    """Run one of them, by the class that `kafka-acls.sh` runs."""
    login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    (directory / "admin.properties").write_text(
        "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n"
        f'sasl.jaas.config={login} username="{ADMIN}" password="{USERS[ADMIN]}";\n',
        encoding="utf-8",
    )
    script, *words = shlex.split(line)
    assert script == "kafka-acls.sh"
    java = [find_java(), "-XX:TieredStopAtLevel=1", "-cp", f"{libraries.absolute()}/*"]
    done = subprocess.run(
        [*java, "org.apache.kafka.tools.AclCommand", *words],
        cwd=directory, capture_output=True, text=True, timeout=TOOL_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Adding ACLs" in done.stdout, done.stdout + done.stderr


async def test_with_what_is_printed_a_report_goes_through_worker_and_departments(city, broker):
    report_id, value = report(Random(5), 5, "03")
    await send_reports(broker.client("gateway"), f"{PREFIX}reports", [value])
    departments = [
        Department(city, code, "--work-s", "1", "--mechanism", "PLAIN", KAFKA_USER=code, KAFKA_PASSWORD=USERS[code])
        for code in ("gas", "fire")
    ]
    try:
        await wait_for(city, {report_id}, lambda found: [each["state"] for each in found] == ["checking"])
    finally:
        for department in departments:
            department.kill()
    assert await values(city, "rejected", city.partitions) == []


def test_with_what_is_printed_a_gateway_serves(city):
    user = {"TEST_USER": "gateway", "TEST_PASSWORD": USERS["gateway"]}
    with running(KafkaGateway(city, 1, **user)) as gateway:
        with streaming(gateway, "gas", "/v1/streams/departments/gas") as orders:
            incident_id = gateway.opened("reporter", at_gateway("by-http", "03"))
            assert next(orders).data["incident_id"] == incident_id
        with gateway.client("gas") as client:
            said = client.post("/v1/updates?wait_s=10", json=update(incident_id, "u", "acknowledge")).json()
        assert said["updates"][0]["state"] == "taken"
        with gateway.client("analyst") as client:
            assert client.get("/v1/measures").status_code == 200
        gateway.admit("shift_lead", roles=["shift_lead"], areas=["*"])
        storm = {"mode": "emergency", "until": later(60), "reason": "a storm"}
        with gateway.client("shift_lead") as client:
            said = client.post("/v1/modes?wait_s=10", json=storm).json()
            assert said["state"] == "taken", said
            assert client.post("/v1/modes/preview", json={}).json()["open"] >= 1
        gateway.admit("policy_approver", roles=["policy_approver"], areas=["*"])
        with gateway.client("policy_approver") as client:
            text = POLICY.replace('version: "1"', 'version: "2"')
            asked = {"files": {"policy.yaml": text}, "keep": True}
            assert client.post("/v1/policy/validate", json=asked).json()["kept"]
            now = client.get("/v1/policy").json()
        gateway.admit("another", roles=["policy_approver"], areas=["*"])
        wish = {"sha256": now["drafts"][0]["sha256"], "expects": now["in_force"]["sha256"], "reason": "better"}
        with gateway.client("another") as client:
            said = client.post("/v1/policy/activate?wait_s=10", json=wish).json()
            assert said["state"] == "taken", said


async def test_nobody_sees_topics_that_are_not_theirs(city, broker):
    assert await topics(broker.client("gas")) == {f"{PREFIX}dept.gas", f"{PREFIX}updates.gas"}
    ours = {name for name in await topics(broker.client(ADMIN)) if name.startswith(PREFIX)}
    assert await topics(broker.client("gateway")) == ours  # it checks how they are set


@pytest.mark.parametrize(
    ("user", "topic"),
    [
        *(("gas", topic) for topic in ("updates.fire", "updates", "reports", "control", "work", "dept.gas", "events")),
        *(("gateway", topic) for topic in ("updates.gas", "work", "incidents", "state", "events", "imports")),
        *(("worker", topic) for topic in ("reports", "updates", "updates.gas", "control")),
    ],
)
async def test_what_is_not_theirs_they_cannot_write(user, topic, city, broker):
    with pytest.raises(TopicAuthorizationFailedError):
        await send(broker.client(user), f"{PREFIX}{topic}", b"{}")


@pytest.mark.parametrize(
    ("user", "topic"),
    [
        *(
            ("gas", topic)
            for topic in ("dept.fire", "updates.gas", "updates.fire", "incidents", "reporters", "reports")
        ),
        *(("gateway", topic) for topic in ("reports", "updates", "updates.gas", "work", "notices")),
    ],
)
async def test_what_is_not_theirs_they_cannot_read(user, topic, city, broker):
    assert await fetch(broker.client(user), f"{PREFIX}{topic}") is TopicAuthorizationFailedError


async def test_their_own_they_can_read(city, broker):
    assert await fetch(broker.client("gas"), f"{PREFIX}dept.gas") is NoError


async def fetch(client: dict[str, Any], topic: str) -> type[BaseException]:
    """What the broker says to a request for records. A consumer never asks for what it cannot see."""
    asking = AIOKafkaClient(**client)
    try:
        await asking.bootstrap()
        request = FetchRequest(0, 0, 1_000, 1, [(topic, [(0, 0, 1_000)])])
        ((_, ((_, code, *_),)),) = (await asking.send(asking.get_random_node(), request)).topics
        return for_code(code)
    finally:
        await asking.close()


@pytest.mark.parametrize("group", [f"{PREFIX}dept.fire", f"{PREFIX}app", f"{PREFIX}dept.gas2"])
async def test_a_department_cannot_be_in_the_group_of_others(group, city, broker):
    consumer = AIOKafkaConsumer(f"{PREFIX}dept.gas", **broker.client("gas"), group_id=group)
    with pytest.raises(GroupAuthorizationFailedError):
        await consumer.start()
    await consumer.stop()
