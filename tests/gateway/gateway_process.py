"""A gateway to be asked over HTTP: `dispatcher run` in a process of its own, with keys for everybody."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from dispatcher.gateway.keys import Keys
from dispatcher.gateway.sessions import Sessions

WAIT_S = 60.0
ROLES: dict[str, dict[str, Any]] = {
    "reporter": {"roles": ["reporter"], "sources": ["*"]},
    "camera": {"roles": ["reporter"], "sources": ["camera"]},
    "everybody": {
        "roles": ["reporter", "dispatcher", "supervisor", "analyst", "department:dep", "officer:106"],
        "areas": ["*"],
        "sources": ["*"],
    },
    "dispatcher": {"roles": ["dispatcher"], "areas": ["*"]},
    "shift_lead": {"roles": ["shift_lead"], "areas": ["*"]},
    "supervisor": {"roles": ["supervisor"], "areas": ["*"]},
    "inspector": {"roles": ["inspector"], "areas": ["*"]},
    "analyst": {"roles": ["analyst"], "areas": ["*"]},
    "admin": {"roles": ["admin"], "areas": ["*"]},
    "policy_editor": {"roles": ["policy_editor"], "areas": ["*"]},
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


def report(report_id: str, **fields: Any) -> dict[str, Any]:
    """Noise in cell 106, district 1: the department dep leads."""
    place = {"lon": -73.98, "lat": 40.75}
    made = {"report_id": report_id, "source": "nyc-311", "reported_at": now(), "category": "noise", "location": place}
    return made | fields


def update(incident_id: str, update_id: str, action: str, **fields: Any) -> dict[str, Any]:
    return {"incident_id": incident_id, "update_id": update_id, "action": action, "at": now(), **fields}


class Gateway:
    """One `dispatcher run`; can be killed and started anew on the same ledger."""

    def __init__(self, config: Path, directory: Path, roles: dict[str, dict[str, Any]] = ROLES) -> None:
        self._config, self._ledger, self._log = config, directory / "city.db", directory / "run.log"
        keys = Keys(directory / "city.db.keys")
        self.keys = {name: keys.add(name, **given) for name, given in roles.items()}
        self.names = {row.person.name: row.person.key_id for row in keys.rows()}
        keys.close()
        self.url = ""
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, port: str = "0") -> None:
        environment = {**os.environ, "DISPATCHER__HTTP__PORT": port}
        begin = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            command = [
                sys.executable,
                "-m",
                "dispatcher",
                "-c",
                str(self._config),
                "run",
                "--ledger",
                str(self._ledger),
            ]
            self.process = subprocess.Popen(command, stderr=log, env=environment)
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

    def log(self) -> str:
        return self._log.read_text()

    def revoke(self, name: str) -> None:
        keys = Keys(self._ledger.with_name("city.db.keys"))
        keys.revoke(self.names[name])
        keys.close()

    def admit(self, name: str, **given: Any) -> str:
        """One key more; its name is known from then on."""
        keys = Keys(self._ledger.with_name("city.db.keys"))
        self.keys[name] = keys.add(name, **given)
        self.names[name] = self.keys[name].split(".")[1]
        keys.close()
        return name

    def session(self, name: str) -> str:
        """A token, as a browser that has signed in carries it."""
        keys = Keys(self._ledger.with_name("city.db.keys"))
        token = Sessions(keys.db).begin(self.names[name])
        keys.close()
        return token

    def sign_out(self, token: str) -> None:
        keys = Keys(self._ledger.with_name("city.db.keys"))
        Sessions(keys.db).end(token)
        keys.close()

    def client(self, name: str | None = None, **given: Any) -> httpx.Client:
        headers = {} if name is None else {"Authorization": f"Bearer {self.keys[name]}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, **given)

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


@contextmanager
def gateway_at(config: Path, directory: Path, roles: dict[str, dict[str, Any]] = ROLES) -> Iterator[Gateway]:
    made = Gateway(config, directory, roles)
    made.start()
    try:
        yield made
    finally:
        assert made.process is not None
        if made.process.poll() is None:
            made.process.kill()
            made.process.wait(WAIT_S)


def wait_until(is_so: Callable[[], bool], wait_s: float = WAIT_S) -> None:
    end = time.monotonic() + wait_s
    while not is_so():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.03)
