"""A town of two townships on disk: policy, grid, configuration, and a ledger whose days are dated by the test."""

import json
from pathlib import Path
from typing import Any

from dispatcher.commands.explain import explain_command
from dispatcher.config import load_config
from dispatcher.core import text_to_ms
from dispatcher.hosts.setup import load_setup
from dispatcher.hosts.start import start
from dispatcher.ledger import Entry, SqliteLedger

POLICY = """\
name: town
version: "1"
timezone: Asia/Shanghai
modes: [normal, emergency]
grid_levels: [township, cell]
include: []
fallback: {lead: centre-desk, sla: day, ladder: desk, reason: "nobody is named"}
reasons: {return: {not_ours: {zh: 非本单位职责, en: Not our duty}}}
departments:
  centre-desk: {zh: 指挥中心, en: Command centre}
  gas-company: {zh: 燃气公司, en: Gas company}
  fire-brigade: {zh: 消防, en: Fire brigade}
  water-bureau: {zh: 水务局}
  street-office: {zh: 乡镇街道, en: Township office, level: township, units: from_grid}
categories:
  "01": {zh: 市容, en: Street order}
  "01.02": {zh: 垃圾, en: Rubbish}
  "01.03": {zh: 摊点, en: Stalls}
  "02": {zh: 水务, en: Water}
  "03": {zh: 燃气, en: Gas, severity: 2, life_safety: true}
  "05": {zh: 绿化, en: Trees}
  "04": {zh: 部件, en: Parts, standards: {a: {zh: 甲, limit: 1wh}, b: {zh: 乙, limit: 5wh}}}
sources:
  hotline: {platform: people}
  app: {platform: people, extend_promised: {max: 3d}}
  camera: {platform: ground, verify: true, strict_place: true, strict_category: true}
calendars:
  office:
    hours: {workday: ["08:30-12:00", "13:30-17:30"]}
    days: {provider: holidays, country: CN}
    hours_per_working_day: 8
  night: {hours: {all: ["22:00-06:00"]}}
sla:
  day: {calendar: always, targets: {resolve: 1d, check: 1d}}
  works:
    calendar: office
    targets: {acknowledge: {within: 30wm, of: each}, resolve: {within: 5wh, of: lead}, check: {within: 2wh, of: centre}}
    verify_within: 20wm
  gas: {calendar: always, targets: {acknowledge: 2m, attend: {within: 30m, of: attending}, resolve: 4h}}
  slow: {calendar: office, targets: {resolve: 3wd}}
  standard: {calendar: office, targets: {resolve: standard}}
ladders: {desk: {steps: [{trigger: "resolve breach", to: city, do: report}]}}
guards:
  - {id: drill, when: {tags: [exercise]}, outcome: discard, reason: "an exercise"}
  - {id: wait, when: {tags: [later]}, outcome: park}
  - {id: odd, when: {tags: [odd]}, outcome: fallback}
routes:
  - id: gas
    priority: 900
    when: {category: ["03"], not: {grid: ["530002"]}}
    lead: gas-company
    sla: gas
    reason: "gas plan §3.1"
  - {id: gas-any, when: {category: ["03"]}, lead: gas-company, sla: day}
  - {id: street, when: {category: ["01"]}, lead: street-office@township, sla: works, reason: "territory"}
  - {id: rubbish, when: {category: ["01.02"]}, lead: water-bureau, sla: works}
  - {id: west, when: {category: ["01.02"], grid: ["530001"]}, lead: water-bureau, sla: works}
  - {id: stalls-a, when: {category: ["01.03"]}, lead: street-office@township, sla: works}
  - {id: stalls-b, when: {category: ["01.03"]}, lead: water-bureau, sla: works}
  - {id: stalls-c, when: {category: ["01.03"], severity: 1}, lead: water-bureau, sla: works}
  - {id: trees, when: {category: ["05"]}, lead: water-bureau, sla: slow}
  - {id: parts, when: {category: ["04"]}, lead: water-bureau, sla: standard}
  - {id: water, when: {category: ["02"], severity: "<=2", attributes.depth_m: ">=1"}, lead: water-bureau, sla: works}
  - {id: old, when: {category: ["02"]}, expires: "2026-01-31", lead: water-bureau, sla: works}
overlays:
  - id: gas.whistle
    when: {category: ["03"]}
    support:
      - {dept: fire-brigade, role: rescue, attend: 15m, required: true}
      - {dept: street-office@township}
    tags: [whistle]
  - {id: gas.smell, when: {category: ["03"], text.any: [smell of gas]}, severity: {raise_to: 1}}
  - {id: quick, when: {category: ["01"], whistle: any}, targets: {resolve: 2h}}
"""


