"""Who visits a page: by the session's cookie, in their language; and the drawing of pages for them."""

import time
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dispatcher.console.names import Names
from dispatcher.console.texts import LANGUAGES, Lang, Texts
from dispatcher.gateway.access import COOKIE, Gate
from dispatcher.gateway.city import City
from dispatcher.gateway.measuring import MEASURING
from dispatcher.gateway.policy import READING_POLICY
from dispatcher.gateway.reading import LOOKING, QUEUING
from dispatcher.gateway.roles import Person
from dispatcher.gateway.sessions import csrf_of
from geo import Grid

__all__ = ["CSP", "PAGES", "Front", "SignIn", "Visitor"]

LANGUAGE_COOKIE: Final = "dispatch_language"
CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PAGES: Final[Mapping[str, tuple[str, ...]]] = {  # page: roles it is open to, in the order of the menu
    "queue": QUEUING,
    "department": ("department",),
    "officer": ("officer", "street"),
    "map": LOOKING,
    "mode": QUEUING,
    "policy": READING_POLICY,
    "incident": LOOKING,
    "measures": MEASURING,
    "shift": ("shift_lead", "supervisor", "dispatcher"),
    "brief": MEASURING,
}


class SignIn(Exception):
    """Nobody is signed in: the page is reached by way of signing in."""


class Visitor(NamedTuple):
    """Somebody at a page. `names` say what things are called under the policy in force."""

    person: Person
    csrf: str
    texts: Texts
    names: Names
    banner: "Banner | None" = None


class Banner(NamedTuple):
    """The mode to be told of on every page: the gravest that holds, and how many hold besides."""

    mode: str
    where: str
    until: str
    more: int


class Front:
    """What all pages share: who is let in, and how a page is drawn."""

    def __init__(self, city: City, gate: Gate, grid: Grid) -> None:
        self.city, self.gate, self.grid = city, gate, grid
        self._templates = Environment(
            loader=PackageLoader("dispatcher.console"),
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    async def visitor(self, request: Request) -> Visitor:
        """Who is at a page.

        Raises:
            SignIn: nobody is signed in.
            Problem: 429, too much at once.
        """
        person = self.gate.signed_in(request)
        if person is None:
            raise SignIn
        self.gate.spend(person, 1)
        texts = Texts(language(request))
        names = Names(await self.city.policy(), self.grid, texts)
        return Visitor(person, csrf_of(request.cookies[COOKIE]), texts, names, await self.banner(names))

    async def banner(self, names: Names) -> Banner | None:
        """Of the modes that hold, if one does; it costs a look at what was looked up for everybody."""
        now_ms, modes = time.time_ns() // 1_000_000, names.policy.modes
        held = [span for span in await self.city.modes() if span.until_ms > now_ms and span.mode in modes]
        if not held:
            return None
        gravest = max(held, key=lambda span: modes.index(span.mode))
        return Banner(gravest.mode, names.cells(gravest.cells), names.at(gravest.until_ms), len(held) - 1)

    def page(self, template: str, request: Request, visitor: Visitor, status: int = 200, **shown: Any) -> Response:  # noqa: ANN401
        """A whole page."""
        pages = [page for page, roles in PAGES.items() if page != "incident" and visitor.person.has(*roles)]
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return self.drawn(template, visitor.texts, status, visitor=visitor, pages=pages, here=here, **shown)

    def problem(self, request: Request, visitor: Visitor, why: str = "not_yours", status: int = 403) -> Response:
        """The page that says no, in the words of the catalogue that `why` names."""
        return self.page("problem.html", request, visitor, status, said=visitor.texts(why))

    def drawn(self, template: str, texts: Texts, status: int = 200, **shown: Any) -> Response:  # noqa: ANN401
        """A page, or a part of one."""
        drawn = self._templates.get_template(template).render(t=texts, **shown)
        return HTMLResponse(drawn, status, {"Content-Security-Policy": CSP, "Cache-Control": "no-store"})


def language(request: Request) -> Lang:
    """As chosen, else as the browser asks for it, else Chinese."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        return chosen
    asked = request.headers.get("accept-language", "").lower()
    return "en" if asked.startswith("en") else "zh"


def to_sign_in(request: Request) -> Response:
    """On the way to a page, by signing in; a part of a page is not gone to, it only says so."""
    if request.headers.get("x-part"):
        return Response(status_code=401)
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/console/sign-in?next={quote(here, safe='')}", 303)
