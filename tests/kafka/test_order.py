"""No chunk of a source is carried before everything that comes before it, whatever Faust drops on the way."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.config import Kafka
from dispatcher.hosts.worker import order as order_module
from dispatcher.hosts.worker import parts as parts_module
from dispatcher.hosts.worker.order import Order, Part
from dispatcher.hosts.worker.parts import Parts, Worker
from dispatcher.ledger.kafka import Connection

PART = Part("reports", 1)


def chunk(start: int | None, end: int) -> SimpleNamespace:
    return SimpleNamespace(topic="reports", partition=1, start=start, end=end)


def test_what_has_overtaken_something_is_not_taken():
    order = Order()
    order.began({PART: 10})
    assert order.take(chunk(10, 20))
    assert not order.take(chunk(25, 30))
    assert order.take(chunk(20, 25))
    assert order.take(chunk(25, 30))


def test_what_comes_again_is_taken_again_and_sets_nothing_back():
    order = Order()
    order.began({PART: 10})
    assert order.take(chunk(10, 20))
    assert order.take(chunk(10, 15))
    assert order.take(chunk(20, 30))


def test_of_a_partition_that_is_not_ours_or_from_nowhere_nothing_is_taken():
    order = Order()
    assert not order.take(chunk(0, 5))
    order.began({PART: 0})
    assert not order.take(chunk(None, 5))
    order.began({})
    assert not order.take(chunk(0, 5))


def test_what_was_handed_out_and_dropped_is_named_and_not_at_once_again(monkeypatch: pytest.MonkeyPatch):
    now_s = 100.0
    monkeypatch.setattr(order_module, "time", SimpleNamespace(monotonic=lambda: now_s))
    order, other = Order(), Part("updates", 0)
    order.began({PART: 10, other: 0})
    order.handed = {PART: 30, other: 0, Part("work", 0): 99}
    assert order.behind(()) == [(PART, 10)]
    assert order.behind(()) == []
    now_s += 2
    assert order.behind({other}) == []
    assert order.behind({PART}) == [(PART, 10)]
    assert order.take(chunk(10, 30))
    now_s += 2
    assert order.behind(()) == []


@given(st.data())
@settings(max_examples=200)
def test_everything_is_carried_in_order_whatever_is_dropped(data: st.DataObject):
    """A consumer that hands out and goes back, a way on which chunks vanish, and one who asks the order."""
    order = Order()
    end = data.draw(st.integers(1, 60))
    committed = data.draw(st.integers(0, end))
    position = carried = committed
    order.began({PART: committed})
    order.handed[PART] = committed
    way: list[SimpleNamespace] = []
    for _ in range(400):
        step = data.draw(st.sampled_from(["fetch", "fetch", "carry", "carry", "drop", "rebalance"]))
        if step == "fetch" and position < end:
            upto = data.draw(st.integers(position + 1, end))
            way.append(chunk(order.handed[PART], upto))
            position = order.handed[PART] = upto
        elif step == "carry" and way:
            one = way.pop(0)
            if order.take(one):
                assert one.start <= carried, "something before it was never carried"
                carried = max(carried, one.end)
            elif order.handed[PART] > carried:
                position = order.handed[PART] = carried
        elif step == "drop" and way:
            way.pop(data.draw(st.integers(0, len(way) - 1)))
        elif step == "rebalance":  # what was carried is committed, some of it or all
            committed = data.draw(st.integers(committed, carried))
            position = order.handed[PART] = committed
            order.began({PART: committed})
            carried = max(carried, committed)


class Relay:
    def __init__(self) -> None:
        self.carried: list[int] = []

    async def carry(self, records: list[int]) -> None:
        await asyncio.sleep(0)
        self.carried += records


class Event:
    """Faust's, with a chunk of numbers."""

    def __init__(self, start: int, end: int) -> None:
        class Numbers(list[int]):
            pass

        value: Any = Numbers(range(start, end))
        value.topic, value.partition, value.start, value.end = "reports", 1, start, end
        self.value, self.acked = value, False

    def ack(self) -> None:
        self.acked = True


async def test_stage_one_leaves_what_has_overtaken_something_and_has_both_fetched_again(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(parts_module, "QUIET_S", 0.05)
    monkeypatch.setattr(order_module, "BACK_EVERY_S", 0.0)
    order, relay = Order(), Relay()
    asked: list[tuple[str, int, int]] = []
    again = asyncio.Event()

    async def rewind(topic: str, partition: int, offset: int) -> None:
        asked.append((topic, partition, offset))
        order.handed[PART] = offset
        again.set()

    parts = Parts(Kafka(), Connection("nowhere:1"), None, "grid", ["reports"], None, None, 0.02)  # type: ignore[arg-type]
    worker = Worker(parts, pytest.fail, rewind, order)
    order.began({PART: 0})
    carrying = asyncio.create_task(worker._carry_all(relay))  # type: ignore[arg-type]
    first, overtaking = Event(0, 5), Event(9, 12)  # 5 to 9 was fetched and dropped
    order.handed[PART] = 12
    await worker.carry(first)
    await worker.carry(overtaking)
    await asyncio.wait_for(again.wait(), 5)
    assert asked == [("reports", 1, 5)]
    assert (first.acked, overtaking.acked) == (True, False)
    again.clear()
    order.handed[PART] = 9  # it is fetched again, and dropped again, and nothing comes after it
    await asyncio.wait_for(again.wait(), 5)
    assert asked[1:2] == [("reports", 1, 5)]
    order.handed[PART] = 12
    for event in (Event(5, 9), Event(9, 12)):
        await worker.carry(event)
    async with asyncio.timeout(5):
        while len(relay.carried) < 12:
            await asyncio.sleep(0.01)
    assert relay.carried == list(range(12))
    carrying.cancel()
