"""A table as a terminal shows it, as CSV, or as a spreadsheet (XLSX)."""

import sys
from pathlib import Path

from rich.table import Table as RichTable

from dispatcher.commands.talk import fail, out, say
from dispatcher.views import Sheet, Table, cell_text, table_csv, workbook

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
    """A spreadsheet of one sheet; a file that cannot be written ends the command."""
    try:
        path.write_bytes(workbook([Sheet("dispatcher", heading, table)]))
    except OSError as error:
        fail(f"{path} cannot be written: {error}")
