"""`dispatcher rules report` as it is called."""

import csv
import io
import json
from pathlib import Path

import pytest
import yaml

from dispatcher.commands.rules.report import COLUMNS, report_command
from dispatcher.ledger import LedgerError, SqliteLedger
from tests.acceptance.command_line import dispatcher
from tests.policies.past_city import DISPATCHER, POLICY, Town


@pytest.fixture
def town(tmp_path: Path) -> Town:
    (tmp_path / "config.yaml").write_text("policy: none\ngrid: none\nledger: city.db\n")
    return Town(lambda clock: SqliteLedger(tmp_path / "city.db", clock=clock, synchronous="OFF"))


def run(folder: Path, rule: str | None = None, *, as_test: str | None = None, lang: str = "en", form: str = "") -> None:
    report_command(
        folder / "config.yaml", None, rule, as_test=as_test, lang=lang, csv=form == "csv", json=form == "json"
    )


@pytest.fixture
def told(town: Town) -> str:
    """An incident whose lead gave it back with good reason; two others."""
    moved = town.report("r1", "02")
    town.update(moved, "return", reason_code="not_ours")
    town.update(moved, "assign", lead="roads", actor=DISPATCHER)
    town.report("r2", "02", cell="T2C1")
    town.report("r3", "03")
    town.ledger.close()
    return moved


def test_cards_in_every_form(told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path)
    shown = capsys.readouterr().out
    assert "50.00 % (1/2)" in shown
    assert "drill" in shown
    run(tmp_path, "noise", lang="zh")
    shown = capsys.readouterr().out
    assert "首派未改" in shown
    assert "drill" not in shown
    run(tmp_path, "noise", form="json")
    assert json.loads(capsys.readouterr().out) == [
        {"rule": "noise", "kind": "route", "hits": 2, "dispatched": 2, "stayed": 1, "overrides": 1, "returns": 1,
         "upheld": 1}
    ]  # fmt: skip
    run(tmp_path, form="csv")
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert tuple(rows[0]) == COLUMNS
    assert {row["rule"]: row["hits"] for row in rows}["gas"] == "1"


def test_a_return_becomes_a_test(told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for named in (told, "hotline/r1"):
        run(tmp_path, as_test=named)
        assert yaml.safe_load(capsys.readouterr().out)["tests"][0]["expect"] == {"lead": "roads"}


def test_rules_test_takes_what_is_printed(told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It fails under the policy as it is, and passes once the rule beside it is taken over."""
    run(tmp_path, as_test=told)
    text = capsys.readouterr().out
    tests = tmp_path / "policy" / "tests"
    tests.mkdir(parents=True)
    (tests / "settled.yaml").write_text(text, encoding="utf-8")
    rule = "\n".join(line.removeprefix("# ") for line in text.splitlines() if line.startswith(("# routes:", "#   ")))
    for policy, code in ((POLICY, 1), (POLICY.replace("routes:\n", rule + "\n", 1), 0)):
        (tmp_path / "policy" / "policy.yaml").write_text(policy, encoding="utf-8")
        done = dispatcher("rules", "test", str(tmp_path / "policy"), config=tmp_path / "config.yaml", check=False)
        assert done.returncode == code, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rule": "nothing"}, "no rule nothing"),
        ({"as_test": "hotline/r2"}, "no return of its lead was upheld"),
        ({"as_test": "hotline/r2", "lang": "zh"}, "退单未曾成立"),
        ({"lang": "fr"}, "zh or en"),
    ],
)
def test_what_is_refused(
    told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: dict[str, str], said: str
) -> None:
    with pytest.raises(SystemExit):
        run(tmp_path, **options)  # type: ignore[arg-type]
    assert said in capsys.readouterr().err


def test_an_incident_nobody_knows(told: str, tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="no incident"):
        run(tmp_path, as_test="hotline/r99")


def test_a_ledger_without_a_past(town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    town.ledger.close()
    with pytest.raises(SystemExit):
        run(tmp_path)
    assert "nothing has been worked through" in capsys.readouterr().err
