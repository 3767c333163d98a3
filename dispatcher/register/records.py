"""What the files of a register hold, one kind of record per file."""

from dataclasses import dataclass, field
from datetime import date

from dispatcher.register.duty_hours import DutyHours

__all__ = ["CellEntry", "Compound", "DutyPhone", "Firm", "Person", "Service", "Unit", "VisitTask"]


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit that stands behind cells or compounds (包保单位)."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a post or a volunteer. Everything but `id` and `unit` is personal data, also in a log's `repr`."""

    id: str
    name: str = field(repr=False)
    unit: str | None = None
    phone: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class CellEntry:
    """What a cell's own line says: its responsible unit, and by person id who has which post; None for nobody yet."""

    cell: str
    unit: str
    sponsor: str | None
    """The unit's one person (包保单位人员)."""
    officer: str | None
    """The one resident who is its officer (住户网格员)."""
    leader: str | None
    """片长."""
    coordinator: str | None
    """点位调度人."""


@dataclass(frozen=True, slots=True)
class DutyPhone:
    """A telephone of a cell or of a unit (the other is None), and when it is answered."""

    cell: str | None
    unit: str | None
    phone: str = field(repr=False)
    hours: DutyHours


@dataclass(frozen=True, slots=True)
class VisitTask:
    """A recurring visit (四访): once in every period of `every_days` local days, the first beginning on `since`."""

    id: str
    cell: str
    kind: str
    every_days: int
    since: date


@dataclass(frozen=True, slots=True)
class Service:
    """Time a volunteer gave: whose, on which local day, in which cell."""

    person: str
    day: date
    cell: str
    served_ms: int


@dataclass(frozen=True, slots=True)
class Firm:
    """A property firm (物业服务企业)."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Compound:
    """A compound (小区). Without a firm it manages itself; the position (WGS84 degrees) may be missing."""

    id: str
    name: str
    cell: str
    firm: str | None
    committee: str | None
    """Its owners' committee (业委会、物委会) by name; None while there is none."""
    sponsor: str | None
    """The unit that stands behind it."""
    lonlat: tuple[float, float] | None
