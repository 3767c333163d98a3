"""What a policy needs of things outside: `requires: {grid: ">=2026.10,<2027", dispatcher: ">=0.1"}`.

A comparison is an operator and a version of dotted numbers, missing numbers being zeros ("2026.10" equals
"2026.10.0"); several are joined by commas and all must hold.
"""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from rules.policy import Policy

KNOWN = ("grid", "dispatcher")
"""What can be required: the version the grid's file states, and the version of this program."""

Version = tuple[int, ...]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
_VERSION = re.compile(r"\d{1,9}(\.\d{1,9}){0,7}", re.ASCII)
_COMPARISON = re.compile(rf"\s*([<>=!]=|[<>])\s*({_VERSION.pattern})\s*", re.ASCII)


class Unmet(msgspec.Struct, frozen=True, gc=False):
    """A requirement that does not hold; `found` is empty when nobody knows the version."""

    name: str
    wanted: str
    found: str


def parse_version(text: str) -> Version:
    """`"2026.10"` as (2026, 10), zeros at the end left out. Raises ValueError."""
    if _VERSION.fullmatch(text) is None:
        raise ValueError(text)
    numbers = [int(part) for part in text.split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def parse_requirement(text: str) -> tuple[tuple[str, Version], ...]:
    """`">=2026.10,<2027"` as (operator, version) pairs. Raises ValueError."""
    found = [_COMPARISON.fullmatch(part) for part in text.split(",")]
    pairs = tuple((each[1], parse_version(each[2])) for each in found if each)
    if len(pairs) < len(found):
        raise ValueError(text)
    return pairs


def unmet_requirements(policy: Policy, available: Mapping[str, str]) -> tuple[Unmet, ...]:
    """What the policy requires and does not find among the versions `available`, in the order it asks.

    A version that is missing, or is not made of dotted numbers, meets nothing.
    """
    return tuple(
        Unmet(name, wanted, available.get(name, ""))
        for name, wanted in policy.requires.items()
        if not _holds(wanted, available.get(name, ""))
    )


def _holds(wanted: str, found: str) -> bool:
    try:
        version = parse_version(found)
        return all(_COMPARE[sign](version, limit) for sign, limit in parse_requirement(wanted))
    except ValueError:
        return False
