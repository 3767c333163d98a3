"""A commit is whole or not at all, whichever of its requests fails, however, and whether the broker has seen it or not.

Each case opens a holding and makes two commits; one request on the way fails. Where that raises, the holding is opened
anew and the rest is committed, as an owner does. Then everything is there once and in order, read committed.
"""

import asyncio

import pytest
from aiokafka.errors import (
    ConcurrentTransactions,
    InvalidProducerEpoch,
    KafkaConnectionError,
    MessageSizeTooLargeError,
    NodeNotReadyError,
    NotCoordinatorError,
    NotLeaderForPartitionError,
    RequestTimedOutError,
    UnknownTopicOrPartitionError,
)
from kafka_faults import CUT, Fault, Wire
from kafka_lanes import commit, committed, lay_lanes, values

from dispatcher.ledger import Fenced, LedgerError
from dispatcher.ledger.kafka import Holding, Place, holding, producing

LANES = 6  # partitions on which cases run side by side
COMMITS = 2
CASE_S = 20.0
ERRORS = (
    RequestTimedOutError,
    KafkaConnectionError,
    NodeNotReadyError,
    NotLeaderForPartitionError,
    NotCoordinatorError,
    ConcurrentTransactions,
    InvalidProducerEpoch,
    UnknownTopicOrPartitionError,
    MessageSizeTooLargeError,
)
# Every request from opening a holding to the end of its first commit. Those that are made only after an answer of
# another kind have that answer with them.
PLACES: list[tuple[str, int, tuple[Fault, ...]]] = [
    ("FindCoordinator", 0, ()),
    ("InitProducerId", 0, ()),
    *(("Metadata", nth, ()) for nth in range(4)),
    ("AddPartitionsToTxn", 0, ()),
    ("AddPartitionsToTxn", 1, (Fault("AddPartitionsToTxn", 0, ConcurrentTransactions),)),
    ("FindCoordinator", 1, (Fault("AddPartitionsToTxn", 0, NotCoordinatorError),)),
    *(("Produce", nth, ()) for nth in range(2)),
    ("Produce", 1, (Fault("Produce", 0, NotLeaderForPartitionError, seen=True),)),
    ("EndTxn", 0, ()),
    ("EndTxn", 1, (Fault("EndTxn", 0, ConcurrentTransactions),)),
    ("EndTxn", 1, (Fault("EndTxn", 0, ConcurrentTransactions, seen=True),)),
    ("FindCoordinator", 1, (Fault("EndTxn", 0, NotCoordinatorError, seen=True),)),
]


class Wires:
    """Lays a wire for every producer that holds a partition, with the faults meant for it."""

    def __init__(self) -> None:
        self.faults: dict[int, tuple[Fault, ...]] = {}
        self.laid: dict[int, Wire] = {}  # the newest of each partition
        self.hit: dict[int, list[Fault]] = {}  # of those meant for it, what has happened

    def producer(self, connection, transactional_id):
        partition = int(transactional_id.rpartition("-")[2])
        producer = producing.transactional_producer(connection, transactional_id)
        faults = self.faults.pop(partition, ())
        self.laid[partition] = Wire(producer, *faults)
        if faults:
            self.hit[partition] = self.laid[partition].hit
        return producer


@pytest.fixture
def wires(monkeypatch):
    wires = Wires()
    monkeypatch.setattr(holding, "transactional_producer", wires.producer)
    monkeypatch.setattr(producing, "MESSAGE_BYTES", 2_000)  # so that a commit has several batches for one partition
    return wires


@pytest.fixture(scope="module")
def lanes(broker):
    return asyncio.run(_lay(broker.bootstrap))


async def _lay(bootstrap):
    place = await lay_lanes(bootstrap, "errors.", LANES, work=400)
    for partition in range(LANES):
        async with Holding.open(place, partition):  # the first on a new cluster is looked for many times
            pass
    return [Lane(place, partition) for partition in range(LANES)]


class Lane:
    """A partition on which one case follows another."""

    def __init__(self, place: Place, partition: int) -> None:
        self._place, self.partition = place, partition
        self.commits = 0  # that were told to be done, by all cases so far
        self._looked_at, self._read = 0, -1  # commits, and the last offset of `events`

    async def _work(self, goal: int) -> None:
        """Take up what is recorded and commit what is missing, as an owner does."""
        async with Holding.open(self._place, self.partition) as (held, _, incidents, standing):
            assert self.commits <= standing.commits <= self.commits + 1, "a commit was told of, and is not there"
            assert standing.position.offset == standing.commits - 1 == int(incidents.get("one", b"-1"))
            for number in range(standing.commits, goal):
                await commit(held, number)
                self.commits = number + 1

    async def through(self) -> LedgerError | None:
        """One case; what was raised on the way."""
        goal = self.commits + COMMITS
        try:
            await self._work(goal)
        except LedgerError as error:
            await self._work(goal)
            return error
        return None

    async def look(self, said: dict[int, str]) -> None:
        """What there is of all commits since it was looked at last; `said` names the case of a commit."""
        records = await committed(self._place, "events", self.partition, self._read)
        wanted = [value for number in range(self._looked_at, self.commits) for value in values(number)]
        found = [record.value for record in records]
        wrong = [number for number in said if any(found.count(value) != 1 for value in values(number))]
        self._looked_at, self._read = self.commits, records[-1].offset
        assert found == wanted, f"not there once: {[said[number] for number in wrong]}"


def cases(error, seen) -> list[tuple[Fault, ...]]:
    return [
        (*before, Fault(request, nth, error, seen))
        for request, nth, before in PLACES
        if not (seen and request == "Metadata")
    ]


def expected(fault: Fault) -> type[LedgerError] | None:
    """What must be raised; None: the commit may as well have gone through, where aiokafka tries again."""
    if fault.error is InvalidProducerEpoch and fault.request in ("AddPartitionsToTxn", "Produce", "EndTxn"):
        return Fenced
    unanswered = fault.request == "EndTxn" and fault.error in CUT
    refused = fault.request == "Produce" and fault.error is MessageSizeTooLargeError
    return LedgerError if unanswered or refused else None


@pytest.mark.parametrize("seen", [False, True], ids=["instead", "after"])
@pytest.mark.parametrize("error", ERRORS)
async def test_whatever_fails_everything_is_there_once(error, seen, lanes, wires):
    todo = cases(error, seen)

    async def run(lane):
        said = {}
        while todo:
            faults = wires.faults[lane.partition] = todo.pop()
            case = said[lane.commits] = said[lane.commits + 1] = " then ".join(map(str, faults))
            try:
                async with asyncio.timeout(CASE_S):
                    raised = await lane.through()
            except TimeoutError:
                pytest.fail(f"{case}: the commit hangs")
            except BaseException as wrong:
                wrong.add_note(f"{case}: {wires.laid[lane.partition].order}")
                raise
            assert wires.hit[lane.partition] == list(faults), f"{case} was not met: {wires.laid[lane.partition].order}"
            wanted = expected(faults[-1])
            assert wanted is None or isinstance(raised, wanted), f"{case}: raised {raised!r}"
        await lane.look(said)

    async with asyncio.TaskGroup() as group:
        for lane in lanes:
            group.create_task(run(lane))
