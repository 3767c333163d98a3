"""Rows of a file of reports: CSV, a JSON array or JSON Lines, told apart by their first byte and the file's name.

A line that cannot be read is not lost: it comes as raw bytes, and the engine rejects it with a reason.
"""

import csv
import io
from collections.abc import Iterator
from typing import Any

import orjson

__all__ = ["read_rows"]

FIELD_CHARS_MAX = 16 << 20  # the csv module's own limit of 128 KiB would end the whole file at one long field


def read_rows(data: bytes, name: str) -> Iterator[dict[str, Any] | bytes]:
    """Rows as dictionaries; what is no row, as it stands."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    start = data.lstrip()[:1]
    if start == b"[":
        yield from _json_array(data)
    elif start == b"{" or name.endswith((".jsonl", ".ndjson")):
        yield from _json_lines(data)
    else:
        yield from _csv(data)


def _json_array(data: bytes) -> Iterator[dict[str, Any] | bytes]:
    try:
        rows = orjson.loads(data)
    except orjson.JSONDecodeError:
        yield from _json_lines(
            data
        )  # a broken array of one row a line, as exports are written, is still mostly readable
        return
    for row in rows:
        yield row if isinstance(row, dict) else orjson.dumps(row)


def _json_lines(data: bytes) -> Iterator[dict[str, Any] | bytes]:
    for line in data.splitlines():
        text = line.strip().strip(b",") if line.strip() not in (b"[", b"]") else b""
        if not text:
            continue
        try:
            row = orjson.loads(text)
        except orjson.JSONDecodeError:
            yield text
        else:
            yield row if isinstance(row, dict) else text


def _csv(data: bytes) -> Iterator[dict[str, Any] | bytes]:
    csv.field_size_limit(FIELD_CHARS_MAX)
    text = io.StringIO(data.decode("utf-8", "replace").replace("\x00", ""), newline="")
    for row in csv.DictReader(text, restkey="", restval=None):
        row.pop("", None)
        yield row
