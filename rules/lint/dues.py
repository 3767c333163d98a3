"""When budgets fall due, for starts spread over a year: what is always later than something else.

Two budgets on two clocks can't be compared by their text: "3wd" may be due before or after "4d". So both are started
at many instants, and one is called later only when it is at every one of them.
"""

import numpy as np

from rules.budgets import DAY_MS, HOUR_MS, Budget
from rules.clock import Instants
from rules.policy import Policy

SPAN_MS, STEP_MS = 371 * DAY_MS, 11 * HOUR_MS
"""53 weeks, so that every holiday is met; 11 hours, so that every hour of the day is, about once a fortnight."""


class Dues:
    """Due instants by budget, remembered."""

    def __init__(self, policy: Policy, from_ms: int) -> None:
        self._policy = policy
        self.starts: Instants = np.arange(from_ms, from_ms + SPAN_MS, STEP_MS, dtype=np.int64)
        self._known: dict[tuple[str, str], Instants] = {}

    def of(self, budget: Budget) -> Instants:
        """Return when a budget falls due, for every start; epoch ms."""
        key = budget.text, budget.clock
        if key not in self._known:
            self._known[key] = self.after(budget, self.starts)
        return self._known[key]

    def after(self, budget: Budget, starts: Instants) -> Instants:
        """Return when a budget falls due that starts at other instants."""
        clock = self._policy.clock(budget.clock)
        if budget.unit == "wd_end":
            return np.array([clock.open(budget, int(at_ms)).due_ms for at_ms in starts], dtype=np.int64)
        amount_ms = clock.open(budget, int(starts[0])).amount_ms
        return clock.add_many(starts, np.full(len(starts), amount_ms, dtype=np.int64))

    def share(self, budget: Budget, percent: int) -> Instants:
        """Return when so many percent of a budget are used."""
        clock = self._policy.clock(budget.clock)
        used_ms = clock.consumed_many(self.starts, self.of(budget)) * percent // 100
        return clock.add_many(self.starts, used_ms)

    def is_always_later(self, late: Budget, early: Budget) -> bool:
        """Whether one falls due after the other, whenever both start."""
        return bool((self.of(late) > self.of(early)).all())

    def is_ever_earlier(self, budget: Budget, other: Budget) -> bool:
        """Whether one falls due before the other for some start."""
        return bool((self.of(budget) < self.of(other)).any())
