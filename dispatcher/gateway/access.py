"""The gate: who asks, by their key or session; whether any of their roles opens the route; how much they may ask for.

Default deny: a route is open to the roles it names and to nobody else. A browser sends its session's cookie whoever
wrote the page, so what changes something is taken from one only with what the session's own pages know (CSRF).
"""

import hmac
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from starlette.requests import Request

from dispatcher.gateway.keys import Keys
from dispatcher.gateway.problems import Problem
from dispatcher.gateway.roles import Person
from dispatcher.gateway.sessions import Sessions, csrf_of

__all__ = ["COOKIE", "Gate", "Needs"]

COOKIE: Final = "dispatch_session"
CSRF_HEADER: Final = "x-csrf-token"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

TRIES_MAX: Final = 20  # wrong keys from one address; then it waits
LOCKED_S: Final = 60.0
REMEMBERED_MAX: Final = 10_000  # addresses and keys


class _Bucket:
    """So many things a second on average, so many at once."""

    __slots__ = ("at_s", "left")

    def __init__(self, left: float, at_s: float) -> None:
        self.left, self.at_s = left, at_s


class _Limits:
    """A bucket for each name; those not heard of for longest are forgotten, which fills them."""

    def __init__(self, rate_per_s: float, burst: float, clock: Callable[[], float]) -> None:
        self._rate, self._burst, self._clock = rate_per_s, burst, clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, name: str, count: float) -> float:
        """Take so many; returns 0, or in how many seconds there will be enough. Nothing is taken then."""
        now_s = self._clock()
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = _Bucket(self._burst, now_s)
            if len(self._buckets) > REMEMBERED_MAX:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(name)
        bucket.left = min(self._burst, bucket.left + (now_s - bucket.at_s) * self._rate)
        bucket.at_s = now_s
        if bucket.left < count:
            return (count - bucket.left) / self._rate
        bucket.left -= count
        return 0.0


class Gate:
    """Lets people in by their keys.

    Args:
        keys: of the city.
        sessions: of browsers.
        rate_per_s: records or requests a second for each key, on average.
        burst: at once.
        clock: monotonic seconds.
        refused: told why somebody was turned away: none, wrong, locked, role, rate.
        strangers_per_s: requests a second without a key from each address, on average, where such are let in at all.
        strangers_burst: at once.
    """

    def __init__(
        self,
        keys: Keys,
        sessions: Sessions,
        rate_per_s: float,
        burst: int,
        clock: Callable[[], float] = time.monotonic,
        *,
        refused: Callable[[str], None] = lambda _: None,
        strangers_per_s: float = 20.0,
        strangers_burst: int = 200,
    ) -> None:
        self._keys, self._sessions, self.refused = keys, sessions, refused
        self._limits = _Limits(rate_per_s, burst, clock)
        self._strangers = _Limits(strangers_per_s, strangers_burst, clock)
        self._wrong = _Limits(TRIES_MAX / LOCKED_S, TRIES_MAX, clock)

    def person(self, request: Request) -> Person:
        """Who asks, by the key or the session the request shows.

        Raises:
            Problem: 401 nobody, 403 a change that no page of the session asks for, 429 too many wrong keys from there.
        """
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme:
            return self.of_key(request, key.strip() if scheme.lower() == "bearer" else "")
        person = self.signed_in(request)
        if person is None:
            self.refused("none")
            raise _nobody("show a key: `Authorization: Bearer dk.…`")
        if request.method not in SAFE and not self.is_own(request, request.headers.get(CSRF_HEADER, "")):
            raise Problem(403, "not_from_here", "this was not asked for by a page of this session; load the page again")
        return person

    def of_key(self, request: Request, key: str) -> Person:
        """Whose key it is. Raises Problem: 401 nobody's, 429 too many wrong ones from that address."""
        person = self.owner(request, key)
        if person is None:
            raise _nobody("the key is wrong or revoked")
        return person

    def signed_in(self, request: Request) -> Person | None:
        """Whose session the request's cookie is of."""
        token = request.cookies.get(COOKIE)
        key_id = None if token is None else self._sessions.key_id(token)
        return None if key_id is None else self._keys.of(key_id)

    def sign_in(self, person: Person) -> str:
        """Begin a session; returns what its cookie carries."""
        return self._sessions.begin(person.key_id)

    def sign_out(self, token: str) -> None:
        """End a session, and what is streamed to it."""
        self._sessions.end(token)

    @staticmethod
    def is_own(request: Request, csrf: str) -> bool:
        """Whether this word is known to the pages of the request's session only."""
        return hmac.compare_digest(csrf_of(request.cookies.get(COOKIE, "")).encode(), csrf.encode())

    def still(self, request: Request, person: Person) -> bool:
        """Whether who asked then would be let in as the same person now."""
        if "authorization" in request.headers:
            return self._keys.of(person.key_id) == person
        return self.signed_in(request) == person

    def owner(self, request: Request, key: str) -> Person | None:
        """Whose key this is; None for nobody's. Raises Problem: 429, too many wrong ones from there."""
        person = self._keys.person(key.strip())
        if person is not None:
            return person
        if wait_s := self._wrong.take(_address(request), 1):
            self.refused("locked")
            raise _later("too many wrong keys from this address", wait_s)
        self.refused("wrong")
        return None

    def spend_stranger(self, request: Request) -> None:
        """Count a request without a key. Raises Problem: 429, with the time to wait."""
        if wait_s := self._strangers.take(_address(request), 1):
            raise _later("too much at once from this address without a key", wait_s)

    def spend(self, person: Person, count: int) -> None:
        """Count what somebody asks for. Raises Problem: 429, with the time to wait."""
        if wait_s := self._limits.take(person.key_id, count):
            self.refused("rate")
            raise _later("too much at once for this key", wait_s)


class Needs:
    """A route's dependency: the person who asks, if one of these roles is theirs. Raises Problem: 401, 403, 429."""

    def __init__(self, gate: Gate, *roles: str) -> None:
        self._gate, self.roles = gate, frozenset(roles)

    async def __call__(self, request: Request) -> Person:
        """The person who asks."""
        person = self._gate.person(request)
        if not person.has(*self.roles):
            self._gate.refused("role")
            raise Problem(
                403,
                "forbidden",
                f"this is open to {', '.join(sorted(self.roles))}; the key has {', '.join(person.roles)}",
            )
        self._gate.spend(person, 1)
        return person


def _nobody(said: str) -> Problem:
    return Problem(401, "unauthorized", said, {"WWW-Authenticate": "Bearer"})


def _address(request: Request) -> str:
    return "-" if request.client is None else request.client.host


def _later(what: str, wait_s: float) -> Problem:
    seconds = max(1, round(wait_s + 0.5))
    return Problem(429, "too_many", f"{what}; try again in {seconds} s", {"Retry-After": str(seconds)})
