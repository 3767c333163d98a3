"""The bench over HTTP at a small size: every way of posting is a row, and what was acknowledged is in the ledger."""

import json
from pathlib import Path

import pytest

from bench import gateway
from dispatcher.ledger import SqliteLedger


def run(tmp_path: Path, *more: str) -> int:
    sizes = ("--quick", "--reports", "40", "--batched", "1000")
    return gateway.main([*sizes, "--directory", str(tmp_path / "disk"), *more])


def test_every_way_of_posting_is_a_row_of_a_line(tmp_path: Path, capsys: pytest.CaptureFixture):
    file = tmp_path / "runs.jsonl"
    assert run(tmp_path, "--json", str(file)) == 0
    line = json.loads(file.read_text())
    assert line["bench"] == "gateway"
    assert line["size"] == {"rounds": 1, "singly": 40, "batched": 1000}
    names = {row["name"] for row in line["rows"]}
    assert {name.rpartition(":")[2] for name in names} == {" reports a second", " p50", " p99"}
    assert len(names) == 9
    text = capsys.readouterr().out
    assert all(name in text for name in names)
    assert str(tmp_path) not in file.read_text()


def test_a_report_that_is_not_in_the_ledger_is_a_wrong_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    original = SqliteLedger.appended
    monkeypatch.setattr(SqliteLedger, "appended", lambda self, topic: original(self, topic) - 1)
    assert run(tmp_path) == 1
    assert "wrong answer: 1,080 reports were acknowledged, 1,079 are in the ledger" in " ".join(
        "".join(capsys.readouterr()).split()
    )
