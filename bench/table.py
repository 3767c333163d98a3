"""The rows: what was measured, over all rounds, beside the budget; as a table to read and as JSON to keep."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from types import MappingProxyType
from typing import Any, Final, NamedTuple

__all__ = ["BUDGETS", "Budget", "Row", "figure_text", "format_table", "row_json", "rows_of"]


class Budget(NamedTuple):
    """A target of the performance page; met when the median is."""

    limit: float
    at_most: bool = True

    def met_by(self, value: float) -> bool:
        """Whether a figure keeps to it."""
        return value <= self.limit if self.at_most else value >= self.limit

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {figure_text(self.limit)}"


class Row(NamedTuple):
    """One figure of each round."""

    name: str
    unit: str
    samples: Sequence[float]
    budget: Budget | None = None
    without: str = ""  # of a rival: the guarantees that its figure does without

    @property
    def met(self) -> bool | None:
        """Whether the median keeps to the budget; None without one."""
        return None if self.budget is None else self.budget.met_by(median(self.samples))


BUDGETS: Final[Mapping[str, Budget]] = {
    "core: a report, growing": Budget(20),
    "core: a report, steady": Budget(14),
    "core: reports a second": Budget(50_000, at_most=False),
    "core: an update": Budget(8),
    "embedded: reports a second": Budget(20_000, at_most=False),
    "locate: a point in batches": Budget(2),
    "decide: cold, 1,000 rules": Budget(5),
    "decide: cached, 1,000 rules": Budget(0.5),
    "working time: add": Budget(1),
    "working time: consumed": Budget(1),
    "memory: an open incident": Budget(1_300),
    "restore: incidents a second": Budget(50_000, at_most=False),
    "garbage: a full collection, 200,000 incidents": Budget(50),
}


AHEAD: Final = Budget(1, at_most=False)
"""Of a ratio to a rival: below it, the row is one that we lose."""
RATIO: Final = " times "


def rows_of(
    samples: Mapping[tuple[str, str], Sequence[float]],
    budgets: Mapping[str, Budget] = BUDGETS,
    without: Mapping[str, str] = MappingProxyType({}),
) -> list[Row]:
    """Rows from the figures of all rounds by (name, unit): ratios to rivals first, which are to be won.

    Then together what is before the colon, as first measured. `without` says what rivals do without, by the beginning
    of their rows' names.
    """
    groups: dict[str, list[Row]] = {"": []}
    for (name, unit), values in samples.items():
        group = "" if RATIO in name else name.partition(":")[0]
        budget = AHEAD if RATIO in name else budgets.get(name)
        lacks = next((what for rival, what in without.items() if name.startswith(rival)), "")
        groups.setdefault(group, []).append(Row(name, unit, values, budget, lacks))
    return [row for group in groups.values() for row in group]


def format_table(rows: Iterable[Row]) -> str:
    """For people: aligned columns."""
    lines = [("what", "unit", "min", "median", "max", "budget", "met?", "")]
    for row in rows:
        figures = (figure_text(min(row.samples)), figure_text(median(row.samples)), figure_text(max(row.samples)))
        budget = "" if row.budget is None else str(row.budget)
        without = f"without: {row.without}" if row.without else ""
        lines.append((row.name, row.unit, *figures, budget, {None: "", True: "yes", False: "NO"}[row.met], without))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = []
    for line in lines:
        left = [line[0].ljust(widths[0]), line[1].ljust(widths[1])]
        right = [cell.rjust(width) for cell, width in zip(line[2:-1], widths[2:-1], strict=True)]
        text.append("  ".join([*left, *right, line[-1]]).rstrip())
    return "\n".join([text[0], "  ".join("-" * width for width in widths[:-1]), *text[1:]])


def row_json(row: Row) -> dict[str, Any]:
    """For programs."""
    return {
        "name": row.name,
        "unit": row.unit,
        "min": min(row.samples),
        "median": median(row.samples),
        "max": max(row.samples),
        "rounds": len(row.samples),
        "budget": None if row.budget is None else str(row.budget),
        "met": row.met,
        "without": row.without,
    }


def figure_text(value: float) -> str:
    """Three significant figures, thousands separated."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
