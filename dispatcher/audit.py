"""The audit: everything recomputed from the ledger's inputs and compared with what the ledger holds.

Two kinds of check. *Recomputation*: the inputs are worked through again by a fresh engine on a memory ledger; every
append topic must be byte-equal, every compacted topic equal in the newest value of each key. *Invariants*: read from
the outputs alone, by other code than the engine's: every input accounted for once, every report in one incident,
orders equal decisions, decisions equal their explanation.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec
import orjson
from msgspec import Struct

from dispatcher.core import CLOCK, CONTROL, REPORTS, UPDATES, PartitionState, Rulebook, decode_incident
from dispatcher.core.publish import COMPACTED_TOPICS
from dispatcher.core.records import recorded_decisions
from dispatcher.core.wire import encode, incident_json
from dispatcher.ledger import EmbeddedLedger, Kept, Ledger
from rules import Facts

__all__ = ["Finding", "audit"]

CHUNK_RECORDS = 1_000
SHOWN = 5  # differences shown of each kind; all are counted


class Finding(Struct, frozen=True):
    """One check: how many things it looked at, how many were wrong, and the first few of them."""

    check: str
    looked_at: int
    wrong: int
    examples: tuple[str, ...] = ()


def audit(ledger: EmbeddedLedger, again: Ledger, books: Mapping[str, Rulebook], partition: int = 0) -> list[Finding]:
    """Run every check of a ledger that nobody is writing to, against `again`, worked through anew from its inputs."""
    return [
        *_compare(ledger, again),
        *_account(ledger, partition),
        *_incidents(ledger, books),
        _restored(ledger, books, partition),
    ]


def _compare(ledger: Ledger, again: Ledger) -> Iterator[Finding]:
    inputs = {REPORTS, CONTROL, CLOCK}
    topics = sorted({*ledger.topics(), *again.topics()})
    for topic in topics:
        if topic in inputs or topic.startswith(UPDATES) or topic == "imports":
            continue
        if topic in COMPACTED_TOPICS:
            old = {kept.key: kept.value for kept in _all(ledger, topic) if kept.value is not None}
            new = {kept.key: kept.value for kept in _all(again, topic) if kept.value is not None}
            wrong = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
            yield _finding(f"{topic}: newest values recomputed", len({*old, *new}), wrong)
        else:
            was = [(kept.key, kept.time_ms, kept.value) for kept in _all(ledger, topic)]
            now = [(kept.key, kept.time_ms, kept.value) for kept in _all(again, topic)]
            wrong = [f"record {n} ({a[0]})" for n, (a, b) in enumerate(zip(was, now, strict=False)) if a != b]
            if len(was) != len(now):
                wrong.append(f"{len(was)} records in the ledger, {len(now)} recomputed")
            yield _finding(f"{topic}: records recomputed", max(len(was), len(now)), wrong)


def _account(ledger: EmbeddedLedger, partition: int) -> Iterator[Finding]:
    """Every report read is accepted, rejected or a repeat; every accepted one is named by exactly one event."""
    read: Counter[str] = Counter()
    after, until = -1, ledger.position(partition).offset
    while after < until and (records := ledger.read(partition, after, CHUNK_RECORDS)):
        for record in records:
            if record.seq <= until:
                read["updates" if record.topic.startswith(UPDATES) else record.topic] += 1
        after = records[-1].seq
    tally = Counter(orjson.loads(ledger.newest("state", "tally") or b"{}"))
    rejected: Counter[str] = Counter()
    for kept in _all(ledger, "rejected"):
        topic = kept.key.partition("/")[0]
        rejected["updates" if topic.startswith(UPDATES) else topic] += 1
    for kind in (REPORTS, UPDATES):
        accounted = tally[f"{kind}_accepted"] + tally[f"{kind}_repeated"] + rejected[kind]
        wrong = [] if accounted == read[kind] else [f"{read[kind]} read, {accounted} accounted for"]
        yield _finding(f"{kind}: read = accepted + rejected + repeated", read[kind], wrong)
    named: Counter[tuple[str, str]] = Counter()
    for kept in _all(ledger, "events"):
        for change in orjson.loads(kept.value or b"{}").get("changes", ()):
            if change["event"] in ("reported", "merged"):
                named[change["source"], change["report_id"]] += 1
    wrong = [f"{source}/{report_id} {count} times" for (source, report_id), count in named.items() if count != 1]
    if len(named) != tally["reports_accepted"]:
        wrong.append(f"{len(named)} reports in incidents, {tally['reports_accepted']} accepted")
    yield _finding("each accepted report is in one incident, once", len(named), wrong)


def _incidents(ledger: Ledger, books: Mapping[str, Rulebook]) -> Iterator[Finding]:
    """Orders equal decisions; decisions equal what their facts and policy give today; revisions have no holes."""
    by_incident: dict[str, list[bytes]] = {}
    for kept in _all(ledger, "events"):
        if kept.value is not None and kept.key != CONTROL:
            by_incident.setdefault(kept.key, []).append(kept.value)
    offers: dict[str, set[str]] = {}
    for kept in _all(ledger, "dept.*"):
        order = orjson.loads(kept.value or b"{}")
        if order.get("event") == "offer":
            offers.setdefault(kept.key, set()).add(f"{order['order_id'].split(':')[2]}:{order['role']}")
    holes, unequal, unordered, decisions = [], [], [], 0
    for incident_id, events in by_incident.items():
        parsed = [orjson.loads(event) for event in events]
        if [event["revision"] for event in parsed] != list(range(1, len(parsed) + 1)):
            holes.append(incident_id)
        changes = [change for event in parsed for change in event["changes"] if change["event"] == "decision"]
        recorded = recorded_decisions(events)
        for change in changes:
            decisions += 1
            facts = orjson.dumps(change["facts"])
            book = books[change["policy"]]
            decision = book.decider.decide(msgspec.json.decode(facts, type=Facts))
            if encode(decision) != recorded[change["seq"]]:
                unequal.append(f"{incident_id}/{change['seq']}")
        dispatched = any(
            change["event"] == "state" and change["to"] == "dispatched"
            for event in parsed
            for change in event["changes"]
        )
        if dispatched and not any(role.endswith(":lead") for role in offers.get(incident_id, ())):
            unordered.append(incident_id)
    yield _finding("revisions without holes", len(by_incident), holes)
    yield _finding("decisions equal their explanation", decisions, unequal)
    yield _finding("every dispatched incident has an order for its lead", len(by_incident), unordered)


def _restored(ledger: Ledger, books: Mapping[str, Rulebook], partition: int) -> Finding:
    """What is on `incidents` can be restored and says the same again."""
    state = PartitionState(partition, books)
    state.restore(*ledger.restore(partition))
    wrong = []
    for kept in _all(ledger, "incidents"):
        if kept.value is None:
            continue
        incident = state.incidents[kept.key]
        if incident_json(incident) != kept.value or decode_incident(kept.value).incident_id != kept.key:
            wrong.append(kept.key)
    return _finding("incidents: restored and written again, the same bytes", len(state.incidents), wrong)


def _all(ledger: Ledger, topic: str) -> Iterator[Kept]:
    after = -1
    while batch := ledger.follow(topic, after, CHUNK_RECORDS):
        yield from batch
        after = batch[-1].seq


def _finding(check: str, looked_at: int, wrong: list[str]) -> Finding:
    return Finding(check, looked_at, len(wrong), tuple(wrong[:SHOWN]))
