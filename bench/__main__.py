"""`python -m bench`: measure, check, compare with the budgets. Exit 1 when an answer is wrong, whatever the speed."""

import sys
from collections.abc import Sequence

from bench.options import bench_parser, teller
from bench.rounds import Size, measure
from bench.running import run_bench
from bench.table import Row, format_table, row_json

DEFAULT = Size(rounds=5, reports=4_000)
QUICK = Size(rounds=2, reports=1_500, points=3_000, other_rules=(100,), paused_incidents=5_000)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; returns the exit code."""
    parser = bench_parser(
        "python -m bench", __doc__, DEFAULT.rounds, DEFAULT.reports, "for ledgers: the disk to measure"
    )
    options = parser.parse_args(arguments)
    size = QUICK if options.quick else DEFAULT
    size = size._replace(
        seed=options.seed, rounds=options.rounds or size.rounds, reports=options.reports or size.reports
    )
    options.directory.mkdir(parents=True, exist_ok=True)

    def shown(rows: Sequence[Row], took_s: float) -> str:
        said = f"{size.rounds} rounds of {size.reports:,} reports, all answers checked, {took_s:.0f} s"
        return f"{format_table(rows)}\n\n{_verdict(rows)} {said}"

    return run_bench(
        "dispatch",
        options.json,
        size._asdict(),
        lambda: measure(size, options.directory, teller("bench")),
        shown,
        lambda rows: {"rows": [row_json(row) for row in rows]},
    )


def _verdict(rows: Sequence[Row]) -> str:
    judged = [row for row in rows if row.met is not None]
    return f"{sum(bool(row.met) for row in judged)} of {len(judged)} budgets met by the median;"


if __name__ == "__main__":
    sys.exit(main())
