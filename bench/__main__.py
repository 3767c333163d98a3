"""`python -m bench`: measure, check, compare with the budgets. Exit 1 when an answer is wrong, whatever the speed."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import orjson

from bench.answers import WrongAnswer
from bench.machine import commit, machine, versions
from bench.rounds import Size, measure
from bench.table import Row, format_table, row_json

DEFAULT = Size(rounds=5, reports=4_000)
QUICK = Size(rounds=2, reports=1_500, points=3_000, other_rules=(100,), paused_incidents=5_000)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; returns the exit code."""
    options = _parser().parse_args(arguments)
    size = QUICK if options.quick else DEFAULT
    size = size._replace(
        seed=options.seed, rounds=options.rounds or size.rounds, reports=options.reports or size.reports
    )
    options.directory.mkdir(parents=True, exist_ok=True)
    before = {"commit": commit(), "versions": versions(), "machine": machine()}  # how busy it is before we are
    started = time.monotonic()
    try:
        rows = measure(size, options.directory, _progress)
    except WrongAnswer as wrong:
        print(f"wrong answer: {wrong}", file=sys.stderr)
        return 1
    took_s = time.monotonic() - started
    print(format_table(rows))
    print(f"\n{_verdict(rows)} {size.rounds} rounds of {size.reports:,} reports, all answers checked, {took_s:.0f} s")
    if options.json is not None:
        line = {"bench": "dispatch", **before, "size": size._asdict(), "seconds": round(took_s, 1)}
        with options.json.open("ab") as file:
            file.write(orjson.dumps(line | {"rows": [row_json(row) for row in rows]}) + b"\n")
    return 0


def _verdict(rows: Sequence[Row]) -> str:
    judged = [row for row in rows if row.met is not None]
    return f"{sum(bool(row.met) for row in judged)} of {len(judged)} budgets met by the median;"


def _progress(what: str) -> None:
    print(f"bench: {what}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=_positive, help=f"default {DEFAULT.rounds}")
    parser.add_argument("--reports", type=_positive, help=f"reports of the day, default {DEFAULT.reports:,}")
    parser.add_argument("--seed", type=int, default=1, help="of the city, its day and its policy")
    parser.add_argument("--quick", action="store_true", help="small sizes: does it work, not how fast is it")
    parser.add_argument("--json", type=Path, metavar="FILE", help="append the run to this file as one line")
    parser.add_argument("--directory", type=Path, default=Path("var"), help="for ledgers: the disk to measure on")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
