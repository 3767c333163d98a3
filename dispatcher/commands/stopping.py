"""The signals by which a process that serves is asked to stop."""

import asyncio
import signal

__all__ = ["StopSignals"]

_STOPPING = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """Those that came, by name; heard from the moment this is made, so that what begins stops as soon as it stands."""

    def __init__(self) -> None:
        self._came: list[str] = []
        for signum in _STOPPING:
            signal.signal(signum, lambda number, _frame: self._came.append(signal.Signals(number).name))

    def __bool__(self) -> bool:
        return bool(self._came)

    def __str__(self) -> str:
        return ", ".join(self._came)

    def ending(self) -> asyncio.Event:
        """An event of the running loop: set by the next of them, and at once if one has come."""
        loop, ending = asyncio.get_running_loop(), asyncio.Event()

        def end(signum: signal.Signals) -> None:
            self._came.append(signum.name)
            ending.set()

        for signum in _STOPPING:
            loop.add_signal_handler(signum, end, signum)
        if self:
            ending.set()
        return ending
