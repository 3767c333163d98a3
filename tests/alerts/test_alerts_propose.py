"""What an alert comes to: modes, cells, hours, updates and cancels; areas against a reading that tries every cell."""

from pathlib import Path
from random import Random

import numpy as np
import pytest
import shapely
from alerts_cases import HEAD, HOUR_MS, NOW_MS, after, alert, area, box, info, square_grid

from dispatcher.alerts import Ending, Nothing, Proposal, Reference, Severity, proposal_id, propose, read_cap
from dispatcher.alerts.areas import Area, Circle, Point, coarsest, leaves_in
from geo import Grid, distance_m, load_grid

MODES = ("normal", "watch", "emergency")
ALL = box(99, 19, 101, 21)


@pytest.fixture(scope="module")
def grid() -> Grid:
    return load_grid(square_grid())


@pytest.fixture(scope="module")
def town() -> Grid:
    """The made-up town: honeycomb cells of no regular shape."""
    path = Path(__file__).parent.parent.parent / "examples" / "city" / "grid.geojson"
    return load_grid(path.read_bytes())


def of(grid: Grid, *infos: str, now_ms: int = NOW_MS, severities=None, **head: str):
    return propose(read_cap(alert(*infos, **head)), grid, MODES, now_ms, severities=severities)


def test_proposal(grid: Grid) -> None:
    found = of(grid, info(area(polygons=[box(100, 20, 100.02, 20.02)])))
    assert found == Proposal(
        proposal_id=proposal_id(Reference(HEAD["sender"], HEAD["identifier"], HEAD["sent"])),
        mode="emergency",
        cells=("W00",),
        from_ms=NOW_MS - HOUR_MS // 2,
        until_ms=NOW_MS + 6 * HOUR_MS,
        reason="CAP Alert: 暴雨红色预警 [Extreme] (气象台)",
        references=(Reference(HEAD["sender"], HEAD["identifier"], HEAD["sent"]),),
    )
    assert found.proposal_id.startswith("cap-")
    assert len(found.proposal_id) == 20


@pytest.mark.parametrize(
    ("areas", "cells"),
    [
        ([area(polygons=[ALL])], ("E", "W")),
        ([area(polygons=[box(100, 20, 100.04, 20.04)])], ("W",)),  # what only touches is not hit
        ([area(polygons=[box(100.001, 20.001, 100.002, 20.002)])], ("W0000",)),
        ([area(polygons=[box(100.005, 20.005, 100.015, 20.015)])], ("W00",)),  # all four blocks of a quarter
        ([area(polygons=[box(100.005, 20.005, 100.025, 20.005001)])], ("W0000", "W0010", "W1000")),
        ([area(polygons=[box(100.03, 20.0, 100.05, 20.04)])],
         ("E0000", "E0001", "E0100", "E0101", "W1010", "W1011", "W1110", "W1111")),
        ([area(geocodes=[("cell", "W01")])], ("W01",)),
        ([area(geocodes=[("cell", "W0100"), ("cell", "W0101"), ("cell", "W0110"), ("cell", "W0111")])], ("W01",)),
        ([area(geocodes=[("cell", "W")]), area(circles=["20.005,100.045 0.1"])], ("E0000", "W")),
        ([area(geocodes=[("SAME", "W"), ("cell", "E0011")])], ("E0011",)),
        ([area(circles=["20.005,100.005 0"])], ("W0000",)),  # a point
        ([area(polygons=["20.001,100.001 20.009,100.009 20.001,100.009 20.009,100.001 20.001,100.001"])], ("W0000",)),
    ],
)  # fmt: skip
def test_cells(grid: Grid, areas: list[str], cells: tuple[str, ...]) -> None:
    found = of(grid, info(*areas))
    assert isinstance(found, Proposal)
    assert found.cells == cells


def test_areas_in_no_cell_are_named(grid: Grid) -> None:
    there = area(polygons=[ALL])
    missed = [area(polygons=[box(5, 5, 6, 6)], name="sea"), area(geocodes=[("cell", "X")], name="moon"),
              area(polygons=["20,100 20,100 20,100 20,100"], name="a point")]  # fmt: skip
    found = of(grid, info(there, *missed))
    assert isinstance(found, Proposal)
    assert found.unplaced == ("sea", "moon", "a point")
    assert of(grid, info(*missed)) == Nothing("outside", "sea, moon, a point")
    assert of(grid, info()) == Nothing("no_area")


