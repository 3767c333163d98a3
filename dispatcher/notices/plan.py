"""What goes out now: which notices, together as one message, in which order. Pure: rows and an instant in, a plan out.

Each recipient's notices leave in the order of the ledger, so whatever is due takes along what waits before it:

- **Urgent** ones (see `notice.is_urgent`) are due at once; the others when the oldest has waited for the digest window.
- What is **late**, older than it should ever get, becomes one message of its own ahead of the rest. It first gathers
  for a few seconds, for an engine that comes back after an outage puts out its arrears in slices.
- After a failure nothing goes to that recipient until the pause is over.
- In **quiet hours** what goes to reporters is held; it is late or not when they end, like everything else.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from dispatcher.notices.notice import REPORTER
from dispatcher.notices.quiet import QuietHours

__all__ = ["Delivery", "Plan", "Timing", "Waiting", "pause_ms", "plan"]

GATHER_MS = 15_000
DIGEST_MAX = 5_000  # notices in one message: about 1 MB of a webhook's body


class Waiting(NamedTuple):
    """A notice that has not gone out. `seq` is its place in the ledger, `next_ms` the end of its pause, 0 for none."""

    notice_id: str
    seq: int
    to: str
    at_ms: int
    taken_ms: int
    urgent: bool
    attempts: int = 0
    next_ms: int = 0


class Timing(NamedTuple):
    """The settings; see `config.yaml`."""

    window_ms: int
    late_ms: int
    attempts_max: int
    retry_first_ms: int
    retry_longest_ms: int
    quiet: QuietHours


class Delivery(NamedTuple):
    """One message: to whom, and what it tells, in the order of the ledger."""

    to: str
    notice_ids: tuple[str, ...]
    late: bool = False


class Plan(NamedTuple):
    """What goes out now, most pressing first, and what is held by quiet hours."""

    deliveries: tuple[Delivery, ...]
    held: tuple[str, ...]


def plan(rows: Iterable[Waiting], now_ms: int, timing: Timing) -> Plan:
    """Decide what goes out at `now_ms`.

    Recipients that have not failed come first, so that an endpoint that times out delays nobody who can be reached;
    then those with something urgent; then who has waited longest.
    """
    quiet = timing.quiet.until_ms(now_ms) is not None
    held: list[str] = []
    ranked: list[tuple[tuple[bool, bool, int], list[Delivery]]] = []
    for to, group in groupby(sorted(rows, key=lambda row: (row.to, row.seq)), key=lambda row: row.to):
        waiting = list(group)
        if quiet and to.startswith(REPORTER):
            held += [row.notice_id for row in waiting]
            continue
        deliveries = _deliveries(to, waiting, now_ms, timing)
        if deliveries:
            failed = any(row.attempts for row in waiting)
            rank = (failed, not any(row.urgent for row in waiting), waiting[0].seq)
            ranked.append((rank, deliveries))
    ranked.sort(key=lambda entry: entry[0])
    return Plan(tuple(delivery for _, deliveries in ranked for delivery in deliveries), tuple(held))


def _deliveries(to: str, waiting: Sequence[Waiting], now_ms: int, timing: Timing) -> list[Delivery]:
    """What one recipient is sent now; `waiting` in the order of the ledger."""
    if now_ms < max(row.next_ms for row in waiting):
        return []
    late_count = max((n for n, row in enumerate(waiting, 1) if now_ms - row.at_ms > timing.late_ms), default=0)
    late, fresh = waiting[:late_count], waiting[late_count:]
    if late and now_ms < min(row.taken_ms for row in late) + GATHER_MS:
        return []
    return [*_messages(to, late, late=True), *(_messages(to, fresh) if _is_due(fresh, now_ms, timing) else ())]


def _is_due(fresh: Sequence[Waiting], now_ms: int, timing: Timing) -> bool:
    """Whether what is not late has to go: something urgent, something tried before, or the window is over."""
    if any(row.urgent or row.attempts for row in fresh):
        return True
    return any(now_ms >= row.at_ms + timing.window_ms for row in fresh)


def _messages(to: str, rows: Sequence[Waiting], *, late: bool = False) -> list[Delivery]:
    ids = [row.notice_id for row in rows]
    return [Delivery(to, tuple(ids[n : n + DIGEST_MAX]), late) for n in range(0, len(ids), DIGEST_MAX)]


def pause_ms(attempts: int, timing: Timing) -> int:
    """How long to wait after so many failed attempts (at least one): doubled each time, up to a bound."""
    return min(timing.retry_longest_ms, timing.retry_first_ms << min(attempts - 1, 30))
