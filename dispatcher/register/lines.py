"""One line of a register's file, its fields read one by one; each notes its own problem and goes on."""

import re
from collections.abc import Collection, Container, Hashable, Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation

from dispatcher.core.instants import HOUR_MS
from dispatcher.register.problems import Code, Problems, quotable
from geo import TableProblem
from geo.table import Row, degrees_within, read_rows
from geo.things import MAX_LAT, MAX_LON

__all__ = ["Line", "read_lines"]

PHONE_DIGITS = range(3, 16)  # from a short code to the most that ITU-T E.164 allows

_PHONE = re.compile(r"\+?\d(?:[ -]?\d)*")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def read_lines(file: str, data: bytes, columns: Collection[str], problems: Problems) -> Iterator["Line"]:
    """Read a CSV file with exactly these columns, in any order. Adds to `problems`; skips lines without shape."""
    shape: list[TableProblem] = []
    number_of: dict[str, int] = {}
    for row in read_rows(data, tuple(columns), shape):
        if not number_of:
            number_of = {column: number for number, column in enumerate(row.fields, 1)}
            for column, number in number_of.items():
                if column not in columns:
                    problems.add(Code.UNKNOWN_COLUMN, file, 1, number, columns=", ".join(columns))
        yield Line(file, row, number_of, problems)
    for problem in shape:
        problems.add(Code.NOT_A_TABLE, file, problem.line, 1, why=problem.message)


class Line:
    """The fields of one line. A reader returns None when the field is empty or wrong."""

    __slots__ = ("_file", "_number_of", "_problems", "_row")

    def __init__(self, file: str, row: Row, number_of: Mapping[str, int], problems: Problems) -> None:
        self._file = file
        self._row = row
        self._number_of = number_of
        self._problems = problems

    def problem(self, code: Code, column: str, **values: object) -> None:
        """Note a problem of a field."""
        self._problems.add(code, self._file, self._row.line, self._number_of[column], column=column, **values)

    def quote(self, code: Code, column: str, **values: object) -> None:
        """Note one that repeats what the field says."""
        self.problem(code, column, text=quotable(self._row.fields[column]), **values)

    def text(self, column: str) -> str | None:
        """Any text."""
        return self._row.fields[column] or None

    def required(self, column: str) -> str | None:
        """A text that must be there."""
        if not self._row.fields[column]:
            self.problem(Code.EMPTY, column)
        return self.text(column)

    def once(self, column: str, key: Hashable, seen: dict[Hashable, "Line"]) -> bool:
        """Note a second line with the same key; `seen` remembers the first of each."""
        first = seen.setdefault(key, self)
        if first is not self:
            self.problem(Code.DUPLICATE, column, first=f"{first._file}:{first._row.line}")
        return first is self

    def cell(self, cells: Container[str], *, required: bool = True) -> str | None:
        """A cell of the grid, from the column `cell`."""
        code = self.required("cell") if required else self.text("cell")
        if code is not None and code not in cells:
            self.problem(Code.UNKNOWN_CELL, "cell")
            return None
        return code

    def one_of(self, known: Container[str], file: str, column: str, *, required: bool = False) -> str | None:
        """A code that another file has; never repeated in a message, for it may be a name."""
        code = self.required(column) if required else self.text(column)
        if code is not None and code not in known:
            self.problem(Code.DANGLING, column, file=file)
            return None
        return code

    def whole(self, column: str, low: int, high: int) -> int | None:
        """A whole number from low to high."""
        text = self.required(column)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= 12 and low <= int(text) <= high):
            self.quote(Code.BAD_NUMBER, column, wanted=f"{low}..{high}")
            return None
        return int(text)

    def hours_ms(self, column: str, high: int) -> int | None:
        """Hours above 0, at most `high`, with at most two decimals, as milliseconds."""
        text = self.required(column)
        if text is None:
            return None
        try:
            hours = Decimal(text)
            fits = hours.is_finite() and 0 < hours <= high and hours == round(hours, 2)
        except InvalidOperation:
            fits = False
        if not fits:
            self.quote(Code.BAD_NUMBER, column, wanted=f"0.01..{high}")
            return None
        return int(hours * HOUR_MS)

    def day(self, column: str) -> date | None:
        """A date as YYYY-MM-DD."""
        text = self.required(column)
        if text is None:
            return None
        try:
            return date.fromisoformat(text if _DATE.fullmatch(text) else "")
        except ValueError:
            self.quote(Code.BAD_DATE, column)
            return None

    def phone(self, column: str, *, required: bool) -> str | None:
        """A telephone number as people write it; never repeated in a message."""
        text = self.required(column) if required else self.text(column)
        if text is None:
            return None
        if not (_PHONE.fullmatch(text) and text.isascii() and sum(map(str.isdigit, text)) in PHONE_DIGITS):
            self.problem(Code.BAD_PHONE, column)
            return None
        return text

    def lonlat(self) -> tuple[float, float] | None:
        """Columns `lon` and `lat`: both or neither, WGS84 degrees."""
        given = [column for column in ("lon", "lat") if self._row.fields[column]]
        if len(given) == 1:
            self.problem(Code.BOTH, given[0], columns="lon, lat")
        lon, lat = self._degrees("lon", MAX_LON), self._degrees("lat", MAX_LAT)
        return None if lon is None or lat is None else (lon, lat)

    def _degrees(self, column: str, limit: float) -> float | None:
        text = self.text(column)
        if text is None:
            return None
        value = degrees_within(text, limit)
        if value is None:
            self.quote(Code.BAD_NUMBER, column, wanted=f"±{limit:g}")
        return value
