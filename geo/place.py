"""The words for a place: how a position was tied to a cell, what is odd about it, and the record that says both."""

from enum import IntEnum

from msgspec import Struct

from geo.grid import Grid


class How(IntEnum):
    """How a report was tied to its cell. Numbers go into columns, `text` goes into records."""

    NONE = 0  # no usable position: absent, NaN, impossible, or (0, 0)
    EXACT = 1  # inside a leaf, or on its edge
    NEAREST = 2  # in no leaf, but within the tolerance of one
    OVERLAP = 3  # the leaf that has most of the accuracy circle
    BY_CELL = 4  # the report named its cell
    BY_ASSET = 5  # the report named a thing whose place is known
    BY_ADDRESS = 6  # one exact alias in the gazetteer
    GAP = 7  # in no leaf and near none, but inside a higher cell
    OUTSIDE = 8  # nowhere in the grid

    @property
    def text(self) -> str:
        """As written in records."""
        return self.name.lower()


class Note(IntEnum):
    """What the caller should say about a position that was not found."""

    NOTHING = 0
    SWAPPED = 1  # longitude and latitude exchanged would lie within the grid's bounds
    ZERO_ISLAND = 2  # exactly (0, 0): a device without a fix
    OUT_OF_RANGE = 3  # beyond ±180° or ±90°
    FAR_AWAY = 4  # farther from the grid's bounds than a slip of the finger

    @property
    def text(self) -> str | None:
        """As written in records; None for nothing."""
        return None if self is Note.NOTHING else self.name.lower()


class Place(Struct, frozen=True, gc=False, omit_defaults=True):
    """Where something is. `share` is the cell's part of the accuracy circle, 0..1, where there was a circle."""

    lon: float | None = None
    lat: float | None = None
    cell: str | None = None
    path: tuple[str, ...] = ()
    how: str = ""  # always given: the empty default only lets the fields before it be left out
    share: float | None = None
    note: str | None = None


def place_by(
    how: How, grid: Grid, cell: str | int | None, *, lon: float | None = None, lat: float | None = None
) -> Place:
    """Make a place known by its cell rather than by its position. Raises KeyError or IndexError for an unknown cell."""
    if cell is None:
        return Place(lon, lat, None, (), how.text)
    path = grid.path(cell)
    return Place(lon, lat, path[-1], path, how.text)
