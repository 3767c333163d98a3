"""What became of each target of an incident, read back from its `events`: the incident itself keeps only the sum.

A target's clock starts when it is activated; it stands from a pause to the resumption; a promise of the source may
replace its budget; a new lead takes the running target over.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
import orjson
from msgspec import Struct

from dispatcher.core import text_to_ms
from dispatcher.core.records import TargetRecord

__all__ = ["Stand", "Story", "read_stories"]


class Stand(Struct):
    """The clock stood from one instant to another (None = it still stands), after so much of the budget was used."""

    from_ms: int
    to_ms: int | None
    why: str
    consumed_ms: int


class Story(Struct):
    """One target from its activation on: as it was first, as it is now, and when its clock stood."""

    first: TargetRecord
    last: TargetRecord
    started_ms: int
    stands: list[Stand]

    @property
    def is_over(self) -> bool:
        """Neither owed nor able to run again."""
        return self.last.fulfilled_at is not None or self.last.revoked_at is not None


def read_stories(events: Iterable[bytes]) -> list[Story]:
    """The targets of one incident in the order in which they were activated, which is that of its record."""
    stories: list[Story] = []
    for value in events:
        event = orjson.loads(value)
        for change in event.get("changes", ()):
            if change["event"] == "target":
                _tell(stories, change, text_to_ms(event["at"]))
    return stories


def _tell(stories: list[Story], change: dict[str, Any], at_ms: int) -> None:
    target = msgspec.convert(change, TargetRecord)
    if change["what"] == "activate":
        started_ms = at_ms if target.since is None else text_to_ms(target.since)
        stories.append(Story(target, target, started_ms, []))
        return
    story = _of(stories, target, handed_over=change["what"] == "hand_over")
    if story is None:
        return
    story.last = target
    standing = story.stands[-1] if story.stands and story.stands[-1].to_ms is None else None
    if standing is not None and target.since is not None:
        standing.to_ms = text_to_ms(target.since)
    elif standing is None and target.paused_by is not None:
        story.stands.append(Stand(at_ms, None, target.paused_by, target.consumed_ms))


def _of(stories: list[Story], target: TargetRecord, *, handed_over: bool) -> Story | None:
    """The story of a target: the newest of its name and party; one that is handed over has another party still.

    What is handed over is the lead's, and the lead's comes before those of the supports.
    """
    if handed_over:
        others = (s for s in stories if s.last.name == target.name and s.last.of != target.of and not s.is_over)
        return next(others, None)
    own = (s for s in reversed(stories) if (s.last.name, s.last.of) == (target.name, target.of))
    return next(own, None)
