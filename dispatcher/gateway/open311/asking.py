"""Who asks, in which language, and for what span: what the routes have in common."""

from collections.abc import Iterable
from typing import Annotated, Final, NamedTuple

from fastapi import Query
from starlette.requests import Request

from dispatcher.config import Open311
from dispatcher.core import DAY_MS, NEVER_MS, text_to_ms
from dispatcher.gateway.access import Gate
from dispatcher.gateway.open311.finding import Caller
from dispatcher.gateway.problems import Problem
from dispatcher.gateway.roles import CITY, Person
from dispatcher.views.service_requests import PAGED_MAX
from dispatcher.views.titles import Lang

__all__ = ["Anybody", "Listing", "language_of", "listing", "reporter_of", "require_jurisdiction", "words_of"]

SPAN_MS: Final = 90 * DAY_MS
PAGE_MAX: Final = 1_000
_Word = Annotated[str | None, Query(max_length=200)]
_Time = Annotated[str | None, Query(max_length=40, description="With an offset: 2010-01-01T00:00:00Z.")]
_Number = Annotated[str | None, Query(pattern=r"^[0-9]{0,6}$")]


class Anybody:
    """A route's dependency: whoever asks. A key need not be shown; one that is must be somebody's.

    Raises Problem: 403 the key is nobody's, 404 another jurisdiction is meant, 429.
    """

    def __init__(self, gate: Gate, settings: Open311) -> None:
        self._gate, self._settings = gate, settings

    async def __call__(
        self,
        request: Request,
        api_key: Annotated[str | None, Query(max_length=200, description="Shows what is one's own, too.")] = None,
        jurisdiction_id: _Word = None,
        token: Annotated[str | None, Query(max_length=200, description="Of the request asked for.")] = None,
    ) -> Caller:
        """The caller."""
        require_jurisdiction(self._settings, jurisdiction_id)
        person = _person(self._gate, request, api_key)
        if person is None:
            self._gate.spend_stranger(request)
        else:
            self._gate.spend(person, 1)
        return Caller(person, token or None)


class Listing(NamedTuple):
    """Which page of a list, and of which span of time: in epoch milliseconds, None where it is open."""

    from_ms: int | None
    to_ms: int | None
    offset: int
    limit: int

    def span(self, now_ms: int, last_ms: int = SPAN_MS) -> tuple[int, int]:
        """From when to when: 90 days where one end is open, the last `last_ms` where both are."""
        if self.from_ms is None and self.to_ms is None:
            return now_ms - last_ms, NEVER_MS
        from_ms = self.from_ms if self.from_ms is not None else (self.to_ms or 0) - SPAN_MS
        return from_ms, self.to_ms if self.to_ms is not None else from_ms + SPAN_MS


def listing(
    start_date: _Time = None, end_date: _Time = None, page: _Number = None, page_size: _Number = None
) -> Listing:
    """From the address of a request. Raises Problem: 400, it goes beyond the limits."""
    from_ms, to_ms = _instant("start_date", start_date), _instant("end_date", end_date)
    if from_ms is not None and to_ms is not None and not 0 <= to_ms - from_ms <= SPAN_MS:
        raise Problem(400, "invalid", "start_date comes before end_date, and not more than 90 days")
    number, size = int(page or 1), int(page_size or PAGE_MAX)
    if not 1 <= size <= PAGE_MAX or number < 1:
        raise Problem(400, "invalid", f"page begins at 1, page_size is 1 to {PAGE_MAX:,}")
    offset = (number - 1) * size
    if offset > PAGED_MAX:
        raise Problem(400, "invalid", f"more than {PAGED_MAX:,} lie before that page; give start_date and end_date")
    return Listing(from_ms, to_ms, offset, size)


def require_jurisdiction(settings: Open311, given: str | None) -> None:
    """There is one here, so it need not be named. Raises Problem: 404, another one is."""
    here = settings.jurisdiction_id
    if given and here is not None and given != here:
        raise Problem(404, "not_found", f"jurisdiction_id {given[:64]} was not found; here it is {here}")


def reporter_of(gate: Gate, request: Request, api_key: str | None) -> tuple[Person, str]:
    """Whose key it is, of exactly one source, and the key itself.

    Raises:
        Problem: 403 not with this one or without one, 429.
    """
    person = _person(gate, request, api_key)
    if person is None:
        gate.spend_stranger(request)
        raise Problem(403, "forbidden", "the api_key was not provided")
    gate.spend(person, 1)
    if not person.has("reporter"):
        raise Problem(403, "forbidden", "the api_key is not a reporter's")
    if len(person.sources) != 1 or CITY in person.sources:
        raise Problem(403, "forbidden", "the api_key must report as exactly one source; another key is needed here")
    return person, api_key or request.headers["authorization"].partition(" ")[2].strip()


def _person(gate: Gate, request: Request, api_key: str | None) -> Person | None:
    if api_key:
        person = gate.owner(request, api_key)
        if person is None:
            raise Problem(403, "forbidden", "the api_key is wrong or revoked")
        return person
    return gate.person(request) if "authorization" in request.headers else None


def language_of(request: Request, settings: Open311) -> Lang:
    """The first of the languages asked for that there is; else the city's own."""
    for asked in request.headers.get("accept-language", "").split(","):
        code = asked.partition(";")[0].strip().lower()
        if code[:2] in ("zh", "en"):
            return "zh" if code[:2] == "zh" else "en"
    return settings.language


def words_of(given: Iterable[str] | None) -> tuple[str, ...]:
    """The words of a field that may stand several times and hold several, with commas between."""
    return tuple(dict.fromkeys(word for text in given or () for each in text.split(",") if (word := each.strip())))


def _instant(name: str, text: str | None) -> int | None:
    if not text:
        return None
    try:
        return text_to_ms(text.replace(" ", "+"))  # a plus that was not written %2B
    except (ValueError, OverflowError) as error:
        raise Problem(400, "invalid", f"{name} is a time with an offset, such as 2010-01-01T00:00:00Z") from error
