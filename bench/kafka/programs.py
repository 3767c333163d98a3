"""The processes beside ours: a worker, the pass-through, the plain application. None of them outlives us."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

from bench.broker.ports import HOST, choose_ports
from bench.broker.process import Child, last_lines
from bench.kafka.ledgers import KafkaLedger

__all__ = ["READY", "Program", "ProgramEnded", "program", "worker"]

ROOT: Final = Path(__file__).parent.parent.parent  # the code that is measured is the code that measures
STOP_S: Final = 20.0
READY_S: Final = 90.0
LOOK_EVERY_S: Final = 0.1
READY: Final = "ready"  # the line of programs that serve no health


class ProgramEnded(Exception):
    """A process ended by itself, or is not ready in time; the message has the end of what it said."""


class Program:
    """One process at work on a ledger."""

    def __init__(self, name: str, child: Child, log: Path, port: int) -> None:
        self.name, self._child, self._log, self._port = name, child, log, port

    def check(self) -> None:
        """Raises ProgramEnded if it has failed."""
        if self._child.returncode:
            raise ProgramEnded(f"{self.name} ended with {self._child.returncode}; {last_lines(self._log)}")

    async def ready(self) -> None:
        """Return when it is healthy and ready, or has said so in a line of its own. Raises ProgramEnded."""
        give_up_s = time.monotonic() + READY_S
        while not await asyncio.to_thread(self._asked):
            self.check()
            if time.monotonic() > give_up_s:
                raise ProgramEnded(f"{self.name} is not ready after {READY_S:.0f} s; {last_lines(self._log)}")
            await asyncio.sleep(LOOK_EVERY_S)

    def _asked(self) -> bool:
        if READY in self._log.read_text(encoding="utf-8", errors="replace").splitlines():
            return True
        try:
            with urlopen(f"http://{HOST}:{self._port}/health/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False


def worker(ledger: KafkaLedger, name: str = "worker") -> AbstractAsyncContextManager[Program]:
    """A `dispatcher worker` on a ledger."""
    return program(ledger, name, "dispatcher", "-c", str(ledger.config), "worker")


@asynccontextmanager
async def program(ledger: KafkaLedger, name: str, module: str, *arguments: str) -> AsyncIterator[Program]:
    """A module of ours as a process, until the block is left."""
    (port,) = choose_ports(1)
    log = ledger.config.with_name(f"{ledger.place.prefix}{name}.log")
    command = ["/usr/bin/env", f"DISPATCHER__HTTP__PORT={port}", sys.executable, "-m", module, *arguments]
    with log.open("ab") as file:
        child = Child(command, file, ROOT)
    try:
        yield Program(name, child, log, port)
    finally:
        await asyncio.to_thread(child.stop, STOP_S)
