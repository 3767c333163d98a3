"""What every bench of ours is asked on its command line, and how it tells and keeps what it found."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

__all__ = ["bench_parser", "keep", "positive", "teller"]


def bench_parser(prog: str, about: str | None, rounds: int, reports: int, directory: str) -> argparse.ArgumentParser:
    """The options that all have; `directory` says what it is for."""
    parser = argparse.ArgumentParser(prog=prog, description=about)
    parser.add_argument("--rounds", type=positive, help=f"default {rounds}")
    parser.add_argument("--reports", type=positive, help=f"of the day, default {reports:,}")
    parser.add_argument("--seed", type=int, default=1, help="of the city, its day and its policy")
    parser.add_argument("--quick", action="store_true", help="small sizes: does it work, not how fast is it")
    parser.add_argument("--json", type=Path, metavar="FILE", help="append the run to this file as one line")
    parser.add_argument("--directory", type=Path, default=Path("var"), help=directory)
    return parser


def positive(text: str) -> int:
    """A number of at least 1. Raises ArgumentTypeError."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def teller(name: str) -> Callable[[str], None]:
    """Tells on stderr what is being done."""

    def tell(what: str) -> None:
        print(f"{name}: {what}", file=sys.stderr, flush=True)

    return tell


def keep(file: Path | None, run: dict[str, Any]) -> None:
    """Append a run to a file of them, if one was named."""
    if file is not None:
        with file.open("ab") as lines:
            lines.write(orjson.dumps(run) + b"\n")
