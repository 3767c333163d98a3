"""What the engine did, as Prometheus metrics: names `dispatch_*`, base units. docs/monitoring.md has every one of them.

Everything that is counted is counted once a commit, from what the commit itself says; so a batch that is worked through
again because the engine was rebuilt is counted once, and the cost does not grow with the records.

Labels are bounded by construction: topics, outcomes, reasons and kinds are closed lists of the code, rules, calendars
and modes those of the policies put in force since the start, partitions those of the ledger. No label is ever taken
from a message.
"""

import time
from collections import Counter as Counted
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from typing import Final, NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics

from dispatcher.core import CONTROL, DAY_MS, NEVER_MS, REPORTS, UPDATES, EngineFault, Outcome
from dispatcher.core.control import Activate
from dispatcher.core.messages import Reason
from dispatcher.core.work import CommandWork, ReportWork, UpdateWork, Work
from rules import Policy

__all__ = ["Batch", "EngineMetrics"]

# Else there is a second series for each that says when it began: nobody asks.
disable_created_metrics()  # type: ignore[no-untyped-call]
_SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_END_TO_END_S: Final = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3_600.0)
_OUTCOMES: Final = ("accepted", "repeated", "rejected")
_REPORTS: Final = {"reports_located": "located", "reports_merged": "merged", "uncategorised": "uncategorised"}


class Batch(NamedTuple):
    """What one commit took, and how long it took."""

    unknown_fields: int = 0  # messages with fields this version ignores
    process_s: float = 0.0
    commit_s: float = 0.0
    oldest_ms: int | None = None  # when the oldest report or update in it was appended to its own topic
    activated: str | None = None  # the policy that the last command of that kind in it was to put in force

    @classmethod
    def of(cls, work: Sequence[Work], unknown_fields: int, process_s: float, commit_s: float) -> "Batch":
        """Of the work that was consumed."""
        came = [item.origin.time_ms for item in work if type(item) is ReportWork or type(item) is UpdateWork]
        asked = [
            item.command.sha256 for item in work if type(item) is CommandWork and isinstance(item.command, Activate)
        ]
        return cls(unknown_fields, process_s, commit_s, min(came, default=None), asked[-1] if asked else None)


