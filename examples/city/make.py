"""Make this example: a town of 250 leaf cells, what stands in it, and its register. The same seed, the same bytes.

    python examples/city/make.py --out examples/city [--seed 1]

Everything is made up: names are put together from syllables, persons are numbers, telephones begin with 000. The
numbers keep the proportions of the city we are modelled on, at about 1 to 24.
"""

import argparse
import csv
import io
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from make_register import register_tables

from geo.honeycomb import Honeycomb, Indices, grow, honeycomb, outline

CELLS = (3, 9, 39, 173, 250)  # 13 / 109 / 946 / 4,193 / 6,063 in the city we are modelled on
STREETS = 2  # of the 3; the other is a town
ASSETS, CAMERAS, COMPOUNDS, OFFICERS = 540, 350, 17, 40
CENTRES = (("street", 2), ("community", 4), ("compound", 1), ("field", 1))
PREFIX = "530003"
LON, LAT, SIDE, SPACING_M = 103.5, 25.2, 42, 200.0

FIRST, SECOND = "安宝长德东丰福广和恒华吉嘉金康乐明宁平庆", "昌川谷湖江林龙民南桥山水塘田西溪园源洲"
ASSET_TYPES = ("路灯", "井盖", "消防栓", "果皮箱", "交通标志", "行道树", "公交站亭", "配电箱", "健身器材", "雨水口")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell and the hexagons it is made of."""

    code: str
    name: str
    level: int
    parent: str | None
    hexagons: Indices


class Names:
    """Stems of two syllables, none twice."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._order = iter(rng.permutation(len(FIRST) * len(SECOND)).tolist())

    def stem(self) -> str:
        """The next one."""
        first, second = divmod(next(self._order), len(SECOND))
        return FIRST[first] + SECOND[second]


def shared_out(sizes: Sequence[int], total: int) -> list[int]:
    """Share out a total, one at a time, to whoever has most for each share so far; at most the size each."""
    shares = [1] * len(sizes)
    for _ in range(total - len(sizes)):
        open_ = [at for at, share in enumerate(shares) if share < sizes[at]]
        shares[max(open_, key=lambda at: sizes[at] / shares[at])] += 1
    return shares


def nested_cells(rng: np.random.Generator, mesh: Honeycomb, names: Names) -> list[Cell]:
    """All levels, parents first; each parent is cut into as many children as go with its size."""
    above = [Cell(PREFIX, "", 0, None, np.arange(len(mesh)))]
    cells: list[Cell] = []
    for level, count in enumerate(CELLS, 1):
        below = []
        for parent, share in zip(above, shared_out([len(cell.hexagons) for cell in above], count), strict=True):
            for serial, hexagons in enumerate(grow(rng, mesh, parent.hexagons, share), 1):
                code, up = f"{parent.code}{serial:03d}", None if level == 1 else parent.code
                below.append(Cell(code, cell_name(names, parent, level, serial), level, up, hexagons))
        cells += below
        above = below
    return cells


def cell_name(names: Names, parent: Cell, level: int, serial: int) -> str:
    """Streets and a town, communities and villages, then numbers."""
    if level == 1:
        return names.stem() + ("街道" if serial <= STREETS else "镇")
    if level == 2:
        return names.stem() + ("社区" if parent.name.endswith("街道") else "村")
    return f"{parent.name}{'－' if level > 3 else ''}{serial}{'网格' if level == 3 else ''}"


def grid_text(mesh: Honeycomb, cells: Iterable[Cell]) -> str:
    """GeoJSON, a feature to a line."""
    lines = []
    for cell in cells:
        properties = {"code": cell.code, "name": cell.name, "level": cell.level, "parent": cell.parent}
        geometry = {"type": "Polygon", "coordinates": outline(mesh, cell.hexagons)}
        feature = {"type": "Feature", "properties": properties, "geometry": geometry}
        lines.append(json.dumps(feature, separators=(",", ":"), ensure_ascii=False))
    return '{"type":"FeatureCollection","features":[\n' + ",\n".join(lines) + "\n]}\n"


def position(rng: np.random.Generator, mesh: Honeycomb, leaf: Cell) -> tuple[float, float]:
    """A position near the middle of one of the leaf's hexagons."""
    corners = mesh.vertices[mesh.corners[int(rng.choice(leaf.hexagons))]]
    weights = 1.0 + rng.random(6)
    lon, lat = (weights @ corners / weights.sum()).tolist()
    return round(lon, 6), round(lat, 6)


def things(
    rng: np.random.Generator, mesh: Honeycomb, names: Names, leaves: Sequence[Cell], officers: Sequence[str]
) -> list[list[Any]]:
    """Rows of things.csv."""
    rows: list[list[Any]] = []

    def put(thing_id: str, kind: str, leaf: Cell, name: str) -> None:
        rows.append([thing_id, kind, *position(rng, mesh, leaf), leaf.code, name])

    def any_leaf(below: str = PREFIX) -> Cell:
        inside = [leaf for leaf in leaves if leaf.code.startswith(below)]
        return inside[int(rng.integers(len(inside)))]

    for number in range(1, ASSETS + 1):
        kind = ASSET_TYPES[int(rng.integers(len(ASSET_TYPES)))]
        put(f"asset-{number:04d}", "asset", any_leaf(), f"{kind}{number}")
    for number in range(1, CAMERAS + 1):
        put(f"camera-{number:04d}", "camera", any_leaf(), f"摄像头{number}")
    for number in range(1, COMPOUNDS + 1):
        put(f"compound-{number:03d}", "compound", any_leaf(), f"{names.stem()}小区")
    number = 0
    for level, count in CENTRES:
        for nth in range(count):
            number += 1
            leaf = any_leaf(f"{PREFIX}{nth % STREETS + 1:03d}")
            put(f"centre-{level}-{number:02d}", "service_centre", leaf, f"{names.stem()}党群服务中心")
    by_code = {leaf.code: leaf for leaf in leaves}
    for officer in officers:
        person, _, code = officer.partition("@")
        put(person, "officer", by_code[code], "")  # his name is in the register
    return rows


def table(heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """CSV text."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heading)
    writer.writerows(rows)
    return text.getvalue()


def main(arguments: Sequence[str] | None = None) -> int:
    """Write grid.geojson, things.csv and register/*.csv."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="the directory that gets the files")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    rng = np.random.Generator(np.random.PCG64(chosen.seed))
    mesh = honeycomb(rng, LON, LAT, SIDE, SPACING_M)
    names = Names(rng)
    cells = nested_cells(rng, mesh, names)
    leaves = [cell for cell in cells if cell.level == len(CELLS)]
    officers = [f"p-officer-{leaf.code[len(PREFIX) :]}@{leaf.code}" for leaf in leaves[3 :: len(leaves) // OFFICERS]]
    rows = things(rng, mesh, names, leaves, officers[:OFFICERS])
    compounds = [row for row in rows if row[1] == "compound"]
    places = [(cell.code, cell.name, cell.level) for cell in cells]
    register = register_tables(rng, places, compounds)
    (chosen.out / "register").mkdir(parents=True, exist_ok=True)
    files = {"grid.geojson": grid_text(mesh, cells)}
    files["things.csv"] = table(("id", "kind", "lon", "lat", "cell", "name"), rows)
    files |= {f"register/{name}": table(heading, body) for name, (heading, body) in register.items()}
    for name, text in files.items():
        (chosen.out / name).write_text(text, encoding="utf-8", newline="")
    sizes = sum(len(text.encode()) for text in files.values())
    sys.stdout.write(f"{len(cells)} cells, {len(rows)} things, {len(files)} files, {sizes:,} bytes -> {chosen.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
