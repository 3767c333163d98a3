"""Targets: promises measured in consumed working time, never by adding a pause to a deadline.

A running target is due at `add(since, amount - consumed)` on its clock. Stopping adds `consumed(since, now)`; starting
again works the due instant out anew. At equal instants stop comes before pause, pause before start, and everything
before the timer: a target fulfilled at its due instant is in time.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dispatcher.core.incident import NEVER_MS, Incident, Target
from dispatcher.core.ladder import CLIMBED, Pace
from rules import Clock, Policy, TargetBudget
from rules import Step as LadderStep

__all__ = [
    "Fired",
    "extend",
    "fire",
    "fulfil",
    "open_target",
    "owed",
    "pause",
    "refresh",
    "repace",
    "resume",
    "retime",
    "revoke",
    "stop_climbing",
    "unfulfil",
]


class Fired(NamedTuple):
    """What a timer of a target did: `warn` with the percentage, `breach`, or `climb` with the ladder's step."""

    what: str
    percent: int | None = None
    step: LadderStep | None = None


def open_target(policy: Policy, name: str, of: str, budgets: Sequence[TargetBudget], now_ms: int, pace: Pace) -> Target:
    """Start a target at `now_ms`: of several budgets the earliest due wins, the first named among equals."""
    chosen: Target | None = None
    for promised in budgets:
        opened = policy.open(promised.budget, now_ms)
        if chosen is None or opened.due_ms < chosen.due_ms:
            chosen = Target(
                name, of, promised.budget.text, opened.clock, promised.by, opened.amount_ms, 0, now_ms, opened.due_ms,
                opened.provisional or promised.provisional is not None,
            )  # fmt: skip
    if chosen is None:
        raise ValueError(f"target {name} has no budget")
    refresh(chosen, policy.clock(chosen.clock), pace)
    return chosen


def refresh(target: Target, clock: Clock, pace: Pace) -> None:
    """Work out when the target next wants attention: a warning, a step of its ladder, its due instant, or never."""
    target.next_ms = pace.next_ms(target, clock)


def fire(target: Target, clock: Clock, pace: Pace, at_ms: int) -> Fired:
    """Do the one thing that is due at `at_ms` (= `target.next_ms`): a warning, the breach, or a step of the ladder.

    At the due instant itself the breach comes first; warnings not given by then are skipped.
    """
    if target.breached_ms is None and at_ms >= target.due_ms:
        target.breached_ms = target.due_ms
        target.warned = len(pace.warn)
        fired = Fired("breach")
    elif pace.rung_ms(target, clock) <= at_ms:
        fired = Fired("climb", step=pace.step(target.rung))
        target.rung += 1
    else:
        fired = Fired("warn", pace.warn[target.warned])
        target.warned += 1
    refresh(target, clock, pace)
    return fired


def pause(target: Target, clock: Clock, judged_ms: int, why: str) -> bool:
    """Stop the clock as of `judged_ms`; what was consumed is kept. Returns whether a breach was taken back."""
    if target.since_ms >= 0:
        target.runs = _joined(target.runs, target.since_ms, max(judged_ms, target.since_ms))
    _stop(target, clock, judged_ms)
    target.paused_by = why
    return _take_back_breach(target, judged_ms)


def resume(target: Target, clock: Clock, now_ms: int, pace: Pace) -> None:
    """Start the clock again where it stopped; a target already overdue stays overdue."""
    target.paused_by = None
    target.since_ms = now_ms
    if target.breached_ms is None:
        target.due_ms = clock.add(now_ms, target.amount_ms - target.consumed_ms)
    refresh(target, clock, pace)


def fulfil(target: Target, clock: Clock, judged_ms: int) -> bool:
    """Meet the target as of `judged_ms`; returns whether a breach was taken back.

    The breach timer may have fired while the answer waited in a queue: lag is never a department's fault.
    """
    _stop(target, clock, judged_ms)
    target.paused_by = None
    target.fulfilled_ms = judged_ms
    return _take_back_breach(target, judged_ms)


def unfulfil(target: Target, clock: Clock, now_ms: int, pace: Pace) -> None:
    """What was met is owed again (reopened): the clock goes on where it stopped."""
    target.fulfilled_ms = None
    resume(target, clock, now_ms, pace)


def extend(target: Target, clock: Clock, pace: Pace) -> None:
    """Grant the original budget once more; warnings already given are not given again."""
    target.amount_ms += target.amount_ms // (1 + target.extended)
    target.extended += 1
    if target.since_ms >= 0:
        target.due_ms = clock.add(target.since_ms, target.amount_ms - target.consumed_ms)
    refresh(target, clock, pace)


