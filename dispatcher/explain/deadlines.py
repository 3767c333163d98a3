"""The arithmetic of deadlines: budget, clock, start, closed hours skipped, pauses, what was promised, due.

A clock's budget is used up only while the clock runs and its calendar is open: due = the instant at which the whole
budget is used.
"""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from dispatcher.core import OPEN_STATES, IncidentRecord, ms_to_text, text_to_ms
from dispatcher.core.incident import party
from dispatcher.core.records import TargetRecord
from dispatcher.explain.stories import Stand, Story
from rules import ALWAYS, Decision, Policy, TargetBudget

__all__ = ["CLOSED_SPANS_SHOWN", "Deadline", "Offer", "Outcome", "Span", "Stop", "deadlines_of"]

CLOSED_SPANS_SHOWN = 12  # of a deadline that crosses months, the first dozen nights say enough

LATER = ("check", "callback")  # targets whose clock starts after those of the dispatch
PROMISED = "promise:"  # what a target is `by` when the source's own date counts

Outcome = Literal["planned", "running", "paused", "overdue", "in_time", "late", "revoked"]


class Span(Struct, frozen=True):
    """From one instant to another, RFC 3339 in UTC."""

    from_at: str
    to_at: str


class Stop(Struct, frozen=True, omit_defaults=True):
    """The clock stood: after so much of the budget was used, for this reason; without an end, it still stands."""

    from_at: str
    why: str
    consumed_ms: int
    to_at: str | None = None


class Offer(Struct, frozen=True, omit_defaults=True):
    """One budget that was promised for the target: by which SLA, overlay or source, and when it would be due."""

    budget: str
    clock: str
    by: str
    due_at: str | None = None
    counts: bool = False  # the one the deadline is
    standard: bool = False  # the strictest filing standard's, until one is filed
    asked_at: str | None = None  # the source's date, where it may not extend the deadline so far


class Deadline(Struct, frozen=True, omit_defaults=True):
    """One target's arithmetic.

    `amount_ms` and `consumed_ms` are time of its own clock. `closed` are the stretches in which the clock could not
    run (the first dozen of `closed_spans`), `stops` those in which it was held. `planned`: it has not started.
    """

    name: str
    of: str
    budget: str
    clock: str
    by: str
    outcome: Outcome
    outcome_at: str | None = None
    due_at: str | None = None
    start_at: str | None = None
    amount_ms: int = 0
    consumed_ms: int = 0
    closed: tuple[Span, ...] = ()
    closed_spans: int = 0
    stops: tuple[Stop, ...] = ()
    offers: tuple[Offer, ...] = ()
    provisional: bool = False
    extended: int = 0


def deadlines_of(
    policy: Policy, record: IncidentRecord, decision: Decision, stories: Sequence[Story]
) -> tuple[Deadline, ...]:
    """Each target of an incident, then those its decision names that have not started yet."""
    told: list[Story | None] = list(stories) if len(stories) == len(record.targets) else [None] * len(record.targets)
    started = tuple(
        _started(policy, record, decision, target, story) for target, story in zip(record.targets, told, strict=True)
    )
    names = {target.name for target in record.targets}
    planned = tuple(
        Deadline(plan.name, plan.of, "", "", "", "planned", offers=tuple(_offer(each) for each in plan.budgets))
        for plan in decision.targets
        if record.state in OPEN_STATES and plan.name not in names and (not names or plan.name in LATER)
    )
    return started + planned


