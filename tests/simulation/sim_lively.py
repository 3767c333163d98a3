"""The lively city of the core's histories on a ledger: its records, its host, and an audit of what came about."""

from collections import Counter

from core_audit import Audit
from core_city import tiny_book, tiny_placer
from core_histories import History
from core_history_city import AMENDED, LIVELY
from core_invariants import check_incident
from sim_outputs import Outputs, outputs

from dispatcher.core import Intake, Rulebook
from dispatcher.hosts.embedded import Embedded, enact_first_policy
from dispatcher.ledger import Entry, MemoryLedger

GRID = "grid-hash"


def books() -> dict[str, Rulebook]:
    found = tiny_book(*LIVELY), tiny_book(*AMENDED)
    return {book.policy.sha256: book for book in found}


def start(ledger, **options) -> Embedded:
    """What a process does when it starts on a ledger."""
    host = Embedded(ledger, Intake(tiny_placer()), books(), grid=GRID, **options)
    enact_first_policy(ledger, tiny_book(*LIVELY).policy)
    return host


def entries(seed: int, steps: int) -> list[Entry]:
    """What a random history sends, after the activation of its policy."""
    desk = History(seed).run(steps)
    return [Entry(record.topic, record.value, record.key, record.time_ms) for record in desk.inputs[1:]]


def audited(ledger: MemoryLedger) -> tuple[Outputs, Counter[str]]:
    """The log worked through record by record by one engine that nothing disturbs, every timer checked on the way.

    Gives what it puts out, in the order and form of a ledger's outputs, and how often which timer fired.
    """
    again = MemoryLedger(lambda: 0)
    host = start(again, batch_records=1)
    again.append([Entry(r.topic, r.value, r.key, r.time_ms) for r in ledger.read(0, -1, 1 << 30)[1:]])
    audit, read = Audit(host.engine.state), 0
    while host.step():
        state, now_ms = host.engine.state, host.engine.position.time_ms
        records = [(topic, kept.key, kept.time_ms, kept.value) for topic, kept in again._outputs[read:]]
        read = len(again._outputs)
        for incident_id in audit.read(records, state, now_ms):
            if (incident := state.incidents.get(incident_id)) is not None:
                check_incident(incident, state.book_of(incident).policy, now_ms)
    return outputs(again), audit.fired
