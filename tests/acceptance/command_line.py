"""Running the real command line in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def dispatcher(
    *arguments: str, config: Path, check: bool = True, stdin: bytes | None = None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dispatcher", "--config", str(config), *arguments]
    done = subprocess.run(command, capture_output=True, input=stdin, timeout=240)
    text = subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(), done.stderr.decode())
    if check and text.returncode:
        raise AssertionError(f"{' '.join(command)}: {text.returncode}\n{text.stdout}\n{text.stderr}")
    return text


def replay(config: Path, ledger: Path, *files: Path, mapping: Path) -> dict[str, Any]:
    named = [str(file) for file in files]
    done = dispatcher("replay", *named, "--mapping", str(mapping), "--ledger", str(ledger), "--json", config=config)
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


def export(config: Path, ledger: Path, topic: str) -> list[dict[str, Any]]:
    done = dispatcher("export", topic, "--ledger", str(ledger), config=config)
    return [json.loads(line) for line in done.stdout.splitlines()]


def incidents_by_report(config: Path, ledger: Path) -> dict[str, dict[str, Any]]:
    found = {}
    for topic in ("incidents", "archive"):
        for incident in export(config, ledger, topic):
            if "page" not in incident:
                for _, report_id in incident["reports"]:
                    found[report_id] = incident
    return found
