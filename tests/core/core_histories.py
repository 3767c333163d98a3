"""Random histories: reports, updates of every action, repeats and passing time, the same for the same seed."""

import random
from typing import Any

from core_city import DAY_MS, HERE, HOUR_MS, MINUTE_MS, report
from core_desk import Desk

from dispatcher.core import Action, Incident
from dispatcher.core.lifecycle import allowed_actions

ODD = 'q"uo\\te\u0001\u2028汉🚒'
CATEGORIES = ["01", "01", "01", "01", "01.02", "02", "03.02", "GAS LEAK", "04", "05", f"unknown {ODD}"]
DEPARTMENTS = ["gas-company", "fire-brigade", "traffic-police", "water-bureau", "street-office"]
ROLES = ["officer", "acceptor", "dispatcher", "street", "checker", "supervisor"]
STEPS_MS = [0] * 40 + [1, 1, MINUTE_MS, MINUTE_MS, 7 * MINUTE_MS, HOUR_MS, HOUR_MS + 1, 9 * HOUR_MS, DAY_MS, 3 * DAY_MS]


class History:
    """Puts one random record after the other through a desk."""

    def __init__(self, seed: int, desk: Desk | None = None) -> None:
        self.rng = random.Random(seed)
        self.desk = desk or Desk()
        self.reports = 0

    def run(self, steps: int) -> Desk:
        for _ in range(steps):
            self.step()
        return self.desk

    def step(self) -> None:
        rng, desk = self.rng, self.desk
        desk.now_ms += rng.choice(STEPS_MS)
        incidents = sorted(desk.engine.state.incidents)
        kind = rng.random()
        if kind < 0.2 or not incidents:
            desk.send("reports", self._report())
        elif kind < 0.23:
            desk.clock()
        else:
            self._update(rng.choice(incidents[-4:]))

    def _report(self) -> dict[str, Any]:
        rng = self.rng
        self.reports += rng.random() < 0.9
        fields: dict[str, Any] = {}
        if rng.random() < 0.3:
            fields["tags"] = [rng.choice(["park", "desk", "exercise", "flood", ODD])]
        if rng.random() < 0.3:
            fields["attributes"] = {ODD: ODD, "big": 2**70, "float": 0.1, "flag": True, "none": None}
        if rng.random() < 0.3:
            fields |= {"text": f"see {ODD}", "media": [f"https://x/{ODD}"], "request_kind": "help", "severity": 1}
        if rng.random() < 0.2:
            fields |= {"promised_at": "2026-03-06T12:00:00+08:00", "whistle": {"unit": "u", "kind": ODD}}
        fields["location"] = rng.choice([
            {"lon": 114.0 + rng.randrange(3) / 100, "lat": 30.005}, HERE, HERE, HERE, None,
            {"cell": "530002001"}, {"asset": "lamp-1"}, {"asset": ODD}, {"address": f"东村{ODD}"},
            {"lon": 114.01, "lat": 30.005, "accuracy_m": 300},
        ])  # fmt: skip
        if rng.random() < 0.4:  # one more of many about the same heap of rubbish
            return report(f"r{self.reports}{ODD}", "01", location=HERE)
        source = rng.choice(["hotline", "hotline", "satellite", "ai_video", "rider", "city_app"])
        return report(f"r{self.reports}{ODD}", rng.choice(CATEGORIES), source, **fields)

    def _update(self, incident_id: str) -> None:
        rng, desk = self.rng, self.desk
        incident = desk.engine.state.incidents[incident_id]
        legal = self._legal(incident)
        sensible = bool(legal) and rng.random() < 0.85
        action, by, about = rng.choice(legal) if sensible else self._any(incident)
        result = ["exists", "exists", "not_exists", "unable"] if action is Action.VERIFY else ["pass", "fail"]
        fields: dict[str, Any] = {
            "result": rng.choice(result if sensible else ["exists", "pass"]),
            "reason_code": rng.choice(["test" if action is Action.VOID else "not_ours"] * 4 + [ODD]),
            "text": ODD,
            "media": ["https://x"],
            "department": about,
        }
        if action is Action.ASSIGN:
            fields["lead"] = rng.choice([None, *DEPARTMENTS, *DEPARTMENTS, f"{ODD}@{ODD}", f"street-office@{ODD}"])
            fields["support"] = [] if rng.random() < 0.5 else rng.sample(DEPARTMENTS, rng.randrange(3))
        if action is Action.FILE:
            fields |= {"category": rng.choice([None, "01", "02", "04"]), "standard": rng.choice([None, None, "a"])}
        if action is Action.CHECK and rng.random() < 0.3:
            fields["departments"] = [about]
        if rng.random() < 0.05:
            fields["update_id"] = "twice"
        desk.update(incident, action, by, **fields)

    def _legal(self, incident: Incident) -> list[tuple[Action, str, str]]:
        """(action, by whom, about whom) the tables allow; an action's own guards may still refuse it."""
        found = []
        for part in incident.assignments():
            for role, by in (("department", part.party), *((role, role) for role in ROLES)):
                for action in allowed_actions(incident.state, part.state, role):
                    common = action not in {Action.NOTE, Action.VOID, Action.ASSIGN, Action.FILE, Action.VERIFY}
                    found += [(action, by, part.department)] * (12 if common else 1)
        if not found:
            found = [(action, role, "x") for role in ROLES for action in allowed_actions(incident.state, None, role)]
        doubtful = incident.verify_ms is not None
        return [each for each in found if each[0] is not Action.VERIFY or doubtful]

    def _any(self, incident: Incident) -> tuple[Action, str, str]:
        """Any action by anybody."""
        parties = [part.party for part in incident.assignments()]
        by = self.rng.choice([*parties, *DEPARTMENTS, *ROLES, "system"])
        return self.rng.choice(list(Action)), by, self.rng.choice(DEPARTMENTS)
