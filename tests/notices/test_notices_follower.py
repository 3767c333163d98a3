"""The follower on a ledger: digests, quiet hours, outages, retries, and what it leaves out."""

import logging
from pathlib import Path

import pytest
from notices_cases import HOUR_MS, MINUTE_MS, NOON_MS, City, at, record, to_reporter
from notices_follows import Follows

from dispatcher.notices import Failed, OutboxError, Status
from dispatcher.notices.plan import GATHER_MS

DAY_MS = 24 * HOUR_MS


@pytest.fixture
def follows(tmp_path: Path):
    made = Follows(tmp_path / "city.db.notices")
    yield made
    made.outbox.close()


def test_digest_after_the_window_and_urgent_at_once(follows: Follows) -> None:
    follows.city.put_out([record(1), record(2, at_ms=NOON_MS + MINUTE_MS), record(3, "police", severity=2)])
    assert follows.at(NOON_MS + MINUTE_MS) == [[3]]
    assert follows.at(NOON_MS + 10 * MINUTE_MS - 1) == []
    follows.city.put_out([record(4, at_ms=NOON_MS + 9 * MINUTE_MS)])
    assert follows.at(NOON_MS + 10 * MINUTE_MS) == [[1, 2, 4]]
    assert follows.at(NOON_MS + HOUR_MS) == []
    assert set(follows.statuses().values()) == {"delivered"}
    assert 'dispatch_notices_total{channel="log",outcome="delivered",template="urge"} 4.0' in follows.metric()
    assert "dispatch_notices_waiting 0.0" in follows.metric()


def test_outage_becomes_one_digest_a_recipient(follows: Follows) -> None:
    """Hours of notices in several commits: one message each, however the arrears come."""
    for n in range(0, 300, 50):
        rows = [record(n + k, ["gas", "police", "cell:1"][k % 3], NOON_MS + (n + k) * MINUTE_MS, severity=k % 4 + 1)
                for k in range(50)]  # fmt: skip
        follows.city.put_out(rows)
        assert follows.at(NOON_MS + 8 * HOUR_MS) == []  # it gathers
    told = follows.at(NOON_MS + 8 * HOUR_MS + GATHER_MS)
    assert [len(numbers) for numbers in told] == [102, 102, 96]
    assert all(message.late for message in follows.desk.messages)
    assert all(numbers == sorted(numbers) for numbers in told)
    assert sorted(number for numbers in told for number in numbers) == list(range(300))
    assert 'template="urge"} 300.0' in follows.metric()


def test_quiet_hours_hold_and_release(follows: Follows) -> None:
    evening, morning = at("2026-03-02 21:58"), at("2026-03-03 07:00")
    follows.city.put_out([to_reporter(1, at_ms=evening), record(2, at_ms=evening, severity=1)])
    assert follows.at(at("2026-03-02 22:00")) == [[2]]
    assert follows.statuses() == {1: "held", 2: "delivered"}
    follows.city.put_out([to_reporter(3, at_ms=at("2026-03-02 23:00"), template="closed")])
    assert follows.at(morning - 1) == []
    assert follows.statuses()[3] == "held"
    assert follows.at(morning) == [[1, 3]]
    assert 'dispatch_notices_taken_total{outcome="held"} 2.0' in follows.metric()


def test_what_is_held_is_not_read_again_all_night(follows: Follows, monkeypatch) -> None:
    night = at("2026-03-02 23:00")
    read: list[int] = []
    waiting = follows.outbox.waiting

    def counted(*, held: bool = True):
        rows = waiting(held=held)
        read.append(len(rows))
        return rows

    monkeypatch.setattr(follows.outbox, "waiting", counted)
    follows.city.put_out([to_reporter(n, f"r{n}", night) for n in range(50)] + [record(99, at_ms=night)])
    for n in range(3):
        assert follows.at(night + n) == []
    assert read == [51, 1, 1]
    assert "dispatch_notices_waiting 51.0" in follows.metric()
    assert follows.at(night + 10 * MINUTE_MS) == [[99]]
    assert len(follows.at(at("2026-03-03 07:00"))) == 50


def test_a_failing_recipient_keeps_its_order_and_delays_nobody(follows: Follows) -> None:
    follows.city.put_out([record(1, severity=1), record(2, "police", severity=1)])
    follows.desk.answers = [Failed("http 503", retry=True)]
    assert follows.at(NOON_MS) == [[2]]
    follows.city.put_out([record(3, severity=1), record(4, "police", severity=1)])
    assert follows.at(NOON_MS + 29_999) == [[4]]
    follows.desk.answers = [RuntimeError("a fault of the channel's own")]
    assert follows.at(NOON_MS + 30_000) == []  # 1 and 3 together
    assert follows.at(NOON_MS + 30_000 + 59_999) == []
    assert follows.at(NOON_MS + 30_000 + 60_000) == [[1, 3]]
    assert [row.attempts for row in follows.outbox.listed()] == [3, 1, 2, 1]
    assert 'outcome="retry",template="urge"} 3.0' in follows.metric()


def test_late_message_that_fails_holds_back_the_fresh_one(follows: Follows) -> None:
    follows.city.put_out([record(1)])
    follows.at(NOON_MS + MINUTE_MS)
    follows.city.put_out([record(2, at_ms=NOON_MS + HOUR_MS, severity=1)])
    follows.desk.answers = [Failed("timeout", retry=True)]
    assert follows.at(NOON_MS + HOUR_MS) == []
    assert follows.at(NOON_MS + HOUR_MS + 30_000) == [[1], [2]]


