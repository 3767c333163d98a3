"""The measures against the engine itself: what they derive from the newest records, its events must confirm.

A random desk drives the real engine. The oracle never looks at an incident's record: it folds the topics `events` and
`routed`, where every transition and every move of a deadline stands with its instant.
"""

import json
import random
from collections import Counter, defaultdict

import pytest
from views_cases import MINUTE_MS, START_MS, Moment
from views_city import dump
from views_oracle import Oracle

from dispatcher.core import CLOCK, NEVER_MS, Incident, Intake, Placer, Rulebook, ms_to_text, text_to_ms
from dispatcher.hosts.embedded import Embedded, enact_first_policy
from dispatcher.ledger import Entry, MemoryLedger
from dispatcher.views import TERMS, Cohort, Projection, history, incident, incidents, measure, rejected, states
from geo import Locator, load_grid
from rules import load_policy

POLICY = """
name: views
version: "1"
timezone: Asia/Shanghai
modes: [normal]
grid_levels: [township, cell]
include: []
fallback: {lead: centre, sla: quick, ladder: none, reason: "no route"}
reasons: {return: {not_ours: {zh: 非本单位, en: Not ours}}, void: {test: {zh: 测试, en: A test}}}
departments:
  centre: {zh: 中心, en: Centre}
  gas: {zh: 燃气, en: Gas}
  fire: {zh: 消防, en: Fire}
  water: {zh: 水务, en: Water}
categories: {"03": {zh: 市政, en: Utilities}, "03.02": {zh: 燃气, en: Gas}, "07": {zh: 水务, en: Water}}
sources: {hotline: {platform: people}, satellite: {platform: satellite, verify: true}}
calendars:
  office: {hours: {all: ["08:30-12:00", "13:30-17:30"]}, hours_per_working_day: 8}
sla:
  quick: {calendar: always, targets: {acknowledge: 5m, resolve: 50m, check: 1d}, warn: [50%], return_within: 1d}
  worked: {calendar: office, targets: {acknowledge: 30wm, resolve: {within: 1wh, of: lead}, check: 1d}}
ladders: {none: {steps: [{trigger: "resolve breach", to: city, do: report}]}}
merge: {"07": {radius_m: 3000, gap: 30m, life: 24h, mode: auto}}
guards: [{id: wait, when: {tags: [park]}, outcome: park}, {id: drill, when: {tags: [exercise]}, outcome: discard}]
routes:
  - {id: gas, when: {category: ["03.02"]}, lead: gas, sla: quick, reason: "gas"}
  - {id: water, when: {category: ["07"]}, lead: water, sla: worked, reason: "water"}
overlays:
  - {id: help, when: {category: ["03.02"], severity: "<=2"}, support: [{dept: fire, required: true}]}
"""
DEPARTMENTS = ("gas", "fire", "water")


