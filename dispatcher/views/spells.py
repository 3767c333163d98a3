"""An incident's history as spells: since when it was in which state, and what sent it there. Pure.

A history only grows, so spells once told stay as they are. With them every figure can be worked out as of any instant
of the past, and it can be said whose time it was.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from dispatcher.core import IncidentState
from dispatcher.views.rows import ms_of, outcome_of

__all__ = ["Spell", "spells"]


class Spell(NamedTuple):
    """From `at_ms` until the next spell the incident was in `state`; an end is named as `rows.OUTCOMES` names it.

    `mark` says how it came to that where a measure asks: `rework` (sent back after its check or by a callback),
    `return` (given back by its lead), `upheld` or `refused` (what became of that return), `reopen`, and `stay` (a wish
    to reopen it was refused, it is as ended as before).
    """

    incident_id: str
    revision: int
    at_ms: int
    state: str
    mark: str | None


class _Entry(msgspec.Struct, frozen=True, gc=False):
    revision: int
    at: str
    what: str
    state: IncidentState


_entry = msgspec.json.Decoder(_Entry)

# (state before, what happened, state after) -> mark
_MARKS = {
    (IncidentState.CHECKING, "check", IncidentState.HANDLING): "rework",
    (IncidentState.CHECKING, "callback", IncidentState.HANDLING): "rework",
    (IncidentState.DISPATCHED, "return", IncidentState.RETURNED): "return",
    (IncidentState.HANDLING, "return", IncidentState.RETURNED): "return",
    (IncidentState.RETURNED, "refuse_return", IncidentState.DISPATCHED): "refused",
    (IncidentState.RETURNED, "refuse_return", IncidentState.HANDLING): "refused",
    (IncidentState.REOPEN_REQUESTED, "reopen", IncidentState.HANDLING): "reopen",
    (IncidentState.REOPEN_REQUESTED, "reopen", IncidentState.DISPATCHED): "reopen",
}


def spells(incident_id: str, history: Iterable[bytes | msgspec.Raw]) -> list[Spell]:
    """The spells in a whole history, given oldest first."""
    found: list[Spell] = []
    before: IncidentState | None = None
    for raw in history:
        entry = _entry.decode(raw)
        state = entry.state
        if state is not before:
            mark = None if before is None else _mark(before, entry.what, state, found[-1].mark)
            ended = outcome_of(state)
            found.append(Spell(incident_id, entry.revision, ms_of(entry.at) or 0, ended or str(state), mark))
            before = state
    return found


def _mark(before: IncidentState, what: str, state: IncidentState, last: str | None) -> str | None:
    if before is IncidentState.REOPEN_REQUESTED and what == "refuse_reopen":
        return "stay"
    if before is IncidentState.RETURNED and last == "return" and what == "assign" and state is IncidentState.DISPATCHED:
        return "upheld"
    return _MARKS.get((before, what, state))
