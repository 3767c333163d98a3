"""Planting bugs: a record to be poisoned, a stage that raises on it, and comparing what is left."""

import orjson
from sim_city import start
from sim_outputs import Outputs, no_clock, outputs

from dispatcher.core import REPORTS, UPDATES
from dispatcher.ledger import Entry, MemoryLedger

RECORDS = 220
POISON = "poisoned"


class Bug(Exception):
    """Ours."""


def with_message(entries, index, value, topic):
    """The history with the message at a place replaced."""
    return [Entry(topic, value, None, e.time_ms) if n == index else e for n, e in enumerate(entries)]


def poisoned_report(entries, index):
    value = {
        "report_id": POISON,
        "source": "hotline",
        "reported_at": "2026-03-01T00:00:00Z",
        "category": "03",
        "location": {"cell": "T1C0"},
        "text": f"{POISON}: smell of gas",
        "attributes": {"note": POISON},
    }
    return with_message(entries, index, orjson.dumps(value), REPORTS)


def poisoned_update(entries, index):
    """A note on the last incident that was reported before, so that it would be accepted."""
    report = next(
        orjson.loads(e.value) for e in reversed(entries[:index]) if e.topic == REPORTS and b'"hotline"' in e.value
    )
    update = {
        "update_id": POISON,
        "action": "note",
        "at": "2026-03-01T00:00:00Z",
        "report": {"source": report["source"], "report_id": report["report_id"]},
        "actor": {"role": "system"},
        "text": "on our way",
    }
    return with_message(entries, index, orjson.dumps(update), UPDATES)


def lived(entries, batch_records, *, restarts=False, observer=None) -> Outputs:
    ledger = MemoryLedger(no_clock)
    host = start(ledger, batch_records=batch_records, observer=observer)
    ledger.append(entries)
    while host.step():
        if restarts:
            host = start(ledger, batch_records=batch_records, observer=observer)
    assert ledger.position(0).offset == len(entries)
    return outputs(ledger)


def split(found: Outputs, key: str) -> tuple[dict, Outputs]:
    """The rejection with a key, and all the rest in its order."""
    ((_, _, _, value),) = [record for record in found.appended if record[:2] == ("rejected", key)]
    rest = [record for record in found.appended if record[:2] != ("rejected", key)]
    return orjson.loads(value), Outputs(rest, found.newest)


def but_for_rejections(found: Outputs) -> Outputs:
    """Offsets of later records on the same topic shift when a record is not sent at all; tallies miss it."""
    newest = {key: value for key, value in found.newest.items() if key != ("state", "tally")}
    return Outputs([record for record in found.appended if record[0] != "rejected"], newest)


def raises_on(original, is_poison, *, late):
    """A stage with a bug: it raises before or after it has done its work."""

    def stage(*arguments, **named):
        poisonous = is_poison(*arguments, **named)
        if poisonous and not late:
            raise Bug("planted")
        result = original(*arguments, **named)
        if poisonous:
            raise Bug("planted")
        return result

    return stage


def plant(monkeypatch, owner, name, is_poison, *, late=False):
    monkeypatch.setattr(owner, name, raises_on(getattr(owner, name), is_poison, late=late))


def but_for(incident_id: str, found: Outputs) -> Outputs:
    """What is not about an incident."""
    its_own = {("incidents", incident_id), ("state", f"brief/{incident_id}"), ("state", "tally")}
    return Outputs(
        [record for record in found.appended if record[1] != incident_id and not _tells_of(incident_id, record)],
        {key: value for key, value in found.newest.items() if key not in its_own},
    )


def _tells_of(incident_id: str, record: tuple) -> bool:
    """Notices go by whom they are for."""
    topic, _, _, value = record
    return topic == "notices" and orjson.loads(value)["incident_id"] == incident_id


def incident_of(found: Outputs, report_id: str) -> tuple[str, dict]:
    for (topic, key), value in found.newest.items():
        if topic == "incidents" and orjson.loads(value)["reports"][0][1] == report_id:
            return key, orjson.loads(value)
    raise AssertionError(report_id)
