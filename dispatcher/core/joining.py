"""One matter, one incident: merging what is the same, also across partitions, and taking it apart again.

The child ends as `merged` and points to its parent. Every reporter of both is told when the parent closes. Reports are
counted once however merged: the parent counts its children's, which are ended and counted nowhere else.
"""

import re

from msgspec.structs import replace

from dispatcher.core.closing import end
from dispatcher.core.desk import require_unclaimed
from dispatcher.core.dispatching import file_and_dispatch
from dispatcher.core.dossier import WhistleCall
from dispatcher.core.incident import Incident
from dispatcher.core.lifecycle import IncidentState
from dispatcher.core.messages import Reason, ReportRef
from dispatcher.core.mover import Mover
from dispatcher.core.privacy import mask_code
from dispatcher.core.publish import Change
from dispatcher.core.reopening import close_if_all_called
from dispatcher.core.route import branch
from dispatcher.core.step import Refused, Step
from dispatcher.core.supervising import overdue
from dispatcher.core.turn import Turn
from dispatcher.core.whistling import take_whistle_over

__all__ = ["merge", "partition_of", "split"]

_ID = re.compile(r"\d{8}-(\d{3,})-\d{5,}", re.ASCII)
CHILDREN_MAX = 500  # merged into one incident: its record stays small


def partition_of(incident_id: str) -> int | None:
    """The partition an id (`YYYYMMDD-PPP-N…`) names; None for what is no id."""
    found = _ID.fullmatch(incident_id)
    return None if found is None else int(found[1])


def merge(step: Step) -> None:
    """End this incident as a part of another, which may have its home elsewhere."""
    incident, into = step.incident, step.update.into or ""
    home = partition_of(into)
    if home is None:
        raise Refused(Reason.NOT_ALLOWED, f"{mask_code(into)} is not an incident's id")
    if home >= step.turn.state.partitions:
        raise Refused(Reason.UNKNOWN_PARTITION, f"{into} names a partition there is not")
    parent = None
    if home == step.turn.state.partition:
        parent = _parent(step, into)
    incident.parent = into
    step.change.entry("merged_into", parent=into)
    call = None if incident.whistle is None or incident.whistle.ended_at is not None else incident.whistle
    step.move("merge")
    end(step)
    if parent is not None:
        _grow(step, parent, call)


def _parent(step: Step, into: str) -> Incident:
    incident, held = step.incident, step.turn.state.incidents
    parent = held.get(into)
    if parent is None:
        raise Refused(Reason.UNKNOWN_INCIDENT, f"no incident {mask_code(into)} in this partition")
    if not parent.open:
        raise Refused(Reason.NOT_ALLOWED, f"{into} is {parent.state}; merge into one that is open")
    if into == incident.incident_id:
        raise Refused(Reason.NOT_ALLOWED, "an incident is not merged into itself")
    require_unclaimed(step, parent)
    if len(parent.children) >= CHILDREN_MAX:
        raise Refused(Reason.NOT_ALLOWED, f"an incident takes at most {CHILDREN_MAX} others in")
    return parent


def _grow(step: Step, parent: Incident, call: WhistleCall | None) -> None:
    """The parent takes over the child's reports, and a whistle that sounds; more may bring in more departments."""
    child, turn = step.incident, step.turn
    change = Change(parent, "merge", step.now_ms, step.actor)
    change.entry("took_in", child=child.incident_id, reports=child.report_count)
    parent.children = (*parent.children, child.incident_id)
    parent.report_count += child.report_count
    parent.reporter_count += child.reporter_count
    parent.last_report_ms = step.now_ms
    facts = replace(parent.facts, reporters=parent.reporter_count)
    mover = Mover(turn, turn.state.book_of(parent), parent, change)
    take_whistle_over(mover, call, facts)
    turn.publish(change, mover.book)


def split(step: Step) -> None:
    """Take a merged incident out of its parent again, or one report out of the incident it was merged into."""
    if step.incident.state is IncidentState.MERGED:
        _take_out(step)
    elif step.update.report is None:
        raise Refused(
            Reason.MISSING_FIELD, "split names the report that is another matter, by report {source, report_id}"
        )
    else:
        _split_report(step, step.update.report)


def _take_out(step: Step) -> None:
    child, turn = step.incident, step.turn
    parent = turn.state.incidents.get(child.parent or "")
    if parent is None and partition_of(child.parent or "") == turn.state.partition:
        raise Refused(Reason.NOT_ALLOWED, f"{child.parent} has been closed for good, and its reports with it")
    above = parent
    while above is not None:  # every one of them is changed
        require_unclaimed(step, above)
        above = turn.state.incidents.get(above.parent or "")
    while parent is not None:  # and whatever that was merged into counts it too
        change = Change(parent, "split", step.now_ms, step.actor)
        change.entry("let_out", child=child.incident_id, reports=child.report_count)
        parent.children = tuple(other for other in parent.children if other != child.incident_id)
        parent.report_count -= child.report_count
        parent.reporter_count -= child.reporter_count
        turn.publish(change, turn.state.book_of(parent))
        parent = turn.state.incidents.get(parent.parent or "")
    step.change.entry("split_from", parent=child.parent)
    step.move("split")
    overdue(step, step.now_ms)  # what fell due while it was merged
    child.parent = child.closed_ms = child.drop_ms = None
    file_and_dispatch(step)


def _split_report(step: Step, report: ReportRef) -> None:
    incident, turn = step.incident, step.turn
    source, report_id = report.source, report.report_id
    if (source, report_id) == incident.reports[0]:
        raise Refused(Reason.NOT_ALLOWED, f"the incident was opened by {report_id}; split off one that came later")
    known, seen = turn.state.book.policy.source(source), turn.state.repeats.seen(source, report_id, step.now_ms)
    if known is None or seen is None:
        raise Refused(Reason.NOT_ALLOWED, f"{mask_code(source)} is no source of the policy in force")
    turn.state.repeats.remember(
        seen_again := replace(seen, incident_id=_new_id(turn, step.now_ms), time_ms=step.now_ms)
    )
    facts = replace(
        incident.facts, source=source, platform=known.platform, reporters=1, at_ms=step.now_ms, whistle=None,
        mode=turn.state.mode_at(incident.place.path),
    )  # fmt: skip
    other = branch(incident, seen_again.incident_id, facts, (source, report_id), step.now_ms)
    change = Change(other, "split", step.now_ms, step.actor)
    change.entry("split_from", parent=incident.incident_id, source=source, report_id=report_id)
    change.queue = "entered"
    book = turn.state.book
    file_and_dispatch(Mover(turn, book, other, change))
    turn.state.incidents[other.incident_id] = other
    _enter(turn, other)
    turn.publish(change, book)
    incident.reports = tuple(listed for listed in incident.reports if listed != (source, report_id))
    incident.report_count -= 1
    incident.reporter_count -= 1
    step.change.entry("split_off", child=other.incident_id, source=source, report_id=report_id)
    if incident.checked_ms is not None:  # it may have been the last reporter who was waited for
        close_if_all_called(step)


def _new_id(turn: Turn, now_ms: int) -> str:
    return turn.state.next_id(turn.state.book.local_day(now_ms))


def _enter(turn: Turn, incident: Incident) -> None:
    """Later reports may be the same as what was taken out."""
    turn.state.merges.add(incident, turn.state.book.policy.merge_rule(incident.category))
