"""`dispatcher rules activate|history|rollback`: with nobody running, beside a running engine, and refused."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dispatcher.commands import control
from dispatcher.commands.rules import activate as commands
from dispatcher.commands.rules.activate import activate_command, history_command, rollback_command
from dispatcher.config import load_config
from dispatcher.core import CONTROL, REPORTS
from dispatcher.core.wire import encode
from dispatcher.hosts.embedded import PARTITION, enact_first_policy
from dispatcher.hosts.setup import load_setup, read_policy
from dispatcher.hosts.start import start
from dispatcher.ledger import Entry, SqliteLedger
from tests.acceptance.command_line import dispatcher


class Desk:
    """A ledger, two policies beside it, and the commands called as the command line does."""

    def __init__(self, nyc: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.ledger, self._capsys = folder, folder / "city.db", capsys
        self.config = folder / "config.yaml"
        self.config.write_text(f"policy: {nyc / 'policy'}\ngrid: {nyc / 'grid.geojson'}\nledger: city.db\n")
        self.old = read_policy(nyc / "policy").sha256
        self.candidate = self.copy(nyc, "candidate", "lead: nypd\n", "lead: dot\n")
        self.new = read_policy(self.candidate).sha256

    def copy(self, nyc: Path, name: str, before: str, after: str) -> Path:
        shutil.copytree(nyc / "policy", self.folder / name)
        file = self.folder / name / "routes" / "nypd.yaml"
        text = file.read_text(encoding="utf-8")
        assert before in text
        file.write_text(text.replace(before, after), encoding="utf-8")
        return self.folder / name

    def begin(self) -> "Desk":
        """The ledger exists, with its first policy and one report, and nobody runs on it."""
        line = b'{"report_id":"1","source":"nyc-311","reported_at":"2020-01-01T00:00:00Z","category":"Illegal Parking"}'
        ledger = SqliteLedger(self.ledger)
        try:
            enact_first_policy(ledger, read_policy(load_config(self.config, {}).policy))
            ledger.append([Entry(REPORTS, line)])
        finally:
            ledger.close()
        return self

    def activate(self, directory: Path | None, wait_s: float = 0, lang: str = "en", **options: str | None) -> str:
        wish = {"expects": None, "by": "Wang", "reason": "", **options}
        activate_command(self.config, None, directory, wait_s=wait_s, lang=lang, **wish)  # type: ignore[arg-type]
        return self.said()[0]

    def refused(self, directory: Path | None, code: int = 1, **options: object) -> str:
        with pytest.raises(SystemExit) as exit_:
            self.activate(directory, **options)  # type: ignore[arg-type]
        assert exit_.value.code == code
        return self.said()[1]

    def said(self) -> tuple[str, str]:
        return self._capsys.readouterr()

    def commands(self) -> int:
        ledger = SqliteLedger(self.ledger, read_only=True)
        try:
            return ledger.appended(CONTROL)
        finally:
            ledger.close()

    def history(self, lang: str = "en") -> list[dict[str, object]]:
        history_command(self.config, None, lang=lang, json=True)
        return json.loads(self.said()[0])


@pytest.fixture
def desk(nyc: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(nyc, tmp_path, capsys)


def test_a_ledger_that_does_not_exist_is_not_made(desk: Desk) -> None:
    done = dispatcher("rules", "activate", str(desk.candidate), config=desk.config, check=False)
    assert done.returncode == 1
    assert "no such ledger" in done.stderr
    assert not desk.ledger.exists()


def test_with_nobody_running_it_is_written_and_waits(desk: Desk) -> None:
    desk.begin()
    assert "no engine runs" in desk.activate(desk.candidate, reason="a trial")
    ledger = SqliteLedger(desk.ledger, read_only=True)
    assert ledger.position(PARTITION).offset == -1  # nothing was worked through on the sly
    ledger.close()
    made = desk.history()
    assert [line["outcome"] for line in made] == ["waiting", "waiting"]
    assert (made[1]["sha256"], made[1]["by"], made[1]["reason"]) == (desk.new, "Wang", "a trial")
    assert "written already" in desk.activate(desk.candidate)
    assert "已写入" in desk.activate(desk.candidate, lang="zh")
    assert desk.commands() == 2


def test_the_same_policy_is_not_written_again(desk: Desk) -> None:
    desk.begin()
    run_for_a_moment(desk)
    assert "in force already" in desk.activate(None)
    assert "已在生效" in desk.activate(None, lang="zh", expects=desk.old[:10])
    assert desk.commands() == 1


def test_problems_are_all_shown_and_nothing_changes(desk: Desk, nyc: Path) -> None:
    desk.begin()
    bad = desk.copy(nyc, "bad", "lead: nypd\n", "lead: nobody\n")
    said = desk.refused(bad)
    assert said.count("routes/nypd.yaml:") == 3
    assert f"nothing was changed, {desk.old[:12]} stays in force" in said
    assert "未作任何改动" in desk.refused(bad, lang="zh")
    assert desk.commands() == 1


def test_a_stale_expectation_says_what_is_in_force_and_by_whom(desk: Desk, nyc: Path) -> None:
    desk.begin()
    said = desk.refused(desk.candidate, expects="abcdef")
    assert desk.old[:12] in said
    desk.activate(desk.candidate)
    run_for_a_moment(desk)
    other = desk.copy(nyc, "other", "lead: nypd\n", "lead: dep\n")
    said = desk.refused(other, expects=desk.old)
    assert f"{desk.new[:12]} is in force, put there by Wang at " in said
    assert "Wang 于" in desk.refused(other, expects=desk.old, lang="zh")
    assert desk.commands() == 2


def test_usage(desk: Desk) -> None:
    assert "zh or en" in desk.refused(desk.candidate, 2, lang="fr")
    assert "at most 256" in desk.refused(desk.candidate, 2, reason="x" * 257)
    assert "--by" in desk.refused(desk.candidate, 2, by="x" * 257)


def test_without_a_name_it_is_the_operating_system_s(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.begin()
    monkeypatch.setenv("LOGNAME", "zhao")
    desk.activate(desk.candidate, by=None)
    assert desk.history()[-1]["by"] == "zhao"

    def nobody() -> str:
        raise KeyError("no such uid")

    monkeypatch.setattr(control.getpass, "getuser", nobody)
    rollback_command(desk.config, None, desk.old[:12], by=None, reason="", wait_s=0, lang="en")
    assert "no engine runs" in desk.said()[0]
    assert desk.history()[-1]["by"] == "unknown"


def test_a_policy_that_requires_another_grid_is_refused(desk: Desk, nyc: Path) -> None:
    desk.begin()
    header = desk.candidate / "policy.yaml"
    text = header.read_text(encoding="utf-8")
    header.write_text(f'{text}requires: {{grid: ">=2026.10"}}\n', encoding="utf-8")
    assert "grid >=2026.10; found none" in desk.refused(desk.candidate)
    assert "该政策要求 grid" in desk.refused(desk.candidate, lang="zh")
    assert desk.commands() == 1
    desk.config.write_text(desk.config.read_text().replace(str(nyc / "policy"), "candidate"))
    told = dispatcher("doctor", "--json", config=desk.config, check=False)
    assert "nyc-311 2026.11.1 requires grid >=2026.10; found none" in told.stdout
    grid = json.loads((nyc / "grid.geojson").read_bytes())
    (desk.folder / "grid.geojson").write_text(json.dumps({"version": "2026.11", **grid}), encoding="utf-8")
    desk.config.write_text(desk.config.read_text().replace(str(nyc / "grid.geojson"), "grid.geojson"))
    assert "is written" in desk.activate(desk.candidate)


def test_departments_that_are_left_behind_are_told(desk: Desk) -> None:
    desk.begin()
    run_for_a_moment(desk)
    for file in desk.candidate.rglob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        file.write_text(re.sub(r"\bnypd\b(?!\.)", "police", text), encoding="utf-8")
    desk.activate(desk.candidate)  # ends what `said` has read
    rollback_command(desk.config, None, desk.old, by="Li", reason="", wait_s=0, lang="en")
    desk.said()
    activate_command(desk.config, None, desk.candidate, expects=None, by="Wang", reason="", wait_s=0, lang="en")
    out, said = desk.said()
    assert "department nypd is not in this policy: 1 open assignment(s), 1 order(s) so far" in said
    assert "is written" in out


def test_an_interrupted_replay_comes_first(desk: Desk) -> None:
    desk.begin()
    ledger = SqliteLedger(desk.ledger)
    ledger.put("imports", "replay", b'{"sha256":"x","records":10}')
    ledger.close()
    done = dispatcher("rules", "activate", str(desk.candidate), config=desk.config, check=False)
    assert done.returncode == 1
    assert "interrupted replay" in done.stderr


def test_the_history_for_people(desk: Desk) -> None:
    desk.begin()
    desk.activate(desk.candidate, reason="a trial")
    history_command(desk.config, None, lang="en", json=False)
    shown = desk.said()[0]
    assert "from the start" in shown
    assert re.search(r"nyc-311 2026\.11\.1 +│ waiting for the engine │ Wang +│ a trial", shown)
    history_command(desk.config, desk.ledger, lang="zh", json=False)
    assert "等待引擎" in desk.said()[0]


# --- beside a running engine ---


class Running:
    def __init__(self, config: Path) -> None:
        command = [sys.executable, "-m", "dispatcher", "--config", str(config), "run"]
        environment = {**os.environ, "DISPATCHER__HTTP__PORT": "0"}
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
        self.lines: list[str] = []
        assert self.process.stderr is not None
        while not any("following" in line for line in self.lines):
            line = self.process.stderr.readline()
            assert line, self.lines
            self.lines.append(line)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        _, said = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, said


def run_for_a_moment(desk: Desk) -> None:
    """Work through what is there, as `run` would."""
    ledger = SqliteLedger(desk.ledger)
    try:
        start(ledger, load_setup(load_config(desk.config, {})), batch_records=100).catch_up()
    finally:
        ledger.close()


@pytest.fixture
def running(desk: Desk) -> Iterator[Running]:
    made = Running(desk.config)
    yield made
    if made.process.poll() is None:
        made.process.kill()
        made.process.communicate(timeout=60)


def test_beside_a_running_engine_it_is_in_force_at_once(desk: Desk, running: Running) -> None:
    assert "is in force since" in desk.activate(desk.candidate, wait_s=60, reason="a trial")
    assert [line["outcome"] for line in desk.history()] == ["replaced", "in_force"]
    rollback_command(desk.config, None, desk.old[:8], by="Li", reason="no", wait_s=60, lang="zh")
    assert "起生效" in desk.said()[0]
    assert [(line["sha256"], line["by"]) for line in desk.history()][1:] == [(desk.new, "Wang"), (desk.old, "Li")]
    running.stop()


def halted(running: Running, ledger: Path) -> None:
    """Halt it between two transactions: one that is halted within keeps the file locked for everybody."""
    for _ in range(1_000):
        running.process.send_signal(signal.SIGSTOP)
        os.waitpid(running.process.pid, os.WUNTRACED)  # it stands still
        with closing(sqlite3.connect(ledger, timeout=0, isolation_level=None)) as db:
            try:
                db.execute("BEGIN IMMEDIATE")
                db.execute("ROLLBACK")
            except sqlite3.OperationalError:
                running.process.send_signal(signal.SIGCONT)
            else:
                return
    raise AssertionError("it is never between two transactions")


def test_an_engine_that_does_not_answer_in_time_is_not_taken_for_none(desk: Desk, running: Running) -> None:
    halted(running, desk.ledger)
    try:
        assert "has not come to it within" in desk.activate(desk.candidate, wait_s=0)
    finally:
        running.process.send_signal(signal.SIGCONT)
    running.stop()


def test_what_the_engine_refuses_is_an_error(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another administrator was quicker: between our reading and our writing."""
    desk.begin()
    real = commands.activate

    def slower(ledger, policy, **wish):  # type: ignore[no-untyped-def]
        written = real(ledger, policy, **wish)
        ledger.append([Entry(CONTROL, encode(written.command))])
        run_for_a_moment(desk)
        return written._replace(offset=written.offset + 1, seq=written.seq + 1)

    monkeypatch.setattr(commands, "activate", slower)
    said = desk.refused(desk.candidate, wait_s=5)
    assert "the engine refused it" in said
    assert desk.new[:12] in said


def test_run_says_when_its_directory_is_not_what_is_in_force(desk: Desk) -> None:
    desk.begin()
    desk.activate(desk.candidate)
    run_for_a_moment(desk)
    made = Running(desk.config)
    made.stop()
    told = "".join(made.lines)
    assert f"has policy {desk.new[:12]} in force" in told
    assert f"dispatcher rules diff {desk.new[:12]}" in told
    assert "dispatcher rules activate" in told
