"""The broker that tests rely on is a real one, keeps its word after being killed, and never outlives them."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError, UnknownTopicOrPartitionError
from kafka_records import create_topic, read, send, topics

from bench.broker import Broker, DidNotStart

ROOT = Path(__file__).parent.parent.parent
WAIT_S = 60


def is_running(pid: int) -> bool:
    """Zombies, which nobody may be there to bury, do not run."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout
    return bool(state) and not state.startswith("Z")


def group_of(pid: int) -> list[int]:
    """The processes that run in its process group: Java and its guard."""
    listed = subprocess.run(["ps", "-e", "-o", "pid=,pgid="], capture_output=True, text=True, check=True).stdout
    pairs = (map(int, line.split()) for line in listed.splitlines())
    return [member for member, group in pairs if group == pid and is_running(member)]


def wait_until_gone(pid: int) -> None:
    give_up_s = time.monotonic() + WAIT_S
    while group_of(pid):
        assert time.monotonic() < give_up_s, f"processes {group_of(pid)} are still there"
        time.sleep(0.05)


async def test_a_record_is_kept_with_the_time_at_which_it_was_appended(broker):
    await create_topic(broker.client(), "appended", message_timestamp_type="LogAppendTime")
    before_ms = time.time_ns() // 1_000_000
    await send(broker.client(), "appended", b"long ago", timestamp_ms=1)
    (record,) = await read(broker.client(), "appended")
    assert record.value == b"long ago"
    assert before_ms <= record.timestamp <= time.time_ns() // 1_000_000


async def test_topics_do_not_come_into_being_by_mistake(broker):
    with pytest.raises(UnknownTopicOrPartitionError):
        await asyncio.wait_for(send(broker.client() | {"request_timeout_ms": 1_000}, "mistaken", b""), WAIT_S)
    assert "mistaken" not in await topics(broker.client())


async def test_killed_and_started_again_it_has_what_it_acknowledged_and_a_second_one_knows_nothing_of_it(
    broker, kafka_libraries, tmp_path
):
    with Broker(tmp_path, libraries=kafka_libraries) as own:
        address, first_life = own.bootstrap, own.pid
        await create_topic(own.client(), "kept")
        await send(own.client(), "kept", b"1")
        own.kill()
        assert own.pid is None
        assert not is_running(first_life)
        await asyncio.to_thread(own.start)
        assert (own.bootstrap, own.pid != first_life) == (address, True)
        await send(own.client(), "kept", b"2")
        assert [record.value for record in await read(own.client(), "kept")] == [b"1", b"2"]
        assert broker.bootstrap != address
        assert "kept" not in await topics(broker.client())

    again = Broker(tmp_path, libraries=kafka_libraries)
    assert again.bootstrap == address  # a folder used before keeps its ports


async def test_with_users_a_wrong_password_is_refused_and_a_right_one_lets_do_what_acls_say(kafka_libraries, tmp_path):
    with Broker(tmp_path, users={"dispatcher": "right"}, libraries=kafka_libraries) as guarded:
        await create_topic(guarded.client(), "orders")
        await send(guarded.client(), "orders", b"from the admin")
        for access in (
            guarded.client("dispatcher") | {"sasl_plain_password": "wrong"},
            {"bootstrap_servers": guarded.bootstrap, "request_timeout_ms": 2_000},
        ):
            with pytest.raises(KafkaConnectionError):
                await send(access, "orders", b"from anybody")
        assert "orders" not in await topics(guarded.client("dispatcher"))
        with pytest.raises(TopicAuthorizationFailedError):
            await send(guarded.client("dispatcher"), "orders", b"without an ACL")
        assert [record.value for record in await read(guarded.client(), "orders")] == [b"from the admin"]


@pytest.mark.parametrize("users", [{"a b": "x"}, {'a"': "x"}, {"a": 'x"y'}, {"a": "x\\y"}, {"a": "x\ny"}, {"a": ""}])
def test_users_that_the_settings_cannot_hold_are_refused(users, tmp_path):
    with pytest.raises(ValueError, match="user"):
        Broker(tmp_path, users=users)


def test_nothing_is_left_when_it_has_been_stopped(kafka_libraries, tmp_path):
    own = Broker(tmp_path, libraries=kafka_libraries)
    own.stop()  # nothing to stop
    with own:
        pid = own.pid
        assert pid in group_of(pid)
        with pytest.raises(RuntimeError, match="running"):
            own.start()
    assert own.pid is None
    wait_until_gone(pid)
    with socket.create_server(("127.0.0.1", int(own.bootstrap.rpartition(":")[2]))), pytest.raises(DidNotStart) as why:
        own.start()
    assert "is taken" in str(why.value)


def test_it_ends_with_whoever_started_it_even_if_that_is_killed(kafka_libraries, tmp_path):
    code = (
        "import sys, time, threading, pathlib; from bench.broker import Broker\n"
        "broker = Broker(pathlib.Path(sys.argv[1]), libraries=pathlib.Path(sys.argv[2]))\n"
        "starter = threading.Thread(target=broker.start); starter.start(); starter.join()\n"
        "print(broker.pid, flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", code, str(tmp_path), str(kafka_libraries)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as starter:
        try:
            pid = int(starter.stdout.readline())
            assert is_running(pid)  # though the thread that started it is over
        finally:
            starter.kill()
    try:
        wait_until_gone(pid)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def test_a_broker_that_cannot_run_says_why(kafka_libraries, tmp_path):
    with pytest.raises(DidNotStart) as why:
        Broker(tmp_path, heap_mb=1, libraries=kafka_libraries).start()
    assert "ended with 1 while starting" in str(why.value)
    assert "Too small maximum heap" in str(why.value)  # Java's own words, from the log


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_in_the_foreground_it_tells_its_address_and_ends_when_told(ending, kafka_libraries, tmp_path):
    port = int(Broker(tmp_path).bootstrap.rpartition(":")[2])
    command = [sys.executable, "-m", "bench.broker", "--directory", str(tmp_path), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as foreground:
        try:
            said = [foreground.stdout.readline() for _ in range(3)]
            assert f"DISPATCHER__KAFKA__BOOTSTRAP=127.0.0.1:{port}\n" in said[1]
            socket.create_connection(("127.0.0.1", port), WAIT_S).close()
            os.kill(foreground.pid, ending)
            assert foreground.wait(WAIT_S) == 0
        finally:
            foreground.kill()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), WAIT_S)
