"""Tables of any of the measures: as text for people, as CSV, and (in `commands.workbook`) as a spreadsheet.

A rate is shown with both of its terms, `597/601 99.33 %`; where the terms have columns of their own, its value is.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import timedelta
from fractions import Fraction
from typing import NamedTuple

from dispatcher.views.cohort import Group, Measures, Rate
from dispatcher.views.terms import EXCLUDED, RATES, TERMS
from dispatcher.views.titles import Lang, title

__all__ = [
    "NO_SAMPLE",
    "Cell",
    "Table",
    "all_terms",
    "cell_text",
    "cell_value",
    "measures_table",
    "percent",
    "table_csv",
]

NO_SAMPLE = "–"

Cell = str | int | Rate | Fraction | timedelta | None

_SHOWN_TERMS = ("received", "filed", "need_close", "closed", "open", "overdue_pending")
_NARROW_TERMS = ("need_close", "overdue_pending")
_NARROW_RATES = ("closure_due", "on_time_closure")
_MAIN_RATES = ("closure_due", "closure_filed", "on_time_closure", "on_time_handling", "dispatch_accuracy")


class Table(NamedTuple):
    """Headings, rows, and the total if there is one. The first column names what a row is about."""

    headings: list[str]
    rows: list[list[Cell]]
    total: list[Cell] | None = None


def percent(rate: Rate) -> str:
    """A rate as `99.33 %`, rounded half up, but 100 % and 0 % only where they are exact; a dash without a sample."""
    if not rate.denominator:
        return NO_SAMPLE
    hundredths = (20_000 * rate.numerator + rate.denominator) // (2 * rate.denominator)
    if 0 < rate.numerator < rate.denominator:
        hundredths = min(max(hundredths, 1), 9_999)
    return f"{hundredths // 100}.{hundredths % 100:02d} %"


def cell_text(cell: Cell) -> str:
    """What a person reads: a rate with both terms, a time in hours, a composite in points of 100."""
    if isinstance(cell, Rate):
        return f"{cell.numerator}/{cell.denominator} {percent(cell)}"
    if isinstance(cell, Fraction):
        return f"{float(cell * 100):.2f}"
    if isinstance(cell, timedelta):
        return f"{cell / timedelta(hours=1):.1f} h"
    return NO_SAMPLE if cell is None else str(cell)


def cell_value(cell: Cell) -> str | int | float | None:
    """What a program reads: a rate or a composite as a fraction, a time in seconds, nothing without a sample."""
    if isinstance(cell, Rate):
        return cell.value
    if isinstance(cell, Fraction):
        return float(cell)
    if isinstance(cell, timedelta):
        return cell / timedelta(seconds=1)
    return cell


def measures_table(
    measures: Measures,
    adjusted: Measures | None = None,
    lang: Lang = "en",
    names: Mapping[str, str] | None = None,
    *,
    terms: Sequence[str] | None = None,
    rates: Sequence[str] | None = None,
    narrow: bool = False,
) -> Table:
    """Terms and rates by group, with a total.

    Args:
        measures: what to show.
        adjusted: the same without what is exempt; each of its rates stands beside the raw one.
        lang: of the headings.
        names: titles of the groups' codes; a code without one is shown as it is.
        terms: which; by default the main ones, and those of what was left out if anything was.
        rates: which; by default the main ones, and all others with a sample.
        narrow: by default only what fits into 80 columns.
    """
    total = measures.total
    if terms is None:
        left_out = [name for name in (*EXCLUDED, "no_deadline") if total.terms[name]]
        terms = _NARROW_TERMS if narrow else (*_SHOWN_TERMS, *left_out)
    if rates is None:
        sampled = [name for name in RATES if name in _MAIN_RATES or total.rates[name].denominator]
        rates = _NARROW_RATES if narrow else sampled
    beside = {} if adjusted is None else {group.code: group for group in adjusted.groups}
    headings = [title(measures.grouping.by or "all", lang), *(title(name, lang) for name in terms)]
    for name in rates:
        headings.append(title(name, lang))
        if adjusted is not None:
            headings.append(f"{title(name, lang)} {title('adjusted', lang)}")

    def row(named: str, group: Group, other: Group | None) -> list[Cell]:
        cells: list[Cell] = [named, *(group.terms[name] for name in terms)]
        for name in rates:
            cells.append(group.rates[name])
            if adjusted is not None:
                cells.append(Rate(0, 0) if other is None else other.rates[name])
        return cells

    rows = [row(_named(group.code, lang, names or {}), group, beside.get(group.code)) for group in measures.groups]
    return Table(headings, rows, row(title("total", lang), total, None if adjusted is None else adjusted.total))


def all_terms(
    measures: Measures, lang: Lang = "en", names: Mapping[str, str] | None = None, adjusted: Measures | None = None
) -> Table:
    """Every term and every rate, so that no figure needs this program to be checked."""
    return measures_table(measures, adjusted, lang, names, terms=TERMS, rates=tuple(RATES))


def table_csv(table: Table) -> str:
    """Headings, rows, and the total as the last line; fractions with six decimals, empty without a sample."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.headings)
    for row in [*table.rows, *([] if table.total is None else [table.total])]:
        writer.writerow([_csv(cell_value(cell)) for cell in row])
    return out.getvalue()


def _csv(value: str | int | float | None) -> str | int:
    if isinstance(value, float):
        return f"{value:.6f}"
    return "" if value is None else value


def _named(code: str | None, lang: Lang, names: Mapping[str, str]) -> str:
    return title("none", lang) if code is None else names.get(code, code)