def test_given_up_after_so_many_attempts_then_retried(tmp_path: Path) -> None:
    follows = Follows(tmp_path / "outbox", attempts_max=3)
    follows.city.put_out([record(1, severity=1)])
    follows.desk.answers = [Failed("http 500", retry=True)] * 3
    for n in range(3):
        assert follows.at(NOON_MS + n * 200_000) == []
    follows.city.put_out([record(2, at_ms=NOON_MS + HOUR_MS, severity=1)])
    assert follows.at(NOON_MS + HOUR_MS) == [[2]]
    assert follows.statuses() == {1: "failed", 2: "delivered"}
    (row,) = follows.outbox.listed([Status.FAILED])
    assert (row.attempts, row.detail, row.channel) == (3, "http 500", "log")
    assert follows.outbox.retry("somebody-else") == 0
    assert follows.outbox.retry() == 1
    assert follows.at(NOON_MS + HOUR_MS) == [[1]]
    metric = follows.metric()
    assert 'outcome="failed",template="urge"} 1.0' in metric
    assert 'outcome="retry",template="urge"} 2.0' in metric
    follows.outbox.close()


def test_refused_for_good_is_not_tried_again(follows: Follows) -> None:
    follows.city.put_out([record(1, severity=1), record(2, "police", severity=1)])
    follows.desk.answers = [Failed("http 410", retry=False)]
    assert follows.at(NOON_MS) == [[2]]
    assert follows.statuses() == {1: "failed", 2: "delivered"}
    assert follows.at(NOON_MS + DAY_MS) == []


def test_old_notices_are_listed_not_sent(follows: Follows) -> None:
    """A ledger with years in it does not wake everybody it ever told something."""
    follows.city.put_out([record(1, at_ms=NOON_MS - 8 * DAY_MS), record(2, at_ms=NOON_MS - 6 * DAY_MS)])
    assert follows.at(NOON_MS) == []
    assert follows.at(NOON_MS + GATHER_MS) == [[2]]
    assert follows.statuses() == {1: "expired", 2: "delivered"}
    assert 'dispatch_notices_taken_total{outcome="expired"} 1.0' in follows.metric()


def test_settled_notices_are_forgotten_after_a_month_failed_ones_kept(follows: Follows) -> None:
    follows.city.put_out([record(1, severity=1), record(2, "police", severity=1)])
    follows.desk.answers = [Failed("http 410", retry=False)]
    follows.at(NOON_MS)
    follows.city.put_out([record(3, at_ms=NOON_MS + 31 * DAY_MS)], NOON_MS + 31 * DAY_MS)
    follows.at(NOON_MS + 31 * DAY_MS)
    assert follows.statuses() == {1: "failed", 3: "waiting"}


def test_what_is_no_notice_is_left_out_and_counted(follows: Follows, caplog) -> None:
    follows.city.put_out([b"{", record(1, severity=1), b'{"secret":"li@example.org"}'])
    assert follows.at(NOON_MS) == [[1]]
    assert 'outcome="unreadable"} 2.0' in follows.metric()
    assert len([r for r in caplog.records if r.levelno == logging.ERROR]) == 2
    assert "example" not in caplog.text


def test_the_same_notice_twice_is_one(follows: Follows) -> None:
    follows.city.put_out([record(1, severity=1)])
    assert follows.at(NOON_MS) == [[1]]
    follows.city.put_out([record(1, severity=1)])
    assert follows.at(NOON_MS) == []


def test_unknown_templates_are_one_label(follows: Follows) -> None:
    follows.city.put_out([record(n, template=f"new-{n}", severity=1) for n in range(9)])
    follows.at(NOON_MS)
    assert 'template="other"} 9.0' in follows.metric()
    assert "new-1" not in follows.metric()


def test_a_slow_turn_ends_and_looks_again(follows: Follows) -> None:
    """Each message takes a second: what becomes urgent meanwhile does not wait for all the others."""
    follows.city.put_out([record(n, f"unit-{n}", severity=1) for n in range(6)])
    follows.clock.step_ms = 1_000
    assert follows.follower.turn(follows.clock) < 6
    follows.clock.step_ms = 0
    while follows.follower.turn(follows.clock):
        pass
    assert sorted(number for numbers in follows.desk.told() for number in numbers) == list(range(6))


def test_stopping_leaves_the_rest_for_later(follows: Follows) -> None:
    follows.city.put_out([record(1, severity=1)])
    assert follows.follower.turn(follows.clock, stopping=lambda: True) == 0
    assert follows.statuses() == {1: "waiting"}


def test_an_outbox_of_another_ledger_is_refused(tmp_path: Path) -> None:
    first = Follows(tmp_path / "outbox")
    first.city.put_out([record(1)])
    first.at(NOON_MS)
    first.outbox.close()
    other = City()
    with pytest.raises(OutboxError, match="another ledger"):
        Follows(tmp_path / "outbox", other)
    other.put_out([record(2)])
    with pytest.raises(OutboxError, match="another ledger"):
        Follows(tmp_path / "outbox", other)
    Follows(tmp_path / "outbox", first.city).outbox.close()
