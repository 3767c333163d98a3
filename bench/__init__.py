"""How fast, and is it still right? Seeded workloads × drivers; every timed run checks its answers.

Workloads are data (`town`, `policy`, `workload`), drivers do the work (`core`, `embedded`; `parts` and `memory` look at
single pieces), `answers` knows what must have come out, `table` says how it compares with the budgets.
"""
