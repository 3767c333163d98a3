"""`dispatcher rules check`, `fmt` and `schema` at the terminal."""

import json
import shutil
from pathlib import Path

import pytest

from ..acceptance.command_line import dispatcher

ROOT = Path(__file__).parent.parent.parent
CONFIG = ROOT / "examples/nyc/config.yaml"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "examples/nyc/policy", tmp_path / "mine"))


def test_a_good_policy_says_what_it_holds(mine: Path) -> None:
    done = dispatcher("rules", "check", str(mine), config=CONFIG)
    assert "nyc-311 2026.11.1 can be put in force" in done.stdout
    assert "42 routes, 34 overlays" in done.stdout
    found = json.loads(dispatcher("rules", "check", "--json", config=CONFIG).stdout)
    assert found["holds"]["routes"] == 42
    assert found["sha256"] in done.stdout
    assert "派遣规则 42 条" in dispatcher("rules", "check", "--lang", "zh", config=CONFIG).stdout


def test_a_bad_one_lists_everything_by_place_and_ends_with_1(mine: Path) -> None:
    (mine / "catalogue" / "own.yaml").write_text("categories:\n  09.90: {zh: a, severty: 3}\n", encoding="utf-8")
    done = dispatcher("rules", "check", str(mine), config=CONFIG, check=False)
    assert done.returncode == 1
    assert f"{mine}/catalogue/own.yaml:2:3 E009 09.90 must be quoted" in done.stdout
    assert f"{mine}/catalogue/own.yaml:2:18 E005 unknown key 'severty'" in done.stdout
    done = dispatcher("rules", "check", str(mine), "--json", "--lang", "zh", config=CONFIG, check=False)
    assert [problem["code"] for problem in json.loads(done.stdout)["problems"]] == ["E009", "E005"]
    assert "必须加引号" in json.loads(done.stdout)["problems"][0]["message"]


def test_what_it_requires_and_is_not_there_is_said(mine: Path) -> None:
    header = mine / "policy.yaml"
    header.write_text(header.read_text(encoding="utf-8") + 'requires: {grid: ">=2999"}\n', encoding="utf-8")
    assert "not met: grid >=2999" in dispatcher("rules", "check", str(mine), config=CONFIG).stdout


def test_fmt_writes_only_what_changes_and_only_when_asked(mine: Path) -> None:
    own = mine / "catalogue" / "own.yaml"
    own.write_bytes(b"categories:\r\n  09.90: {zh: 'a'}  \r\n")
    done = dispatcher("rules", "fmt", "--check", str(mine), config=CONFIG, check=False)
    assert done.returncode == 1
    assert str(own) in done.stdout
    assert b"\r" in own.read_bytes()
    others = {file: file.stat().st_mtime_ns for file in mine.rglob("*.yaml") if file != own}
    assert "1 of" in dispatcher("rules", "fmt", str(mine), config=CONFIG).stdout
    assert own.read_bytes() == b'categories:\n  "09.90": {zh: "a"}\n'
    assert others == {file: file.stat().st_mtime_ns for file in others}
    assert dispatcher("rules", "fmt", "--check", str(mine), config=CONFIG).returncode == 0
    assert not list(mine.rglob(".*"))


def test_the_schema_is_one_json_document() -> None:
    assert json.loads(dispatcher("rules", "schema", config=CONFIG).stdout)["$defs"]
