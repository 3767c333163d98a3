"""The engine of one partition: work in, an outcome out. No input or output, no clock, no randomness, no threads.

The order of things, for every record: timers due strictly before it fire; then a report is merged into what is open or
opens an incident, is routed, and its departments get their orders; an update is tracked. The outcome is a function of
the log alone: where batches are cut and how often the process died change nothing.

If anything here raises, the object is thrown away and rebuilt from the ledger, and the record that broke it is given
again as poisoned: it ends as `engine_error` and the stream goes on.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from dispatcher.core.incident import NEVER_MS, REPORTS_MAX, UPDATES_MAX, Incident
from dispatcher.core.instants import DAY_MS, ms_to_text
from dispatcher.core.lifecycle import IncidentState, move_incident
from dispatcher.core.messages import (
    Clock,
    CommandWork,
    Position,
    Reason,
    Rejected,
    ReportWork,
    UpdateWork,
    Work,
)
from dispatcher.core.privacy import mask_code, mask_original
from dispatcher.core.publish import Change, Publisher
from dispatcher.core.route import Rulebook, dispatch, facts_of, offer, open_incident, settle_decision
from dispatcher.core.state import PartitionState, Seen
from dispatcher.core.targets import fire
from dispatcher.core.track import Refused, apply_update
from dispatcher.core.wire import encode
from rules import Decision, Merge, needs_verification

__all__ = ["Engine", "EngineFault", "Outcome", "Poison"]

OUTPUTS_MAX = 20_000  # records in one commit; a mass breach is put out in slices of this size
OUTPUT_BYTES_MAX = 32 << 20
REOPEN_WINDOW_MS = 7 * DAY_MS  # how long an ended incident stays on `incidents` when its SLA does not say
VERIFY_WITHIN_MS = 30 * 60_000

Poison = str  # a record's source key, or `timer/<incident>/<instant>`


class EngineFault(RuntimeError):
    """Our own code failed on a record or a timer; `poison` names it.

    Not `sure`: it failed on writing what several of them did, and `poison` is but the last of them.
    """

    def __init__(self, poison: Poison, cause: Exception, *, sure: bool = True) -> None:
        super().__init__(f"{type(cause).__name__} on {poison}: {cause}")
        self.poison = poison
        self.sure = sure


class Outcome(NamedTuple):
    """What one call of `process` produced; commit all of it in one transaction, or throw the engine away."""

    position: Position  # after the last record consumed whole
    consumed: int  # records consumed whole; call again with the rest
    records: list[tuple[str, str, int, bytes]]  # topic, key, time_ms, value
    compacted: dict[tuple[str, str], bytes | None]
    counts: Counter[str]
    next_due_ms: int


class Engine:
    """One partition's incidents and the one way to change them.

    Args:
        state: rebuilt from the ledger.
        position: how far the ledger says this partition has come.
        grid: the grid's content hash, recorded with every decision.
    """

    def __init__(self, state: PartitionState, position: Position, grid: str = "") -> None:
        self.state = state
        self.position = position
        self._grid = grid
        self._zone_day: tuple[ZoneInfo | None, int, int, str] = (None, 0, 0, "")
        self._poisoned: Collection[Poison] = ()
        self._last: Poison = ""  # what was done last, and how many things were done, in this call of `process`
        self._done = 0
        self._counts: Counter[str] = Counter()

    @property
    def next_due_ms(self) -> int:
        """The instant of the next timer; a clock record later than this makes it fire."""
        return self.state.timers.next_due_ms

    def process(
        self,
        work: Sequence[Work],
        *,
        poisoned: Collection[Poison] = (),
        outputs_max: int = OUTPUTS_MAX,
        output_bytes_max: int = OUTPUT_BYTES_MAX,
    ) -> Outcome:
        """Take work in the order of the log.

        Stops early, between timers or records, once the outcome is large enough for one transaction.

        Raises:
            EngineFault: our own code failed; this object must not be used again.
        """
        out, self._poisoned, self._counts = Publisher(), poisoned, Counter()
        consumed = self._done = 0
        for item in work:
            now_ms = max(item.time_ms, self.position.time_ms)
            if item.time_ms < now_ms:  # time never goes back, whatever a ledger says
                item = replace(item, time_ms=now_ms)  # noqa: PLW2901
            while due := self.state.timers.pop_before(now_ms):
                self._guarded_timer(*due, out)
                if len(out.records) >= outputs_max or out.bytes_out >= output_bytes_max:
                    return self._outcome(out, consumed)
            self._guarded_record(item, now_ms, out)
            self.position = Position(item.seq, now_ms)
            consumed += 1
            if len(out.records) >= outputs_max or out.bytes_out >= output_bytes_max:
                break
        return self._outcome(out, consumed)

    def _outcome(self, out: Publisher, consumed: int) -> Outcome:
        try:
            self.state.settle(out)
            out.settle()
        except Exception as error:
            raise EngineFault(self._last, error, sure=self._done <= 1) from error
        return Outcome(self.position, consumed, out.records, out.compacted, self._counts, self.next_due_ms)

    def _guarded_record(self, item: Work, now_ms: int, out: Publisher) -> None:
        key = self._last = item.origin.key
        self._done += 1
        if key in self._poisoned and not isinstance(item, Rejected):
            item = Rejected(
                item.seq, item.time_ms, item.origin, Reason.ENGINE_ERROR, "the engine failed on this record", ""
            )
        try:
            self._take(item, now_ms, out)
            self.state.age(now_ms, out)
        except Exception as error:
            raise EngineFault(key, error) from error

    def _guarded_timer(self, due_ms: int, incident: Incident, out: Publisher) -> None:
        key = self._last = f"timer/{incident.incident_id}/{due_ms}"
        self._done += 1
        try:
            if key in self._poisoned:
                self._mute(due_ms, incident, out, key)
            else:
                self._fire(due_ms, incident, out)
        except Exception as error:
            raise EngineFault(key, error) from error

    def _take(self, item: Work, now_ms: int, out: Publisher) -> None:
        if type(item) is ReportWork:
            self._report(item, now_ms, out)
        elif type(item) is UpdateWork:
            self._update(item, now_ms, out)
        elif type(item) is Rejected:
            self._reject(item, out)
        elif type(item) is CommandWork:
            self._command(item, out)
        elif type(item) is not Clock:
            raise TypeError(f"no such work: {type(item).__name__}")

    def _count(self, what: str) -> None:
        self.state.tally[what] += 1
        self._counts[what] += 1

    def _reject(self, rejected: Rejected, out: Publisher) -> None:
        self._count(f"{_kind(rejected.origin.topic)}_rejected")
        self._counts[f"rejected:{rejected.reason}"] += 1
        out.reject(rejected)

    def _refuse(self, item: ReportWork | UpdateWork | CommandWork, reason: Reason, detail: str, out: Publisher) -> None:
        original = mask_original(encode(_said(item)))
        self._reject(Rejected(item.seq, item.time_ms, item.origin, reason, detail, original), out)

    # --- reports ------------------------------------------------------------------------------------------------

    def _report(self, work: ReportWork, now_ms: int, out: Publisher) -> None:
        state, report = self.state, work.report
        seen = state.seen(report.source, report.report_id, now_ms)
        if seen is not None:
            if seen.digest == work.digest:
                self._count("reports_repeated")
            else:
                self._refuse(work, Reason.CONFLICT, f"{report.report_id} was taken with other content", out)
            return
        book = state.book
        policy = book.policy
        source = policy.source(report.source)
        if source is None:
            self._refuse(work, Reason.UNKNOWN_SOURCE, f"no source {mask_code(report.source)} in the policy", out)
            return
        category = policy.resolve_category(report.category)
        if category is None and source.strict_category:
            self._refuse(work, Reason.UNKNOWN_CATEGORY, f"no category {mask_code(report.category)} in the policy", out)
            return
        if work.place.cell is None and source.strict_place and report.location is not None:
            reason = Reason.UNKNOWN_CELL if work.place.note == "unknown_cell" else Reason.BAD_LOCATION
            self._refuse(work, reason, work.place.note or work.place.how, out)
            return
        self._count("reports_accepted")
        if work.place.cell is not None:
            self._count("reports_located")
        if category is None:
            self._counts["uncategorised"] += 1
        rule = None if category is None else policy.merge_rule(category)
        suggested: tuple[str, ...] = ()
        if rule is not None and category is not None:
            asset = None if report.location is None else report.location.asset
            found = state.merges.candidates(rule, category, work.place.lon, work.place.lat, asset, now_ms)
            if found and rule.mode == "auto":
                self._merge(found[0], work, now_ms, out)
                return
            suggested = tuple(other.incident_id for other in found[:5])
        self._open(book, work, category, suggested, rule, now_ms, out)

    def _open(
        self,
        book: Rulebook,
        work: ReportWork,
        category: str | None,
        suggested: tuple[str, ...],
        rule: Merge | None,
        now_ms: int,
        out: Publisher,
    ) -> None:
        state, report = self.state, work.report
        incident_id = state.next_id(self._local_day(book.policy.timezone, now_ms))
        facts = facts_of(book.policy, work, book.policy.modes[0], category, 1)
        decision = book.decider.decide(facts)
        self._count_decision(decision)
        incident = open_incident(work, incident_id, facts, book.decided(decision, "report"))
        incident.suggested = suggested
        incident.tags = _tags(incident, work)
        change = Change(incident, "report", now_ms)
        change.entry("reported", source=report.source, report_id=report.report_id)
        if suggested:
            change.entry("merge_suggested", incidents=suggested)
        self._route(book, incident, decision, change)
        state.incidents[incident_id] = incident
        state.remember(Seen(report.source, report.report_id, incident_id, work.digest, now_ms))
        if incident.open:
            state.merges.add(incident, rule)
        if incident.brief is not None:
            out.keep(f"brief/{incident_id}", encode(incident.brief))
        self._publish(change, book, out)

    def _count_decision(self, decision: Decision) -> None:
        counts = self._counts
        if decision.route is not None:
            counts[f"rule:{decision.route}"] += 1
        else:
            counts[f"fallback:{decision.fallback}"] += 1
        for overlay in decision.overlays:
            counts[f"rule:{overlay}"] += 1

    def _route(self, book: Rulebook, incident: Incident, decision: Decision, change: Change) -> None:
        """Received -> verified, filed or put aside -> dispatched."""
        change.queue = "entered"
        source = book.policy.source(incident.facts.source)
        category = None if incident.category is None else book.policy.category(incident.category)
        urgent = category is not None and category.life_safety
        doubtful = source is not None and needs_verification(source, incident.facts.confidence)
        if doubtful:
            within = book.policy.sla(decision.sla).verify_within
            incident.verify_ms = (
                change.at_ms + VERIFY_WITHIN_MS if within is None else book.policy.open(within, change.at_ms).due_ms
            )
        if decision.outcome == "discard":
            incident.verify_ms = None
            settle_decision(book, incident, decision, "report", change, self._grid)
            self._move(incident, "discard", change)
            change.queue = None
        elif decision.outcome == "park":
            settle_decision(book, incident, decision, "report", change, self._grid)
        elif doubtful and not urgent:
            self._move(incident, "doubt", change)
        else:
            self._move(incident, "file", change)
            settle_decision(book, incident, decision, "report", change, self._grid)
            dispatch(book, incident, decision, change)

    def _merge(self, incident: Incident, work: ReportWork, now_ms: int, out: Publisher) -> None:
        """One more report of an open incident; it may bring in more departments, never send any away."""
        state, report = self.state, work.report
        book = state.book_of(incident)
        state.remember(Seen(report.source, report.report_id, incident.incident_id, work.digest, now_ms))
        self._count("reports_merged")
        incident.report_count += 1
        incident.reporter_count += 1
        incident.last_report_ms = now_ms
        if len(incident.reports) < REPORTS_MAX:
            incident.reports = (*incident.reports, (report.source, report.report_id))
        change = Change(incident, "merge", now_ms)
        change.entry("merged", source=report.source, report_id=report.report_id, reports=incident.report_count)
        before = book.decider.decide(incident.facts)
        facts = replace(incident.facts, reporters=incident.reporter_count)
        after = book.decider.decide(facts)
        incident.facts = facts
        if after != before and incident.state in _DISPATCHED:
            settle_decision(book, incident, after, "merge", change, self._grid)
            if after.severity < incident.severity:
                incident.severity = after.severity
                change.queue = "urgency"
            incident.tags = tuple(sorted({*incident.tags, *after.tags}))
            for plan in after.support:
                if incident.assignment_of(plan.department, plan.unit) is None:
                    offer(book, incident, change, after, plan.department, plan.unit, plan.by, plan)
        self._publish(change, book, out)

    # --- updates and commands -----------------------------------------------------------------------------------

    def _update(self, work: UpdateWork, now_ms: int, out: Publisher) -> None:
        state, update = self.state, work.update
        incident_id, named = update.incident_id, update.incident_id
        if update.report is not None:
            seen = state.seen(update.report.source, update.report.report_id, now_ms)
            incident_id = None if seen is None else seen.incident_id
            named = f"with the report {update.report.source}/{update.report.report_id}"
        incident = None if incident_id is None else state.incidents.get(incident_id)
        if incident is None and incident_id is not None and _elsewhere(incident_id, state.partition):
            self._refuse(work, Reason.UNKNOWN_PARTITION, f"{incident_id} is an incident of another partition", out)
            return
        if incident is None:
            self._refuse(work, Reason.UNKNOWN_INCIDENT, f"no incident {named} in this partition", out)
            return
        known = None if incident.updates is None else incident.updates.get(update.update_id)
        if known is not None:
            if known == work.digest:
                self._count("updates_repeated")
            else:
                self._refuse(work, Reason.CONFLICT, f"{update.update_id} was taken with other content", out)
            return
        book = state.book_of(incident)
        change = Change(incident, update.action, now_ms, work.actor)
        category = incident.category
        try:
            apply_update(book, incident, work, change, self._grid)
        except Refused as refused:
            self._refuse(work, refused.reason, refused.detail, out)
            return
        self._count("updates_accepted")
        incident.updates = _remember_update(incident.updates, update.update_id, work.digest)
        if work.actor.role == "system":  # marks of our own drivers (clock_skew); others' words are not for the public
            incident.flags = tuple(dict.fromkeys((*incident.flags, *update.flags)))
        if not incident.open:
            state.merges.remove(incident)
        elif incident.category != category:  # filed as something else: found among its new kind from now on
            state.merges.remove(incident)
            state.merges.add(incident, state.book.policy.merge_rule(incident.category))
        self._publish(change, book, out)

    def _command(self, work: CommandWork, out: Publisher) -> None:
        command, state = work.command, self.state
        if command.expects != state.policy_sha:
            self._refuse(work, Reason.STALE, f"the policy in force is {state.policy_sha}", out)
            return
        if command.sha256 not in state.books:
            raise LookupError(f"policy {command.sha256} is activated but not stored")
        state.policy_sha = command.sha256
        state.reindex()
        self._count("commands_accepted")
        out.emit(
            "events",
            "control",
            work.time_ms,
            encode({"event": "policy_activated", "at": ms_to_text(work.time_ms), "sha256": command.sha256,
                    "before": command.expects, "command_id": command.command_id, "by": command.actor}),
        )  # fmt: skip

    # --- timers -------------------------------------------------------------------------------------------------

    def _fire(self, due_ms: int, incident: Incident, out: Publisher) -> None:
        if incident.drop_ms is not None and incident.drop_ms <= due_ms:
            self.state.drop(incident, out)
            return
        book = self.state.book_of(incident)
        change = Change(incident, "timer", due_ms)
        warn = book.warn(incident.decided.sla)
        for target in incident.targets:
            if target.next_ms <= due_ms:
                fired = fire(target, book.policy.clock(target.clock), warn, due_ms)
                change.target(target, fired.what, fired.percent)
                change.queue = "urgency"
                self._counts[f"target:{fired.what}"] += 1
        if incident.verify_ms is not None and incident.verify_ms <= due_ms:
            incident.verify_ms = None
            incident.tags = tuple(sorted({*incident.tags, "verify_overdue"}))
            change.entry("verify_overdue")
            change.queue = "urgency"
        self._publish(change, book, out)

    def _mute(self, due_ms: int, incident: Incident, out: Publisher, key: str) -> None:
        """A timer our own code fails on: said aloud, and not tried again. What is due is due all the same."""
        change = Change(incident, "engine_error", due_ms)
        warnings = len(self.state.book_of(incident).warn(incident.decided.sla))
        for target in incident.targets:
            if target.next_ms <= due_ms:
                overdue = due_ms >= target.due_ms
                target.breached_ms = target.due_ms if overdue else None
                target.warned = warnings
                target.next_ms = NEVER_MS if overdue else target.due_ms
                change.target(target, "engine_error")
        incident.verify_ms = (
            None if incident.verify_ms is not None and incident.verify_ms <= due_ms else incident.verify_ms
        )
        if incident.drop_ms is not None and incident.drop_ms <= due_ms:
            incident.drop_ms = due_ms + REOPEN_WINDOW_MS
        incident.flags = tuple(dict.fromkeys((*incident.flags, "engine_error")))
        change.entry("engine_error", timer=key)
        self._counts["rejected:engine_error"] += 1
        self._count("timers_failed")
        self._publish(change, self.state.book_of(incident), out)

    # --- common -------------------------------------------------------------------------------------------------

    def _move(self, incident: Incident, what: str, change: Change) -> None:
        old = incident.state
        incident.state = move_incident(old, what)
        change.move(old, incident.state)

    def _publish(self, change: Change, book: Rulebook, out: Publisher) -> None:
        incident = change.incident
        if not incident.open and incident.drop_ms is None:
            reopen = book.policy.sla(incident.decided.sla).reopen_within
            incident.drop_ms = (
                change.at_ms + REOPEN_WINDOW_MS if reopen is None else book.policy.open(reopen, change.at_ms).due_ms
            )
            out.publish(change, book.policy)
            out.archive(incident, change.at_ms)
        else:
            out.publish(change, book.policy)
        self.state.timers.set(incident)

    def _local_day(self, zone: ZoneInfo, now_ms: int) -> str:
        known, start_ms, end_ms, text = self._zone_day
        if known is zone and start_ms <= now_ms < end_ms:
            return text
        moment = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone)
        start = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        end = (start + timedelta(days=1, hours=6)).replace(hour=0)
        text = start.strftime("%Y%m%d")
        self._zone_day = (zone, int(start.timestamp() * 1000), int(end.timestamp() * 1000), text)
        return text


_DISPATCHED = frozenset({IncidentState.DISPATCHED, IncidentState.HANDLING})


def _said(item: ReportWork | UpdateWork | CommandWork) -> object:
    if isinstance(item, ReportWork):
        return item.report
    return item.update if isinstance(item, UpdateWork) else item.command


def _kind(topic: str) -> str:
    return "updates" if topic.startswith("updates") else topic


def _elsewhere(incident_id: str, partition: int) -> bool:
    """Whether an id (`YYYYMMDD-PPP-N…`) names a partition that is not this one."""
    parts = incident_id.split("-")
    return len(parts) == 3 and all(part.isascii() and part.isdigit() for part in parts) and int(parts[1]) != partition


def _tags(incident: Incident, work: ReportWork) -> tuple[str, ...]:
    tags = set(incident.tags)
    if work.place.cell is None:
        tags.add("unlocated")
    if incident.category is None:
        tags.add("uncategorised")
    return tuple(sorted(tags))


def _remember_update(known: dict[str, int] | None, update_id: str, digest: int) -> dict[str, int]:
    updates = dict(known or {})
    updates[update_id] = digest
    while len(updates) > UPDATES_MAX:
        del updates[next(iter(updates))]
    return updates
