"""What becomes of a bug in the engine: the engine is thrown away, and what broke it ends as `engine_error`.

The core is pure, so a record it fails on fails it again, here and on every machine. Once the record is known it is
given again as poisoned, with what came before it and nothing after: many of them in a row are got past one at a time.
While it is not known (writing what several did has failed), everything is done one by one.
"""

import logging
from collections.abc import Callable, Sequence

from dispatcher.core import Engine, EngineFault, Outcome, Poison
from dispatcher.core.work import Work

__all__ = ["Faults"]

log = logging.getLogger(__name__)


class Faults:
    """The poisoned records and timers of one partition.

    Args:
        on_fault: told of each.
    """

    def __init__(self, on_fault: Callable[[EngineFault], None]) -> None:
        self._on_fault = on_fault
        self._poisoned: set[Poison] = set()
        self._one_by_one = False
        self._last: Poison | None = None  # learnt last, and not yet got past

    def process(self, engine: Engine, work: Sequence[Work]) -> Outcome:
        """Have the engine process work, without what has broken it before.

        Raises:
            EngineFault: something breaks it; `learn` that, rebuild the engine and process again.
        """
        if self._one_by_one:
            return engine.process(work[:1], poisoned=self._poisoned, outputs_max=1)
        if self._last is not None:
            places = (n for n, item in enumerate(work) if item.origin.key == self._last)
            work = work[: next(places, 0) + 1]  # a timer or a job is due before the first of them
        outcome = engine.process(work, poisoned=self._poisoned)
        self._last = None
        return outcome

    def learn(self, fault: EngineFault) -> None:
        """Take a fault into account from now on.

        Raises:
            EngineFault: it was taken into account already: not even the rejection can be written, so stop loudly.
        """
        if not (fault.sure or self._one_by_one):
            log.error(
                "engine fault on a batch; taking its records one by one",
                exc_info=fault,
                extra={"event": "engine_fault"},
            )
            self._one_by_one = True
            return
        if fault.poison in self._poisoned:
            raise fault
        said = {"event": "engine_fault", "record": fault.poison}
        log.error("engine fault on %s; it ends as engine_error", fault.poison, exc_info=fault, extra=said)
        self._on_fault(fault)
        self._poisoned.add(fault.poison)
        self._last = fault.poison

    def go_on(self) -> None:
        """A batch has been found through: the next one is taken whole again."""
        self._one_by_one = False
