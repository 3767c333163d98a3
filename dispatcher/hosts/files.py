"""Rows of a file of reports: CSV, a JSON array or JSON Lines, told apart by their first byte and the file's name.

A line that cannot be read is not lost: it comes as raw bytes, and the engine rejects it with a reason.
"""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import orjson

__all__ = ["read_rows"]

FIELD_CHARS = 131_072  # the csv module's own limit: a longer field would end the whole file


def read_rows(data: bytes, name: str) -> Iterator[dict[str, Any] | bytes]:
    """Rows as dictionaries; what is no row, as it stands."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    start = data.lstrip()[:1]
    if start == b"[":
        yield from _json_array(data)
    elif start == b"{" or name.endswith((".json", ".jsonl", ".ndjson")):
        yield from _json_lines(data)
    else:
        yield from _csv(data)


def _json_array(data: bytes) -> Iterator[dict[str, Any] | bytes]:
    try:
        rows = orjson.loads(data)
    except orjson.JSONDecodeError:
        yield from _broken_array(data.decode("utf-8", "replace"))
        return
    for row in rows:
        yield row if isinstance(row, dict) else orjson.dumps(row)


def _broken_array(text: str) -> Iterator[dict[str, Any] | bytes]:
    """Element by element; what is none is cut off at the end of its line or before the next object."""
    decoder = json.JSONDecoder()  # reads NaN, as other programs write it
    at = text.index("[") + 1
    while at < len(text):
        if text[at] in " \t\r\n,]":
            at += 1
            continue
        try:
            row, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            ends = [found for mark in ("\n", "},") if (found := text.find(mark, at)) >= 0]
            end = min(ends, default=len(text) - 1) + 1
            yield text[at:end].strip().encode("utf-8", "replace")
        else:
            yield row if isinstance(row, dict) else text[at:end].encode("utf-8", "replace")
        at = end


def _json_lines(data: bytes) -> Iterator[dict[str, Any] | bytes]:
    for line in data.splitlines():
        text = line.strip()
        if not text:
            continue
        try:
            row = orjson.loads(text)
        except orjson.JSONDecodeError:
            yield text
        else:
            yield row if isinstance(row, dict) else text


def _csv(data: bytes) -> Iterator[dict[str, Any] | bytes]:
    csv.field_size_limit(max(FIELD_CHARS, len(data)))
    text = io.StringIO(data.decode("utf-8", "replace").replace("\x00", ""), newline="")
    for row in csv.DictReader(text, restkey="", restval=None):
        row.pop("", None)
        yield row
