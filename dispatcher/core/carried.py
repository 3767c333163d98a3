"""Work as it is carried from stage 1 to stage 2 on the topic `work`: JSON of the structs in `work`.

Its place and time in the log are where and when it lies there, whatever stage 1 has written of them.
"""

import msgspec
from msgspec.structs import force_setattr

from dispatcher.core.wire import encode
from dispatcher.core.work import Work

__all__ = ["carried", "taken_up"]

_decode = msgspec.json.Decoder(Work).decode


def carried(work: Work) -> bytes:
    """The record on `work`: a function of the record stage 1 has read, the same when that is read again."""
    return encode(work)


def taken_up(value: bytes, offset: int, time_ms: int) -> Work:
    """The work of a record at an offset of `work`, appended there at `time_ms`.

    Raises:
        msgspec.DecodeError: something else than stage 1 has written to the topic.
    """
    work: Work = _decode(value)
    force_setattr(work, "seq", offset)
    force_setattr(work, "time_ms", time_ms)
    return work
