"""`python -m bench.growth`: what a report costs as incidents, rules and cells grow. Exit 1 when an answer is wrong."""

import sys
import time
from collections.abc import Sequence

from bench.answers import WrongAnswer
from bench.growth.rounds import Size, measure
from bench.growth.table import format_grown, grown_json
from bench.machine import commit, machine, versions
from bench.options import bench_parser, keep, teller
from bench.town import Town

DEFAULT = Size(rounds=5, reports=2_000)
QUICK = Size(
    rounds=2, reports=300, incidents=(300, 1_000), rules=(60, 100), cells=(150, 300), usual_rules=60, points=500
)


def main(arguments: Sequence[str] | None = None, town: Town | None = None) -> int:
    """Run it, in the town given or in one of its own; returns the exit code."""
    parser = bench_parser("python -m bench.growth", __doc__, DEFAULT.rounds, DEFAULT.reports, "not used: all in memory")
    options = parser.parse_args(arguments)
    size = QUICK if options.quick else DEFAULT
    size = size._replace(
        seed=options.seed, rounds=options.rounds or size.rounds, reports=options.reports or size.reports
    )
    before = {"commit": commit(), "versions": versions(), "machine": machine()}  # how busy it is before we are
    started = time.monotonic()
    try:
        grown = measure(size, teller("bench.growth"), town)
    except WrongAnswer as wrong:
        print(f"wrong answer: {wrong}", file=sys.stderr)
        return 1
    took_s = time.monotonic() - started
    print(format_grown(grown))
    print(f"\n{size.rounds} rounds of {size.reports:,} reports, all answers checked, {took_s:.0f} s")
    run = {"bench": "growth", **before, "size": size._asdict(), "seconds": round(took_s, 1)}
    keep(options.json, run | grown_json(grown))
    return 0


if __name__ == "__main__":
    sys.exit(main())
