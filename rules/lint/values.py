"""Values that stand for all others of a fact.

Of a number its thresholds and what lies between them, of a text those that rules name and one that none does.
"""

from collections.abc import Hashable, Iterable
from itertools import pairwise
from typing import Any

from rules.conditions import ATTRIBUTE, KEYWORD, test_of
from rules.facts import PLACE_HOWS, REQUEST_KINDS, Facts, Scalar
from rules.index import typed
from rules.lint.times import instants
from rules.policy import Policy

Asked = dict[Hashable, Scalar]
"""The values that rules ask for; 1, 1.0 and true are three."""

SETS = {"tags": "tags", KEYWORD: "keywords"}
"""Keys whose fact is a set: each tag and keyword is a variable by itself."""

SEVERITIES = (3, 4, 2, 1)
"""Where nothing else decides, an example has the ordinary severity."""

_FIELDS = {"calendar": "at_ms"}


def asked_by(policy: Policy) -> dict[str, Asked]:
    """Return what the rules of a policy ask for, by key."""
    asked: dict[str, Asked] = {}
    for rule in (*policy.guards, *policy.routes, *policy.overlays):
        for part in (*rule.when.require, *rule.when.exclude):
            asked.setdefault(part.key, {}).update((typed(value), value) for value in part.values)
    return asked


def values_of(policy: Policy, from_ms: int) -> dict[str, tuple[Any, ...]]:
    """Return the values of every fact that has one, the plainest first; of `source` with its platform."""
    asked = asked_by(policy)
    sources = tuple((source.code, source.platform) for source in policy.sources.values())
    confidence = {value for value in _between(asked.get("confidence", {})) if 0 <= value <= 1} | {0, 1}
    reporters = sorted(
        {max(1, int(limit) + step) for limit in _limits(asked.get("reporters", {})) for step in (-1, 0, 1, 2)} | {1}
    )
    singles: dict[str, tuple[Any, ...]] = {
        "severity": SEVERITIES,
        "mode": policy.modes or ("",),
        "source": sources or (("", ""),),
        "confidence": (None, *sorted(confidence)),
        "reporters": tuple(reporters),
        "whistle": (None, *_texts(asked.get("whistle", {}), "any")),
        "place": PLACE_HOWS,
        "standard": (None, *asked.get("standard", {}).values()),
        "request_kind": (None, *REQUEST_KINDS),
        "calendar": instants([policy], from_ms),
    }
    for key, values in asked.items():
        if key.startswith(ATTRIBUTE):
            texts = [value for value in values.values() if isinstance(value, str) and test_of(value).op == "="]
            flags = [flag for flag in (False, True) if any(value is flag for value in values.values())]
            singles[key] = (None, *texts, *flags, *_between(values))
    return singles


def assembled(chosen: Iterable[tuple[str, object, Any]], category: str | None, path: tuple[str, ...]) -> Facts:
    """Return facts from (key, tag or keyword, value); every fact that has one value must be there."""
    given: dict[str, Any] = {}
    attributes: list[tuple[str, Scalar]] = []
    terms: dict[str, list[str]] = {"tags": [], "keywords": []}
    for key, term, value in chosen:
        if key in SETS:
            terms[SETS[key]] += [str(term)] * bool(value)
        elif key == "source":
            given["source"], given["platform"] = value
        elif key.startswith(ATTRIBUTE):
            attributes += [(key.removeprefix(ATTRIBUTE), value)] if value is not None else []
        else:
            given[_FIELDS.get(key, key)] = value
    return Facts(
        category=category,
        path=path,
        tags=tuple(sorted(terms["tags"])),
        keywords=tuple(sorted(terms["keywords"])),
        attributes=tuple(sorted(attributes)),
        **given,
    )


def _texts(asked: Asked, wildcard: str) -> list[str]:
    """The kinds that rules name, and one that they don't."""
    named = [str(value) for value in asked.values() if value != wildcard]
    other = "other"
    while other in named:
        other += "'"
    return [*named, other]


def _limits(values: Asked) -> list[int | float]:
    numbers = (test_of(value).value for value in values.values())
    return sorted({value for value in numbers if isinstance(value, int | float) and not isinstance(value, bool)})


def _between(values: Asked) -> list[int | float]:
    """Numbers below, at, between and above the thresholds."""
    limits = _limits(values)
    if not limits:
        return []
    middles = [(low + high) / 2 for low, high in pairwise(limits)]
    return sorted([limits[0] - 1, *limits, *middles, limits[-1] + 1])
