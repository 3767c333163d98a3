"""What the handling of one record or timer shares: the state, the outputs in the making, the counts."""

from collections import Counter

from dispatcher.core.incident import Incident
from dispatcher.core.instants import DAY_MS
from dispatcher.core.lifecycle import move_incident
from dispatcher.core.messages import Reason
from dispatcher.core.privacy import mask_original
from dispatcher.core.publish import Change, Publisher
from dispatcher.core.route import Rulebook
from dispatcher.core.state import PartitionState
from dispatcher.core.wire import encode
from dispatcher.core.work import CommandWork, Rejected, ReportWork, UpdateWork

__all__ = ["REOPEN_WINDOW_MS", "Turn"]

REOPEN_WINDOW_MS = 7 * DAY_MS  # how long an ended incident stays on `incidents` when its SLA does not say


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
        """Put out a change; an incident that has ended with it is archived and leaves memory in time."""
        incident = change.incident
        ends = not incident.open and incident.drop_ms is None
        if ends:
            reopen = book.policy.sla(incident.decided.sla).reopen_within
            incident.drop_ms = (
                change.at_ms + REOPEN_WINDOW_MS if reopen is None else book.policy.open(reopen, change.at_ms).due_ms
            )
        self.out.publish(change, book.policy)
        if ends:
            self.out.archive(incident, change.at_ms)
        self.state.timers.set(incident)
