"""A Prometheus on loopback with the rules that are shipped, quicker, so that nobody waits half a minute for them."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from monitoring_files import MONITORING

WAIT_S = 90.0

Vector = dict[frozenset[tuple[str, str]], float]


def program(name: str) -> str:
    """Where it is. Without it whatever wants it is skipped, saying so; where CI is set, it fails."""
    found = shutil.which(name)
    if found is not None:
        return found
    said = (
        f"NOT TESTED WITH A REAL PROMETHEUS: {name} is not there. On Debian `apt-get install --no-install-recommends"
        " prometheus` brings it (`systemctl disable --now prometheus` stops the service it starts); else take a release"
    )
    if os.environ.get("CI"):
        raise AssertionError(said)
    pytest.skip(said)


class Prometheus:
    """Asked over its HTTP API."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=30)

    def ready(self) -> bool:
        try:
            return self._client.get("/-/ready").status_code == 200
        except httpx.TransportError:
            return False

    def ask(self, path: str, **query: str) -> Any:
        answer = self._client.get(f"/api/v1/{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def query(self, expression: str) -> Vector:
        """An instant vector, by its labels without the name, the job and the instance."""
        found = self.ask("query", query=expression)["result"]
        return {
            frozenset((k, v) for k, v in each["metric"].items() if k not in ("__name__", "job", "instance")): float(
                each["value"][1]
            )
            for each in found
        }

    def close(self) -> None:
        self._client.close()


@contextmanager
def prometheus_at(program: str, directory: Path, targets: dict[str, str], key: str) -> Iterator[Prometheus]:
    """One that scrapes `targets` (job to address) with the shipped configuration."""
    for file in ("alerts.yaml", "recording.yaml"):
        text = (MONITORING / file).read_text(encoding="utf-8")
        (directory / file).write_text(re.sub(r"interval: \w+", "interval: 1s", text), encoding="utf-8")
    config = yaml.safe_load((MONITORING / "prometheus.yml").read_text(encoding="utf-8"))
    config["global"] |= {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    for scrape in config["scrape_configs"]:
        if "static_configs" in scrape:
            scrape["static_configs"] = [{"targets": [targets[scrape["job_name"]]]}]
    (directory / "targets").mkdir()
    (directory / "targets" / "workers.yaml").write_text(
        yaml.safe_dump([{"targets": [targets["dispatch-worker"]]}]), encoding="utf-8"
    )
    (directory / "monitor.key").write_text(key, encoding="utf-8")
    (directory / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    port = free_port()
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, "--config.file", str(directory / "prometheus.yml"),
             "--storage.tsdb.path", str(directory / "data"), "--log.level", "warn",
             "--web.listen-address", f"127.0.0.1:{port}"], stdout=log, stderr=log,
        )  # fmt: skip
    asked = Prometheus(f"http://127.0.0.1:{port}")

    def up() -> bool:
        assert process.poll() is None, (directory / "log").read_text(encoding="utf-8")
        return asked.ready()

    try:
        wait_until(up)
        yield asked
    finally:
        asked.close()
        process.terminate()
        try:
            process.wait(30)
        finally:
            process.kill()
            process.wait(30)


def free_port() -> int:
    """Nobody listens there now."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.1)
