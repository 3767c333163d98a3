"""Quiet hours: the stretch of each night in which residents are left alone."""

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dispatcher.core import datetime_to_ms

__all__ = ["QuietHours"]


class QuietHours(NamedTuple):
    """From one time of day until another, `HH:MM` in a zone: over midnight when the second is the earlier one.

    The same time twice means never.

    A time that a change of the clocks skips is the one it would have been without it; of one that comes twice, the
    first is meant (PEP 495, fold 0).
    """

    start: str
    end: str
    zone: ZoneInfo

    def until_ms(self, now_ms: int) -> int | None:
        """When the quiet hours that `now_ms` lies in end, in epoch ms; None outside them."""
        if self.start == self.end:
            return None
        today = datetime.fromtimestamp(now_ms / 1000, self.zone).date()
        for day in (today - timedelta(days=1), today):
            last = day if self.start < self.end else day + timedelta(days=1)
            end_ms = self._instant_ms(last, self.end)
            if self._instant_ms(day, self.start) <= now_ms < end_ms:
                return end_ms
        return None

    def _instant_ms(self, day: date, of_day: str) -> int:
        local = datetime.combine(day, time.fromisoformat(of_day), self.zone)
        return datetime_to_ms(local.astimezone(UTC))
