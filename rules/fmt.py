"""Tidying policy files: quotes where YAML needs them, white space; never layout, comments or what the policy says.

Works on the text at the places the parser names, so whatever a person has arranged stays as it is.
"""

import re
from collections.abc import Mapping as Files

import yaml

from rules.loader import load_policy
from rules.problems import Code, PolicyError, Problem, Problems
from rules.yaml_nodes import Loader, Mapping, Node, Scalar, Sequence, read_nodes

__all__ = ["MeaningChanged", "tidy"]

_LINE_END = re.compile(r"\r\n?")
_LINE_ENDS_OF_ROWS = re.compile(r'("[^"]*")|\r\n?')
"""In a table, what stands between quotes is a cell's own text."""

ROUNDS = 8
"""Quoting one text can bring the loader to the next; each round quotes all it has found."""


class MeaningChanged(RuntimeError):
    """Tidying would have changed what a file says: our own bug, nothing must be written."""


def tidy(files: Files[str, bytes]) -> dict[str, bytes]:
    """The files of a policy directory that come out different, tidied. Doing it twice is doing it once.

    Line ends are LF, no line ends in blanks, the file ends in one line end and, unless it is a table, begins with no
    byte order mark; texts that YAML would take for something else are quoted; single quotes become double where
    nothing needs escaping. Files that can't be read as YAML keep all but their line ends.

    Raises:
        MeaningChanged: the policy or a file would no longer say the same.
    """
    tidied = {name: _spaced(name, content) for name, content in files.items()}
    tidied = {name: _double_quoted(name, content) for name, content in tidied.items()}
    for _ in range(ROUNDS):
        quoted = _quoted(tidied)
        if not quoted:
            break
        tidied |= quoted
    for name, content in files.items():
        if _texts(name, content) != _texts(name, tidied[name]):
            raise MeaningChanged(f"{name}: tidying would change what it says; nothing is written")
    was = _sha256(files)
    if was is not None and _sha256(tidied) != was:
        raise MeaningChanged("tidying would change the policy's sha256; nothing is written")
    return {name: content for name, content in tidied.items() if content != files[name]}


def _spaced(name: str, content: bytes) -> bytes:
    """White space put in order; blanks at line ends stay where they are part of a text."""
    is_table = name.endswith(".csv")
    try:
        text = content.decode("utf-8" if is_table else "utf-8-sig")  # spreadsheets want a table's byte order mark
    except UnicodeDecodeError:
        return content
    if is_table:
        return _LINE_ENDS_OF_ROWS.sub(lambda found: found[1] or "\n", text).rstrip("\n").encode() + b"\n"
    whole = _LINE_END.sub("\n", text)
    bare = "\n".join(line.rstrip(" \t") for line in whole.split("\n"))
    said = _texts(name, content)
    # blanks and empty lines may be part of a block of text: the tidiest that says the same
    for tidier in (bare.rstrip("\n") + "\n", whole.rstrip("\n") + "\n"):
        if _texts(name, tidier.encode()) == said:
            return tidier.encode()
    return whole.encode()


def _double_quoted(name: str, content: bytes) -> bytes:
    """'…' as "…", where it stands on one line and holds nothing that would need a backslash."""
    if name.endswith(".csv"):
        return content
    try:
        text = content.decode()
        marks = [
            (event.start_mark.index, event.end_mark.index)
            for event in yaml.parse(text, Loader=Loader)
            if isinstance(event, yaml.ScalarEvent) and event.style == "'" and event.start_mark and event.end_mark
        ]
    except (yaml.YAMLError, UnicodeDecodeError, ValueError):
        return content
    for start, end in reversed(marks):
        inner = text[start + 1 : end - 1]
        if not set(inner) & set("\"\\'\n\t"):
            text = f'{text[:start]}"{inner}"{text[end:]}'
    return text.encode()


def _quoted(files: Files[str, bytes]) -> dict[str, bytes]:
    """The files in which the loader finds unquoted texts, with quotes around these."""
    try:
        load_policy(files)
    except PolicyError as error:
        found = [problem for problem in error.problems if problem.code is Code.UNQUOTED]
    else:
        return {}
    changed: dict[str, bytes] = {}
    for name in dict.fromkeys(problem.file for problem in found):  # no table: its cells are texts already
        lines = files[name].decode().split("\n")
        for problem in sorted((p for p in found if p.file == name), key=lambda p: -p.column):
            _quote(lines, problem)
        content = "\n".join(lines).encode()
        if content != files[name]:
            changed[name] = content
    return changed


def _quote(lines: list[str], problem: Problem) -> None:
    text, line = str(dict(problem.values)["text"]), lines[problem.line - 1]
    at = problem.column - 1
    if line[at : at + len(text)] == text:
        lines[problem.line - 1] = f'{line[:at]}"{text}"{line[at + len(text) :]}'


def _sha256(files: Files[str, bytes]) -> str | None:
    try:
        return load_policy(files).sha256
    except PolicyError:
        return None


def _texts(name: str, content: bytes) -> object:
    """What a file says, whatever its quotes: nested lists of texts. Of what is no YAML, its lines."""
    if name.endswith(".csv"):
        return content.removeprefix(b"\xef\xbb\xbf").split()
    node = read_nodes(name, content, Problems())
    return content.split() if node is None else _plain(node)


def _plain(node: Node) -> object:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return [_plain(item) for item in node.items]
    assert isinstance(node, Mapping)  # noqa: S101 - there are three kinds
    return [(key, _plain(value)) for key, value in node.values.items()]
