"""Five thousand open incidents, twenty changes a second, twenty people looking: what is seen, and when."""

import asyncio
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from console_city import STREET, inside, told
from console_visits import Visit
from gateway_process import Gateway, update, wait_until
from playwright.sync_api import expect

OPEN, LOOKING, PER_S, SECONDS = 5_000, 19, 20, 20
OBSERVE = """
window.seen = [];
new MutationObserver((changes) => {
  for (const change of changes)
    for (const row of change.addedNodes)
      if (row.dataset?.id) window.seen.push([row.dataset.id, !!row.querySelector('.claimed'), Date.now()]);
}).observe(document.getElementById('lines'), { childList: true });
"""


def fill(city: Gateway) -> None:
    """Each a place of its own: nothing is merged."""
    at = inside(STREET)
    with city.client("resident") as client:
        for first in range(0, OPEN, 500):
            some = [
                told(f"load-{n}", location={"lon": at["lon"] + n % 71 * 1e-4, "lat": at["lat"] + n // 71 * 1e-4})
                for n in range(first, first + 500)
            ]
            assert client.post("/v1/reports", json=some).status_code == 201
    with city.client("inspector") as client:

        def all_there() -> bool:
            found, cursor = 0, None
            while True:
                page = client.get(
                    "/v1/incidents", params={"limit": 1_000, "open": True} | ({"cursor": cursor} if cursor else {})
                )
                found += len(page.json()["lines"])
                cursor = page.json()["next"]
                if cursor is None:
                    return found >= OPEN

        wait_until(all_there)


async def look(city: Gateway, stop: asyncio.Event) -> set[str]:
    """Read the changes as a browser does; returns what was told of."""
    told_of = set[str]()
    cookies = {"dispatch_session": city.session("inspector")}
    async with (
        httpx.AsyncClient(base_url=city.url, cookies=cookies, timeout=60) as client,
        client.stream("GET", "/console/changes") as stream,
    ):
        async for line in stream.aiter_lines():
            told_of |= set(line.split()[1:]) if line.startswith("data: ") else set()
            if stop.is_set():
                return told_of
    return told_of


async def change(city: Gateway, ids: list[str]) -> list[tuple[str, bool, float]]:
    """Claim and release what stands first, so often a second; returns incident, claimed or not, when it was sent."""
    stop = asyncio.Event()
    looking = [asyncio.create_task(look(city, stop)) for _ in range(LOOKING)]
    sent: list[tuple[str, bool, float]] = []
    headers = {"Authorization": f"Bearer {city.keys['second']}"}
    async with (
        httpx.AsyncClient(base_url=city.url, headers=headers, timeout=30) as client,
        asyncio.TaskGroup() as group,
    ):
        begun = time.monotonic()
        for n in range(PER_S * SECONDS):
            await asyncio.sleep(max(0.0, begun + n / PER_S - time.monotonic()))
            incident_id, claims = ids[n % len(ids)], n // len(ids) % 2 == 0
            made = update(incident_id, f"load-{n}", "claim" if claims else "release")
            sent.append((incident_id, claims, time.time() * 1_000))
            group.create_task(client.post("/v1/updates", json=made))
    stop.set()
    async with httpx.AsyncClient(base_url=city.url, headers=headers, timeout=30) as client:
        await client.post("/v1/updates", json=update(ids[0], "load-last", "note", text="the last"))
    found: list[set[str]] = await asyncio.wait_for(asyncio.gather(*looking), 60)
    assert all(each >= {one for one, _, _ in sent} for each in found), "everybody was told of everything"
    return sent


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_full_queue_stays_pleasant(
    own_visit: Callable[..., Visit], own_city: Gateway, capsys: pytest.CaptureFixture[str]
):
    fill(own_city)
    there = own_visit("dispatcher")
    begun_s = time.monotonic()
    there.page.goto(f"{own_city.url}/console/queue")
    expect(there.page.locator("#lines > tr")).to_have_count(200)
    expect(there.page.locator("#connection")).to_have_text("live")
    interactive_s = time.monotonic() - begun_s
    there.page.evaluate(OBSERVE)
    ids = there.page.locator("#lines > tr").evaluate_all("rows => rows.slice(0, 100).map((row) => row.dataset.id)")
    with ThreadPoolExecutor(1) as beside:  # the browser's driver has a loop of its own here
        sent = beside.submit(lambda: asyncio.run(change(own_city, ids))).result()
    late_ms = list[float]()
    missing = list[tuple[str, bool, float]]()

    def all_seen() -> bool:
        seen = there.page.evaluate("window.seen")
        late_ms.clear()
        missing.clear()
        for incident_id, claimed, at_ms in sent:
            shown = [when for one, mark, when in seen if one == incident_id and mark == claimed and when >= at_ms - 1]
            late_ms.append(min(shown) - at_ms) if shown else missing.append((incident_id, claimed, at_ms))
        return not missing

    wait_until(all_seen)
    p50, p95 = statistics.median(late_ms), statistics.quantiles(late_ms, n=20)[18]
    with capsys.disabled():
        print(
            f"\n{OPEN:,} open incidents, {PER_S} changes/s, {LOOKING} streams beside one browser:"
            f" interactive in {interactive_s:.2f} s, a change is seen after {p50:.0f} ms (p50), {p95:.0f} ms (p95)"
        )
