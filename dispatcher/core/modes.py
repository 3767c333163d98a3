"""Modes (平急结合): which one holds where and when. Every mode but the ordinary one ends by itself.

Where several hold at once, the last of the policy's list counts: it is ordered from normal to the gravest.
"""

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct

__all__ = ["MODE_DAYS_MAX", "ModeSpan", "Modes"]

MODE_DAYS_MAX = 31  # an emergency that lasts longer is set again, by somebody who looked


class ModeSpan(Struct, frozen=True, gc=False, omit_defaults=True):
    """One mode for some cells (none named: everywhere), from its place in the log until an instant."""

    mode_id: str
    mode: str
    since_ms: int
    until_ms: int
    cells: tuple[str, ...] = ()
    reason: str | None = None

    def covers(self, path: Sequence[str]) -> bool:
        """Whether a place with these cells around it lies in it."""
        return not self.cells or not set(self.cells).isdisjoint(path)


_decoder = msgspec.json.Decoder(list[ModeSpan])


class Modes:
    """The modes that hold in one partition."""

    def __init__(self, spans: Iterable[ModeSpan] = ()) -> None:
        self.spans: dict[str, ModeSpan] = {span.mode_id: span for span in spans}

    def at(self, modes: Sequence[str], path: Sequence[str]) -> str:
        """The mode at a place now; one that ends at this instant holds still: timers come after what is received."""
        if not self.spans:
            return modes[0]
        held = [modes.index(span.mode) for span in self.spans.values() if span.mode in modes and span.covers(path)]
        return modes[max(held, default=0)]

    @staticmethod
    def decode(value: bytes) -> "Modes":
        """Back from `state`."""
        return Modes(_decoder.decode(value))
