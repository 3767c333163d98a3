"""One request as it is shown: to anybody roughly where it is, to whoever made it also what they said."""

from typing import Any, Final

from dispatcher.core import ms_to_text
from dispatcher.core.incident import Brief
from dispatcher.gateway.open311.finding import Change, Request
from dispatcher.gateway.open311.services import category_title
from dispatcher.gateway.open311.words import merged_into, pick, state_words
from dispatcher.views import IncidentRow
from dispatcher.views.rows import OUTCOMES
from dispatcher.views.titles import Lang
from rules import Policy

__all__ = ["change_shown", "request_shown", "w3_time"]

DECIMALS: Final = 3  # of a position that anybody may see: a hundred metres
LEVELS_SHOWN: Final = 3  # cells of a path that anybody may see; the deeper ones are as telling as a position
SECONDS: Final = len("2026-11-22T02:04:05")


def request_shown(
    request: Request, policy: Policy, lang: Lang, brief: Brief | None, *, extended: bool
) -> dict[str, Any]:
    """The fields of the specification; those of ours under `extended_attributes`.

    Args:
        request: and whose it is.
        policy: in force, for the titles.
        lang: of the titles.
        brief: what the reporter said, for the reporter; None otherwise.
        extended: whether the fields of ours are wanted.
    """
    row, goes_on = request.row, request.goes_on
    told = _told(request, policy)
    category = policy.category(row.category)
    exact = request.own and request.first
    shown: dict[str, Any] = {
        "service_request_id": request.request_id,
        "status": "closed" if goes_on.outcome else "open",
        "status_notes": _notes(request, lang),
        "service_name": row.category if category is None else category_title(category, lang),
        "service_code": row.category,
        "description": _text(request, policy) if brief is None else brief.text,
        "agency_responsible": None if told.lead is None else _department(policy, told.lead, lang),
        "service_notice": None,
        "requested_datetime": w3_time(request.asked_ms),
        "updated_datetime": w3_time(goes_on.ended_ms or goes_on.updated_ms),
        "expected_datetime": None if told.due_ms is None else w3_time(told.due_ms),
        "address": None if brief is None else brief.address,
        "address_id": row.asset if exact else None,
        "zipcode": None,
        "lat": _degrees(row.lat, exact),
        "long": _degrees(row.lon, exact),
        "media_url": None if brief is None or not brief.media else brief.media[0],
    }
    if extended:
        shown["extended_attributes"] = _extended(request, policy, lang, exact=exact)
    return shown


def change_shown(change: Change, lang: Lang) -> dict[str, Any]:
    """A change of state as an update of its request."""
    told = change.told
    ended = told.state in OUTCOMES and told.state != "merged"  # what is merged goes on elsewhere
    return {
        "update_id": f"{told.incident_id}.{told.revision}",
        "service_request_id": change.request_id,
        "status": "closed" if ended else "open",
        "updated_datetime": w3_time(told.at_ms),
        "description": state_words(told.state, lang),
        "media_url": None,
    }


def w3_time(instant_ms: int) -> str:
    """An instant in whole seconds: clients of the specification know no others."""
    return f"{ms_to_text(instant_ms)[:SECONDS]}Z"


def _notes(request: Request, lang: Lang) -> str:
    said = state_words(request.goes_on.state, lang)
    if request.parent_id is None:
        return said
    return pick(("；", "; "), lang).join((merged_into(request.parent_id, lang), said))


def _extended(request: Request, policy: Policy, lang: Lang, *, exact: bool) -> dict[str, Any]:
    told = _told(request, policy)
    path = request.row.path.strip("/").split("/") if request.row.cell else []
    involved = [code for code in told.parties.strip("/").split("/") if code and "@" not in code and code != told.lead]
    return {
        "state": told.state,
        "parent": request.parent_id,
        "lead": told.lead,
        "supports": [{"code": code, "name": _department(policy, code, lang)} for code in involved],
        "path": path if exact else path[:LEVELS_SHOWN],
    }


def _told(request: Request, policy: Policy) -> IncidentRow:
    """Whose departments and deadlines are told: those of where it goes on, if that may be seen."""
    category = policy.category(request.goes_on.category)
    may = request.own or (category is not None and category.public)
    return request.goes_on if may else request.row


def _text(request: Request, policy: Policy) -> str | None:
    """What anybody may read, if the category is still one that anybody may see."""
    category = policy.category(request.row.category)
    return request.text if category is not None and category.public else None


def _department(policy: Policy, code: str, lang: Lang) -> str:
    department = policy.department(code)
    return code if department is None else pick((department.zh, department.en), lang) or code


def _degrees(value: float | None, exact: bool) -> float | None:
    return value if value is None or exact else round(value, DECIMALS)
