"""Crashes by seed, for the memory ledger and whatever calls its steps: simulations and tests of exactly-once.

ledger = MemoryLedger(on_step=Crashes(Random(7)))
"""

from collections import Counter
from random import Random

__all__ = ["Crashes", "Died"]


class Died(BaseException):
    """The process is gone at this step; nothing may catch it on the way but whoever starts the next one."""


class Crashes:
    """Counts steps and raises `Died` at those that the seed makes fatal.

    Args:
        random: where the fatal steps come from; its seed replays them.
        deaths_max: most deaths of one life; at least one.
        within_steps: they happen within so many steps.
        passed: counts the steps gone through, by name; shared between lives, it is their coverage.
        died: counts the steps died at, by name.
    """

    def __init__(
        self,
        random: Random,
        *,
        deaths_max: int = 6,
        within_steps: int = 120,
        passed: Counter[str] | None = None,
        died: Counter[str] | None = None,
    ) -> None:
        self._fatal = sorted(random.randint(0, within_steps) for _ in range(random.randint(1, deaths_max)))
        self._count = 0
        self.passed = Counter() if passed is None else passed
        self.died = Counter() if died is None else died

    def __call__(self, step: str) -> None:
        """Go through a step, or die at it."""
        self._count += 1
        if self._fatal and self._count > self._fatal[0]:
            self._fatal.pop(0)
            self.died[step] += 1
            raise Died(step)
        self.passed[step] += 1
