"""A memory ledger into which the outputs of lives are committed as an engine would."""

from collections import Counter

from views_cases import START_MS, Life

from dispatcher.core import NEVER_MS, Outcome, Position
from dispatcher.ledger import MemoryLedger
from dispatcher.views import Projection


class City:
    """A memory ledger and its one owner; commits what lives put out, in order of time."""

    def __init__(self) -> None:
        self.ledger = MemoryLedger(lambda: START_MS)
        self.owner = self.ledger.own(0)

    def commit(
        self,
        records: list[tuple[str, str, int, bytes]],
        compacted: dict[tuple[str, str], bytes | None],
        time_ms: int | None = None,
    ) -> None:
        expected = self.ledger.position(0)
        latest_ms = max([expected.time_ms, *(at_ms for _, _, at_ms, _ in records)]) if time_ms is None else time_ms
        position = Position(expected.offset + 1, latest_ms)
        outcome = Outcome(position, 1, records, compacted, Counter(), NEVER_MS)
        self.ledger.commit(self.owner, outcome, expected)

    def publish(self, lives: list[Life], per_commit: int = 50) -> None:
        """Commit everything, several changes at a time, as an engine that works in batches does."""
        changes = sorted(
            ((at_ms, life.record.incident_id, n, out) for life in lives for n, out in enumerate(_changes(life))
             for at_ms in [out[0][2]]),
            key=lambda change: change[:3],
        )  # fmt: skip
        for first in range(0, len(changes), per_commit):
            records: list[tuple[str, str, int, bytes]] = []
            compacted: dict[tuple[str, str], bytes | None] = {}
            for _, incident_id, _, out in changes[first : first + per_commit]:
                for topic, key, at_ms, value in out:
                    if topic == "incidents":
                        compacted["incidents", incident_id] = value
                    else:
                        records.append((topic, key, at_ms, value))
            self.commit(records, compacted)

    def drop(self, incident_ids: list[str], time_ms: int) -> None:
        """The engine lets go of ended incidents: tombstones."""
        self.commit([], {("incidents", incident_id): None for incident_id in incident_ids}, time_ms)


def _changes(life: Life) -> list[list[tuple[str, str, int, bytes]]]:
    """The outputs of a life, grouped by revision: pages come before the event they make room for."""
    incident_id = life.record.incident_id
    groups: list[list[tuple[str, str, int, bytes]]] = []
    waiting: list[tuple[str, str, int, bytes]] = []
    for at_ms, topic, event, value in life.outputs:
        if topic == "archive" and b'"page":' in value[:80]:
            waiting.append(("archive", incident_id, at_ms, value))
        elif topic == "archive":
            groups[-1].append(("archive", incident_id, at_ms, value))
        else:
            groups.append([*waiting, ("events", incident_id, at_ms, event), ("incidents", incident_id, at_ms, value)])
            waiting = []
    return groups


def view_of(lives: list[Life]) -> Projection:
    """A projection of these lives and nothing else."""
    city, view = City(), Projection(":memory:")
    city.publish(lives)
    view.catch_up(city.ledger)
    return view


def dump(view: Projection) -> dict[str, list[tuple]]:
    """Every row of every table."""
    tables = [name for (name,) in view.db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    return {name: sorted(view.db.execute(f"SELECT * FROM {name}"), key=repr) for name in tables}


def of(city: City, batch: int = 2_000) -> Projection:
    """A projection of the whole ledger."""
    view = Projection(":memory:")
    view.catch_up(city.ledger, batch)
    return view


def a_rejection(n: int) -> tuple[str, str, int, bytes]:
    value = (
        f'{{"reason":"conflict","detail":"d{n}","topic":"reports","partition":0,"offset":{n},'
        f'"received_at":"2026-09-21T00:00:00.000Z","original":"{{}}"}}'
    )
    return "rejected", f"reports/0/{n}", START_MS + n, value.encode()
