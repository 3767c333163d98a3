"""A table as a terminal shows it, as CSV, or as a spreadsheet (XLSX)."""

import sys
from pathlib import Path

from rich.table import Table as RichTable

from dispatcher.commands.talk import fail, out, say
from dispatcher.views import Cell, Rate, Table, cell_text, cell_value, table_csv

__all__ = ["put_out", "show", "write_xlsx"]


def put_out(table: Table, heading: str, *, csv: bool, xlsx: Path | None, full: Table | None = None) -> None:
    """A table on the terminal; with `csv` or `xlsx` as a file of all that `full` has."""
    if xlsx is not None:
        write_xlsx(full or table, heading, xlsx)
        say(f"written: {xlsx}")
    elif csv:
        sys.stdout.write(table_csv(full or table))
    else:
        show(table, heading)


def show(table: Table, heading: str) -> None:
    """For people: rates with both terms, the total set off."""
    made = RichTable(title=heading)
    for number, name in enumerate(table.headings):
        made.add_column(name, justify="left" if number == 0 else "right", overflow="fold")
    for row in table.rows:
        made.add_row(*map(cell_text, row))
    if table.total is not None:
        made.add_section()
        made.add_row(*map(cell_text, table.total), style="bold")
    out.print(made)


def write_xlsx(table: Table, heading: str, path: Path) -> None:
    """One sheet: what it is about, the headings, the rows; rates as numbers shown in per cent, times in seconds."""
    import xlsxwriter

    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet("dispatcher")
    bold, share = book.add_format({"bold": True}), book.add_format({"num_format": "0.00%"})
    sheet.write_string(0, 0, heading)
    for column, name in enumerate(table.headings):
        sheet.write_string(1, column, name, bold)
    for number, row in enumerate([*table.rows, *([] if table.total is None else [table.total])], 2):
        for column, cell in enumerate(row):
            _write(sheet, number, column, cell, share)
    sheet.freeze_panes(2, 1)
    try:
        book.close()
    except xlsxwriter.exceptions.FileCreateError as error:
        fail(f"{path} cannot be written: {error}")


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
