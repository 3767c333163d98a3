"""Whether an incident stands, at a moment of a timeline, as a test expects; and if not, what its targets are doing."""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from dispatcher.core import AssignmentState, IncidentRecord, text_to_ms
from dispatcher.core.incident import party
from dispatcher.core.lifecycle import CENTRE
from dispatcher.core.records import AssignmentRecord, TargetRecord
from dispatcher.policies.failures import Failure, Said, local_time, said
from dispatcher.policies.judge_decision import compared
from dispatcher.policies.rehearsal import Rehearsal, in_unit
from rules import After, Case, CaseStep, Policy, moment_ms

__all__ = ["judge_step"]

TARGETS_SHOWN = 6  # in a reason


class _Change(msgspec.Struct):
    event: str
    what: str = ""
    name: str = ""
    of: str = ""
    percent: int = 0


class _Event(msgspec.Struct):
    what: str = ""
    at: str = ""
    changes: list[_Change] = []


class _Queue(msgspec.Struct):
    event: str


_event = msgspec.json.Decoder(_Event)
_queue = msgspec.json.Decoder(_Queue)


def judge_step(policy: Policy, case: Case, step: CaseStep, expect: After, rehearsal: Rehearsal) -> list[Failure]:
    """Everything a step expects that is not so."""
    return _Judge(policy, case, step, expect, rehearsal).failures()