def retime(policy: Policy, target: Target, budgets: Sequence[TargetBudget], now_ms: int, pace: Pace) -> None:
    """Put another budget in place: the start stays, every pause counts on the new clock too, extensions are dropped.

    Of several the earliest due wins. One that had run out before `now_ms` is breached as of then.
    """
    runs = target.runs if target.since_ms < 0 else _joined(target.runs, target.since_ms, now_ms)
    best: tuple[int, TargetBudget] | None = None
    for promised in budgets:
        due_ms = _due_ms(policy, promised, runs, now_ms)
        if best is None or due_ms < best[0]:
            best = due_ms, promised
    if best is None or not runs:
        return
    due_ms, promised = best
    opened = policy.open(promised.budget, runs[0][0])
    clock = policy.clock(opened.clock)
    target.budget, target.clock, target.by = promised.budget.text, opened.clock, promised.by
    target.amount_ms, target.due_ms = opened.amount_ms, due_ms
    target.extended = 0
    target.provisional = opened.provisional or promised.provisional is not None
    target.consumed_ms = sum(clock.consumed(start, stop) for start, stop in runs)
    target.runs = tuple([run for run in runs if run[0] < run[1]])
    target.breached_ms = due_ms if due_ms < now_ms else None
    if target.since_ms >= 0:
        target.since_ms = now_ms
    _take_pace(target, clock, pace)


def repace(target: Target, clock: Clock, now_ms: int, pace: Pace) -> None:
    """Put other warnings and another ladder in place from `now_ms` on; the budget stays."""
    if target.since_ms >= 0:
        target.consumed_ms += clock.consumed(target.since_ms, now_ms)
        if target.since_ms < now_ms:
            target.runs = _joined(target.runs, target.since_ms, now_ms)
        target.since_ms = now_ms
    _take_pace(target, clock, pace)


def _take_pace(target: Target, clock: Clock, pace: Pace) -> None:
    """What would have been said at percentages that lie behind stays unsaid; steps from a breach on come now."""
    used_ms, amount_ms = target.consumed_ms, target.amount_ms
    target.warned = sum(amount_ms * percent // 100 <= used_ms for percent in pace.warn)
    target.rung = sum(amount_ms * (step.trigger.percent or 0) // 100 <= used_ms for step in pace.at_percent)
    refresh(target, clock, pace)


def _joined(runs: tuple[tuple[int, int], ...], start_ms: int, stop_ms: int) -> tuple[tuple[int, int], ...]:
    """One more span; one that begins where the last ended goes on with it."""
    if runs and runs[-1][1] == start_ms:
        return (*runs[:-1], (runs[-1][0], stop_ms))
    return (*runs, (start_ms, stop_ms))


def _due_ms(policy: Policy, promised: TargetBudget, runs: Sequence[tuple[int, int]], now_ms: int) -> int:
    """When the budget runs out, had it been the one from the first run on; from `now_ms` on it runs without a pause."""
    opened = policy.open(promised.budget, runs[0][0] if runs else now_ms)
    clock, left_ms = policy.clock(opened.clock), opened.amount_ms
    for start, stop in runs:
        used_ms = clock.consumed(start, stop)
        if used_ms >= left_ms and start < stop:
            return min(clock.add(start, left_ms), stop)
        left_ms -= used_ms
    return clock.add(now_ms, left_ms)


def _stop(target: Target, clock: Clock, judged_ms: int) -> None:
    if target.since_ms >= 0:
        target.consumed_ms += clock.consumed(target.since_ms, max(judged_ms, target.since_ms))
        target.since_ms = -1
    target.next_ms = NEVER_MS


def _take_back_breach(target: Target, judged_ms: int) -> bool:
    if target.breached_ms is not None and judged_ms <= target.due_ms:
        target.breached_ms = None
        return True
    return False


def stop_climbing(target: Target, clock: Clock, pace: Pace) -> None:
    """The ladder is over for this target; its warnings and its due instant stay."""
    target.rung = CLIMBED
    refresh(target, clock, pace)


def revoke(target: Target, now_ms: int) -> None:
    """The target is no longer owed."""
    target.revoked_ms = now_ms
    target.since_ms = -1
    target.next_ms = NEVER_MS


def owed(incident: Incident, name: str, of: str | None = None) -> Iterable[Target]:
    """The active targets of a name, of one party or of all."""
    return [
        target
        for target in incident.targets
        if target.name == name and target.active and (of is None or target.of == of)
    ]
