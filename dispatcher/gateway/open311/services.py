"""What can be asked for: every category of the policy is a service, what its rules ask for are its attributes."""

from functools import lru_cache
from typing import Any, Final

from dispatcher.gateway.open311.words import pick
from dispatcher.views.titles import Lang
from rules import Category, Policy, asked_attributes

__all__ = ["STANDARD", "attributes_of", "category_title", "definition", "services"]

STANDARD: Final = "standard"  # the attribute that is the filing standard
_STANDARD_ASKED: Final = ("现场情况符合哪一条立案标准", "Which of these was found on site")


@lru_cache(maxsize=8)  # two languages, and the policies of a change
def services(policy: Policy, lang: Lang) -> list[dict[str, Any]]:
    """The service list, in the order of the catalogue."""
    return [
        {
            "service_code": category.code,
            "service_name": category_title(category, lang),
            "description": _path(policy, category, lang),
            "metadata": bool(attributes_of(policy, category.code, lang)),
            "type": "realtime" if category.public else "batch",
            "keywords": ", ".join(category.aliases),
            "group": category_title(_major(policy, category), lang),
        }
        for category in policy.categories.values()
    ]


def definition(policy: Policy, code: str, lang: Lang) -> dict[str, Any] | None:
    """The attributes of a service; None when there is no such service."""
    if policy.category(code) is None:
        return None
    return {"service_code": code, "attributes": attributes_of(policy, code, lang)}


@lru_cache(maxsize=4_096)
def attributes_of(policy: Policy, code: str, lang: Lang) -> list[dict[str, Any]]:
    """What to ask beside the place and the text. Nothing is required: people's reports are never refused for it."""
    category = policy.category(code)
    found = list[dict[str, Any]]()
    if category is not None and category.standards:
        values = [
            {"key": each.code, "name": pick((each.zh, each.en), lang) or each.code} for each in category.standards
        ]
        found.append(_attribute(1, STANDARD, "singlevaluelist", pick(_STANDARD_ASKED, lang), values))
    for asked in asked_attributes(policy, code):
        if asked.name == STANDARD:
            continue
        values = [{"key": key, "name": key} for key in map(_key, asked.values)]
        kind = "singlevaluelist" if values else "number"
        found.append(_attribute(len(found) + 1, asked.name, kind, asked.name, values))
    return found


def category_title(category: Category, lang: Lang) -> str:
    """What people call it."""
    return pick((category.zh or category.en, category.en or category.zh), lang) or category.code


def _attribute(order: int, code: str, datatype: str, said: str, values: list[dict[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "variable": True,
        "code": code,
        "datatype": datatype,
        "required": False,
        "datatype_description": None,
        "order": order,
        "description": said,
    }
    return {**made, "values": values} if values else made


def _key(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _major(policy: Policy, category: Category) -> Category:
    return policy.category(category.code.partition(".")[0]) or category


def _path(policy: Policy, category: Category, lang: Lang) -> str:
    parts = category.code.split(".")
    above = [policy.category(".".join(parts[: n + 1])) for n in range(len(parts))]
    return " › ".join(category_title(each, lang) for each in above if each is not None)
