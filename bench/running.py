"""A run of a bench from its begin to its line: how busy the machine was before, what was found, what it took."""

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from bench.answers import WrongAnswer
from bench.machine import commit, machine, versions
from bench.options import keep

__all__ = ["run_bench"]

T = TypeVar("T")


def run_bench(
    name: str,
    file: Path | None,
    size: Mapping[str, Any],
    measure: Callable[[], T],
    shown: Callable[[T, float], str],
    kept: Callable[[T], dict[str, Any]],
    more_versions: Mapping[str, str] | None = None,
) -> int:
    """Measure, print and keep; returns the exit code, 1 when an answer was wrong.

    Args:
        name: of the bench, in its line.
        file: of lines, to which this run's is appended; None for none.
        size: how much was done.
        measure: raises WrongAnswer.
        shown: for people, what was found and the seconds it took.
        kept: the same for programs.
        more_versions: of packages that only this bench uses.
    """
    before = {"commit": commit(), "versions": {**versions(), **(more_versions or {})}, "machine": machine()}
    started = time.monotonic()
    try:
        found = measure()
    except WrongAnswer as wrong:
        print(f"wrong answer: {wrong}", file=sys.stderr)
        return 1
    took_s = time.monotonic() - started
    print(shown(found, took_s))
    keep(file, {"bench": name, **before, "size": dict(size), "seconds": round(took_s, 1)} | kept(found))
    return 0
