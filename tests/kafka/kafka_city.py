"""A small city on a real Kafka: its configuration, its workers as processes, and what is sent to it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer

ROOT = Path(__file__).parent.parent.parent
WEST, SOUTH, SIDE, ACROSS = 114.30, 30.60, 0.01, 6  # degrees; 6 x 6 squares in three townships

POLICY = """\
name: kafka-city
version: "1"
timezone: Asia/Shanghai
modes: [normal, emergency]
grid_levels: [township, community]
include: []
fallback: {lead: centre, sla: triage, ladder: desk, reason: "no route matched"}
reasons: {return: {not_ours: {en: Not our duty}}, void: {test: {en: A test}}}
departments:
  centre: {en: Command centre}
  gas: {en: Gas company}
  fire: {en: Fire brigade}
  roads: {en: Roads}
  police: {en: Police}
categories:
  "01": {en: Roads, severity: 3}
  "02": {en: Noise, severity: 4}
  "03": {en: Gas, severity: 2, life_safety: true}
sources:
  hotline: {platform: people}
  camera: {platform: ground}
sla:
  fast: {calendar: always, targets: {acknowledge: {within: 1m, of: each}, resolve: 2m, check: 1m}, warn: [50%]}
  slow: {calendar: always, targets: {acknowledge: 1m, resolve: 1d}, warn: [50%], reopen: {within: 1m}}
  triage: {calendar: always, targets: {acknowledge: 1h, resolve: 1d}}
ladders:
  desk: {steps: [{trigger: "resolve breach", to: city, do: report}]}
merge: {"02": {radius_m: 400, gap: 10m, life: 1d, mode: auto}}
routes:
  - {id: gas, priority: 900, when: {category: ["03"]}, lead: gas, sla: fast, ladder: desk}
  - {id: road, when: {category: ["01"]}, lead: roads, sla: slow}
  - {id: noise, when: {category: ["02"]}, lead: police, sla: slow}
overlays:
  - {id: gas.fire, when: {category: ["03"]}, support: [{dept: fire, required: true}], tags: [gas]}
"""
DEPARTMENTS = ("centre", "gas", "fire", "roads", "police")


def _square(code: str, level: int, parent: str | None, west: float, south: float, wide: float) -> dict[str, Any]:
    ring = [(west, south), (west + wide, south), (west + wide, south + SIDE), (west, south + SIDE), (west, south)]
    return {
        "type": "Feature",
        "properties": {"code": code, "name": code, "level": level, "parent": parent},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def grid() -> bytes:
    features = []
    for row in range(ACROSS):
        south, town = SOUTH + row * SIDE, f"T{row}"
        features.append(_square(town, 1, None, WEST, south, ACROSS * SIDE))
        features += [_square(f"{town}C{n}", 2, town, WEST + n * SIDE, south, SIDE) for n in range(ACROSS)]
    return orjson.dumps({"type": "FeatureCollection", "features": features})


class City:
    """A ledger on Kafka under a prefix of its own, begun.

    `env` is what a process needs to work on it; `config` the file it reads.
    """

    def __init__(
        self, directory: Path, client: dict[str, Any], prefix: str, *, partitions: int = 4, **kafka: Any
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory, self.client, self.prefix, self.partitions = directory, client, prefix, partitions
        (directory / "policy").mkdir(exist_ok=True)
        (directory / "policy" / "policy.yaml").write_text(POLICY, encoding="utf-8")
        (directory / "grid.geojson").write_bytes(grid())
        settings = {
            "bootstrap": client["bootstrap_servers"], "prefix": prefix, "application": f"{prefix}app",
            "partitions": partitions, "partition_level": 2, "input_partitions": 2, "department_partitions": 2,
            "replication": 1, "session_timeout_s": 6, **kafka,
        }  # fmt: skip
        self.config = directory / "config.yaml"
        text = {
            "policy": "policy",
            "grid": "grid.geojson",
            "http": {"port": 0},
            "kafka": settings,
            "engine": {"poll_ms": 20},
        }
        self.config.write_text(json.dumps(text), encoding="utf-8")
        self.env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).parent)])}
        self.processes: list[Worker] = []

    def run(self, *arguments: str, module: str = "dispatcher", **env: str) -> subprocess.CompletedProcess[str]:
        """A command of ours, to its end."""
        command = [sys.executable, "-m", module, "-c", str(self.config), *arguments]
        return subprocess.run(command, env={**self.env, **env}, cwd=ROOT, capture_output=True, text=True, timeout=1_800)

    def begin(self) -> None:
        done = self.run("topics", "create")
        assert done.returncode == 0, done.stderr

    def worker(self, number: int = 0, module: str = "dispatcher", **env: str) -> "Worker":
        """Start a worker; `module` may be one with a bug planted."""
        worker = Worker(self, number, module, env)
        self.processes.append(worker)
        return worker

    def end(self) -> None:
        """No process outlives its test."""
        for worker in self.processes:
            worker.kill()


class Worker:
    """One worker process."""

    def __init__(self, city: City, number: int, module: str, env: dict[str, str]) -> None:
        self.log = city.directory / f"worker-{number}.log"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, "-c", str(city.config), "worker"],
                env={**city.env, **env}, cwd=ROOT, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ended(self) -> int | None:
        return self._process.poll()

    def send(self, signum: int) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signum)

    def terminate(self, timeout_s: float = 30.0) -> int:
        self.send(signal.SIGTERM)
        return self._process.wait(timeout_s)

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()


def report(random: Random, number: int, category: str | None = None) -> tuple[str, bytes]:
    """A report and its id; categories as they come in a city."""
    report_id = f"r{number:08d}"
    kind = category or random.choices(("01", "02", "03", "what"), (45, 45, 8, 2))[0]
    location: dict[str, Any] = {
        "lon": WEST + random.random() * SIDE * ACROSS, "lat": SOUTH + random.random() * SIDE * ACROSS,
    }  # fmt: skip
    message: dict[str, Any] = {
        "report_id": report_id, "source": random.choice(("hotline", "camera")), "category": kind,
        "reported_at": "2026-11-22T10:04:05+08:00", "text": "it smells, call 13812345678",
    }  # fmt: skip
    if random.random() < 0.98:
        message["location"] = location
    if random.random() < 0.1:
        message["reporter"] = {"name": "Li Si", "phone": "13812345678"}
    return report_id, orjson.dumps(message)


async def send_reports(client: dict[str, Any], topic: str, messages: list[bytes]) -> None:
    producer = AIOKafkaProducer(**client, enable_idempotence=True)
    try:
        await producer.start()
        futures = [await producer.send(topic, value) for value in messages]
        for future in futures:
            await future
    finally:
        await producer.stop()
