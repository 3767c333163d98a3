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


def test_a_very_long_field_is_a_row_like_any_other() -> None:
    rows = list(read_rows(b"a,b\n" + b"x" * 300_000 + b",2\n1,2\n", "x.csv"))
    assert len(rows) == 2
