"""Reads nodes into the structs of `model*.py`: strictly, and on after every problem, so that all are found at once.

A reader is made once per type from the struct's own annotations. What can't be read is `MISSING`; a struct that lacks
something it needs is dropped after its other fields have been read, an optional field that is wrong takes its default.
"""

import re
import types
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from rules.entries import Entry
from rules.phrases import said
from rules.problems import Code, Hint, Place, Problems
from rules.shapes import Between, Choice, Embedded, Parsed, Pattern, Ref
from rules.yaml_nodes import Mapping, Node, Scalar, Sequence, describe, yaml_reading

MAX_TEXT = 4000
"""As long as a report's text may be; longer prose belongs into a document."""

Value = Any
"""What a reader makes of a node: as many types as the format has."""

MISSING: Value = msgspec.UNSET

Reader = Callable[[Node, "Reading"], Any]

_INT = re.compile(r"[-+]?\d{1,15}", re.ASCII)
_FLOAT = re.compile(r"[-+]?\d{1,15}(\.\d{1,15})?", re.ASCII)


class Reading:
    """One load: the problems, the names referred to, where each struct was written, and readers for special types."""

    def __init__(self, problems: Problems, special: dict[type, Reader]) -> None:
        self.problems = problems
        self.special = special
        self.refs: list[tuple[str, str, Place]] = []
        # by identity (the struct is kept so that its id stays its own): where, and whether all of it could be read
        self._written: dict[int, tuple[Entry, Node, bool]] = {}

    def read(self, kind: type, node: Node) -> Value:
        """Return a value of `kind`, or MISSING."""
        return reader_for(kind)(node, self)

    def remember(self, entry: Entry, node: Node, *, whole: bool = True) -> None:
        """Note where a struct was written, and whether all that is written there could be read."""
        self._written[id(entry)] = entry, node, whole

    def remember_like(self, entry: Entry, original: Entry) -> None:
        """Note that a changed copy was written where its original was."""
        self._written[id(entry)] = entry, *self._written[id(original)][1:]

    def is_damaged(self, entry: Entry) -> bool:
        """Whether something in it has been reported: what it lacks may be no fault of its own."""
        return not self._written[id(entry)][2]

    def place(self, entry: Entry, field: str = "") -> Place:
        """Where a struct, or one of its fields, was written."""
        node = self._written[id(entry)][1]
        value = node.values.get(field) if isinstance(node, Mapping) else None
        return (value or node).place


@cache
def reader_for(kind: Value) -> Reader:
    """Return the reader of a type: a struct, a tuple of something, an annotated text or number."""
    origin: Value = get_origin(kind)
    if origin is Annotated:
        base, *marks = get_args(kind)
        read = reader_for(base)
        for mark in marks:
            read = _marked(read, mark)
        return read
    if origin in {Union, types.UnionType}:
        (inner,) = [part for part in get_args(kind) if part is not type(None)]
        return reader_for(inner)
    if origin is tuple:
        inner = get_args(kind)[0]
        keyed = isinstance(inner, type) and issubclass(inner, Entry) and inner.key is not None
        return _entries(inner) if keyed else _items(inner)
    if isinstance(kind, type) and issubclass(kind, Entry):
        return _entry(kind)
    simple: dict[Any, Reader] = {str: read_text, bool: _read_flag, int: _read_int, float: _read_float}
    return simple.get(kind) or (lambda node, reading: reading.special[kind](node, reading))


def read_text(node: Node, reading: Reading) -> Value:
    """Return a text; unquoted only when YAML would not make something else of it."""
    if not isinstance(node, Scalar):
        return _wrong(node, reading, "a text")
    if not node.quoted:
        if not node.text:
            return _wrong(node, reading, "a text")
        tag = yaml_reading(node.text)
        if tag != "str":
            reading.problems.add(Code.UNQUOTED, node.place, text=node.text, tag=tag)
            return MISSING
    if len(node.text) > MAX_TEXT:
        limit = said("{count} characters", count=MAX_TEXT)
        reading.problems.add(Code.TOO_LARGE, node.place, what="the text", limit=limit)
        return MISSING
    return node.text


def read_number(node: Node) -> int | float | None:
    """Return a plain number, or None when the node isn't one."""
    if not isinstance(node, Scalar) or node.quoted or not _FLOAT.fullmatch(node.text):
        return None
    return int(node.text) if _INT.fullmatch(node.text) else float(node.text)


def _read_int(node: Node, reading: Reading) -> Value:
    number = read_number(node)
    return number if isinstance(number, int) else _wrong(node, reading, "a whole number")


def _read_float(node: Node, reading: Reading) -> Value:
    number = read_number(node)
    return float(number) if number is not None else _wrong(node, reading, "a number")


def _read_flag(node: Node, reading: Reading) -> Value:
    if isinstance(node, Scalar) and not node.quoted and node.text in {"true", "false"}:
        return node.text == "true"
    return _wrong(node, reading, "true or false")


