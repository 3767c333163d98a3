"""What an update of a random history says: mostly something sensible for its action, sometimes nonsense."""

from collections.abc import Callable
from random import Random
from typing import Any

from core_city import DAY_MS, HERE, HOUR_MS, MINUTE_MS, shown

from dispatcher.core import Action, Incident
from dispatcher.core.incident import Assignment

ODD = 'q"uo\\te\u0001\u2028汉🚒'
DEPARTMENTS = ["gas-company", "fire-brigade", "traffic-police", "water-bureau", "street-office"]
PARTIES = [*DEPARTMENTS, "street-office@township", "street-office@530001", f"street-office@{ODD}", f"{ODD}@{ODD}"]
UNITS = ["530001", "530002", None]
PLACES = [
    HERE, {"cell": "530002001"}, {"asset": "lamp-1"}, {"asset": "lamp-far"}, {"lon": 0.0, "lat": 0.0}, {"address": ODD},
]  # fmt: skip
REASONS = {
    "hold": "season", "extension": "parts", "transfer": "shared", "support": "equipment", "exempt": "weather",
    "return": "not_ours", "void": "test", "close_forced": "project", "refuse_reopen": "settled", "check": "not_fixed",
    "assign": "not_ours",
}  # fmt: skip


class Fields:
    """Makes the fields of one update after another."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng

    def of(
        self, action: Action, incident: Incident, part: Assignment | None, others: list[Incident], now_ms: int
    ) -> dict[str, Any]:
        """The fields of an action on a part of an incident; `others` are what it could be merged into."""
        rng = self._rng
        fields: dict[str, Any] = {
            "reason_code": REASONS.get(action, "not_ours") if rng.random() < 0.9 else ODD,
            "text": ODD,
            "media": ["https://x"] * rng.randrange(3),
            "department": None if part is None else part.department,
            "unit": None if part is None else part.unit,
        }
        make = _OF_ACTION.get(action)
        if make is not None:
            fields |= make(rng, incident, others, now_ms)
        if rng.random() < 0.03:
            fields |= self._nonsense()
        if rng.random() < 0.04:
            fields["revision"] = max(0, incident.revision + rng.choice([-1, 0, 0, 1]))
        if rng.random() < 0.02:
            fields["update_id"] = "twice"
        return fields

    def _nonsense(self) -> dict[str, Any]:
        rng = self._rng
        return rng.choice([
            {"text": None}, {"number": 0}, {"score": 9}, {"until": "tomorrow"}, {"result": "perhaps"}, {"lead": ODD},
            {"departments": [ODD]}, {"department": ODD}, {"support": ["x"] * 40}, {"incident_id": "20260302-007-00001"},
            {"incident_id": None}, {"incident_id": "?", "report": None}, {"unheard_of": 1}, {"category": ODD},
            {"into": ODD},
            {"incident_id": None, "report": {"source": "hotline", "report_id": "never seen"}}, {"reason_code": None},
        ])  # fmt: skip


def _verify(rng: Random, incident: Incident, others: list[Incident], now_ms: int) -> dict[str, Any]:
    return {"result": rng.choice(["exists"] * 6 + ["not_exists", "unable", "pass"])}


def _check(rng: Random, incident: Incident, others: list[Incident], now_ms: int) -> dict[str, Any]:
    parties = [part.party for part in incident.assignments()]
    named = [rng.choice(parties)] if parties and rng.random() < 0.2 else []
    fields: dict[str, Any] = {"result": rng.choice(["pass", "pass", "fail", "unable"]), "departments": named}
    return fields if rng.random() < 0.5 else {**fields, "reason_code": None}


def _classified(rng: Random, incident: Incident, others: list[Incident], now_ms: int) -> dict[str, Any]:
    fields = {
        "category": rng.choice([None, "01", "02", "02", "03.02", "04", "05", ODD]),
        "standard": rng.choice([None, None, None, "a"]),
        "severity": rng.choice([None, 1, 4]),
    }
    return fields | ({"location": rng.choice(PLACES)} if rng.random() < 0.25 else {})


def _assign(rng: Random, incident: Incident, others: list[Incident], now_ms: int) -> dict[str, Any]:
    support = [] if rng.random() < 0.6 else rng.sample(PARTIES, rng.randrange(3))
    return {"lead": rng.choice([None, *PARTIES, *DEPARTMENTS]), "support": support}


def _request(rng: Random, incident: Incident, others: list[Incident], now_ms: int) -> dict[str, Any]:
    kind = rng.choice(["hold"] * 6 + ["extension"] * 2 + ["transfer", "support", "exempt"] * 2 + ["leave"])
    until_ms = now_ms + rng.choice([MINUTE_MS, 20 * MINUTE_MS, 3 * HOUR_MS, 9 * HOUR_MS, 9 * DAY_MS, -1])
    return {
        "kind": kind,
        "reason_code": REASONS.get(kind) if rng.random() < 0.95 else ODD,
        "until": None if rng.random() < 0.05 else shown(until_ms),
        "departments": rng.sample(PARTIES, rng.choice([1, 1, 1, 2, 0])),
    }


def _decided(rng: Random, incident: Incident, others: list[Incident], now_ms: int) -> dict[str, Any]:
    numbers = [request.number for request in incident.requests if request.state == "open"]
    return {"number": rng.choice(numbers) if numbers and rng.random() < 0.9 else rng.randint(1, 5)}


def _supervised(rng: Random, incident: Incident, others: list[Incident], now_ms: int) -> dict[str, Any]:
    open_ = [s for s in incident.supervision if s.cleared_at is None]
    numbers = [s.number for s in open_ if s.replied_at is not None or s.milestones] or [s.number for s in open_]
    names = [m.name for s in incident.supervision for m in s.milestones]
    return {
        "number": rng.choice(numbers) if numbers and rng.random() < 0.9 else rng.randint(1, 4),
        "name": rng.choice(names) if names else "dug",
    }


def _supervise(rng: Random, incident: Incident, others: list[Incident], now_ms: int) -> dict[str, Any]:
    steps = rng.choice([0, 0, 1, 2])
    due = [shown(now_ms + rng.choice([HOUR_MS, DAY_MS, 5 * DAY_MS])) for _ in range(steps)]
    until_ms = now_ms + rng.choice([HOUR_MS, HOUR_MS, DAY_MS, 0])
    named = {} if rng.random() < 0.5 else {"department": None}
    milestones = [{"name": rng.choice(["dug", "laid"]), "due": at} for at in due]
    return {**named, "until": shown(until_ms) if rng.random() < 0.8 else None, "milestones": milestones}


def _whistle(rng: Random, incident: Incident, others: list[Incident], now_ms: int) -> dict[str, Any]:
    kind = rng.choice(["joint", "emergency", "emergency", ODD])
    return {"kind": kind, "departments": rng.sample(PARTIES[:7], rng.randrange(3))}


def _merge(rng: Random, incident: Incident, others: list[Incident], now_ms: int) -> dict[str, Any]:
    into = rng.choice(others).incident_id if others else incident.incident_id
    strange = [incident.incident_id, "20260302-007-00001", "20200101-000-00001", ODD]
    return {"into": into if rng.random() < 0.85 else rng.choice(strange)}


def _about_report(rng: Random, incident: Incident, others: list[Incident], now_ms: int) -> dict[str, Any]:
    said = {
        "answered": rng.random() < 0.7,
        "resolved": rng.random() < 0.8,
        "satisfied": rng.choice([True, True, True, None, False]),
        "reached": rng.random() < 0.7,
    }
    if rng.random() < 0.4:
        return said
    source, report_id = rng.choice(incident.reports)
    return {**said, "incident_id": None, "report": {"source": source, "report_id": report_id}}


def _split(rng: Random, incident: Incident, others: list[Incident], now_ms: int) -> dict[str, Any]:
    if incident.parent is not None or rng.random() < 0.1:
        return {}
    source, report_id = rng.choice(incident.reports[1:] or incident.reports)
    return {"incident_id": None, "report": {"source": source, "report_id": report_id}}


def _arrive(rng: Random, incident: Incident, others: list[Incident], now_ms: int) -> dict[str, Any]:
    return {"position": rng.choice([None, HERE, HERE, {"lon": 114.0, "lat": 30.1}, {**HERE, "crs": "bd09"}, {}])}


def _body(rng: Random, incident: Incident, others: list[Incident], now_ms: int) -> dict[str, Any]:
    return {"body": rng.choice(["post-office"] * 4 + [ODD]), "external_no": rng.choice([None, "7", ODD])}


def _person(rng: Random, incident: Incident, others: list[Incident], now_ms: int) -> dict[str, Any]:
    return {"person": rng.choice(["li", ODD, None])}


def _score(rng: Random, incident: Incident, others: list[Incident], now_ms: int) -> dict[str, Any]:
    return {"score": rng.randint(1, 5)}


_Make = Callable[[Random, Incident, list[Incident], int], dict[str, Any]]
_A = Action
_OF_ACTION: dict[Action, _Make] = {
    _A.VERIFY: _verify, _A.CHECK: _check, _A.FILE: _classified, _A.RECLASSIFY: _classified, _A.ASSIGN: _assign,
    _A.REQUEST: _request, _A.APPROVE: _decided, _A.REFUSE: _decided, _A.REPLY: _supervised, _A.CLEAR: _supervised,
    _A.MILESTONE: _supervised, _A.SUPERVISE: _supervise, _A.WHISTLE: _whistle, _A.MERGE: _merge, _A.SPLIT: _split,
    _A.CONTACT: _about_report, _A.CALLBACK: _about_report, _A.REOPEN_REQUEST: _about_report, _A.ARRIVE: _arrive,
    _A.REFER: _body, _A.DELEGATE: _person, _A.RATE: _score,
}  # fmt: skip
