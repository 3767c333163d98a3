"""A warped, jittered honeycomb, cut into connected regions whose outlines share every vertex.

Three hexagons meet at each vertex, so two regions never touch in a single point: an outline is always a simple ring.
A vertex is the centroid of the three hexagon centres around it; jittering the centres jitters the vertices, and
neighbours agree about them without any rounding or snapping.
"""

import heapq
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geo.metric import FloatArray, metres_per_degree

Indices = npt.NDArray[np.int64]

_ROW_STEP = 0.75**0.5  # of the spacing between centres
_JITTER = 0.22  # of the spacing; hexagons stay simple well beyond it


@dataclass(frozen=True, slots=True, eq=False)
class Honeycomb:
    """Hexagons of a blob-shaped city; columns with one row per hexagon."""

    neighbours: Indices
    """(n, 6) hexagon numbers, -1 for none; neighbour k lies across the edge from corner k to corner k + 1."""
    corners: Indices
    """(n, 6) vertex numbers, counter-clockwise."""
    vertices: FloatArray
    """(v, 2) WGS84 degrees, rounded to a millionth."""

    def __len__(self) -> int:
        return len(self.corners)


def honeycomb(rng: np.random.Generator, lon: float, lat: float, side: int, spacing_m: float) -> Honeycomb:
    """Make a city around a position from side × side hexagons of that spacing, finer in the middle than at the rim."""
    row, column = np.divmod(np.arange(side * side), side)
    odd = row & 1
    x = (column + 0.5 * odd) / side * 2.0 - 1.0
    y = row * _ROW_STEP / side * 2.0 - _ROW_STEP
    jitter = rng.uniform(-_JITTER, _JITTER, (side * side, 2)) * (2.0 / side)
    centres = np.column_stack((x, y)) + jitter

    steps = {  # of the index, on even and on odd rows: east, north-east, north-west, west, south-west, south-east
        "even": np.array([1, side, side - 1, -1, -side - 1, -side]),
        "odd": np.array([1, side + 1, side, -1, -side, -side + 1]),
    }
    around = np.arange(side * side)[:, None] + np.where(odd[:, None] == 1, steps["odd"], steps["even"])
    inside = _in_blob(rng, centres) & (row > 0) & (row < side - 1) & (column > 0) & (column < side - 1)
    member = np.flatnonzero(_connected(inside, around, side * (side // 2) + side // 2))
    number = np.full(side * side, -1)
    number[member] = np.arange(len(member))

    # Corner k lies between the neighbours k and k + 1; it is the triangle of the three centres.
    triangles = np.stack(
        [np.repeat(member[:, None], 6, axis=1), around[member], np.roll(around[member], -1, axis=1)], -1
    )
    corner_triples, corners = np.unique(np.sort(triangles.reshape(-1, 3), axis=1), axis=0, return_inverse=True)
    flat = centres[corner_triples].sum(axis=1) / 3.0
    warped_m = flat * (0.6 + 0.4 * np.sum(flat * flat, axis=1, keepdims=True)) * (side * spacing_m / 2.0)
    scale = np.array([float(axis) for axis in metres_per_degree(lat)])
    vertices = np.round(np.array([lon, lat]) + warped_m / scale, 6)
    # Edge k runs from corner k - 1 to corner k and faces neighbour k; roll so that it runs from corner k to k + 1.
    return Honeycomb(number[around[member]], np.roll(corners.reshape(-1, 6), 1, axis=1), vertices)


def _in_blob(rng: np.random.Generator, centres: FloatArray) -> npt.NDArray[np.bool_]:
    """Tell what lies in an outline that wobbles with the direction z: radius 0.75 + Σ Re(c·z^k), without cosines."""
    radius = np.sqrt(np.sum(centres * centres, axis=1))
    along, across = centres.T / np.maximum(radius, 1e-12)
    real, imaginary = along, across
    wobble = np.zeros(len(centres))
    for amplitude in (0.05, 0.05, 0.03, 0.02, 0.02):
        real, imaginary = real * along - imaginary * across, real * across + imaginary * along
        c = rng.uniform(-0.7, 0.7, 2) * amplitude
        wobble += c[0] * real - c[1] * imaginary
    return np.asarray(radius < 0.75 + wobble, dtype=np.bool_)


def _connected(inside: npt.NDArray[np.bool_], around: Indices, start: int) -> npt.NDArray[np.bool_]:
    """Return the part of `inside` that can be reached from a hexagon."""
    reached = np.zeros_like(inside)
    reached[start] = True
    front = np.array([start])
    while len(front):
        front = np.unique(around[front])
        front = front[inside[front] & ~reached[front]]
        reached[front] = True
    return reached


def grow(rng: np.random.Generator, mesh: Honeycomb, members: Indices, parts: int) -> list[Indices]:
    """Cut connected members into that many connected parts of similar size; parts <= len(members).

    From random seeds, the smallest part that can still grow takes a random neighbour, until nothing is left.
    """
    if parts == 1:
        return [members]
    seeds = rng.choice(members, parts, replace=False).tolist()
    part_of = dict.fromkeys(members.tolist(), -1)
    fronts: list[list[int]] = [[seed] for seed in seeds]
    taken: list[list[int]] = [[] for _ in seeds]
    for part, seed in enumerate(seeds):
        part_of[seed] = part
    picks = iter(rng.random(7 * len(members) + 2 * parts).tolist())
    queue = [(0, part) for part in range(parts)]
    neighbours = mesh.neighbours
    while queue:
        size, part = heapq.heappop(queue)
        front = fronts[part]
        while front:
            at = int(next(picks) * len(front))
            front[at], front[-1] = front[-1], front[at]
            hexagon = front.pop()
            if part_of[hexagon] == -1 or (part_of[hexagon] == part and size == 0):
                part_of[hexagon] = part
                taken[part].append(hexagon)
                front += [near for near in neighbours[hexagon].tolist() if part_of.get(near, 0) == -1]
                heapq.heappush(queue, (size + 1, part))
                break
    return [np.array(sorted(hexagons)) for hexagons in taken]


def outline(mesh: Honeycomb, members: Indices) -> list[list[list[float]]]:
    """Trace a connected region as GeoJSON wants it: closed rings, the outer one first and counter-clockwise."""
    inner = np.isin(mesh.neighbours[members], members)
    start = mesh.corners[members][~inner]
    end = np.roll(mesh.corners[members], -1, axis=1)[~inner]
    following = dict(zip(start.tolist(), end.tolist(), strict=True))
    rings: list[list[list[float]]] = []
    while following:
        vertex = min(following)
        ring = [vertex]
        while vertex in following:
            vertex = following.pop(vertex)
            ring.append(vertex)
        rings.append(mesh.vertices[ring].tolist())
    return sorted(rings, key=lambda ring: -_signed_area(ring))


def _signed_area(ring: list[list[float]]) -> float:
    """In square degrees from the first vertex, positive if counter-clockwise."""
    points = np.array(ring) - ring[0]
    return float(np.sum(points[:-1, 0] * points[1:, 1] - points[1:, 0] * points[:-1, 1])) / 2.0
