"""`python -m bench.kafka`: one worker on a real Kafka beside its rivals. Exit 1 when an answer is wrong."""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from bench.answers import WrongAnswer
from bench.broker import Broker, DidNotStart, DownloadFailed, ToolMissing
from bench.kafka.programs import ProgramEnded
from bench.kafka.rounds import Size, measure
from bench.kafka.rows import format_measured, measured_json
from bench.machine import commit, machine, versions
from bench.options import bench_parser, keep, positive, teller
from bench.town import Town

DEFAULT = Size(rounds=5, reports=10_000, rates=(500, 1_000, 2_000, 5_000), rate_s=8, restored=50_000)
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
    before = {"commit": commit(), "versions": _versions(), "machine": machine()}  # how busy it is before we are
    started, tell = time.monotonic(), teller("bench.kafka")
    options.directory.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=options.directory, prefix="kafka-bench-") as directory:
            town = town or Town(size.seed)
            if bootstrap is not None:
                measured = asyncio.run(measure(size, town, Path(directory), bootstrap, tell))
            else:
                with Broker(Path(directory) / "broker") as broker:
                    measured = asyncio.run(measure(size, town, Path(directory), broker.bootstrap, tell))
    except WrongAnswer as wrong:
        print(f"wrong answer: {wrong}", file=sys.stderr)
        return 1
    except (ProgramEnded, ToolMissing, DownloadFailed, DidNotStart) as refused:
        print(refused, file=sys.stderr)
        return 1
    took_s = time.monotonic() - started
    print(format_measured(measured))
    print(f"\n{size.rounds} rounds of {size.reports:,} reports, all answers checked, {took_s:.0f} s")
    run = {"bench": "kafka", **before, "size": size._asdict(), "seconds": round(took_s, 1)}
    keep(options.json, run | measured_json(measured))
    return 0


def _versions() -> dict[str, str]:
    return versions() | {
        package: version(package) for package in ("aiokafka", "faust-streaming", "quixstreams", "confluent-kafka")
    }


def _parser() -> argparse.ArgumentParser:
    parser = bench_parser("python -m bench.kafka", __doc__, DEFAULT.rounds, DEFAULT.reports, "for the broker's data")
    parser.add_argument("--rules", type=positive, help=f"of the policy, default {DEFAULT.rules:,}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
