"""How fast, and is it still right? Seeded workloads × drivers; every timed run checks its answers.

Workloads are data (`town`, `policy`, `workload`, `storm`, `burst`), drivers do the work (`core`, `embedded`; `parts`
and `memory` look at single pieces), `answers` knows what must have come out, `rivals` do single pieces as others would,
`table` says how it compares with the budgets. Benches of their own: `decisions`, `gateway`, `growth`, `kafka`,
`restart`, `year`; `full` runs what the README shows and `readme` writes it there.
"""
