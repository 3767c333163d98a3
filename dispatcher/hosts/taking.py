"""Stage 1 on a batch of records, whatever becomes of a bug in it: such a record ends as `engine_error`."""

import logging
from collections.abc import Callable, Sequence

from dispatcher.core import EngineFault, Intake, Record, Taken
from dispatcher.core.intake import reject_unread
from dispatcher.core.work import Work

__all__ = ["take"]

log = logging.getLogger(__name__)


def take(intake: Intake, records: Sequence[Record], on_fault: Callable[[EngineFault], None]) -> Taken:
    """What stage 1 makes of records; `on_fault` is told of each on which our own code failed."""
    try:
        return intake.take(records)
    except Exception:
        log.exception("stage 1 failed on a batch of %d records; taking them one by one", len(records))
    work: list[Work] = []
    reporters: list[tuple[str, bytes]] = []
    unknown_fields = 0
    for record in records:
        try:
            taken = intake.take([record])
        except Exception as error:
            rejected = reject_unread(record, error)
            key = rejected.origin.key
            said = {"event": "engine_fault", "record": key}
            log.exception("stage 1 failed on %s; it ends as engine_error", key, extra=said)
            on_fault(EngineFault(key, error))
            work.append(rejected)
        else:
            work += taken.work
            reporters += taken.reporters
            unknown_fields += taken.unknown_fields
    return Taken(work, reporters, unknown_fields)
