"""SLAs and ladders as they are used: budgets parsed, each with the calendar it runs in."""

import msgspec

from rules.budgets import Budget, parse_budget
from rules.ladders import Ladder, Step, parse_recipient, parse_trigger
from rules.model_clocks import TARGET_OF, LadderEntry, SlaEntry
from rules.shapes import STANDARD, parse_percent


class SlaTarget(msgspec.Struct, frozen=True, gc=False):
    """A target of an SLA. `by_standard`: its budget is the filing standard's; `budget` is then the default, or None."""

    name: str
    of: str
    by_standard: bool
    budget: Budget | None


class Sla(msgspec.Struct, frozen=True, gc=False):
    """What is promised. `warn` in percent of a budget, rising."""

    name: str
    calendar: str
    targets: tuple[SlaTarget, ...]
    warn: tuple[int, ...]
    return_within: Budget | None
    verify_within: Budget | None
    reopen_within: Budget | None
    reopen_clock: str
    hold_max: Budget | None
    hold_times: int
    extend_times: int
    close_after: str
    done_by: str
    callback_attempts: int


DEFAULT_EXTENDS = 2
"""Extensions a department may ask for (lifecycle.md: at most two)."""


def build_sla(entry: SlaEntry) -> Sla:
    """Build it. Raises ValueError for budgets that the loader would have refused."""

    def budget(text: str | None) -> Budget | None:
        return None if text is None else parse_budget(text, entry.calendar)

    targets = tuple(
        SlaTarget(
            name=target.name,
            of=target.of or TARGET_OF[target.name],
            by_standard=target.within == STANDARD,
            budget=budget(target.default if target.within == STANDARD else target.within),
        )
        for target in entry.targets
    )
    return Sla(
        name=entry.name,
        calendar=entry.calendar,
        targets=targets,
        warn=tuple(sorted({parse_percent(text) for text in entry.warn})),
        return_within=budget(entry.return_within),
        verify_within=budget(entry.verify_within),
        reopen_within=budget(entry.reopen.within if entry.reopen else None),
        reopen_clock=entry.reopen.clock if entry.reopen else "resume",
        hold_max=budget(entry.hold.max if entry.hold else None),
        hold_times=entry.hold.times if entry.hold else 0,
        extend_times=DEFAULT_EXTENDS if entry.extend_times is None else entry.extend_times,
        close_after=entry.close_after,
        done_by=entry.done_by,
        callback_attempts=entry.callback_attempts,
    )


def build_ladder(entry: LadderEntry, ladders: dict[str, LadderEntry]) -> Ladder:
    """Return the ladder with the steps of those it continues with. The chain must end (the loader refuses cycles)."""

    def budget(text: str | None, calendar: str | None) -> Budget | None:
        return None if text is None else parse_budget(text, calendar)

    steps: list[Step] = []
    part: LadderEntry | None = entry
    while part is not None:
        steps += [
            Step(parse_trigger(step.trigger), budget(step.after, part.calendar), parse_recipient(step.to), step.do)
            for step in part.steps
        ]
        part = ladders[part.then] if part.then else None
    return Ladder(
        name=entry.name,
        steps=tuple(steps),
        hold_outside=entry.hold_outside,
        acknowledge_timeout=budget(entry.acknowledge_timeout, entry.calendar),
        repeat_every=budget(entry.repeat.every if entry.repeat else None, entry.calendar),
        repeat_times=entry.repeat.times if entry.repeat else 0,
        stop_when=entry.stop_when,
    )
