"""What an alert proposes: a mode for some cells and some hours, the end of such a proposal, or nothing. Pure.

A proposal changes nothing; a shift lead confirms it. Its id follows from the alert's reference, so a later Cancel or
Update, which names the alerts it is about, names their proposals too and nothing has to be remembered.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from dispatcher.alerts.areas import coarsest, leaves_in
from dispatcher.alerts.cap import Alert, Info, MessageType, Reference, Severity, Status
from dispatcher.core import text_to_ms
from dispatcher.core.instants import HOUR_MS
from geo import Grid

__all__ = ["CELL_SYSTEMS", "Ending", "Nothing", "Proposal", "proposal_id", "propose"]

HOURS_MAX = 72  # a mode is confirmed anew after three days, whatever the alert says
HOURS_UNSAID = 24  # an alert without `expires` leaves it to its readers (3.2.2)
REASON_MAX = 200
CELL_SYSTEMS = ("cell",)  # the geocode system of the grid's own codes
_WORST = (Severity.EXTREME, Severity.SEVERE)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A mode to be confirmed: `cells` at any level, from `from_ms` until `until_ms`, both epoch ms.

    `replaces` are the proposals whose place it takes; `unplaced` the areas, as described, that no cell lies in.
    """

    proposal_id: str
    mode: str
    cells: tuple[str, ...]
    from_ms: int
    until_ms: int
    reason: str
    references: tuple[Reference, ...]
    replaces: tuple[str, ...] = ()
    unplaced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ending:
    """The proposals that are over."""

    proposal_ids: tuple[str, ...]
    reason: str
    references: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing is proposed; `reason` is a word of a closed list, `detail` what it is about.

    not_actual | no_proposal_type | not_severe | no_mode | expired | no_area | outside
    """

    reason: str
    detail: str = ""


def propose(
    alert: Alert,
    grid: Grid,
    modes: Sequence[str],
    now_ms: int,
    *,
    severities: Mapping[Severity, str] | None = None,
    systems: Collection[str] = CELL_SYSTEMS,
) -> Proposal | Ending | Nothing:
    """Decide what an alert comes to at `now_ms`.

    Args:
        alert: from `read_cap`.
        grid: whose cells are proposed.
        modes: the policy's, the ordinary one first; Extreme and Severe propose the last.
        now_ms: what has expired by then proposes nothing.
        severities: which mode other severities propose, or these instead of the last.
        systems: names of the geocode systems whose codes are the grid's.

    Raises:
        ValueError: `severities` names a mode that is not one.
    """
    if alert.status is not Status.ACTUAL:
        return Nothing("not_actual", alert.status)
    replaced = tuple(proposal_id(reference) for reference in alert.references)
    if alert.message_type is MessageType.CANCEL:
        return Ending(replaced, _said(alert, alert.infos), alert.references)
    if alert.message_type not in (MessageType.ALERT, MessageType.UPDATE):
        return Nothing("no_proposal_type", alert.message_type)
    found = _propose(alert, grid, modes, now_ms, severities or {}, systems)
    if isinstance(found, Nothing) and alert.message_type is MessageType.UPDATE:
        return Ending(replaced, _said(alert, alert.infos), alert.references)  # what it replaces no longer holds
    return found


def proposal_id(reference: Reference) -> str:
    """The id of what an alert proposes: `cap-` and 16 hexadecimal digits; however the instant in it is written."""
    try:
        sent = str(text_to_ms(reference.sent))
    except ValueError:
        sent = reference.sent
    named = "\n".join((reference.sender, reference.identifier, sent))
    return "cap-" + hashlib.sha256(named.encode()).hexdigest()[:16]


def _propose(
    alert: Alert,
    grid: Grid,
    modes: Sequence[str],
    now_ms: int,
    severities: Mapping[Severity, str],
    systems: Collection[str],
) -> Proposal | Nothing:
    mode_of = {**dict.fromkeys(_WORST, modes[-1]), **severities}
    pressing = [(mode_of[info.severity], info) for info in alert.infos if info.severity in mode_of]
    if not pressing:
        return Nothing("not_severe", ", ".join(dict.fromkeys(info.severity for info in alert.infos)))
    current = [(mode, info) for mode, info in pressing if info.expires_ms is None or info.expires_ms > now_ms]
    if not current:
        return Nothing("expired")
    mode = max((mode for mode, _ in current), key=modes.index)
    if mode == modes[0]:
        return Nothing("no_mode", mode)
    infos = [info for wanted, info in current if wanted == mode]
    areas = list(dict.fromkeys(area for info in infos for area in info.areas))
    if not areas:
        return Nothing("no_area")
    hit = [(area, leaves_in(area, grid, systems)) for area in areas]
    cells = coarsest(grid, set().union(*(leaves for _, leaves in hit)))
    unplaced = tuple(dict.fromkeys(area.described for area, leaves in hit if not leaves))
    if not cells:
        return Nothing("outside", ", ".join(unplaced))
    from_ms, until_ms = _span(alert, infos, now_ms)
    if until_ms <= from_ms:
        return Nothing("expired")  # it ends before it begins
    replaced = [proposal_id(reference) for reference in alert.references]
    return Proposal(
        proposal_id=proposal_id(alert.reference),
        mode=mode,
        cells=cells,
        from_ms=from_ms,
        until_ms=until_ms,
        reason=_said(alert, infos),
        references=(alert.reference, *alert.references),
        replaces=tuple(replaced) if alert.message_type is MessageType.UPDATE else (),
        unplaced=unplaced,
    )


def _span(alert: Alert, infos: Sequence[Info], now_ms: int) -> tuple[int, int]:
    """From the earliest beginning to the latest end, no longer than the bound counted from when it can be confirmed."""
    from_ms = min(_first(info.onset_ms, info.effective_ms, alert.sent_ms) for info in infos)
    start_ms = max(from_ms, now_ms)
    ends_ms = [start_ms + HOURS_UNSAID * HOUR_MS if i.expires_ms is None else i.expires_ms for i in infos]
    return from_ms, min(max(ends_ms), start_ms + HOURS_MAX * HOUR_MS)


def _first(*instants_ms: int | None) -> int:
    return next(instant_ms for instant_ms in instants_ms if instant_ms is not None)


def _said(alert: Alert, infos: Iterable[Info]) -> str:
    """Who says what, on one line of printable characters."""
    info = next(iter(infos), None)
    what = alert.identifier if info is None else f"{info.headline or info.event} [{info.severity}]"
    who = alert.sender if info is None else info.sender_name or alert.sender
    line = " ".join(f"CAP {alert.message_type}: {what} ({who})".split())
    return "".join(letter if letter.isprintable() else "?" for letter in line)[:REASON_MAX]
