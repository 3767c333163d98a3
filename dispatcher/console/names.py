"""What things are called in one language: departments, categories, cells, instants and spans of time."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from dispatcher.console.texts import Texts
from dispatcher.core.lifecycle import CENTRE
from geo import Grid
from rules import Policy

__all__ = ["Names", "Plain", "span_text"]

CELLS_TOLD: Final = 6
_MINUTE_MS, _HOUR_MS, _DAY_MS = 60_000, 3_600_000, 86_400_000


class Plain(NamedTuple):
    """A code with what it is called."""

    code: str
    name: str


class Names:
    """Names under one policy, on one grid, in one language."""

    def __init__(self, policy: Policy, grid: Grid, texts: Texts) -> None:
        self.policy, self.grid, self.texts = policy, grid, texts

    def department(self, code: str) -> str:
        """A department."""
        known = self.policy.department(code)
        return code if known is None else self.texts.pick(known.zh, known.en, code)

    def party(self, party: str | None) -> str:
        """A department, a unit of one by its cell, or the centre."""
        if party is None or party == CENTRE:
            return self.texts("centre")
        department, _, unit = party.partition("@")
        name = self.department(department)
        return f"{name} · {self.cell(unit)}" if unit else name

    def category(self, code: str | None, said: str = "") -> str:
        """A category; what was said where the catalogue has none."""
        known = self.policy.category(code)
        return said if known is None else self.texts.pick(known.zh, known.en, known.code)

    def cell(self, code: str) -> str:
        """A cell of the grid."""
        return (self.grid.name_of(code) or code) if code in self.grid else code

    def path(self, path: tuple[str, ...]) -> str:
        """A place, by the cells around it, the widest first."""
        return " › ".join(map(self.cell, path)) or self.texts("unlocated")

    def cells(self, cells: Sequence[str]) -> str:
        """The cells of a mode, the first few of many; none is the whole city."""
        if not cells:
            return self.texts("city")
        more = f" … ({len(cells)})" if len(cells) > CELLS_TOLD else ""
        return ", ".join(map(self.cell, cells[:CELLS_TOLD])) + more

    def source(self, code: str) -> str:
        """Where reports come from."""
        known = self.policy.source(code)
        return code if known is None else self.texts.pick(known.zh, known.en, code)

    def reason(self, kind: str, code: str) -> str:
        """A reason somebody gave."""
        known = self.policy.reason(kind, code)
        return code if known is None else self.texts.pick(*known, code)

    def at(self, at_ms: int) -> str:
        """An instant on the city's clock; the day only where it is not today's."""
        there = datetime.fromtimestamp(at_ms / 1_000, self.policy.timezone)
        today = datetime.now(UTC).astimezone(self.policy.timezone)
        if there.date() == today.date():
            return there.strftime("%H:%M")
        return there.strftime("%m-%d %H:%M" if there.year == today.year else "%Y-%m-%d %H:%M")

    def dated(self, at_ms: int) -> str:
        """An instant on the city's clock with its day, as paper needs it."""
        return datetime.fromtimestamp(at_ms / 1_000, self.policy.timezone).strftime("%Y-%m-%d %H:%M")

    def departments(self) -> list[Plain]:
        """All departments."""
        return [Plain(code, self.department(code)) for code in self.policy.departments]

    def reasons(self, kind: str) -> list[Plain]:
        """The reasons to choose from."""
        return [Plain(code, self.texts.pick(*words, code)) for code, words in self.policy.reasons_of(kind).items()]


def span_text(span_ms: int, texts: Texts) -> str:
    """A span of time in its two greatest units."""
    days, rest = divmod(abs(span_ms), _DAY_MS)
    hours, minutes = rest // _HOUR_MS, rest % _HOUR_MS // _MINUTE_MS
    units = ("天", "小时", "分") if texts.lang == "zh" else (" d", " h", " min")
    parts = [(days, units[0]), (hours, units[1]), (minutes, units[2])]
    while len(parts) > 1 and not parts[0][0]:
        parts.pop(0)
    return " ".join(f"{count}{unit}" for count, unit in parts[:2])
