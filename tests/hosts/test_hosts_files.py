"""Rows of files: three forms, and nothing lost of what cannot be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.hosts.files import read_rows


@pytest.mark.parametrize(
    ("data", "name", "rows"),
    [
        (b"a,b\n1,2\n3,4\n", "x.csv", [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]),
        (b"\xef\xbb\xbfa,b\n1,2\n", "x.csv", [{"a": "1", "b": "2"}]),
        (b'a,b\n"1\n2",3\n', "x.csv", [{"a": "1\n2", "b": "3"}]),
        (b"a,b\n1\n", "x.csv", [{"a": "1", "b": None}]),
        (b"a,b\n1,2,3\n", "x.csv", [{"a": "1", "b": "2"}]),
        (b"a\nx\x00y\n", "x.csv", [{"a": "xy"}]),
        (b'[{"a": 1}, {"a": 2}]', "x.json", [{"a": 1}, {"a": 2}]),
        (b'[{"a": 1}, 7]', "x.json", [{"a": 1}, b"7"]),
        (b'[\n{"a": 1},\n{"a": \n]', "x.json", [{"a": 1}, b'{"a":']),
        (b'{"a": 1}\n\n{"a": 2}\n', "x.jsonl", [{"a": 1}, {"a": 2}]),
        (b'{"a": 1}\n{"a"\nnull\n', "x.jsonl", [{"a": 1}, b'{"a"', b"null"]),
        (b"", "x.csv", []),
        (b"[]", "x.json", []),
    ],
)
def test_forms(data: bytes, name: str, rows: list[object]) -> None:
    assert list(read_rows(data, name)) == rows


@given(st.binary(max_size=400), st.sampled_from(["x.csv", "x.json", "x.jsonl"]))
def test_any_bytes_are_read(data: bytes, name: str) -> None:
    for row in read_rows(data, name):
        assert isinstance(row, dict | bytes)


@pytest.mark.parametrize(
    ("data", "good", "broken"),
    [
        (b'[{"a": 1},\n{"a": \n{"a": 3}]', 2, 1),
        (b'[{"a": 1}, {"a": NaN}, {"a": 3}]', 3, 0),
        (b'[{"a": 1}, {"a": oops}, {"a": 3}]', 2, 1),
        (b'[{"a": 1}, {"a": 2', 1, 1),
        (b'[\n {\n  "a": NaN\n },\n {\n  "a": 2\n }\n]', 2, 0),
    ],
)
def test_a_broken_array_loses_only_what_is_broken(data: bytes, good: int, broken: int) -> None:
    rows = list(read_rows(data, "x.json"))
    assert sum(isinstance(row, dict) for row in rows) == good
    assert sum(isinstance(row, bytes) for row in rows) == broken


def test_lines_whose_first_is_broken_are_still_lines() -> None:
    assert list(read_rows(b'oops\n{"a": 1}\n[\n', "x.json")) == [b"oops", {"a": 1}, b"["]


def test_a_very_long_field_is_a_row_like_any_other() -> None:
    rows = list(read_rows(b"a,b\n" + b"x" * (17 << 20) + b",2\n1,2\n", "x.csv"))
    assert len(rows) == 2
