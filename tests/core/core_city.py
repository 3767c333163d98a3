"""A city of two townships with a policy that uses everything the core follows, and a desk that drives its engine."""

from functools import cache
from typing import Any

import orjson

from dispatcher.core import (
    Asset,
    Placer,
    Rulebook,
    ms_to_text,
    text_to_ms,
)
from geo import Gazetteer, Grid, Locator, load_gazetteer, load_grid
from rules import Policy, load_policy

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
START_MS = text_to_ms("2026-03-02T09:00:00+08:00")  # a Monday, half an hour into the working day
HERE = {"lon": 114.005, "lat": 30.01}  # in 530001001, township 530001

POLICY = """\
name: tiny
version: "1"
timezone: Asia/Shanghai
modes: [normal, emergency]
grid_levels: [township, cell]
include: []
fallback: {lead: centre-desk, sla: triage, ladder: city-desk, reason: "no route \\"matched\\""}
reasons:
  return: {not_ours: {zh: 非本单位职责, en: Not our duty}}
  void: {test: {zh: 测试, en: A test}}
  hold: {season: {zh: 须待季节, en: Waits for the season}}
  extend: {parts: {zh: 等待配件, en: Waiting for parts}}
  transfer: {shared: {zh: 职责交叉, en: Duties overlap}}
  support: {equipment: {zh: 缺少设备, en: Equipment is missing}}
  exempt: {weather: {zh: 天气原因, en: Weather}}
  rework: {not_fixed: {zh: 问题仍存在, en: Still there}}
  close_forced: {project: {zh: 已纳入专项工程, en: Part of a project}}
  reopen: {settled: {zh: 已妥善处理, en: It is settled}}
  whistle: {joint: {zh: 联合执法, en: Joint enforcement}, emergency: {zh: 应急处置, en: Emergency}}
  refer: {post-office: {zh: 邮政局, en: Post office}}
departments:
  centre-desk: {zh: 指挥中心, en: Command centre}
  gas-company: {zh: 燃气公司, en: Gas company}
  fire-brigade: {zh: 消防, en: Fire brigade}
  traffic-police: {zh: 交警, en: Traffic police}
  water-bureau: {zh: 水务局, en: Water bureau}
  street-office: {zh: 乡镇街道, en: Township office, level: township, units: from_grid}
categories:
  "01": {zh: 市容, en: "Street \\"order\\"", severity: 3}
  "01.02": {zh: 垃圾, en: Rubbish}
  "02": {zh: 水务, en: Water, severity: 3, self_handled: true}
  "03": {zh: 市政, en: Utilities, severity: 3}
  "03.02":
    {zh: 燃气, en: Gas, severity: 2, life_safety: true, aliases: [GAS LEAK],
     standards: {a: {zh: 泄漏, limit: 2h, close: 恢复}, b: {zh: 标识破损, limit: 2wd, close: 修复}}}
  "04": {zh: 标准, en: By standard, standards: {a: {zh: 甲, limit: 1wh}, b: {zh: 乙, limit: 5wh}}}
  "05": {zh: 部件, en: Component, severity: 4, evidence: [photo]}
sources:
  hotline: {platform: people}
  ai_video: {platform: ground, verify: {below_confidence: 0.9}, strict_place: true, strict_category: true}
  satellite: {platform: satellite, verify: true}
  rider: {platform: people, severity_cap: 2}
  city_app: {platform: people, extend_promised: {max: 10d}}
calendars:
  cn-office:
    hours: {workday: ["08:30-12:00", "13:30-17:30"]}
    days: {provider: holidays, country: CN}
    hours_per_working_day: 8
sla:
  gas-leak:
    calendar: always
    targets:
      acknowledge: {within: 2m, of: each}
      attend: {within: 30m, of: attending}
      resolve: {within: 4h, of: lead}
      check: {within: 24h, of: centre}
    warn: [50%, 80%]
    return_within: 10m
    verify_within: 20m
    reopen: {within: 2d, clock: resume}
  works:
    calendar: cn-office
    targets: {acknowledge: {within: 30wm, of: each}, resolve: {within: 5wh, of: lead}, check: {within: 2wh, of: centre}}
    warn: [80%]
    hold: {max: 5d, times: 1}
    reopen: {within: 7d, clock: reset}
  by-standard: {calendar: cn-office, targets: {acknowledge: {within: 30wm, of: each}, resolve: {within: standard}}}
  lead-only:
    calendar: always
    targets: {acknowledge: 1h, attend: {within: 2h, of: lead}, contact: {within: 1h, of: lead}, resolve: 8h}
    done_by: lead_only
  triage: {calendar: always, targets: {acknowledge: 1h, resolve: 1d, check: 1d}, warn: [50%]}
ladders:
  city-desk: {steps: [{trigger: "resolve breach", to: city, do: report}]}
merge:
  "01": {radius_m: 50, gap: 30m, life: 24h, mode: auto}
  "02": {radius_m: 100, gap: 30m, life: 24h, mode: suggest}
  "05": {same: asset, mode: auto}
guards:
  - {id: drill, when: {tags: [exercise]}, outcome: discard, reason: "an exercise"}
  - {id: wait, when: {tags: [park]}, outcome: park}
  - {id: desk, when: {tags: [desk]}, outcome: fallback}
routes:
  - {id: gas, priority: 900, when: {category: ["03.02"]}, lead: gas-company, sla: gas-leak, reason: "gas plan §3.1"}
  - {id: water, when: {category: ["02"]}, lead: water-bureau, sla: works, ladder: city-desk, reason: "water"}
  - {id: crowd, priority: 700, when: {category: ["01"], reporters: ">=4"}, lead: street-office@township, sla: triage}
  - {id: street, when: {category: ["01"]}, lead: street-office@township, sla: works, reason: "territory"}
  - {id: standard, when: {category: ["04"]}, lead: water-bureau, sla: by-standard}
  - {id: parts, when: {category: ["05"]}, lead: water-bureau, sla: lead-only}
overlays:
  - id: gas.whistle
    when: {category: ["03.02"]}
    support:
      - {dept: fire-brigade, role: rescue, attend: 15m, required: true}
      - {dept: traffic-police, role: "close the \\"road\\""}
    tags: [whistle]
  - id: crowd.help
    when: {category: ["01"], reporters: ">=3"}
    support: [{dept: traffic-police, role: order, required: true}]
    severity: {raise_to: 2}
    tags: [crowd]
  - id: parts.help
    when: {category: ["05"]}
    support: [{dept: fire-brigade, required: true}]
  - id: flood
    when: {category: ["02"], tags: [flood]}
    targets: {resolve: 2h}
"""

