"""When something of ours fails: whoever asks is told, the log has it, and what can go on goes on."""

import asyncio
import logging
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry

from dispatcher.config import load_config
from dispatcher.gateway import Atlas, City, FileLink, Keys, build_app, parts_of
from dispatcher.gateway import city as cities
from dispatcher.hosts.run import Health
from dispatcher.hosts.setup import load_chart
from dispatcher.ledger import Entry, Offset, SqliteLedger
from dispatcher.views import Projection


async def test_a_failure_of_ours_is_a_problem_like_any_other(
    nyc: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    keys = Keys(tmp_path / "city.db.keys")
    key = keys.add("somebody", ["dispatcher"], areas=["*"])
    keys.close()
    SqliteLedger(tmp_path / "city.db").close()
    config, link = load_config(nyc / "config.yaml", {}), FileLink(tmp_path / "city.db")
    atlas, registry = Atlas(load_chart(config)), CollectorRegistry()
    with parts_of(config, tmp_path / "city.db.keys", link, atlas, registry, Health()) as parts:
        there = httpx.AsyncClient(transport=httpx.ASGITransport(build_app(parts)), base_url="http://city")
        async with parts.city.open(), there as client:
            (tmp_path / "city.db.view").unlink()
            answer = await client.get("/v1/incidents", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.json()["type"] == "urn:dispatch:failed"
    assert "city.db" not in answer.text
    assert "ProjectionError" in caplog.text


async def test_the_follower_goes_on_after_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(cities, "RESTART_S", 0.01)
    catch_up, fails = Projection.catch_up, [False, True, True, False]

    def failing(view: Projection, ledger: SqliteLedger) -> int:
        if fails and fails.pop(0):
            raise OSError("the disk is full")
        return catch_up(view, ledger)

    monkeypatch.setattr(Projection, "catch_up", failing)
    SqliteLedger(tmp_path / "city.db").close()
    city = City(FileLink(tmp_path / "city.db"))
    with caplog.at_level(logging.ERROR):
        async with asyncio.timeout(10), city.open():
            while fails:
                await asyncio.sleep(0.01)
            assert await city.append([Entry("reports", b"x")]) == [Offset(0, 0)]
    assert caplog.text.count("OSError: the disk is full") == 2


async def test_a_query_sees_one_moment(tmp_path: Path):
    SqliteLedger(tmp_path / "city.db").close()
    city = City(FileLink(tmp_path / "city.db"))
    async with asyncio.timeout(10), city.open():
        other = Projection(tmp_path / "city.db.view")

        def ask(view: Projection) -> list[int]:
            found = [view.db.execute("SELECT count(*) FROM report").fetchone()[0]]
            other.db.execute("INSERT INTO report VALUES ('a', 'b', 'c', NULL)")
            return [*found, view.db.execute("SELECT count(*) FROM report").fetchone()[0]]

        assert await city.read(ask) == [0, 0]
        assert await city.read(lambda view: view.db.execute("SELECT count(*) FROM report").fetchone()[0]) == 1
        other.close()


async def test_whoever_waits_for_news_is_released_when_the_server_stops(tmp_path: Path):
    SqliteLedger(tmp_path / "city.db").close()
    city = City(FileLink(tmp_path / "city.db"))
    async with asyncio.timeout(10), city.open():
        feed = await city.feed("routed")
        waiting = [
            asyncio.create_task(city.changed(city.version, 60)),
            asyncio.create_task(feed.wait(feed.end, 60)),
        ]
        await asyncio.sleep(0.02)
        assert not any(task.done() for task in waiting)
        await city.release()
        await asyncio.gather(*waiting)
        assert (await city.feed("dept.dep")).closed
