"""How a mode's place and time are told."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from rules.problems import Language

__all__ = ["local", "place"]

CELLS_TOLD = 8
_EVERYWHERE = {"en": "everywhere", "zh": "全市"}


def place(cells: Sequence[str], lang: Language) -> str:
    """The cells of a mode or a command, the first few of many; none named is everywhere."""
    if not cells:
        return _EVERYWHERE[lang]
    more = f" … ({len(cells)})" if len(cells) > CELLS_TOLD else ""
    return ", ".join(cells[:CELLS_TOLD]) + more


def local(at_ms: int, zone: ZoneInfo) -> str:
    """An instant on the city's clocks: `2026-03-05 16:00 +0800`."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M %z")
