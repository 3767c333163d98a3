"""Budgets: how much time a policy allows, as written (`30wm`, `2h`, `5wd`) and on which clock it runs.

Units (lifecycle.md, "Clocks"): `m h d` always run (1d = 24 h); `wm wh` run inside a calendar's hours; `wd` is that
many times the calendar's `hours_per_working_day`; `wd_end` is the close of the Nth following workday.
"""

import re
from functools import lru_cache

import msgspec

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
ALWAYS = "always"
"""The name of the calendar that never closes."""

MAX_NOMINAL_MS = 36_525 * DAY_MS
"""A hundred years: beyond that it is a typing error, and calendars end."""

_TEXT = re.compile(r"(\d{1,7}(?:\.\d{1,3})?)(m|h|d|wm|wh|wd|wd_end)", re.ASCII)

# One of each unit in wall time. A working hour counts as three (8 of 24), so 9wh is longer than 1wd.
_NOMINAL_MS = {
    "m": MINUTE_MS,
    "h": HOUR_MS,
    "d": DAY_MS,
    "wm": 3 * MINUTE_MS,
    "wh": 3 * HOUR_MS,
    "wd": DAY_MS,
    "wd_end": DAY_MS,
}


class Budget(msgspec.Struct, frozen=True, gc=False):
    """`text` as written; `calendar` names the calendar its working units run in, None for `m h d`."""

    text: str
    amount: float
    unit: str
    calendar: str | None = None

    @property
    def is_working(self) -> bool:
        """Whether it needs a calendar."""
        return self.unit[0] == "w"

    @property
    def clock(self) -> str:
        """The name of the clock it runs on."""
        return (self.calendar or ALWAYS) if self.is_working else ALWAYS

    @property
    def nominal_ms(self) -> int:
        """About how long in wall time; only to say which of two budgets is stricter without a starting instant."""
        return round(self.amount * _NOMINAL_MS[self.unit])


@lru_cache(maxsize=4096)  # to read the same few dozen again takes a quarter of putting a decision together
def parse_budget(text: str, calendar: str | None = None) -> Budget:
    """Return a budget; `calendar` is kept only for working units. Raises ValueError."""
    found = _TEXT.fullmatch(text)
    if found is None:
        raise ValueError(text)
    unit = found[2]
    budget = Budget(text, float(found[1]), unit, calendar if unit[0] == "w" else None)
    if not 0 < budget.nominal_ms <= MAX_NOMINAL_MS or (unit == "wd_end" and not budget.amount.is_integer()):
        raise ValueError(text)
    return budget
