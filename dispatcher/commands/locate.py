"""`dispatcher locate` and `dispatcher grid check`."""

from pathlib import Path

import msgspec
from rich.table import Table

from dispatcher.commands.opening import config_of
from dispatcher.commands.talk import fail, out, print_json
from geo import Locator, load_grid, survey, to_wgs84

__all__ = ["grid_check_command", "locate_command"]


def locate_command(
    config_path: Path, lon: float, lat: float, accuracy_m: float | None, crs: str, *, json: bool
) -> None:
    """Print the cell of a position, its path and how it was found; exit 1 when there is none."""
    config = config_of(config_path)
    grid = load_grid(config.grid.read_bytes())
    if crs not in ("wgs84", "gcj02", "bd09"):
        fail(f"--crs takes wgs84, gcj02 or bd09, not {crs}", 2)
    if crs != "wgs84":
        xs, ys = to_wgs84([lon], [lat], crs)
        lon, lat = float(xs[0]), float(ys[0])
    place = Locator(grid, tolerance_m=config.locate.tolerance_m).place(lon, lat, accuracy_m)
    if json:
        print_json(msgspec.to_builtins(place))
    else:
        names = " > ".join(f"{code} {grid.name_of(code)}" for code in place.path) or "no cell"
        share = "" if place.share is None else f", {place.share:.1%} of the circle"
        note = "" if place.note is None else f" ({place.note})"
        out.print(f"{names}: {place.how}{share}{note}", markup=False)
    raise SystemExit(0 if place.cell is not None else 1)


def grid_check_command(config_path: Path, file: Path | None, *, json: bool) -> None:
    """Print what the grid holds and what is untidy about it."""
    grid = load_grid((file or config_of(config_path).grid).read_bytes())
    warnings = survey(grid)
    levels = [len(grid.cells_at(level)) for level in range(1, grid.levels + 1)]
    if json:
        found = [{"kind": w.kind, "cells": w.cells, "area_m2": round(w.area_m2, 1)} for w in warnings]
        print_json({"sha256": grid.sha256, "levels": levels, "leaves": len(grid.leaf_numbers), "warnings": found})
        return
    out.print(f"grid {grid.sha256[:12]}: {len(grid)} cells at {grid.levels} levels ({', '.join(map(str, levels))})")
    table = Table("kind", "cells", "m²", title=f"{len(warnings)} warning(s)")
    for warning in warnings:
        table.add_row(str(warning.kind), ", ".join(warning.cells), f"{warning.area_m2:,.0f}")
    if warnings:
        out.print(table)
