"""YAML as nodes that still know how they were written: raw text, quoting, line and column.

Built from the parser's *events* with an own stack rather than by `yaml.compose`: composing in C recurses, and
200,000 dashes in one line end the process with a segmentation fault. Anchors, aliases, tags and second documents are
refused: a policy is read by people who should see what applies where, and aliases are how small files become huge.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from rules.phrases import said
from rules.problems import Code, Hint, Place, Problems

MAX_FILE_BYTES = 8 << 20
"""10,000 rules take about 3 MB; beyond that a file is no longer something a person keeps."""
MAX_DEPTH = 24
"""The deepest legal value lies 8 levels down."""

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class Scalar:
    """A text as written, without its quotes."""

    place: Place
    text: str
    quoted: bool


@dataclass(slots=True)
class Sequence:
    """A list."""

    place: Place
    items: list["Node"] = field(default_factory=list)


@dataclass(slots=True)
class Mapping:
    """Keys and values in the order written; a repeated key has been reported and its first value kept."""

    place: Place
    keys: dict[str, Scalar] = field(default_factory=dict)
    values: dict[str, "Node"] = field(default_factory=dict)


Node = Scalar | Sequence | Mapping

_NO_KEY = Scalar(Place(""), "", quoted=True)
"""Stands for a key that is none, until its value has been passed over."""

_IMPLICIT = {
    first: [(tag.rsplit(":", 1)[1], pattern) for tag, pattern in patterns]
    for first, patterns in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_CORE_1_2 = (  # what YAML 1.2, which editors speak, makes a number of and 1.1 does not: 08, 0o17, 1e3
    ("int", re.compile(r"0o[0-7]+|[-+]?\d+", re.ASCII)),
    ("float", re.compile(r"[-+]?(\.\d+|\d+(\.\d*)?)[eE][-+]?\d+", re.ASCII)),
)


def yaml_reading(text: str) -> str:
    """Return what YAML makes of an unquoted text: "str", "float", "int", "bool", "null", "timestamp", "merge", "value".

    Of 1.1 and 1.2 whichever makes something of it: codes must not depend on who reads them.
    """
    for tag, pattern in _IMPLICIT.get(text[:1], []):
        if pattern.match(text):
            return str(tag)
    return next((tag for tag, pattern in _CORE_1_2 if pattern.fullmatch(text)), "str")


def describe(node: Node) -> str:
    """Return a node in words, for messages."""
    if isinstance(node, Scalar):
        return f"'{node.text}'" if node.text or node.quoted else "nothing"
    return "a list" if isinstance(node, Sequence) else "a mapping"


def read_nodes(file: str, content: bytes, problems: Problems) -> Node | None:
    """Return the one document in `content`, or None when there is none or it can't be read (which is then reported)."""
    if len(content) > MAX_FILE_BYTES:
        problems.add(Code.TOO_LARGE, Place(file), what="the file", limit=f"{MAX_FILE_BYTES >> 20} MiB")
        return None
    try:
        return _build(file, _events(content), problems)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
        problems.add(Code.BAD_YAML, place, why=error.problem or error.context or "syntax error")
    except (yaml.YAMLError, ValueError) as error:  # bytes that are no text; a code point chr() refuses
        problems.add(Code.BAD_YAML, Place(file), why=str(error).splitlines()[0] if str(error) else "unreadable")
    return None


def _events(content: bytes) -> Iterator[yaml.Event]:
    loader = Loader(content)
    try:
        while loader.check_event():
            yield loader.get_event()
    finally:
        loader.dispose()


def _build(file: str, events: Iterator[yaml.Event], problems: Problems) -> Node | None:
    root: Node | None = None
    documents = 0
    stack: list[Sequence | Mapping] = []
    keys: list[Scalar | None] = []  # the key that waits for its value, per open mapping
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                problems.add(Code.NOT_PLAIN, _place(file, event), Hint.OWN_FILE, what="a second document")
                return root
        if isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            stack.pop()
            keys.pop()
            continue
        node = _node(file, event, problems)
        if node is None:
            continue
        if root is None:
            root = node
        elif stack:
            _attach(stack[-1], keys, node, problems)
        if not isinstance(node, Scalar):
            stack.append(node)
            keys.append(None)
            if len(stack) > MAX_DEPTH:
                problems.add(Code.TOO_LARGE, node.place, what="nesting", limit=said("{count} levels", count=MAX_DEPTH))
                return None
    return root


def _node(file: str, event: yaml.Event, problems: Problems) -> Node | None:
    if not isinstance(event, yaml.NodeEvent):
        return None
    place = _place(file, event)
    if event.anchor is not None:
        what = "an alias (*)" if isinstance(event, yaml.AliasEvent) else "an anchor (&)"
        problems.add(Code.NOT_PLAIN, place, Hint.SPELL_OUT, what=what)
    if isinstance(event, yaml.AliasEvent):
        return Scalar(place, "", quoted=True)
    if not isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
        return None
    if event.tag is not None:
        problems.add(Code.NOT_PLAIN, place, what=said("the tag {tag}", tag=event.tag))
    if isinstance(event, yaml.SequenceStartEvent):
        return Sequence(place)
    if isinstance(event, yaml.MappingStartEvent):
        return Mapping(place)
    if not isinstance(event, yaml.ScalarEvent):
        return None
    text: str = event.value
    if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
        problems.add(Code.BAD_YAML, place, why="half of a surrogate pair")
        text = ""
    return Scalar(place, text, quoted=bool(event.style))


def _attach(parent: Sequence | Mapping, keys: list[Scalar | None], node: Node, problems: Problems) -> None:
    if isinstance(parent, Sequence):
        parent.items.append(node)
        return
    key = keys[-1]
    if key is None:
        if not isinstance(node, Scalar):
            problems.add(Code.WRONG_TYPE, node.place, expected="a key", found=describe(node))
            node = _NO_KEY
        keys[-1] = node
        return
    keys[-1] = None
    if key is _NO_KEY:
        return
    if key.text in parent.keys:
        problems.add(Code.DUPLICATE_KEY, key.place, key=key.text)
        return
    parent.keys[key.text] = key
    parent.values[key.text] = node


def _place(file: str, event: yaml.Event) -> Place:
    mark = event.start_mark
    return Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
