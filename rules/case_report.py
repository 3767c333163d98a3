"""Reports of policy tests as they are written, and what a file says once for all of its tests."""

from typing import Annotated

import msgspec

from rules.case_words import CellRef, DepartmentRef, Instant, Label
from rules.entries import Count, Entry, Severity
from rules.facts import PLACE_HOWS, REQUEST_KINDS, Scalar
from rules.shapes import Between, Choice, GridCode, Ref, Tag
from rules.shapes import Code as Name


class PathEntry(Entry, frozen=True):
    """A cell the tests use, with its path, root first, itself last."""

    key = "code"
    inline = "path"
    code: GridCode
    path: tuple[GridCode, ...]


class Attributes(msgspec.Struct, frozen=True, gc=False):
    """A report's attributes by name. Read by `case_files`."""

    values: tuple[tuple[str, Scalar], ...]


class WhistleEntry(Entry, frozen=True):
    """A street's call; without `unit` it is the first-level cell's."""

    shorthand = "kind"
    kind: Name
    unit: GridCode | None = None
    departments: tuple[DepartmentRef, ...] = ()


class ReportEntry(Entry, kw_only=True, frozen=True):
    """A report.

    What it leaves out it takes from the file's `defaults`; a later report of a timeline takes it from the first.
    `place` states how it was located (`none` and `outside`: in no cell). `lon` and `lat` serve merging; without `cell`
    they are located on the grid, where there is one. `reporters` sends it so many times at once.
    """

    category: Label | None = None
    severity: Severity | None = None
    cell: CellRef | None = None
    place: Annotated[str, Choice(PLACE_HOWS)] | None = None
    lon: Annotated[float, Between(-180, 180)] | None = None
    lat: Annotated[float, Between(-90, 90)] | None = None
    asset: Name | None = None
    source: Annotated[str, Ref("source")] | None = None
    text: str | None = None
    tags: tuple[Tag, ...] | None = None
    attributes: Attributes | None = None
    whistle: WhistleEntry | None = None
    confidence: Annotated[float, Between(0, 1)] | None = None
    standard: Name | None = None
    request_kind: Annotated[str, Choice(REQUEST_KINDS)] | None = None
    reporters: Count | None = None


class Defaults(ReportEntry, kw_only=True, frozen=True):
    """What holds for every test of a file that does not say otherwise."""

    at: Instant | None = None
    mode: Annotated[str, Ref("mode")] | None = None
