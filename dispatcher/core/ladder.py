"""When a target warns, falls due and climbs its ladder, one after the other.

A ladder's steps for one target are put in order once: those at a percentage of the budget, then those at the breach and
after it, `repeat` times over. `target.rung` says how many are behind it. When the next one comes is a function of what
the target keeps (since, consumed, breached, rung), so an engine that was restored waits for the same instants. A step
outside the ladder's hours is held until they begin, never dropped.

A paused target climbs no further; it goes on when it runs again, with what came due meanwhile at once.
"""

from collections.abc import Sequence
from typing import NamedTuple

from dispatcher.core.incident import NEVER_MS, Target
from rules import Clock, Ladder, Policy
from rules import Step as LadderStep

__all__ = ["CLIMBED", "Pace"]

CLIMBED = 1 << 20  # the rung of a target whose ladder is over


class Pace(NamedTuple):
    """Warnings (percent) and ladder steps of one target under one SLA and ladder; made by `Pace.of`."""

    policy: Policy
    warn: Sequence[int] = ()
    ladder: Ladder | None = None
    at_percent: tuple[LadderStep, ...] = ()
    at_breach: tuple[LadderStep, ...] = ()

    @classmethod
    def of(cls, policy: Policy, sla: str, ladder: str | None, target: str) -> "Pace":
        """The pace of the target of a name; steps at one percentage stay in the order of the policy."""
        warn = policy.sla(sla).warn
        if ladder is None:
            return cls(policy, warn)
        steps = [step for step in policy.ladder(ladder).steps if step.trigger.target == target]
        early = sorted((step for step in steps if step.trigger.percent), key=lambda step: step.trigger.percent or 0)
        late = [step for step in steps if step.trigger.percent is None]
        late.sort(key=lambda step: 0 if step.after is None else step.after.nominal_ms)
        return cls(policy, warn, policy.ladder(ladder), tuple(early), tuple(late))

    @property
    def rungs(self) -> int:
        """How many steps there are, repetitions included."""
        rounds = 1 + (0 if self.ladder is None or self.ladder.repeat_every is None else self.ladder.repeat_times)
        return len(self.at_percent) + rounds * len(self.at_breach)

    def step(self, rung: int) -> LadderStep:
        """The step of a rung below `rungs`."""
        early = len(self.at_percent)
        return self.at_percent[rung] if rung < early else self.at_breach[(rung - early) % len(self.at_breach)]

    def stops_when(self, what: str) -> bool:
        """Whether the ladder is over once the party that owes the target has `acknowledged`, `arrived` and so on."""
        return self.ladder is not None and what in self.ladder.stop_when

    def first_shares_ms(self, amount_ms: int) -> list[int] | None:
        """Of a budget, the shares after which a target that begins may want attention; None: hours hold them back."""
        if self.ladder is not None and self.ladder.hold_outside is not None and self.at_percent:
            return None
        percents = [*self.warn[:1], *[step.trigger.percent or 0 for step in self.at_percent[:1]]]
        return [amount_ms * percent // 100 for percent in percents]

    def next_ms(self, target: Target, clock: Clock) -> int:
        """The next instant at which the target wants attention; `NEVER_MS` when it is over, paused or climbed."""
        if not target.active or target.since_ms < 0:
            return NEVER_MS
        next_ms = self.rung_ms(target, clock)
        if target.breached_ms is not None:
            return next_ms
        if target.warned < len(self.warn):
            share_ms = target.amount_ms * self.warn[target.warned] // 100
            next_ms = min(next_ms, clock.add(target.since_ms, max(0, share_ms - target.consumed_ms)))
        return min(next_ms, target.due_ms)

    def rung_ms(self, target: Target, clock: Clock) -> int:
        """When the next step is taken; a step at the breach waits for the breach."""
        rung, early = target.rung, len(self.at_percent)
        if rung >= self.rungs:
            return NEVER_MS
        if rung < early:
            percent = self.at_percent[rung].trigger.percent or 0
            share_ms = target.amount_ms * percent // 100
            return self._held(clock.add(target.since_ms, max(0, share_ms - target.consumed_ms)))
        if target.breached_ms is None:
            return NEVER_MS
        return self._held(max(self._late_ms(target.breached_ms, rung - early), target.since_ms))

    def _late_ms(self, breached_ms: int, n: int) -> int:
        """The instant of the n-th step from the breach on: never before an earlier one, whatever calendars say."""
        base_ms = latest_ms = breached_ms
        for position in range(n + 1):
            turn, index = divmod(position, len(self.at_breach))
            if turn and index == 0 and self.ladder is not None and self.ladder.repeat_every is not None:
                base_ms = latest_ms = self.policy.open(self.ladder.repeat_every, latest_ms).due_ms
            after = self.at_breach[index].after
            if after is not None:
                latest_ms = max(latest_ms, self.policy.open(after, base_ms).due_ms)
        return latest_ms

    def _held(self, instant_ms: int) -> int:
        if self.ladder is None or self.ladder.hold_outside is None:
            return instant_ms
        return self.policy.clock(self.ladder.hold_outside).next_open(instant_ms)
