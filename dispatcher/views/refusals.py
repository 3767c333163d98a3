"""What was refused, found again by what it said: whoever sent something a moment ago asks what became of it."""

import json
from collections.abc import Iterator, Mapping, Sequence

from dispatcher.views.lists import RejectedRow
from dispatcher.views.projection import Projection

__all__ = ["refusals", "refused"]

REFUSALS_MAX = 10_000
_decode_at = json.JSONDecoder().raw_decode


def refused(view: Projection, topic: str, said: Mapping[str, str]) -> RejectedRow | None:
    """The last refusal, on an input topic, of a message that says all this; None without one among the latest."""
    words = [value for value in said.values() if value.isprintable() and not {'"', "\\"} & set(value)]  # as in JSON
    for fields, row in refusals(view, topic, words=words):
        if all(fields.get(name) == value for name, value in said.items()):
            return row
    return None


def refusals(
    view: Projection, topic: str, from_offset: int = 0, words: Sequence[str] = ()
) -> Iterator[tuple[dict[str, object], RejectedRow]]:
    """Refusals of what an input topic of one partition holds from an offset on, the newest first, with what was said.

    Only the last `REFUSALS_MAX` of all topics are looked through: whoever asks has sent something a moment ago. Of
    those with `words` anywhere in them, where these are given.
    """
    rows = view.db.execute(
        f"SELECT {', '.join(RejectedRow._fields)} FROM rejected WHERE seq >="  # noqa: S608 - our own words
        " (SELECT min(seq) FROM (SELECT seq FROM rejected ORDER BY seq DESC LIMIT ?))"
        f" AND topic = ? AND offset >= ?{' AND instr(original, ?) > 0' * len(words)} ORDER BY seq DESC",
        (REFUSALS_MAX, topic, from_offset, *words),
    )
    for row in map(RejectedRow._make, rows):
        yield _fields(row.original), row


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
