"""A restart: how fast the incidents of one partition come from the topic into memory.

The incidents are a day's own again and again under other ids, put there by commits as a worker makes them.
"""

import time
from typing import NamedTuple

from bench.answers import WrongAnswer
from bench.core import CoreDriver, Setting
from bench.kafka.ledgers import KafkaLedger, begin_ledger
from bench.kafka.scene import Scene
from bench.memory import multiplied
from bench.workload import as_backlog, city_day
from dispatcher.core import Outcome, PartitionState, Position, Rulebook, decode_incident
from dispatcher.ledger.kafka import Holding

__all__ = ["Restored", "hold_incidents", "restored"]

REPORTS = 2_000  # of the day whose incidents are multiplied
IN_A_COMMIT = 2_000


class Restored(NamedTuple):
    """Seconds of one restart."""

    incidents: int
    reading_s: float  # `Holding.open`: fenced, read, checked
    restoring_s: float  # `PartitionState.restore`

    @property
    def rate(self) -> float:
        """Incidents a second."""
        return self.incidents / (self.reading_s + self.restoring_s)


async def hold_incidents(scene: Scene, prefix: str, incidents: int, seed: int) -> KafkaLedger:
    """A ledger whose partition 0 holds that many. Raises LedgerError."""
    day = city_day(scene.town, min(REPORTS, incidents), seed)
    driver = CoreDriver(Setting(scene.town, scene.setup.policy, day))
    driver.take(as_backlog(day)[0])
    state, values = multiplied({topic: driver.answers.compacted(topic) for topic in ("incidents", "state")}, incidents)
    ledger = await begin_ledger(scene, prefix)
    async with Holding.open(ledger.place, 0) as (holding, *_):
        held = revisions = 0
        kept: dict[tuple[str, str], bytes | None] = {("state", key): value for key, value in state}
        for start in range(0, len(values), IN_A_COMMIT):
            some = values[start : start + IN_A_COMMIT]
            held += len(some)
            revisions += sum(decode_incident(value).revision for _, value in some)
            compacted: dict[tuple[str, str], bytes | None] = {("incidents", key): value for key, value in some}
            outcome = Outcome(
                Position(0, 1), 0, [], compacted | kept, driver.counts, 0, incidents=held, revisions=revisions
            )
            kept = {}
            await holding.commit(outcome, holding.position)
    return ledger


async def restored(scene: Scene, ledger: KafkaLedger, incidents: int) -> Restored:
    """Take the partition over and restore it, as a worker does. Raises WrongAnswer, LedgerError."""
    policy = scene.setup.policy
    kept = PartitionState(0, {policy.sha256: Rulebook(policy)}, partitions=ledger.place.partitions)
    begin_s = time.perf_counter()
    async with Holding.open(ledger.place, 0) as (_, state, values, standing):
        read_s = time.perf_counter()
        kept.restore(state.items(), values.items())
        end_s = time.perf_counter()
    if len(kept.incidents) != incidents or kept.revisions != standing.revisions:
        raise WrongAnswer(f"restored: {len(kept.incidents)} incidents of {incidents}, {kept.revisions} revisions")
    return Restored(incidents, read_s - begin_s, end_s - read_s)
