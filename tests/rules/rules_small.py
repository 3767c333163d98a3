"""One small policy that uses most of the format, as files whose lines tests replace."""

from datetime import datetime

from rules import Facts, Policy, load_policy

FILES = {
    "policy.yaml": """\
name: small
version: "2026.11.1"
timezone: Asia/Shanghai
requires: {grid: ">=2026.10"}
modes: [normal, emergency]
grid_levels: [township, community]
include: [catalogue/*.yaml, clocks.yaml, rules.yaml]
fallback: {lead: centre, sla: triage, ladder: desk, reason: "no route matched"}
reasons: {return: {not_ours: {zh: 非本单位职责, en: Not our duty}}}
""",
    "catalogue/departments.yaml": """\
departments:
  centre: {zh: 指挥中心, en: Command centre, level: city}
  gas-company: {zh: 燃气公司, en: Gas company, group: utilities, level: city}
  fire-brigade: {zh: 消防, en: Fire brigade}
  street-office: {zh: 乡镇街道, en: Township office, level: township, units: from_grid}
""",
    "catalogue/categories.yaml": """\
categories:
  "03": {zh: 市政, en: Utilities, kind: component, severity: 2, evidence: [photo], public: true}
  "03.02":
    zh: 燃气
    en: Gas
    life_safety: true
    aliases: [GAS LEAK, 煤气]
    standard_ref: "0302"
    standards: {a: {zh: 泄漏, limit: 2h, close: 恢复}, b: {zh: 标识破损, limit: 2wd, close: 修复}}
  "03.02.01": {zh: 管道, en: Pipe, severity_cap: 2}
  noise.residential: {zh: 噪声, en: Noise, severity: 4, self_handled: true}
""",
    "catalogue/sources.yaml": """\
sources:
  hotline: {platform: people}
  ai_video: {platform: ground, verify: {below_confidence: 0.9}, strict_place: true, strict_category: true}
  rider: {platform: people, severity_cap: 2, verify: true, extend_promised: {max: 30d}}
""",
    "clocks.yaml": """\
calendars:
  cn-office:
    hours: {workday: ["08:30-12:00", "13:30-17:30"]}
    days: {provider: holidays, country: CN}
    hours_per_working_day: 8
    overrides: {"2026-11-09": restday}
  night: {hours: {all: ["22:00-06:00"]}}
sla:
  gas-leak:
    calendar: always
    targets: {acknowledge: {within: 2m, of: each}, attend: 15m, resolve: 4h}
    warn: [80%, 50%]
    return_within: 10m
    reopen: {within: 7d, clock: reset}
    hold: {max: 2d, times: 2}
  by-standard: {calendar: cn-office, targets: {acknowledge: 30wm, resolve: {within: standard, default: 5wd}}}
  triage: {calendar: cn-office, targets: {resolve: 1wd_end}, verify_within: 30m}
ladders:
  grid-up:
    calendar: cn-office
    steps:
      - {trigger: "resolve 90%", to: lead, do: urge}
      - {trigger: "resolve breach", to: up(1), do: notify}
      - {trigger: "resolve breach", after: 1wd, to: level(1), do: supervise}
    then: desk
    hold_outside: cn-office
    acknowledge_timeout: 30wm
    repeat: {every: 1d, times: 3}
    stop_when: [closed]
  desk:
    steps:
      - {trigger: "resolve breach", to: city, do: report}
      - {trigger: "resolve breach", after: 1h, to: centre, do: urge}
merge:
  "03": {radius_m: 50, gap: 30m, life: 24h, mode: suggest}
  "03.02": {same: asset, mode: auto}
""",
    "rules.yaml": """\
guards:
  - {id: drill, when: {tags: [exercise]}, outcome: discard, reason: "an exercise"}
routes:
  - id: gas.leak
    title: {zh: 燃气泄漏, en: Gas leak}
    priority: 900
    when: {category: ["03.02"], severity: "<=2"}
    lead: gas-company
    sla: gas-leak
    ladder: grid-up
    reason: "gas emergency plan"
  - id: utilities
    when: {category: ["03"]}
    lead: street-office@township
    sla: by-standard
    ladder: grid-up
overlays:
  - id: gas.night
    when: {category: ["03.02"], calendar: [night], text.any: [smell of gas, gas]}
    severity: {raise_to: 1}
    tags: [night]
  - id: gas.whistle
    when: {category: ["03.02"]}
    support:
      - {dept: fire-brigade, role: rescue, attend: 15m, required: true}
      - {dept: gas-company, role: the lead itself}
      - {dept: street-office@community}
    targets: {resolve: {within: 2wh, calendar: cn-office}, contact: 1h}
    tags: [whistle]
""",
}


def files(*changes: tuple[str, str], **more: str) -> dict[str, bytes]:
    """The files with texts replaced; each replaced text must be there. `more` adds files (`__` = `/`, `_yaml`)."""
    texts = dict(FILES)
    for old, new in changes:
        (name,) = [name for name, text in texts.items() if old in text]
        texts[name] = texts[name].replace(old, new, 1)
    texts.update({name.replace("__", "/").replace("_yaml", ".yaml"): text for name, text in more.items()})
    return {name: text.encode() for name, text in texts.items()}


def small(*changes: tuple[str, str], **more: str) -> Policy:
    return load_policy(files(*changes, **more))


def at_ms(text: str) -> int:
    """ "2026-02-13 16:00" in Shanghai, or a text with its own offset."""
    moment = datetime.fromisoformat(text if text[-6] in "+-" and ":" in text[-6:] else text + "+08:00")
    return int(moment.timestamp() * 1000)


def some_facts(**changes: object) -> Facts:
    given: dict = {
        "category": "03.02",
        "severity": 2,
        "mode": "normal",
        "path": ("T1", "T1C2"),
        "source": "hotline",
        "platform": "people",
        "at_ms": at_ms("2026-03-04 10:00"),
    }
    return Facts(**(given | changes))
