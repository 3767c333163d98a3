"""XML as elements that know their line: no document type, no entities, bounded in size and depth.

CAP needs neither a DTD nor entities of its own, and both have been used to make small files grow without bound or to
read other files; so any document type declaration is refused.
"""

from dataclasses import dataclass, field
from xml.parsers import expat

__all__ = ["BYTES_MAX", "Node", "XmlError", "read_xml"]

BYTES_MAX = 2_000_000  # a national alert with 30,000 vertices is about 1 MB
DEPTH_MAX = 16  # CAP nests five deep; what it carries in a signature, ten
_SEPARATOR = " "  # cannot stand in a name or a namespace


class XmlError(ValueError):
    """Not XML, or XML that is refused; `line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        self.line = line
        self.message = message
        super().__init__(message)


@dataclass(slots=True)
class Node:
    """An element: its namespace and name, where it begins, its text and its elements in order."""

    namespace: str
    name: str
    line: int
    text: str = ""
    children: list["Node"] = field(default_factory=list)

    def all(self, name: str) -> list["Node"]:
        """Those of its elements that have this name, in its own namespace."""
        return [child for child in self.children if child.name == name and child.namespace == self.namespace]


def read_xml(data: bytes) -> Node:
    """The root element.

    Raises:
        XmlError: it is too large or too deep, has a document type, or is not well-formed.
    """
    if len(data) > BYTES_MAX:
        raise XmlError(1, f"{len(data)} bytes; at most {BYTES_MAX} are read")
    parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
    parser.buffer_text = True
    top = Node("", "", 0)
    open_nodes = [top]

    def start(name: str, _attributes: dict[str, str]) -> None:
        if len(open_nodes) > DEPTH_MAX:
            raise XmlError(parser.CurrentLineNumber, f"more than {DEPTH_MAX} elements inside each other")
        namespace, _, local = name.rpartition(_SEPARATOR)
        node = Node(namespace, local, parser.CurrentLineNumber)
        open_nodes[-1].children.append(node)
        open_nodes.append(node)

    def end(_name: str) -> None:
        node = open_nodes.pop()
        node.text = node.text.strip()

    def text(data: str) -> None:
        open_nodes[-1].text += data

    def refuse(*_declaration: object) -> None:
        raise XmlError(parser.CurrentLineNumber, "a document type declaration is not allowed in an alert")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise XmlError(error.lineno, f"not XML: {expat.ErrorString(error.code)}") from None
    except (LookupError, ValueError) as error:
        if isinstance(error, XmlError):
            raise
        raise XmlError(1, f"not XML: {error}") from None  # an encoding that nobody knows
    return top.children[0]
