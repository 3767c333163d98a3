"""A gateway to be asked over HTTP: in a process of its own, with keys for everybody."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx

from dispatcher.gateway.keys import Keys
from dispatcher.gateway.sessions import Sessions
from dispatcher.hosts.setup import policy_files

S = TypeVar("S", bound="Serving")
WAIT_S = 60.0
NYC = Path(__file__).parents[2] / "examples" / "nyc"
ROLES: dict[str, dict[str, Any]] = {
    "reporter": {"roles": ["reporter"], "sources": ["*"]},
    "app": {"roles": ["reporter"], "sources": ["nyc-311"]},
    "camera": {"roles": ["reporter"], "sources": ["camera"]},
    "hotline": {"roles": ["reporter"], "sources": ["hotline"]},
    "everybody": {
        "roles": [
            "reporter",
            "dispatcher",
            "supervisor",
            "analyst",
            "department:dep",
            "officer:106",
            "policy_approver",
        ],
        "areas": ["*"],
        "sources": ["*"],
    },
    "dispatcher": {"roles": ["dispatcher"], "areas": ["*"]},
    "shift_lead": {"roles": ["shift_lead"], "areas": ["*"]},
    "supervisor": {"roles": ["supervisor"], "areas": ["*"]},
    "inspector": {"roles": ["inspector"], "areas": ["*"]},
    "analyst": {"roles": ["analyst"], "areas": ["*"]},
    "admin": {"roles": ["admin"], "areas": ["*"]},
    "monitor": {"roles": ["monitor"]},
    "policy_editor": {"roles": ["policy_editor"], "areas": ["*"]},
    "policy_approver": {"roles": ["policy_approver"], "areas": ["*"]},
    "lead_of_5": {"roles": ["shift_lead"], "areas": ["5"]},
    "elsewhere": {"roles": ["dispatcher"], "areas": ["5"]},
    "nowhere": {"roles": ["dispatcher"]},
    "dep": {"roles": ["department:dep"], "areas": ["*"]},
    "nypd": {"roles": ["department:nypd"], "areas": ["*"]},
    "street": {"roles": ["street:106"], "areas": ["*"], "sources": ["nyc-311"]},
    "other_street": {"roles": ["street:105"], "areas": ["*"], "sources": ["nyc-311"]},
    "officer": {"roles": ["officer:106"], "areas": ["*"]},
}


def now() -> str:
    return datetime.now(UTC).isoformat()


def later(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def policy_texts(directory: Path, version: str) -> dict[str, str]:
    """The files of a policy, as text, with another version."""
    texts = {name: data.decode() for name, data in policy_files(directory).items()}
    texts["policy.yaml"] = re.sub(r"(?m)^version: .*$", f'version: "{version}"', texts["policy.yaml"])
    return texts


def report(report_id: str, **fields: Any) -> dict[str, Any]:
    """Noise in cell 106, district 1: the department dep leads."""
    place = {"lon": -73.98, "lat": 40.75}
    made = {"report_id": report_id, "source": "nyc-311", "reported_at": now(), "category": "noise", "location": place}
    return made | fields


def update(incident_id: str, update_id: str, action: str, **fields: Any) -> dict[str, Any]:
    return {"incident_id": incident_id, "update_id": update_id, "action": action, "at": now(), **fields}


class Serving:
    """A process that serves the gateway; can be killed and started anew.

    Args:
        command: what `dispatcher` is told to do.
        keys: the file of keys, made with one for each of `roles` unless it is there.
        log: what the process says.
        environment: beside that of the tests.
    """

    def __init__(
        self,
        command: Sequence[str],
        keys: Path,
        log: Path,
        environment: Mapping[str, str] | None = None,
        roles: Mapping[str, dict[str, Any]] = ROLES,
    ) -> None:
        self._command = [sys.executable, "-m", "dispatcher", *command]
        self._keys, self._log = keys, log
        self._environment = {**os.environ, "DISPATCHER__HTTP__PORT": "0", **(environment or {})}
        file = Keys(keys)
        self.keys = {name: file.add(name, **given) for name, given in roles.items()}
        self.names = {row.person.name: row.person.key_id for row in file.rows()}
        file.close()
        self.url = ""
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, port: str | None = None) -> None:
        environment = self._environment if port is None else self._environment | {"DISPATCHER__HTTP__PORT": port}
        begin = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(self._command, stderr=log, env=environment)
        found: list[str] = []

        def told() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self._log.read_text()
            found[:] = re.findall(r"http://127\.0\.0\.1:\d+", self._log.read_text()[begin:])
            return bool(found)

        wait_until(told)
        self.url = found[-1]

    def stop(self, signum: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(signum)
        return self.process.wait(WAIT_S)

    def end(self) -> None:
        """No process outlives its test."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(WAIT_S)

    def log(self) -> str:
        return self._log.read_text()

    def revoke(self, name: str) -> None:
        keys = Keys(self._keys)
        keys.revoke(self.names[name])
        keys.close()

    def admit(self, name: str, **given: Any) -> str:
        """One key more; its name is known from then on."""
        keys = Keys(self._keys)
        self.keys[name] = keys.add(name, **given)
        self.names[name] = self.keys[name].split(".")[1]
        keys.close()
        return name

    def session(self, name: str) -> str:
        """A token, as a browser that has signed in carries it."""
        keys = Keys(self._keys)
        token = Sessions(keys.db).begin(self.names[name])
        keys.close()
        return token

    def sign_out(self, token: str) -> None:
        keys = Keys(self._keys)
        Sessions(keys.db).end(token)
        keys.close()

    def client(self, name: str | None = None, **given: Any) -> httpx.Client:
        headers = {} if name is None else {"Authorization": f"Bearer {self.keys[name]}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, **given)

    def mode_set(self, *cells: str, seconds: int = 60) -> str:
        """Set a mode that holds when this returns; returns its id."""
        wanted = {"mode": "emergency", "cells": cells, "until": later(seconds), "reason": "a storm"}
        with self.client("supervisor") as client:
            said = client.post("/v1/modes", params={"wait_s": 10}, json=wanted).json()
            assert said["state"] == "taken", said
            wait_until(lambda: any(held["mode_id"] == said["command_id"] for held in self.modes()))
        return str(said["command_id"])

    def modes(self) -> list[dict[str, Any]]:
        with self.client("supervisor") as client:
            held: list[dict[str, Any]] = client.get("/v1/modes").json()["held"]
        return held

    def in_force(self) -> str:
        """The sha256 of the policy that is."""
        with self.client("policy_editor") as client:
            return str(client.get("/v1/policy").json()["in_force"]["sha256"])

    def draft(self, version: str = "draft") -> str:
        """Hand in the policy under another version; returns its sha256."""
        files = policy_texts(NYC / "policy", version)
        with self.client("policy_editor") as client:
            said = client.post("/v1/policy/validate", json={"files": files, "keep": True}).json()
        assert said["kept"], said
        return str(said["sha256"])

    def opened(self, name: str, made: dict[str, Any]) -> str:
        """Hand in a report and return its incident."""
        with self.client(name) as client:
            assert client.post("/v1/reports", json=made).status_code == 201
            found: list[str] = []

            def known() -> bool:
                answer = client.get(f"/v1/reports/{made['source']}/{made['report_id']}")
                found[:] = [answer.json()["incident_id"]] if answer.status_code == 200 else []
                return bool(found)

            wait_until(known)
            return found[0]


class Gateway(Serving):
    """One `dispatcher run`, on a ledger in a directory."""

    def __init__(
        self, config: Path, directory: Path, environment: Mapping[str, str], roles: Mapping[str, dict[str, Any]]
    ) -> None:
        self.ledger = directory / "city.db"
        command = ["-c", str(config), "run", "--ledger", str(self.ledger)]
        super().__init__(command, directory / "city.db.keys", directory / "run.log", environment, roles)


@contextmanager
def gateway_at(
    config: Path,
    directory: Path,
    environment: Mapping[str, str] | None = None,
    roles: Mapping[str, dict[str, Any]] = ROLES,
) -> Iterator[Gateway]:
    with running(Gateway(config, directory, environment or {}, roles)) as made:
        yield made


@contextmanager
def running(made: S) -> Iterator[S]:
    """Started; it does not outlive the block."""
    made.start()
    try:
        yield made
    finally:
        made.end()


def wait_until(is_so: Callable[[], bool], wait_s: float = WAIT_S) -> None:
    end = time.monotonic() + wait_s
    while not is_so():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.03)
