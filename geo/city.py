"""A made-up city of the size we are modelled on: 13 / 109 / 946 / 4,193 / 6,063 cells, and what stands in them.

The same seed gives the same city, byte for byte. Names are put together from syllables and name no real place. This is
data for examples, tests and the bench; nothing in `geo` depends on it.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import orjson

from geo.honeycomb import Honeycomb, Indices, grow, honeycomb, outline
from geo.things import Kind, Thing

CELLS = (13, 109, 946, 4193, 6063)  # at levels 1 to 5
STREETS = 5  # of the 13; the others are towns
ASSETS, CAMERAS, COMPOUNDS, ROADS = 13_000, 8_500, 417, 240
SERVICE_CENTRES = (("street", 5), ("community", 29), ("compound", 16))

_PREFIX = "530002"
LON, LAT = 103.0, 25.0
SIDE, SPACING_M = 260, 270.0  # about 35,000 hexagons of 6 ha on average, six to a leaf


def _syllables(text: str) -> list[tuple[str, str]]:
    return [(word[0], word[1:]) for word in text.split()]


_FIRST = _syllables(
    "安An 宝Bao 长Chang 德De 东Dong 丰Feng 福Fu 广Guang 和He 恒Heng "
    "华Hua 吉Ji 嘉Jia 金Jin 康Kang 乐Le 明Ming 宁Ning 平Ping 庆Qing "
    "荣Rong 瑞Rui 盛Sheng 泰Tai 文Wen 祥Xiang 兴Xing 永Yong 裕Yu 正Zheng"
)
_SECOND = _syllables(
    "安An 昌Chang 川Chuan 谷Gu 湖Hu 江Jiang 林Lin 龙Long 民Min 南Nan "
    "桥Qiao 山Shan 水Shui 塘Tang 田Tian 西Xi 溪Xi 园Yuan 源Yuan 洲Zhou"
)
_ASSET_TYPES = ("路灯", "井盖", "消防栓", "果皮箱", "交通标志", "行道树", "公交站亭", "配电箱", "健身器材", "雨水口")


@dataclass(frozen=True, slots=True)
class Cell:
    """One of a made-up city, with the hexagons it is made of."""

    code: str
    name: str
    level: int
    parent: str | None
    hexagons: Indices


@dataclass(frozen=True, slots=True, eq=False)
class City:
    """A made-up one. `population` is of each leaf, by code; `cells` come parents first."""

    seed: int
    things: tuple[Thing, ...]
    population: Mapping[str, int]
    gazetteer_csv: bytes
    cells: Sequence[Cell] = field(repr=False)
    mesh: Honeycomb = field(repr=False)

    def grid_geojson(self) -> bytes:
        """Return the grid for `load_grid`; children tile their parent exactly, with every vertex shared."""
        features: list[dict[str, Any]] = [
            {
                "type": "Feature",
                "properties": {"code": cell.code, "name": cell.name, "level": cell.level, "parent": cell.parent},
                "geometry": {"type": "Polygon", "coordinates": outline(self.mesh, cell.hexagons)},
            }
            for cell in self.cells
        ]
        return orjson.dumps({"type": "FeatureCollection", "features": features})

    def things_csv(self) -> bytes:
        """Return the things for `load_things`."""
        columns = ["id", "kind", "lon", "lat", "cell", "name"]
        more = sorted({key for thing in self.things for key in thing.attributes})
        return to_csv(
            [*columns, *more],
            (
                [t.id, t.kind, t.lon, t.lat, t.cell or "", t.name, *(t.attributes.get(key, "") for key in more)]
                for t in self.things
            ),
        )


def synthetic_city(seed: int = 1) -> City:
    """Make the city; takes a few seconds."""
    rng = np.random.Generator(np.random.PCG64(seed))
    mesh = honeycomb(rng, LON, LAT, SIDE, SPACING_M)
    names = _Names(rng)
    cells = _cells(rng, mesh, names)
    leaves = [cell for cell in cells if cell.level == len(CELLS)]
    people = rng.integers(30, 230, len(leaves))
    spots = _Spots(rng, mesh, leaves, people)
    things, entries = _furnish(rng, names, spots, cells)
    return City(
        seed=seed,
        things=tuple(things),
        population=MappingProxyType({leaf.code: int(count) for leaf, count in zip(leaves, people, strict=True)}),
        gazetteer_csv=to_csv(["name", "aliases", "kind", "lon", "lat", "cell"], entries),
        cells=cells,
        mesh=mesh,
    )


class _Names:
    """Three-syllable stems, Chinese and romanised, no stem twice."""

    def __init__(self, rng: np.random.Generator) -> None:
        order = rng.permutation(len(_FIRST) * len(_SECOND) * len(_FIRST)).tolist()
        self._stems = iter(order)

    def stem(self) -> tuple[str, str]:
        rest, first = divmod(next(self._stems), len(_FIRST))
        middle, second = divmod(rest, len(_SECOND))
        syllables = (_FIRST[first], _FIRST[middle], _SECOND[second])
        return "".join(zh for zh, _ in syllables), "".join(en for _, en in syllables).capitalize()


def _cells(rng: np.random.Generator, mesh: Honeycomb, names: _Names) -> list[Cell]:
    """Make all levels, parents before children. Each parent is cut into a number of children that goes by its size."""
    above = [Cell(_PREFIX, "", 0, None, np.arange(len(mesh)))]
    cells: list[Cell] = []
    for level, count in enumerate(CELLS, start=1):
        sizes = np.array([len(cell.hexagons) for cell in above])
        below: list[Cell] = []
        for parent, quota in zip(above, _quotas(sizes, count), strict=True):
            for serial, hexagons in enumerate(grow(rng, mesh, parent.hexagons, quota), start=1):
                name = _cell_name(names, parent, level, serial)
                code = f"{parent.code}{serial:03d}"
                below.append(Cell(code, name, level, None if level == 1 else parent.code, hexagons))
        cells += below
        above = below
    return cells


def _quotas(sizes: Indices, total: int) -> list[int]:
    """Split a total by size: at least 1 and at most the size each, the largest remainders first (ties: first come)."""
    ideal = sizes * (total / sizes.sum())
    quotas = np.clip(np.floor(ideal).astype(np.int64), 1, sizes)
    while (missing := total - int(quotas.sum())) != 0:
        step = 1 if missing > 0 else -1
        possible = np.flatnonzero(quotas < sizes if step > 0 else quotas > 1)
        order = possible[np.argsort(step * (quotas - ideal)[possible], kind="stable")]
        quotas[order[: abs(missing)]] += step
    return [int(quota) for quota in quotas]


def _cell_name(names: _Names, parent: Cell, level: int, serial: int) -> str:
    if level == 1:
        return names.stem()[0] + ("街道" if serial <= STREETS else "镇")
    if level == 2:
        return names.stem()[0] + ("社区" if parent.name.endswith("街道") else "村")
    return f"{parent.name}{'－' if level > 3 else ''}{serial}{'网格' if level == 3 else ''}"


class _Spots:
    """Random positions, each well inside a leaf."""

    def __init__(self, rng: np.random.Generator, mesh: Honeycomb, leaves: list[Cell], people: Indices) -> None:
        self._rng, self._mesh, self._leaves = rng, mesh, leaves
        self._rank = np.cumsum(people)

    def by_population(self, count: int) -> list[Cell]:
        """Draw leaves, each as likely as its share of the people."""
        at = self._rng.integers(0, self._rank[-1], count)
        return [self._leaves[number] for number in np.searchsorted(self._rank, at, side="right")]

    def apart(self, count: int, within: str = "") -> list[Cell]:
        """Draw different leaves below a cell."""
        below = [leaf for leaf in self._leaves if leaf.code.startswith(within)]
        return [below[number] for number in self._rng.choice(len(below), count, replace=False)]

    def position(self, leaf: Cell) -> tuple[float, float]:
        """Draw a position in the inner nine tenths of a triangle between a hexagon's middle and one of its edges."""
        hexagon = int(self._rng.choice(leaf.hexagons))
        corners = self._mesh.vertices[self._mesh.corners[hexagon]]
        side = int(self._rng.integers(6))
        u, v = self._rng.random(2).tolist()
        if u + v > 1.0:
            u, v = 1.0 - u, 1.0 - v
        middle = corners.sum(axis=0) / 6.0
        point = middle + 0.9 * (u * (corners[side] - middle) + v * (corners[(side + 1) % 6] - middle))
        return round(float(point[0]), 6), round(float(point[1]), 6)


