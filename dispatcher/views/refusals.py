"""What was refused, found again by where it lay or by what it said: whoever sent something asks what became of it."""

import json
from collections.abc import Callable, Iterator, Mapping

from dispatcher.core import REPORTS
from dispatcher.views.lists import RejectedRow
from dispatcher.views.projection import Projection

__all__ = ["refusal", "refused", "refused_reports"]

REFUSALS_MAX = 10_000
_decode_at = json.JSONDecoder().raw_decode


def refusal(view: Projection, topic: str, partition: int, offset: int) -> RejectedRow | None:
    """Why the record at a place of an input topic was refused; None when it was not, or not yet."""
    row = view.db.execute(
        f"SELECT {', '.join(RejectedRow._fields)} FROM rejected WHERE topic = ? AND partition = ? AND offset = ?",  # noqa: S608 - our own words
        (topic, partition, offset),
    ).fetchone()
    return None if row is None else RejectedRow._make(row)


def refused(view: Projection, topic: str, said: Mapping[str, str]) -> RejectedRow | None:
    """The last refusal, on an input topic, of a message that says all this; None without one among the latest.

    Only the last `REFUSALS_MAX` of all topics are looked through: whoever asks has sent something a moment ago.
    """
    words = [value for value in said.values() if value.isprintable() and not {'"', "\\"} & set(value)]  # as in JSON
    rows = view.db.execute(
        f"SELECT {', '.join(RejectedRow._fields)} FROM rejected WHERE time_ms >="  # noqa: S608 - our own words
        " (SELECT min(time_ms) FROM (SELECT time_ms FROM rejected ORDER BY time_ms DESC LIMIT ?))"
        f" AND topic = ?{' AND instr(original, ?) > 0' * len(words)}"
        " ORDER BY time_ms DESC, partition DESC, offset DESC",
        (REFUSALS_MAX, topic, *words),
    )
    for row in map(RejectedRow._make, rows):
        fields = _fields(row.original)
        if all(fields.get(name) == value for name, value in said.items()):
            return row
    return None


def refused_reports(
    view: Projection, since_ms: int, is_wanted: Callable[[str], bool]
) -> Iterator[tuple[str, RejectedRow]]:
    """Reports refused since an instant, the newest first, with the source each names, of the sources that are wanted.

    What names none is nobody's to put right. At most `REFUSALS_MAX` of them are looked through.
    """
    rows = view.db.execute(
        f"SELECT {', '.join(RejectedRow._fields)} FROM rejected WHERE topic = ? AND time_ms >= ?"  # noqa: S608 - our own words
        " ORDER BY time_ms DESC, partition DESC, offset DESC LIMIT ?",
        (REPORTS, since_ms, REFUSALS_MAX),
    )
    for row in map(RejectedRow._make, rows):
        source = _fields(row.original).get("source")
        if isinstance(source, str) and is_wanted(source):
            yield source, row


def _fields(original: str) -> dict[str, object]:
    """The fields of an object as the engine writes it, without spaces; of one cut off, those before the cut."""
    found: dict[str, object] = {}
    at = 1
    try:
        while original[:1] == "{" and original[at : at + 1] == '"':
            name, at = _decode_at(original, at)
            found[name], at = _decode_at(original, at + 1)
            at += 1
    except (ValueError, RecursionError):  # cut off; or no JSON at all, which is kept as it came
        pass
    return found
