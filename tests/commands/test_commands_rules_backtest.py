"""`dispatcher rules backtest` as it is called: table, CSV, JSON, the gate, and what it refuses."""

import csv
import io
import json
from pathlib import Path

import pytest

from dispatcher.commands.rules import backtest as command
from dispatcher.commands.rules.backtest import COLUMNS, backtest_command
from dispatcher.ledger import SqliteLedger
from tests.policies.past_city import POLICY, Town


class Desk:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        (folder / "config.yaml").write_text("policy: candidate\ngrid: none\nledger: city.db\n")
        (folder / "candidate").mkdir()
        town = Town(lambda clock: SqliteLedger(folder / "city.db", clock=clock, synchronous="OFF"))
        town.report("r1", "03")
        town.report("r2", "02", cell="T2C1")
        town.at("2026-04-05 10:00").report("r3", "02", cell=None)
        town.report("r4", "01", source="app")
        town.ledger.close()

    def run(self, *replacements: tuple[str, str], lang: str = "en", csv: bool = False, json: bool = False,
            period: str | None = None, gate: str | None = None) -> tuple[str, str, int]:  # fmt: skip
        text = POLICY
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        (self.folder / "candidate" / "policy.yaml").write_text(text, encoding="utf-8")
        code = 0
        try:
            backtest_command(
                self.folder / "config.yaml",
                None,
                self.folder / "candidate",
                period,
                gate,
                lang=lang,
                csv=csv,
                json=json,
            )
        except SystemExit as ended:
            code = int(str(ended.code))
        return (*self._capsys.readouterr(), code)


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


NOISE = ("lead: police, sla: works", "lead: roads, sla: works")
DOGS = ("overlays:\n", 'overlays:\n  - {id: dogs, when: {category: ["03"], text.any: [dog]}, tags: [x]}\n')


def test_nothing_changes(desk: Desk) -> None:
    out, _, code = desk.run()
    assert code == 0
    assert "4 incident(s) decided again under squares 1" in out
    assert "same decision" in out
    assert "by rule" not in out
    assert "by area" not in out


def test_the_table_for_people(desk: Desk) -> None:
    out, _, _ = desk.run(NOISE, DOGS)
    assert "what changes: lead 2" in out
    assert "50.00 %" in out
    assert "25.00 %" in out  # undecidable
    assert "(no place)" in out
    assert "Severity claims are not kept" in out
    shown, _, _ = desk.run(NOISE, DOGS, lang="zh")
    assert "改变的内容: 主办 2" in shown
    assert "按部门" in shown
    assert "（无地点）" in shown


def test_a_long_table_is_cut_and_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "SHOWN", 1)
    assert "… and 1 more: --csv has all" in desk.run(NOISE)[0]


def test_csv_has_a_line_a_decision(desk: Desk) -> None:
    rows = list(csv.DictReader(io.StringIO(desk.run(NOISE, DOGS, csv=True)[0])))
    assert tuple(rows[0]) == COLUMNS
    assert [row["verdict"] for row in rows] == ["undecidable", "changed", "changed", "same"]
    assert (rows[1]["lead_from"], rows[1]["lead_to"], rows[1]["aspects"]) == ("police", "roads", "lead")
    assert rows[0]["support_from"] == "fire street@T1C0"


def test_json_is_one_document(desk: Desk) -> None:
    found = json.loads(desk.run(NOISE, ("  app: {platform: people, severity_cap: 2, extend_promised: {max: 5d}}\n", ""),
                                json=True)[0])  # fmt: skip
    assert [row["verdict"] for row in found["decisions"]] == ["same", "changed", "changed", "rejected"]
    assert found["decisions"][3]["lead_to"] is None
    assert found["decisions"][3]["aspects"] == ["rejected"]
    assert (found["summary"]["changed"], found["candidate"]["name"]) == (3, "squares")
    none = json.loads(desk.run(period="2020", json=True)[0])
    assert (none["decisions"], none["summary"]["incidents"]) == ([], 0)


def test_only_a_period(desk: Desk) -> None:
    assert "2 incident(s)" in desk.run(NOISE, period="2026-04")[0]
    _, said, code = desk.run(period="spring")
    assert (code, "no period" in said) == (2, True)


def test_the_gate_counts_what_cannot_be_decided_too(desk: Desk) -> None:
    assert desk.run(NOISE, gate="50%")[2] == 0
    _, said, code = desk.run(NOISE, gate="49.9%")
    assert (code, "2 changed and 0 undecidable of 4: more than 49.9%" in said) == (1, True)
    _, said, code = desk.run(NOISE, DOGS, gate="50 %", lang="zh")
    assert (code, "超过 50%" in said) == (1, True)
    assert desk.run(NOISE, gate="1%", period="2020")[2] == 0
    for wrong in ("2", "-1%", "101%", "many"):
        _, said, code = desk.run(gate=wrong)
        assert (code, "--fail-if-changed takes a percentage" in said) == (2, True)


def test_other_languages_are_refused(desk: Desk) -> None:
    assert desk.run(lang="fr")[2] == 2
