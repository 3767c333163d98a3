"""GeoJSON in, one checked `Feature` per cell out: what can be said of a feature without knowing the others."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import shapely

MAX_FEATURES = 100_000  # five times a large city's grid (11,324 cells); beyond it the file is something else
MAX_VERTICES = 5_000_000  # 80 MB of coordinates, about 2 GB while the text is being read
MAX_FEATURE_VERTICES = 200_000  # a whole province's coast has fewer; one feature may not stall every locate


@dataclass(frozen=True, slots=True)
class GridProblem:
    """One reason why a grid can't be used; `feature` is its index in the file, None for the file as a whole."""

    feature: int | None
    code: str | None
    message: str

    def __str__(self) -> str:
        if self.feature is None:
            return self.message
        return f"feature {self.feature} ({self.code if self.code is not None else 'no code'}): {self.message}"


@dataclass(frozen=True, slots=True)
class Feature:
    """A cell as the file states it. A part reported as a problem is None; so is a root's parent."""

    index: int
    code: str
    name: str | None
    level: int | None
    parent: str | None
    parent_known: bool
    geometry: Any  # shapely Polygon or MultiPolygon, valid and not empty, or None


def read_features(data: bytes) -> tuple[list[Feature], list[GridProblem]]:
    """Every feature whose code could be read, and every problem found."""
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        return [], [GridProblem(None, None, f"not JSON: {error}")]
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        return [], [GridProblem(None, None, "not a GeoJSON FeatureCollection")]
    raw = document.get("features")
    if not isinstance(raw, list) or not raw:
        return [], [GridProblem(None, None, "a FeatureCollection needs a non-empty list `features`")]
    if len(raw) > MAX_FEATURES:
        return [], [GridProblem(None, None, f"{len(raw)} features; at most {MAX_FEATURES} are allowed")]
    features: list[Feature] = []
    problems: list[GridProblem] = []
    vertices = 0
    for index, item in enumerate(raw):
        feature, found = _read_feature(index, item)
        problems += found
        if feature is not None:
            features.append(feature)
            vertices += int(shapely.get_num_coordinates(feature.geometry))
    if vertices > MAX_VERTICES:
        problems.append(GridProblem(None, None, f"{vertices} vertices in all; at most {MAX_VERTICES} are allowed"))
    return features, problems


def _read_feature(index: int, item: object) -> tuple[Feature | None, list[GridProblem]]:
    if not isinstance(item, dict) or item.get("type") != "Feature" or not isinstance(item.get("properties"), dict):
        return None, [GridProblem(index, None, "not a GeoJSON Feature with properties")]
    properties = item["properties"]
    code = properties.get("code")
    readable = isinstance(code, str) and code != ""
    messages: list[str] = [] if readable else [_wrong("code", "a non-empty string", properties)]
    name = properties.get("name")
    if not isinstance(name, str):
        messages.append(_wrong("name", "a string", properties))
        name = None
    level = properties.get("level")
    if not isinstance(level, int) or isinstance(level, bool) or level < 1:
        messages.append(_wrong("level", "a whole number from 1", properties))
        level = None
    parent = properties.get("parent")
    parent_known = "parent" in properties and (parent is None or isinstance(parent, str))
    if not parent_known:
        messages.append(_wrong("parent", "a string or null", properties))
        parent = None
    geometry, reason = _read_geometry(item.get("geometry"))
    if reason is not None:
        messages.append(reason)
    problems = [GridProblem(index, code if readable else None, message) for message in messages]
    return Feature(index, code, name, level, parent, parent_known, geometry) if readable else None, problems


def _wrong(key: str, wanted: str, properties: dict[str, Any]) -> str:
    if key not in properties:
        return f"`{key}` is missing; it must be {wanted}"
    return f"`{key}` must be {wanted}, not {orjson.dumps(properties[key]).decode()[:80]}"


def _read_geometry(raw: object) -> tuple[Any, str | None]:
    """Return a polygon and None, or None and the reason why it is none."""
    kind = raw.get("type") if isinstance(raw, dict) else None
    if kind not in {"Polygon", "MultiPolygon"}:
        return None, f"geometry must be a Polygon or MultiPolygon, not {kind or 'missing'}"
    try:
        geometry = shapely.force_2d(shapely.from_geojson(orjson.dumps(raw)))
    except shapely.errors.GEOSException as error:
        return None, f"geometry can't be read: {error}"
    if shapely.is_empty(geometry):
        return None, "geometry is empty"
    vertices = int(shapely.get_num_coordinates(geometry))
    if vertices > MAX_FEATURE_VERTICES:
        return None, f"geometry has {vertices} vertices; at most {MAX_FEATURE_VERTICES} are allowed"
    lonlat = np.abs(shapely.get_coordinates(geometry))
    if not (lonlat[:, 0].max() <= 180.0 and lonlat[:, 1].max() <= 90.0):
        return None, "coordinates lie outside ±180° of longitude or ±90° of latitude (WGS84 degrees are expected)"
    if not shapely.is_valid(geometry):
        return None, f"geometry is invalid: {shapely.is_valid_reason(geometry)}"
    return geometry, None
