"""A small city's policy with something of every kind that tests can expect, and short ways to run tests on it."""

from functools import cache

from dispatcher.policies.cases import WORDS, Outcome, run_cases
from dispatcher.policies.failures import Language, render_failure
from dispatcher.policies.places import GridCells
from rules import Case, Policy, PolicyError, load_policy, read_cases

POLICY = """\
name: rehearsed
version: "1"
timezone: Asia/Shanghai
modes: [normal, emergency]
grid_levels: [township, cell]
include: []
fallback: {lead: desk, sla: triage, ladder: up, reason: "no route matched"}
reasons:
  return: {not_ours: {zh: 非本单位职责, en: Not our duty}}
  void: {mistake: {zh: 误报, en: A mistake}}
  whistle: {joint: {zh: 联合, en: Joint}}
  refer: {grid-company: {zh: 供电, en: Grid company}}
departments:
  desk: {zh: 指挥中心, en: Desk}
  gas-company: {zh: 燃气公司, en: Gas company}
  fire-brigade: {zh: 消防, en: Fire brigade}
  police: {zh: 公安, en: Police}
  water-bureau: {zh: 水务局, en: Water bureau}
  street-office: {zh: 乡镇街道, en: Township office, level: township, units: from_grid}
categories:
  "01": {zh: 市容, en: Street order, severity: 3}
  "02": {zh: 水务, en: Water, severity: 3, standards: {a: {zh: 积水, limit: 2h}}}
  "03": {zh: 燃气, en: Gas, severity: 2, life_safety: true, aliases: [GAS LEAK]}
  "04": {zh: 部件, en: Component, severity: 4}
  "05": {zh: 其他, en: Other, severity: 4}
sources:
  hotline: {platform: people}
  satellite: {platform: satellite, verify: true, strict_place: true, strict_category: true}
calendars:
  office: {hours: {workday: ["08:30-12:00", "13:30-17:30"]}, days: {provider: holidays, country: CN}}
sla:
  gas-leak:
    calendar: always
    targets: {acknowledge: {within: 2m, of: each}, attend: {within: 15m, of: attending}, resolve: 4h, check: 24h}
    warn: [50%, 80%]
    return_within: 10m
  works: {calendar: office, targets: {acknowledge: 30wm, resolve: 5wh, check: 2wh}, warn: [80%]}
  triage: {calendar: always, targets: {acknowledge: 1h, resolve: 1d}}
ladders:
  up: {steps: [{trigger: "resolve breach", to: city, do: report}]}
merge:
  "01": {radius_m: 50, gap: 30m, life: 24h, mode: auto}
  "04": {same: asset, mode: auto}
guards:
  - {id: drill, when: {tags: [exercise]}, outcome: discard, reason: "an exercise"}
  - {id: later, priority: 50, when: {tags: [later]}, outcome: park}
routes:
  - id: gas
    priority: 900
    when: {category: ["03"], severity: "<=2"}
    lead: gas-company
    sla: gas-leak
    ladder: up
    reason: "gas plan §3.1"
  - id: street
    priority: 300
    when: {category: ["01", "03"]}
    lead: street-office@township
    sla: works
    reason: "territory"
  - id: corner
    priority: 300
    when: {category: ["01"], grid: ["530002"]}
    lead: police
    sla: works
    reason: "the corner"
  - {id: water, priority: 500, when: {category: ["02"]}, lead: water-bureau, sla: works}
  - {id: parts, priority: 500, when: {category: ["04"]}, lead: water-bureau, sla: works, ladder: up}
overlays:
  - id: whistle
    when: {category: ["03"]}
    support:
      - {dept: fire-brigade, role: rescue, attend: 15m, required: true}
      - {dept: police, role: "close the road"}
      - {dept: gas-company}
    tags: [whistle]
  - id: flood
    when: {mode: [emergency], category: ["02"]}
    severity: {raise_to: 1}
    targets: {resolve: 2h}
    support: [{dept: fire-brigade}]
  - id: crowd
    when: {category: ["01"], reporters: ">=3"}
    severity: {raise_to: 2}
    tags: [crowd]
    support: [{dept: police, required: true}]
  - {id: quiet, when: {category: ["05"], not: {tags: [loud]}}, support: [{dept: police}]}
"""

HEAD = """\
places: {"530001001": ["530001", "530001001"], "530002001": ["530002", "530002001"]}
defaults: {source: hotline, cell: "530001001", at: "2026-03-02T09:30:00+08:00"}
tests:
"""

NO_GRID = GridCells()


@cache
def city() -> Policy:
    return load_policy({"policy.yaml": POLICY.encode()})


def one(report: str, expect: str = "{}", timeline: str = "[]", more: str = "") -> str:
    """A file with one test, `t`; its report stands on line 5, its expect on 6, its timeline from 7 on."""
    extra = f", {more}" if more else ""
    return f"{HEAD}  - {{name: t{extra},\n     report: {report},\n     expect: {expect},\n     timeline: {timeline}}}\n"


def cases_of(text: str, policy: Policy | None = None) -> tuple[Case, ...]:
    return read_cases({"tests/t.yaml": text.encode()}, policy or city(), NO_GRID, WORDS)


def run(text: str, policy: Policy | None = None) -> Outcome:
    return run_cases(policy or city(), cases_of(text, policy), NO_GRID)


def messages(text: str, lang: Language = "en") -> list[str]:
    """What a file's tests complain of, each with its place."""
    found = [failure for result in run(text).results for failure in result.failures]
    return [f"{failure.place} {render_failure(failure, lang)}" for failure in found]


def problems(text: str) -> list[str]:
    """What is wrong with a file of tests."""
    try:
        cases_of(text)
    except PolicyError as error:
        return [str(problem) for problem in error.problems]
    return []