@pytest.mark.parametrize("status", ["Exercise", "System", "Test", "Draft"])
@pytest.mark.parametrize("kind", ["Alert", "Update", "Cancel"])
def test_only_what_is_meant_counts(grid: Grid, status: str, kind: str) -> None:
    found = of(grid, info(area(polygons=[ALL])), status=status, msgType=kind, references="a,b,c")
    assert found == Nothing("not_actual", status)


@pytest.mark.parametrize("kind", ["Ack", "Error"])
def test_messages_about_messages_propose_nothing(grid: Grid, kind: str) -> None:
    assert of(grid, info(area(polygons=[ALL])), msgType=kind) == Nothing("no_proposal_type", kind)


@pytest.mark.parametrize(
    ("severity", "mapping", "mode"),
    [
        ("Extreme", None, "emergency"),
        ("Severe", None, "emergency"),
        ("Moderate", None, None),
        ("Minor", None, None),
        ("Unknown", None, None),
        ("Moderate", {Severity.MODERATE: "watch"}, "watch"),
        ("Severe", {Severity.SEVERE: "watch"}, "watch"),
        ("Minor", {Severity.MODERATE: "watch"}, None),
    ],
)
def test_severity_and_mode(grid: Grid, severity: str, mapping, mode: str | None) -> None:
    found = of(grid, info(area(polygons=[ALL]), severity=severity), severities=mapping)
    if mode is None:
        assert found == Nothing("not_severe", severity)
    else:
        assert isinstance(found, Proposal)
        assert found.mode == mode


def test_a_policy_with_one_mode_has_none_to_propose(grid: Grid) -> None:
    made = read_cap(alert(info(area(polygons=[ALL]))))
    assert propose(made, grid, ("normal",), NOW_MS) == Nothing("no_mode", "normal")
    with pytest.raises(ValueError, match="not in tuple"):
        propose(made, grid, MODES, NOW_MS, severities={Severity.EXTREME: "panic"})


def test_the_worst_of_several_infos_counts_and_its_areas_only(grid: Grid) -> None:
    infos = [info(area(geocodes=[("cell", "W")]), severity="Moderate"), info(area(geocodes=[("cell", "E00")])),
             info(area(geocodes=[("cell", "E01")]), expires=after(9)),
             info(area(geocodes=[("cell", "E11")]), expires=after(-1))]  # fmt: skip
    found = of(grid, *infos, severities={Severity.MODERATE: "watch"})
    assert isinstance(found, Proposal)
    assert (found.mode, found.cells, found.until_ms) == ("emergency", ("E00", "E01"), NOW_MS + 9 * HOUR_MS)
    assert of(grid) == Nothing("not_severe", "")


@pytest.mark.parametrize(
    ("changes", "from_h", "until_h"),
    [
        ({}, -0.5, 6),
        ({"effective": after(-0.25)}, -0.25, 6),
        ({"effective": after(-0.25), "onset": after(2)}, 2, 6),
        ({"expires": None}, -0.5, 24),
        ({"expires": None, "onset": after(2)}, 2, 26),
        ({"expires": after(72)}, -0.5, 72),
        ({"expires": after(73)}, -0.5, 72),
        ({"expires": after(1_000), "onset": after(10)}, 10, 82),
        ({"expires": after(0.001)}, -0.5, 0.001),
    ],
)
def test_hours(grid: Grid, changes: dict[str, str], from_h: float, until_h: float) -> None:
    found = of(grid, info(area(polygons=[ALL]), **changes))
    assert isinstance(found, Proposal)
    assert ((found.from_ms - NOW_MS) / HOUR_MS, (found.until_ms - NOW_MS) / HOUR_MS) == (from_h, until_h)


@pytest.mark.parametrize("changes", [{"expires": after(0)}, {"expires": after(-1)}, {"onset": after(7)}])
def test_expired(grid: Grid, changes: dict[str, str]) -> None:
    """At its very end it is over; and what ends before it begins never was."""
    assert of(grid, info(area(polygons=[ALL]), **changes)) == Nothing("expired")


def test_cancel_ends_what_was_proposed(grid: Grid) -> None:
    first = of(grid, info(area(polygons=[ALL])))
    other = Reference("b@example.org", "B", "2026-07-20T10:00:00+08:00")
    named = (
        f"{HEAD['sender']},{HEAD['identifier']},2026-07-20T10:30:00Z {','.join(other)}"  # the instant in other words
    )
    ended = of(grid, identifier="A2", msgType="Cancel", references=named)
    assert isinstance(first, Proposal)
    assert isinstance(ended, Ending)
    assert ended.proposal_ids == (first.proposal_id, proposal_id(other))
    assert ended.reason == "CAP Cancel: A2 (weather@example.org)"


