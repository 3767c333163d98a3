"""Homes: which partition of `work` a record belongs to. A function of the record, the grid and two numbers alone.

A report lives where its place lies: its cell at the partition level, hashed. One without a place lives where its id
hashes to. An incident's id names its partition, so whatever is said of it finds it, whoever says it; a command is
everybody's. Together with the grid these two numbers are the **intake epoch**: a ledger has one for good.
"""

from typing import NamedTuple
from zlib import crc32

from dispatcher.core.joining import partition_of
from dispatcher.core.messages import Reason
from dispatcher.core.privacy import mask_original
from dispatcher.core.wire import encode
from dispatcher.core.work import CommandWork, Rejected, ReportWork, UpdateWork, Work

__all__ = ["EVERY", "Homes"]

EVERY = -1  # the home of a command: each partition


class Homes(NamedTuple):
    """The partitioner.

    `partitions` is fixed when `work` is created; `level` is the depth of the cells (1 = the widest) that are kept
    together: reports of one event in neighbouring cells merge by themselves only within one such cell.
    """

    partitions: int
    level: int

    def of(self, work: Work) -> int:
        """The partition of a record of stage 1, or `EVERY`."""
        if type(work) is ReportWork:
            path, report = work.place.path, work.report
            if path:
                return self._hashed(path[min(self.level, len(path)) - 1])
            return self._hashed(f"{report.source}/{report.report_id}")
        if type(work) is UpdateWork:
            incident_id = work.update.incident_id or ""
            home = partition_of(incident_id)
            return home if home is not None and home < self.partitions else self._hashed(incident_id)
        if type(work) is CommandWork:
            return EVERY
        if type(work) is Rejected:
            return self._hashed(work.origin.key)
        raise TypeError(f"{type(work).__name__} has no home: whoever owns a partition writes its clock records")

    def addressed(self, work: Work) -> Work:
        """The work itself, or its rejection when nobody can tell where it belongs.

        Where a report went is known where it went: with more than one partition, an update must name its incident.
        """
        if type(work) is UpdateWork and work.update.incident_id is None and self.partitions > 1:
            said = "name the incident by incident_id: with several partitions, a report alone does not tell where it is"
            original = mask_original(encode(work.update))
            return Rejected(work.seq, work.time_ms, work.origin, Reason.MISSING_FIELD, said, original)
        return work

    def _hashed(self, text: str) -> int:
        return crc32(text.encode()) % self.partitions  # the same in every process and version, unlike `hash`
