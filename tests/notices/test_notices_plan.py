"""What goes out when: a table of situations, and properties over random outboxes."""

from itertools import groupby
from random import Random

import pytest
from notices_cases import HOUR_MS, MINUTE_MS, NOON_MS, ZONE, at

from dispatcher.notices import Delivery, QuietHours, Timing, Waiting, plan
from dispatcher.notices.plan import DIGEST_MAX, GATHER_MS, pause_ms

QUIET = QuietHours("22:00", "07:00", ZONE)
TIMING = Timing(10 * MINUTE_MS, 30 * MINUTE_MS, 10, 30_000, HOUR_MS, QUIET)


def row(n: int, ago_min: float = 0, to: str = "gas", *, urgent: bool = False, now_ms: int = NOON_MS, **more) -> Waiting:
    at_ms = now_ms - round(ago_min * MINUTE_MS)
    return Waiting(str(n), n, to, at_ms, more.pop("taken_ms", at_ms), urgent, **more)


def told(rows: list[Waiting], now_ms: int = NOON_MS) -> list[tuple[str, str, bool]]:
    return [(d.to, "+".join(d.notice_ids), d.late) for d in plan(rows, now_ms, TIMING).deliveries]


SITUATIONS = {
    "nothing": ([], []),
    "within the window": ([row(1, 9.99)], []),
    "the window is over": ([row(1, 10), row(2, 3)], [("gas", "1+2", False)]),
    "urgent goes at once": ([row(1, 0, urgent=True)], [("gas", "1", False)]),
    "urgent takes along what waits before and after it": (
        [row(1, 5), row(2, 1, urgent=True), row(3, 0)], [("gas", "1+2+3", False)]),
    "others are not taken along": ([row(1, 5), row(2, 0, "police", urgent=True)], [("police", "2", False)]),
    "late ones are one message": ([row(n, 600 - n) for n in range(1, 5)], [("gas", "1+2+3+4", True)]),
    "fresh ones follow late ones": ([row(1, 31), row(2, 30), row(3, 10)], [("gas", "1", True), ("gas", "2+3", False)]),
    "fresh ones do not have to follow at once": ([row(1, 31), row(2, 9)], [("gas", "1", True)]),
    "what stands before a late one goes with it": ([row(1, 1), row(2, 31)], [("gas", "1+2", True)]),
    "late ones gather first": ([row(1, 600, taken_ms=NOON_MS - GATHER_MS + 1)], []),
    "they gather since the first was seen": (
        [row(1, 600, taken_ms=NOON_MS - GATHER_MS), row(2, 500, taken_ms=NOON_MS)], [("gas", "1+2", True)]),
    "urgent ones wait behind gathering ones: order": (
        [row(1, 600, taken_ms=NOON_MS), row(2, 0, urgent=True)], []),
    "nothing in a pause, not even urgent": ([row(1, 20, attempts=1, next_ms=NOON_MS + 1), row(2, 0, urgent=True)], []),
    "after the pause all goes": (
        [row(1, 1, attempts=1, next_ms=NOON_MS), row(2, 0)], [("gas", "1+2", False)]),
    "failing recipients come last, urgent ones first, then the longest wait": (
        [row(1, 20, "a", attempts=2), row(2, 12, "b"), row(3, 11, "c"), row(4, 0, "d", urgent=True)],
        [("d", "4", False), ("b", "2", False), ("c", "3", False), ("a", "1", False)]),
    "dated ahead of our clock": ([row(1, -1)], []),
}  # fmt: skip


@pytest.mark.parametrize(("rows", "expected"), SITUATIONS.values(), ids=SITUATIONS)
def test_situation(rows, expected) -> None:
    assert told(rows) == expected
    assert told(rows[::-1]) == expected  # the order of the rows says nothing; `seq` does


@pytest.mark.parametrize(
    ("time", "held"), [("21:59", False), ("22:00", True), ("23:30", True), ("06:59", True), ("07:00", False)]
)
def test_quiet_hours_hold_what_goes_to_reporters_only(time: str, held: bool) -> None:
    now_ms = at(f"2026-03-03 {time}")
    rows = [row(1, 20, "report:hotline/r1", urgent=True, now_ms=now_ms), row(2, 20, "reporters", now_ms=now_ms)]
    planned = plan(rows, now_ms, TIMING)
    assert planned.held == (("1",) if held else ())
    assert {delivery.to for delivery in planned.deliveries} == ({"reporters"} if held else {r.to for r in rows})


def test_a_message_is_bounded() -> None:
    rows = [row(n, 60) for n in range(DIGEST_MAX + 1)]
    assert [len(d.notice_ids) for d in plan(rows, NOON_MS, TIMING).deliveries] == [DIGEST_MAX, 1]


def test_pauses_double_up_to_a_bound() -> None:
    assert [pause_ms(n, TIMING) // 1000 for n in range(1, 10)] == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert pause_ms(10_000, TIMING) == HOUR_MS


@pytest.mark.parametrize("seed", range(150))
def test_properties(seed: int) -> None:
    """Nothing twice, nothing out of order, nobody skipped; and what is not due now is due some day."""
    random = Random(seed)
    now_ms = NOON_MS + random.randrange(24 * HOUR_MS)
    rows = []
    for n in range(random.randrange(1, 40)):
        to = random.choice(["gas", "police", "cell:1", "report:hotline/1", "report:hotline/2"])
        attempts = random.choice([0, 0, 1, 9])
        next_ms = now_ms + random.choice([-1, 0, 1, HOUR_MS]) if attempts else 0
        more = {"urgent": random.random() < 0.2, "taken_ms": now_ms - random.choice([0, GATHER_MS])}
        ago_min = random.choice([0, 1, 10, 30, 31, 900])
        rows.append(row(n, ago_min, to, now_ms=now_ms, attempts=attempts, next_ms=next_ms, **more))
    planned = plan(rows, now_ms, TIMING)
    sent = [notice_id for delivery in planned.deliveries for notice_id in delivery.notice_ids]
    assert len(sent) == len(set(sent))
    assert not set(sent) & set(planned.held)
    by_recipient: dict[str, list[Delivery]] = {}
    for delivery in planned.deliveries:
        by_recipient.setdefault(delivery.to, []).append(delivery)
    for to, deliveries in by_recipient.items():
        of_him = [each.notice_id for each in rows if each.to == to]
        told = [notice_id for delivery in deliveries for notice_id in delivery.notice_ids]
        assert told == of_him[: len(told)]  # from the first on, without a gap
        assert [delivery.late for delivery in deliveries] in ([True], [False], [True, False])
    assert [to for to, _ in groupby(d.to for d in planned.deliveries)] == list(by_recipient)
    later_ms = now_ms + 24 * HOUR_MS
    later_ms += max(0, (QUIET.until_ms(later_ms) or 0) - later_ms)
    everything = plan(rows, later_ms, TIMING)
    assert sorted(i for d in everything.deliveries for i in d.notice_ids) == sorted(each.notice_id for each in rows)
