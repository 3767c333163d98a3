"""What grew, how far, what a report costs there, and how many times what it costs at the smallest size."""

from collections.abc import Sequence
from typing import Any

from bench.growth.rounds import Grown
from bench.table import Row, format_table, row_json

__all__ = ["format_grown", "grown_json"]


def format_grown(grown: Grown) -> str:
    """For people."""
    return format_table(_rows(grown))


def grown_json(grown: Grown) -> dict[str, Any]:
    """For programs."""
    return {"rows": [row_json(row) for row in _rows(grown)]}


def _rows(grown: Grown) -> list[Row]:
    """Ratios first, each taken within a round."""
    smallest: dict[str, int] = {}
    for what, size in grown.took_us:
        smallest[what] = min(size, smallest.get(what, size))
    ratios, rows = list[Row](), list[Row]()
    for (what, size), took_us in grown.took_us.items():
        least = grown.took_us[what, smallest[what]]
        rows.append(Row(f"growth: {size:,} {what}", "µs", took_us))
        if size != smallest[what]:
            ratios.append(Row(f"growth: {size:,} over {smallest[what]:,} {what}", "×", _over(took_us, least)))
    memory = [
        Row(f"growth: memory of each of {n:,} open incidents, caches included", "B", [b])
        for n, b in grown.incident_bytes.items()
    ]
    return [*ratios, *rows, *memory]


def _over(took_us: Sequence[float], least_us: Sequence[float]) -> list[float]:
    return [one / other for one, other in zip(took_us, least_us, strict=True)]
