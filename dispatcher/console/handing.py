"""The sheet of a shift: what is open and needs somebody, as it is at one instant; in codes, to be read for good.

A sheet is kept as its JSON; a field that is added has a default, and none is taken away.
"""

from collections.abc import Callable
from typing import Final

import msgspec
from msgspec import Struct

from dispatcher.console.clocks import pressing
from dispatcher.core import ms_to_text
from dispatcher.core.incident import party
from dispatcher.core.instants import HOUR_MS
from dispatcher.core.modes import ModeSpan
from dispatcher.gateway.roles import CITY, Person
from dispatcher.views import HANDED_OVER, Projection, callbacks_due, handed_over, incident, refused_reports, within
from rules import Policy, is_people

__all__ = ["CALLBACKS", "LISTS", "NEXT_MS", "ShiftSheet", "behind", "decode_sheet", "sheet_of"]

NEXT_MS: Final = 12 * HOUR_MS  # a shift: what is looked ahead for deadlines, and back for refusals
CALLBACKS: Final = "callbacks"
LISTS: Final = (*HANDED_OVER, CALLBACKS)
LINES_MAX: Final = 20  # of each list that are kept: what two people can go through together; the count is of all
PolicyOf = Callable[[str], Policy]


class SheetLine(Struct, frozen=True, omit_defaults=True):
    """An incident as it was."""

    incident_id: str
    severity: int
    state: str
    category: str | None
    said: str  # of its category, where the catalogue has none
    path: tuple[str, ...]
    lead: str | None
    due_at: str | None = None
    light: str = "none"


class SheetList(Struct, frozen=True):
    """One list: how many there are, and the first of them."""

    count: int
    lines: tuple[SheetLine, ...]


class SheetRefusal(Struct, frozen=True):
    """A report of a people's source that was refused."""

    at: str
    source: str
    reason: str
    detail: str


class ShiftSheet(Struct, frozen=True):
    """All of it. `refused` is None for whoever does not hand over the whole city: a refusal lies nowhere."""

    at: str
    until: str
    lists: dict[str, SheetList]
    modes: tuple[ModeSpan, ...]
    ordinary: str  # the mode where none of these holds
    refused: tuple[SheetRefusal, ...] | None = None
    refused_count: int = 0


decode_sheet: Final = msgspec.json.Decoder(ShiftSheet).decode


def sheet_of(
    view: Projection, person: Person, policy: Policy, policy_of: PolicyOf, modes: list[ModeSpan], now_ms: int
) -> ShiftSheet:
    """The sheet as it is now, of what is this person's business."""
    until_ms, reach = now_ms + NEXT_MS, person.reach()
    lists = {}
    for name in LISTS:
        found = behind(view, name, policy, policy_of, now_ms, until_ms)
        seen = set(within(view, list(dict.fromkeys(found)), reach))
        kept = [incident_id for incident_id in found if incident_id in seen]
        lines = [_line(view, incident_id, policy, now_ms) for incident_id in list(dict.fromkeys(kept))[:LINES_MAX]]
        lists[name] = SheetList(len(kept), tuple(line for line in lines if line is not None))
    refused = None
    if CITY in person.areas:
        refused = [
            SheetRefusal(ms_to_text(row.time_ms), source, row.reason, row.detail)
            for source, row in refused_reports(view, now_ms - NEXT_MS, lambda source: _from_people(policy, source))
        ]
    return ShiftSheet(
        at=ms_to_text(now_ms),
        until=ms_to_text(until_ms),
        lists=lists,
        modes=tuple(modes),
        ordinary=policy.modes[0],
        refused=None if refused is None else tuple(refused[:LINES_MAX]),
        refused_count=len(refused or ()),
    )


def behind(view: Projection, name: str, policy: Policy, policy_of: PolicyOf, now_ms: int, until_ms: int) -> list[str]:
    """The incidents on one of `LISTS`; of callbacks one for each reporter. Raises KeyError: there is no such list."""
    if name != CALLBACKS:
        return handed_over(view, name, now_ms, until_ms)
    due = callbacks_due(
        view,
        lambda source: _from_people(policy, source),
        lambda sha256, sla: policy_of(sha256).sla(sla).callback_attempts,
        now_ms,
    )
    return [line.incident_id for line in due]


def _line(view: Projection, incident_id: str, policy: Policy, now_ms: int) -> SheetLine | None:
    record = incident(view, incident_id)
    if record is None:
        return None
    clock = pressing(record.targets, policy, now_ms)
    return SheetLine(
        incident_id=incident_id,
        severity=record.severity,
        state=str(record.state),
        category=record.category,
        said=record.reported_category,
        path=record.place.path,
        lead=None if record.lead is None else party(record.lead.department, record.lead.unit),
        due_at=None if clock is None else ms_to_text(clock.due_ms),
        light="none" if clock is None else clock.light,
    )


def _from_people(policy: Policy, source: str) -> bool:
    known = policy.source(source)
    return known is not None and is_people(known)
