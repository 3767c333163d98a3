"""`dispatcher rules test`: results on stdout, exit codes, coverage, JUnit, JSON, both languages."""

import json
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.acceptance.command_line import dispatcher
from tests.policies.cases_city import HEAD, POLICY, one

GOOD = one('{category: "02"}', "{lead: water-bureau}")
BAD = f"""{HEAD}  - {{name: a leak, report: {{category: "03"}}, expect: {{route: street}}}}
  - {{name: a flood, report: {{category: "02"}}}}
"""
LOWER = "route gas won by priority; street held too, but its priority is 300 against 900"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "good.yaml").write_text(GOOD, encoding="utf-8")
    return tmp_path


def run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it in a process of its own, without a configuration."""
    config = directory / "config.yaml"
    return dispatcher("rules", "test", str(directory), *arguments, config=config, check=False)


def test_all_pass(directory: Path):
    done = run(directory)
    assert (done.returncode, done.stderr) == (0, "")
    *listed, rules, keys, matter, summary = done.stdout.splitlines()
    assert rules == "rules covered: 1 of 11 (9 %)"
    assert keys == "when keys covered: 1 of 16 (6.2 %)"
    assert matter == "when keys shown to matter: 0 of 16 (0 %)"
    assert summary == "1 tests: 1 passed, 0 failed"
    line = POLICY[: POLICY.index("id: drill")].count("\n") + 1
    assert listed[0] == f"policy.yaml:{line} no test makes it win or contribute: drill"
    assert listed[-1].endswith("no test shows that it matters: water category")
    assert len(listed) == 11


def test_one_fails(directory: Path):
    (directory / "tests" / "bad.yaml").write_text(BAD, encoding="utf-8")
    done = run(directory)
    assert done.returncode == 1
    assert done.stdout.splitlines()[:2] == [
        "FAIL tests/bad.yaml:4 a leak",
        f"  tests/bad.yaml:4 route: expected street, got gas; {LOWER}",
    ]
    assert done.stdout.endswith("3 tests: 2 passed, 1 failed\n")


def test_in_chinese(directory: Path):
    (directory / "tests" / "bad.yaml").write_text(BAD, encoding="utf-8")
    done = run(directory, "--lang", "zh")
    assert "未通过 tests/bad.yaml:4 a leak" in done.stdout
    assert "route：应为 street，实为 gas" in done.stdout
    assert "规则覆盖：3/11（27.2%）" in done.stdout
    assert done.stdout.endswith("共 3 项测试：通过 2，未通过 1\n")
    assert run(directory, "--lang", "fr").returncode == 2


def test_only_some(directory: Path):
    (directory / "tests" / "bad.yaml").write_text(BAD, encoding="utf-8")
    done = run(directory, "--only", "flood", "--fail-under", "100")
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 tests: 1 passed, 0 failed\n", "")
    done = run(directory, "-k", "earthquake")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "no test's name or file contains 'earthquake'\n"


def test_a_threshold(directory: Path):
    assert run(directory, "--fail-under", "9").returncode == 0
    done = run(directory, "--fail-under", "9.1")
    assert done.returncode == 1
    assert done.stderr == "rule coverage 9 % is under the 9.1 % asked for\n"
    done = run(directory, "--fail-under", "90", "--lang", "zh")
    assert done.stderr == "规则覆盖率 9% 低于要求的 90%\n"


def test_json(directory: Path):
    (directory / "tests" / "bad.yaml").write_text(BAD, encoding="utf-8")
    done = run(directory, "--json")
    said = json.loads(done.stdout)
    assert done.returncode == 1
    assert (said["tests"], said["failed"]) == (3, 1)
    assert len(said["policy"]) == 64
    bad = said["results"][0]
    assert (bad["file"], bad["line"], bad["name"], bad["passed"]) == ("tests/bad.yaml", 4, "a leak", False)
    message = f"route: expected street, got gas; {LOWER}"
    assert bad["failures"] == [
        {"file": "tests/bad.yaml", "line": 4, "moment": None, "what": "route", "message": message}
    ]
    coverage = said["coverage"]
    assert coverage["rules"] == {"n": 3, "of": 11}
    assert coverage["when_keys"] == {"n": 4, "of": 16}
    assert [entry["rule"] for entry in coverage["uncovered_rules"]][:2] == ["drill", "later"]
    assert coverage["uncovered_rules"][0]["place"].startswith("policy.yaml:")
    assert coverage["when_keys_that_matter"] == {"n": 2, "of": 16}  # the categories of whistle and water
    not_shown = [(entry["rule"], entry["key"]) for entry in coverage["when_keys_not_shown"]]
    assert not_shown == [("gas", "category"), ("gas", "severity")]  # the flood misses gas by both
    assert json.loads(run(directory, "--json", "-k", "flood").stdout)["coverage"] is None


def test_junit(directory: Path):
    (directory / "tests" / "bad.yaml").write_text(BAD, encoding="utf-8")
    file = directory / "junit.xml"
    assert run(directory, "--junit", str(file)).returncode == 1
    root = ElementTree.parse(file).getroot()
    assert [root.get("tests"), root.get("failures")] == ["3", "1"]
    assert [suite.get("name") for suite in root] == ["tests/bad.yaml", "tests/good.yaml"]


def test_without_tests(directory: Path):
    (directory / "tests" / "good.yaml").unlink()
    done = run(directory)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{directory} has no tests; write some under {directory}/tests/*.yaml\n"


def test_problems_of_test_files_are_told_with_their_places(directory: Path):
    (directory / "tests" / "wrong.yaml").write_text(GOOD.replace("lead:", "leed:"), encoding="utf-8")
    done = run(directory)
    assert (done.returncode, done.stdout) == (1, "")
    assert "tests/wrong.yaml:6:15 E005 unknown key 'leed' in expect (did you mean 'lead'?)" in done.stderr


def test_the_grid_of_an_option_or_of_the_configuration(directory: Path, nyc: Path):
    report = '{category: "01", cell: "164", source: hotline}'
    text = one(report, "{lead: street-office@1}").replace("places:", "# places:")
    text = text.replace('cell: "530001001", ', "")
    (directory / "tests" / "good.yaml").write_text(text, encoding="utf-8")
    assert "no cell is called '164'" in run(directory).stderr
    assert run(directory, "--grid", str(nyc / "grid.geojson")).returncode == 0
    assert dispatcher("rules", "test", str(directory), config=nyc / "config.yaml").returncode == 0
    assert run(directory, "--grid", str(directory / "none.geojson")).returncode == 1


def test_hundreds_of_tests(directory: Path):
    tests = "".join(f'  - {{name: t{n}, report: {{category: "02"}}}}\n' for n in range(250))
    (directory / "tests" / "many.yaml").write_text(HEAD + tests, encoding="utf-8")
    done = run(directory)
    assert done.returncode == 0
    assert done.stdout.endswith("251 tests: 251 passed, 0 failed\n")


def test_the_example_is_covered(nyc: Path):
    done = dispatcher("rules", "test", "--fail-under", "100", config=nyc / "config.yaml")
    assert "rules covered: 77 of 77 (100 %)" in done.stdout
