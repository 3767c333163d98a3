"""`python -m bench.kafka`: one worker on a real Kafka beside its rivals. Exit 1 when an answer is wrong."""

import argparse
import asyncio
import logging
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from bench.broker import Broker, DidNotStart, DownloadFailed, ToolMissing
from bench.kafka.programs import ProgramEnded
from bench.kafka.rounds import Measured, Size, measure
from bench.kafka.rows import format_measured, measured_json
from bench.options import bench_parser, positive, teller
from bench.running import run_bench
from bench.town import Town

DEFAULT = Size(rounds=5, reports=10_000, rates=(500, 1_000, 2_000, 5_000), rate_s=8, restored=50_000)
PACKAGES = ("aiokafka", "faust-streaming", "quixstreams", "confluent-kafka")
QUICK = Size(rounds=1, reports=1_500, rates=(200, 400), rate_s=3, restored=2_000, rules=200, warm_up=300)


def main(arguments: Sequence[str] | None = None, town: Town | None = None, bootstrap: str | None = None) -> int:
    """Run the bench; returns the exit code.

    Args:
        arguments: of the command line.
        town: one that is there already.
        bootstrap: of an empty broker that runs already.
    """
    options = _parser().parse_args(arguments)
    size = QUICK if options.quick else DEFAULT
    size = size._replace(
        seed=options.seed,
        rounds=options.rounds or size.rounds,
        reports=options.reports or size.reports,
        rules=options.rules or size.rules,
    )
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it tells of every leader not elected yet
    options.directory.mkdir(parents=True, exist_ok=True)

    def measured() -> Measured:
        made, tell = town or Town(size.seed), teller("bench.kafka")
        with tempfile.TemporaryDirectory(dir=options.directory, prefix="kafka-bench-") as directory:
            if bootstrap is not None:
                return asyncio.run(measure(size, made, Path(directory), bootstrap, tell))
            with Broker(Path(directory) / "broker") as broker:
                return asyncio.run(measure(size, made, Path(directory), broker.bootstrap, tell))

    def shown(found: Measured, took_s: float) -> str:
        said = f"{size.rounds} rounds of {size.reports:,} reports, all answers checked, {took_s:.0f} s"
        return f"{format_measured(found)}\n\n{said}"

    packages = {package: version(package) for package in PACKAGES}
    try:
        return run_bench("kafka", options.json, size._asdict(), measured, shown, measured_json, packages)
    except (ProgramEnded, ToolMissing, DownloadFailed, DidNotStart) as refused:
        print(refused, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = bench_parser("python -m bench.kafka", __doc__, DEFAULT.rounds, DEFAULT.reports, "for the broker's data")
    parser.add_argument("--rules", type=positive, help=f"of the policy, default {DEFAULT.rules:,}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
