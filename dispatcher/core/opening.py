"""Opening an incident the way most go, written out: filed and dispatched at once, all of it in one sweep.

`admit`, `route`, `offering`, `publish` and `wire` say what must come out, step by step and for every case; this says
the same bytes for the plain case in less than half the time, by writing each piece once and each record with one join.
What is not plain (put aside, doubted, called for by a whistle, promised, perhaps a duplicate) goes the other way. The
two are held together by `tests/core/test_core_opening.py`, which takes random histories through both.
"""

from sys import intern
from typing import Final

from msgspec.structs import replace

from dispatcher.core.incident import NEVER_MS, Assignment, Incident, Target
from dispatcher.core.instants import DAY_MS, ms_to_text
from dispatcher.core.ladder import Pace
from dispatcher.core.lifecycle import AssignmentState, IncidentState
from dispatcher.core.notices import REPORT, Notice, notice_json
from dispatcher.core.offering import promises
from dispatcher.core.orders import may_json, or_null, order_says, what_json
from dispatcher.core.privacy import mask_code
from dispatcher.core.repeats import Seen
from dispatcher.core.route import REPORTED_LATE, brief_of, held_by
from dispatcher.core.rulebook import SEMANTICS, Rulebook
from dispatcher.core.targets import open_target
from dispatcher.core.turn import Turn
from dispatcher.core.wire import STAGE_BYTES, assignment_json, decided_json, encode, place_json, promised_json, quoted
from dispatcher.core.work import ReportWork
from rules import Decision, Facts, Merge, Policy, Source, SupportPlan, TargetBudget, needs_verification

__all__ = ["Prepared", "is_plain", "open_plainly"]

_OFFERED, _DISPATCHED = AssignmentState.OFFERED, IncidentState.DISPATCHED
_FILED: Final = f'{{"event":"state","from":"{IncidentState.RECEIVED}","to":"{IncidentState.FILED}"}}'
_SENT: Final = f'{{"event":"state","from":"{IncidentState.FILED}","to":"{_DISPATCHED}"}}'
_SAMPLE_MS: Final = 0  # an instant no code of a department holds as text


class _Promise:
    """A target that a part owes from its offer on.

    While its clock runs through, or stands still, every instant of it lies as far ahead as it did, or where it did.
    """

    __slots__ = ("_budgets", "_from_ms", "_moves", "_name", "_of", "_pace", "_policy", "_until_ms", "begun", "name")

    def __init__(self, policy: Policy, name: str, of: str, budgets: tuple[TargetBudget, ...], pace: Pace) -> None:
        self._policy, self._name, self._of, self._budgets, self._pace = policy, name, of, budgets, pace
        self._from_ms = self._until_ms = 0
        self._moves = True
        self.name = f'"{name}":"'
        self.begun: Target | None = None

    def begin(self, now_ms: int) -> Target:
        """The target, begun now."""
        begun = self.begun
        if begun is not None and self._from_ms <= now_ms < self._until_ms:
            later_ms = now_ms - begun.since_ms if self._moves else 0
            return Target(
                begun.name, begun.of, begun.budget, begun.clock, begun.by, begun.amount_ms, 0, now_ms,
                begun.due_ms + later_ms, begun.provisional, next_ms=begun.next_ms + later_ms,
            )  # fmt: skip
        target = open_target(self._policy, self._name, self._of, self._budgets, now_ms, self._pace)
        self._remember(replace(target))
        return target

    def _remember(self, begun: Target) -> None:
        shares_ms = self._pace.first_shares_ms(begun.amount_ms)
        if len(self._budgets) > 1 or self._budgets[0].budget.unit == "wd_end" or shares_ms is None:
            return
        stretch = self._policy.clock(begun.clock).stretch(begun.since_ms, [begun.amount_ms, *shares_ms])
        if stretch is not None:
            self.begun, (self._from_ms, self._until_ms, self._moves) = begun, stretch


class _Part:
    """What a decision says of one department's part: the assignment, its targets, its order."""

    __slots__ = ("fields", "json", "may", "party", "promises", "says", "topic")

    def __init__(self, book: Rulebook, decision: Decision, plan: SupportPlan | None) -> None:
        is_lead, one = plan is None, decision.lead if plan is None else plan
        sample = Assignment(
            one.department,
            one.unit,
            "lead" if is_lead else "support",
            None if plan is None else plan.role,
            plan is not None and plan.required,
            _OFFERED,
            _SAMPLE_MS,
            _SAMPLE_MS,
            tuple([rule for rule in (decision.route,) if rule is not None]) if plan is None else plan.by,
        )
        decided = book.decided(decision, "report")
        self.party = sample.party
        self.topic = f"dept.{sample.department}"
        self.fields = sample.department, sample.unit, sample.role, sample.task, sample.required, sample.by
        self.json = assignment_json(sample).split(ms_to_text(_SAMPLE_MS), 2)  # its instants go in between
        self.says = order_says(sample, "offer")
        self.may = may_json(_DISPATCHED, _OFFERED, supervised=False)
        self.promises = tuple(
            [
                _Promise(book.policy, name, self.party, budgets, book.pace(decided, name))
                for name, budgets in promises(decision, plan, is_lead=is_lead)
            ]
        )

    def assignment(self, now_ms: int) -> Assignment:
        """Offered now."""
        department, unit, role, task, required, by = self.fields
        return Assignment(department, unit, role, task, required, _OFFERED, now_ms, now_ms, by)


