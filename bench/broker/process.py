"""Kafka's Java process: started so that it ends with whoever started it, however that ends."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

__all__ = ["Child", "DidNotStart", "last_lines"]

LAST_LINES: Final = 30

# The shell becomes Java (same process id), leaving a guard beside it that waits for the pipe from us to close and then
# kills. The pipe closes when we say so or when we die, by SIGKILL too. PR_SET_PDEATHSIG would not do: its signal
# comes when the *thread* that started the child ends, and tests start brokers from threads that end. The guard is in
# Java's process group, so that Java's number belongs to nobody else as long as the guard may use it.
GUARDED: Final = 'exec 3<&0; (read _ <&3; kill -KILL $$) 2>/dev/null & exec "$@" 3<&- </dev/null'


class DidNotStart(Exception):
    """Kafka ended while starting, or does not answer; the message has the last lines of its log."""


def last_lines(log: Path) -> str:
    """The end of a log, for a message."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:]
    return "\n".join([f"the end of {log}:", *lines])


class Child:
    """One life of a Java program, in a session of its own: a terminal's Ctrl-C does not reach it."""

    def __init__(self, command: Sequence[str], log: IO[bytes], directory: Path) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - no word of the command is the shell's to expand
            ["/bin/sh", "-c", GUARDED, "guard", *command],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=directory,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """Java's, for signals of the caller's own."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """How it ended, a signal negative; None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """SIGKILL; returns when it is gone and its ports and files are free."""
        self._process.kill()
        self._end()

    def stop(self, timeout_s: float) -> None:
        """SIGTERM, and SIGKILL if it has not ended in time; returns when it is gone."""
        self._process.terminate()
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._end()

    def _end(self) -> None:
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()  # dismisses the guard
