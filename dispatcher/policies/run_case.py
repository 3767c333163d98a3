"""One test: its decision judged, then the same report through the real engine, then its timeline.

The decision is made outside the engine, by the policy as it stands; the engine must have recorded the very same, byte
for byte: at the first report, and again when the further `reporters` of a test have come. Where the policy does not
merge them by itself the engine never sees that many, and the decision is judged by the rules alone.
"""

import msgspec

from dispatcher.core import IncidentRecord, Rulebook
from dispatcher.core.records import recorded_decisions
from dispatcher.core.wire import encode
from dispatcher.policies.coverage import CoverageCount
from dispatcher.policies.failures import Failure, Said, said
from dispatcher.policies.judge_decision import DecisionJudge
from dispatcher.policies.judge_timeline import judge_step
from dispatcher.policies.places import GridCells
from dispatcher.policies.rehearsal import Refused, Rehearsal, opening_facts
from rules import Case, CaseStep, Decider, Decision, Facts, Place, ReportEntry, Standing

__all__ = ["CaseRun"]


class CaseRun:
    """A test about to be run.

    Args:
        decider: the policy, compiled.
        book: the same policy with the test's mode as its ordinary one, for the engine.
        case: the test.
        cells: asked for cells the test does not state.
    """

    def __init__(self, decider: Decider, book: Rulebook, case: Case, cells: GridCells) -> None:
        self._decider, self._book, self._case, self._cells = decider, book, case, cells
        self._rehearsal = Rehearsal(book, case, cells)

    def failures(self, count: CoverageCount) -> list[Failure]:
        """Run it: everything that is not as expected, in the order of the test. Its coverage goes to `count`."""
        case = self._case
        refused = self._rehearsal.report(msgspec.structs.replace(case.report, reporters=None), case.at_ms)
        if case.expect.refused is not None:
            return _refusal(case.where(case.expect, "refused"), "report", case.expect.refused, refused)
        facts = opening_facts(self._decider.policy, case, self._cells)
        if isinstance(facts, Refused):
            return _refusal(case.place, "report", None, facts)
        if refused is not None:
            return _refusal(case.place, "report", None, refused)
        found = self._decision(facts, count) + self._engine(facts)
        for step in case.steps:
            found += self._step(step)
        return found

    def _decision(self, facts: Facts, count: CoverageCount) -> list[Failure]:
        policy = self._decider.policy
        decision, standing = self._decider.decide(facts), Standing(policy, facts)
        count.add(decision, standing)
        return DecisionJudge(policy, self._case, facts, decision, standing).failures()

    def _engine(self, facts: Facts) -> list[Failure]:
        """Whether the engine has decided the same at the opening, and once further reporters were merged."""
        case, incident = self._case, self._rehearsal.incident()
        opening = self._decider.decide(msgspec.structs.replace(facts, reporters=1))
        if incident.decision != self._book.decided(opening, "report") or not self._is_recorded(incident, opening):
            return self._unlike(opening, incident)
        for _ in range(1, case.report.reporters or 1):
            self._rehearsal.report(msgspec.structs.replace(case.report, reporters=None), case.at_ms)
        incident = self._rehearsal.incident()
        merged = self._decider.decide(msgspec.structs.replace(facts, reporters=incident.facts.reporters))
        if incident.lead is not None and not self._is_recorded(incident, merged):
            return self._unlike(merged, incident)
        return []

    def _is_recorded(self, incident: IncidentRecord, decision: Decision) -> bool:
        """Whether this is the last decision on `events`, byte for byte; what waits for verification has none yet."""
        if incident.decision_seq == 0:
            return True
        recorded = recorded_decisions(self._rehearsal.out("events"))
        return recorded[incident.decision_seq] == encode(decision)

    def _unlike(self, decision: Decision, incident: IncidentRecord) -> list[Failure]:
        rules, engine = ((one.route or str(one.fallback),) for one in (decision, incident.decision))
        return [Failure(self._case.place, "decision", rules, engine, because=(said("unlike"),))]

    def _step(self, step: CaseStep) -> list[Failure]:
        entry, found = step.entry, []
        if entry.do is not None and entry.by is not None:
            place = self._case.where(entry)
            refused = self._rehearsal.act(step, entry.do, entry.by)
            found = _refusal(place, f"{entry.do} by {entry.by}", entry.refused, refused, entry.at)
        elif step.report is not None:
            found = self._report(step, step.report)
        else:
            self._rehearsal.wait(step.at_ms)
        if entry.expect is not None:
            found += judge_step(self._book.policy, self._case, step, entry.expect, self._rehearsal)
        return found

    def _report(self, step: CaseStep, report: ReportEntry) -> list[Failure]:
        found = []
        one = msgspec.structs.replace(report, reporters=None)
        for _ in range(report.reporters or 1):
            refused = self._rehearsal.report(one, step.at_ms)
            found += _refusal(self._case.where(step.entry), "report", step.entry.refused, refused, step.entry.at)
        return found


def _refusal(place: Place, what: str, expected: str | None, got: Refused | None, moment: str = "") -> list[Failure]:
    """Whether something was taken, or refused for the expected reason."""
    if expected == (None if got is None else got.reason):
        return []
    came = said("taken") if got is None else said("refused", reason=got.reason, detail=got.detail)
    wanted: Said | tuple[str, ...] = said("taken") if expected is None else (expected,)
    return [Failure(place, what, wanted, came, moment)]