def _square(code: str, parent: str | None, west: float, south: float, size: float) -> dict[str, Any]:
    east, north = west + size, south + size
    return {
        "type": "Feature",
        "properties": {"code": code, "name": code, "level": 1 if parent is None else 2, "parent": parent},
        "geometry": {
            "type": "Polygon",
            "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]],
        },
    }


def grid(version: str | None = None) -> bytes:
    features = [
        _square(f"53000{n}{cell}", f"53000{n}" if cell else None, west, 30.0, 0.01 if cell else 0.02)
        for n, west in ((1, 114.0), (2, 114.02))
        for cell in ("", "001")
    ]
    document = {"type": "FeatureCollection", "features": features}
    return json.dumps(document if version is None else {**document, "version": version}).encode()


class Town:
    """One day after the other: every call is a record at a stated local time, worked through at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "policy").mkdir()
        (folder / "policy" / "policy.yaml").write_text(POLICY, encoding="utf-8")
        (folder / "grid.json").write_bytes(grid())
        self.config = folder / "config.yaml"
        self.config.write_text("policy: policy\ngrid: grid.json\nledger: town.db\n", encoding="utf-8")
        self.ledger_path = folder / "town.db"
        self.updates = 0
        # the clock dates only what is not stated: the policy's first activation
        self._ledger = SqliteLedger(self.ledger_path, clock=lambda: text_to_ms("2026-01-01T00:00:00+08:00"))
        self._host = start(self._ledger, load_setup(load_config(self.config, {})), batch_records=100)
        self._host.catch_up()

    def close(self) -> None:
        self._ledger.close()

    def report(self, report_id: str, at: str, category: str, source: str = "hotline", **fields: Any) -> str:
        self._append("reports", at, report(report_id, at, category, source, **fields))
        return f"{source}/{report_id}"

    def act(self, named: str, at: str, action: str, by: str, **fields: Any) -> None:
        self.updates += 1
        source, report_id = named.split("/")
        update = {
            "update_id": f"u{self.updates}",
            "report": {"source": source, "report_id": report_id},
            "action": action,
            "at": _rfc(at),
            **fields,
        }
        department = by in ("gas-company", "fire-brigade", "water-bureau", "street-office")
        topic = f"updates.{by}" if department else "updates"
        self._append(topic, at, update if department else {**update, "actor": {"role": by, "person": f"{by}-1"}})

    def pass_until(self, at: str) -> None:
        self._append("clock", at, {})

    def _append(self, topic: str, at: str, message: dict[str, Any]) -> None:
        before = len(self._ledger.follow("rejected", -1, 100))
        self._ledger.append([Entry(topic, json.dumps(message).encode(), None, text_to_ms(_rfc(at)))])
        self._host.catch_up()
        rejected = self._ledger.follow("rejected", -1, 100)[before:]
        assert not rejected, rejected[0].value


def report(report_id: str, at: str, category: str, source: str = "hotline", **fields: Any) -> dict[str, Any]:
    body = {"report_id": report_id, "source": source, "reported_at": _rfc(at), "category": category}
    return {**body, "location": {"lon": 114.005, "lat": 30.005}, **fields}


def _rfc(at: str) -> str:
    """ "2026-03-06 16:00" in Shanghai."""
    return f"{at.replace(' ', 'T')}:00+08:00"


def explained(town: Town, what: str | Path, **options: Any) -> None:
    """`dispatcher explain`, in this process."""
    given = {"at": None, "mode": None, "policy": None, "lang": "en", "json": False, **options}
    explain_command(town.config, None, str(what), **given)
