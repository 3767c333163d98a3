"""Catalogue tables as CSV: categories and their filing standards, for people who keep them in a spreadsheet.

`catalogue/*.csv`, UTF-8 (a byte order mark is fine), a heading line, any subset of these columns with `code` among
them: `code, zh, en, kind, severity, severity_cap, life_safety, aliases, evidence, public, standard_ref, self_handled`
describe the category; `standard, standard_zh, standard_en, limit, calendar, close` one filing standard of it.
`aliases` and `evidence` hold several values separated by `|`; `life_safety`, `public`, `self_handled` are `true` or
`false`. The first row of a code describes the category; further rows with the same code only add standards.

A table becomes the same nodes that YAML gives, so every check and message is the same; the column of a place is the
number of the table's column.
"""

import csv
import io

from rules.phrases import said
from rules.problems import Code, Hint, Place, Problems
from rules.yaml_nodes import MAX_FILE_BYTES, Mapping, Node, Scalar, Sequence

_LISTS = ("aliases", "evidence")
_PLAIN = ("severity", "severity_cap", "life_safety", "public", "self_handled")  # numbers and flags: not texts
_CATEGORY = ("code", "zh", "en", "kind", "standard_ref", *_LISTS, *_PLAIN)
_STANDARD = {
    "standard": "code",
    "standard_zh": "zh",
    "standard_en": "en",
    "limit": "limit",
    "calendar": "calendar",
    "close": "close",
}
COLUMNS = (*_CATEGORY, *_STANDARD)


def read_table(file: str, content: bytes, problems: Problems) -> Node | None:
    """Return the table as `categories: {code: {…}}`, or None when it can't be read (which is reported)."""
    if len(content) > MAX_FILE_BYTES:
        problems.add(Code.TOO_LARGE, Place(file), what="the file", limit=f"{MAX_FILE_BYTES >> 20} MiB")
        return None
    lines = 0
    try:
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        rows = []
        for row in reader:
            rows.append((lines + 1, row))
            lines = reader.line_num
    except UnicodeDecodeError as error:
        problems.add(Code.BAD_TABLE, Place(file), why=said("not UTF-8 at byte {byte}", byte=error.start))
        return None
    except csv.Error as error:
        problems.add(Code.BAD_TABLE, Place(file, lines + 1, 1), why=str(error))
        return None
    if not rows:
        problems.add(Code.BAD_TABLE, Place(file), why="no heading line")
        return None
    return _categories(file, rows, problems)


def _categories(file: str, rows: list[tuple[int, list[str]]], problems: Problems) -> Node | None:
    heading = [name.strip() for name in rows[0][1]]
    for number, name in enumerate(heading, 1):
        if name not in COLUMNS:
            known = dict.fromkeys(COLUMNS)
            problems.suggest(
                Code.UNKNOWN_KEY, Place(file, rows[0][0], number), name, known, key=name, where="the heading"
            )
        elif name in heading[: number - 1]:
            problems.add(Code.DUPLICATE_KEY, Place(file, rows[0][0], number), key=name)
    if "code" not in heading:
        problems.add(Code.MISSING_KEY, Place(file, rows[0][0], 1), key="code", where="the heading")
        return None
    table = Mapping(Place(file, 1, 1))
    for line, row in rows[1:]:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) > len(heading):
            beyond = Place(file, line, len(heading) + 1)
            problems.add(Code.BAD_TABLE, beyond, Hint.CELLS, why="more cells than columns")
        cells = {
            name: _cell(Place(file, line, number), name, cell.strip())
            for number, (name, cell) in enumerate(zip(heading, row, strict=False), 1)
            if cell.strip()
        }
        _add_row(table, Place(file, line, 1), cells, problems)
    root = Mapping(Place(file, 1, 1))
    root.keys["categories"] = Scalar(root.place, "categories", quoted=True)
    root.values["categories"] = table
    return root


def _cell(place: Place, name: str, text: str) -> Node:
    if name in _LISTS:
        return Sequence(place, [Scalar(place, part.strip(), quoted=True) for part in text.split("|")])
    return Scalar(place, text, quoted=name not in _PLAIN)


def _add_row(table: Mapping, place: Place, cells: dict[str, Node], problems: Problems) -> None:
    code = cells.get("code")
    if not isinstance(code, Scalar):
        problems.add(Code.MISSING_KEY, place, key="code", where="this row")
        return
    category = table.values.get(code.text)
    if not isinstance(category, Mapping):
        category = Mapping(place)
        table.keys[code.text] = code
        table.values[code.text] = category
        for name in _CATEGORY[1:]:
            if name in cells:
                _put(category, name, cells[name])
    standard = cells.get("standard")
    if not isinstance(standard, Scalar):
        return
    standards = category.values.get("standards")
    if not isinstance(standards, Mapping):
        standards = Mapping(place)
        _put(category, "standards", standards)
    if standard.text in standards.keys:
        problems.add(Code.DUPLICATE_KEY, standard.place, key=standard.text)
        return
    entry = Mapping(place)
    for column, name in _STANDARD.items():
        if column in cells and column != "standard":
            _put(entry, name, cells[column])
    _put(standards, standard.text, entry, standard)


def _put(mapping: Mapping, name: str, value: Node, key: Scalar | None = None) -> None:
    mapping.keys[name] = key or Scalar(value.place, name, quoted=True)
    mapping.values[name] = value
