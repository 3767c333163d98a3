"""The log of a running city: every line an object with an event, and nothing in it that anybody has written to us."""

import io
import json
import logging
import os
import re
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from dispatcher.core import EngineFault
from dispatcher.ledger import LedgerError
from dispatcher.logs import JsonLines, TextLines

NYC = Path(__file__).parent.parent.parent / "examples" / "nyc"
WAIT_S = 60.0
MARKS = {
    "name": "Zhang Nightingale", "phone": "13800138000", "email": "nightingale@home.example", "text": "gardenia smell",
    "address": "9 Periwinkle Mews", "attribute": "hollyhock", "junk": "foxglove",
}  # fmt: skip
# The real command with a bug of ours in it: what it raises repeats everything a report says.
BUGGY = """
import dispatcher.core.admit as admit
facts_of = admit.facts_of
def failing(policy, work, *rest):
    if work.report.report_id == "bug":
        raise ValueError(f"cannot judge {work.report!r}")
    return facts_of(policy, work, *rest)
admit.facts_of = failing
from dispatcher.__main__ import main
main()
"""


def report(report_id: str, **fields: object) -> dict[str, object]:
    return {
        "report_id": report_id, "source": "nyc-311", "reported_at": datetime.now(UTC).isoformat(), "category": "noise",
        "location": {"lon": -73.98, "lat": 40.75}, "text": MARKS["text"],
        "attributes": {"note": MARKS["attribute"]}, "tags": [MARKS["attribute"]],
        "reporter": {"name": MARKS["name"], "phone": MARKS["phone"], "email": MARKS["email"]}, **fields,
    }  # fmt: skip


class Running:
    """`dispatcher run` with a bug, on a ledger of its own."""

    def __init__(self, directory: Path) -> None:
        self._environment = {
            **os.environ, "DISPATCHER__HTTP__PORT": "0", "DISPATCHER__LEDGER": str(directory / "city.db"),
            "DISPATCHER__LOG__FORMAT": "json",
        }  # fmt: skip
        config = ["-c", str(NYC / "config.yaml")]
        self._command = [sys.executable, "-m", "dispatcher", *config]
        self.key = self._said("keys", "add", "hub", "--role", "reporter", "--source", "*").strip()
        self.log = directory / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", BUGGY, *config, "run"], env=self._environment, stderr=log
            )
        self.url = self.wait(r"http://[\d.]+:\d+")

    def _said(self, *arguments: str, given: bytes = b"") -> str:
        command = [*self._command, *arguments]
        done = subprocess.run(command, env=self._environment, input=given, capture_output=True, timeout=WAIT_S)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()

    def append(self, values: list[bytes]) -> None:
        self._said("append", "reports", given=b"\n".join(values))

    def wait(self, pattern: str) -> str:
        end = time.monotonic() + WAIT_S
        while not (found := re.search(pattern, self.log.read_text())):
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, f"{pattern} was never said"
            time.sleep(0.05)
        return found[0]


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[dict[str, object]]]:
    """Everything a city says that is told all sorts of things."""
    running = Running(tmp_path_factory.mktemp("logs"))
    try:
        showing = {"Authorization": f"Bearer {running.key}"}
        with httpx.Client(base_url=running.url, headers=showing, timeout=30) as client:
            good = [report(f"good-{n}") for n in range(3)]
            good.append(report("at", location={"address": MARKS["address"]}))
            taken = client.post("/v1/reports", json=good)
            assert taken.status_code == 201, taken.text
            for each in (report("good-1", text=MARKS["junk"]), report("bug")):  # the first is a conflict
                assert client.post("/v1/reports", json=each).status_code == 201
            wrong = [
                json.dumps(report("wrong", severity=MARKS["phone"])).encode(),
                f'{{"reporter": {{"name": "{MARKS["name"]}"'.encode(),
                MARKS["junk"].encode(),
            ]
            for body in wrong:
                assert 400 <= client.post("/v1/reports", content=body).status_code < 500
            running.append([*wrong, json.dumps(report("odd", surprise=MARKS["junk"])).encode()])  # past the gateway
            client.get(f"/v1/reports/nyc-311/{MARKS['phone']}")
            client.get(f"/nowhere/{MARKS['name']}", headers={"Authorization": f"Bearer {MARKS['junk']}"})
            running.wait("it ends as engine_error")
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(WAIT_S) == 0, running.log.read_text()
        yield [json.loads(line) for line in running.log.read_text().splitlines()]
    finally:
        running.process.kill()
        running.process.wait(WAIT_S)


