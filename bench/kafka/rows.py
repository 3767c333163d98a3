"""The rows: figures beside their budgets, and latency at each rate with its verdict; to read, and as JSON to keep."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any, Final

from bench.kafka.latency import Latency
from bench.kafka.rounds import Measured
from bench.table import Budget, Row, format_table, row_json, rows_of

__all__ = ["BUDGETS", "LACKS", "format_measured", "measured_json"]

BUDGETS: Final[Mapping[str, Budget]] = {
    "one worker: share of the pass-through": Budget(40, at_most=False),  # binding; the others are goals
    "one worker: reports a second": Budget(15_000, at_most=False),
    "restore: incidents a second": Budget(50_000, at_most=False),
    "latency at 5,000/s: p50": Budget(60),
    "latency at 5,000/s: p99": Budget(250),
}
_AS_PLAIN: Final = "what it knows after a restart, records on which the code fails, timers, commands"
LACKS: Final[Mapping[str, str]] = {
    "plain Faust": f"outputs and offsets at once (a crash doubles or loses outputs), {_AS_PLAIN}",
    "Quix Streams": f"{_AS_PLAIN}; it has outputs and offsets at once (exactly-once, a checkpoint every half second)",
    "pass-through": "deciding anything: it writes what the worker has written",
}
"""What each rival's figure does without. What they put out is checked as ours is."""


def format_measured(measured: Measured) -> str:
    """For people."""
    return "\n\n".join([format_table(_rows(measured)), _latencies(measured.latencies)])


def measured_json(measured: Measured) -> dict[str, Any]:
    """For programs."""
    return {
        "rows": [row_json(row) for row in _rows(measured)],
        "latencies": [each._asdict() for of in measured.latencies.values() for each in of],
    }


def _rows(measured: Measured) -> list[Row]:
    rows = rows_of(measured.samples, BUDGETS, LACKS)
    for rate, of in measured.latencies.items():
        for word, values in (("p50", _seen(each.p50_ms for each in of)), ("p99", _seen(each.p99_ms for each in of))):
            name = f"latency at {rate:,.0f}/s: {word}"
            if values:
                rows.append(Row(name, "ms", values, BUDGETS.get(name)))
    return rows


def _seen(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _latencies(latencies: Mapping[float, Sequence[Latency]]) -> str:
    """One line for each rate: medians over the rounds, and how often it was too much."""
    lines = ["offered, 1/s   p50, ms   p99, ms   verdict"]
    for rate, of in latencies.items():
        p50, p99 = _seen(each.p50_ms for each in of), _seen(each.p99_ms for each in of)
        shown = [f"{median(values):,.0f}" if values else "-" for values in (p50, p99)]
        failed = sum(not each.kept_up for each in of)
        verdict = "kept up" if not failed else f"could not keep up in {failed} of {len(of)} rounds"
        lines.append(f"{rate:>12,.0f}   {shown[0]:>7}   {shown[1]:>7}   {verdict}")
    return "\n".join(lines)
