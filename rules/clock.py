"""What every clock can do, and the clock that never stops.

A clock answers two questions that undo each other: how much of its time passes between two instants (`consumed`),
and at which earliest instant a given amount has passed (`add`). All instants are epoch milliseconds, all amounts
milliseconds of the clock's own time.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from rules.budgets import ALWAYS, DAY_MS, HOUR_MS, MINUTE_MS, Budget

Instants = npt.NDArray[np.int64]


class Opened(msgspec.Struct, frozen=True, gc=False):
    """A budget at the instant its clock started: from here on, due = add(now, amount_ms - consumed)."""

    amount_ms: int
    due_ms: int
    provisional: bool
    clock: str


class Stretch(NamedTuple):
    """Instants `from_ms <= t < until_ms` at which adding gives one and the same: as far ahead, or one instant."""

    from_ms: int
    until_ms: int
    moves: bool  # what was added to t comes as much later as t does; else it stays, since the clock stands still


class Clock(Protocol):
    """What targets run on; `AlwaysClock` and `WorkingClock` are the two kinds."""

    name: str

    def add(self, t_ms: int, amount_ms: int) -> int:
        """Give the earliest instant at which the amount has passed."""

    def consumed(self, t0_ms: int, t1_ms: int) -> int:
        """Give the amount that passes between two instants."""

    def add_many(self, t_ms: Instants, amount_ms: Instants) -> Instants:
        """Do `add` for arrays."""

    def consumed_many(self, t0_ms: Instants, t1_ms: Instants) -> Instants:
        """Do `consumed` for arrays."""

    def contains(self, t_ms: int) -> bool:
        """Say whether the clock runs at the instant."""

    def next_open(self, t_ms: int) -> int:
        """Give the instant itself when the clock runs, else the next start."""

    def closed_between(self, t0_ms: int, t1_ms: int) -> list[tuple[int, int]]:
        """List the stretches in which the clock stands still."""

    def provisional(self, t_ms: int) -> bool:
        """Say whether holidays are not known at the instant."""

    @property
    def coverage_until_ms(self) -> int | None:
        """Until when holidays are known; None = for ever."""

    def stretch(self, t_ms: int, amounts_ms: Sequence[int]) -> Stretch | None:
        """Give the stretch around the instant in which adding each amount, and what is provisional, stays alike."""

    def open(self, budget: Budget, at_ms: int) -> Opened:
        """Start a budget."""


class AlwaysClock:
    """The clock that never stops: `m h d` run on it."""

    name = ALWAYS

    def add(self, t_ms: int, amount_ms: int) -> int:
        """Give the earliest instant at which the amount has passed."""
        return t_ms + max(amount_ms, 0)

    def consumed(self, t0_ms: int, t1_ms: int) -> int:
        """Give the amount that passes between two instants."""
        return max(t1_ms - t0_ms, 0)

    def add_many(self, t_ms: Instants, amount_ms: Instants) -> Instants:
        """Do `add` for arrays."""
        return t_ms + np.maximum(amount_ms, 0)

    def consumed_many(self, t0_ms: Instants, t1_ms: Instants) -> Instants:
        """Do `consumed` for arrays."""
        passed: Instants = np.maximum(t1_ms - t0_ms, 0)
        return passed

    def contains(self, t_ms: int) -> bool:  # noqa: ARG002
        """Say whether the clock runs at the instant."""
        return True

    def next_open(self, t_ms: int) -> int:
        """Give the instant itself when the clock runs, else the next start."""
        return t_ms

    def closed_between(self, t0_ms: int, t1_ms: int) -> list[tuple[int, int]]:  # noqa: ARG002
        """List the stretches in which the clock stands still."""
        return []

    def provisional(self, t_ms: int) -> bool:  # noqa: ARG002
        """Say whether holidays are not known at the instant."""
        return False

    @property
    def coverage_until_ms(self) -> int | None:
        """Until when its days are known; None = for ever."""
        return None

    def stretch(self, t_ms: int, amounts_ms: Sequence[int]) -> Stretch | None:  # noqa: ARG002
        """Give the stretch around the instant in which adding each amount stays alike: all of time."""
        return Stretch(-(1 << 62), 1 << 62, moves=True)

    def open(self, budget: Budget, at_ms: int) -> Opened:
        """Start a budget of `m h d`. Raises ValueError for working units, which need a calendar."""
        if budget.is_working:
            raise ValueError(f"{budget.text} runs in calendar {budget.calendar}")
        amount_ms = round(budget.amount * {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}[budget.unit])
        return Opened(amount_ms, at_ms + amount_ms, provisional=False, clock=self.name)
