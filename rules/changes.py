"""What two policies define differently: rules, SLAs, calendars, categories and all else, by kind and name."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from rules.entries import Entry
from rules.policy import Policy

How = Literal["added", "removed", "changed", "moved"]

_KINDS = {
    "departments": ("department", "code"),
    "categories": ("category", "code"),
    "sources": ("source", "code"),
    "calendars": ("calendar", "name"),
    "sla": ("sla", "name"),
    "ladders": ("ladder", "name"),
    "merge": ("merge rule", "category"),
    "guards": ("rule", "id"),
    "overlays": ("rule", "id"),
    "routes": ("rule", "id"),
}
_ORDERED = ("guards", "routes")
"""Sections in which the order of the files decides between equals."""


class Change(msgspec.Struct, frozen=True, gc=False):
    """Something that one policy defines and the other doesn't, or otherwise. `policy` is the kind of what has no name.

    `moved`: a guard or route, the same as before, that now stands before or after others of its kind.
    """

    kind: str
    name: str
    how: How


def changes(before: Policy, after: Policy) -> tuple[Change, ...]:
    """Return every change, by kind and name."""
    found = list(_of_header(before, after))
    for section, (kind, key) in _KINDS.items():
        old, new = (_named(getattr(policy.document.sections, section), key) for policy in (before, after))
        found += [Change(kind, name, "removed") for name in old if name not in new]
        found += [Change(kind, name, "added") for name in new if name not in old]
        same = [name for name in new if name in old]
        found += [Change(kind, name, "changed") for name in same if old[name] != new[name]]
        if section in _ORDERED:
            unchanged = [name for name in same if old[name] == new[name]]
            found += [Change(kind, name, "moved") for name in _moved([*old], unchanged)]
    return tuple(sorted(found, key=lambda change: (change.kind, change.name, change.how)))


def _of_header(before: Policy, after: Policy) -> Iterator[Change]:
    old, new = before.document.header, after.document.header
    for field in ("fallback", "modes", "grid_levels", "timezone", "reasons", "requires", "whistle_attend"):
        if getattr(old, field) != getattr(new, field):
            yield Change("policy", field, "changed")
    if before.measures != after.measures:
        yield Change("policy", "measures", "changed")


def _named(entries: Sequence[Entry], key: str) -> dict[str, Entry]:
    return {getattr(entry, key): entry for entry in entries}


def _moved(old: list[str], new: list[str]) -> list[str]:
    """Return the fewest names that must be moved for the rest to stand in the same order.

    All but a longest rising run of old positions (patience sorting; Knuth, TAOCP vol. 3, 5.1.4).
    """
    position = {name: at for at, name in enumerate(old)}
    tops: list[int] = []  # of the piles: the lowest old position that ends a run of each length
    piles: list[int] = []
    for name in new:
        at = bisect_left(tops, position[name])
        tops[at : at + 1] = [position[name]]
        piles.append(at)
    stays = set()
    wanted = len(tops) - 1
    for name, pile in zip(reversed(new), reversed(piles), strict=True):
        if pile == wanted:
            stays.add(name)
            wanted -= 1
    return [name for name in new if name not in stays]
