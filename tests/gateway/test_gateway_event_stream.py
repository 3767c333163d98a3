"""A stream that cannot go on ends as a whole answer, the log says why, and its reader goes on when it comes back."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from gateway_process import report
from prometheus_client import CollectorRegistry
from starlette.responses import Response, StreamingResponse

from dispatcher.config import load_config
from dispatcher.console import add_console
from dispatcher.gateway import Atlas, City, FileLink, Keys, Sessions, build_app, parts_of, serve
from dispatcher.gateway.event_stream import EventStreams
from dispatcher.gateway.problems import Problem
from dispatcher.gateway.serving import bind
from dispatcher.hosts.embedded import Embedded
from dispatcher.hosts.run import Health
from dispatcher.hosts.setup import load_chart, load_setup
from dispatcher.hosts.start import start
from dispatcher.ledger import Entry, LedgerError, SqliteLedger
from dispatcher.views import ProjectionError


class Served:
    """A city whose engine works when it is told to, and a client of it that is signed in."""

    def __init__(self, client: httpx.AsyncClient, city: City, host: Embedded) -> None:
        self.client, self._city, self._host = client, city, host

    async def take(self, made: dict[str, Any]) -> None:
        await self._city.append([Entry("reports", msgspec.json.encode(made))])
        while self._host.step():
            pass


@asynccontextmanager
async def served(config_path: Path, directory: Path) -> AsyncIterator[Served]:
    config, path, keys_path = load_config(config_path, {}), directory / "city.db", directory / "keys"
    keys = Keys(keys_path)
    key = keys.add("somebody", ["dispatcher"], areas=["*"])
    token = Sessions(keys.db).begin(key.split(".")[1])
    keys.close()
    atlas, stop = Atlas(load_chart(config)), asyncio.Event()
    with (
        closing(SqliteLedger(path)) as ledger,
        parts_of(config, keys_path, FileLink(path), atlas, CollectorRegistry(), Health()) as parts,
        bind("127.0.0.1", 0) as bound,
    ):
        host = start(ledger, load_setup(config), batch_records=1_000)
        app = build_app(parts)
        add_console(app, parts)
        async with parts.city.open():
            serving = asyncio.create_task(serve(app, bound, stop, parts.city.release))
            url, cookies = f"http://127.0.0.1:{bound.getsockname()[1]}", {"dispatch_session": token}
            try:
                async with httpx.AsyncClient(base_url=url, cookies=cookies, timeout=30) as client:
                    yield Served(client, parts.city, host)
            finally:
                stop.set()
                await serving


@pytest.mark.parametrize(
    ("path", "reads", "fault", "told"),
    [
        ("/console/changes", City, ProjectionError("it is being made again"), "stream_failed"),
        ("/v1/streams/queue", FileLink, LedgerError("no broker answers"), "stream_ended"),
    ],
)
async def test_a_stream_that_cannot_be_read_ends_well_and_goes_on_when_its_reader_comes_back(
    path: str, reads: type, fault: Exception, told: str, nyc: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
):  # fmt: skip
    faults, read = [fault], reads.read

    async def failing(self: Any, *asked: Any) -> Any:
        if faults and asked[1:2] in ((), (-1,)):  # not when it is the follower of the topic that reads
            raise faults.pop()
        return await read(self, *asked)

    async with asyncio.timeout(60), served(nyc / "config.yaml", tmp_path) as there:
        await there.take(report("r-0"))
        monkeypatch.setattr(reads, "read", failing)
        again = {"Last-Event-ID": "-1"}
        async with there.client.stream("GET", path, headers=again) as stream:
            assert stream.status_code == 200
            await there.take(report("r-1"))
            lines = [line async for line in stream.aiter_lines()]  # to its end, which is no breaking off
        assert not faults
        assert lines[0] == "retry: 2000"
        assert not [line for line in lines if line.startswith("data: ") and len(line) > len("data: ")]
        async with there.client.stream("GET", path, headers=again) as stream:
            assert stream.status_code == 200
            await there.take(report("r-2", location={"lon": -74.15, "lat": 40.58}))
            async for line in stream.aiter_lines():
                if line.startswith("data: ") and len(line) > len("data: "):
                    break
    said = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.event for record in said] == [told]
    assert str(fault) in caplog.text


async def test_a_key_reads_so_many_streams_and_no_more():
    """Those that have gone make room."""

    async def endless() -> AsyncGenerator[bytes]:
        while True:
            yield b": here\n\n"

    streams = EventStreams(2)
    first, second = [await _begun(streams.answer("mine", endless(), "a")) for _ in range(2)]
    with pytest.raises(Problem) as refused:
        streams.answer("mine", endless(), "a")
    assert refused.value.status == 429
    other = await _begun(streams.answer("other", endless(), "a"))
    await first.aclose()
    third = await _begun(streams.answer("mine", endless(), "a"))
    for parts in (second, third, other):
        await parts.aclose()
    assert not streams.readers


async def _begun(answer: Response) -> AsyncGenerator[bytes]:
    assert isinstance(answer, StreamingResponse)
    parts: Any = answer.body_iterator
    assert await anext(parts) == b": here\n\n"
    return parts
