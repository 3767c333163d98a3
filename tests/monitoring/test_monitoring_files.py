"""`monitoring/` is whole: promtool accepts it; every alert is tried both ways, explained, asks for what there is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from monitoring_files import MONITORING, OF_A_SCRAPE, PAGE, alerts, documented, names, recorded, rules, selected, shown
from prometheus_process import program

sys.path.insert(0, str(MONITORING))

import write_dashboard

TESTS = sorted((MONITORING / "tests").glob("*.yaml"))
RULES = [rule for file in ("alerts.yaml", "recording.yaml") for rule in rules(file)]
EXPRESSIONS = [
    *((rule.get("alert") or rule["record"], rule["expr"]) for rule in RULES),
    *((f"dashboard {n}", expression) for n, expression in enumerate(shown())),
]


def told(promtool: str, *arguments: str, cwd: Path = MONITORING) -> str:
    done = subprocess.run([promtool, *arguments], cwd=cwd, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_without_the_programs_it_is_said_and_ci_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install"):
        program("promtool")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(AssertionError, match="promtool is not there"):
        program("promtool")


def test_promtool_accepts_the_rules(promtool: str) -> None:
    said = told(promtool, "check", "rules", "--lint-fatal", "alerts.yaml", "recording.yaml")
    assert said.count("SUCCESS") == 2, said


def test_promtool_accepts_the_configuration(promtool: str, tmp_path: Path) -> None:
    for file in ("prometheus.yml", "alerts.yaml", "recording.yaml", "targets/workers.yaml"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_bytes((MONITORING / file).read_bytes())
    (tmp_path / "monitor.key").write_text("dk.0.0", encoding="utf-8")
    told(promtool, "check", "config", "prometheus.yml", cwd=tmp_path)


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.stem)
def test_the_rules_do_what_their_tests_say(promtool: str, file: Path) -> None:
    told(promtool, "test", "rules", str(file.relative_to(MONITORING)))


def test_a_test_that_is_wrong_is_found_out(promtool: str, tmp_path: Path) -> None:
    text = (MONITORING / "tests" / "process.yaml").read_text(encoding="utf-8")
    for wrong in (text.replace("eval_time: 7m\n        exp_samples: []", "eval_time: 8m\n        exp_samples: []"),
                  text.replace("value: 1", "value: 2")):  # fmt: skip
        assert wrong != text
        (tmp_path / "wrong.yaml").write_text(wrong.replace("../", f"{MONITORING}/"), encoding="utf-8")
        done = subprocess.run(
            [promtool, "test", "rules", str(tmp_path / "wrong.yaml")], capture_output=True, timeout=120
        )
        assert done.returncode == 1


@pytest.mark.parametrize("alert", alerts())
def test_every_alert_is_tried_firing_and_not(alert: str) -> None:
    asked = f'count(ALERTS{{alertname="{alert}", alertstate="firing"}})'
    cases = [case for file in TESTS for case in yaml.safe_load(file.read_text(encoding="utf-8"))["tests"]]
    tried = [
        bool(each["exp_samples"])
        for case in cases for each in case.get("promql_expr_test", ()) if each["expr"] == asked
    ]  # fmt: skip
    assert set(tried) == {True, False}


@pytest.mark.parametrize("alert", alerts())
def test_every_alert_says_what_it_means_and_what_to_do(alert: str) -> None:
    rule = alerts()[alert]
    assert rule["labels"]["severity"] in ("critical", "warning")
    said = rule["annotations"]
    assert said.keys() == {"summary", "summary_zh", "description", "description_zh", "runbook"}
    for name in ("summary_zh", "description_zh"):
        assert any("\u4e00" <= c <= "\u9fff" for c in said[name]), name
    assert said["runbook"] == f"docs/monitoring.md#{alert.lower()}"
    page = PAGE.read_text(encoding="utf-8")
    section = page.partition(f"\n### {alert}\n")[2].partition("\n### ")[0]
    assert "**Do**" in section or "As above" in section


def test_the_page_has_no_section_of_an_alert_there_is_not() -> None:
    page = PAGE.read_text(encoding="utf-8").partition("## Alerts")[2]
    assert [line[4:] for line in page.splitlines() if line.startswith("### ")] == list(alerts())


def test_the_dashboard_is_the_one_that_is_written() -> None:
    text = (MONITORING / "dashboard.json").read_text(encoding="utf-8")
    assert text == write_dashboard.text(), "run `python monitoring/write_dashboard.py`"
    panels = json.loads(text)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert [panel["title"] for panel in panels if panel["type"] == "row"] == list(write_dashboard.ROWS)


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS, ids=[where for where, _ in EXPRESSIONS])
def test_an_expression_asks_for_what_there_is(where: str, expression: str) -> None:
    there, made = documented(), recorded()
    asked = names(expression)
    assert asked
    for name in asked:
        assert name in there or name in made or name in ("up", "ALERTS") or name.startswith("process_"), (where, name)
    for name, label in selected(expression):
        assert label in OF_A_SCRAPE or name in made or label in there.get(name, set()), (where, name, label)
