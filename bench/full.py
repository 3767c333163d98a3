"""`python -m bench.full`: everything, one after the other, and the README's figures made of it.

Each bench is a process of its own, so none leaves memory or caches to the next. Their lines replace those that are kept
only when all have come through with right answers. Under an hour on a quiet machine of two cores.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench import readme

__all__ = ["BENCHES", "main"]

BENCHES: Final = ("bench", "bench.gateway", "bench.kafka", "bench.decisions", "bench.growth")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all; returns the exit code: 1 when one has failed, and then nothing is replaced."""
    parser = argparse.ArgumentParser(prog="python -m bench.full", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes: does it work, not how fast is it")
    parser.add_argument("--runs", type=Path, default=readme.RUNS, metavar="FILE", help="where the lines are kept")
    parser.add_argument("--readme", type=Path, default=readme.README, metavar="FILE", help="what shows them")
    parser.add_argument("--directory", type=Path, default=Path("var"), help="for ledgers: the disk to measure")
    options = parser.parse_args(arguments)
    options.directory.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=options.directory, prefix="bench-full-") as scratch:
        lines = Path(scratch) / "runs.jsonl"
        more = ["--json", str(lines), "--directory", str(options.directory), *(["--quick"] if options.quick else [])]
        failed = [module for module in BENCHES if not _ran(module, more)]
        if failed:
            print(f"{', '.join(failed)} failed; {options.runs} is as it was", file=sys.stderr)
            return 1
        options.runs.write_bytes(lines.read_bytes())
    return readme.main(["--runs", str(options.runs), "--readme", str(options.readme)])


def _ran(module: str, more: Sequence[str]) -> bool:
    print(f"\npython -m {module}", flush=True)
    command = [sys.executable, "-m", module, *more]
    return subprocess.run(command, check=False).returncode == 0  # noqa: S603 - our own modules


if __name__ == "__main__":
    sys.exit(main())
