"""Which figures a page shows, as its address says: basis, period, grouping, instant; and the addresses behind figures.

An address behind a figure says the instant too, so it lists the same cases whenever it is opened.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, NamedTuple
from urllib.parse import urlencode

import msgspec
from fastapi import Query

from dispatcher.core import datetime_to_ms, ms_to_text
from dispatcher.views import NAMED, Basis, Cohort, GroupBy, named_period, period
from rules import Policy

__all__ = ["BETWEEN", "GROUPED", "Chosen", "Figures", "Said", "chosen", "said"]

BETWEEN: Final = "between"  # two days of one's own
GROUPED: Final[tuple[GroupBy, ...]] = ("department", "area", "major", "source")
_Word = Annotated[str, Query(max_length=40)]


class Said(msgspec.Struct, frozen=True):
    """What stands in the address, of known words where there are such; the rest is judged by `chosen`."""

    basis: Basis
    during: str
    since: str
    until: str
    as_of: str
    by: GroupBy
    adjusted: bool


def said(
    basis: Basis = "filed",
    during: _Word = "month",
    since: Annotated[str, Query(alias="from", max_length=10)] = "",
    until: Annotated[str, Query(alias="to", max_length=10)] = "",
    as_of: _Word = "",
    by: Literal["department", "party", "area", "category", "major", "source"] = "department",
    adjusted: bool = False,
) -> Said:
    """From the address of a request."""
    return Said(basis, during, since, until, as_of, by, adjusted)


class Figures(NamedTuple):
    """A cohort in the words of an address."""

    basis: Basis
    during: str
    as_of: str
    adjusted: bool = False

    def cases(self, term: str, by: str | None = None, code: str | None = None) -> str:
        """Where the cases behind a term are listed: of all, or of one group."""
        words: dict[str, str] = {"term": term, "basis": self.basis, "during": self.during, "as_of": self.as_of}
        if self.adjusted:
            words["adjusted"] = "1"
        if by is not None:
            words |= {"by": by, "code": code or ""}
        return f"/console/cases?{urlencode(words)}"


class Chosen(NamedTuple):
    """What is shown: the `period` spelled out (empty: all time), its bounds, and as of when, None being now."""

    said: Said
    period: str
    from_ms: int
    to_ms: int
    as_of_ms: int | None

    def cohort(self, latest_ms: int, came_back_ms: int, *, adjusted: bool = False) -> Cohort:
        """The cohort, as known by the latest record unless an instant was given."""
        as_of_ms = latest_ms if self.as_of_ms is None else self.as_of_ms
        return Cohort(as_of_ms, self.said.basis, self.from_ms, self.to_ms, adjusted, came_back_ms)

    def figures(self, cohort: Cohort) -> Figures:
        """The words that lead back to the cohort."""
        return Figures(cohort.basis, self.period, ms_to_text(cohort.as_of_ms), cohort.adjusted)

    def address(self, page: str, **changes: Any) -> str:  # noqa: ANN401 - whatever words have values of
        """The same choice on another page, or another choice."""
        own: Mapping[str, Any] = {
            "basis": self.said.basis,
            "during": self.said.during,
            "from": self.said.since,
            "to": self.said.until,
            "as_of": self.said.as_of,
            "by": self.said.by,
            "adjusted": int(self.said.adjusted) or None,
        }
        return f"{page}?{urlencode({name: value for name, value in {**own, **changes}.items() if value})}"


def chosen(said: Said, policy: Policy) -> Chosen:
    """What an address means today, in the policy's time zone.

    Raises:
        ValueError, OverflowError: there is no such period or instant.
    """
    during = said.during
    if during in NAMED:
        today = datetime.now(UTC).astimezone(policy.timezone).date()
        text = named_period(during, today)
    elif during == BETWEEN:
        first, last = said.since or said.until, said.until or said.since
        text = first if first == last else f"{first}..{last}"
    else:
        text = "" if during == "all" else during
    from_ms, to_ms = period(text or None, policy.timezone)
    return Chosen(said, text, from_ms, to_ms, _instant(said.as_of, policy))


def _instant(text: str, policy: Policy) -> int | None:
    """An instant with its offset, or one on the city's clocks as a browser sends it."""
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    return datetime_to_ms(moment if moment.tzinfo is not None else moment.replace(tzinfo=policy.timezone))
