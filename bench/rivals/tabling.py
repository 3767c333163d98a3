"""A policy's routes as a decision table of ZEN Engine: one hit, the first row that holds.

A column for each fact, a row for each route and each depth of its categories and cells, sorted as ours are ranked:
priority, depth of the category, depth of the cell, number of keys, order of the files. So the first row that holds is
the route that wins with us. What the table can't say: overlays (every hit adds), which are left out of the policy on
both sides; calendars, whose names are worked out beforehand; the ranking itself, which whoever adds a row has to keep.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

import orjson
import zen

from rules import Facts, Policy, Route, Scalar

__all__ = ["context_of", "decision_of", "routes_only"]

LISTS: Final = {"text.any": "words", "calendar": "calendars", "tags": "tags"}
SCALARS: Final = ("severity", "source", "mode", "reporters")
COMPARISONS: Final = ("<", ">")

Cells = dict[str, str]
"""Expressions by the field they are asked of."""


def routes_only(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files of a policy without its overlays."""
    return files | {"overlays.yaml": orjson.dumps({"overlays": []})}


def context_of(policy: Policy, facts: Facts) -> dict[str, Any]:
    """Facts as the table's columns want them; the calendars that hold at the time are found here."""
    parts = [] if facts.category is None else facts.category.split(".")
    context: dict[str, Any] = {f"category{n}": ".".join(parts[:n]) for n in range(1, len(parts) + 1)}
    context |= {f"cell{n}": cell for n, cell in enumerate(facts.path, start=1)}
    return context | {
        "severity": facts.severity,
        "source": facts.source,
        "mode": facts.mode,
        "reporters": facts.reporters,
        "attributes": dict(facts.attributes),
        "words": list(facts.keywords),
        "tags": list(facts.tags),
        "calendars": [
            entry.name for entry in policy.document.sections.calendars if policy.clock(entry.name).contains(facts.at_ms)
        ],
    }


def decision_of(policy: Policy, level_of: Callable[[str], int]) -> "zen.ZenDecision":
    """The compiled table; its answer's `route` is the id of the route, absent when none holds.

    Args:
        policy: without overlays.
        level_of: the level of a cell, 1 for the coarsest.

    Raises:
        ValueError: the policy has overlays, or a route asks for something that the table does not know.
    """
    if policy.overlays:
        raise ValueError("a table has no overlays")
    ranked = sorted(
        ((route.priority, *depths, len(route.when.require), -number), cells, route.id)
        for number, route in enumerate(policy.routes)
        for depths, cells in _rows(route, level_of)
    )
    fields = list(dict.fromkeys(field for _, cells, _ in ranked for field in cells))
    ids = {field: f"column{n}" for n, field in enumerate(fields)}
    rows = [
        {"_id": f"row{n}", "route": _expression(route)} | {ids[field]: cells.get(field, "") for field in fields}
        for n, (_, cells, route) in enumerate(reversed(ranked))
    ]
    table = {
        "hitPolicy": "first",
        "inputs": [{"id": ids[field], "name": field, "field": field} for field in fields],
        "outputs": [{"id": "route", "name": "route", "field": "route"}],
        "rules": rows,
    }
    decision = zen.ZenEngine().create_decision(orjson.dumps(_graph(table)).decode())
    decision.validate()
    return decision


def _graph(table: dict[str, Any]) -> dict[str, Any]:
    """What goes in, the table, what comes out."""
    kinds: dict[str, tuple[str, dict[str, Any]]] = {
        "in": ("inputNode", {}),
        "table": ("decisionTableNode", {"content": table}),
        "out": ("outputNode", {}),
    }
    nodes = [
        {"id": name, "name": name, "type": kind, "position": {"x": 0, "y": 0}} | more
        for name, (kind, more) in kinds.items()
    ]
    edges = [
        {"id": f"{one}-{other}", "type": "edge", "sourceId": one, "targetId": other} for one, other in pairwise(kinds)
    ]
    return {"nodes": nodes, "edges": edges}


def _rows(route: Route, level_of: Callable[[str], int]) -> Iterator[tuple[tuple[int, int], Cells]]:
    """The cells of a route for each depth of its categories with each depth of its grid cells."""
    if route.when.exclude or route.valid_from or route.expires:
        raise ValueError(f"{route.id}: `not` and dates are not made into cells here")
    asked = {condition.key: condition.values for condition in route.when.require}
    categories = _by_depth(asked.pop("category", ()), lambda code: code.count(".") + 1)
    grid = _by_depth(asked.pop("grid", ()), level_of)
    common = dict(_column(key, values) for key, values in asked.items())
    for category_depth, codes in categories.items():
        for grid_depth, cells in grid.items():
            row = dict(common)
            if codes:
                row[f"category{category_depth}"] = _any_of(codes)
            if cells:
                row[f"cell{grid_depth}"] = _any_of(cells)
            yield (category_depth, grid_depth), row


def _by_depth(values: Sequence[Scalar], depth_of: Callable[[str], int]) -> dict[int, list[Scalar]]:
    """Values by how deep they are; nothing asked is depth 0."""
    found: dict[int, list[Scalar]] = {}
    for value in values:
        found.setdefault(depth_of(str(value)), []).append(value)
    return found or {0: []}


def _column(key: str, values: Sequence[Scalar]) -> tuple[str, str]:
    """The field that a key is asked of, and the expression that asks it."""
    if key in LISTS:
        return LISTS[key], f"some($, # in [{_any_of(values)}])"
    if key not in SCALARS and not key.startswith("attributes."):
        raise ValueError(f"{key} is no column of the table")
    return key, _any_of(values)


def _any_of(values: Sequence[Scalar]) -> str:
    return ", ".join(map(_expression, values))


def _expression(value: Scalar) -> str:
    """A value of a condition as an expression: a comparison stays as it is written."""
    if isinstance(value, str) and value.startswith(COMPARISONS):
        return value
    return orjson.dumps(value).decode()
