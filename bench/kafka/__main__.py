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

import orjson

from bench.answers import WrongAnswer
from bench.broker import Broker, DidNotStart, DownloadFailed, ToolMissing
from bench.kafka.programs import ProgramEnded
from bench.kafka.rounds import Size, measure
from bench.kafka.rows import format_measured, measured_json
from bench.machine import commit, machine, versions
from bench.town import Town

DEFAULT = Size(rounds=5, reports=10_000, rates=(500, 1_000, 2_000, 5_000), rate_s=8, restored=50_000)
QUICK = Size(rounds=1, reports=1_500, rates=(200, 400), rate_s=3, restored=2_000, rules=200)


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
    started = time.monotonic()
    options.directory.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=options.directory, prefix="kafka-bench-") as directory:
            town = town or Town(size.seed)
            if bootstrap is not None:
                measured = asyncio.run(measure(size, town, Path(directory), bootstrap, _progress))
            else:
                with Broker(Path(directory) / "broker") as broker:
                    measured = asyncio.run(measure(size, town, Path(directory), broker.bootstrap, _progress))
    except WrongAnswer as wrong:
        print(f"wrong answer: {wrong}", file=sys.stderr)
        return 1
    except (ProgramEnded, ToolMissing, DownloadFailed, DidNotStart) as refused:
        print(refused, file=sys.stderr)
        return 1
    took_s = time.monotonic() - started
    print(format_measured(measured))
    print(f"\n{size.rounds} rounds of {size.reports:,} reports, all answers checked, {took_s:.0f} s")
    if options.json is not None:
        line = {"bench": "kafka", **before, "size": size._asdict(), "seconds": round(took_s, 1)}
        with options.json.open("ab") as file:
            file.write(orjson.dumps(line | measured_json(measured)) + b"\n")
    return 0


def _versions() -> dict[str, str]:
    return versions() | {package: version(package) for package in ("aiokafka", "faust-streaming")}


def _progress(what: str) -> None:
    print(f"bench.kafka: {what}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.kafka", description=__doc__)
    parser.add_argument("--rounds", type=_positive, help=f"default {DEFAULT.rounds}")
    parser.add_argument("--reports", type=_positive, help=f"put on the topic at once, default {DEFAULT.reports:,}")
    parser.add_argument("--rules", type=_positive, help=f"of the policy, default {DEFAULT.rules:,}")
    parser.add_argument("--seed", type=int, default=1, help="of the city, its day and its policy")
    parser.add_argument("--quick", action="store_true", help="small sizes: does it work, not how fast is it")
    parser.add_argument("--json", type=Path, metavar="FILE", help="append the run to this file as one line")
    parser.add_argument("--directory", type=Path, default=Path("var"), help="for the broker's data")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
