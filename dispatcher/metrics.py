"""What the engine did, as Prometheus metrics: names `dispatch_*`, base units, labels bounded by the policy's size."""

import time
from collections import Counter as Counted
from collections.abc import Callable, Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from dispatcher.core import NEVER_MS, EngineFault, Outcome

__all__ = ["EngineMetrics"]

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class EngineMetrics:
    """Told of every commit by the host; what it counts are the counts of the outcomes."""

    def __init__(self, clock_ms: Callable[[], int] | None = None) -> None:
        self.registry = CollectorRegistry()
        self._clock_ms = clock_ms or (lambda: time.time_ns() // 1_000_000)
        self._records = Counter(
            "dispatch_records", "Input records by what became of them", ["outcome"], registry=self.registry
        )
        self._outputs = Counter("dispatch_outputs", "Output records by topic", ["topic"], registry=self.registry)
        self._rejected = Counter("dispatch_rejected", "Rejections by reason", ["reason"], registry=self.registry)
        self._rules = Counter("dispatch_rule_hits", "Decisions a rule took part in", ["rule"], registry=self.registry)
        self._fallback = Counter("dispatch_fallback", "Decisions by the fallback", ["reason"], registry=self.registry)
        self._targets = Counter("dispatch_targets", "Target timers fired", ["outcome"], registry=self.registry)
        self._unknown = Counter(
            "dispatch_unknown_fields", "Messages with fields this version ignores", registry=self.registry
        )
        self._faults = Counter(
            "dispatch_engine_errors", "Records and timers our own code failed on", ["kind"], registry=self.registry
        )
        self._lag = Gauge(
            "dispatch_end_to_end_seconds", "Now minus the time of the last record", registry=self.registry
        )
        self._due = Gauge("dispatch_next_due_timestamp_seconds", "When the next timer is due", registry=self.registry)
        self._watchdog = Gauge("dispatch_watchdog_timestamp_seconds", "Last turn of the loop", registry=self.registry)
        self._open = Gauge(
            "dispatch_incidents_held", "Incidents in memory, ended ones included", registry=self.registry
        )
        self._policy = Gauge("dispatch_policy_info", "Policy in force", ["version", "sha256"], registry=self.registry)
        self._unwatched = Gauge(
            "dispatch_unwatched_incidents", "Open incidents that nothing would move on", registry=self.registry
        )
        self._checked = Gauge(
            "dispatch_watchdog_checked_timestamp_seconds",
            "When the watchdog last finished a round of all incidents",
            registry=self.registry,
        )
        self._told_modes: dict[str, int] = {}
        self._modes = Gauge("dispatch_mode_active", "Times a mode is set, by mode", ["mode"], registry=self.registry)
        self.process_seconds = Histogram(
            "dispatch_step_seconds", "One batch: read, process, commit", buckets=_SECONDS, registry=self.registry
        )

    def committed(self, outcome: Outcome, unknown_fields: int) -> None:
        """An outcome is durable."""
        for name, count in outcome.counts.items():
            kind, _, rest = name.partition(":")
            if kind == "rule":
                self._rules.labels(rest).inc(count)
            elif kind == "fallback":
                self._fallback.labels(rest).inc(count)
            elif kind == "target":
                self._targets.labels(rest).inc(count)
            elif kind == "rejected":
                self._rejected.labels(rest).inc(count)
            else:
                self._records.labels(name).inc(count)
        topics: dict[str, int] = {}
        for topic, *_ in outcome.records:
            topics[topic] = topics.get(topic, 0) + 1
        for topic, count in topics.items():
            self._outputs.labels(topic).inc(count)
        if unknown_fields:
            self._unknown.inc(unknown_fields)
        self._lag.set(max(0, self._clock_ms() - outcome.position.time_ms) / 1000)
        self.turned(outcome.next_due_ms)

    def faulted(self, fault: EngineFault) -> None:
        """Our own code failed on a record."""
        self._faults.labels("timer" if fault.poison.startswith("timer/") else "record").inc()

    def turned(self, next_due_ms: int) -> None:
        """The loop is alive."""
        self._watchdog.set(self._clock_ms() / 1000)
        self._due.set(float("inf") if next_due_ms >= NEVER_MS else next_due_ms / 1000)

    def holds(self, incidents: int) -> None:
        """How many incidents are in memory."""
        self._open.set(incidents)

    def policy(self, version: str, sha256: str) -> None:
        """The policy in force."""
        self._policy.clear()
        self._policy.labels(version, sha256).set(1)

    def watched(self, unwatched: int) -> None:
        """A round of the watchdog is over, and so many it found that nothing would move on."""
        self._unwatched.set(unwatched)
        self._checked.set(self._clock_ms() / 1000)

    def modes(self, known: Sequence[str], held: Iterable[str]) -> None:
        """How often each mode the policy knows is set now; the ordinary one, its first, never is."""
        counted = {**dict.fromkeys(known[1:], 0), **Counted(held)}
        if counted == self._told_modes:
            return
        self._told_modes = counted
        self._modes.clear()
        for mode, count in counted.items():
            self._modes.labels(mode).set(count)
