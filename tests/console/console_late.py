"""A city with a past, for the pages of figures: the shipped reports of New York moved into the last three weeks.

They are replayed at their own times, most of them closed; then `dispatcher run` serves the ledger and people act.
"""

import csv
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import httpx
from gateway_process import ROLES, Gateway, gateway_at, update, wait_until

from dispatcher.gateway.sessions import csrf_of
from tests.acceptance.command_line import replay

__all__ = ["PEOPLE", "ZONE", "Figure", "Person", "acted", "city_of_late", "figures_of", "people_of", "text_of"]

ZONE = ZoneInfo("America/New_York")
CITY_FORMAT = "%m/%d/%Y %I:%M:%S %p"
DAYS = 20
PEOPLE: dict[str, dict[str, Any]] = ROLES | {
    "night lead": {"roles": ["shift_lead"], "areas": ["*"]},
    "day lead": {"roles": ["shift_lead"], "areas": ["*"]},
    "bronx lead": {"roles": ["shift_lead"], "areas": ["2"]},
    "bronx supervisor": {"roles": ["supervisor"], "areas": ["2"]},
    "checker": {"roles": ["checker"], "areas": ["*"]},
}


@contextmanager
def city_of_late(nyc: Path, directory: Path, rows: int = 400) -> Iterator[Gateway]:
    """A gateway over three weeks of reports, up to yesterday."""
    config = nyc / "config.yaml"
    _write_rows(nyc / "reports.csv", directory / "rows.csv", rows)
    replay(config, directory / "city.db", directory / "rows.csv", mapping=nyc / "mapping.yaml")
    with gateway_at(config, directory, roles=PEOPLE) as made, made.client() as client:
        wait_until(lambda: client.get("/health/ready").status_code == 200)  # what came due since is worked through
        yield made


def _write_rows(shipped: Path, path: Path, count: int) -> None:
    """Each row some days ago at its own time of day; what would close less than an hour ago is open."""
    now = datetime.now(UTC).astimezone(ZONE)
    with shipped.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:count]
    for number, row in enumerate(rows):
        made = _instant(row["Created Date"])
        moved = datetime.combine(now.date() - timedelta(days=1 + number % DAYS), made.time(), ZONE) - made
        for name in ("Created Date", "Closed Date", "Due Date"):
            if row[name]:
                row[name] = (_instant(row[name]) + moved).strftime(CITY_FORMAT)
        if row["Closed Date"] and _instant(row["Closed Date"]) > now - timedelta(hours=1):
            row["Closed Date"] = ""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def _instant(text: str) -> datetime:
    return datetime.strptime(text, CITY_FORMAT).replace(tzinfo=ZONE)


def acted(city: Gateway, name: str, incident_id: str, action: str, **fields: Any) -> None:
    """Somebody does something, and the engine takes it."""
    made = update(incident_id, f"{name}-{action}-{len(fields)}-{datetime.now(UTC).timestamp()}", action, **fields)
    with city.client(name) as client:
        said = client.post("/v1/updates?wait_s=10", json=made).json()
    assert said["updates"][0]["state"] == "taken", said


class Person:
    """Somebody signed in, over plain HTTP."""

    def __init__(self, city: Gateway, name: str, lang: str = "en") -> None:
        self._token = city.session(name)
        cookies = {"dispatch_session": self._token, "dispatch_language": lang}
        self.client: httpx.Client = city.client(cookies=cookies)

    def get(self, address: str, status: int = 200) -> httpx.Response:
        answer = self.client.get(address)
        assert answer.status_code == status, f"{address}: {answer.status_code} {text_of(answer.text)[:800]}"
        return answer

    def send(self, address: str, csrf: str | None = None, **fields: str) -> httpx.Response:
        """A form, with the word that only the session's own pages know."""
        return self.client.post(address, data={"csrf": csrf_of(self._token) if csrf is None else csrf, **fields})


@contextmanager
def people_of(city: Gateway) -> Iterator[Callable[..., Person]]:
    """Lets people in, and out at the end."""
    opened: list[Person] = []

    def opening(name: str, lang: str = "en") -> Person:
        opened.append(Person(city, name, lang))
        return opened[-1]

    yield opening
    for person in opened:
        person.client.close()


class Figure(NamedTuple):
    """A figure of a page: of which term and group, what it says, and where it leads."""

    term: str
    code: str | None
    adjusted: bool
    text: str
    href: str


class _Figures(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Figure] = []
        self._open: Figure | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a" and given.get("data-term"):
            self._open = Figure(
                given["data-term"] or "", given.get("data-code"), "data-adjusted" in given, "", given["href"] or ""
            )

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self.found.append(self._open._replace(text=data))
            self._open = None


def figures_of(html: str) -> list[Figure]:
    """All figures of a page that lead to cases."""
    reader = _Figures()
    reader.feed(html)
    return reader.found


def text_of(html: str) -> str:
    """What a page says."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", html))).strip()
