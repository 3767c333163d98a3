"""Targets: promises measured in consumed working time, never by adding a pause to a deadline.

A running target is due at `add(since, amount - consumed)` on its clock. Stopping adds `consumed(since, now)`; starting
again works the due instant out anew. At equal instants stop comes before pause, pause before start, and everything
before the timer: a target fulfilled at its due instant is in time.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dispatcher.core.incident import NEVER_MS, Incident, Target
from rules import Clock, Policy, TargetBudget

__all__ = ["Fired", "fire", "fulfil", "open_target", "owed", "pause", "refresh", "resume", "revoke"]


class Fired(NamedTuple):
    """What a timer of a target did: `warn` with the percentage, or `breach`."""

    what: str
    percent: int | None


def open_target(
    policy: Policy, name: str, of: str, budgets: Sequence[TargetBudget], now_ms: int, warn: Sequence[int]
) -> Target:
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
    refresh(chosen, policy.clock(chosen.clock), warn)
    return chosen


def refresh(target: Target, clock: Clock, warn: Sequence[int]) -> None:
    """Work out when the target next wants attention: its next warning, then its due instant, then never."""
    if not target.active or target.since_ms < 0 or target.breached_ms is not None:
        target.next_ms = NEVER_MS
    elif target.warned < len(warn):
        share_ms = target.amount_ms * warn[target.warned] // 100
        target.next_ms = min(clock.add(target.since_ms, max(0, share_ms - target.consumed_ms)), target.due_ms)
    else:
        target.next_ms = target.due_ms


def fire(target: Target, clock: Clock, warn: Sequence[int], at_ms: int) -> Fired:
    """Do what is due at `at_ms` (= `target.next_ms`): one warning, or the breach.

    At the due instant itself the breach comes at once; warnings not given by then are skipped.
    """
    if at_ms >= target.due_ms:
        target.breached_ms = target.due_ms
        target.warned = len(warn)
        target.next_ms = NEVER_MS
        return Fired("breach", None)
    percent = warn[target.warned]
    target.warned += 1
    refresh(target, clock, warn)
    return Fired("warn", percent)


def pause(target: Target, clock: Clock, judged_ms: int, why: str) -> bool:
    """Stop the clock as of `judged_ms`; what was consumed is kept. Returns whether a breach was taken back."""
    _stop(target, clock, judged_ms)
    target.paused_by = why
    return _take_back_breach(target, judged_ms)


def resume(target: Target, clock: Clock, now_ms: int, warn: Sequence[int]) -> None:
    """Start the clock again where it stopped; a target already overdue stays overdue."""
    target.paused_by = None
    target.since_ms = now_ms
    if target.breached_ms is None:
        target.due_ms = clock.add(now_ms, target.amount_ms - target.consumed_ms)
    refresh(target, clock, warn)


def fulfil(target: Target, clock: Clock, judged_ms: int) -> bool:
    """Meet the target as of `judged_ms`; returns whether a breach was taken back.

    The breach timer may have fired while the answer waited in a queue: lag is never a department's fault.
    """
    _stop(target, clock, judged_ms)
    target.paused_by = None
    target.fulfilled_ms = judged_ms
    return _take_back_breach(target, judged_ms)


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
