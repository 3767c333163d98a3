"""Dumber than what is tested: plain Python over GeoJSON, one point and one edge at a time, exact where it matters."""

import itertools
import json
import math
from fractions import Fraction

A_M, FLATTENING = 6378137.0, 1 / 298.257223563


def feature(code, shape, parent=None, level=None, name=None, **more):
    """A cell; `shape` is a box (west, south, east, north), a list of rings, or a GeoJSON geometry."""
    if isinstance(shape, tuple):
        shape = [ring_of_box(*shape)]
    geometry = shape if isinstance(shape, dict) else {"type": "Polygon", "coordinates": shape}
    level = level if level is not None else 1 if parent is None else 2
    properties = {"code": code, "name": name or f"cell {code}", "level": level, "parent": parent, **more}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def ring_of_box(west, south, east, north):
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def collection(*features, **dumps):
    return json.dumps({"type": "FeatureCollection", "features": list(features)}, **dumps).encode()


def metres_per_degree(lat):
    e2 = FLATTENING * (2 - FLATTENING)
    phi = math.radians(lat)
    w = 1 - e2 * math.sin(phi) ** 2
    return math.radians(A_M * math.cos(phi) / math.sqrt(w)), math.radians(A_M * (1 - e2) / w**1.5)


def plain_distance_m(lon, lat, to_lon, to_lat):
    x_m, y_m = metres_per_degree((lat + to_lat) / 2)
    return math.hypot(x_m * (to_lon - lon), y_m * (to_lat - lat))


def vincenty_m(lon, lat, to_lon, to_lat):
    """T. Vincenty's inverse formula (Survey Review 23, 1975): the geodesic, good to a millimetre."""
    b = A_M * (1 - FLATTENING)
    u1 = math.atan((1 - FLATTENING) * math.tan(math.radians(lat)))
    u2 = math.atan((1 - FLATTENING) * math.tan(math.radians(to_lat)))
    longitude = lam = math.radians(to_lon - lon)
    for _ in range(50):
        sin_sigma = math.hypot(
            math.cos(u2) * math.sin(lam),
            math.cos(u1) * math.sin(u2) - math.sin(u1) * math.cos(u2) * math.cos(lam),
        )
        cos_sigma = math.sin(u1) * math.sin(u2) + math.cos(u1) * math.cos(u2) * math.cos(lam)
        sigma = math.atan2(sin_sigma, cos_sigma)
        sin_alpha = math.cos(u1) * math.cos(u2) * math.sin(lam) / sin_sigma
        cos2_alpha = 1 - sin_alpha**2
        cos_2sm = cos_sigma - 2 * math.sin(u1) * math.sin(u2) / cos2_alpha if cos2_alpha else 0.0
        c = FLATTENING / 16 * cos2_alpha * (4 + FLATTENING * (4 - 3 * cos2_alpha))
        before = lam
        lam = longitude + (1 - c) * FLATTENING * sin_alpha * (
            sigma + c * sin_sigma * (cos_2sm + c * cos_sigma * (2 * cos_2sm**2 - 1))
        )
        if abs(lam - before) < 1e-13:
            break
    u_2 = cos2_alpha * (A_M**2 - b**2) / b**2
    big_a = 1 + u_2 / 16384 * (4096 + u_2 * (-768 + u_2 * (320 - 175 * u_2)))
    big_b = u_2 / 1024 * (256 + u_2 * (-128 + u_2 * (74 - 47 * u_2)))
    inner = cos_sigma * (2 * cos_2sm**2 - 1) - big_b / 6 * cos_2sm * (4 * sin_sigma**2 - 3) * (4 * cos_2sm**2 - 3)
    return b * big_a * (sigma - big_b * sin_sigma * (cos_2sm + big_b / 4 * inner))


def turn(a, b, p):
    """Sign of the side of a→b on which p lies: by floats where they are safe, by fractions where they aren't."""
    left, right = (b[0] - a[0]) * (p[1] - a[1]), (b[1] - a[1]) * (p[0] - a[0])
    if abs(left - right) > 1e-14 * (abs(left) + abs(right)):
        return 1 if left > right else -1
    (ax, ay), (bx, by), (px, py) = (tuple(map(Fraction, point)) for point in (a, b, p))
    exact = (bx - ax) * (py - ay) - (by - ay) * (px - ax)
    return (exact > 0) - (exact < 0)


def covers(polygons, p):
    """Ray casting to the east over every edge of every ring; an edge counts as inside."""
    inside = False
    for polygon in polygons:
        for ring in polygon:
            for a, b in itertools.pairwise(ring):
                if max(a[1], b[1]) < p[1] or min(a[1], b[1]) > p[1]:
                    continue
                side = turn(a, b, p)
                if side == 0 and min(a[0], b[0]) <= p[0] <= max(a[0], b[0]):
                    return True
                if (a[1] > p[1]) != (b[1] > p[1]) and (side > 0) == (b[1] > a[1]):
                    inside = not inside
    return inside


def edge_distance_m(polygons, lon, lat):
    x_m, y_m = metres_per_degree(lat)
    least = math.inf
    for polygon in polygons:
        for ring in polygon:
            plane = [((x - lon) * x_m, (y - lat) * y_m) for x, y in ring]
            for (ax, ay), (bx, by) in itertools.pairwise(plane):
                dx, dy = bx - ax, by - ay
                along = -(ax * dx + ay * dy) / ((dx * dx + dy * dy) or 1.0)
                t = max(0.0, min(1.0, along))
                least = min(least, math.hypot(ax + t * dx, ay + t * dy))
    return least


class BruteGrid:
    """The rules of `geo.locator` for one point, by looking at every cell."""

    def __init__(self, document):
        self.cells = {}
        parents = set()
        for item in document["features"]:
            geometry, properties = item["geometry"], item["properties"]
            polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
            points = [point for polygon in polygons for point in polygon[0]]
            xs, ys = [x for x, _ in points], [y for _, y in points]
            box = (min(xs), min(ys), max(xs), max(ys))
            self.cells[properties["code"]] = (properties["level"], polygons, box)
            parents.add(properties["parent"])
        self.leaves = sorted(set(self.cells) - parents)
        self.branches = sorted(set(self.cells) & parents, key=lambda code: (-self.cells[code][0], code))
        boxes = [box for _, _, box in self.cells.values()]
        self.bounds = tuple(f(column) for f, column in zip((min, min, max, max), zip(*boxes, strict=True), strict=True))

    def near(self, codes, lon, lat, margin):
        for code in codes:
            _, polygons, (west, south, east, north) = self.cells[code]
            if west - margin <= lon <= east + margin and south - margin <= lat <= north + margin:
                yield code, polygons

    def locate(self, lon, lat, tolerance_m):
        for code, polygons in self.near(self.leaves, lon, lat, 0.0):
            if covers(polygons, (lon, lat)):
                return code, "exact"
        distances = [
            (edge_distance_m(polygons, lon, lat), code) for code, polygons in self.near(self.leaves, lon, lat, 0.01)
        ]
        least = min((metres for metres, _ in distances), default=math.inf)
        if least <= tolerance_m:
            return min(code for metres, code in distances if metres <= least + 0.001), "nearest"
        for code, polygons in self.near(self.branches, lon, lat, 0.0):
            if covers(polygons, (lon, lat)):
                return code, "gap"
        return None, "outside"

    def edges(self, codes=None):
        for code in codes or self.cells:
            for polygon in self.cells[code][1]:
                for ring in polygon:
                    yield from itertools.pairwise(ring)
