"""The command centre: collectors verify, acceptors file and answer, dispatchers decide, checkers check."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from bench.year.agenda import Agenda, Office
from bench.year.console import Case, Console, Notice, Part, Queued
from bench.year.habits import Habits
from bench.year.season import HOUR_MS
from dispatcher.core import ms_to_text
from dispatcher.ledger import Entry
from geo.city import ASSETS

__all__ = ["Centre"]

LEADS = (
    "city-management",
    "municipal-works",
    "sanitation-centre",
    "street-office@township",
    "police",
    "housing-bureau",
)
BODIES = ("power-company", "telecom-companies", "bus-company", "postal-press")
VOID_REASONS = ("test", "duplicate", "outside", "not_found")
WAITING = ("received", "verifying", "returned", "checking", "reopen_requested")
SENT_OUT = ("dispatched", "handling", "returned", "on_hold")

# What somebody does about one line: (now, the incident as it is) -> what is written.
_Deed = Callable[[int, Case], list[Entry]]


class Centre(Office):
    """Works the queue line by line: whatever waits for it is looked at, and one thing is done about it."""

    def __init__(self, seed: int, agenda: Agenda, console: Console, habits: Habits) -> None:
        super().__init__("centre", seed, agenda, console, habits)
        self._looking: set[str] = set()  # incidents somebody is going to look at

    def read(self, queued: Queued) -> None:
        """A record of the queue."""
        if queued.event == "entered" and queued.state in ("dispatched", "verifying"):
            self._entered(queued)
        if queued.state in WAITING or queued.event == "re-routed":
            slow = queued.state == "checking"
            self._soon(queued.incident_id, *((20, 14 * 60) if slow else (6, 45)))

    def hear(self, notice: Notice) -> None:
        """Somebody tells the centre."""
        if notice.template in ("request", "reopen_requested", "supervision_replied", "desk_overdue", "verify_overdue"):
            self._soon(notice.incident_id, 5, 180)
        elif notice.template in ("supervise", "report"):
            self.agenda.plan(self.after(60, 72 * 60), partial(self._give_up, incident_id=notice.incident_id))

    def _soon(self, incident_id: str, low_min: float, high_min: float) -> None:
        if incident_id not in self._looking:
            self._looking.add(incident_id)
            self.agenda.plan(self.after(low_min, high_min), partial(self._look, incident_id=incident_id))

    def _entered(self, queued: Queued) -> None:
        """Something new has been sent out, or waits for somebody to look at it on the spot."""
        incident_id, habits = queued.incident_id, self.habits
        if queued.category.code == "01.01.02" and self.chance(habits.settles_alone):
            self._later(incident_id, 4, 15, self._settled)
        elif {"unlocated", "uncategorised"} & set(queued.tags):
            self._later(incident_id, 2, 12, self._sort_out)
        else:
            choices = (
                (habits.voids, self._void),
                (habits.refers, self._refer),
                (habits.reclassifies, self._reclassify),
                (habits.recalls, self._recall),
                (habits.adds_support, self._add_support),
                (habits.urges, self._urge),
            )
            draw = self.rng.random()
            for share, act in choices:
                if draw < share:
                    self._later(incident_id, 2, 30, act)
                    break
                draw -= share
        # whatever it may be merged with, or whether somebody must look: the line is read once
        if self.chance(0.5) or queued.state == "verifying":
            self._soon(incident_id, 5, 40)

    def _later(self, incident_id: str, low_min: float, high_min: float, act: _Deed) -> None:
        self.agenda.plan(self.after(low_min, high_min), partial(self._do, incident_id=incident_id, act=act))

    def _do(self, now_ms: int, *, incident_id: str, act: _Deed) -> Sequence[Entry]:
        case = self.console.look(incident_id)
        return [] if case is None else act(now_ms, case)

    def _says(
        self,
        case: Case,
        action: str,
        role: str = "dispatcher",
        *,
        by_person: str | None = None,
        by_unit: str | None = None,
        **fields: object,
    ) -> list[Entry]:
        return self.update(case.incident_id, action, fields, role=role, person=by_person, unit=by_unit)

    # --- one line of the queue ----------------------------------------------------------------------------------

    def _look(self, _now_ms: int, *, incident_id: str) -> Sequence[Entry]:
        """Do the first thing that waits for the centre; look again if something else does."""
        self._looking.discard(incident_id)
        case = self.console.look(incident_id)
        if case is None:
            return []
        said = self._decide(case)
        if said:
            self._soon(incident_id, 6, 60)
        if said and case.state not in ("closed", "checking") and self.chance(self.habits.claims):
            person = f"dispatcher-{self.rng.randrange(20)}"  # takes the line, looks, and lets it go
            said = [*self._says(case, "claim", by_person=person), *self._says(case, "release", by_person=person), *said]
        return said

    def _decide(self, case: Case) -> list[Entry]:
        match case.state:
            case "received":
                return self._parked(case)
            case "verifying":
                return self._verify(case)
            case "returned":
                return self._lead_returned(case)
            case "checking":
                return self._check(case)
            case "reopen_requested":
                return self._reopen(case)
        asked = next((r for r in case.requests if r.state == "open"), None)
        if asked is not None and case.state in (*SENT_OUT, "closed"):
            approves = self.chance(self.habits.approves)
            role = "supervisor" if asked.kind == "exempt" else "dispatcher"
            return self._says(case, "approve" if approves else "refuse", role, number=asked.number)
        replied = next((s for s in case.supervision if s.replied_at is not None and s.cleared_at is None), None)
        if replied is not None and case.state in (*SENT_OUT, "closed"):
            by_street = replied.by.startswith("cell:")
            role, unit = ("street", replied.by.removeprefix("cell:")) if by_street else ("shift_lead", None)
            if self.chance(self.habits.clears):
                return self._says(case, "clear", role, number=replied.number, by_unit=unit)
        returned = next((p for p in case.support if p.state == "returned"), None)
        if returned is not None and case.state in SENT_OUT:
            action = "accept_return" if self.chance(self.habits.accepts_return) else "refuse_return"
            return self._says(case, action, department=returned.department, unit=returned.unit)
        if case.verify_at is not None:
            return self._verify(case)
        if case.suggested and case.state == "dispatched" and self.chance(self.habits.merges_suggested):
            return self._merge(case)
        return []

    def _parked(self, case: Case) -> list[Entry]:
        if case.request_kind in ("inquiry", "praise") and self.chance(0.85):
            return self._says(case, "answer_at_desk", "acceptor", text="已答复。")
        if self.chance(0.7):
            return self._says(case, "file", "acceptor")
        return self._says(case, "void", "supervisor", reason_code="not_found")

    def _verify(self, case: Case) -> list[Entry]:
        habits, draw = self.habits, self.rng.random()
        if "verify_overdue" in case.tags or "unverified" in case.tags:
            if case.state != "verifying":
                return []
            return self._says(case, "file", "acceptor")
        if draw < habits.collector_forgets:
            return []
        if draw < habits.collector_forgets + habits.verified_unable:
            return self._says(case, "verify", "collector", result="unable")
        exists = self.chance(habits.verified_exists)
        return self._says(case, "verify", "collector", result="exists" if exists else "not_exists")

    def _lead_returned(self, case: Case) -> list[Entry]:
        lead = case.lead
        if lead is not None and lead.state == "returned" and not self.chance(self.habits.accepts_return):
            return self._says(case, "refuse_return", department=lead.department, unit=lead.unit)
        name = self._other_lead(case)
        return [] if name is None else self._says(case, "assign", lead=name, reason_code="after a return")

    def _other_lead(self, case: Case) -> str | None:
        """Somebody who does not lead it already; an office only where there is one."""
        taken = None if case.lead is None else case.lead.department
        known = [n for n in LEADS if not n.startswith(f"{taken}") and (case.place.path or "@" not in n)]
        return self.rng.choice(known) if known else None

    def _check(self, case: Case) -> list[Entry]:
        if case.checked_at is not None:
            return []  # passed: the callbacks' turn
        if self.chance(self.habits.fails_check):
            reason = self.rng.choice(("not_fixed", "no_evidence", "new_damage"))
            return self._says(case, "check", "checker", result="fail", reason_code=reason, text="现场复核未通过。")
        return self._says(case, "check", "checker", result="pass")

    def _reopen(self, case: Case) -> list[Entry]:
        if self.chance(self.habits.reopens):
            return self._says(case, "reopen", "shift_lead")
        return self._says(case, "refuse_reopen", "shift_lead", reason_code="partly")

    def _merge(self, case: Case) -> list[Entry]:
        into = self.console.look(case.suggested[0])
        if into is None or into.state not in ("dispatched", "handling"):
            return []
        if self.chance(self.habits.splits_again):
            self._later(case.incident_id, 30, 600, self._split)
        return self._says(case, "merge", into=into.incident_id)

    # --- what somebody does about a single line -----------------------------------------------------------------

    def _split(self, _now_ms: int, case: Case) -> list[Entry]:
        return self._says(case, "split") if case.state == "merged" else []

    def _settled(self, _now_ms: int, case: Case) -> list[Entry]:
        if not _untaken(case):
            return []
        return self._says(case, "self_handled", "officer", text="当场办结。", media=["https://media.example/self.jpg"])

    def _sort_out(self, _now_ms: int, case: Case) -> list[Entry]:
        """Where is it, what is it? A person asks back."""
        draw = self.rng.random()
        if draw < 0.75 and case.state in SENT_OUT:
            fields: dict[str, Any] = {}
            if "unlocated" in case.tags:
                fields["location"] = {"asset": f"asset-{self.rng.randint(1, ASSETS):05d}"}  # "by the third lamp on …"
            if "uncategorised" in case.tags:
                fields["category"] = self.rng.choice(("02.02.01", "03.01.01", "09.01.02", "02.04.01"))
            return self._says(case, "reclassify", "acceptor", **fields) if fields else []
        if _untaken(case):
            return self._says(case, "answer_at_desk", "acceptor", text="已电话答复。")
        return []

    def _void(self, _now_ms: int, case: Case) -> list[Entry]:
        if case.state not in SENT_OUT:
            return []
        return self._says(case, "void", "supervisor", reason_code=self.rng.choice(VOID_REASONS))

    def _refer(self, _now_ms: int, case: Case) -> list[Entry]:
        if not _untaken(case):
            return []
        return self._says(
            case, "refer", "acceptor", body=self.rng.choice(BODIES), external_no=f"X{self.rng.randrange(9999)}"
        )

    def _reclassify(self, _now_ms: int, case: Case) -> list[Entry]:
        if case.state not in SENT_OUT:
            return []
        return self._says(
            case, "reclassify", "acceptor", severity=max(1, min(4, case.severity + self.rng.choice((-1, 1))))
        )

    def _recall(self, _now_ms: int, case: Case) -> list[Entry]:
        lead = case.lead
        if lead is None or case.state != "dispatched" or lead.state != "offered":
            return []
        return self._says(case, "recall", department=lead.department, unit=lead.unit)

    def _add_support(self, _now_ms: int, case: Case) -> list[Entry]:
        name = self.rng.choice(("police", "justice-bureau", "social-work-dept"))
        if case.state not in SENT_OUT or any(p.department == name for p in case.parts()):
            return []
        return self._says(case, "assign", support=[name], reason_code="more hands")

    def _urge(self, _now_ms: int, case: Case) -> list[Entry]:
        if case.state not in SENT_OUT or not any(_at_work(part) for part in case.parts()):
            return []
        return self._says(case, "urge")

    def _give_up(self, now_ms: int, *, incident_id: str) -> Sequence[Entry]:
        """Supervised and still nothing: instruct in writing, or close by force what cannot be finished."""
        case = self.console.look(incident_id)
        if case is None or case.state not in ("dispatched", "handling"):
            return []
        if self.chance(self.habits.forces_when_supervised):
            return self._says(
                case, "close_forced", "supervisor", reason_code=self.rng.choice(("superseded", "unreachable"))
            )
        if not any(_at_work(part) for part in case.parts()):
            return []
        until = ms_to_text(now_ms + 24 * HOUR_MS)
        return self._says(case, "supervise", "supervisor", text="限二十四小时内答复。", until=until)


def _untaken(case: Case) -> bool:
    """Nobody has taken it yet."""
    taken = case.lead is not None and case.lead.acknowledged_at is not None
    return not taken and case.state in ("received", "verifying", "dispatched", "returned")


def _at_work(part: Part) -> bool:
    return part.state in ("offered", "acknowledged", "arrived", "held", "returned")
