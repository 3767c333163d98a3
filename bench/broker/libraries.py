"""The jars of Apache Kafka: copied once by Maven into `var/kafka/libs`, shared by whoever starts a broker."""

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import Final

from bench.broker.tools import find_maven

__all__ = ["LIBRARIES", "DownloadFailed", "fetch_libraries"]

POM: Final = Path(__file__).parent / "pom.xml"
LIBRARIES: Final = Path(__file__).parent.parent.parent / "var" / "kafka" / "libs"
LIST: Final = "complete.txt"  # written last: what has it was copied whole
DOWNLOAD_S: Final = 240  # 40 s is usual; less than a test may take, so that this message is the one seen
SAID_CHARS: Final = 2_000  # of Maven's complaint, which repeats itself


class DownloadFailed(Exception):
    """Maven could not bring Apache Kafka; the message has its reason and the command to try by hand."""


def fetch_libraries(directory: Path = LIBRARIES) -> Path:
    """The folder with Kafka's jars, filled by Maven unless it holds a complete set already.

    Processes that ask at the same time wait for the first. A set that is incomplete, damaged or of another `pom.xml`
    is thrown away and brought again.

    Raises:
        ToolMissing: there is no Maven, and it is needed.
        DownloadFailed: Maven failed, or took longer than four minutes.
    """
    if _is_complete(directory):
        return directory
    directory.parent.mkdir(parents=True, exist_ok=True)
    with (directory.parent / f"{directory.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the kernel lets go of it when the process that has it dies
        if not _is_complete(directory):
            shutil.rmtree(directory, ignore_errors=True)
            _copy(directory)
            (directory / LIST).write_text(_listed(directory), encoding="utf-8")
    return directory


def _is_complete(directory: Path) -> bool:
    try:
        return (directory / LIST).read_text(encoding="utf-8") == _listed(directory)
    except OSError:
        return False


def _listed(directory: Path) -> str:
    """What the folder holds and for which `pom.xml`: the sizes are there to notice a copy cut short."""
    jars = (f"{jar.stat().st_size} {jar.name}\n" for jar in sorted(directory.glob("*.jar")))
    return f"{hashlib.sha256(POM.read_bytes()).hexdigest()} {POM.name}\n{''.join(jars)}"


def _copy(directory: Path) -> None:
    goal = ("dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={directory.absolute()}")
    command = [find_maven(), "--batch-mode", "--quiet", "--file", str(POM), *goal]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=DOWNLOAD_S)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise DownloadFailed(_advice(command, f"nothing came of it within {DOWNLOAD_S} s")) from None
    if done.returncode:
        raise DownloadFailed(_advice(command, (done.stdout + done.stderr).strip()[:SAID_CHARS]))
    if not any(directory.glob("kafka_*.jar")):
        raise DownloadFailed(_advice(command, f"Maven ended well and there is no kafka_*.jar in {directory}"))


def _advice(command: list[str], reason: str) -> str:
    return (
        f"Maven could not bring Apache Kafka: {reason}\n"
        "It comes from Maven's central repository: check the network and, behind a proxy or mirror, Maven's own "
        f"settings.xml; then try by hand:\n  {' '.join(command)}"
    )
