"""What one shift hands to the next: lists of open incidents that need somebody, each in the order of the queue.

An incident may be on several lists; but what is overdue already is not due next as well.
"""

from dispatcher.core import AssignmentState, decode_incident
from dispatcher.views.projection import Projection

__all__ = ["HANDED_OVER", "handed_over"]

_RETURNED = f'"{AssignmentState.RETURNED}"'
_CONDITIONS = {
    "severe": "queue_rank IS NOT NULL AND severity <= 2",
    "overdue": "queue_rank IS NOT NULL AND queue_due_ms <= :now",
    "due_next": "queue_rank IS NOT NULL AND queue_due_ms > :now AND queue_due_ms <= :until",
    "requests": "i.incident_id IN (SELECT incident_id FROM request WHERE state = 'open')",
    "returns": f"queue_rank IS NOT NULL AND instr(record.value, '{_RETURNED}') > 0",  # the rest is looked at below
    "unlocated": "queue_rank IS NOT NULL AND path = '/'",
}
HANDED_OVER = tuple(_CONDITIONS)


def handed_over(view: Projection, name: str, now_ms: int, until_ms: int) -> list[str]:
    """The incidents on one of the lists `HANDED_OVER`.

    Args:
        view: the projection.
        name: `severe` (open, of severity 1 or 2), `overdue` (a running deadline has passed), `due_next` (the next one
            passes by `until_ms`), `requests` (one waits for an answer), `returns` (a department gave its part back,
            and nobody has decided), `unlocated` (in no cell).
        now_ms: now.
        until_ms: when the next shift ends.

    Raises:
        KeyError: there is no such list.
    """
    rows = view.db.execute(
        f"SELECT i.incident_id, record.value FROM incident AS i JOIN record USING (incident_id)"  # noqa: S608
        f" WHERE {_CONDITIONS[name]} ORDER BY queue_rank IS NULL, queue_rank, queue_severity, queue_due_ms, 1",
        {"now": now_ms, "until": until_ms},
    )
    return [incident_id for incident_id, value in rows if name != "returns" or _is_returned(value)]


def _is_returned(value: bytes) -> bool:
    record = decode_incident(value)
    parts = ([] if record.lead is None else [record.lead]) + record.support
    return any(part.state is AssignmentState.RETURNED for part in parts)
