"""What became of the records of webhooks, as Prometheus metrics; labels are the configured names and a few words."""

from prometheus_client import CollectorRegistry, Counter, Gauge

__all__ = ["WebhookCounters"]


class WebhookCounters:
    """Told by the senders."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = CollectorRegistry() if registry is None else registry
        self._records = Counter(
            "dispatch_webhook_records",
            "Records by what became of them: `delivered`, `retry` (an attempt that will be made again), `dead`",
            ["webhook", "outcome"],
            registry=self.registry,
        )
        self._waiting = Gauge(
            "dispatch_webhook_waiting", "Records that wait to be tried again", ["webhook"], registry=self.registry
        )
        self._stops = Counter(
            "dispatch_webhook_stops", "Times that a sender stopped on a fault of its own", ["webhook"],
            registry=self.registry,
        )  # fmt: skip

    def settled(self, name: str, outcome: str) -> None:
        """What became of a record, or of an attempt."""
        self._records.labels(name, outcome).inc()

    def waits(self, name: str, count: int) -> None:
        """How many wait to be tried again."""
        self._waiting.labels(name).set(count)

    def stopped(self, name: str) -> None:
        """A sender has to be started anew."""
        self._stops.labels(name).inc()
