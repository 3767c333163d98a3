"""`dispatcher rules lint`: findings as lines that can be opened, the table of what the fallback serves, exit codes."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.acceptance.command_line import dispatcher


@pytest.fixture
def policy(nyc: Path, tmp_path: Path) -> Path:
    """New York's policy, to be changed."""
    return Path(shutil.copytree(nyc / "policy", tmp_path / "policy"))


def lint(nyc: Path, *arguments: str) -> tuple[int, str, str]:
    done = dispatcher("rules", "lint", "--at", "2026-03-04", *arguments, config=nyc / "config.yaml", check=False)
    return done.returncode, done.stdout, done.stderr


def test_the_configured_policy(nyc: Path) -> None:
    code, said, aside = lint(nyc)
    assert code == 0
    for line in said.splitlines():
        place = re.match(r"(\S+):(\d+):(\d+) W\d{3} ", line)
        if place is not None:
            text = Path(place[1]).read_text(encoding="utf-8").splitlines()[int(place[2]) - 1]
            assert text[int(place[3]) - 1 :], line
    assert aside.strip()


def test_a_rule_that_never_wins(nyc: Path, policy: Path) -> None:
    file = policy / "routes" / "dep.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text
        + '  - {id: idle, priority: 1, when: {category: ["water.system"]}, lead: dep, sla: urgent, reason: none}\n',
        encoding="utf-8",
    )
    line = len(text.splitlines()) + 1
    code, said, aside = lint(nyc, str(policy))
    assert (code, "W101 × 1" in aside) == (0, True)
    assert f"{file}:{line}:10 W101 'idle' never takes effect: 'dep.water' always comes before it (" in said
    assert lint(nyc, str(policy), "--strict")[0] == 1
    assert "规则“idle”永不生效：“dep.water”总在其前" in lint(nyc, str(policy), "--lang", "zh")[1]
    found = json.loads(lint(nyc, str(policy), "--json")[1])
    (idle,) = [each for each in found["findings"] if each["code"] == "W101"]
    assert (idle["check"], idle["rules"], idle["file"], idle["line"]) == (
        "shadowed", ["idle", "dep.water"], "routes/dep.yaml", line,
    )  # fmt: skip
    assert found["at"] == "2026-03-04"


def test_what_the_fallback_serves(nyc: Path, policy: Path) -> None:
    file = policy / "routes" / "dep.yaml"
    text = file.read_text(encoding="utf-8")
    spills, others = 'when: {category: ["environment.hazmat"]}', 'when: {category: ["environment"]}'
    assert spills in text
    assert others in text
    text = text.replace(spills, 'when: {category: ["environment.hazmat"], severity: 1}')
    file.write_text(text.replace(others, 'when: {category: ["environment.air"]}'), encoding="utf-8")
    code, said, _ = lint(nyc, str(policy))
    assert code == 0
    assert "○" in next(line for line in said.splitlines() if line.startswith("│ environment.hazmat"))
    assert "●" in next(line for line in said.splitlines() if line.startswith("│ environment "))
    holes = json.loads(lint(nyc, str(policy), "--json")[1])["fallback"]
    (hazmat,) = [hole for hole in holes if (hole["category"], hole["area"]) == ("environment.hazmat", "1")]
    assert hazmat["always"] is False
    assert hazmat["example"]["severity"] != 1


def test_tests_of_the_policy_are_counted(nyc: Path, policy: Path) -> None:
    shutil.rmtree(policy / "tests", ignore_errors=True)
    assert "W201" not in lint(nyc, str(policy))[1]
    (policy / "tests").mkdir()
    (policy / "tests" / "one.yaml").write_text(
        "tests:\n  - name: spill\n    at: '2026-03-02T09:30:00-05:00'\n"
        "    report: {category: environment.hazmat, cell: '106', source: nyc-311}\n    expect: {route: dep.hazmat}\n",
        encoding="utf-8",
    )
    untested = [line for line in lint(nyc, str(policy))[1].splitlines() if " W201 " in line]
    assert untested
    assert not any("'dep.hazmat'" in line for line in untested)
    (policy / "tests" / "one.yaml").write_text("tests: 1\n", encoding="utf-8")
    _, said, aside = lint(nyc, str(policy))
    assert "W201" not in said
    assert "rules test" in aside


def test_a_policy_that_does_not_load(nyc: Path, policy: Path) -> None:
    (policy / "guards.yaml").write_text("guards: 1\n", encoding="utf-8")
    code, said, _ = lint(nyc, str(policy))
    assert code == 1
    assert f"{policy}/guards.yaml:1:9 E008" in said
    code, said, _ = lint(nyc, str(policy), "--json")
    assert code == 1
    assert json.loads(said)["policy"] is None


def test_wrong_usage(nyc: Path) -> None:
    assert lint(nyc, "--lang", "fr")[0] == 2
    done = dispatcher("rules", "lint", "--at", "today", config=nyc / "config.yaml", check=False)
    assert (done.returncode, "2026-11-22" in done.stderr) == (2, True)


def test_without_a_grid(policy: Path, tmp_path: Path) -> None:
    done = dispatcher("rules", "lint", str(policy), config=tmp_path / "none.yaml")
    assert "codes" in done.stderr
    config = tmp_path / "config.yaml"
    config.write_text("policy: policy\ngrid: none.geojson\n", encoding="utf-8")
    assert "none.geojson" in dispatcher("rules", "lint", config=config).stderr
