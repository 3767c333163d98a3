"""Wall time by phase: a stack of clocks around public functions, for a handful of calls a batch.

While a phase runs inside another, the outer one's clock stands still, so the phases add up. A function is named by
where it is looked up (`module:Class.method`), is wrapped for the length of a `with` block and put back afterwards.
"""

import importlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from time import perf_counter_ns
from typing import Any

__all__ = ["Stopwatch"]


class Stopwatch:
    """Nanoseconds by phase."""

    def __init__(self) -> None:
        self.ns: Counter[str] = Counter()
        self._running: list[str] = []
        self._since_ns = 0

    @contextmanager
    def around(self, places: Mapping[str, str]) -> Iterator[None]:
        """Charge each place (`module:Class.method`) to its phase while the block runs.

        Raises:
            AttributeError: there is no such function any more.
        """
        originals: list[tuple[Any, str, Any]] = []
        try:
            for place, phase in places.items():
                owner, name = _find(place)
                original = getattr(owner, name)
                originals.append((owner, name, original))
                setattr(owner, name, self._timed(original, phase))
            yield
        finally:
            for owner, name, original in reversed(originals):
                setattr(owner, name, original)

    def _timed(self, function: Callable[..., Any], phase: str) -> Callable[..., Any]:
        running = self._running

        @wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever the function takes
            self._charge()
            running.append(phase)
            try:
                return function(*args, **kwargs)
            finally:
                self._charge()
                running.pop()

        return timed

    def _charge(self) -> None:
        now_ns = perf_counter_ns()
        if self._running:
            self.ns[self._running[-1]] += now_ns - self._since_ns
        self._since_ns = now_ns


def _find(place: str) -> tuple[Any, str]:
    module, _, path = place.partition(":")
    *owners, name = path.split(".")
    owner: Any = importlib.import_module(module)
    for part in owners:
        owner = getattr(owner, part)
    if isinstance(owner, type) and name not in vars(owner):
        raise AttributeError(f"{place}: {owner.__name__} has no {name} of its own")
    return owner, name
