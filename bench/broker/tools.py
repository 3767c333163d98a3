"""The programs that a broker needs of its machine: Java to run it, Maven to bring it, openssl for its certificate."""

import os
import re
import shutil
import subprocess
from typing import Final

__all__ = ["JAVA_MIN", "ToolMissing", "find_java", "find_maven", "find_openssl"]

JAVA_MIN: Final = 17  # of Kafka 4's brokers
INSTALL: Final = "on Debian or Ubuntu: `apt-get install default-jre-headless maven openssl`"


class ToolMissing(Exception):
    """A program that a broker needs is not on this machine, or too old; the message says how to get it."""


def find_java() -> str:
    """The path of a Java that runs Kafka, JAVA_HOME's before PATH's. Raises ToolMissing."""
    java = _find("java", "to run Apache Kafka")
    asked = subprocess.run([java, "-version"], capture_output=True, text=True, check=False, timeout=60)  # noqa: S603
    found = re.search(r'version "(\d+)', asked.stderr + asked.stdout)
    if asked.returncode or found is None:
        raise ToolMissing(f"{java} does not run: {(asked.stderr or asked.stdout).strip()[:500]}\n{INSTALL}")
    if int(found[1]) < JAVA_MIN:
        raise ToolMissing(f"{java} is Java {found[1]}; Apache Kafka needs {JAVA_MIN} or newer.\n{INSTALL}")
    return java


def find_maven() -> str:
    """The path of Maven. Raises ToolMissing."""
    return _find("mvn", "to download Apache Kafka")


def find_openssl() -> str:
    """The path of openssl. Raises ToolMissing."""
    return _find("openssl", "to make a broker's certificate")


def _find(program: str, purpose: str) -> str:
    home = os.environ.get("JAVA_HOME") if program == "java" else None
    found = (home and shutil.which("java", path=f"{home}/bin")) or shutil.which(program)
    if found is None:
        raise ToolMissing(f"`{program}` is needed {purpose} and is not on PATH.\n{INSTALL}")
    return found