def test_update_takes_the_place_of_what_it_names(grid: Grid) -> None:
    first = of(grid, info(area(geocodes=[("cell", "W")])))
    named = ",".join((HEAD["sender"], HEAD["identifier"], HEAD["sent"]))
    second = of(grid, info(area(geocodes=[("cell", "E")])), identifier="A2", msgType="Update", references=named)
    assert isinstance(first, Proposal)
    assert isinstance(second, Proposal)
    assert second.replaces == (first.proposal_id,)
    assert second.proposal_id != first.proposal_id
    assert (first.cells, second.cells) == (("W",), ("E",))


@pytest.mark.parametrize(
    "said", [info(area(polygons=[ALL]), severity="Minor"), info(area(polygons=[ALL]), expires=after(-1)), info(), ""]
)
def test_update_that_proposes_nothing_ends_what_it_names(grid: Grid, said: str) -> None:
    named = ",".join((HEAD["sender"], HEAD["identifier"], HEAD["sent"]))
    found = of(grid, said, identifier="A2", msgType="Update", references=named)
    assert isinstance(found, Ending)
    assert found.proposal_ids == (proposal_id(Reference(HEAD["sender"], HEAD["identifier"], HEAD["sent"])),)


def test_an_alerts_words_become_one_printable_line(grid: Grid) -> None:
    found = of(grid, info(area(polygons=[ALL]), headline="a\n\tb \u202e" + "c" * 900))
    assert isinstance(found, Proposal)
    assert found.reason.startswith("CAP Alert: a b ?ccc")
    assert found.reason.isprintable()
    assert len(found.reason) == 200


def test_ids_are_stable() -> None:
    """Another process, another day: the same id, or a cancel would end nothing."""
    assert proposal_id(Reference("a", "b", "c")) == proposal_id(Reference("a", "b", "c"))
    written = Reference("weather@example.org", "A1", "2026-07-20T18:30:00+08:00")
    assert proposal_id(written) == "cap-9d17fc5382679617"
    assert len({proposal_id(Reference(*parts)) for parts in ("abc", "acb", "bac", ("ab", "", "c"))}) == 4


@pytest.mark.parametrize("seed", range(40))
def test_areas_against_every_cell(town: Grid, seed: int) -> None:
    """Random shapes on the town: exactly the leaves that share ground; and the cells are the fewest that hold them."""
    random = Random(seed)
    west, south, east, north = shapely.total_bounds(town.geometries)

    def point() -> Point:
        return Point(random.uniform(west - 0.01, east + 0.01), random.uniform(south - 0.01, north + 0.01))

    centre, radius_m = point(), random.choice([0.0, 30.0, 300.0, 3_000.0, 30_000.0])
    corners = [point() for _ in range(random.randint(3, 6))]
    polygon = shapely.Polygon(corners)
    if not polygon.is_valid:
        polygon = polygon.convex_hull
    ring = tuple(Point(*position) for position in polygon.exterior.coords)
    inside = leaves_in(Area("", (ring,), (), ()), town, ())
    near = leaves_in(Area("", (), (Circle(centre, radius_m),), ()), town, ())
    for code in town.leaves:
        shape = town.geometries[town.number(code)]
        assert (code in inside) == (shape.intersection(polygon).area > 0)
        edge = shape.exterior
        if shape.contains(shapely.Point(centre)):
            assert code in near
            continue
        steps = shapely.get_coordinates(shapely.line_interpolate_point(edge, np.linspace(0, 1, 800), normalized=True))
        nearest_m = float(distance_m(centre.lon, centre.lat, steps[:, 0], steps[:, 1]).min())
        slack_m = 12.0 + 2e-3 * nearest_m  # between two steps along an edge, and of the plane far from the centre
        if nearest_m <= radius_m - slack_m:
            assert code in near
        elif nearest_m > radius_m + slack_m:
            assert code not in near
    cells = coarsest(town, inside | near)
    held = {leaf for leaf in town.leaves if set(town.path(leaf)) & set(cells)}
    assert held == inside | near
    for cell in cells:  # none could be said more shortly: its parent holds other leaves too
        parent = town.parent_of(cell)
        below = {leaf for leaf in town.leaves if parent in town.path(leaf)}
        assert parent is None or not below <= held
