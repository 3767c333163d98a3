"""The city in figures at `/metrics`: open incidents by light, the terms of the closure rates, targets by outcome.

They are asked of the projection, so each costs what a measure costs. A scrape never waits for them long and never makes
them dearer: whoever comes when they are old starts one renewal, in a thread of its own, and gets what is known by then.
A renewal that took long is not followed by the next one soon, so however large the city and however often it is
scraped, they take at most a twentieth of one core.

Labels: departments and areas are those of the policy and of the grid, everything else is a closed list of ours.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from dispatcher.gateway.city import City
from dispatcher.views.figures import Figures

__all__ = ["FiguresCollector", "watch_city"]

FRESH_S: Final = 15.0  # they are not renewed before, and then by the next scrape
SHARE: Final = 0.05  # of a core that renewing may take
WAIT_S: Final = 2.0  # of a scrape, for a renewal: less than any scraper's time-out
log = logging.getLogger(__name__)


class FiguresCollector(Collector):
    """Answers scrapes from what was asked last.

    Args:
        registry: to be collected with.
        ask: for the figures, in any thread; whatever it raises, the old ones stand.
        clock_s: monotonic.
    """

    def __init__(
        self, registry: CollectorRegistry, ask: Callable[[], Figures], clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask, self._clock_s = ask, clock_s
        self._found: Figures | None = None
        self._asked_s, self._took_s = 0.0, 0.0
        self._renew_after_s = float("-inf")
        self._renewing: threading.Thread | None = None
        self._lock = threading.Lock()
        self._failures = Counter(
            "dispatch_figures_failures", "Times that the figures of the city could not be renewed", registry=registry
        )
        registry.register(self)

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """The names, without asking for anything."""
        yield from _families(None, 0.0, 0.0)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """What is known, renewed if it is old and that does not take long."""
        with self._lock:
            if self._renewing is None and self._clock_s() >= self._renew_after_s:
                self._renewing = threading.Thread(target=self._renew, name="figures", daemon=True)
                self._renewing.start()
            renewing = self._renewing
        if renewing is not None:
            renewing.join(WAIT_S)
        with self._lock:
            found, asked_s, took_s = self._found, self._asked_s, self._took_s
        yield from _families(found, asked_s, took_s)

    def _renew(self) -> None:
        begun_s, asked_s = self._clock_s(), time.time()
        found = None
        try:
            found = self._ask()
        except Exception:
            said = {"event": "figures_stopped"}
            log.exception("the figures of the city cannot be renewed; the old ones stand", extra=said)
            self._failures.inc()
        now_s = self._clock_s()
        with self._lock:
            if found is not None:
                self._found, self._asked_s, self._took_s = found, asked_s, now_s - begun_s
            self._renew_after_s = max(begun_s + FRESH_S, now_s + (now_s - begun_s) / SHARE)
            self._renewing = None


def watch_city(registry: CollectorRegistry, city: City) -> None:
    """Tell its figures, and whether its projection keeps up."""
    FiguresCollector(registry, city.figures)
    followed = Gauge(
        "dispatch_projection_followed_timestamp_seconds", "When the projection last held all that the ledger holds",
        registry=registry,
    )  # fmt: skip
    followed.set_function(lambda: city.followed_s)


def _families(found: Figures | None, asked_s: float, took_s: float) -> Iterator[GaugeMetricFamily]:
    def family(name: str, said: str, *labels: str) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"dispatch_{name}", said, labels=labels)

    asked = family("figures_timestamp_seconds", "When the figures of the city were asked last")
    took = family("figures_seconds", "How long renewing the figures of the city took")
    known = family("projection_latest_timestamp_seconds", "The latest record the figures know of")
    opened = family(
        "incidents_open", "Open incidents, by the light of the lead's deadline", "department", "state", "light"
    )
    closure = family(
        "closure_terms", "Terms of the closure rates", "term", "basis", "department", "area", "period"
    )  # fmt: skip
    targets = family(
        "targets", "Targets of incidents filed in the period", "target", "outcome", "department", "area", "period"
    )
    if found is not None:
        asked.add_metric([], asked_s)
        took.add_metric([], took_s)
        known.add_metric([], found.as_of_ms / 1_000)
        for *labels, count in found.open:
            opened.add_metric(labels, count)
        for *labels, count in found.closure:
            closure.add_metric(labels, count)
        for *labels, count in found.targets:
            targets.add_metric(labels, count)
    yield from (asked, took, known, opened, closure, targets)
