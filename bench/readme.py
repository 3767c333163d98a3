"""`python -m bench.readme`: the README's figures, made of the runs kept in docs/bench.jsonl.

The newest line of each bench counts; one that is not there is left out, a row that a bench no longer has is an error.
Rivals come first, whoever is faster, then what was promised, met or not, then how costs grow.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from bench.table import figure_text

__all__ = ["BEGIN", "END", "RUNS", "figures", "with_figures"]

ROOT: Final = Path(__file__).parents[1]
RUNS: Final = ROOT / "docs" / "bench.jsonl"
README: Final = ROOT / "README.md"
BEGIN, END = "<!-- figures: python -m bench.readme -->\n", "<!-- /figures -->\n"
BUSY: Final = 0.5  # of a core, before the run began: others were at work

Run = Mapping[str, Any]


class Beside(NamedTuple):
    """A rival's row, and the ratio of ours to it."""

    bench: str
    what: str
    rival: str
    row: str
    ratio: str


ZEN: Final = "decide: ZEN Engine, 300 rules, routes only"
RIVALS: Final = (
    Beside("kafka", "reports to departments on Kafka", "Quix Streams", "Quix Streams: reports a second",
           "one worker: times Quix Streams"),
    Beside("kafka", "the same", "plain Faust", "plain Faust: reports a second", "one worker: times plain Faust"),
    Beside("dispatch", "a point to its cell, of 6,063", "Rtree in a loop", "locate: rtree in a loop, a point",
           "locate: times rtree in a loop"),
    Beside("dispatch", "the same", "Shapely's STRtree in bulk", "locate: STRtree in bulk, a point",
           "locate: times STRtree in bulk"),
    Beside("dispatch", "facts to a route, of 300, first met", "ZEN Engine", ZEN,
           "decide: times ZEN Engine, facts not met before"),
    Beside("dispatch", "the same, met before", "ZEN Engine", ZEN,
           "decide: times ZEN Engine, facts met before"),
    Beside("dispatch", "facts to a decision, first met", "a loop over the rules",
           "decide: the plain loop, 300 rules, routes only", "decide: times the plain loop, facts not met before"),
)  # fmt: skip
PROMISED: Final = (
    ("dispatch", "core: a report, growing", "the core, a report"),
    ("dispatch", "core: an update", "the core, an update"),
    ("dispatch", "core: a report of a storm", "the core, a report of a storm"),
    ("dispatch", "core: a report of a camera burst", "the core, a report of a camera burst"),
    ("dispatch", "embedded: reports a second", "on one file, every commit durable"),
    ("dispatch", "locate: a point in batches", "a point to its cell"),
    ("dispatch", "decide: cold, 1,000 rules", "a decision of 1,000 rules, not met before"),
    ("dispatch", "memory: an open incident", "memory of an open incident"),
    ("kafka", "one worker: reports a second", "one worker on Kafka"),
    ("kafka", "one worker: share of the pass-through", "its share of a program that only writes the same"),
    ("kafka", "restore: incidents a second", "a worker's restart"),
    ("gateway", "one by one, 64 connections: reports a second", "reports over HTTP, one by one"),
    ("gateway", "500 at once, 4 connections: reports a second", "reports over HTTP, 500 at once"),
)
GROWN: Final = ("open incidents", "rules", "cells")


def figures(lines: Iterable[bytes]) -> str:
    """The README's part, from the lines of a file of runs.

    Raises:
        KeyError: a run has not the row that is asked of it.
    """
    runs: dict[str, Run] = {run["bench"]: run for run in map(orjson.loads, lines)}
    parts = [_provenance(runs.values()), _rivals(runs), _promised(runs)]
    if "growth" in runs:
        parts.append(_grown(runs["growth"]))
    return "\n".join(parts)


def with_figures(readme: str, made: str) -> str:
    """A README with these figures between its markers. Raises ValueError when it has none."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no {BEGIN.strip()} … {END.strip()}")
    return before + begin + made + end + after


def _provenance(runs: Iterable[Run]) -> str:
    """On what, at which commit, with how many rounds, and whether others were at work."""
    lines = []
    for run in runs:
        machine, size = run["machine"], run["size"]
        commit = run["commit"] or "no commit"
        commit = commit[:9] + commit[40:]  # what comes after a hash says that files differed from it
        busy = f"busy with other work (load {machine['load']})" if machine["load"] > BUSY else "quiet"
        name = f"`{run['bench']}`: {size['rounds']} rounds at {commit}"
        lines.append(f"{name}, {machine['cores']} cores of {machine['processor']}, {busy} before it began")
    return "Median (minimum to maximum). " + "; ".join(lines) + ".\n"


def _rivals(runs: Mapping[str, Run]) -> str:
    table = [["what", "beside", "its figure", "ours: times as fast", "what it does without"]]
    for bench, what, rival, name, ratio in RIVALS:
        if bench in runs:
            row, times = _row(runs[bench], name), _row(runs[bench], ratio)
            lost = "" if times["met"] else " **(we lose)**"
            table.append([what, rival, _spread(row), _spread(times) + lost, row["without"] or "nothing"])
    return _markdown(table)


def _promised(runs: Mapping[str, Run]) -> str:
    table = [["what", "figure", "budget", "met"]]
    for bench, name, what in PROMISED:
        if bench in runs:
            row = _row(runs[bench], name)
            table.append([what, _spread(row), row["budget"] or "", {None: "", True: "yes", False: "no"}[row["met"]]])
    return _markdown(table)


def _grown(run: Run) -> str:
    """The cost of a report at each size as so many times that at the smallest."""
    table = [["a report, as this grows", "smallest", "cost there", "larger: times that cost"]]
    for what in GROWN:
        smallest, *larger = run["size"][what.removeprefix("open ")]
        times = [f"{n:,}: {_spread(_row(run, f'growth: {n:,} over {smallest:,} {what}'))}" for n in larger]
        table.append([what, f"{smallest:,}", _spread(_row(run, f"growth: {smallest:,} {what}")), "; ".join(times)])
    return _markdown(table)


def _row(run: Run, name: str) -> Run:
    for row in run["rows"]:
        if row["name"] == name:
            found: Run = row
            return found
    raise KeyError(f"{run['bench']} has no row {name!r}")


def _spread(row: Run) -> str:
    unit = {"1/s": "/s", "×": " ×"}.get(row["unit"], f" {row['unit']}")
    least, middle, most = (figure_text(row[key]) for key in ("min", "median", "max"))
    return f"{middle}{unit}" if least == most else f"{middle}{unit} ({least} to {most})"


def _markdown(table: Sequence[Sequence[str]]) -> str:
    return "\n".join(_lines(table)) + "\n"


def _lines(table: Sequence[Sequence[str]]) -> Iterator[str]:
    head, *rows = table
    for line in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(line)} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write them into the README; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.readme", description=__doc__)
    parser.add_argument("--runs", type=Path, default=RUNS, metavar="FILE", help="the lines of runs; docs/bench.jsonl")
    parser.add_argument("--readme", type=Path, default=README, metavar="FILE", help="what is written to; README.md")
    options = parser.parse_args(arguments)
    made = figures(options.runs.read_bytes().splitlines())
    options.readme.write_text(with_figures(options.readme.read_text(encoding="utf-8"), made), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
