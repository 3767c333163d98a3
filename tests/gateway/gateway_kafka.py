"""The same city as on a file, on a real Kafka: its topics, a worker, and a gateway to be asked."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway_process import WAIT_S, Serving, running, wait_until

from bench.broker import Broker

ON_BOTH = ("file", "kafka")


@contextmanager
def gateway_on_kafka(config: Path, directory: Path, broker: Broker) -> Iterator[Serving]:
    settings = {
        "BOOTSTRAP": broker.bootstrap, "PREFIX": "nyc.", "APPLICATION": "nyc.app", "PARTITIONS": "4",
        "INPUT_PARTITIONS": "2", "DEPARTMENT_PARTITIONS": "2", "REPLICATION": "1", "SESSION_TIMEOUT_S": "6",
    }  # fmt: skip
    environment = {f"DISPATCHER__KAFKA__{name}": value for name, value in settings.items()}
    environment |= {
        "DISPATCHER__HTTP__PORT": "0",
        "DISPATCHER__GATEWAY__KEYS": str(directory / "keys"),
        "DISPATCHER__GATEWAY__PROJECTION": str(directory / "gateway.view"),
    }
    command = [sys.executable, "-m", "dispatcher", "-c", str(config)]
    everything = {**os.environ, **environment}
    subprocess.run([*command, "topics", "create"], env=everything, check=True, capture_output=True, timeout=WAIT_S)
    with (directory / "worker.log").open("wb") as log:
        worker = subprocess.Popen([*command, "worker"], env=everything, stdout=log, stderr=log)
    try:
        gateway = Serving(["-c", str(config), "gateway"], directory / "keys", directory / "gateway.log", environment)
        with running(gateway):
            with gateway.client() as client:
                wait_until(lambda: client.get("/health/ready").status_code == 200)
            yield gateway
    finally:
        worker.kill()
        worker.wait(WAIT_S)