class Prepared:
    """What a decision says of every incident that is opened by it the plain way, ready to be written."""

    __slots__ = ("counted", "decided", "lead", "others", "parts", "route", "support", "why")

    def __init__(self, book: Rulebook, decision: Decision) -> None:
        self.decided = book.decided(decision, "report")
        self.parts = tuple([_Part(book, decision, plan) for plan in (None, *decision.support)])
        lead, *support = self.parts
        self.lead = quoted(lead.party)
        self.support = ",".join([quoted(part.party) for part in support])
        self.others = ",".join(
            [f'{{"party":{quoted(part.party)},"role":"{part.fields[2]}","state":"{_OFFERED}"}}' for part in self.parts]
        )
        self.route, self.why = or_null(decision.route), quoted(decision.reason)
        rules = decision.route, *decision.overlays
        self.counted = [f"rule:{rule}" for rule in rules if rule is not None]
        if decision.route is None:
            self.counted.append(f"fallback:{decision.fallback}")


def is_plain(work: ReportWork, decision: Decision, source: Source) -> bool:
    """Whether a report that opens an incident is filed and dispatched at once, with nothing besides."""
    report = work.report
    return (
        decision.outcome is None
        and report.whistle is None
        and work.promised_ms is None
        and not needs_verification(source, report.confidence)
    )


def open_plainly(
    turn: Turn, book: Rulebook, work: ReportWork, facts: Facts, decision: Decision, rule: Merge | None, now_ms: int
) -> None:
    """Open an incident for a report that is plain and perhaps a duplicate of none."""
    state, out, report, place = turn.state, turn.out, work.report, work.place
    prepared = book.prepared(decision, Prepared)
    for key in prepared.counted:
        turn.counts[key] += 1
    incident_id = state.next_id(book.local_day(now_ms))
    at = ms_to_text(now_ms)
    targets: list[Target] = []
    said: list[str] = []  # of each target, its fields
    dues: list[str] = []  # of each part, when what is due
    earliest: dict[str, int] = {}
    next_ms = NEVER_MS
    for part in prepared.parts:
        due: list[str] = []
        for promise in part.promises:
            target = promise.begin(now_ms)
            targets.append(target)
            due_ms, name = target.due_ms, target.name
            due_at = ms_to_text(due_ms)
            provisional = ',"provisional":true' if target.provisional else ""
            said.append(f'{promised_json(target)}{due_at}","since":"{at}"{provisional}')
            due.append(f'{promise.name}{due_at}"')
            if due_ms < earliest.get(name, NEVER_MS):
                earliest[name] = due_ms
            next_ms = min(next_ms, target.next_ms)
        dues.append(",".join(due))
    lead, *support = [part.assignment(now_ms) for part in prepared.parts]
    location = report.location
    head = f'"revision":1,"at":"{at}","what":"report","state":"{_DISPATCHED}"'
    incident = Incident(
        incident_id=incident_id,
        state=_DISPATCHED,
        category=facts.category,
        reported_category=report.category if facts.category is not None else mask_code(report.category),
        standard=report.standard,
        request_kind=report.request_kind,
        severity=decision.severity,
        mode=facts.mode,
        place=place,
        facts=facts,
        decided=prepared.decided,
        decision_seq=1,
        opened_ms=now_ms,
        reported_ms=work.reported_ms,
        updated_ms=now_ms,
        lead=lead,
        support=tuple(support),
        targets=tuple(targets),
        reports=((report.source, report.report_id),),
        report_count=1,
        reporter_count=facts.reporters,
        tags=_tags(facts, decision, located=place.cell is not None),
        flags=REPORTED_LATE if now_ms - work.reported_ms > DAY_MS else (),
        last_report_ms=now_ms,
        asset=None if location is None else location.asset,
        dispatched_ms=now_ms,
        history=("{" + head + "}",),
        brief=brief_of(report),
        level=held_by(place.path, decision),
        revision=1,
        next_ms=next_ms,
    )
    state.incidents[incident_id] = incident
    state.timers.enter(incident_id, next_ms)
    state.repeats.remember(Seen(intern(report.source), report.report_id, incident_id, work.digest, now_ms))
    state.merges.add(incident, rule)
    state.revisions += 1

    brief = b""
    if incident.brief is not None:
        value = encode(incident.brief)
        out.keep(f"brief/{incident_id}", value)
        brief = b"," + value[1:-1]
    facts_json, said_id = encode(facts).decode(), encode(report.report_id).decode()
    tags = encode(incident.tags).decode()
    activated = "".join([f',{{"event":"target","what":"activate",{one}}}' for one in said])
    event = (
        f'{{"incident_id":"{incident_id}",{head},"changes":[{{"event":"reported","source":{quoted(report.source)},'
        f'"report_id":{said_id}}},{_FILED},{{"event":"decision","decision_id":"{incident_id}/1","seq":1,'
        f'"cause":"report","taken_at":"{at}","policy":"{book.policy.sha256}","semantics":{SEMANTICS},'
        f'"grid":"{turn.grid}","mode":{quoted(facts.mode)},"facts":{facts_json},'
        f'"decision":{{{book.record(decision)}}}}},{_SENT}{activated}]}}'
    )
    out.emit("events", incident_id, now_ms, event.encode())

    what = what_json(incident, book.policy)
    soonest = ",".join([f'"{name}":"{ms_to_text(due_ms)}"' for name, due_ms in earliest.items()])
    entered = f'{{"incident_id":"{incident_id}","revision":1,"event":"entered","at":"{at}","state":"{_DISPATCHED}",'
    line = (
        f',"lead":{prepared.lead},"support":[{prepared.support}],"due":{{{soonest}}},"route":{prepared.route},'
        f'"why":{prepared.why},"tags":{tags}}}'
    )
    out.emit("routed", incident_id, now_ms, entered.encode() + what + line.encode())

    shared = what + brief + f',"others":[{prepared.others}],"why":{prepared.why},"tags":{tags}}}'.encode()
    for n, (part, due_json) in enumerate(zip(prepared.parts, dues, strict=True)):
        order = (
            f'{{"order_id":"dept:{incident_id}:1:{n}","incident_id":"{incident_id}","revision":1,{part.says},'
            f'"due":{{{due_json}}},"may":[{part.may}],'
        )
        out.emit(part.topic, incident_id, now_ms, order.encode() + shared)
    if report.source in book.people:
        to = f"{REPORT}{report.source}/{report.report_id}"
        out.emit("notices", to, now_ms, notice_json(incident, book.policy, at, 0, Notice(to, "accepted")))
    out.wrote(incident, _incident_json(incident, prepared, at, facts_json, said_id, said))


