"""The register: what it says of a cell, of its team, its phones, its visits, its volunteers and its compounds.

Whatever a cell doesn't say for itself it inherits from the nearest cell around it that does; every answer names the
cell it was taken from. A cell that the grid doesn't have raises KeyError.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum

from dispatcher.register.records import CellEntry, Compound, DutyPhone, Firm, Person, Service, Unit, VisitTask
from dispatcher.register.visits import VisitState, visit_state
from geo import Grid

__all__ = ["Post", "Register", "Responsible", "Role", "Served", "Team"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Role(StrEnum):
    """The posts that one person has."""

    SPONSOR = "sponsor"
    OFFICER = "officer"
    LEADER = "leader"
    COORDINATOR = "coordinator"


@dataclass(frozen=True, slots=True)
class Responsible:
    """The unit that answers for `cell`, and the cell whose line says so: itself, or one around it."""

    cell: str
    unit: Unit
    stated_by: str

    @property
    def inherited(self) -> bool:
        """Whether a cell around it says so."""
        return self.stated_by != self.cell


@dataclass(frozen=True, slots=True)
class Post:
    """Who has a post, and the cell whose line says so."""

    person: Person
    stated_by: str


@dataclass(frozen=True, slots=True)
class Team:
    """1+1+N of a cell. Without a responsible unit there is none on the whole path."""

    cell: str
    responsible: Responsible | None
    posts: Mapping[Role, Post]
    """The unit's person comes from the line that names the unit; the others each from the nearest line with one."""
    volunteers: tuple[Person, ...]
    """Those registered in the cell itself, or for an inherited team from there up to the cell it comes from; by id."""


@dataclass(frozen=True, slots=True)
class Served:
    """Time a volunteer gave in a cell over some days."""

    person: Person
    cell: str
    days: int
    served_ms: int


