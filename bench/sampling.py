"""Time by stage, by sampling: a stage is a file, so where the time goes is which file is running.

A timer of CPU time interrupts about a thousand times a second. What passed since the interruption before is charged to
the innermost frame of ours; so a long call into C (a batch of points located, say) counts in full for the file that
made it, however many interruptions fell into it. Nothing is wrapped: the code runs as it always does, a percent or two
slower, and what is renamed or moved inside a file changes nothing here.
"""

import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import process_time_ns
from types import FrameType, MappingProxyType
from typing import Final

__all__ = ["STAGES", "sampled"]

INTERVAL_S = 0.001
ROOT: Final = str(Path(__file__).parent.parent)
STAGES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "dispatcher/core/messages": "intake",
        "dispatcher/core/privacy": "intake",
        "dispatcher/core/instants": "wire",
        "dispatcher/core/incident": "engine",
        "dispatcher/core/lifecycle": "engine",
        "dispatcher/core/targets": "clocks",
        "rules/worktime": "clocks",
        "rules/clock": "clocks",
        "rules/calendars": "clocks",
        "rules/policy": "policy",
        "rules/": "decide",
        "geo/": "locate",
        "dispatcher/core/": "",
    }
)
"""The beginning of a file's path -> its stage; the first that fits. Empty: the file's own name is the stage."""


@contextmanager
def sampled() -> Iterator[Counter[str]]:
    """Nanoseconds of CPU time by stage while the block runs, in the main thread only.

    Raises:
        ValueError: not in the main thread, where Python handles signals.
    """
    spent_ns: Counter[str] = Counter()
    stage_of: dict[str, str] = {}
    last_ns = process_time_ns()

    def charge(_signal: int, frame: FrameType | None) -> None:
        nonlocal last_ns
        stage = ""
        while frame is not None and not stage:
            file = frame.f_code.co_filename
            stage = stage_of.get(file) or stage_of.setdefault(file, _stage(file))
            frame = frame.f_back
        now_ns = process_time_ns()
        spent_ns[stage or "bench"] += now_ns - last_ns
        last_ns = now_ns

    before = signal.signal(signal.SIGPROF, charge)
    signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)
    try:
        yield spent_ns
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _stage(file: str) -> str:
    """The stage of a file of ours; nothing for any other."""
    path = file.removeprefix(ROOT + "/")
    for beginning, stage in STAGES.items():
        if path.startswith(beginning):
            return stage or Path(path).stem
    return ""
