"""A real Prometheus scrapes a real city with the shipped rules: it says what the gateway and the command line say."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from monitoring_files import alerts, documented, recorded, shown
from prometheus_process import Prometheus, Vector, free_port, prometheus_at, wait_until

from tests.gateway.gateway_process import Gateway, gateway_at, report, update

MONTH = f"{datetime.now(ZoneInfo('America/New_York')):%Y-%m}"
RATES = {"received": "closure_received", "filed": "closure_filed", "due": "closure_due"}


@pytest.fixture(scope="module")
def city(nyc: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Seven reports: two are closed, one is done, one acknowledged; and somebody has asked without a key."""
    with gateway_at(nyc / "config.yaml", tmp_path_factory.mktemp("city")) as made:
        ids = [made.opened("reporter", report(f"p-{n}")) for n in range(7)]
        with made.client("everybody") as client, made.client("shift_lead") as checker:
            for n, steps in enumerate((2, 2, 2, 1)):
                for action in ("acknowledge", "done")[:steps]:
                    act(client, update(ids[n], f"{action}-{n}", action))
            for n in range(2):
                act(checker, update(ids[n], f"check-{n}", "check", result="pass"))
        with made.client() as nobody:
            assert nobody.get("/v1/queue").status_code == 401
        yield made


def act(client: Any, made: dict[str, Any]) -> None:
    answer = client.post("/v1/updates?wait_s=10", json=made)
    assert answer.json()["updates"][0]["state"] == "taken", answer.text


@pytest.fixture(scope="module")
def scraped(prometheus: str, city: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that has scraped it, and looks for a worker where there is none."""
    targets = {"dispatch-run": urlsplit(city.url).netloc, "dispatch-worker": f"127.0.0.1:{free_port()}"}
    with prometheus_at(prometheus, tmp_path_factory.mktemp("prometheus"), targets, city.keys["monitor"]) as made:
        wait_until(lambda: bool(made.query('dispatch:closure_rate:ratio{basis="filed", period="this_month"}')))
        yield made


def test_the_targets_are_up_and_a_dead_one_is_told(scraped: Prometheus) -> None:
    def health() -> dict[str, str]:
        return {each["labels"]["job"]: each["health"] for each in scraped.ask("targets")["activeTargets"]}

    wait_until(lambda: "unknown" not in health().values())  # each is asked in its own time
    assert health() == {"dispatch-run": "up", "dispatch-worker": "down"}
    wait_until(lambda: bool(scraped.query('ALERTS{alertname="DispatchDown"}')))
    (alert,) = scraped.ask("alerts")["alerts"]  # and nothing else
    assert alert["labels"]["job"] == "dispatch-worker"
    assert "无应答" in alert["annotations"]["summary_zh"]


def test_every_rule_is_in_good_health(scraped: Prometheus) -> None:
    def found() -> list[dict[str, Any]]:
        return [rule for group in scraped.ask("rules")["groups"] for rule in group["rules"]]

    wait_until(lambda: all(rule["health"] != "unknown" for rule in found()))
    assert [(rule["name"], rule.get("lastError")) for rule in found() if rule["health"] != "ok"] == []
    assert {rule["name"] for rule in found()} == alerts().keys() | recorded()


@pytest.mark.parametrize("basis", RATES)
def test_the_closure_rates_are_those_of_the_gateway(scraped: Prometheus, city: Gateway, basis: str) -> None:
    with city.client("analyst") as client:
        asked = {"basis": basis, "during": MONTH, "by": "department"}
        measures = client.get("/v1/measures", params=asked).json()
    group = {"basis": basis, "period": "this_month"}
    rate = measures["total"]["rates"][RATES[basis]]  # on the last day of a month, what is due falls into the next
    assert rate["denominator"] > 0 or basis == "due"
    told = scraped.query(f'dispatch:closure_rate:ratio{{basis="{basis}", period="this_month"}}')
    assert told == by_labels({"": rate["value"]}, "", **group)
    for term, count in measures["total"]["terms"].items():
        found = scraped.query(f'sum(dispatch:closure_terms:max{{basis="{basis}", term="{term}", period="this_month"}})')
        assert found in ({}, {frozenset(): count}), term
    if basis == "due":
        on_time = measures["total"]["rates"]["on_time_closure"]["value"]
        told = scraped.query('dispatch:on_time_closure:ratio{period="this_month"}')
        assert told == by_labels({"": on_time}, "", **group)
        wanted = {each["code"]: each["rates"]["closure_due"]["value"] for each in measures["groups"]}
        told = scraped.query('dispatch:department_closure_rate:ratio{period="this_month"}')
        assert told == by_labels(wanted, "department", **group)


def by_labels(values: dict[str, float | None], by: str, **labels: str) -> Vector:
    """What Prometheus should answer: no sample where there is none."""
    return {
        frozenset({**labels, **({by: code} if by else {})}.items()): pytest.approx(value)
        for code, value in values.items()
        if value is not None
    }


def test_they_are_those_of_the_command_line(scraped: Prometheus, city: Gateway, nyc: Path) -> None:
    command = [
        sys.executable, "-m", "dispatcher", "-c", str(nyc / "config.yaml"), "kpi", "--ledger", str(city.ledger),
        "--filed", MONTH, "--json",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    rate = json.loads(done.stdout)["total"]["rates"]["closure_filed"]
    assert (rate["numerator"], rate["denominator"]) == (2, 7)
    told = scraped.query('dispatch:closure_rate:ratio{basis="filed", period="this_month"}')
    assert list(told.values()) == [pytest.approx(2 / 7)]


def test_every_metric_that_is_scraped_is_documented_and_every_other_is_asked_of_a_worker(scraped: Prometheus) -> None:
    found = {name for name in scraped.ask("label/__name__/values") if name.startswith("dispatch_")}
    there = documented()
    assert found <= there.keys()
    silent = {"calendar_coverage_days", "notices", "rule_hits", "carry", "mode_active", "fallback", "unknown"}
    missing = {name for name in there.keys() - found if not any(word in name for word in silent)}
    assert missing == set()  # all but what has not come up here


def test_the_labels_are_those_that_are_documented(scraped: Prometheus) -> None:
    for name, labels in documented().items():
        for series in scraped.ask("series", **{"match[]": name}):
            assert series.keys() - {"__name__", "job", "instance", "le"} == labels, series


@pytest.mark.parametrize("expression", shown())
def test_the_dashboard_can_be_shown(scraped: Prometheus, expression: str) -> None:
    asked = expression.replace("$period", "this_month")
    assert isinstance(scraped.query(asked), dict)
