"""`/metrics` of a running city: who may read it, what is counted, and that it says what `/v1/measures` says."""

import threading
import time
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from gateway_process import Gateway, report, update, wait_until
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from dispatcher.gateway.counting import METHODS
from dispatcher.gateway.figures import FRESH_S, SHARE, FiguresCollector
from dispatcher.views.figures import BASIS_TERMS, ClosureTerm, Figures, OpenCount

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scraped(gateway: Gateway) -> Samples:
    with gateway.client("monitor") as client:
        answer = client.get("/metrics")
    assert answer.status_code == 200, answer.text
    families = text_string_to_metric_families(answer.text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def value(samples: Samples, name: str, **labels: str) -> float:
    """The sum over whatever is not named."""
    wanted = set(labels.items())
    return sum(n for (found, own), n in samples.items() if found == f"dispatch_{name}" and wanted <= own)


def test_metrics_are_for_who_monitors(gateway: Gateway) -> None:
    for name, status in ((None, 401), ("monitor", 200), ("admin", 200), ("dispatcher", 403), ("dep", 403)):
        with gateway.client(name) as client:
            assert client.get("/metrics").status_code == status, name
            assert client.get("/health/live").status_code == 200  # health is for everybody
    with gateway.client("monitor") as client:
        for path in ("/v1/incidents", "/v1/queue", "/v1/measures", "/v1/locate?lon=1&lat=1", "/v1/streams/queue"):
            assert client.get(path).status_code == 403, path


def test_requests_are_counted_by_route_and_class(gateway: Gateway) -> None:
    before = scraped(gateway)
    with gateway.client("reporter") as client:
        assert client.get("/v1/reports/nyc-311/not-there").status_code == 404
        assert client.get("/v1/queue").status_code == 403
        for n in range(20):
            client.get(f"/nowhere/{n}")
            client.request(f"BREW{n}", "/v1/queue")
        assert client.post("/v1/reports", json=[report(f"count-{n}") for n in range(7)]).status_code == 201
    with gateway.client() as client:
        client.get("/v1/queue")
        client.get("/v1/queue", headers={"Authorization": "Bearer dk.0.0"})
    after = scraped(gateway)

    def more(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    assert more("http_requests_total", route="/v1/reports/{source}/{report_id}", method="GET", status="4xx") == 1
    assert more("http_requests_total", route="/v1/reports", method="POST", status="2xx") == 1
    assert more("http_requests_total", route="none", status="4xx") >= 20
    assert more("http_request_seconds_count", route="/v1/reports") == 1
    assert more("http_problems_total", problem="not_found") >= 21
    assert [more("keys_refused_total", why=why) for why in ("none", "wrong", "role")] == [1, 1, 1]
    assert more("append_records_count") == 1
    assert more("append_records_sum") == 7
    assert more("append_seconds_count") == 1
    methods = {dict(labels).get("method") for name, labels in after if name == "dispatch_http_requests_total"}
    assert methods <= METHODS | {"other"}  # a method, a path: whatever is sent makes no label
    assert not [labels for _, labels in after if any("nowhere" in text or "BREW" in text for _, text in labels)]


def test_streams_are_counted_while_they_are_read(gateway: Gateway) -> None:
    before = value(scraped(gateway), "http_streams_open")
    with gateway.client("dispatcher") as client:
        with client.stream("GET", "/v1/streams/queue") as stream:
            lines = stream.iter_lines()  # given up, it would end the stream
            next(lines)
            assert value(scraped(gateway), "http_streams_open") == before + 1
        wait_until(lambda: value(scraped(gateway), "http_streams_open") == before)


@pytest.fixture(scope="module")
def lively(nyc, tmp_path_factory) -> Iterator[Gateway]:
    """A city of its own, in which some things have happened and no more do."""
    from gateway_process import gateway_at

    with gateway_at(nyc / "config.yaml", tmp_path_factory.mktemp("lively")) as made:
        ids = [made.opened("reporter", report(f"m-{n}", category="noise")) for n in range(6)]
        with made.client("everybody") as client:
            for n, incident_id in enumerate(ids[:4]):
                for action in ("acknowledge", "done")[: 1 + n % 2]:
                    done = client.post("/v1/updates?wait_s=10", json=update(incident_id, f"{action}-{n}", action))
                    assert done.json()["updates"][0]["state"] == "taken", done.text
        yield made


def test_the_terms_are_those_of_the_measures(lively: Gateway) -> None:
    wait_until(lambda: value(scraped(lively), "closure_terms", term="received", period="this_month") == 6)
    samples = scraped(lively)
    with lively.client("analyst") as client:
        month = f"{datetime.now(ZoneInfo('America/New_York')):%Y-%m}"
        for basis, terms in BASIS_TERMS.items():
            measures = client.get("/v1/measures", params={"basis": basis, "during": month, "by": "department"}).json()
            for group in measures["groups"]:
                for term in terms:
                    told = value(
                        samples, "closure_terms", basis=basis, term=term, period="this_month",
                        department=group["code"] or "",
                    )  # fmt: skip
                    assert told == group["terms"][term], (basis, term)
    assert value(samples, "incidents_open") == 6
    assert value(samples, "targets", target="acknowledge", outcome="in_time", period="this_month") == 4
    assert value(samples, "records_total", topic="reports", outcome="accepted") == 6
    assert value(samples, "records_total", topic="updates", outcome="accepted") == 6
    assert value(samples, "lag_records") == 0
    assert value(samples, "ready") == 1
    assert value(samples, "figures_failures_total") == 0
    assert value(samples, "file_bytes", file="ledger") > 0
    assert 0 < value(samples, "disk_free_bytes") < value(samples, "disk_size_bytes")
    now_s = time.time()
    for name in ("watchdog", "projection_followed", "figures"):
        assert 0 <= now_s - value(samples, f"{name}_timestamp_seconds") < 120, name


def figures(n: int) -> Figures:
    return Figures(
        1_000, [OpenCount("gas", "handling", "red", n)], [ClosureTerm("closed", "filed", "gas", "1", "today", n)], []
    )


def test_a_scrape_neither_waits_for_long_nor_asks_again_before_it_is_time() -> None:
    now_s, asked, go_on = 100.0, [], threading.Event()

    def ask() -> Figures:
        nonlocal now_s
        asked.append(now_s)
        assert go_on.wait(60)
        now_s += 3.0  # so long it took
        return figures(len(asked))

    registry = CollectorRegistry()
    FiguresCollector(registry, ask, lambda: now_s)

    def told() -> float | None:
        generate_latest(registry)
        labels = {"department": "gas", "state": "handling", "light": "red"}
        return registry.get_sample_value("dispatch_incidents_open", labels)

    assert told() is None  # nobody knows yet, and this has not waited for the end of it
    assert told() is None
    assert len(asked) == 1  # the one under way is waited for, not doubled
    go_on.set()
    wait_until(lambda: told() == 1)
    now_s += FRESH_S
    assert told() == 1
    now_s = asked[0] + 3.0 + 3.0 / SHARE - 1  # it took three seconds, so there is a minute of rest
    assert (told(), len(asked)) == (1, 1)
    now_s += 1
    wait_until(lambda: told() == 2)
    assert len(asked) == 2


def test_what_cannot_be_renewed_stands(caplog: pytest.LogCaptureFixture) -> None:
    now_s, answers = 0.0, [figures(1), None, figures(3)]

    def ask() -> Figures:
        found = answers.pop(0)
        if found is None:
            raise OSError("the disk is gone")
        return found

    registry = CollectorRegistry()
    FiguresCollector(registry, ask, lambda: now_s)
    for wanted, failures in ((1, 0), (1, 1), (3, 1)):
        text = generate_latest(registry).decode()
        assert f'dispatch_incidents_open{{department="gas",light="red",state="handling"}} {wanted}.0' in text
        assert registry.get_sample_value("dispatch_figures_failures_total") == failures
        now_s += 2 * FRESH_S
    assert "the disk is gone" in caplog.text
