"""What others would use for a single piece of ours, on the same input, in the same rounds, its answers checked.

`locating`: Rtree asked point by point, and Shapely's STRtree in bulk, beside our locator. `tabling` makes a decision
table of ZEN Engine from a policy's routes, and `deciding` runs it, and the plain loop over all rules, beside our
decider. Each is written as its own documentation advises; `WITHOUT` says what each does not do that ours does.
"""

from bench.rivals.comparing import WITHOUT, Rivals

__all__ = ["WITHOUT", "Rivals"]
