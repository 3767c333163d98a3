"""How the garbage collector is set for a process whose memory is mostly incidents.

What the engine keeps is outside the collector's books; what a batch makes dies with it. Collecting as often as Python
does by default walks everything loaded at the start (policy, grid, modules) again and again for nothing.
"""

import gc

__all__ = ["settle_memory"]

YOUNG_OBJECTS = 50_000  # a batch of 1,000 records makes about as many; the default is 700


def settle_memory() -> None:
    """Call once everything is loaded: what is there stays out of later collections."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 50)