def _furnish(
    rng: np.random.Generator, names: _Names, spots: _Spots, cells: list[Cell]
) -> tuple[list[Thing], list[list[Any]]]:
    """Make the things and the rows of the gazetteer."""
    things: list[Thing] = []
    rows: list[list[Any]] = []

    def put(number: int, kind: Kind, leaf: Cell, name: str, **attributes: str) -> Thing:
        thing = Thing(
            f"{kind}-{number:05d}", kind, *spots.position(leaf), leaf.code, name, MappingProxyType(attributes)
        )
        things.append(thing)
        return thing

    for number, (leaf, type_number) in enumerate(
        zip(spots.by_population(ASSETS), rng.integers(len(_ASSET_TYPES), size=ASSETS), strict=True), start=1
    ):
        put(number, Kind.ASSET, leaf, f"{_ASSET_TYPES[type_number]}{number}", type=_ASSET_TYPES[type_number])
    for number, leaf in enumerate(spots.by_population(CAMERAS), start=1):
        put(number, Kind.CAMERA, leaf, f"摄像头{number}")
    for number, leaf in enumerate(spots.apart(COMPOUNDS), start=1):
        stem, english = names.stem()
        thing = put(number, Kind.COMPOUND, leaf, f"{stem}小区")
        rows.append([thing.name, f"{english} Compound|{stem}家园", "compound", thing.lon, thing.lat, leaf.code])
    streets = [cell for cell in cells if cell.level == 1][:STREETS]
    number = 0
    for level, count in SERVICE_CENTRES:
        for nth in range(count):
            number += 1
            stem, english = names.stem()
            [leaf] = spots.apart(1, within=streets[nth % STREETS].code)
            thing = put(number, Kind.SERVICE_CENTRE, leaf, f"{stem}党群服务中心", level=level)
            rows.append([thing.name, f"{english} Service Centre", "service_centre", thing.lon, thing.lat, leaf.code])
    for leaf in spots.by_population(ROADS):
        stem, english = names.stem()
        rows.append([f"{stem}路", f"{english} Road|{english} Rd.", "road", *spots.position(leaf), leaf.code])
    rows += [[cell.name, "", "area", "", "", cell.code] for cell in cells if cell.level <= 2]
    return things, rows


def to_csv(heading: Sequence[str], rows: Sequence[Sequence[Any]] | Iterator[Sequence[Any]]) -> bytes:
    """A heading and its rows."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heading)
    writer.writerows(rows)
    return text.getvalue().encode()
