"""What random histories put out is what the structs say, field by field."""

from collections import Counter

import msgspec
import pytest
from core_histories import History

from dispatcher.core.published import Event, Notice, Order, QueueEvent, Rejection

KINDS = {"routed": QueueEvent, "events": Event, "rejected": Rejection, "notices": Notice}


@pytest.mark.parametrize("seed", range(3))
def test_every_record_is_what_its_struct_says(seed: int):
    history = History(seed)
    for _ in range(300):
        history.step()
    seen: Counter[str] = Counter()
    for topic, key, _, value in history.desk.records:
        kind = Order if topic.startswith("dept.") else KINDS.get(topic)
        if kind is None or key in ("control", "mode"):
            continue
        try:
            msgspec.json.decode(value, type=kind)
        except msgspec.MsgspecError as error:
            if topic in ("events", "notices") and b'"incident_id"' not in value:
                continue  # of a command, not of an incident
            pytest.fail(f"{topic}: {error}: {value.decode()}")
        seen[kind.__name__] += 1
    assert seen.keys() == {"QueueEvent", "Event", "Order", "Notice", "Rejection"}