def _incident_json(i: Incident, prepared: Prepared, at: str, facts_json: str, said_id: str, said: list[str]) -> bytes:
    parts = [f"{part.json[0]}{at}{part.json[1]}{at}{part.json[2]}" for part in prepared.parts]
    support = f',"support":[{",".join(parts[1:])}]' if len(parts) > 1 else ""
    targets = f',"targets":[{",".join([f"{{{one}}}" for one in said])}]' if said else ""
    tags = f',"tags":{encode(i.tags).decode()}' if i.tags else ""
    flags = f',"flags":{encode(i.flags).decode()}' if i.flags else ""
    standard = "" if i.standard is None else f',"standard":{quoted(i.standard)}'
    kind = "" if i.request_kind is None else f',"request_kind":{quoted(i.request_kind)}'
    asset = "" if i.asset is None else f',"asset":{quoted(i.asset)}'
    level = f',"level":{i.level}' if i.level else ""
    following = f',"next_at":"{ms_to_text(i.next_ms)}"' if i.next_ms < NEVER_MS else ""
    head = f'{{"incident_id":"{i.incident_id}","revision":1,"state":"{_DISPATCHED}","stage":"'
    rest = (
        f'","responsible":{prepared.lead},"category":{or_null(i.category)},'
        f'"reported_category":{quoted(i.reported_category)},"severity":{i.severity},"mode":{quoted(i.mode)},'
        f'"place":{place_json(i.place)},"reports":[[{quoted(i.reports[0][0])},{said_id}]],"report_count":1,'
        f'"reporter_count":{i.reporter_count},"opened_at":"{at}","reported_at":"{ms_to_text(i.reported_ms)}",'
        f'"updated_at":"{at}","last_report_at":"{at}","decision":{decided_json(i.decided)},"decision_seq":1,'
        f'"facts":{facts_json},"lead":{parts[0]}{support}{targets}{tags}{flags}{standard}{kind}{asset},'
        f'"dispatched_at":"{at}"{level}{following},"history":[{i.history[0]}]}}'
    )
    return head.encode() + STAGE_BYTES[_DISPATCHED] + rest.encode()


def _tags(facts: Facts, decision: Decision, *, located: bool) -> tuple[str, ...]:
    if located and facts.category is not None and not decision.tags:
        return facts.tags  # in order already
    missing = [] if located else ["unlocated"]
    if facts.category is None:
        missing.append("uncategorised")
    return tuple(sorted({*facts.tags, *missing, *decision.tags}))
