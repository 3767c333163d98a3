"""Rows of a CSV file with their line numbers, and all that is wrong with them at once."""

import csv
import io
from collections.abc import Container, Iterator
from dataclasses import dataclass

MAX_ROWS = 200_000  # ten times a large city's list; a row costs about a kilobyte once loaded
MAX_FIELD = 4_000  # characters


@dataclass(frozen=True, slots=True)
class TableProblem:
    """One reason why a table can't be used; `line` counts from 1, the heading's line, where the row begins."""

    line: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"


class TableError(ValueError):
    """The table can't be used; `problems` lists every reason found, by line."""

    def __init__(self, problems: list[TableProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, problems)))


class Row:
    """One row. Its readers note a problem and go on, so that all are found in one reading."""

    __slots__ = ("_problems", "fields", "line")

    def __init__(self, line: int, fields: dict[str, str], problems: list[TableProblem]) -> None:
        self.line = line
        self.fields = fields
        self._problems = problems

    def problem(self, message: str) -> None:
        """Note a problem of this row."""
        self._problems.append(TableProblem(self.line, message))

    def required(self, column: str) -> str:
        """Return the field, which may not be empty."""
        if not self.fields[column]:
            self.problem(f"`{column}` is empty")
        return self.fields[column]

    def degrees(self, column: str, limit: float) -> float | None:
        """Return the field as a number within ±limit, None if it is empty or wrong."""
        text = self.fields[column]
        if not text:
            return None
        value = degrees_within(text, limit)
        if value is None:
            self.problem(f"`{column}` must be degrees within ±{limit:g}, not {text[:40]!r}")
        return value

    def known_cell(self, cells: Container[str] | None) -> str | None:
        """Return the field `cell`, None if it is empty; it must be one of `cells` if these are given."""
        cell = self.fields["cell"] or None
        if cell is not None and cells is not None and cell not in cells:
            self.problem(f"there is no cell {cell!r}")
        return cell


def degrees_within(text: str, limit: float) -> float | None:
    """Return what the text says if that is a number within ±limit, None otherwise."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) <= limit else None  # nan is within nothing


def read_rows(data: bytes, columns: tuple[str, ...], problems: list[TableProblem]) -> Iterator[Row]:
    """Read UTF-8 CSV (a byte order mark may lead), fields stripped. Adds to `problems`; skips rows without shape."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problems.append(TableProblem(data.count(b"\n", 0, error.start) + 1, "not UTF-8"))
        return
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line, heading, count = 1, None, 0
    try:
        for fields in reader:
            first_line, line = line, reader.line_num + 1
            if heading is None:
                heading = [field.strip() for field in fields]
                wrong = [column for column in columns if heading.count(column) != 1]
                if wrong or len(set(heading)) != len(heading):
                    named = ", ".join(wrong) or "each name"
                    problems.append(TableProblem(first_line, f"the heading must name once: {named}"))
                    return
            elif len(fields) != len(heading):
                if fields:
                    message = f"{len(fields)} fields where the heading has {len(heading)}"
                    problems.append(TableProblem(first_line, message))
            elif count == MAX_ROWS:
                problems.append(TableProblem(first_line, f"more than {MAX_ROWS} rows"))
                return
            else:
                count += 1
                row = Row(first_line, dict(zip(heading, map(str.strip, fields), strict=True)), problems)
                if max(map(len, fields)) > MAX_FIELD:
                    row.problem(f"a field is longer than {MAX_FIELD} characters")
                else:
                    yield row
    except csv.Error as error:
        problems.append(TableProblem(line, f"not CSV: {error}"))
    if heading is None:
        problems.append(TableProblem(1, "the file is empty"))
