"""How a target's clock stands at an instant: how much of its budget is used, whether it runs, and what it waits for."""

from typing import Literal, NamedTuple

from dispatcher.core import text_to_ms
from dispatcher.core.records import TargetRecord
from rules import Policy

__all__ = ["Standing", "pressing", "standing"]

Light = Literal["overdue", "amber", "green", "paused", "outside", "none"]
AMBER = 0.8  # of the budget used: lifecycle.md


class Standing(NamedTuple):
    """A clock at one instant. `used_ms` and `left_ms` (below 0: over) are of its own time, not the calendar's."""

    name: str
    of: str
    light: Light
    used_ms: int
    amount_ms: int
    due_ms: int
    resumes_ms: int | None = None  # outside its hours: when these begin again
    why: str | None = None  # it was stopped

    @property
    def left_ms(self) -> int:
        """What is left of the budget."""
        return self.amount_ms - self.used_ms

    @property
    def runs(self) -> bool:
        """Whether time is being used up now."""
        return self.resumes_ms is None and self.why is None


def standing(target: TargetRecord, policy: Policy, now_ms: int) -> Standing:
    """The clock of a target that is owed."""
    due_ms = text_to_ms(target.due_at)
    if target.since is None:
        used_ms = target.consumed_ms
        light: Light = "overdue" if target.breached_at is not None else "paused"
        return Standing(target.name, target.of, light, used_ms, target.amount_ms, due_ms, None, target.paused_by or "")
    if not policy.has_clock(target.clock):  # of a policy that is not in force any more
        return Standing(target.name, target.of, "none", target.consumed_ms, target.amount_ms, due_ms)
    clock, since_ms = policy.clock(target.clock), text_to_ms(target.since)
    used_ms = target.consumed_ms + clock.consumed(since_ms, max(now_ms, since_ms))
    resumes_ms = None if clock.contains(now_ms) else clock.next_open(now_ms)
    if target.breached_at is not None or now_ms > due_ms:
        light = "overdue"
    elif resumes_ms is not None:
        light = "outside"
    else:
        light = "amber" if used_ms >= AMBER * target.amount_ms else "green"
    return Standing(target.name, target.of, light, used_ms, target.amount_ms, due_ms, resumes_ms)


def pressing(targets: list[TargetRecord], policy: Policy, now_ms: int, of: str | None = None) -> Standing | None:
    """The clock that presses most: the earliest that runs, else what stands still; of one party or of all."""
    owed = [t for t in targets if t.fulfilled_at is None and t.revoked_at is None and of in (None, t.of)]
    if not owed:
        return None
    running = [t for t in owed if t.since is not None]
    return standing(min(running or owed, key=lambda t: t.due_at), policy, now_ms)
