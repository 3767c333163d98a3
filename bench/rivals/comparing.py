"""The rows of rivals for single pieces: ours, theirs, and how many times as fast ours are, taken within a round."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from bench.rivals.deciding import Deciding
from bench.rivals.locating import Locating
from bench.town import Town
from rules import Facts

__all__ = ["WITHOUT", "Rivals"]

FACTS: Final = 400  # decided in a round: the plain loop takes a millisecond each
Add = Callable[[str, str, float], None]

_POINTS_ONLY: Final = "the nearest leaf within a tolerance, cells above the leaves, circles, why there is none"
WITHOUT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "locate: rtree": _POINTS_ONLY,
        "locate: STRtree": _POINTS_ONLY,
        "decide: ZEN Engine": "supports and targets, overlays, explanations; calendars and ranking are done for it",
    }
)
"""By the beginning of a row's name: what the rival does not do, or has done for it."""


class Rivals:
    """All of them, ready."""

    def __init__(self, town: Town, rules: int, points: int, seed: int) -> None:
        self._rules = rules
        self._locating = Locating(town, points, seed)
        self._deciding = Deciding(town, rules, seed)

    def round(self, facts: Sequence[Facts], add: Add) -> None:
        """Measure each once; `add` is given name, unit and figure. Raises WrongAnswer."""
        place = self._locating.rates()
        add("locate: times rtree in a loop", "×", place.rtree / place.ours)
        add("locate: times STRtree in bulk", "×", place.strtree / place.ours)
        add("locate: rtree in a loop, a point", "µs", place.rtree)
        add("locate: STRtree in bulk, a point", "µs", place.strtree)
        add("locate: ours beside them, a point", "µs", place.ours)
        # a drill is a guard's, and a place's own office falls back where there is no place: neither is in a table
        plain = [each for each in facts if each.path and not each.tags]
        decide = self._deciding.rates(plain[:: max(1, len(plain) // FACTS)])
        for what, ours in (("facts not met before", decide.new), ("facts met before", decide.again)):
            add(f"decide: times ZEN Engine, {what}", "×", decide.zen / ours)
            add(f"decide: times the plain loop, {what}", "×", decide.loop / ours)
            add(f"decide: ours, {self._rules:,} rules, routes only, {what}", "µs", ours)
        add(f"decide: ZEN Engine, {self._rules:,} rules, routes only", "µs", decide.zen)
        add(f"decide: the plain loop, {self._rules:,} rules, routes only", "µs", decide.loop)
