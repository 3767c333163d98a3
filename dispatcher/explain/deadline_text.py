"""Deadlines as text: one line that says when and how it stands, then the arithmetic behind it."""

from collections.abc import Iterator, Sequence

from dispatcher.core.lifecycle import CENTRE
from dispatcher.explain.deadlines import LATER, PROMISED, Deadline, Offer
from dispatcher.explain.speech import Speech
from dispatcher.explain.words import TARGETS
from rules import ALWAYS

__all__ = ["deadline_lines", "due_line"]

SPANS_SHOWN = 3  # of the closed hours; JSON has more of them


def due_line(deadline: Deadline, say: Speech) -> str:
    """What is due when, and how it stands."""
    given = {"target": say.word(TARGETS, deadline.name), "party": _party(deadline.of, say)}
    if deadline.due_at is None:
        budgets = say("or").join(say("of_budget", budget=offer.budget, by=offer.by) for offer in deadline.offers)
        later = "planned_check" if deadline.name in LATER else "planned"
        return say("plan", **given, budgets=budgets, outcome=say(later))
    return say("due", **given, due=say.instant(deadline.due_at), outcome=_outcome(deadline, say))


def deadline_lines(deadline: Deadline, say: Speech) -> Iterator[str]:
    """The arithmetic: budget, clock and start; what was skipped; when it stood; what else was promised."""
    if deadline.due_at is None or deadline.start_at is None:
        return
    yield say("target", target=say.word(TARGETS, deadline.name), party=_party(deadline.of, say))
    yield f"  {_sum(deadline, say.instant(deadline.start_at), say)}"
    if deadline.extended:
        yield f"  {say('extended', count=deadline.extended, amount=say.duration(deadline.amount_ms))}"
    if deadline.closed_spans:
        shown = [f"{say.instant(s.from_at)}{say('to')}{say.instant(s.to_at)}" for s in deadline.closed[:SPANS_SHOWN]]
        if deadline.closed_spans > len(shown):
            shown.append(say("more", count=deadline.closed_spans - len(shown)))
        yield f"  {say('skipped', count=deadline.closed_spans, spans=say('and').join(shown))}"
    for stop in deadline.stops:
        given = {"start": say.instant(stop.from_at), "why": _why(stop.why, say), "used": say.duration(stop.consumed_ms)}
        if stop.to_at is None:
            yield f"  {say('stands', **given)}"
        else:
            yield f"  {say('stop', end=say.instant(stop.to_at), **given)}"
    if deadline.consumed_ms:
        yield f"  {say('used', used=say.duration(deadline.consumed_ms), amount=say.duration(deadline.amount_ms))}"
    yield from (f"  {line}" for line in _offers(deadline.offers, say))


def _sum(deadline: Deadline, start: str, say: Speech) -> str:
    if deadline.by.startswith(PROMISED):
        return say("sum_promise", source=deadline.by.removeprefix(PROMISED), start=start)
    text = say("sum", budget=deadline.budget, clock=_clock(deadline.clock, say), by=deadline.by, start=start)
    if any(offer.counts and offer.standard for offer in deadline.offers):
        return text + say("remark", remark=say("standard"))
    return text + say("remark", remark=say("provisional")) if deadline.provisional else text


def _offers(offers: Sequence[Offer], say: Speech) -> Iterator[str]:
    """What else was promised, and why it is not that."""
    counted = next((offer for offer in offers if offer.counts), None)
    others = [offer for offer in offers if not offer.counts]
    for offer in others:
        due = say("none") if offer.due_at is None else say.instant(offer.due_at)
        if offer.by.startswith(PROMISED):
            yield say("other_promise", source=offer.by.removeprefix(PROMISED), due=due)
        else:
            yield say("other", budget=offer.budget, clock=_clock(offer.clock, say), by=offer.by, due=due)
    if counted is None or not others:
        return
    extends = any(offer.due_at and counted.due_at and offer.due_at < counted.due_at for offer in others)
    yield say("extends" if extends else "earliest")
    if counted.asked_at is not None:
        yield say("cut", asked=say.instant(counted.asked_at))


def _outcome(deadline: Deadline, say: Speech) -> str:
    at = "" if deadline.outcome_at is None else say.instant(deadline.outcome_at)
    why = _why(deadline.stops[-1].why, say) if deadline.stops else ""
    return say(deadline.outcome, at=at, why=why)


def _party(of: str, say: Speech) -> str:
    return say("centre") if of == CENTRE else say.party_of(of)


def _clock(clock: str, say: Speech) -> str:
    return say("always") if clock == ALWAYS else say("calendar", calendar=clock)


def _why(why: str, say: Speech) -> str:
    return say(why) if why in ("done", "hold") else why