def _wrong(node: Node, reading: Reading, expected: str) -> Value:
    hint, values = Hint.NONE, {"expected": expected, "found": describe(node)}
    if isinstance(node, Scalar):
        if not node.text and not node.quoted:
            hint = Hint.FILL_IN
        elif expected == "a list":
            hint, values["text"] = Hint.LIST, node.text
        elif node.quoted and (_FLOAT.fullmatch(node.text) or node.text in {"true", "false"}):
            hint, values["text"] = Hint.UNQUOTE, node.text
    reading.problems.add(Code.WRONG_TYPE, node.place, hint, **values)
    return MISSING


def _marked(read: Reader, mark: Value) -> Reader:
    def checked(node: Node, reading: Reading) -> Value:
        value = read(node, reading)
        if value is not MISSING and not _fits(value, mark, node, reading):
            return MISSING
        return value

    return checked


def _fits(value: Value, mark: Value, node: Node, reading: Reading) -> bool:
    problems, place = reading.problems, node.place
    if isinstance(mark, Ref):
        reading.refs.append((mark.kind, value, place))
    elif isinstance(mark, Choice):
        if value not in mark.values:
            known = dict.fromkeys(mark.values)
            problems.suggest(Code.BAD_VALUE, place, value, known, text=value, expected="one of those allowed")
            return False
    elif isinstance(mark, Pattern):
        if mark.pattern.fullmatch(value) is None:
            problems.add(Code.BAD_VALUE, place, text=value, expected=mark.what)
            return False
    elif isinstance(mark, Between):
        if not mark.low <= value <= mark.high:
            expected = said("between {low} and {high}", low=mark.low, high=mark.high)
            text = node.text if isinstance(node, Scalar) else value
            problems.add(Code.BAD_VALUE, place, text=text, expected=expected)
            return False
    elif isinstance(mark, Parsed):
        try:
            mark.parse(value)
        except ValueError:
            hint = Hint.BUDGET if "budget" in mark.what else Hint.NONE
            problems.add(Code.BAD_VALUE, place, hint, text=value, expected=mark.what)
            return False
    return True


def _items(inner: Value) -> Reader:
    def read(node: Node, reading: Reading) -> Value:
        if not isinstance(node, Sequence):
            return _wrong(node, reading, "a list")
        values = [reader_for(inner)(item, reading) for item in node.items]
        return tuple(value for value in values if value is not MISSING)

    return read


def _entries(inner: type[Entry]) -> Reader:
    """Return a mapping whose keys become a field of each struct."""

    def read(node: Node, reading: Reading) -> Value:
        if not isinstance(node, Mapping):
            return _wrong(node, reading, "a mapping")
        found = [read_entry(inner, node.values[key], reading, node.keys[key]) for key in node.keys]
        return tuple(entry for entry in found if entry is not MISSING)

    return read


def _entry(kind: type[Entry]) -> Reader:
    return lambda node, reading: read_entry(kind, node, reading)


@cache
def _fields(kind: type[Entry]) -> dict[str, tuple[Reader, bool]]:
    """Per field: its reader, and whether it must be given."""
    return {
        field.name: (reader_for(field.type), field.required)
        for field in msgspec.structs.fields(kind)
        if not any(isinstance(mark, Embedded) for mark in get_args(field.type)[1:])
    }


_KNOWN_AS = {"header": "policy.yaml", "extend": "extend_promised", "raise": "severity", "text": "title"}


def _name_of(kind: type[Entry]) -> str:
    """Return what people call an entry: "merge rule" for MergeRule, `title` for Text."""
    words = re.sub(r"(?<!^)(?=[A-Z])", " ", kind.__name__.removesuffix("Entry")).lower()
    return _KNOWN_AS.get(words, words)


def read_entry(kind: type[Entry], node: Node, reading: Reading, key: Scalar | None = None) -> Value:
    """Return a struct from a mapping (or from what its `shorthand` or `inline` says), or MISSING."""
    fields = _fields(kind)
    problems_before = len(reading.problems)
    given: dict[str, Any] = {}
    if kind.inline:
        values: dict[str, Node] = {kind.inline: node}
    elif isinstance(node, Mapping):
        values = node.values
    elif kind.shorthand and not (isinstance(node, Scalar) and not node.text and not node.quoted):
        values = {kind.shorthand: node}
    else:
        return _wrong(node, reading, "a mapping")
    where = _name_of(kind)
    for name, value in values.items():
        if name not in fields or name == kind.key:
            place = node.keys[name].place if isinstance(node, Mapping) else node.place
            known = {field: None for field in fields if field != kind.key}
            reading.problems.suggest(Code.UNKNOWN_KEY, place, name, known, key=name, where=where)
        else:
            given[name] = fields[name][0](value, reading)
    if kind.key is not None and key is not None:
        given[kind.key] = fields[kind.key][0](key, reading)
    for name, (_, required) in fields.items():
        if required and name not in given:
            code = Code.NO_FALLBACK if name == "fallback" else Code.MISSING_KEY
            reading.problems.add(code, node.place, key=name, where=where)
            given[name] = MISSING
    if any(value is MISSING and fields[name][1] for name, value in given.items()):
        return MISSING
    entry = kind(**{name: value for name, value in given.items() if value is not MISSING})
    reading.remember(entry, node, whole=len(reading.problems) == problems_before)
    return entry
