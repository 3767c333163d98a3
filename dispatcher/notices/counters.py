"""What became of notices, as Prometheus metrics; labels are bounded by the templates, the channels and the outcomes."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge

from dispatcher.notices.notice import Notice
from dispatcher.notices.words import TEMPLATES

__all__ = ["NoticeCounters"]


class NoticeCounters:
    """Told by the follower; notices are counted, not messages."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = CollectorRegistry() if registry is None else registry
        self._notices = Counter(
            "dispatch_notices",
            "Notices by what became of them; `retry` is an attempt that will be made again",
            ["template", "channel", "outcome"],
            registry=self.registry,
        )
        self._taken = Counter(
            "dispatch_notices_taken", "Notices taken from the ledger by what was done", ["outcome"],
            registry=self.registry,
        )  # fmt: skip
        self._waiting = Gauge("dispatch_notices_waiting", "Notices that have not gone out", registry=self.registry)
        self._stops = Counter(
            "dispatch_notices_stops", "Times that delivering stopped on a fault of its own", registry=self.registry
        )

    def settled(self, notices: Iterable[Notice], channel: str, outcome: str) -> None:
        """An outcome of these notices."""
        for notice in notices:
            template = notice.template if notice.template in TEMPLATES else "other"
            self._notices.labels(template, channel, outcome).inc()

    def taken(self, outcome: str, count: int) -> None:
        """So many records were `kept`, `expired`, `unreadable`, or are now `held`."""
        if count:
            self._taken.labels(outcome).inc(count)

    def waits(self, count: int) -> None:
        """How many have not gone out."""
        self._waiting.set(count)

    def stopped(self) -> None:
        """Delivering has to be started anew."""
        self._stops.inc()