def square(code: str, parent: str | None, west: float, size: float) -> dict:
    ring = [[west, 30.0], [west + size, 30.0], [west + size, 30.0 + size], [west, 30.0 + size], [west, 30.0]]
    level = 1 if parent is None else 2
    return {
        "type": "Feature",
        "properties": {"code": code, "name": code, "level": level, "parent": parent},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


class Desk:
    """A random city on the real engine: reports, every action, time that passes in jumps."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.now_ms = START_MS
        policy = load_policy({"policy.yaml": POLICY.encode()})
        squares = [square("1", None, 114.0, 0.02), square("11", "1", 114.0, 0.02), square("2", None, 114.02, 0.02)]
        grid = load_grid(json.dumps({"type": "FeatureCollection", "features": squares}).encode())
        self.ledger = MemoryLedger(lambda: self.now_ms)
        enact_first_policy(self.ledger, policy)
        placer = Placer(grid, Locator(grid))
        self.host = Embedded(self.ledger, Intake(placer), {policy.sha256: Rulebook(policy)}, grid=grid.sha256)
        self.sent = 0

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.now_ms += self.rng.choice([0, 0, 1, 2, 4, 15]) * MINUTE_MS
            if self.rng.random() < 0.12:
                self._report()
            else:
                self._update()
            if self.rng.random() < 0.1:
                self.ledger.append([Entry(CLOCK, b"", None, self.now_ms)])
            if self.rng.random() < 0.4:
                self.host.catch_up()
        self.host.catch_up()

    def _send(self, topic: str, message: dict) -> None:
        self.ledger.append([Entry(topic, json.dumps(message).encode(), None, self.now_ms)])

    def _report(self) -> None:
        rng = self.rng
        self.sent += 1
        self._send("reports", {
            "report_id": f"r{self.sent}", "source": rng.choice(["hotline", "hotline", "satellite"]),
            "reported_at": ms_to_text(self.now_ms), "category": rng.choice(["03", "03.02", "03.02", "07", "unheard"]),
            "severity": rng.randint(1, 4), "tags": rng.choice([[], [], [], [], ["park"], ["exercise"]]),
            "location": {"lon": 114.0 + rng.random() * 0.05, "lat": 30.01},
        })  # fmt: skip

    def _update(self) -> None:
        rng, open_now = self.rng, [i for i in self.host.engine.state.incidents.values() if i.open]
        if not open_now:
            return
        chosen = rng.choice(open_now[-4:])
        self.sent += 1
        message = {"update_id": f"u{self.sent}", "incident_id": chosen.incident_id, "at": ms_to_text(self.now_ms),
                   "actor": {"role": "system"}}  # fmt: skip
        action, more = self._next(chosen) if rng.random() < 0.7 else self._any(chosen)
        self._send("updates", {**message, "action": action, **more})

    def _next(self, incident: Incident) -> tuple[str, dict]:
        """What brings the incident on, or back from a check."""
        rng = self.rng
        if incident.state == "checking":
            return "check", {"result": rng.choice(["pass", "fail"])}
        if incident.state == "returned":
            return rng.choice([("refuse_return", {}), ("assign", {"lead": rng.choice(DEPARTMENTS)})])
        if incident.state in ("received", "verifying"):
            return rng.choice([("file", {}), ("verify", {"result": "exists"})])
        part = rng.choice([a for a in incident.assignments() if a.state != "withdrawn"])
        return ("acknowledge" if part.state == "offered" else "done"), {"department": part.department}

    def _any(self, incident: Incident) -> tuple[str, dict]:
        """Whatever comes to somebody's mind; most of it is refused."""
        rng = self.rng
        party = rng.choice([a.department for a in incident.assignments()] or ["gas"])
        return rng.choice([
            ("return", {"department": party, "reason_code": "not_ours"}), ("accept_return", {"department": party}),
            ("assign", {"lead": rng.choice(DEPARTMENTS)}), ("assign", {"support": [rng.choice(DEPARTMENTS)]}),
            ("verify", {"result": "not_exists"}), ("note", {"text": "x"}), ("note", {"text": "y"}),
            ("done", {"department": party}), ("void", {"reason_code": "test"} if rng.random() < 0.3 else {}),
        ])  # fmt: skip


class Told:
    """One incident as `events` and `routed` tell it; has what `Oracle` needs of a life."""

    def __init__(self, record, events: list[dict], leads: dict[int, str | None]) -> None:
        self.record = record
        self.moments: list[Moment] = []
        filed, first, lead = False, None, None
        dues: dict[str, int] = {}
        breached: dict[str, bool] = {}
        done_ms, reworks, returns = None, 0, 0
        for event in events:
            at_ms, state = text_to_ms(event["at"]), event["state"]
            filed = filed or state == "dispatched"
            turned = leads.get(event["revision"], lead)
            if turned != lead:
                lead, done_ms = turned, None
                first = first or lead
            for change in event["changes"]:
                if change["event"] == "target" and change["name"] == "resolve":
                    owner = change["of"]
                    dues[owner] = text_to_ms(change["due_at"])
                    breached[owner] = "breached_at" in change
                elif change["event"] == "assignment" and change["party"] == lead and change["role"] == "lead":
                    done_ms = {"done": at_ms, "approved": done_ms, "withdrawn": done_ms}.get(change["to"])
            self._take_back(done_ms is None)
            reworks += event["what"] == "check" and event.get("note") == "fail"
            returns += any(c["event"] == "state" and c["to"] == "returned" for c in event["changes"])
            self.moments.append(Moment(
                at_ms, state, filed, first, lead, None if lead is None else lead.split("@")[0], dues.get(lead or ""),
                done_ms, breached.get(lead or "", False), reworks, returns,
            ))  # fmt: skip

    def at(self, as_of_ms: int) -> Moment | None:
        past = [moment for moment in self.moments if moment.at_ms <= as_of_ms]
        return past[-1] if past else None

    def _take_back(self, taken_back: bool) -> None:
        """The stated limit: a `done` taken back later counts only while everything was done, in the check."""
        if taken_back:
            for n in range(len(self.moments) - 1, -1, -1):
                moment = self.moments[n]
                if moment.done_ms is None:
                    return
                if moment.state != "checking":
                    self.moments[n] = moment._replace(done_known=False)


def told_by(ledger: MemoryLedger, view: Projection) -> list[Told]:
    leads: dict[str, dict[int, str | None]] = defaultdict(dict)
    for kept in ledger.follow("routed", -1, 10**9):
        said = json.loads(kept.value)
        leads[kept.key][said["revision"]] = said["lead"]
    events: dict[str, list[dict]] = defaultdict(list)
    for kept in ledger.follow("events", -1, 10**9):
        if kept.key != "control":
            events[kept.key].append(json.loads(kept.value))
    return [Told(incident(view, incident_id), said, leads[incident_id]) for incident_id, said in events.items()]


City = tuple[Desk, Projection, list[Told]]


@pytest.fixture(scope="module")
def cities() -> list[City]:
    cities = []
    for seed in (1, 2, 3):
        desk, view = Desk(seed), Projection(":memory:")
        for _ in range(8):
            desk.run(250)
            view.catch_up(desk.ledger, desk.rng.randint(1, 300))
        cities.append((desk, view, told_by(desk.ledger, view)))
    return cities


def test_the_desks_reach_every_corner(cities):
    terms: Counter[str] = Counter()
    for desk, view, _ in cities:
        assert not [row for row in rejected(view, limit=1_000).lines if row.reason == "engine_error"]
        assert desk.host.tally["reports_merged"] > 0
        terms.update(measure(view, Cohort(view.latest_ms)).total.terms)
    for name in ("unfiled", "closed_in_time", "overdue_pending", "rework", "returned", "voided", "not_accepted"):
        assert terms[name] > 0, name
    assert terms["need_close_closed"] > terms["closed_in_time"]
    assert terms["filed"] > terms["first_lead_kept"] > 0
    assert any(view.db.execute("SELECT count(*) FROM page").fetchone()[0] for _, view, _ in cities)


def test_measures_of_the_real_engine(cities):
    rng = random.Random(9)
    for _, view, told in cities:
        instants = sorted(moment.at_ms for one in told for moment in one.moments)
        for basis in ("filed", "due"):
            for as_of_ms in (view.latest_ms, *(rng.choice(instants) - rng.choice([0, 1]) for _ in range(8))):
                low, high = sorted(rng.sample(instants, 2))
                for bounds in ((0, NEVER_MS), (low, high + 1)):
                    cohort = Cohort(as_of_ms, basis, *bounds)
                    found, oracle = measure(view, cohort, "department"), Oracle(told, cohort)
                    assert found.total.terms == oracle.fold(None).get(None, dict.fromkeys(TERMS, 0))
                    assert {g.code: g.terms for g in found.groups if any(g.terms.values())} == oracle.fold("department")


def test_the_projection_of_the_real_engine(cities):
    for desk, view, told in cities:
        rebuilt = Projection(":memory:")
        rebuilt.catch_up(desk.ledger)
        assert dump(rebuilt) == dump(view)
        assert sum(states(view).values()) == len(told)
        listed = {row.incident_id for row in incidents(view, limit=1_000).lines}
        assert listed == {one.record.incident_id for one in told}
        for one in told:
            found = history(view, one.record.incident_id)
            assert found is not None
            assert found.complete
            assert [(entry["at"], entry["state"]) for entry in found.entries] == [
                (ms_to_text(moment.at_ms), moment.state) for moment in one.moments
            ]


def test_another_ledger_at_the_same_path_is_noticed(nyc, tmp_path):
    """The projection beside a ledger that was deleted and made anew, longer than before, is built anew."""
    from tests.acceptance.city_files import on_time, shipped_rows, write_csv
    from tests.acceptance.command_line import replay

    rows, config, ledger = list(shipped_rows(nyc)), nyc / "config.yaml", tmp_path / "x.db"
    write_csv(rows[:99], tmp_path / "first.csv")
    replay(config, ledger, tmp_path / "first.csv", mapping=nyc / "mapping.yaml")
    ledger.unlink()
    write_csv(rows[400:], tmp_path / "second.csv")
    summary = replay(config, ledger, tmp_path / "second.csv", mapping=nyc / "mapping.yaml")
    dated = [row for row in rows[400:] if row["Due Date"] and row["Closed Date"]]
    assert (summary["with_due_and_close"], summary["on_time"]) == (len(dated), sum(map(on_time, dated)))
