"""Tables as a spreadsheet (XLSX): each a sheet that says first what it is about."""

import io
from collections.abc import Iterable
from typing import NamedTuple

from dispatcher.views.cohort import Rate
from dispatcher.views.tables import Cell, Table, cell_value

__all__ = ["Sheet", "workbook"]


class Sheet(NamedTuple):
    """A table on a sheet of its own; `name` is at most 31 characters, and holds none of the signs that part cells."""

    name: str
    heading: str
    table: Table


def workbook(sheets: Iterable[Sheet]) -> bytes:
    """The file: of each sheet the heading, the headings, the rows; rates as numbers in per cent, times in seconds."""
    import xlsxwriter  # only here: it takes a while to load

    held = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(held, options)
    bold, share = book.add_format({"bold": True}), book.add_format({"num_format": "0.00%"})
    for name, heading, table in sheets:
        made = book.add_worksheet(name)
        made.write_string(0, 0, heading)
        for column, title in enumerate(table.headings):
            made.write_string(1, column, title, bold)
        rows = [*table.rows, *([] if table.total is None else [table.total])]
        for number, row in enumerate(rows, 2):
            for column, cell in enumerate(row):
                _write(made, number, column, cell, share)
        made.freeze_panes(2, 1)
        made.autofit(300)
    book.close()
    return held.getvalue()


def _write(sheet: object, row: int, column: int, cell: Cell, share: object) -> None:
    value = _share(cell) if isinstance(cell, Rate) else cell_value(cell)
    if isinstance(value, str):
        sheet.write_string(row, column, value)  # type: ignore[attr-defined]
    elif value is not None:
        sheet.write_number(row, column, value, share if isinstance(cell, Rate) else None)  # type: ignore[attr-defined]


def _share(rate: Rate) -> float | None:
    """A rate such that a sheet, which rounds it, shows 100 % and 0 % only where they are exact, as text does."""
    value = rate.value
    return value if value is None or not 0 < rate.numerator < rate.denominator else min(max(value, 0.0001), 0.9999)
