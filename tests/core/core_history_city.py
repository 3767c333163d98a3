"""The policies of random histories: the tiny one with everything that can run, climb, wait or be asked for."""

_LADDERS = """ladders:
  climb:
    calendar: cn-office
    steps:
      - {trigger: "acknowledge 50%", to: lead, do: urge}
      - {trigger: "acknowledge breach", to: up(1), do: notify}
      - {trigger: "resolve 50%", to: lead, do: urge}
      - {trigger: "resolve 90%", to: up(1), do: notify}
      - {trigger: "resolve breach", to: up(1), do: supervise}
      - {trigger: "resolve breach", after: 2wh, to: level(1), do: supervise}
      - {trigger: "resolve breach", after: 1d, to: city, do: report}
    hold_outside: cn-office
    acknowledge_timeout: 4h
    repeat: {every: 1wd, times: 1}
  quick:
    steps:
      - {trigger: "acknowledge breach", to: lead, do: urge}
      - {trigger: "attend 75%", to: lead, do: urge}
      - {trigger: "attend breach", to: level(1), do: supervise}
      - {trigger: "resolve breach", to: city, do: report}
      - {trigger: "resolve breach", after: 30m, to: fire-brigade, do: notify}
    repeat: {every: 2h, times: 1}
    stop_when: [arrived]
"""
_OVERLAYS = """overlays:
  - id: storm
    when: {mode: [emergency]}
    severity: {raise_to: 1}
    tags: [storm]
    support: [{dept: fire-brigade, attend: 1h, required: true}]
    targets: {resolve: 3h}
  - {id: called, when: {whistle: [emergency]}, support: [{dept: fire-brigade, required: true}]}
"""
_ROUTES = """routes:
  - id: surge
    priority: 950
    when: {category: ["02"], mode: [emergency]}
    lead: fire-brigade
    sla: gas-leak
    ladder: quick
"""
LIVELY = (
    ("en: Component, severity: 4,", "en: Component, severity: 4, public: true,"),
    ("ladders:\n", _LADDERS),
    ("sla: works, ladder: city-desk", "sla: works, ladder: climb"),
    ('sla: works, reason: "territory"', 'sla: works, ladder: climb, reason: "territory"'),
    ("sla: gas-leak, reason", "sla: gas-leak, ladder: quick, reason"),
    ("sla: lead-only}", "sla: lead-only, ladder: quick}"),
    ("resolve: 8h}\n", "resolve: 8h, check: 12h, callback: 2d}\n    close_after: callback\n    warn: [25%]\n"),
    ("done_by: lead_only", "done_by: lead_only\n    hold: {max: 4d, times: 3}"),
    ("return_within: 10m", "return_within: 10m\n    hold: {max: 6h, times: 3}"),
    ("hold: {max: 5d, times: 1}", "hold: {max: 5d, times: 3}\n    extend_times: 1\n    return_within: 3h"),
    ("resolve: {within: standard}}}", "resolve: {within: standard}}, hold: {max: 1d}}"),
    ("overlays:\n", _OVERLAYS),
    ("routes:\n", _ROUTES),
)  # fmt: skip
# What a history may put in force instead: other leads, other budgets, another merge rule.
AMENDED = (
    *LIVELY,
    ('version: "1"', 'version: "2"'),
    ("lead: water-bureau, sla: by-standard", "lead: traffic-police, sla: triage"),
    ("gap: 30m, life: 24h, mode: auto", "gap: 30m, life: 24h, mode: suggest"),
)  # fmt: skip