def _started(
    policy: Policy, record: IncidentRecord, decision: Decision, target: TargetRecord, story: Story | None
) -> Deadline:
    start_ms = _start_ms(target, story)
    stands = story.stands if story else []
    # a stop that ended with the target is no pause of it: it was done, and stayed so
    shown = [stand for stand in stands if stand.to_ms is not None or target.paused_by is not None]
    outcome, outcome_at = _outcome(target)
    closed = [] if start_ms is None else _closed(policy, target, start_ms, shown)
    return Deadline(
        name=target.name,
        of=target.of,
        budget=target.budget,
        clock=target.clock,
        by=target.by,
        outcome=outcome,
        outcome_at=outcome_at,
        due_at=target.due_at,
        start_at=None if start_ms is None else ms_to_text(start_ms),
        amount_ms=target.amount_ms,
        consumed_ms=target.consumed_ms,
        closed=tuple(Span(ms_to_text(a), ms_to_text(b)) for a, b in closed[:CLOSED_SPANS_SHOWN]),
        closed_spans=len(closed),
        stops=tuple(
            Stop(
                ms_to_text(stand.from_ms),
                stand.why,
                stand.consumed_ms,
                None if stand.to_ms is None else ms_to_text(stand.to_ms),
            )
            for stand in shown
        ),
        offers=_offers(policy, record, decision, target, start_ms),
        provisional=target.provisional,
        extended=target.extended,
    )


def _start_ms(target: TargetRecord, story: Story | None) -> int | None:
    if story is not None:
        return story.started_ms
    if target.consumed_ms == 0 and target.since is not None:
        return text_to_ms(target.since)
    return None  # it has stood, and only the events tell since when it runs


def _outcome(target: TargetRecord) -> tuple[Outcome, str | None]:
    if target.revoked_at is not None:
        return "revoked", target.revoked_at
    if target.fulfilled_at is not None:
        return "late" if target.fulfilled_at > target.due_at else "in_time", target.fulfilled_at
    if target.breached_at is not None:
        return "overdue", target.breached_at
    return ("paused", None) if target.paused_by is not None else ("running", None)


def _closed(policy: Policy, target: TargetRecord, start_ms: int, stands: Sequence[Stand]) -> list[tuple[int, int]]:
    """The stretches between start and due in which the calendar was closed, but for those in which it stood anyway."""
    clock, at_ms, closed = policy.clock(target.clock), start_ms, []
    for stand in stands:
        closed += clock.closed_between(at_ms, stand.from_ms)
        if stand.to_ms is None:
            return closed
        at_ms = stand.to_ms
    return closed + clock.closed_between(at_ms, text_to_ms(target.due_at))


def _offers(
    policy: Policy, record: IncidentRecord, decision: Decision, target: TargetRecord, start_ms: int | None
) -> tuple[Offer, ...]:
    """Every budget promised for the target, due as if nothing had stood; which one counts is what was recorded."""
    budgets = [
        TargetBudget(support.attend, support.by[0])
        for support in decision.support
        if target.name == "attend"
        and support.attend is not None
        and party(support.department, support.unit) == target.of
    ]
    for plan in decision.targets:
        if plan.name == target.name:
            budgets += plan.budgets
    offers: list[Offer] = []
    for promised in budgets:
        due_ms = None if start_ms is None else policy.open(promised.budget, start_ms).due_ms
        counts = (promised.budget.text, promised.by) == (target.budget, target.by)
        offers.append(_offer(promised, due_ms, counts=counts and not any(offer.counts for offer in offers)))
    if target.by.startswith(PROMISED):
        asked_at = record.promised_at if record.promised_at and record.promised_at > target.due_at else None
        offers.append(Offer(target.budget, ALWAYS, target.by, target.due_at, counts=True, asked_at=asked_at))
    elif record.promised_at and target.name == "resolve" and target.of == _lead_of(record):
        offers.append(Offer("promised", ALWAYS, PROMISED + record.facts.source, record.promised_at))
    return tuple(offers)


def _lead_of(record: IncidentRecord) -> str | None:
    return None if record.lead is None else party(record.lead.department, record.lead.unit)


def _offer(promised: TargetBudget, due_ms: int | None = None, *, counts: bool = False) -> Offer:
    budget = promised.budget
    due_at = None if due_ms is None else ms_to_text(due_ms)
    return Offer(budget.text, budget.clock, promised.by, due_at, counts, promised.provisional is not None)