GAZETTEER = """\
name,aliases,kind,lon,lat,cell
解放大道1号,Liberation Avenue 1,compound,114.005,30.010,
东村,,village,,,530002001
远村,,village,120.0,31.0,
"""


def _square(code: str, parent: str | None, west: float, south: float, size: float) -> dict[str, Any]:
    east, north = west + size, south + size
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "type": "Feature",
        "properties": {"code": code, "name": code, "level": 1 if parent is None else 2, "parent": parent},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


@cache
def tiny_grid() -> Grid:
    """Townships 530001 (west) and 530002 (east), each two kilometres wide, with two cells along its southern edge."""
    features = []
    for n, west in ((1, 114.0), (2, 114.02)):
        features.append(_square(f"53000{n}", None, west, 30.0, 0.02))
        features.append(_square(f"53000{n}001", f"53000{n}", west, 30.0, 0.01))
        features.append(_square(f"53000{n}002", f"53000{n}", west + 0.01, 30.0, 0.01))
    return load_grid(orjson.dumps({"type": "FeatureCollection", "features": features}))


@cache
def tiny_gazetteer() -> Gazetteer:
    return load_gazetteer(GAZETTEER.encode())


@cache
def tiny_placer() -> Placer:
    grid = tiny_grid()
    return Placer(
        grid,
        Locator(grid),
        gazetteer=tiny_gazetteer(),
        assets={"lamp-1": Asset(114.015, 30.005), "lamp-far": Asset(120.0, 31.0)},
        crs_of={"satellite": "gcj02"},
    )


@cache
def tiny_policy(*changes: tuple[str, str]) -> Policy:
    """The policy, with texts replaced; each replaced text must be there."""
    text = POLICY
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return load_policy({"policy.yaml": text.encode()})


@cache
def tiny_book(*changes: tuple[str, str]) -> Rulebook:
    return Rulebook(tiny_policy(*changes))


def report(report_id: str, category: str = "03.02", source: str = "hotline", **fields: Any) -> dict[str, Any]:
    """A report as it is sent; `location=None` leaves the place out."""
    body = {"report_id": report_id, "source": source, "reported_at": "2026-02-01T08:00:00+08:00", "category": category}
    return {**body, "location": HERE, **fields}


def update(**fields: Any) -> dict[str, Any]:
    """An update as the gateway sends it: a note of an officer."""
    body = {"update_id": "u", "incident_id": "i", "action": "note", "at": "2026-03-02T01:00:00Z", "text": "seen"}
    return {**body, "actor": {"role": "officer"}, **fields}


def local(text: str) -> int:
    """ "2026-03-06 16:00" in Shanghai."""
    return text_to_ms(f"{text}+08:00")


def shown(instant_ms: int) -> str:
    return ms_to_text(instant_ms)
