"""Things that have a place, and the CSV they are loaded from."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from geo.table import TableError, TableProblem, read_rows

MAX_LON, MAX_LAT = 179.0, 85.0  # a thing's limits: distances don't wrap at the antimeridian, nor hold at the poles

COLUMNS = ("id", "kind", "lon", "lat", "cell", "name")


class Kind(StrEnum):
    """What kinds of things the registry holds."""

    ASSET = "asset"
    CAMERA = "camera"
    OFFICER = "officer"
    COMPOUND = "compound"
    SERVICE_CENTRE = "service_centre"


_KINDS = frozenset(kind.value for kind in Kind)


@dataclass(frozen=True, slots=True)
class Thing:
    """Something at a position (WGS84 degrees). Without a cell it is in the one that its position is found in."""

    id: str
    kind: Kind
    lon: float
    lat: float
    cell: str | None = None
    name: str = ""
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), hash=False)


def load_things(data: bytes, *, cells: Container[str] | None = None) -> tuple[Thing, ...]:
    """Read CSV with the columns `id`, `kind`, `lon`, `lat`, `cell` (may be empty) and `name`, in the order of the file.

    Further columns become attributes where they aren't empty. With `cells` (a Grid, say) a cell must be one of them.
    Raises TableError with every problem.
    """
    problems: list[TableProblem] = []
    things: dict[str, Thing] = {}
    lines: dict[str, int] = {}
    for row in read_rows(data, COLUMNS, problems):
        thing_id, kind = row.required("id"), row.required("kind")
        if kind and kind not in _KINDS:
            row.problem(f"`kind` must be one of {', '.join(Kind)}, not {kind[:40]!r}")
        if thing_id in lines:
            row.problem(f"id {thing_id} is already used in line {lines[thing_id]}")
        if thing_id:
            lines.setdefault(thing_id, row.line)
        row.required("lon")
        row.required("lat")
        lon, lat = row.degrees("lon", MAX_LON), row.degrees("lat", MAX_LAT)
        cell = row.known_cell(cells)
        if not problems and lon is not None and lat is not None:
            more = {key: value for key, value in row.fields.items() if value and key not in COLUMNS}
            things[thing_id] = Thing(thing_id, Kind(kind), lon, lat, cell, row.fields["name"], MappingProxyType(more))
    if problems:
        raise TableError(problems)
    return tuple(things.values())
