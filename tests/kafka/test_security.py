"""Brokers that want to know who we are, and show who they are: it works, or it is said at once what is wrong."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from kafka_city import City, report, send_reports
from kafka_waiting import wait_for

from bench.broker import ADMIN, Broker

PASSWORD = "a-real-pass=word"
SASL = {"security": "SASL_PLAINTEXT", "mechanism": "PLAIN", "user_env": "TEST_USER", "password_env": "TEST_PASSWORD"}
AT_MOST_S = 40.0  # two seconds on an idle machine
Make = Callable[..., City]


@pytest.fixture(scope="module")
def guarded(kafka_libraries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Wants a user and a password."""
    with Broker(tmp_path_factory.mktemp("sasl"), users={ADMIN: PASSWORD}, libraries=kafka_libraries) as broker:
        yield broker


@pytest.fixture(scope="module", params=[None, {ADMIN: PASSWORD}], ids=["SSL", "SASL_SSL"])
def sealed(
    request: pytest.FixtureRequest, kafka_libraries: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Broker]:
    """Speaks TLS only, and knows its clients or not."""
    directory = tmp_path_factory.mktemp("tls")
    with Broker(directory, users=request.param, tls=True, libraries=kafka_libraries) as broker:
        yield broker


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """A city with these settings of Kafka's; the environment has a good user."""
    made: list[City] = []

    def city(broker: Broker, prefix: str, *, password: str = PASSWORD, **kafka: Any) -> City:
        city = City(tmp_path / f"{prefix}{len(made)}", broker.client(), prefix, partitions=2, **kafka)
        city.env |= {"TEST_USER": ADMIN, "TEST_PASSWORD": password}
        made.append(city)
        return city

    yield city
    for each in made:
        each.end()


async def works(city: City) -> None:
    """Topics are made and found right; a worker takes a report and ends in good order."""
    city.begin()
    checked = city.run("topics", "check")
    assert checked.returncode == 0, checked.stderr
    worker = city.worker()
    report_id, value = report(Random(1), 1, "03")
    await send_reports(city.client, f"{city.prefix}reports", [value])
    (incident,) = await wait_for(city, {report_id}, lambda found: len(found) == 1)
    assert incident["lead"]["department"] == "gas"
    assert worker.terminate() == 0
    await asyncio.sleep(0.25)  # by TLS, our own connections are closed a moment after their clients are


def refused(city: City, *command: str) -> str:
    """What a command that cannot reach Kafka says; it says it soon, and ends with 1."""
    begun_s = time.monotonic()
    done = city.run(*command)
    assert done.returncode == 1, done.stderr
    assert time.monotonic() - begun_s < AT_MOST_S
    assert "Traceback" not in done.stderr
    assert not done.stdout
    return done.stderr


async def test_with_user_and_password_from_the_environment_everything_works(guarded, make):
    await works(make(guarded, "works.", **SASL))


@pytest.mark.parametrize("command", [("topics", "create"), ("topics", "check"), ("worker",), ("audit", "--kafka")])
def test_a_wrong_password_is_told_with_the_next_step(command, guarded, make):
    city = make(guarded, "wrong.", password="wrong-word", **SASL)
    said = refused(city, *command)
    assert "wrong-word" not in said
    assert f"{guarded.bootstrap} refuses the user {ADMIN}: is the password right?" in said
    assert "kafka.user_env and kafka.password_env" in said


@pytest.mark.parametrize(
    ("kafka", "words"),
    [
        ({}, "answers, but not to PLAINTEXT"),
        ({"security": "SSL"}, "answers, but not to SSL"),
        ({**SASL, "mechanism": "SCRAM-SHA-512"}, "does not offer SCRAM-SHA-512; set kafka.mechanism"),
        ({**SASL, "password_env": "NOT_SET"}, "kafka: the environment has no NOT_SET"),
        ({"security": "SSL", "ca_file": "none.pem"}, "No such file or directory; see ca_file"),
        ({"bootstrap": "127.0.0.1:9"}, "does it run there? See kafka.bootstrap"),
    ],
)
def test_what_does_not_fit_is_told_with_the_next_step(kafka, words, guarded, make):
    assert words in refused(make(guarded, "unfit.", **kafka), "topics", "check")


def by_tls(broker: Broker) -> dict[str, Any]:
    known = "sasl_mechanism" in broker.client()
    return {**(SASL if known else {}), "security": "SASL_SSL" if known else "SSL", "ca_file": str(broker.ca_file)}


async def test_by_tls_everything_works(sealed, make):
    await works(make(sealed, "sealed.", **by_tls(sealed)))


def test_a_broker_that_nobody_we_trust_vouches_for_is_not_spoken_to(sealed, make):
    said = refused(make(sealed, "untrusted.", **by_tls(sealed) | {"ca_file": None}), "topics", "check")
    assert "shows a certificate that is not trusted" in said
    assert "set kafka.ca_file" in said


def test_in_the_clear_a_broker_with_tls_is_told_apart(sealed, make):
    assert "answers, but not to PLAINTEXT" in refused(make(sealed, "clear."), "topics", "check")
