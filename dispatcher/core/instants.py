"""Instants: epoch milliseconds inside, RFC 3339 text at the edge.

Inside the engine an instant is one `int` (milliseconds since 1970-01-01T00:00:00Z). Outputs carry UTC with `Z` and
exactly three decimals, so that text order is time order and equal instants are equal bytes.
"""

from datetime import UTC, datetime, timedelta

__all__ = ["DAY_MS", "HOUR_MS", "MINUTE_MS", "SECOND_MS", "datetime_to_ms", "ms_to_text", "text_to_ms"]

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_MS = timedelta(milliseconds=1)

_day_text: dict[int, str] = {}  # day number -> "2026-11-22T"; strftime for each instant would cost ten times as much
_DAY_TEXT_LIMIT = 4096  # eleven years of days; emptied when full
_MINUTES = tuple(f"{minute // 60:02d}:{minute % 60:02d}:" for minute in range(1440))  # found, not formatted
_SECONDS = tuple(f"{second:02d}." for second in range(60))
_MILLISECONDS = tuple(f"{ms:03d}Z" for ms in range(1000))
_texts: dict[int, str] = {}  # one change writes its instants half a dozen times; the last ones are remembered
_TEXTS_LIMIT = 8192
_instants: dict[str, int] = {}  # and an incident read back says each of its few instants several times


def ms_to_text(instant_ms: int) -> str:
    """An instant as `2026-11-22T02:04:05.000Z`."""
    text = _texts.get(instant_ms)
    if text is None:
        if len(_texts) >= _TEXTS_LIMIT:
            _texts.clear()
        text = _texts[instant_ms] = _format(instant_ms)
    return text


def _format(instant_ms: int) -> str:
    day, in_day_ms = divmod(instant_ms, DAY_MS)
    prefix = _day_text.get(day)
    if prefix is None:
        if len(_day_text) >= _DAY_TEXT_LIMIT:
            _day_text.clear()
        prefix = _day_text[day] = (_EPOCH + timedelta(days=day)).strftime("%Y-%m-%dT").rjust(11, "0")
    minute, in_minute_ms = divmod(in_day_ms, MINUTE_MS)
    second, ms = divmod(in_minute_ms, SECOND_MS)
    return f"{prefix}{_MINUTES[minute]}{_SECONDS[second]}{_MILLISECONDS[ms]}"


def datetime_to_ms(moment: datetime) -> int:
    """An aware datetime, cut (not rounded) to the millisecond.

    Raises:
        ValueError: the datetime has no offset.
    """
    if moment.tzinfo is None:
        raise ValueError("a time without an offset")
    return (moment - _EPOCH) // _ONE_MS


def text_to_ms(text: str) -> int:
    """RFC 3339 text with an offset.

    Raises:
        ValueError: not such a text, or without an offset.
    """
    instant_ms = _instants.get(text)
    if instant_ms is None:
        if len(_instants) >= _TEXTS_LIMIT:
            _instants.clear()
        instant_ms = _instants[text] = datetime_to_ms(datetime.fromisoformat(text))
    return instant_ms