class _Judge:
    def __init__(self, policy: Policy, case: Case, step: CaseStep, expect: After, rehearsal: Rehearsal) -> None:
        self.policy, self.case, self.step, self.expect = policy, case, step, expect
        self.rehearsal = rehearsal
        self.incident: IncidentRecord = rehearsal.incident()
        self.events = [_event.decode(value) for value in rehearsal.out("events")]
        parts = (*([self.incident.lead] if self.incident.lead else []), *self.incident.support)
        self.parts = [part for part in parts if part.state is not AssignmentState.WITHDRAWN] or list(parts)

    def failures(self) -> list[Failure]:
        found: list[Failure] = []
        for field in self.expect.__struct_fields__:
            expected = getattr(self.expect, field)
            if expected is None:
                continue
            if field in _SINGLE:
                found += self._single(field, _shown(expected))
            elif field in _STATUS:
                found += self._targets(field, expected)
            elif field in _ENTRIES:
                found += _ENTRIES[field](self)
            else:
                found += self._list(field, expected)
        return found

    def _failure(
        self, field: str, expected: Iterable[str], got: Iterable[str], because: Sequence[Said], what: str = ""
    ) -> Failure:
        place = self.case.where(self.expect, field)
        return Failure(place, what or field, tuple(expected), tuple(got), self.step.entry.at, tuple(because))

    def _unit(self, named: str) -> str:
        return in_unit(named, self.incident.place.path, self.policy)

    def _last(self) -> list[Said]:
        """What changed the incident last."""
        last = self.events[-1]
        return [said("last", what=last.what, at=local_time(self.policy, text_to_ms(last.at)))]

    # --- one value, lists ----------------------------------------------------------------------------------------

    def _single(self, field: str, expected: str) -> list[Failure]:
        got = _shown(_SINGLE[field](self))
        if field == "lead":
            expected = self._unit(expected)
        if got == expected:
            return []
        return [self._failure(field, [expected], [got] if got else [], self._last())]

    def in_queue(self) -> bool:
        """Whether the incident is in the operators' queue."""
        routed = self.rehearsal.out("routed")
        return bool(routed) and _queue.decode(routed[-1]).event != "left"

    def _list(self, field: str, expected: Sequence[str]) -> list[Failure]:
        kind = field.removesuffix("_includes").removesuffix("_include")
        exactly = kind == field
        if kind in ("support", "required"):
            expected = [self._unit(named) for named in expected]
        got = self._items(kind)
        if compared(expected, got, exactly=exactly):
            return []
        return [self._failure(field, sorted(set(expected)), sorted(got), self._last())]

    def _items(self, kind: str) -> list[str]:
        if kind == "tags":
            return list(self.incident.tags)
        if kind == "flags":
            return list(self.incident.flags)
        supports = [part for part in self.parts if part.role == "support"]
        return [_party(part) for part in supports if part.required or kind == "support"]

    # --- targets -------------------------------------------------------------------------------------------------

    def _targets(self, field: str, expected: Sequence[str]) -> list[Failure]:
        """Every target of this kind must be named, and every name must be one."""
        found = {(target.name, target.of) for target in self.incident.targets if _STATUS[field](target)}
        wanted = [self._whose(text) for text in expected]
        unmet = [pair for pair in wanted if not any(_meant(pair, one) for one in found)]
        surplus = [one for one in found if not any(_meant(pair, one) for pair in wanted)]
        if not unmet and not surplus:
            return []
        names = {name for name, _ in (*unmet, *surplus)}
        shown = [f"{name} of {of}" for name, of in sorted(found)]
        return [self._failure(field, expected, shown, self._standing(names))]

    def _whose(self, text: str) -> tuple[str, str]:
        name, _, of = text.partition(" of ")
        return name, self._unit(of) if of else ""

    def _standing(self, names: Iterable[str]) -> list[Said]:
        """How the targets of these names stand."""
        wanted = set(names)
        reasons = [
            said("target", whose=f"{target.name} of {target.of}", status=self._status(target))
            for target in self.incident.targets
            if target.name in wanted
        ]
        return reasons[:TARGETS_SHOWN]

    def _status(self, target: TargetRecord) -> str:
        at = {
            "revoked": target.revoked_at,
            "fulfilled": target.fulfilled_at,
            "breached": target.breached_at,
            f"paused by {target.paused_by}, due": target.due_at if target.paused_by else None,
            "due": target.due_at,
        }
        word, instant = next((word, instant) for word, instant in at.items() if instant is not None)
        return f"{word} {local_time(self.policy, text_to_ms(instant))}"

    # --- by name -------------------------------------------------------------------------------------------------

    def assignments(self) -> list[Failure]:
        """How far the named parties have come."""
        found = []
        for entry in self.expect.assignments or ():
            named = self._unit(entry.party)
            states = [str(part.state) for part in self._every_part() if _party(part) == named]
            if states[:1] != [entry.state]:
                what = f"assignments {entry.party}"
                found.append(self._failure("assignments", [entry.state], states[:1], self._last(), what))
        return found

    def _every_part(self) -> list[AssignmentRecord]:
        """The parts there are, then those that were withdrawn."""
        incident = self.incident
        former = [part for part in incident.support if part not in self.parts]
        return [*self.parts, *reversed(former)]

    def warned(self) -> list[Failure]:
        """The warnings given for the named targets."""
        found = []
        for entry in self.expect.warned or ():
            pair = self._whose(entry.target)
            changes = [change for event in self.events for change in event.changes if change.event == "target"]
            given = {c.percent for c in changes if c.what == "warn" and _meant(pair, (c.name, c.of))}
            if given != set(entry.percents):
                expected, got = ([f"{n}%" for n in sorted(side)] for side in (set(entry.percents), given))
                what = f"warned {entry.target}"
                found.append(self._failure("warned", expected, got, self._standing([pair[0]]), what))
        return found

    def due(self) -> list[Failure]:
        """When the named targets are due: the lead's unless another party is named."""
        found = []
        lead = "" if self.incident.lead is None else _party(self.incident.lead)
        for entry in self.expect.due or ():
            name, of = self._whose(entry.target)
            owners = [of] if of else [lead, CENTRE]
            owed = [t for t in self.incident.targets if t.name == name and t.of in owners and t.revoked_at is None]
            got = [local_time(self.policy, text_to_ms(target.due_at)) for target in owed[-1:]]
            expected = [local_time(self.policy, moment_ms(entry.at, self.case.at_ms))]
            if got != expected:
                found.append(self._failure("due", expected, got, self._standing([name]), f"due {entry.target}"))
        return found


def _meant(named: tuple[str, str], target: tuple[str, str]) -> bool:
    """Whether (name, party) names a target; without a party it names those of all."""
    return named[0] == target[0] and named[1] in ("", target[1])


def _party(part: AssignmentRecord) -> str:
    return party(part.department, part.unit)


def _shown(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


_SINGLE: dict[str, Callable[[_Judge], object]] = {
    "state": lambda judge: judge.incident.state,
    "lead": lambda judge: None if judge.incident.lead is None else _party(judge.incident.lead),
    "severity": lambda judge: judge.incident.severity,
    "queue": _Judge.in_queue,
    "reports": lambda judge: judge.incident.report_count,
}
_STATUS: dict[str, Callable[[TargetRecord], bool]] = {
    "breached": lambda target: target.breached_at is not None,
    "fulfilled": lambda target: target.fulfilled_at is not None,
    "running": lambda target: target.since is not None and target.revoked_at is None and target.fulfilled_at is None,
    "paused": lambda target: target.paused_by is not None and target.revoked_at is None,
}
_ENTRIES: dict[str, Callable[[_Judge], list[Failure]]] = {
    "assignments": _Judge.assignments,
    "warned": _Judge.warned,
    "due": _Judge.due,
}
