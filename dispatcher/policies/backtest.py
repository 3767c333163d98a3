"""Past decisions taken again under a candidate: from their recorded facts, one after the other.

What is assumed, since facts are what the old policy made of a report:
- `category` is looked up anew from what the report said, unless a person filed it as something else: then what they
  chose, if the candidate has it.
- `severity`: the claim is not in the facts. Where the severity is what the old policy gives without a claim, there was
  none and the candidate's own counts; any other is the claim, capped anew.
- `platform` is the candidate's for the source. A source it does not have, or has more strictly, would be rejected.
- Keywords that nobody looked for make a case undecidable where they matter (`unread`).
- Which reports are one incident is not asked again: merging stays as it was.

Nothing is kept but what was decided alike: memory does not grow with the number of incidents.
"""

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

import msgspec

from dispatcher.core import Rulebook
from dispatcher.ledger import Ledger
from dispatcher.policies.past import DECISION, Activated, PastChange, Progress, past_events
from dispatcher.policies.unread import Unread
from dispatcher.views import Projection, incident_json
from geo import Place
from rules import Decision, Facts, Policy, claimed_severity

__all__ = ["ASPECTS", "Case", "Verdict", "backtest", "rule_of"]

Verdict = Literal["same", "changed", "rejected", "undecidable", "unexamined"]

ASPECTS: Mapping[str, tuple[str, ...]] = {  # what people call a change -> fields of a decision
    "route": ("route", "guard", "outcome", "fallback"),
    "lead": ("lead",),
    "support": ("support",),
    "severity": ("severity", "severity_from", "severity_by"),
    "level": ("level", "level_by"),
    "sla": ("sla",),
    "targets": ("targets",),
    "ladder": ("ladder",),
    "overlays": ("overlays",),
    "tags": ("tags",),
    "reason": ("reason", "won_by", "unresolved"),
}


class Case(NamedTuple):
    """One past decision and what the candidate would decide; `after` is None when it would reject the report.

    Of an undecidable case `after` is what it would decide if none of its new keywords stood in the text.
    """

    incident_id: str
    seq: int
    cause: str
    at_ms: int  # when the incident was opened
    policy: str
    area: str  # the cell of level 1; empty without a place
    verdict: Verdict
    before: Decision
    after: Decision | None

    @property
    def aspects(self) -> tuple[str, ...]:
        """What differs, by the names in `ASPECTS`; `rejected` alone when the report would be."""
        after = self.after
        if after is None:
            return ("rejected",)
        return tuple(
            name
            for name, fields in ASPECTS.items()
            if any(getattr(self.before, field) != getattr(after, field) for field in fields)
        )


class _Reported(msgspec.Struct):
    reported_category: str
    place: Place


_facts = msgspec.json.Decoder(Facts)
_decision = msgspec.json.Decoder(Decision)
_reported = msgspec.json.Decoder(_Reported)


def backtest(
    ledger: Ledger,
    view: Projection,
    books: Mapping[str, Rulebook],
    candidate: Policy,
    opened: tuple[int, int],
    on_progress: Progress | None = None,
) -> Iterator[Case]:
    """Every past decision of incidents opened within [from, to), in epoch ms, decided again, in the order of time.

    Args:
        ledger: whose `events` are read, once.
        view: caught up with it; says what a report called its category.
        books: the policies of the past by sha256.
        candidate: loaded.
        opened: when the incidents were opened.
        on_progress: told how far it has come.

    Raises:
        KeyError: a decision was taken under a policy that is not in `books`.
    """
    again = _Again(books, candidate)
    for event in past_events(ledger, (DECISION,), on_progress):
        if isinstance(event, Activated):
            continue
        for change in event.changes:
            if change.event != "decision":
                continue
            facts = _facts.decode(change.facts)
            if opened[0] <= facts.at_ms < opened[1]:
                yield again.case(view, event.incident_id, change, facts)


class _Again:
    def __init__(self, books: Mapping[str, Rulebook], candidate: Policy) -> None:
        self._books = books
        self._candidate = candidate
        self._book = Rulebook(candidate)
        self._unread: dict[str, Unread] = {}

    def case(self, view: Projection, incident_id: str, change: PastChange, facts: Facts) -> Case:
        old = self._books[change.policy].policy
        value = incident_json(view, incident_id)
        reported = None if value is None else _reported.decode(value)
        recorded = bytes(change.decision)
        renewed = self._renewed(facts, reported, old)
        area = facts.path[0] if facts.path else ""
        head = (incident_id, change.seq, change.cause, facts.at_ms, change.policy, area)
        if renewed is None:
            return Case(*head, "rejected", _decision.decode(recorded), None)
        after, certainty = self._unread_since(old).decide(renewed)
        same = f"{{{self._book.record(after)}}}".encode() == recorded
        before = after if same else _decision.decode(recorded)
        verdict: Verdict = certainty if certainty != "certain" else "same" if before == after else "changed"
        return Case(*head, verdict, before, after)

    def _unread_since(self, old: Policy) -> Unread:
        unread = self._unread.get(old.sha256)
        if unread is None:
            unread = self._unread[old.sha256] = Unread(self._book.decider, old.keywords)
        return unread

    def _renewed(self, facts: Facts, reported: _Reported | None, old: Policy) -> Facts | None:
        """The facts as the candidate would have made them; None when it would have rejected the report."""
        candidate = self._candidate
        source = candidate.source(facts.source)
        if source is None:
            return None
        said = facts.category
        if reported is not None and old.resolve_category(reported.reported_category) == facts.category:
            said = reported.reported_category
        category = None if said is None else candidate.resolve_category(said)
        if category is None and source.strict_category:
            return None
        nowhere = not facts.path and reported is not None and (reported.place.note or reported.place.lon is not None)
        if source.strict_place and nowhere:
            return None
        own = claimed_severity(old.source(facts.source), old.category(facts.category), None)
        claim = None if facts.severity == own else facts.severity
        return msgspec.structs.replace(
            facts,
            category=category,
            platform=source.platform,
            severity=claimed_severity(source, candidate.category(category), claim),
        )


def rule_of(decision: Decision | None) -> str:
    """What decided, as one word: the route, the guard, or why it was the fallback; `rejected` without a decision."""
    if decision is None:
        return "rejected"
    return decision.guard or decision.route or f"fallback:{decision.fallback}"
