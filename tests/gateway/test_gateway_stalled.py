"""Readers that stop reading while megabytes go by: nobody waits for them, hardly anything is kept, none is missed."""

import asyncio
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, aclosing, closing
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from gateway_process import Gateway, report, update
from gateway_readers import Answer, asking, end_of, told

from dispatcher.gateway.news import News
from dispatcher.ledger import SqliteLedger

STALLED, BACK, READING = 30, 5, 3  # how many stop reading, how many of them read again; how many never stop
WARM, EVENTS, AT_ONCE = 10_000, 12_000, 500  # as many as a feed keeps before; then more than a connection holds
TINY = 4_096  # bytes that the client's side of a connection takes
EACH_MAX = 1 << 20  # what the server may keep for each: less than a fifth of what it has not read
QUEUE = "/v1/streams/queue"


class Stalled:
    """A connection to a stream, which is read no further than its beginning until it is read again."""

    def __init__(self, gateway: Gateway, last: str) -> None:
        there = urlsplit(gateway.url)
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, TINY)
        self._socket.settimeout(60)
        self._socket.connect((there.hostname, there.port))
        self._socket.sendall(asking(gateway, "dispatcher", QUEUE, last))
        self._answer = Answer()
        while not self._answer.feed(self._socket.recv(TINY)):
            pass

    def read(self) -> Iterator[bytes]:
        """The data of each event."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        while data := self._socket.recv(1 << 16):
            yield from (block.data for block in self._answer.feed(data) if block.data)

    def close(self) -> None:
        self._socket.close()


def resident_bytes(gateway: Gateway) -> int:
    assert gateway.process is not None
    status = Path(f"/proc/{gateway.process.pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) << 10


def held_by_a_connection() -> int:
    """What the machine itself takes of what is sent and not read, at most."""
    return int(Path("/proc/sys/net/ipv4/tcp_wmem").read_text().split()[2]) + TINY


async def go_by(gateway: Gateway, incident_id: str, first: int, count: int, last: str) -> tuple[float, list[bytes]]:
    """Have so many events go by, some at a time, the next when those have come to all who read.

    Returns:
        In how many seconds, and what came.
    """
    came, news = [list[bytes]() for _ in range(READING)], News()

    async def read(found: list[bytes]) -> None:
        async with aclosing(told(gateway, "supervisor", QUEUE, last)) as blocks:
            async for block in blocks:
                if block.data:
                    found.append(block.data)
                    news.tell()
                if len(found) == count:
                    return

    begun_s, reading = time.perf_counter(), [asyncio.create_task(read(found)) for found in came]
    key = {"Authorization": f"Bearer {gateway.keys['dispatcher']}"}
    async with httpx.AsyncClient(base_url=gateway.url, headers=key, timeout=60) as client:
        for at in range(0, count, AT_ONCE):
            numbers = range(first + at, first + at + AT_ONCE)
            made = [update(incident_id, f"stalled-{n}", "release" if n % 2 else "claim") for n in numbers]
            assert (await client.post("/v1/updates", json=made)).status_code == 201
            assert await news.wait(lambda wanted=at + AT_ONCE: all(len(found) >= wanted for found in came), 60)
    await asyncio.gather(*reading)
    assert came[1:] == came[:-1]
    return time.perf_counter() - begun_s, came[0]


async def test_readers_that_stall_hold_nobody_up_and_cost_next_to_nothing_and_miss_nothing(
    own_gateway: Gateway, capsys: pytest.CaptureFixture[str]
):
    incident_id = own_gateway.opened("reporter", report("stalled"))
    alone_s, _ = await go_by(own_gateway, incident_id, 0, WARM, await end_of(own_gateway, "dispatcher", QUEUE))
    begin = await end_of(own_gateway, "dispatcher", QUEUE)
    with ExitStack() as held:
        stalled = [held.enter_context(closing(Stalled(own_gateway, begin))) for _ in range(STALLED)]
        before = resident_bytes(own_gateway)
        beside_s, came = await go_by(own_gateway, incident_id, WARM, EVENTS, begin)
        grown = resident_bytes(own_gateway) - before
        with closing(SqliteLedger(own_gateway.ledger, read_only=True)) as ledger:
            wanted = [record.value for record in ledger.follow("routed", int(begin), EVENTS + 1)]
        unread = sum(map(len, wanted))
        with capsys.disabled():
            print(
                f"\n{STALLED} readers stalled while {unread / 1e6:.1f} MB went by: {grown / 1e6:.1f} MB more in memory;"
                f" {READING} others had {EVENTS / beside_s:,.0f} events/s, {WARM / alone_s:,.0f} before"
            )
        assert came == wanted
        assert unread > 1.2 * held_by_a_connection(), "what was sent must not fit into a connection: let more go by"
        assert STALLED * (unread - held_by_a_connection()) > 2 * STALLED * EACH_MAX
        assert grown < STALLED * EACH_MAX
        assert beside_s / EVENTS < 4 * alone_s / WARM
        for each in stalled[:BACK]:
            read = each.read()
            assert [next(read) for _ in wanted] == wanted
        assert own_gateway.stop() == 0, "nor does a server that stops wait for them"
