"""The written-out way to open an incident puts out what going step by step does, byte for byte."""

import random
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from core_city import DAY_MS, HERE, HOUR_MS, MINUTE_MS, START_MS, report
from core_desk import Desk
from core_histories import History
from core_history_city import LIVELY

from dispatcher.core import admit, text_to_ms

SPLIT_YEAR_MS = text_to_ms("2026-12-29T00:00:00+08:00")  # beyond it no holidays are known


def both(monkeypatch: pytest.MonkeyPatch, run: Callable[[], Desk]) -> tuple[Desk, Desk, int]:
    """The same done twice: as it is, and step by step only; and how many were opened the written-out way."""
    opened = 0

    def counted(*given: Any) -> None:
        nonlocal opened
        opened += 1
        written_out(*given)

    written_out = admit.open_at_once
    with monkeypatch.context() as patch:
        patch.setattr(admit, "open_at_once", counted)
        fast = run()
    with monkeypatch.context() as patch:
        patch.setattr(admit, "is_usual", lambda *_: False)
        steps = run()
    return fast, steps, opened


def assert_same(fast: Desk, steps: Desk) -> None:
    assert len(fast.records) == len(steps.records)
    for one, other in zip(fast.records, steps.records, strict=True):
        assert one == other
    assert fast.compacted == steps.compacted
    assert fast.counts == steps.counts
    assert dict(fast.engine.state.incidents.items()) == dict(steps.engine.state.incidents.items())


@pytest.mark.parametrize("seed", range(6))
def test_random_histories_come_out_the_same(monkeypatch: pytest.MonkeyPatch, seed: int):
    fast, steps, opened = both(monkeypatch, lambda: History(seed).run(400))
    assert_same(fast, steps)
    assert opened > 5


def reports(seed: int, begin_ms: int) -> Desk:
    """Reports of every kind at any hour of a week, several a batch, so that what is remembered of clocks is used."""
    chance = random.Random(seed)
    desk = Desk(*LIVELY, start_ms=begin_ms)
    number = 0
    while desk.now_ms < begin_ms + 8 * DAY_MS:
        records = []
        for _ in range(chance.choice((1, 3, 12))):
            desk.now_ms += chance.choice((0, 1, 999, MINUTE_MS, 5 * MINUTE_MS))
            records.append(desk.record("reports", _encoded(chance, number)))
            number += 1
        desk.take(records)
        desk.now_ms += chance.choice((0, 7 * MINUTE_MS, HOUR_MS, 3 * HOUR_MS))
    return desk


def _encoded(chance: random.Random, number: int) -> bytes:
    where = chance.choice(
        (
            HERE,
            {"lon": 114.025, "lat": 30.005},
            {"lon": 120.0, "lat": 31.0},
            {"asset": "lamp-1"},
            {"address": "东村"},
            None,
        )
    )
    fields: dict[str, Any] = {
        "location": where if where is None else {**where, **chance.choice(({}, {"address": "解放大道 13812345678"}))},
        "text": chance.choice((None, "", "漏气，请速来", 'a "quoted" \\ word')),
        "tags": chance.sample(["b", "a", "flood", "desk"], chance.choice((0, 0, 1, 2))),
        "standard": chance.choice((None, "a", "b", "of no catalogue")),
        "request_kind": chance.choice((None, "complaint", "help")),
        "severity": chance.choice((None, 1, 4)),
        "confidence": chance.choice((None, 0.5, 0.95)),
        "media": chance.choice(([], ["https://example.org/1.jpg"])),
        "attributes": chance.choice(({}, {"depth": 3, "of": "水"})),
        "promised_at": chance.choice((None, None, None, "2027-01-03T00:00:00Z")),
        "reported_at": chance.choice(("2026-02-01T08:00:00+08:00", "2026-12-29T00:00:00Z")),
    }
    category = chance.choice(("01", "01.02", "02", "02", "02", "03.02", "GAS LEAK", "04", "05", "没有 such"))
    source = chance.choice(("hotline", "rider", "city_app", "ai_video"))
    kept = {name: value for name, value in fields.items() if value is not None or name == "location"}
    return orjson.dumps(report(f"n-{number} \u00e9", category, source, **kept))


@pytest.mark.parametrize("begin_ms", [START_MS, SPLIT_YEAR_MS])
def test_reports_at_any_hour_come_out_the_same(monkeypatch: pytest.MonkeyPatch, begin_ms: int):
    fast, steps, opened = both(monkeypatch, lambda: reports(begin_ms % 97, begin_ms))
    assert_same(fast, steps)
    assert opened > 150
    assert sum(b"merge_suggested" in value for topic, _, _, value in fast.records if topic == "events") > 5
