"""One update being applied: the incident, who acts, and the change in the making."""

from dispatcher.core.incident import PARTS_MAX, TARGETS_MAX, Assignment, Incident
from dispatcher.core.messages import Reason
from dispatcher.core.mover import Mover
from dispatcher.core.privacy import mask_code, shown_person
from dispatcher.core.publish import Change
from dispatcher.core.rulebook import Rulebook
from dispatcher.core.turn import Turn
from dispatcher.core.work import UpdateWork

__all__ = ["Refused", "Step"]


class Refused(Exception):
    """The update is refused and changes nothing."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Step(Mover):
    """One update being applied: the incident, who acts, and the change in the making."""

    def __init__(self, turn: Turn, book: Rulebook, incident: Incident, work: UpdateWork, change: Change) -> None:
        super().__init__(turn, book, incident, change)
        self.work, self.update, self.actor = work, work.update, work.actor
        self.assignment = _assignment(work, incident)
        started_ms = incident.opened_ms if self.assignment is None else self.assignment.offered_ms
        self.judged_ms = max(started_ms, min(work.origin.time_ms, self.now_ms))  # lag is never a department's fault

    @property
    def system(self) -> bool:
        """Whether one of the engine's own drivers acts: it is held to the tables, not to the policy's words."""
        return self.actor.role == "system"

    @property
    def actor_name(self) -> str:
        """Who acts, as it is published: the person, else the unit or department, else the role."""
        actor = self.actor
        if actor.person is None:
            return actor.unit or actor.department or actor.role
        return shown_person(actor.person)

    def require_room(self, parts: int) -> None:
        """Refuse what would give the incident more parts, or so many targets, than its record has room for."""
        incident = self.incident
        if len(incident.assignments()) + parts > PARTS_MAX or len(incident.targets) >= TARGETS_MAX:
            said = f"an incident has at most {PARTS_MAX} parts and {TARGETS_MAX} targets, former ones included"
            raise Refused(Reason.NOT_ALLOWED, said)

    def report(self) -> tuple[str, str]:
        """The report the update is about: the one it names, else the first that came from people, else the first."""
        named = self.update.report
        if named is not None:
            return named.source, named.report_id
        return next(iter(self.turn.people_of(self.incident)), self.incident.reports[0])

    def own(self) -> Assignment:
        """The assignment the action is about: the tables have seen to it that there is one."""
        if self.assignment is None:
            raise Refused(Reason.NOT_ALLOWED, "this department has no part in the incident")
        return self.assignment

    def own_party(self) -> str | None:
        """The party the actor speaks for, when it has a part in the incident."""
        return None if self.assignment is None else self.assignment.party

    def reason(self, kind: str) -> str:
        """The update's reason code, which must be one of the policy's for `kind`."""
        code = self.update.reason_code or ""
        if not self.system and self.book.policy.reason(kind, code) is None:
            raise Refused(Reason.NOT_ALLOWED, f"{mask_code(code)} is not a reason for {_FOR[kind]} in this policy")
        return code


_FOR = {
    "return": "a return",
    "hold": "a hold",
    "extend": "an extension",
    "transfer": "a transfer",
    "support": "support",
    "exempt": "an exemption",
    "rework": "rework",
    "void": "voiding",
    "close_forced": "a forced close",
    "reopen": "refusing to reopen",
    "whistle": "a whistle",
    "refer": "a referral",
}


def _assignment(work: UpdateWork, incident: Incident) -> Assignment | None:
    actor, update = work.actor, work.update
    if actor.role == "department":
        return None if actor.department is None else incident.assignment_of(actor.department, actor.unit)
    if update.department is not None:
        return incident.assignment_of(update.department, update.unit)
    return incident.lead if actor.role == "system" else None
