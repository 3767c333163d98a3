"""Inspection scores from outside: a CSV `unit,kind,date,score,max,notes`, and which company answers for which compound.

Scores are kept exactly, in hundredths. A company's inspections are its compounds' and its own.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from dispatcher.views.cohort import Rate

__all__ = ["KINDS", "Inspection", "InspectionError", "firms_of", "inspected", "read_firms", "read_inspections"]

KINDS = ("department", "unit", "area", "compound", "property")
ROWS_MAX = 100_000  # more than a city inspects in years; a wrong file is noticed early


class InspectionError(ValueError):
    """The file cannot be read; the message names the line and what is wrong with it."""


class Inspection(NamedTuple):
    """One inspection: score and maximum in hundredths of a point."""

    unit: str
    kind: str
    day: date
    score: int
    maximum: int
    notes: str


def read_inspections(text: str) -> list[Inspection]:
    """Read them.

    Raises:
        InspectionError: a column is missing, or a line is wrong.
    """
    return [_inspection(number, row) for number, row in _rows(text, ("unit", "kind", "date", "score", "max"))]


def read_firms(text: str) -> dict[str, str]:
    """Which property company answers for which compound, from a CSV `compound,firm`.

    Raises:
        InspectionError: a column is missing, a field is empty, or a compound has two companies.
    """
    firms: dict[str, str] = {}
    for number, row in _rows(text, ("compound", "firm")):
        compound, firm = row["compound"].strip(), row["firm"].strip()
        if not compound or not firm:
            raise InspectionError(f"line {number}: a compound and its firm are wanted")
        if firms.setdefault(compound, firm) != firm:
            raise InspectionError(f"line {number}: {compound} has two firms, {firms[compound]} and {firm}")
    return firms


def firms_of(inspections: Iterable[Inspection], firms: Mapping[str, str]) -> list[Inspection]:
    """The inspections of property companies: their own and those of their compounds.

    Raises:
        InspectionError: a compound without a company.
    """
    found = []
    for one in inspections:
        if one.kind == "compound":
            if one.unit not in firms:
                raise InspectionError(f"compound {one.unit} was inspected on {one.day} and has no firm")
            found.append(one._replace(unit=firms[one.unit], kind="property"))
        elif one.kind == "property":
            found.append(one)
    return found


def inspected(inspections: Iterable[Inspection], kind: str, days: tuple[date, date]) -> dict[str, tuple[int, Rate]]:
    """By unit of a kind: how many inspections in [from, to), and points over possible points, in hundredths."""
    found: dict[str, tuple[int, Rate]] = {}
    for one in inspections:
        if one.kind == kind and days[0] <= one.day < days[1]:
            count, rate = found.get(one.unit, (0, Rate(0, 0)))
            found[one.unit] = count + 1, Rate(rate.numerator + one.score, rate.denominator + one.maximum)
    return found


def _rows(text: str, columns: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(text.removeprefix("\ufeff").splitlines())
    absent = [name for name in columns if name not in (reader.fieldnames or ())]
    if absent:
        raise InspectionError(f"line 1: no column {', '.join(absent)}; wanted are {', '.join(columns)}")
    rows = [(reader.line_num, {key: value or "" for key, value in row.items() if key}) for row in reader]
    if len(rows) > ROWS_MAX:
        raise InspectionError(f"{len(rows)} lines; at most {ROWS_MAX} are read")
    return rows


def _inspection(number: int, row: Mapping[str, str]) -> Inspection:
    unit, kind = row["unit"].strip(), row["kind"].strip()
    if not unit:
        raise InspectionError(f"line {number}: no unit")
    if kind not in KINDS:
        raise InspectionError(f"line {number}: kind is one of {', '.join(KINDS)}, not {kind}")
    try:
        day = date.fromisoformat(row["date"].strip())
    except ValueError:
        raise InspectionError(f"line {number}: a date is written 2026-03-31, not {row['date']}") from None
    score, maximum = _hundredths(number, row["score"]), _hundredths(number, row["max"])
    if not 0 <= score <= maximum or not maximum:
        raise InspectionError(
            f"line {number}: a score lies between 0 and a max above 0, not {row['score']}/{row['max']}"
        )
    return Inspection(unit, kind, day, score, maximum, row.get("notes", "").strip())


def _hundredths(number: int, text: str) -> int:
    try:
        points = Decimal(text.strip()) * 100
    except InvalidOperation:
        raise InspectionError(f"line {number}: {text or 'nothing'} is no number of points") from None
    if not points.is_finite() or points != points.to_integral_value() or abs(points) > 10**9:
        raise InspectionError(f"line {number}: points have at most two decimals, not {text}")
    return int(points)
