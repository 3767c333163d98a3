"""`python -m bench.growth`: what a report costs as incidents, rules and cells grow. Exit 1 when an answer is wrong."""

import sys
from collections.abc import Sequence

from bench.growth.rounds import Grown, Size, measure
from bench.growth.table import format_grown, grown_json
from bench.options import bench_parser, teller
from bench.running import run_bench
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

    def shown(grown: Grown, took_s: float) -> str:
        said = f"{size.rounds} rounds of {size.reports:,} reports, all answers checked, {took_s:.0f} s"
        return f"{format_grown(grown)}\n\n{said}"

    return run_bench(
        "growth",
        options.json,
        size._asdict(),
        lambda: measure(size, teller("bench.growth"), town),
        shown,
        grown_json,
    )


if __name__ == "__main__":
    sys.exit(main())
