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
from dispatcher.policies.rehearsal import FIRST, Refused, Rehearsal, opening_facts
from rules import Case, CaseStep, Decider, Decision, Facts, Place, ReportEntry, Standing

__all__ = ["CaseRun"]


class CaseRun:
    """A test about to be run.

    Args:
        decider: the policy, compiled.
        book: the same policy, for the engine.
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
            self._rehearsal.end_step()
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
        recorded = recorded_decisions(self._rehearsal.out("events", incident.incident_id))
        return recorded[incident.decision_seq] == encode(decision)

    def _unlike(self, decision: Decision, incident: IncidentRecord) -> list[Failure]:
        rules, engine = ((one.route or str(one.fallback),) for one in (decision, incident.decision))
        return [Failure(self._case.place, "decision", rules, engine, because=(said("unlike"),))]

    def _step(self, step: CaseStep) -> list[Failure]:
        entry, found = step.entry, []
        about = entry.incident or FIRST
        if not self._rehearsal.knows(about):  # what was to open it has failed already
            return [Failure(self._case.where(entry, "incident"), "incident", (about,), (), entry.at)]
        if entry.do is not None and entry.by is not None:
            found = self._act(step, entry.do, entry.by)
        elif step.report is not None:
            found = self._report(step, step.report)
        else:
            self._rehearsal.wait(step.at_ms)
        if entry.expect is not None and (entry.opens is None or self._rehearsal.knows(entry.opens)):
            found += judge_step(self._book.policy, self._case, step, entry.expect, self._rehearsal)
        return found

    def _act(self, step: CaseStep, action: str, by: str) -> list[Failure]:
        refused = self._rehearsal.act(step, action, by)
        found = self._refusal(step, f"{action} by {by}", refused)
        return found or self._opened(step, refused, step.entry.about)

    def _report(self, step: CaseStep, report: ReportEntry) -> list[Failure]:
        found = []
        one = msgspec.structs.replace(report, reporters=None)
        for _ in range(report.reporters or 1):
            refused = self._rehearsal.report(one, step.at_ms)
            found += self._refusal(step, "report", refused)
        return found or self._opened(step, refused, None)

    def _refusal(self, step: CaseStep, what: str, refused: Refused | None) -> list[Failure]:
        """Whether a step was taken, or refused for the expected reason and in the expected words."""
        entry, place = step.entry, self._case.where(step.entry)
        found = _refusal(place, what, entry.refused, refused, entry.at)
        if not found and refused is not None and entry.because is not None and entry.because not in refused.detail:
            place = self._case.where(entry, "because")
            return [Failure(place, f"{what} because", (entry.because,), (refused.detail,), entry.at)]
        return found

    def _opened(self, step: CaseStep, refused: Refused | None, about: int | None) -> list[Failure]:
        """Whether there is now an incident of its own, where the step says so."""
        opens = step.entry.opens
        if opens is None or refused is not None:
            return []
        into = self._rehearsal.name(opens, step.at_ms, about)
        return (
            []
            if into is None
            else [Failure(self._case.where(step.entry, "opens"), "opens", (opens,), (into,), step.entry.at)]
        )


def _refusal(place: Place, what: str, expected: str | None, got: Refused | None, moment: str = "") -> list[Failure]:
    """Whether something was taken, or refused for the expected reason."""
    if expected == (None if got is None else got.reason):
        return []
    came = said("taken") if got is None else said("refused", reason=got.reason, detail=got.detail)
    wanted: Said | tuple[str, ...] = said("taken") if expected is None else (expected,)
    return [Failure(place, what, wanted, came, moment)]
