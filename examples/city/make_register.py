"""The register of the made-up town: who stands behind each cell, visits, volunteers, compounds. Used by `make.py`."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np

PARTY_ORGANISATIONS = 10  # 237 in the city we are modelled on
VOLUNTEERS, HOURS = 540, 10_000  # 13,000 and 239,900
FIRMS = ("甲物业", "乙物业", "丙物业")  # 71
MANAGED = 9  # compounds with a firm; 216
SINCE, UNTIL = date(2026, 1, 5), date(2026, 6, 28)  # 25 weeks, a Monday to a Sunday
LEAF_VISITS = (("普遍走访", 90), ("重点走访", 30))  # our own kinds: the four visits have no public definition
AREA_VISITS = (("困难走访", 14), ("夜间走访", 7))
KEPT = 0.93  # of the visits
WITHOUT_LINE = 10  # every tenth leaf inherits from its area

Table = tuple[Sequence[str], list[list[Any]]]
Place = tuple[str, str, int]  # code, name, level
LEAF, AREA = 5, 3


def register_tables(
    rng: np.random.Generator, places: Sequence[Place], compounds: Sequence[Sequence[Any]]
) -> dict[str, Table]:
    """Each file's heading and rows; `compounds` are rows of things.csv."""
    units = [[f"u-{code}", f"{name}{_office(level)}"] for code, name, level in places if level <= 2]
    organisations = [[f"u-party-{number:02d}", f"第{number}党支部"] for number in range(1, PARTY_ORGANISATIONS + 1)]
    leaves = [code for code, _, level in places if level == LEAF]
    entries, people = _entries(places)
    volunteers = _volunteers(rng, leaves)
    people += [[person, f"志愿者{person[-4:]}", "", ""] for person, _ in volunteers]
    tasks = list(_tasks(places))
    return {
        "units.csv": (("code", "name"), [*units, *organisations]),
        "people.csv": (("id", "name", "unit", "phone"), people),
        "cells.csv": (("cell", "unit", "sponsor", "officer", "leader", "coordinator"), entries),
        "population.csv": (("cell", "people"), [[code, int(rng.integers(30, 230))] for code in leaves]),
        "phones.csv": (("cell", "unit", "phone", "days", "hours"), list(_phones(places))),
        "visits.csv": (("id", "cell", "kind", "every_days", "since"), tasks),
        "visited.csv": (("task", "date"), list(_visited(rng, tasks))),
        "volunteers.csv": (("person", "cell"), volunteers),
        "hours.csv": (("person", "date", "hours", "cell"), _hours(rng, volunteers)),
        "firms.csv": (("code", "name"), [[f"f-{number}", name] for number, name in enumerate(FIRMS, 1)]),
        "compounds.csv": (
            ("id", "name", "cell", "firm", "committee", "sponsor", "lon", "lat"),
            list(_compounds(compounds)),
        ),
    }


def _office(level: int) -> str:
    return "办事处" if level == 1 else "党组织"


def _entries(places: Sequence[Place]) -> tuple[list[list[str]], list[list[str]]]:
    """Lines of cells.csv, and the people they name; blocks (level 4) and every tenth leaf have no line."""
    entries, people = [], []

    def person(role: str, code: str, unit: str = "") -> str:
        serial = len(people) + 1
        people.append([f"p-{role}-{code[6:]}", f"人员{serial:04d}", unit, f"000-{serial:08d}"])
        return str(people[-1][0])

    leaf_number = 0
    for code, _, level in places:
        if level == 1:
            entries.append([code, f"u-{code}", "", "", "", person("coordinator", code)])
        elif level == 2:
            entries.append([code, f"u-{code}", "", "", person("leader", code), ""])
        elif level == AREA:
            unit = f"u-{code[:-3]}"
            entries.append([code, unit, person("sponsor", code, unit), "", "", ""])
        elif level == LEAF:
            leaf_number += 1
            officer = person("officer", code)  # some carry a device: things.csv
            if leaf_number % WITHOUT_LINE:
                unit = f"u-party-{leaf_number % PARTY_ORGANISATIONS + 1:02d}"
                entries.append([code, unit, person("sponsor", code, unit), officer, "", ""])
    return entries, people


def _phones(places: Sequence[Place]) -> Iterator[list[str]]:
    """A day telephone for each community on workdays, a night telephone and the weekend for each street; offices."""
    number = 0
    for code, _, level in places:
        shifts = {
            1: (("", "20:00-08:00"), ("6,7", "08:00-20:00")),
            2: (("1-5", "08:00-20:00"),),
        }.get(level, ())
        for days, hours in shifts:
            number += 1
            yield [code, "", f"000-0000-{number:04d}", days, hours]
        if level == 1:
            number += 1
            yield ["", f"u-{code}", f"000-0000-{number:04d}", "1-5", "08:30-17:30"]


def _tasks(places: Sequence[Place]) -> Iterator[list[Any]]:
    for code, _, level in places:
        for kind, every_days in {AREA: AREA_VISITS, LEAF: LEAF_VISITS}.get(level, ()):
            yield [f"v-{code[6:]}-{every_days}", code, kind, every_days, SINCE]


def _visited(rng: np.random.Generator, tasks: Sequence[Sequence[Any]]) -> Iterator[list[Any]]:
    """A day in nearly every period."""
    for task, _, _, every_days, since in tasks:
        begin = since
        while begin <= UNTIL:
            day = begin + timedelta(int(rng.integers(every_days)))
            if rng.random() < KEPT and day <= UNTIL:
                yield [task, day]
            begin += timedelta(every_days)


def _volunteers(rng: np.random.Generator, leaves: Sequence[str]) -> list[list[str]]:
    return [[f"p-volunteer-{n:04d}", leaves[int(rng.integers(len(leaves)))]] for n in range(1, VOLUNTEERS + 1)]


def _hours(rng: np.random.Generator, volunteers: Sequence[Sequence[str]]) -> list[list[Any]]:
    """Two to five hours at a time, each volunteer on a day at most once, until the hours are served."""
    rows: dict[tuple[str, date], list[Any]] = {}
    left_quarters = 4 * HOURS
    while left_quarters > 0:
        person, cell = volunteers[int(rng.integers(len(volunteers)))]
        day = SINCE + timedelta(int(rng.integers((UNTIL - SINCE).days + 1)))
        quarters = min(left_quarters, int(rng.integers(8, 21)))
        if (person, day) not in rows:
            rows[person, day] = [person, day, f"{quarters / 4:g}", cell]
            left_quarters -= quarters
    return [rows[key] for key in sorted(rows)]


def _compounds(compounds: Sequence[Sequence[Any]]) -> Iterator[list[Any]]:
    """Those of the map, one the map doesn't have, and one that nobody has surveyed yet."""
    for number, (compound, _, _, _, cell, name) in enumerate(compounds, 1):
        firm = f"f-{number % len(FIRMS) + 1}" if number <= MANAGED else ""
        sponsor = f"u-party-{number % PARTY_ORGANISATIONS + 1:02d}"
        yield [compound, name, cell, firm, f"{name}业委会", sponsor, "", ""]
    _, _, lon, lat, cell, _ = compounds[0]
    yield ["compound-new", "新建小区", cell, "", "", "", lon, lat]
    yield ["compound-unplaced", "待测小区", cell, "", "", "", "", ""]
