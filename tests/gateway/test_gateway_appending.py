"""Group commit: whoever appends hears when it is durable, in the order it came; a failure is told to those it hits."""

import asyncio
from collections.abc import Sequence

import pytest

from dispatcher.gateway import appending
from dispatcher.gateway.appending import Appender, Full
from dispatcher.ledger import Entry, LedgerError, Offset

PORTIONS = [(n * 5 // 2, 2 + n % 2) for n in range(200)]  # 500 records: two, then three, and so on


class Slow:
    """A ledger that takes a moment, and fails when told to."""

    def __init__(self) -> None:
        self.batches: list[list[bytes]] = []
        self.fails = False

    async def append(self, entries: Sequence[Entry]) -> list[Offset]:
        await asyncio.sleep(0.01)
        if self.fails:
            raise LedgerError("the disk is full")
        first = sum(map(len, self.batches))
        self.batches.append([entry.value for entry in entries])
        return [Offset(0, first + n) for n in range(len(entries))]


async def test_those_that_come_together_share_commits_and_keep_their_order():
    slow = Slow()
    appender = Appender(slow.append)
    running = asyncio.create_task(appender.run())
    some = [[Entry("reports", b"%d" % n) for n in range(first, first + count)] for first, count in PORTIONS]
    lie = await asyncio.gather(*map(appender.append, some))
    appender.close()
    await running
    assert [value for batch in slow.batches for value in batch] == [b"%d" % n for n in range(500)]
    assert len(slow.batches) < 10
    assert [offset for each in lie for offset in each] == [Offset(0, n) for n in range(500)]
    assert [len(each) for each in lie] == [count for _, count in PORTIONS]


async def test_what_was_taken_before_the_end_is_written_and_nothing_is_taken_after():
    slow = Slow()
    appender = Appender(slow.append)
    running = asyncio.create_task(appender.run())
    waiting = [asyncio.create_task(appender.append([Entry("reports", b"x")])) for _ in range(20)]
    await asyncio.sleep(0)
    appender.close()
    await asyncio.gather(*waiting)
    await running
    assert sum(map(len, slow.batches)) == 20
    with pytest.raises(Full):
        await appender.append([Entry("reports", b"late")])


async def test_a_failure_is_told_to_whom_it_hits_and_the_next_is_tried_again():
    slow = Slow()
    appender = Appender(slow.append)
    running = asyncio.create_task(appender.run())
    slow.fails = True
    with pytest.raises(LedgerError, match="disk is full"):
        await appender.append([Entry("reports", b"x")])
    slow.fails = False
    await appender.append([Entry("reports", b"y")])
    appender.close()
    await running
    assert slow.batches == [[b"y"]]


async def test_one_that_went_away_meanwhile_hurts_nobody():
    slow = Slow()
    appender = Appender(slow.append)
    running = asyncio.create_task(appender.run())
    gone = asyncio.create_task(appender.append([Entry("reports", b"gone")]))
    stays = asyncio.create_task(appender.append([Entry("reports", b"stays")]))
    await asyncio.sleep(0)
    gone.cancel()
    await stays
    appender.close()
    await running
    assert [value for batch in slow.batches for value in batch] == [b"gone", b"stays"]


async def test_too_many_are_refused_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(appending, "WAITING_MAX", 3)
    appender = Appender(Slow().append)
    waiting = asyncio.create_task(appender.append([Entry("reports", b"x")] * 3))
    await asyncio.sleep(0)
    with pytest.raises(Full, match="try again"):
        await appender.append([Entry("reports", b"x")])
    running = asyncio.create_task(appender.run())
    await waiting
    appender.close()
    await running
