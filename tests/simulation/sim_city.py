"""A city of four squares with a policy that uses every stage: what the simulations run on."""

from functools import cache

import orjson

from dispatcher.core import Asset, Intake, Placer, Rulebook
from dispatcher.hosts.embedded import Embedded, enact_first_policy
from geo import Locator, load_grid
from rules import Policy, load_policy

WEST, SOUTH, SIDE = 114.30, 30.60, 0.01  # degrees; a square is about a kilometre wide

POLICY = """\
name: squares
version: "1"
timezone: Asia/Shanghai
modes: [normal]
grid_levels: [township, community]
include: []
fallback: {lead: centre, sla: triage, ladder: desk, reason: "no route matched"}
reasons: {return: {not_ours: {en: Not our duty}}, void: {test: {en: A test}}}
departments:
  centre: {en: Command centre}
  gas: {en: Gas company}
  fire: {en: Fire brigade}
  roads: {en: Roads}
  police: {en: Police}
  street: {en: Township office, level: township, units: from_grid}
categories:
  "01": {en: Roads, kind: component, severity: 3}
  "01.02": {en: Manhole, aliases: [MANHOLE], standards: {a: {en: missing, limit: 2h}, b: {en: loose, limit: 1d}}}
  "02": {en: Noise, kind: event, severity: 4}
  "03": {en: Gas, kind: component, severity: 2, life_safety: true, evidence: [photo]}
  "04": {en: Lamp, kind: component, severity: 3}
sources:
  hotline: {platform: people}
  app: {platform: people, severity_cap: 2, extend_promised: {max: 5d}}
  camera: {platform: ground, verify: {below_confidence: 0.9}, strict_place: true, strict_category: true}
  satellite: {platform: satellite, verify: true}
calendars:
  office: {hours: {workday: ["08:30-12:00", "13:30-17:30"]}, hours_per_working_day: 8}
  night: {hours: {all: ["22:00-06:00"]}}
sla:
  fast:
    calendar: always
    targets: {acknowledge: {within: 5m, of: each}, attend: {within: 20m, of: attending}, resolve: 3h, check: 2h}
    warn: [50%, 80%]
    return_within: 30m
    reopen: {within: 6h}
  works:
    calendar: office
    targets: {acknowledge: {within: 60wm, of: each}, resolve: 1wd, check: 4wh}
    warn: [80%]
    verify_within: 2h
    reopen: {within: 1d}
  standard:
    calendar: always
    targets: {acknowledge: 30m, resolve: {within: standard, default: 8h}}
    warn: [50%]
    reopen: {within: 2d}
  triage: {calendar: always, targets: {acknowledge: 1h, resolve: 1d}}
ladders:
  desk: {steps: [{trigger: "resolve breach", to: city, do: report}]}
merge:
  "01": {radius_m: 150, gap: 12h, life: 2d, mode: auto}
  "02": {radius_m: 300, gap: 6h, life: 1d, mode: suggest}
  "04": {same: asset, mode: auto}
guards:
  - {id: drill, when: {tags: [exercise]}, outcome: discard}
  - {id: later, when: {tags: [later]}, outcome: park}
routes:
  - {id: gas, priority: 900, when: {category: ["03"]}, lead: gas, sla: fast, ladder: desk, reason: "gas plan"}
  - {id: manhole, priority: 300, when: {category: ["01.02"]}, lead: roads, sla: standard, ladder: desk}
  - {id: road, when: {category: ["01"]}, lead: street@township, sla: works, ladder: desk}
  - {id: noise, when: {category: ["02"]}, lead: police, sla: works, ladder: desk}
overlays:
  - id: gas.fire
    when: {category: ["03"]}
    support: [{dept: fire, role: rescue, attend: 15m, required: true}, {dept: street@community}]
    tags: [gas]
  - id: crowd
    when: {category: ["01"], reporters: ">=2"}
    severity: {raise_to: 2}
    support: [{dept: police, required: true}]
  - {id: smell, when: {text.any: [smell of gas]}, support: [{dept: gas}]}
  - {id: night, when: {calendar: [night]}, tags: [night]}
"""


def _square(code: str, level: int, parent: str | None, west: float, south: float, width: float) -> dict:
    ring = [(west, south), (west + width, south), (west + width, south + SIDE), (west, south + SIDE), (west, south)]
    return {
        "type": "Feature",
        "properties": {"code": code, "name": code, "level": level, "parent": parent},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


@cache
def grid():
    features = []
    for row, town in enumerate(("T1", "T2")):
        south = SOUTH + row * SIDE
        features.append(_square(town, 1, None, WEST, south, 2 * SIDE))
        features += [_square(f"{town}C{n}", 2, town, WEST + n * SIDE, south, SIDE) for n in (0, 1)]
    return load_grid(orjson.dumps({"type": "FeatureCollection", "features": features}))


@cache
def policy() -> Policy:
    return load_policy({"policy.yaml": POLICY.encode()})


@cache
def books() -> dict[str, Rulebook]:
    return {policy().sha256: Rulebook(policy())}


@cache
def intake() -> Intake:
    lamps = {f"lamp-{n}": Asset(WEST + 0.003 * n, SOUTH + 0.004) for n in range(3)}
    return Intake(Placer(grid(), Locator(grid(), tolerance_m=50.0), assets=lamps))


def start(ledger, **options) -> Embedded:
    """What a process does when it starts on a ledger."""
    host = Embedded(ledger, intake(), books(), grid=grid().sha256, **options)
    enact_first_policy(ledger, policy())
    return host