class EngineMetrics:
    """Told of every commit by the host.

    Args:
        clock_ms: epoch milliseconds; the host's clock unless a test has its own.
    """

    def __init__(self, clock_ms: Callable[[], int] | None = None) -> None:
        self.registry = registry = CollectorRegistry()
        self._clock_ms = clock_ms or (lambda: time.time_ns() // 1_000_000)
        self._next_due_ms: dict[int, int] = {}  # by partition, like all that follow
        self._held: dict[int, int] = {}
        self._unwatched: dict[int, int] = {}
        self._checked_s: dict[int, float] = {}
        self._behind: set[tuple[str, int]] = set()
        self._policy_sha: str | None = None
        self._asked: str | None = None  # the policy a command was to put in force, until it is known whether it has
        self._told_modes: dict[str, int] = {}

        def counter(name: str, said: str, *labels: str) -> Counter:
            return Counter(f"dispatch_{name}", said, labels, registry=registry)

        def gauge(name: str, said: str, *labels: str) -> Gauge:
            return Gauge(f"dispatch_{name}", said, labels, registry=registry)

        def seconds(name: str, said: str, buckets: Sequence[float] = _SECONDS) -> Histogram:
            return Histogram(f"dispatch_{name}_seconds", said, buckets=buckets, registry=registry)

        self._records = counter("records", "Input records by what became of them", "topic", "outcome")
        self._reports = counter("reports", "Accepted reports that were so", "what")
        self._outputs = counter("outputs", "Output records by topic", "topic")
        self._rejected = counter("rejected", "Rejections by reason", "reason")
        self._rules = counter("rule_hits", "Decisions a rule took part in", "rule")
        self._fallback = counter("fallback", "Decisions by the fallback", "reason")
        self._timers = counter("target_timers", "Timers of targets that fired", "what")
        self._unknown = counter("unknown_fields", "Messages with fields this version ignores")
        self._faults = counter("engine_errors", "Records and timers our own code failed on", "kind")
        self._process = seconds("process", "One batch through the engine")
        self._commit = seconds("commit", "One commit: outputs, state and position durable")
        self._carry = seconds("carry", "One step of stage 1 on Kafka: chunks read, located and durable on `work`")
        self._end_to_end = seconds(
            "end_to_end", "Of each commit, the age of the oldest report or update in it", _END_TO_END_S
        )
        self._lag = gauge("lag_records", "Records that wait to be taken through", "topic", "partition")
        gauge("next_due_timestamp_seconds", "When the next timer is due").set_function(self._next_due_s)
        gauge("timers_late_seconds", "How long the timer that is overdue most has been").set_function(self._late_s)
        gauge("incidents_held", "Incidents in memory, ended ones included").set_function(
            lambda: sum(list(self._held.values()))
        )
        gauge("unwatched_incidents", "Open incidents that nothing would move on").set_function(
            lambda: sum(list(self._unwatched.values()))
        )
        gauge(
            "watchdog_checked_timestamp_seconds", "When the watchdog last finished a round of all incidents"
        ).set_function(lambda: min(list(self._checked_s.values()), default=0.0))
        self._watchdog = gauge("watchdog_timestamp_seconds", "When the loop last turned")
        self._watchdog.set(time.time())  # it is about to begin: joining and restoring come first
        self._policy = gauge("policy_info", "The policy in force", "version", "sha256")
        self._activation = gauge(
            "policy_last_activation_successful", "Whether the last command to put a policy in force did so"
        )
        self._activation.set(1)  # a process starts under a policy that is in force
        self._coverage = gauge(
            "calendar_coverage_days", "For how many days from now the holidays of a calendar are known", "calendar"
        )
        self._modes = gauge("mode_active", "Times a mode is set, by mode", "mode")
        self._ready = gauge("ready", "Whether it is ready: on Kafka restored, else through with what was waiting")
        gauge("build_info", "The version at work", "version").labels(version("city-dispatch")).set(1)
        ProcessCollector(registry=registry)
        for topic in (REPORTS, UPDATES, CONTROL):  # what has not happened is 0: an alert sees the first time
            for outcome in _OUTCOMES:
                self._records.labels(topic, outcome)
        for kind in ("record", "timer"):
            self._faults.labels(kind)
        for what in _REPORTS.values():
            self._reports.labels(what)
        for what in ("warn", "breach", "climb"):
            self._timers.labels(what)
        for reason in Reason:
            self._rejected.labels(reason)

    # --- what was done ----------------------------------------------------------------------------------------------

    def committed(self, outcome: Outcome, batch: Batch) -> None:
        """An outcome is durable."""
        for name, count in outcome.counts.items():
            self._count(name, count)
        for topic, count in Counted([record[0] for record in outcome.records]).items():
            self._outputs.labels(topic).inc(count)
        self._process.observe(batch.process_s)
        self._commit.observe(batch.commit_s)
        if batch.oldest_ms is not None:
            self._end_to_end.observe(max(0, self._clock_ms() - batch.oldest_ms) / 1000)
        self._asked = batch.activated or self._asked
        self.unknown(batch.unknown_fields)

    def _count(self, name: str, count: int) -> None:
        kind, _, rest = name.partition(":")
        topic, _, outcome = name.rpartition("_")
        if kind == "rule":
            self._rules.labels(rest).inc(count)
        elif kind == "fallback":
            self._fallback.labels(rest).inc(count)
        elif kind == "target":
            self._timers.labels(rest).inc(count)
        elif kind == "rejected":
            self._rejected.labels(rest).inc(count)
        elif name in _REPORTS:
            self._reports.labels(_REPORTS[name]).inc(count)
        elif outcome in _OUTCOMES:
            self._records.labels("control" if topic == "commands" else topic, outcome).inc(count)

    def faulted(self, fault: EngineFault) -> None:
        """Our own code failed on a record."""
        self._faults.labels("timer" if fault.poison.startswith("timer/") else "record").inc()

    def unknown(self, messages: int) -> None:
        """So many messages had fields this version ignores."""
        if messages:
            self._unknown.inc(messages)

    def carried(self, seconds: float) -> None:
        """A step of stage 1 on Kafka is durable."""
        self._carry.observe(seconds)

    # --- how things stand -------------------------------------------------------------------------------------------

    def turned(self, partition: int, next_due_ms: int) -> None:
        """A partition has been looked after; its next timer is due then."""
        self._next_due_ms[partition] = next_due_ms

    def lives(self) -> None:
        """The loop turns."""
        self._watchdog.set(self._clock_ms() / 1000)

    def lags(self, behind: Mapping[tuple[str, int], int]) -> None:
        """How many records wait in each partition of each topic; what is not named is not ours any more."""
        for topic, partition in self._behind - behind.keys():
            self._lag.remove(topic, str(partition))
        self._behind = set(behind)
        for (topic, partition), records in behind.items():
            self._lag.labels(topic, str(partition)).set(records)

    def holds(self, partition: int, incidents: int) -> None:
        """How many incidents of a partition are in memory."""
        self._held[partition] = incidents

    def watched(self, partition: int, unwatched: int) -> None:
        """A round of the watchdog is over, and so many it found that nothing would move on."""
        self._unwatched[partition] = unwatched
        self._checked_s[partition] = self._clock_ms() / 1000

    def forget(self, partition: int) -> None:
        """A partition is somebody else's now."""
        for figures in (self._next_due_ms, self._held, self._unwatched, self._checked_s):
            figures.pop(partition, None)

    def ready_if(self, is_so: Callable[[], bool]) -> None:
        """Whom to ask, at each scrape, whether the process is ready."""
        self._ready.set_function(lambda: float(is_so()))

    def policy(self, policy: Policy) -> None:
        """The policy in force, after a commit or at the start."""
        if self._asked is not None:
            self.activation(successful=self._asked == policy.sha256)
            self._asked = None
        if policy.sha256 == self._policy_sha:
            return
        self._policy_sha = policy.sha256
        self._policy.clear()
        self._policy.labels(policy.version, policy.sha256).set(1)
        self._coverage.clear()
        for entry in policy.document.sections.calendars:
            until_ms = policy.clock(entry.name).coverage_until_ms
            if until_ms is not None:
                self._coverage.labels(entry.name).set_function(partial(self._days_to, until_ms))

    def activation(self, *, successful: bool) -> None:
        """A command to put a policy in force did so, was refused, or waits for its document."""
        self._activation.set(successful)

    def modes(self, known: Sequence[str], held: Iterable[str]) -> None:
        """How often each mode the policy knows is set now; the ordinary one, its first, never is."""
        counted = {**dict.fromkeys(known[1:], 0), **Counted(held)}
        if counted == self._told_modes:
            return
        self._told_modes = counted
        self._modes.clear()
        for mode, count in counted.items():
            self._modes.labels(mode).set(count)

    def _days_to(self, instant_ms: int) -> float:
        return (instant_ms - self._clock_ms()) / DAY_MS

    def _next_due_s(self) -> float:
        due_ms = min(list(self._next_due_ms.values()), default=NEVER_MS)
        return float("inf") if due_ms >= NEVER_MS else due_ms / 1000

    def _late_s(self) -> float:
        return max(0.0, self._clock_ms() / 1000 - self._next_due_s())