class Register:
    """Made by `load_register`; changes nothing."""

    def __init__(
        self,
        grid: Grid,
        zone: tzinfo,
        *,
        units: Mapping[str, Unit],
        people: Mapping[str, Person],
        firms: Mapping[str, Firm],
        entries: Mapping[str, CellEntry],
        own_population: Mapping[str, int],
        duty_phones: Sequence[DutyPhone],
        tasks: Sequence[VisitTask],
        visited: Mapping[str, Sequence[date]],
        volunteers: Mapping[str, str],
        services: Sequence[Service],
        compounds: Mapping[str, Compound],
    ) -> None:
        self.grid = grid
        self.zone = zone
        self.units = units
        self.people = people
        self.firms = firms
        self.compounds = compounds
        self.volunteers = volunteers
        """Per person id the cell."""
        self._entries = entries
        self._own_population = own_population
        self._duty_phones = duty_phones
        self._tasks = tasks
        self._visited = visited
        self._services = services
        self._volunteers_of: dict[str, list[str]] = defaultdict(list)
        for person, cell in sorted(volunteers.items()):
            self._volunteers_of[cell].append(person)

    def cell(self, code: str) -> CellEntry | None:
        """The cell's own line, None if it has none."""
        self.grid.number(code)
        return self._entries.get(code)

    def responsible(self, path: Sequence[str], level: int) -> Responsible | None:
        """The unit that answers for the cell of a level (from 1) on a path; None where no line says.

        Raises IndexError for a level that the path doesn't have.
        """
        if not 1 <= level <= len(path):
            raise IndexError(f"the path has levels 1..{len(path)}, not {level}")
        cell = path[level - 1]
        for stated_by in self._upwards(cell):
            entry = self._entries.get(stated_by)
            if entry is not None:
                return Responsible(cell, self.units[entry.unit], stated_by)
        return None

    def team(self, code: str) -> Team:
        """The team of a cell."""
        path = self.grid.path(code)
        responsible = self.responsible(path, len(path))
        posts: dict[Role, Post] = {}
        for stated_by in self._upwards(code):
            entry = self._entries.get(stated_by)
            for role in Role if entry is not None else ():
                of_unit = role is Role.SPONSOR and (responsible is None or stated_by != responsible.stated_by)
                person: str | None = None if of_unit else getattr(entry, role)
                if person is not None:
                    posts.setdefault(role, Post(self.people[person], stated_by))
        top = code if responsible is None else responsible.stated_by
        cells = path[path.index(top) :]
        volunteers = sorted(person for cell in cells for person in self._volunteers_of.get(cell, ()))
        return Team(code, responsible, posts, tuple(self.people[person] for person in volunteers))

    def phones(self, code: str, at_ms: int) -> tuple[DutyPhone, ...]:
        """Who answers for a cell at an instant: the phones of the nearest cell with one on duty, then its unit's."""
        local = self._local(at_ms)
        on_duty = [phone for phone in self._duty_phones if phone.hours.holds(local)]
        of_cell: list[DutyPhone] = []
        for cell in self._upwards(code):
            of_cell = of_cell or [phone for phone in on_duty if phone.cell == cell]
        path = self.grid.path(code)
        responsible = self.responsible(path, len(path))
        unit = None if responsible is None else responsible.unit.code
        return (*of_cell, *(phone for phone in on_duty if phone.unit is not None and phone.unit == unit))

    def visits(self, code: str | None, at_ms: int) -> tuple[VisitState, ...]:
        """The recurring visits of a cell and of those in it, None for all, as of the local day of an instant."""
        today, inside = self._local(at_ms).date(), self._inside(code)
        return tuple(
            visit_state(task, self._visited.get(task.id, ()), today) for task in self._tasks if inside(task.cell)
        )

    def volunteers_in(self, code: str) -> tuple[Person, ...]:
        """The volunteers of a cell and of those in it, by id."""
        inside = self._inside(code)
        return tuple(self.people[person] for person, cell in sorted(self.volunteers.items()) if inside(cell))

    def volunteer_hours(
        self, first: date | None = None, last: date | None = None, code: str | None = None
    ) -> tuple[Served, ...]:
        """What each volunteer served in each cell, from the first to the last local day, by person and cell.

        None leaves that end open; a code asks for that cell and those in it.
        """
        inside = self._inside(code)
        served_ms: dict[tuple[str, str], int] = defaultdict(int)
        days: dict[tuple[str, str], set[date]] = defaultdict(set)
        for service in self._services:
            in_time = (first is None or service.day >= first) and (last is None or service.day <= last)
            if in_time and inside(service.cell):
                served_ms[service.person, service.cell] += service.served_ms
                days[service.person, service.cell].add(service.day)
        return tuple(
            Served(self.people[person], cell, len(days[person, cell]), served_ms[person, cell])
            for person, cell in sorted(served_ms)
        )

    def compounds_of(self, *, cell: str | None = None, firm: str | None = None) -> tuple[Compound, ...]:
        """The compounds of a cell and of those in it, of a firm, or of both, by id; KeyError for no such firm."""
        if firm is not None:
            self.firms[firm]
        inside = self._inside(cell)
        return tuple(
            compound
            for _, compound in sorted(self.compounds.items())
            if (firm is None or compound.firm == firm) and inside(compound.cell)
        )

    def population(self, code: str) -> int | None:
        """The cell's own figure, else the sum of the cells in it; None where one of them is not known."""
        own = self._own_population.get(code)
        if own is not None:
            return own
        below = [self.population(child) for child in self.grid.children(code)]
        known = [people for people in below if people is not None]
        return sum(known) if below and len(known) == len(below) else None

    def _upwards(self, code: str) -> Iterator[str]:
        return reversed(self.grid.path(code))

    def _inside(self, code: str | None) -> Callable[[str], bool]:
        """Tell of a cell whether it is the given one or lies in it; all do where none is given."""
        if code is None:
            return lambda _: True
        self.grid.number(code)
        return lambda cell: code in self.grid.path(cell)

    def _local(self, at_ms: int) -> datetime:
        return (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(self.zone)