def test_every_line_says_when_how_bad_and_what(lines: list[dict[str, object]]) -> None:
    for line in lines:
        assert {"time", "level", "event", "logger", "message"} <= line.keys()
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(line["time"]))
    events = [line["event"] for line in lines]
    assert (events[0], events[-1]) == ("started", "stopped")


def test_a_failure_is_told_with_its_ids_its_kind_and_its_place(lines: list[dict[str, object]]) -> None:
    (fault,) = [line for line in lines if line["event"] == "engine_fault"]
    assert (fault["level"], fault["record"]) == ("error", "reports/0/5")
    kinds = {each["kind"]: each for each in fault["error"]}  # type: ignore[attr-defined]
    assert kinds.keys() == {"EngineFault", "ValueError"}
    assert "failing" in kinds["ValueError"]["at"][-1]


@pytest.mark.parametrize("what", MARKS)
def test_nothing_a_person_has_written_is_in_any_line(lines: list[dict[str, object]], what: str) -> None:
    for line in lines:
        assert MARKS[what] not in json.dumps(line, ensure_ascii=False), line


def logged(
    error: BaseException | None, name: str = "dispatcher.x", said: str = "it has failed", **extra: object
) -> str:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    log = logging.Logger(name)
    log.addHandler(handler)
    found = []
    for form in (JsonLines(), TextLines()):
        handler.setFormatter(form)
        log.error(said, exc_info=error, extra=extra)
        found.append(out.getvalue())
    assert json.loads(found[0])["level"] == "error"
    return "".join(found)


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        raise error from cause
    except type(error) as caught:
        return caught


@pytest.mark.parametrize(
    "error",
    [
        KeyError("nightingale"),
        ValueError("nightingale"),
        RuntimeError("nightingale"),
        EngineFault("reports/0/1", KeyError("nightingale")),
        raised(RuntimeError("a"), KeyError("nightingale")),
        raised(LedgerError("broken"), ValueError("nightingale")),
        ExceptionGroup("several", [KeyError("nightingale")]),
        smtplib.SMTPRecipientsRefused({"nightingale@home.example": (550, b"no")}),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_an_exception_repeats_is_not_told(error: BaseException) -> None:
    said = logged(raised(error, error.__cause__))
    assert "nightingale" not in said
    assert type(error).__name__ in said
    assert "test_commands_logs.py" in said


def test_what_the_machine_says_and_what_we_say_is_told() -> None:
    assert "No space left on device" in logged(raised(OSError(28, "No space left on device")))
    assert "name another file" in logged(raised(LedgerError("damaged; name another file")))


def test_of_others_lines_only_the_first_is_told_and_no_number() -> None:
    said = logged(
        None, "asyncio", "Task exception was never retrieved 13800138000\nfuture: nightingale", who="nightingale"
    )
    assert "never retrieved" in said
    assert "13800138000" not in said
    assert "nightingale" not in said


@pytest.mark.parametrize(
    "where",
    ["raise KeyError('nightingale')", "import threading; threading.Thread(target=lambda: {}['nightingale']).start()"],
)
def test_what_ends_the_process_or_a_thread_is_told_like_everything_else(where: str) -> None:
    script = f"from dispatcher.logs import report_ends, write_logs\nwrite_logs('json')\nreport_ends()\n{where}\n"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=WAIT_S)
    (line,) = map(json.loads, done.stderr.splitlines())
    assert line["level"] == "critical"
    assert line["error"][0]["kind"] == "KeyError"
    assert "nightingale" not in done.stderr
