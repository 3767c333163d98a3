"""`python -m bench.broker`: a real Apache Kafka in the foreground, for trying things out; Ctrl-C ends it."""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from bench.broker.broker import Broker
from bench.broker.libraries import DownloadFailed
from bench.broker.process import DidNotStart
from bench.broker.tools import ToolMissing

LOOK_AGAIN_S = 0.5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until told to end; returns the exit code."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C, while starting too
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells have background jobs ignore it
    try:
        with Broker(options.directory, port=options.port) as broker:
            _say(f"Apache Kafka answers on {broker.bootstrap}; what it says is in {broker.log}")
            _say(f"dispatcher finds it with  DISPATCHER__KAFKA__BOOTSTRAP={broker.bootstrap}")
            _say("Ctrl-C ends it, its data stay")
            while broker.pid is not None:
                time.sleep(LOOK_AGAIN_S)
            _say(f"Kafka has ended by itself: see {broker.log}", sys.stderr)
            return 1
    except (ToolMissing, DownloadFailed, DidNotStart) as refused:
        _say(str(refused), sys.stderr)
        return 1
    except KeyboardInterrupt:
        _say("ended")
        return 0


def _say(line: str, stream: TextIO = sys.stdout) -> None:
    stream.write(line + "\n")
    stream.flush()  # whoever reads a pipe waits for the address


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.broker", description=__doc__)
    parser.add_argument(
        "--directory", type=Path, default=Path("var/kafka/data"), help="for its data; default: %(default)s"
    )
    parser.add_argument("--port", type=int, default=9092, help="where clients connect; default: %(default)s")
    return parser


if __name__ == "__main__":
    sys.exit(main())
