"""Signing in with a key, signing out, and the language of the pages."""

from typing import Annotated, Final
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dispatcher.console.texts import LANGUAGES, Texts
from dispatcher.console.visiting import LANGUAGE_COOKIE, Front, language
from dispatcher.gateway.access import COOKIE
from dispatcher.gateway.bodies import read_body
from dispatcher.gateway.problems import Problem
from dispatcher.gateway.sessions import SESSION_S

__all__ = ["sent_form", "signing"]

FIELDS_MAX: Final = 20
YEAR_S: Final = 365 * 86_400
FORM_BYTES_MAX: Final = 65_536  # 4,000 characters of notes are 36,000 as a form writes them
_Next = Annotated[str, Query(max_length=2_000)]


def signing(front: Front) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/console")

    @router.get("/sign-in")
    async def sign_in_page(request: Request, next: _Next = "/console", said: str = "") -> Response:  # noqa: A002
        texts = Texts(language(request))
        told = texts("signed_out") if said == "signed_out" else ""
        return front.drawn("sign_in.html", texts, next=_own(next), wrong="", told=told)

    @router.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        texts = Texts(language(request))
        front.gate.spend_stranger(request)
        given = await sent_form(request)
        to = _own(given.get("next", "/console"))
        if not _from_here(request):
            return front.drawn("sign_in.html", texts, 403, next=to, wrong=texts("stale_form"), told="")
        try:
            person = front.gate.of_key(request, given.get("key", "").strip())
        except Problem as problem:
            wrong = texts("locked" if problem.status == 429 else "wrong_key")
            return front.drawn("sign_in.html", texts, problem.status, next=to, wrong=wrong, told="")
        answer = RedirectResponse(to, 303)
        answer.set_cookie(
            COOKIE, front.gate.sign_in(person), SESSION_S, httponly=True, samesite="lax", path="/",
            secure=request.url.scheme == "https",
        )  # fmt: skip
        return answer

    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        if front.gate.signed_in(request) is not None:
            if not front.gate.is_own(request, (await sent_form(request)).get("csrf", "")):
                visitor = await front.visitor(request)  # no page of this session asks for it: nobody is thrown out
                return front.problem(request, visitor, "stale_form")
            front.gate.sign_out(request.cookies[COOKIE])
        answer = RedirectResponse("/console/sign-in?said=signed_out", 303)
        answer.delete_cookie(COOKIE, path="/")
        return answer

    @router.get("/language/{lang}")
    async def choose_language(lang: str, next: _Next = "/console") -> Response:  # noqa: A002
        answer = RedirectResponse(_own(next), 303)
        if lang in LANGUAGES:
            answer.set_cookie(LANGUAGE_COOKIE, lang, YEAR_S, httponly=True, samesite="lax", path="/")
        return answer

    return router


async def sent_form(request: Request) -> dict[str, str]:
    """What a form has sent, the first of each name. Raises Problem: 413, 400; 422 it has more than any form of ours."""
    text = (await read_body(request, FORM_BYTES_MAX)).decode(errors="replace")
    try:
        return {name: values[0] for name, values in parse_qs(text, max_num_fields=FIELDS_MAX).items()}
    except ValueError as error:
        raise Problem(422, "invalid", f"at most {FIELDS_MAX} fields") from error


def _own(path: str) -> str:
    """A page of the console, whatever was asked for: nobody is sent elsewhere."""
    try:
        parts = urlsplit(path)
    except ValueError:
        return "/console"
    own = not parts.scheme and not parts.netloc and (parts.path == "/console" or parts.path.startswith("/console/"))
    return path if own and "\\" not in path and "\n" not in path and "\r" not in path else "/console"


def _from_here(request: Request) -> bool:
    """Whether the form was on a page of ours, as every browser says: nobody is signed in as somebody else unawares."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or origin.partition("://")[2] == request.headers.get("host")
