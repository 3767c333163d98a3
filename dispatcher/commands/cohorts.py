"""Which cases a command is about: periods, bases and instants as people write them."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dispatcher.commands.talk import fail
from dispatcher.core import NEVER_MS, datetime_to_ms
from dispatcher.views import Basis, Cohort, Projection
from rules import Policy

__all__ = ["Asked", "cohort_of", "midnights", "period"]

BASES: tuple[Basis, ...] = ("received", "filed", "due")
MIDNIGHTS_MAX = 400  # a year and a bit: each is a look at all that was open


class Asked:
    """The options that choose a cohort; at most one of the three periods."""

    def __init__(
        self,
        received: str | None = None,
        filed: str | None = None,
        due: str | None = None,
        basis: str | None = None,
        as_of: str | None = None,
    ) -> None:
        periods = {"received": received, "filed": filed, "due": due}
        given = [name for name, text in periods.items() if text is not None]
        if len(given) > 1:
            fail(f"--{' and --'.join(given)} are different cohorts; choose one", 2)
        if basis is not None and basis not in BASES:
            fail(f"--basis takes {', '.join(BASES)}, not {basis}", 2)
        if given and basis not in (None, given[0]):
            fail(f"--basis {basis} and --{given[0]} are different cohorts; choose one", 2)
        self.basis: Basis = next(name for name in BASES if name == (given[0] if given else basis or "filed"))
        self.period, self.as_of = periods[self.basis], as_of


def cohort_of(asked: Asked, view: Projection, policy: Policy, *, adjusted: bool = False) -> Cohort:
    """The cohort that options ask for, in the policy's time zone and with its idea of coming back."""
    try:
        from_ms, to_ms = period(asked.period, policy.timezone)
        as_of_ms = view.latest_ms if asked.as_of is None else _instant(asked.as_of)
    except ValueError as error:
        fail(str(error), 2)
    return Cohort(as_of_ms, asked.basis, from_ms, to_ms, adjusted, policy.measures.came_back_ms)


def midnights(cohort: Cohort, zone: ZoneInfo) -> list[int]:
    """The local midnights of a cohort's period that are not after its instant; without a period, the last one."""
    last = datetime.fromtimestamp(cohort.as_of_ms / 1000, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    found: list[int] = []
    for back in range(MIDNIGHTS_MAX if cohort.to_ms < NEVER_MS else 1):
        at_ms = datetime_to_ms((last.replace(tzinfo=None) - timedelta(days=back)).replace(tzinfo=zone))
        if at_ms < cohort.from_ms:
            break
        if at_ms <= cohort.to_ms:
            found.append(at_ms)
    return found[::-1]


def _instant(text: str) -> int:
    try:
        return datetime_to_ms(datetime.fromisoformat(text))
    except ValueError:
        raise ValueError(f"--as-of takes an instant with its offset, as 2018-10-01T00:00:00Z, not {text}") from None


def period(text: str | None, zone: ZoneInfo) -> tuple[int, int]:
    """A year, month or day, or two of them with `..` between, in the policy's zone: [from, to) in epoch ms.

    Raises:
        ValueError: it is nothing of the kind, or runs backwards.
    """
    if text is None:
        return 0, NEVER_MS
    first, _, last = text.partition("..")
    start, end = _span(first)[0], _span(last or first)[1]
    if end <= start:
        raise ValueError(f"{text} runs backwards; the earlier day comes first")
    return tuple(datetime_to_ms(day.replace(tzinfo=zone)) for day in (start, end))  # type: ignore[return-value]


def _span(text: str) -> tuple[datetime, datetime]:
    found = re.fullmatch(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?", text)
    if found is None:
        raise ValueError(f"{text} is no period: 2018, 2018-10, 2018-10-05, or two of them with .. between")
    year, month, day = (None if part is None else int(part) for part in found.groups())
    start = datetime(year or 1, month or 1, day or 1)  # noqa: DTZ001 - the caller puts the zone to it
    if month is None:
        return start, start.replace(year=start.year + 1)
    if day is None:
        return start, (start + timedelta(days=32)).replace(day=1)
    return start, start + timedelta(days=1)
