"""What a broker keeps in its folder between its lives: formatted storage, and the ports it was formatted for."""

import base64
import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from uuid import uuid4

from bench.broker.process import DidNotStart, last_lines

__all__ = ["DATA", "LOG", "PROPERTIES", "format_storage", "kept_ports"]

PROPERTIES: Final = "server.properties"
LOG: Final = "kafka.log"
DATA: Final = "kafka-data"
PORTS: Final = "ports.json"  # written last: where it is, the storage is whole
FORMAT_S: Final = 60


def kept_ports(directory: Path) -> list[int] | None:
    """The client's and the controller's port of a folder used before; the storage itself names the controller's."""
    try:
        ports: list[int] = json.loads((directory / PORTS).read_bytes())
    except FileNotFoundError:
        return None
    return ports


def format_storage(runtime: Sequence[str], directory: Path, ports: Sequence[int]) -> None:
    """Make the empty storage that the folder's `server.properties` speaks of.

    Args:
        runtime: the words that run Java with Kafka's jars.
        directory: the broker's.
        ports: to be kept with it.

    Raises:
        DidNotStart: the storage could not be made.
    """
    shutil.rmtree(directory / DATA, ignore_errors=True)  # of a start that was interrupted
    words = ("kafka.tools.StorageTool", "format", "--standalone", f"--cluster-id={_new_id()}", "--config", PROPERTIES)
    try:
        with (directory / LOG).open("ab") as log:
            subprocess.run(  # noqa: S603 - fixed words and our own paths
                [*runtime, *words], cwd=directory, stdout=log, stderr=subprocess.STDOUT, check=True, timeout=FORMAT_S
            )
    except subprocess.SubprocessError as failed:
        raise DidNotStart(f"Kafka's storage cannot be formatted; {last_lines(directory / LOG)}") from failed
    fresh = directory / f"{PORTS}.new"
    fresh.write_text(json.dumps(list(ports)), encoding="utf-8")
    fresh.replace(directory / PORTS)


def _new_id() -> str:
    """A cluster's, as Kafka writes a UUID: 22 characters of base64 for addresses."""
    return base64.urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")
