"""Does a report cost more when there is more of everything? Open incidents, rules, cells: each grown by itself.

`cities` makes towns with as many cells as wanted, `backlog` engines with as many open incidents; `rounds` measures and
`table` says how each size compares with the smallest. `python -m bench.growth` prints it.
"""
