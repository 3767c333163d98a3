"""Instants as people write them in options."""

import time
from datetime import UTC, datetime

from dispatcher.commands.talk import fail
from dispatcher.core import datetime_to_ms
from dispatcher.views.periods import FIRST_YEAR, LAST_YEAR
from rules.problems import Language

__all__ = ["instant_ms"]

_WORDS: dict[Language, str] = {
    "en": "{option} takes an instant with its offset, as 2026-10-01T06:00:00+08:00, not {text}",
    "zh": "{option} 应为带时差的时刻，如 2026-10-01T06:00:00+08:00，而不是 {text}",
}


def instant_ms(text: str | None, lang: Language, option: str = "--as-of") -> int:
    """What an option says, by default now; what is no instant with its offset ends the command."""
    if text is None:
        return time.time_ns() // 1_000_000
    try:
        moment = datetime.fromisoformat(text)
        at_ms, year = datetime_to_ms(moment), moment.astimezone(UTC).year  # the former refuses what has no offset
    except (ValueError, OverflowError):
        year = 0
    if not FIRST_YEAR <= year <= LAST_YEAR:
        fail(_WORDS[lang].format(option=option, text=text), 2)
    return at_ms
