"""Whether an incident stands, at a moment of a timeline, as a test expects; and if not, what its targets are doing."""

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from dispatcher.core import text_to_ms
from dispatcher.core.lifecycle import CENTRE
from dispatcher.core.records import TargetRecord
from dispatcher.policies.acting import in_unit
from dispatcher.policies.failures import Failure, Said, local_time, said
from dispatcher.policies.judge_decision import compared
from dispatcher.policies.rehearsal import FIRST, Rehearsal
from dispatcher.policies.standing_now import LISTS, NAMED, SINGLE, StandingNow
from rules import After, Case, CaseStep, Policy, moment_ms

__all__ = ["judge_step"]

TARGETS_SHOWN = 6  # in a reason
_PARTIES = ("lead", "answers_for_it", "support", "required", "exempt", "assignments", "on_hold", "scores", "orders")


def judge_step(policy: Policy, case: Case, step: CaseStep, expect: After, rehearsal: Rehearsal) -> list[Failure]:
    """Everything a step expects that is not so."""
    return _Judge(policy, case, step, expect, rehearsal).failures()


class _Judge:
    def __init__(self, policy: Policy, case: Case, step: CaseStep, expect: After, rehearsal: Rehearsal) -> None:
        self.policy, self.case, self.step, self.expect = policy, case, step, expect
        self.now = StandingNow(policy, rehearsal, step.entry.opens or step.entry.incident or FIRST)
        self.incident, self.events = self.now.incident, self.now.events

    def failures(self) -> list[Failure]:
        found: list[Failure] = []
        for field in self.expect.__struct_fields__:
            expected = getattr(self.expect, field)
            if expected is None:
                continue
            if field in SINGLE:
                found += self._single(field, _shown(expected))
            elif field in _STATUS:
                found += self._targets(field, expected)
            elif field in _ENTRIES:
                found += _ENTRIES[field](self)
            elif field in NAMED:
                found += self._named(field, expected)
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

    def _meant(self, field: str, text: str) -> str:
        """A value as it stands on the incident: levels of the grid become cells."""
        return self._unit(text) if field in _PARTIES else text

    def _last(self) -> list[Said]:
        """What changed the incident last."""
        last = self.events[-1]
        return [said("last", what=last.what, at=local_time(self.policy, text_to_ms(last.at)))]

    # --- one value, lists, values by name ------------------------------------------------------------------------

    def _single(self, field: str, text: str) -> list[Failure]:
        expected, got = self._meant(field, text), _shown(SINGLE[field](self.now))
        if got == expected:
            return []
        return [self._failure(field, [expected], [got] if got else [], self._last())]

    def _list(self, field: str, names: Sequence[str]) -> list[Failure]:
        kind = field.removesuffix("_includes").removesuffix("_include")
        expected = [self._meant(kind, named) for named in names]
        if kind == "escalated":
            expected = [f"{do} {self._unit(to)}" for do, _, to in (named.partition(" ") for named in names)]
        got = list(LISTS[kind](self.now))
        if compared(expected, got, exactly=kind == field):
            return []
        return [self._failure(field, sorted(set(expected)), sorted(got), self._last())]

    def _named(self, field: str, entries: Sequence[Struct]) -> list[Failure]:
        found, standing = [], NAMED[field](self.now)
        for entry in entries:
            name, value = (getattr(entry, part) for part in entry.__struct_fields__)
            expected = str(value)
            if field == "on_hold":
                expected = local_time(self.policy, moment_ms(expected, self.case.at_ms))
            got = standing.get(self._meant(field, str(name)))
            if got != expected:
                shown = [] if got is None else [got]
                found.append(self._failure(field, [expected], shown, self._last(), f"{field} {name}"))
        return found

    def told(self) -> list[Failure]:
        """Who was told by notices of the named templates."""
        found, told = [], self.now.told()
        for entry in self.expect.told or ():
            expected, got = {self._unit(to) for to in entry.to}, told.get(entry.template, set())
            if expected != got:
                what = f"told {entry.template}"
                found.append(self._failure("told", sorted(expected), sorted(got), self._last(), what))
        return found

    # --- targets -------------------------------------------------------------------------------------------------

    def _targets(self, field: str, expected: Sequence[str]) -> list[Failure]:
        """Every target of this kind must be named, and every name must be one."""
        found = {(target.name, target.of) for target in self.incident.targets if _STATUS[field](target)}
        wanted = [self._whose(text) for text in expected]
        unmet = [pair for pair in wanted if not any(_is_of(pair, one) for one in found)]
        surplus = [one for one in found if not any(_is_of(pair, one) for pair in wanted)]
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

    def warned(self) -> list[Failure]:
        """The warnings given for the named targets."""
        found = []
        for entry in self.expect.warned or ():
            pair = self._whose(entry.target)
            changes = [change for event in self.events for change in event.changes if change.event == "target"]
            given = {c.percent for c in changes if c.what == "warn" and _is_of(pair, (c.name, c.of))}
            if given != set(entry.percents):
                expected, got = ([f"{n}%" for n in sorted(side)] for side in (set(entry.percents), given))
                what = f"warned {entry.target}"
                found.append(self._failure("warned", expected, got, self._standing([pair[0]]), what))
        return found

    def due(self) -> list[Failure]:
        """When the named targets are due: the lead's unless another party is named."""
        found = []
        lead = self.now.lead() or ""
        for entry in self.expect.due or ():
            name, of = self._whose(entry.target)
            owners = [of] if of else [lead, CENTRE]
            owed = [t for t in self.incident.targets if t.name == name and t.of in owners and t.revoked_at is None]
            got = [local_time(self.policy, text_to_ms(target.due_at)) for target in owed[-1:]]
            expected = [local_time(self.policy, moment_ms(entry.at, self.case.at_ms))]
            if got != expected:
                found.append(self._failure("due", expected, got, self._standing([name]), f"due {entry.target}"))
        return found


def _is_of(named: tuple[str, str], target: tuple[str, str]) -> bool:
    """Whether (name, party) names a target; without a party it names those of all."""
    return named[0] == target[0] and named[1] in ("", target[1])


def _shown(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


_STATUS: dict[str, Callable[[TargetRecord], bool]] = {
    "breached": lambda target: target.breached_at is not None,
    "fulfilled": lambda target: target.fulfilled_at is not None,
    "running": lambda target: target.since is not None and target.revoked_at is None and target.fulfilled_at is None,
    "paused": lambda target: target.paused_by is not None and target.revoked_at is None,
}
_ENTRIES: dict[str, Callable[[_Judge], list[Failure]]] = {
    "warned": _Judge.warned,
    "due": _Judge.due,
    "told": _Judge.told,
}
