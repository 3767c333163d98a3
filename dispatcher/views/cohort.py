"""Which cases a measure is about, as of when, and how its figures are grouped and shown: always with both terms."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from dispatcher.core import DAY_MS, NEVER_MS

__all__ = ["CAME_BACK_MS", "GROUPINGS", "Basis", "Cohort", "Group", "GroupBy", "Grouping", "Measures", "Rate"]

CAME_BACK_MS = 30 * DAY_MS  # what a policy says that says nothing

Basis = Literal["received", "filed", "due"]
GroupBy = Literal["department", "party", "area", "category", "major", "source"]
GROUPINGS: tuple[GroupBy, ...] = ("department", "party", "area", "category", "major", "source")


class Cohort(NamedTuple):
    """Which cases, and as of when (`Projection.latest_ms` for now). Epoch milliseconds; without bounds, all cases.

    `adjusted` leaves out what an appeal or an outage exempts: cases by their lead, attendances and ratings by whose
    they are. A case came back when another of its category and place was filed within `came_back_ms` of its closing.
    """

    as_of_ms: int
    basis: Basis = "filed"
    from_ms: int = 0
    to_ms: int = NEVER_MS
    adjusted: bool = False
    came_back_ms: int = CAME_BACK_MS


class Grouping(NamedTuple):
    """By what, and how fine: the level of the grid for areas (1 is the township), the depth for categories.

    `level` 0 is the usual one: areas of level 1, whole categories. `major` is category of depth 1.
    """

    by: GroupBy | None = None
    level: int = 0

    @property
    def column(self) -> str:
        """The column of a case that its group is worked out from."""
        return {"area": "path", "major": "category", None: "NULL"}.get(self.by, str(self.by))

    def code(self, value: str | None) -> str | None:
        """The group of a case with this value in `column`; None where it has none."""
        if value is None or self.by not in ("area", "category", "major"):
            return value
        if self.by == "area":
            cells, level = value.strip("/").split("/"), self.level or 1
            return cells[level - 1] or None if level <= len(cells) else None
        depth = 1 if self.by == "major" else self.level
        return ".".join(value.split(".")[:depth]) if depth else value


class Rate(NamedTuple):
    """A rate with both terms; without a sample (a denominator of 0) there is no value, neither 0 % nor 100 %."""

    numerator: int
    denominator: int

    @property
    def value(self) -> float | None:
        """The quotient, 0..1."""
        return self.numerator / self.denominator if self.denominator else None


class Group(NamedTuple):
    """One line: the terms of a department, area, category or source. `code` is None where a case has none."""

    code: str | None
    terms: Mapping[str, int]
    rates: Mapping[str, Rate]


class Measures(NamedTuple):
    """The lines, sorted by code, and their total."""

    cohort: Cohort
    grouping: Grouping
    groups: list[Group]
    total: Group
