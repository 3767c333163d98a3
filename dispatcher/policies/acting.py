"""What a test writes as the messages that sources, departments, the gateway and administrators send."""

from collections.abc import Mapping
from typing import Any, get_args

from dispatcher.core import Action, ms_to_text
from dispatcher.core.actions import ACTION_TABLE
from dispatcher.core.control import Command
from dispatcher.core.wire import encode
from rules import STEP_FIELDS, CaseStep, Policy, ReportEntry, TimelineEntry, moment_ms

__all__ = ["COMMANDS", "actor_of", "command_message", "in_unit", "report_id", "report_message", "update_fields"]

CENTRE = "centre"
COMMANDS = frozenset(str(kind.__struct_config__.tag) for kind in get_args(Command))
"""The names of commands on `control`."""
_CENTRE_ROLES = ("dispatcher", "shift_lead", "supervisor", "callback")  # who acts for it: the first that may
_PARTIES = ("lead", "support", "departments")  # fields of an action that name departments or units
_OTHERWISE = (
    "into",
    "department",
    "position",
    "location",
    "milestones",
    "until",
)  # not on the wire as they are written


def report_id(number: int) -> str:
    """The id of a test's nth report."""
    return f"r{number}"


def in_unit(party: str, path: tuple[str, ...], policy: Policy) -> str:
    """`department@level` as the unit of that level's cell of a path; anything else as it is."""
    department, _, unit = party.partition("@")
    depth = policy.grid_levels.index(unit) if unit in policy.grid_levels else len(path)
    return f"{department}@{path[depth]}" if depth < len(path) else party


def actor_of(policy: Policy, action: str, by: str, path: tuple[str, ...]) -> dict[str, str]:
    """Who acts, as the gateway has authenticated them.

    A street without a unit is the one around the place; who has no name is called as the role, so that two steps of
    `dispatcher` are the same person's.
    """
    named, _, person = by.partition(" ")
    code, _, unit = in_unit(named, path, policy).partition("@")
    if policy.department(code) is not None:
        actor = {"role": "department", "department": code, "unit": unit, "person": person}
    else:
        role = _role_at_centre(Action(action)) if code == CENTRE else code
        if role == "street" and path:
            unit = unit or path[0]
        actor = {"role": role, "unit": unit, "person": person or role}
    return {name: value for name, value in actor.items() if value}


def _role_at_centre(action: Action) -> str:
    """The check is never the dispatcher's own; else whoever of the centre may."""
    roles = ACTION_TABLE[action].roles
    if action is Action.CHECK:
        return "checker"
    return next((role for role in _CENTRE_ROLES if role in roles), _CENTRE_ROLES[0])


def update_fields(policy: Policy, step: CaseStep, path: tuple[str, ...], start_ms: int) -> dict[str, Any]:
    """The action's own fields as the wire has them, but for `into`, which is a name within the test."""
    entry = step.entry
    fields = {name: getattr(entry, name) for name in STEP_FIELDS if name not in _OTHERWISE}
    fields = {name: value for name, value in fields.items() if value is not None}
    for name in _PARTIES:
        value = fields.get(name)
        if isinstance(value, str):
            fields[name] = in_unit(value, path, policy)
        elif value is not None:
            fields[name] = [in_unit(party, path, policy) for party in value]
    if entry.department is not None:
        department, _, unit = in_unit(entry.department, path, policy).partition("@")
        fields |= {"department": department} | ({"unit": unit} if unit else {})
    if entry.position is not None:
        fields["position"] = {"lon": entry.position.lon, "lat": entry.position.lat}
    if entry.location is not None:
        fields["location"] = {"cell": entry.location}
    if entry.until is not None:
        fields["until"] = _text(entry.until, start_ms)
    if entry.milestones is not None:
        fields["milestones"] = [{"name": m.name, "due": _text(m.due, start_ms)} for m in entry.milestones]
    return fields


def command_message(entry: TimelineEntry, command_id: str, start_ms: int) -> bytes:
    """A command; the mode it sets is known by the step's `name`, or by `command_id`."""
    message: dict[str, Any] = {"command_id": command_id, "command": entry.do}
    if entry.do == "end_mode":
        message["mode_id"] = entry.name
    elif entry.name is not None:
        message["command_id"] = entry.name
    for name in ("since", "until"):
        if (value := getattr(entry, name)) is not None:
            message[name] = _text(value, start_ms)
    for name in ("mode", "cells"):
        if (value := getattr(entry, name)) is not None:
            message[name] = value
    role, _, person = (entry.by or "").partition(" ")
    return encode(message | {"actor": {"role": role, "person": person or role}})


def _text(moment: str, start_ms: int) -> str:
    return ms_to_text(moment_ms(moment, start_ms))


def report_message(report: ReportEntry, number: int, paths: Mapping[str, tuple[str, ...]], at_ms: int) -> bytes:
    """A report as a source sends it; `paths` are the cells the test's file states."""
    location = {name: getattr(report, name) for name in ("lon", "lat", "cell", "asset")}
    location = {name: value for name, value in location.items() if value is not None}
    message: dict[str, Any] = {
        "report_id": report_id(number),
        "source": report.source,
        "reported_at": ms_to_text(at_ms),
        "category": report.category,
    }
    if location or report.place not in (None, "none"):
        message["location"] = location
    for name in ("severity", "text", "tags", "confidence", "standard", "request_kind"):
        if getattr(report, name) is not None:
            message[name] = getattr(report, name)
    if report.attributes is not None:
        message["attributes"] = dict(report.attributes.values)
    if report.whistle is not None:
        path = paths.get(report.cell or "", ())
        unit = report.whistle.unit or (path[0] if path else report.cell or CENTRE)
        message["whistle"] = {
            "unit": unit, "kind": report.whistle.kind, "departments": report.whistle.departments,
        }  # fmt: skip
    return encode(message)
