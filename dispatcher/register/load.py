"""The files of a register in, a `Register` out; or everything that is wrong with them.

Ids are collected from every line, good or bad, so that one wrong line doesn't make every line that names it wrong too.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping
from datetime import date, tzinfo
from typing import NamedTuple, TypeVar

from dispatcher.core.instants import DAY_MS
from dispatcher.register.duty_hours import DutyHours, parse_days, parse_hours
from dispatcher.register.lines import Line, read_lines
from dispatcher.register.problems import Code, Problems
from dispatcher.register.records import CellEntry, Compound, DutyPhone, Firm, Person, Service, Unit, VisitTask
from dispatcher.register.register import Register
from geo import Grid

__all__ = ["FILES", "load_register"]

FILES: Mapping[str, tuple[str, ...]] = {
    "units.csv": ("code", "name"),
    "people.csv": ("id", "name", "unit", "phone"),
    "cells.csv": ("cell", "unit", "sponsor", "officer", "leader", "coordinator"),
    "population.csv": ("cell", "people"),
    "phones.csv": ("cell", "unit", "phone", "days", "hours"),
    "visits.csv": ("id", "cell", "kind", "every_days", "since"),
    "visited.csv": ("task", "date"),
    "volunteers.csv": ("person", "cell"),
    "hours.csv": ("person", "date", "hours", "cell"),
    "firms.csv": ("code", "name"),
    "compounds.csv": ("id", "name", "cell", "firm", "committee", "sponsor", "lon", "lat"),
}
"""Each file with its columns."""

REQUIRED = ("units.csv", "cells.csv")
LOGS = ("visited", "hours")
"""What grows for ever may be cut in any number of files, as `hours-2025.csv` and `hours-2026.csv`."""

MAX_PEOPLE = 100_000_000  # more than any city's
MAX_EVERY_DAYS = 366

_Named = TypeVar("_Named")
_POSTS = ("sponsor", "officer", "leader", "coordinator")


def load_register(
    files: Mapping[str, bytes], grid: Grid, zone: tzinfo, advance: Callable[[float], None] | None = None
) -> Register:
    """Read the CSV files of a register, by name; dates and hours in them are local times of `zone`.

    A file of `FILES` that is neither given nor required is empty; of logs there may be several, as `hours-2026.csv`.
    `advance` is told how many more bytes are read, and again when they are understood: twice the files in all.

    Raises:
        RegisterError: with every problem of every file.
    """
    problems = Problems()
    for file in files:
        if _kind(file) not in FILES:
            problems.add(Code.UNKNOWN_FILE, file, files=", ".join(FILES))
    for file in REQUIRED:
        if file not in files:
            problems.add(Code.MISSING_FILE, file)
    reading = _Reading(files, grid, problems, advance or _nobody)
    register = reading.register(zone)
    problems.raise_if_any()
    return register


def _kind(file: str) -> str:
    """The name in `FILES` whose columns a file has: its own, or that of the log it is a part of."""
    log, dash, _ = file.partition("-")
    return f"{log}.csv" if dash and log in LOGS and file.endswith(".csv") else file


def _nobody(more: float) -> None:
    """Whom progress is told when nobody asks."""


class _Ids(NamedTuple):
    """What other files may name."""

    units: frozenset[str]
    firms: frozenset[str]
    people: Mapping[str, str | None]
    """With the unit, if any."""


class _Reading:
    """One reading of all files. A record whose line has a problem may be missing: nobody will see the result."""

    def __init__(
        self, files: Mapping[str, bytes], grid: Grid, problems: Problems, advance: Callable[[float], None]
    ) -> None:
        self._grid = grid
        self._advance = advance
        self._bytes = dict.fromkeys(FILES, 0)
        self._lines: dict[str, list[Line]] = {kind: [] for kind in FILES}
        for file, data in sorted(files.items()):
            if (kind := _kind(file)) in FILES:
                self._lines[kind] += read_lines(file, data, FILES[kind], problems)
                self._bytes[kind] += len(data)
            advance(len(data))
        self._ids = _Ids(
            frozenset(self._column("units.csv", "code")),
            frozenset(self._column("firms.csv", "code")),
            {person: line.text("unit") for line in self._lines["people.csv"] if (person := line.text("id"))},
        )

    def _column(self, file: str, column: str) -> Iterator[str]:
        return (text for line in self._lines[file] if (text := line.text(column)) is not None)

    def _each(self, file: str) -> Iterator[tuple[Line, dict[Hashable, Line]]]:
        """The lines of a file, with what remembers the first line of each key."""
        seen: dict[Hashable, Line] = {}
        for line in self._lines[file]:
            yield line, seen
        self._advance(self._bytes[file])

    def register(self, zone: tzinfo) -> Register:
        tasks = self._tasks()
        volunteers = self._volunteers()
        return Register(
            self._grid,
            zone,
            units=self._named("units.csv", Unit),
            people=self._people(),
            firms=self._named("firms.csv", Firm),
            entries=self._entries(),
            own_population=self._population(),
            duty_phones=self._phones(),
            tasks=tuple(tasks.values()),
            visited=self._visited(tasks),
            volunteers=volunteers,
            services=self._services(volunteers),
            compounds=self._compounds(),
        )

    def _named(self, file: str, make: Callable[[str, str], _Named]) -> dict[str, _Named]:
        found = {}
        for line, seen in self._each(file):
            code, name = line.required("code"), line.required("name")
            if code is not None and line.once("code", code, seen) and name is not None:
                found[code] = make(code, name)
        return found

    def _people(self) -> dict[str, Person]:
        found = {}
        for line, seen in self._each("people.csv"):
            person, name = line.required("id"), line.required("name")
            unit = line.one_of(self._ids.units, "units.csv", "unit")
            phone = line.phone("phone", required=False)
            if person is not None and line.once("id", person, seen) and name is not None:
                found[person] = Person(person, name, unit, phone)
        return found

    def _entries(self) -> dict[str, CellEntry]:
        found = {}
        for line, seen in self._each("cells.csv"):
            cell = line.cell(self._grid)
            unit = line.one_of(self._ids.units, "units.csv", "unit", required=True)
            posts = [line.one_of(self._ids.people, "people.csv", post) for post in _POSTS]
            known_unit = None if posts[0] is None else self._ids.people[posts[0]]
            if None not in (known_unit, unit) and known_unit != unit:
                line.problem(Code.OTHER_UNIT, "sponsor")
            if cell is not None and line.once("cell", cell, seen) and unit is not None:
                found[cell] = CellEntry(cell, unit, *posts)
        return found

    def _population(self) -> dict[str, int]:
        found = {}
        for line, seen in self._each("population.csv"):
            cell, people = line.cell(self._grid), line.whole("people", 0, MAX_PEOPLE)
            if cell is not None and line.once("cell", cell, seen) and people is not None:
                found[cell] = people
        return found

    def _phones(self) -> tuple[DutyPhone, ...]:
        found = []
        for line, seen in self._each("phones.csv"):
            if (line.text("cell") is None) == (line.text("unit") is None):
                line.problem(Code.ONE_OF, "cell", columns="cell, unit")
            cell = line.cell(self._grid, required=False)
            unit = line.one_of(self._ids.units, "units.csv", "unit")
            phone = line.phone("phone", required=True)
            days, hours = parse_days(line.text("days") or ""), parse_hours(line.text("hours") or "")
            if days is None:
                line.quote(Code.BAD_DAYS, "days")
            if hours is None:
                line.quote(Code.BAD_HOURS, "hours")
            if phone is not None and days is not None and hours is not None:
                key = (cell, unit, "".join(filter(str.isdigit, phone)), days, hours)
                if line.once("phone", key, seen):
                    found.append(DutyPhone(cell, unit, phone, DutyHours(days, *hours)))
        return tuple(found)

    def _tasks(self) -> dict[str, VisitTask]:
        found = {}
        for line, seen in self._each("visits.csv"):
            task, cell, kind = line.required("id"), line.cell(self._grid), line.required("kind")
            every_days, since = line.whole("every_days", 1, MAX_EVERY_DAYS), line.day("since")
            if task is None or not line.once("id", task, seen):
                continue
            if cell is not None and kind is not None and every_days is not None and since is not None:
                found[task] = VisitTask(task, cell, kind, every_days, since)
        return found

    def _visited(self, tasks: Mapping[str, VisitTask]) -> dict[str, tuple[date, ...]]:
        """Per task its days, ascending."""
        ids = frozenset(self._column("visits.csv", "id"))
        found: dict[str, list[date]] = defaultdict(list)
        for line, seen in self._each("visited.csv"):
            task, day = line.one_of(ids, "visits.csv", "task", required=True), line.day("date")
            if task is None or day is None or not line.once("date", (task, day), seen):
                continue
            if task in tasks and day < tasks[task].since:
                line.problem(Code.TOO_EARLY, "date", since=tasks[task].since)
            found[task].append(day)
        return {task: tuple(sorted(days)) for task, days in found.items()}

    def _volunteers(self) -> dict[str, str]:
        """Per person the cell."""
        found = {}
        for line, seen in self._each("volunteers.csv"):
            person = line.one_of(self._ids.people, "people.csv", "person", required=True)
            cell = line.cell(self._grid)
            if person is not None and line.once("person", person, seen) and cell is not None:
                found[person] = cell
        return found

    def _services(self, volunteers: Mapping[str, str]) -> tuple[Service, ...]:
        ids = frozenset(self._column("volunteers.csv", "person"))
        found = []
        of_day_ms: dict[tuple[str, date], int] = defaultdict(int)
        for line, seen in self._each("hours.csv"):
            person = line.one_of(ids, "volunteers.csv", "person", required=True)
            day, served_ms = line.day("date"), line.hours_ms("hours", 24)
            cell = line.cell(self._grid, required=False) or volunteers.get(person or "")
            if person is None or day is None or not line.once("date", (person, day, cell), seen):
                continue
            of_day_ms[person, day] += served_ms or 0
            if of_day_ms[person, day] > DAY_MS:
                line.problem(Code.TOO_LONG_A_DAY, "hours")
            if served_ms is not None and cell is not None:
                found.append(Service(person, day, cell, served_ms))
        return tuple(found)

    def _compounds(self) -> dict[str, Compound]:
        found = {}
        for line, seen in self._each("compounds.csv"):
            compound, name, cell = line.required("id"), line.required("name"), line.cell(self._grid)
            firm = line.one_of(self._ids.firms, "firms.csv", "firm")
            sponsor = line.one_of(self._ids.units, "units.csv", "sponsor")
            lonlat = line.lonlat()
            if compound is not None and line.once("id", compound, seen) and name is not None and cell is not None:
                found[compound] = Compound(compound, name, cell, firm, line.text("committee"), sponsor, lonlat)
        return found
