"""`dispatcher rules diff`: the same differences as a table, CSV and JSON."""

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from tests.acceptance.command_line import dispatcher, replay


@pytest.fixture
def changed(nyc: Path, tmp_path: Path) -> Path:
    """New York's policy with another lead for spills."""
    policy = Path(shutil.copytree(nyc / "policy", tmp_path / "changed"))
    file = policy / "routes" / "dep.yaml"
    text = file.read_text(encoding="utf-8")
    assert text.index("id: dep.hazmat") < text.index("lead: dep\n")
    file.write_text(text.replace("lead: dep\n", "lead: dot\n", 1), encoding="utf-8")
    return policy


def diff(nyc: Path, *arguments: str) -> str:
    return dispatcher("rules", "diff", *arguments, config=nyc / "config.yaml").stdout


def test_every_form_says_the_same(nyc: Path, changed: Path) -> None:
    named = str(nyc / "policy"), str(changed)
    table = diff(nyc, *named)
    assert table.startswith("~ rule dep.hazmat\n")
    assert "dep → dot" in table
    assert "everywhere" in table
    found = json.loads(diff(nyc, *named, "--json"))
    assert found["changes"] == [{"kind": "rule", "name": "dep.hazmat", "how": "changed"}]
    rows = list(csv.DictReader(io.StringIO(diff(nyc, *named, "--csv"))))
    assert len(rows) == len(found["rows"]) > 0
    for row, plain in zip(rows, found["rows"], strict=True):
        assert (row["category"], row["area"]) == (plain["category"], plain["area"])
        assert [row["lead_from"], row["lead_to"]] == plain["lead"] == ["dep", "dot"]
    assert {row["category"] for row in rows} == {"environment.hazmat"}
    assert {row["area"] for row in rows} == set(found["areas"])


def test_chinese(nyc: Path, changed: Path) -> None:
    said = diff(nyc, str(nyc / "policy"), str(changed), "--lang", "zh")
    assert "~ 规则 dep.hazmat" in said
    assert "主办" in said
    assert "全部" in said


def test_the_same_policy(nyc: Path) -> None:
    named = str(nyc / "policy"), str(nyc / "policy")
    done = dispatcher("rules", "diff", *named, config=nyc / "config.yaml")
    assert done.stdout == ""
    assert "the same policy" in done.stderr


def test_words_alone_change_no_decision(nyc: Path, tmp_path: Path) -> None:
    policy = Path(shutil.copytree(nyc / "policy", tmp_path / "words"))
    file = policy / "catalogue" / "departments.yaml"
    text = file.read_text(encoding="utf-8")
    assert "en: " in text
    file.write_text(text.replace("en: ", "en: The ", 1), encoding="utf-8")
    done = dispatcher("rules", "diff", str(nyc / "policy"), str(policy), config=nyc / "config.yaml")
    assert done.stdout.startswith("~ department ")
    assert "alike" in done.stderr


def test_against_a_policy_of_the_ledger(nyc: Path, changed: Path, tmp_path: Path) -> None:
    ledger = tmp_path / "nyc.db"
    some = tmp_path / "reports.csv"
    some.write_text(
        "".join((nyc / "reports.csv").read_text(encoding="utf-8").splitlines(keepends=True)[:20]), encoding="utf-8"
    )
    replay(nyc / "config.yaml", ledger, some, mapping=nyc / "mapping.yaml")
    found = json.loads(diff(nyc, str(nyc / "policy"), str(changed), "--json"))
    stored = json.loads(diff(nyc, found["before"][:12], str(changed), "--ledger", str(ledger), "--json"))
    assert stored == found
    refused = dispatcher(
        "rules", "diff", "ffffffff", str(changed), "--ledger", str(ledger), config=nyc / "config.yaml", check=False
    )
    assert (refused.returncode, "rules history" in refused.stderr) == (1, True)


def test_another_grid(nyc: Path, changed: Path, tmp_path: Path) -> None:
    named = str(nyc / "policy"), str(changed), "--grid", str(nyc / "grid.geojson")
    done = dispatcher("rules", "diff", *named, "--json", config=nyc / "config.yaml")
    assert json.loads(done.stdout)["rows"]
    missing = dispatcher(
        "rules", "diff", *named[:2], "--grid", str(tmp_path / "no"), config=nyc / "config.yaml", check=False
    )
    assert (missing.returncode, "no: " in missing.stderr) == (1, True)
    assert (
        dispatcher("rules", "diff", *named[:2], "--lang", "fr", config=nyc / "config.yaml", check=False).returncode == 2
    )
