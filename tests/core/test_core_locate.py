"""The place of a report: which clue counts, and what is said when none does."""

from typing import Any

import msgspec
import pytest
from core_city import HERE, report, tiny_grid, tiny_placer
from core_desk import Desk

from dispatcher.core import Asset, Placer, Report
from dispatcher.core.locate import NOWHERE
from geo import Locator, Place, wgs84_to_gcj02

decoder = msgspec.json.Decoder(Report)


def reported(location: Any, source: str = "hotline") -> Report:
    return decoder.decode(msgspec.json.encode(report("r", source=source, location=location)))


def placed(location: Any, source: str = "hotline") -> Place:
    return tiny_placer().place([reported(location, source)])[0]


WEST, EAST = ("530001", "530001001"), ("530002", "530002001")
CLUES = [
    (HERE, "exact", WEST, None),
    ({"cell": "530002001"}, "by_cell", EAST, None),
    ({"cell": "530002"}, "by_cell", ("530002",), None),
    ({"cell": "no such"}, "none", (), "unknown_cell"),
    ({"asset": "lamp-1"}, "by_asset", ("530001", "530001002"), None),
    ({"asset": "lamp-far"}, "outside", (), None),
    ({"asset": "no such"}, "none", (), "unknown_asset"),
    ({"asset": "no such", "cell": "530002001"}, "by_cell", EAST, None),
    ({"address": "解放大道1号"}, "by_address", WEST, None),
    ({"address": "liberation avenue 1"}, "by_address", WEST, None),
    ({"address": "东村"}, "by_address", EAST, None),
    ({"address": "远村"}, "outside", (), None),
    ({"address": "大道"}, "none", (), "address_not_unique"),
    ({"lon": 114.0}, "none", (), "incomplete_position"),
    ({"lat": 30.0}, "none", (), "incomplete_position"),
    ({"lon": 114.0, "cell": "530002001"}, "by_cell", EAST, None),
    ({}, "none", (), None),
    (None, "none", (), None),
    ({"lon": 114.005, "lat": 30.015}, "gap", ("530001",), None),
    ({"lon": 114.005, "lat": 29.9998}, "nearest", WEST, None),
    ({"lon": 114.0, "lat": 31.0}, "outside", (), None),
    ({"lon": 0, "lat": 0}, "none", (), "zero_island"),
    ({"lon": 30.005, "lat": 114.005}, "none", (), "swapped"),
    ({"lon": 1e308, "lat": 1e308}, "none", (), "out_of_range"),
    # a position of no use leaves the other clues
    ({"lon": 0, "lat": 0, "asset": "lamp-1"}, "by_asset", ("530001", "530001002"), None),
    ({"lon": 0, "lat": 0, "cell": "no such"}, "none", (), "zero_island"),
    ({"lon": 114.0, "lat": 31.0, "address": "东村"}, "by_address", EAST, None),
    ({**HERE, "cell": "530002001"}, "exact", WEST, None),  # a good one counts before them
]  # fmt: skip


@pytest.mark.parametrize(("location", "how", "path", "note"), CLUES)
def test_the_best_clue_counts(location: Any, how: str, path: tuple[str, ...], note: str | None):
    place = placed(location)
    assert (place.how, place.path, place.cell) == (how, path, path[-1] if path else None)
    assert place.note == note or (note is None and place.note == "far_away")


def test_an_accuracy_circle_takes_the_cell_it_covers_most():
    place = placed({"lon": 114.0102, "lat": 30.005, "accuracy_m": 300})
    assert (place.how, place.cell) == ("overlap", "530001002")
    assert place.share is not None
    assert 0.5 < place.share < 0.6


def test_positions_are_converted_from_the_datum_they_come_in():
    lon, lat = (float(degrees[0]) for degrees in wgs84_to_gcj02([HERE["lon"]], [HERE["lat"]]))
    for place in (
        placed({"lon": lon, "lat": lat, "crs": "gcj02"}),
        placed({"lon": lon, "lat": lat}, source="satellite"),  # whose positions are in that datum unless it says so
        placed({**HERE, "crs": "wgs84"}, source="satellite"),
        placed({**HERE, "crs": "cgcs2000"}),
    ):
        assert place.lon == pytest.approx(HERE["lon"], abs=1e-6)
        assert place.lat == pytest.approx(HERE["lat"], abs=1e-6)
    assert placed({"lon": lon, "lat": lat}).lon == lon


def test_what_a_report_gets_does_not_depend_on_its_batch():
    reports = [reported(location, source) for location, *_ in CLUES for source in ("hotline", "satellite")]
    assert tiny_placer().place(reports) == [tiny_placer().place([one])[0] for one in reports]
    assert tiny_placer().place([]) == []


def test_without_gazetteer_and_assets_their_clues_say_nothing():
    grid = tiny_grid()
    plain = Placer(grid, Locator(grid))
    assert plain.place([reported({"address": "东村"})]) == [NOWHERE]
    assert plain.place([reported({"asset": "lamp-1"})])[0].note == "unknown_asset"


def test_an_asset_off_the_grid_keeps_its_position():
    grid = tiny_grid()
    placer = Placer(grid, Locator(grid), assets={"a": Asset(120.0, 31.0)})
    place = placer.place([reported({"asset": "a"})])[0]
    assert (place.lon, place.lat, place.cell) == (120.0, 31.0, None)


def test_an_address_reaches_the_order_masked():
    desk = Desk()
    desk.report("r1", "02", location={"address": "解放大道1号 13812345678"})
    assert desk.last("dept.water-bureau")["address"] == "解放大道1号 ***"
