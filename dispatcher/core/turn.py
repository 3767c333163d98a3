"""What the handling of one record or timer shares: the state, the outputs in the making, the counts."""

from collections import Counter
from collections.abc import Iterator

from dispatcher.core.incident import Incident
from dispatcher.core.instants import DAY_MS
from dispatcher.core.lifecycle import IncidentState, move_incident
from dispatcher.core.messages import Reason
from dispatcher.core.notices import REPORT
from dispatcher.core.privacy import mask_original
from dispatcher.core.publish import Change, Publisher
from dispatcher.core.rulebook import Rulebook
from dispatcher.core.state import PartitionState
from dispatcher.core.waiting import settle_desk
from dispatcher.core.wire import encode
from dispatcher.core.work import CommandWork, Rejected, ReportWork, UpdateWork

__all__ = ["REOPEN_WINDOW_MS", "Turn"]

REOPEN_WINDOW_MS = 7 * DAY_MS  # how long an ended incident stays on `incidents` when its SLA does not say

# What a reporter is told when the incident ends so. `system` marks of replays tell nobody: they carry no people.
_TOLD = {
    IncidentState.CLOSED: "closed",
    IncidentState.CLOSED_FORCED: "closed",
    IncidentState.ANSWERED_AT_DESK: "answered",
    IncidentState.SELF_HANDLED: "closed",
    IncidentState.REFERRED: "referred",
    IncidentState.NOT_ACCEPTED: "not_accepted",
    IncidentState.VOIDED: "not_accepted",
    IncidentState.MERGED: "merged",
}


class Turn:
    """One call of `Engine.process`: everything its stages write to."""

    __slots__ = ("counts", "grid", "out", "state")

    def __init__(self, state: PartitionState, grid: str) -> None:
        self.state = state
        self.grid = grid  # the grid's content hash, recorded with every decision
        self.out = Publisher()
        self.counts: Counter[str] = Counter()

    def count(self, what: str) -> None:
        """Count for the metrics and, for good, in the partition's tally."""
        self.state.tally[what] += 1
        self.counts[what] += 1

    def reject(self, rejected: Rejected) -> None:
        """A record that is not taken."""
        topic = rejected.origin.topic
        self.count(f"{'updates' if topic.startswith('updates') else topic}_rejected")
        self.counts[f"rejected:{rejected.reason}"] += 1
        self.out.reject(rejected)

    def refuse(self, item: ReportWork | UpdateWork | CommandWork, reason: Reason, detail: str) -> None:
        """A record that stage 1 took and stage 2 does not."""
        said = (
            item.report
            if isinstance(item, ReportWork)
            else item.update
            if isinstance(item, UpdateWork)
            else item.command
        )
        self.reject(Rejected(item.seq, item.time_ms, item.origin, reason, detail, mask_original(encode(said))))

    def move(self, incident: Incident, what: str, change: Change) -> None:
        """Change an incident's state by the tables."""
        old = incident.state
        incident.state = move_incident(old, what)
        change.move(old, incident.state)

    def publish(self, change: Change, book: Rulebook) -> None:
        """Put out a change; an incident that has ended is archived and leaves memory in time."""
        incident = change.incident
        settle_desk(incident, change.at_ms)
        ends = not incident.open and incident.drop_ms is None
        if ends:
            ended_ms = change.at_ms if incident.closed_ms is None else incident.closed_ms
            incident.drop_ms = max(change.at_ms, ended_ms + self.window_ms(incident, book, ended_ms))
            stays = change.what == "refuse_reopen"
            self.tell_reporters(change, "reopen_refused" if stays else _TOLD[incident.state])
        self.state.timers.set(incident)
        self.out.publish(change, book.policy)
        self.state.revisions += 1
        if not incident.open:  # also what is said of it afterwards: a callback, a rating, an appeal
            self.out.archive(incident, change.at_ms)

    def window_ms(self, incident: Incident, book: Rulebook, at_ms: int) -> int:
        """How long after its end an incident is held: as long as it can be reopened."""
        reopen = book.policy.sla(incident.decided.sla).reopen_within
        return REOPEN_WINDOW_MS if reopen is None else book.policy.open(reopen, at_ms).due_ms - at_ms

    def tell_reporters(self, change: Change, template: str) -> None:
        """A notice for every report of the incident, and of those merged into it, that came from people."""
        for source, report_id in self.people_of(change.incident):
            change.notice(f"{REPORT}{source}/{report_id}", template)

    def people_of(self, incident: Incident) -> list[tuple[str, str]]:
        """The reports that came from people (devices are not told), those merged into the incident included."""
        people = self.state.book.people
        return [report for report in self._reports(incident) if report[0] in people]

    def _reports(self, incident: Incident) -> Iterator[tuple[str, str]]:
        children = [self.state.incidents.get(child) for child in incident.children]
        merged = [child for child in children if child is not None]
        own = incident.report_count - sum(child.report_count for child in merged)
        if own <= len(incident.reports):
            yield from incident.reports
        else:  # more than an incident lists: those remembered against repeats
            yield from self.state.repeats.reports_of(incident.incident_id)
        for child in merged:
            yield from self._reports(child)
