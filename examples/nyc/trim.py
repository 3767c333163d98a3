"""Make this example's two data files from the City of New York's own public exports.

    python examples/nyc/trim.py --reports SRC.csv --boroughs B.geojson --districts D.geojson --out examples/nyc

`reports.csv` keeps the twelve columns named below of every row, in the source's order and with the source's values:
facts only, no prose and no addresses. `grid.geojson` joins the two boundary files into one grid of two levels:
boroughs ("1") and the community districts inside them ("105"). The same input gives the same bytes.
"""

import argparse
import csv
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

COLUMNS = (
    "Unique Key",
    "Created Date",
    "Closed Date",
    "Due Date",
    "Agency",
    "Complaint Type",
    "Descriptor",
    "Location Type",
    "Status",
    "Latitude",
    "Longitude",
    "Community Board",
)
DECIMALS = 6  # of a degree, about 0.1 m: below what any of these boundaries was surveyed to

Feature = dict[str, Any]


class TrimError(Exception):
    """An export is not what it should be; the message says which and how."""


def trimmed_reports(export: bytes) -> tuple[str, list[dict[str, str]]]:
    """Cut the rows of a CSV export down to `COLUMNS`; returns CSV text and records, values untouched.

    Raises `TrimError` when a column is missing.
    """
    reader = csv.DictReader(io.StringIO(export.decode("utf-8-sig"), newline=""))
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise TrimError(f"the reports have no column {', '.join(map(repr, missing))}")
    rows = [{name: row[name] for name in COLUMNS} for row in reader]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue(), rows


def grid_features(boroughs: bytes, districts: bytes) -> list[Feature]:
    """Build both levels as GeoJSON features with exactly code, name, level and parent, ordered by level and code.

    The first digit of a district's number is its borough. 1-18 are the community districts; 26 and above are
    joint-interest areas (164 is Central Park), which are cells like any other: reports come from there too.
    """
    names = {str(int(f["properties"]["boro_code"])): f["properties"]["boro_name"] for f in _features(boroughs)}
    cells = [
        _feature(code, names[code], 1, None, f["geometry"])
        for f in _features(boroughs)
        for code in [str(int(f["properties"]["boro_code"]))]
    ]
    for feature in _features(districts):
        code = str(int(feature["properties"]["BoroCD"]))
        borough = code[0]
        if borough not in names:
            raise TrimError(f"district {code} belongs to no borough in the borough file")
        cells.append(_feature(code, f"{names[borough].upper()} {code[1:]}", 2, borough, feature["geometry"]))
    return sorted(cells, key=lambda cell: (cell["properties"]["level"], cell["properties"]["code"]))


def _features(geojson: bytes) -> list[Feature]:
    features: list[Feature] = json.loads(geojson)["features"]
    return features


def _feature(code: str, name: str, level: int, parent: str | None, geometry: Feature) -> Feature:
    properties = {"code": code, "name": name, "level": level, "parent": parent}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def rounded(feature: Feature) -> Feature:
    """Round coordinates to `DECIMALS` places; a feature whose shape that would make invalid stays as it is.

    Each number is rounded by itself, so a vertex that two neighbours share is still shared afterwards.
    """
    geometry = feature["geometry"]
    shorter = {"type": geometry["type"], "coordinates": _round(geometry["coordinates"])}
    return {**feature, "geometry": shorter} if shape(shorter).is_valid else feature


def _round(coordinates: Any) -> Any:  # noqa: ANN401  # nested lists whose depth depends on the geometry's type
    if isinstance(coordinates, float | int):
        return round(float(coordinates), DECIMALS)
    return [_round(inner) for inner in coordinates]


def cells_of_rows(features: Sequence[Feature], rows: Sequence[dict[str, str]]) -> list[tuple[int, str]]:
    """List (row, code) for every row with a position and every cell that covers it, edges included, sorted."""
    shapes: list[BaseGeometry] = [shape(feature["geometry"]) for feature in features]
    placed = [n for n, row in enumerate(rows) if row["Latitude"] and row["Longitude"]]
    points = shapely.points([(float(rows[n]["Longitude"]), float(rows[n]["Latitude"])) for n in placed])
    hits = shapely.STRtree(shapes).query(points, predicate="intersects")
    return sorted((placed[point], features[cell]["properties"]["code"]) for point, cell in hits.T.tolist())


def shortened(exact: Sequence[Feature], rows: Sequence[dict[str, str]]) -> list[Feature]:
    """Round every feature; raises `TrimError` when that would move one of the rows to another cell."""
    grid = [rounded(feature) for feature in exact]
    if cells_of_rows(grid, rows) != cells_of_rows(exact, rows):
        raise TrimError(f"rounding to {DECIMALS} decimals moves a row to another cell")
    return grid


def grid_text(features: Sequence[Feature]) -> str:
    """Write one feature to a line, so that a change of one boundary is a change of one line."""
    lines = (json.dumps(feature, separators=(",", ":"), ensure_ascii=False) for feature in features)
    return '{"type":"FeatureCollection","features":[\n' + ",\n".join(lines) + "\n]}\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write both files, or neither: exit 1 and a message when an export is not what it should be."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for name, what in (
        ("reports", "311 Service Requests, the city's CSV export"),
        ("boroughs", "borough boundaries, GeoJSON"),
        ("districts", "community districts, GeoJSON"),
        ("out", "the directory that gets reports.csv and grid.geojson"),
    ):
        parser.add_argument(f"--{name}", type=Path, required=True, help=what)
    paths = parser.parse_args(arguments)
    try:
        table, rows = trimmed_reports(paths.reports.read_bytes())
        exact = grid_features(paths.boroughs.read_bytes(), paths.districts.read_bytes())
        grid = shortened(exact, rows)
    except (TrimError, OSError) as error:
        sys.stderr.write(f"trim: {error}\n")
        return 1
    paths.out.mkdir(parents=True, exist_ok=True)
    (paths.out / "reports.csv").write_text(table, encoding="utf-8", newline="")
    (paths.out / "grid.geojson").write_text(grid_text(grid), encoding="utf-8", newline="")
    kept = sum(short is long for short, long in zip(grid, exact, strict=True))
    sys.stdout.write(f"{len(rows)} rows, {len(grid)} cells ({kept} left unrounded) -> {paths.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
