"""The example of a department, as a process that sees nothing of ours: no PYTHONPATH, a folder of its own."""

import os
import subprocess
import sys

from kafka_city import ROOT, City
from kafka_waiting import WAIT_S

EXAMPLE = ROOT / "examples" / "department"


class Department:
    """One of its processes; `env` may have its user."""

    def __init__(self, city: City, code: str, *options: str, **env: str) -> None:
        self.log = city.directory / f"department-{code}.log"
        command = [sys.executable, str(EXAMPLE / "department.py"), code, "--prefix", city.prefix]
        plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--bootstrap", city.client["bootstrap_servers"], *options],
                stdout=log, stderr=log, cwd=city.directory, env={**plain, **env},
            )  # fmt: skip

    def wait(self) -> int:
        """How it ends by itself."""
        return self._process.wait(WAIT_S)

    def end(self, signum: int) -> int:
        self._process.send_signal(signum)
        return self.wait()

    def kill(self) -> None:
        """Nothing happens if it has ended."""
        self._process.kill()
        self._process.wait()
