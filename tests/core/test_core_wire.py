"""What is published is all an engine needs: restored from it, it goes on as if nothing had happened."""

import random
from typing import Any

import msgspec
import orjson
import pytest
from core_city import DAY_MS
from core_desk import Desk
from core_histories import ODD, History

from dispatcher.core import Incident, decode_incident
from dispatcher.core import wire as wire_module
from dispatcher.core.wire import place_json, quoted
from geo import Place

SEEDS = range(12)
STEPS = 160


def hints(incident: Incident) -> Any:
    return [target.next_ms for target in incident.targets], incident.next_ms


@pytest.mark.parametrize("seed", SEEDS)
def test_a_restored_engine_goes_on_as_if_nothing_had_happened(seed: int):
    """Restored again and again at random places; its outputs and its state stay those of the undisturbed engine."""
    undisturbed, restarted = History(seed), History(seed)
    places = random.Random(seed)
    for _ in range(STEPS):
        undisturbed.step()
        if places.random() < 0.2:
            restarted.desk.engine = restarted.desk.reborn()
        restarted.step()
    one, other = undisturbed.desk, restarted.desk
    for desk in (one, other):
        desk.clock(40 * DAY_MS)
    assert other.records == one.records
    assert other.compacted == one.compacted
    alive, reborn = one.engine.state, one.reborn().state
    assert {key: hints(i) for key, i in reborn.incidents.items()} == {k: hints(i) for k, i in alive.incidents.items()}


def test_odd_words_are_quoted_wherever_they_come_out():
    desk = Desk()
    incident = desk.report(f"r{ODD}", f"what {ODD}", tags=[ODD], attributes={ODD: ODD}, text=ODD, media=[ODD])
    assert desk.update(incident, "assign", "dispatcher", support=["street-office@530009"], reason_code=ODD) is None
    public = desk.public(incident)
    assert public["reported_category"] == f"what {ODD}"
    assert public["support"][0]["unit"] == "530009"
    assert public["tags"][0] == ODD or ODD in public["tags"]
    order = desk.out("dept.street-office")[0]
    assert (order["unit"], order["media"]) == ("530009", [ODD])
    assert desk.last("routed")["category"] == {"code": None, "said": f"what {ODD}"}
    assert desk.last("routed")["why"] == 'no route "matched"'


def test_titles_and_reasons_with_quotes_come_out_whole():
    desk = Desk()
    desk.report(category="01")
    assert desk.last("routed")["category"]["en"] == 'Street "order"'


def test_what_is_not_an_incident_is_not_read_as_one():
    with pytest.raises(msgspec.ValidationError):
        decode_incident(b'{"incident_id": "x"}')


def test_caches_of_the_wire_are_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(wire_module, "_QUOTED_LIMIT", 10)
    for n in range(30):
        assert quoted(f"word {n}") == f'"word {n}"'
        assert len(wire_module._quoted) <= 50_000
    assert len(wire_module._quoted) <= 10
    places = [Place(float(n), 0.0, None, (), "outside") for n in range(4200)]
    for place in places:
        assert orjson.loads(place_json(place))["lon"] == place.lon
    assert len(wire_module._places) <= 4096
    assert place_json(places[-1]) is place_json(places[-1])


def test_long_histories_are_cut_into_pages_that_lose_nothing():
    desk = Desk()
    incident = desk.report(category="02")
    for n in range(45):
        assert desk.update(incident, "note", "officer", text="x", media=["https://x"] * (n % 3)) is None
    pages = desk.out("archive", incident.incident_id)
    assert [page["page"] for page in pages] == [1, 2]
    entries = [entry for page in pages for entry in page["history"]] + desk.public(incident)["history"]
    assert [entry["revision"] for entry in entries] == list(range(1, 47))
    assert desk.public(incident)["history_pages"] == 2
