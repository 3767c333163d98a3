"""JSON Schema (2020-12) of policy files, made from the very structs that the loader reads with: for editors.

One schema serves `policy.yaml` and every other file, whichever keys it holds. The loader stays the judge: what the
schema refuses the loader refuses too, but names that lead nowhere, dates out of order and the like only the loader
sees.
"""

import re
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from rules.conditions import ATTRIBUTE, CHOICES, KEYS, KEYWORD, NUMBERS, WHOLE
from rules.entries import Entry
from rules.meanings import MEANINGS, WHEN
from rules.model import Document, Header, Sections
from rules.model_rules import Rule, When
from rules.readers import MAX_TEXT
from rules.shapes import Between, Choice, Embedded, Parsed, Pattern, Ref

__all__ = ["DIALECT", "FORMS", "policy_schema"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]

_NUMBER = r"[0-9]{1,7}(\.[0-9]{1,3})?"
_BUDGET = rf"{_NUMBER}(m|h|d|wm|wh|wd|wd_end)"
_CLOCK = "[0-9]{2}:[0-9]{2}"
_LETTER = "[0-9A-Za-z_\u00aa-\U0010ffff]"  # what \w is in Python; elsewhere it is ASCII alone
FORMS = {
    "a budget": _BUDGET,
    "a budget or 'standard'": f"standard|{_BUDGET}",
    'a window "HH:MM-HH:MM"': f"{_CLOCK}-{_CLOCK}",
    'a season "MM-DD..MM-DD"': r"[0-9]{2}-[0-9]{2}\.\.[0-9]{2}-[0-9]{2}",
    'a date "YYYY-MM-DD"': "[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "a time zone such as Asia/Shanghai": ".+",
    "a percentage from 1% to 99%": "[1-9][0-9]?%",
    "a trigger such as 'resolve 90%' or 'resolve breach'": "[0-9A-Za-z_]+ ([1-9][0-9]?%|breach)",
    "a recipient: lead, up(n), level(n), city or a department": (
        rf"(up|level)\([1-9][0-9]?\)|{_LETTER}([.-]|{_LETTER}){{0,63}}"
    ),
}
"""What a parser takes, as far as a regular expression can say; by the parser's words."""

_COMPARISON = r"^(<=|>=|<|>)\s*[-+]?[0-9]{1,15}(\.[0-9]{1,15})?$"


def policy_schema() -> Schema:
    """The schema of any file of a policy."""
    header = _fields(Header)
    needed = [field.encode_name for field in msgspec.structs.fields(Header) if field.required]
    defs: Schema = {}
    properties = {**_properties(Header, header, defs), **_properties(Sections, _fields(Sections), defs)}
    properties["measures"] = _of(_fields(Document)["measures"].type, defs)
    when = _conditions()
    block = {key: value for key, value in when["properties"].items() if key != "not"}
    defs["When"] = when
    defs["Not"] = {**when, "properties": block}
    return {
        "$schema": DIALECT,
        "title": "A file of a dispatch policy",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "if": {"anyOf": [{"required": [name]} for name in header]},
        "then": {"required": needed},
        "$defs": dict(sorted(defs.items())),
    }


def _fields(kind: type[Entry]) -> dict[str, msgspec.structs.FieldInfo]:
    """The fields that a file may hold: not the key itself, nor what only the canonical form has."""
    return {
        field.name: field
        for field in msgspec.structs.fields(kind)
        if field.name != kind.key and not any(isinstance(mark, Embedded) for mark in get_args(field.type)[1:])
    }


def _properties(kind: type[Entry], fields: dict[str, msgspec.structs.FieldInfo], defs: Schema) -> Schema:
    return {name: _described(_of(field.type, defs), kind, name) for name, field in fields.items()}


def _described(schema: Schema, kind: type[Entry], field: str) -> Schema:
    """The schema with what the key means, in both languages."""
    owners = [kind.__name__, *(["Rule"] if issubclass(kind, Rule) else [])]
    meant = next((MEANINGS[owner][field] for owner in owners if field in MEANINGS.get(owner, {})), None)
    if meant is None:
        return schema
    return {**schema, "description": "\n".join((*meant, *([schema["description"]] if "description" in schema else [])))}


def _of(kind: Any, defs: Schema) -> Schema:  # noqa: ANN401 - types as values
    """The schema of a field's type."""
    origin = get_origin(kind)
    if origin is Annotated:
        base, *marks = get_args(kind)
        schema = _of(base, defs)
        for mark in marks:
            schema = {**schema, **_marked(mark)}
        return schema
    if origin in {Union, UnionType}:
        (inner,) = [part for part in get_args(kind) if part is not type(None)]
        return _of(inner, defs)
    if origin is tuple:
        inner = get_args(kind)[0]
        keyed = isinstance(inner, type) and issubclass(inner, Entry) and inner.key is not None
        return _mapping(inner, defs) if keyed else {"type": "array", "items": _of(inner, defs)}
    if isinstance(kind, type) and issubclass(kind, Entry):
        return _entry(kind, defs)
    if kind is When:
        return {"$ref": "#/$defs/When"}
    plain: dict[Any, Schema] = {
        str: {"type": "string", "maxLength": MAX_TEXT},
        bool: {"type": "boolean"},
        int: {"type": "integer"},
        float: {"type": "number"},
    }
    return dict(plain[kind])


def _marked(mark: object) -> Schema:
    if isinstance(mark, Choice):
        return {"enum": list(mark.values)}
    if isinstance(mark, Between):
        return {"minimum": mark.low, "maximum": mark.high}
    if isinstance(mark, Pattern):
        return {"pattern": _anchored(_portable(mark.pattern.pattern)), "description": mark.what}
    if isinstance(mark, Parsed):
        form = FORMS.get(mark.what)
        return {"description": mark.what, **({"pattern": _anchored(form)} if form else {})}
    if isinstance(mark, Ref):
        return {"description": f"name of a {mark.kind}"}
    return {}


def _anchored(pattern: str) -> str:
    return f"^(?:{pattern})$"


def _portable(pattern: str) -> str:
    r"""A pattern of ours where `\w` means any letter, in JavaScript too."""
    within = _LETTER[1:-1]
    return re.sub(r"\[\\w([^\]]*)\]", lambda found: f"[{within}{found[1]}]", pattern).replace(r"\w", _LETTER)


def _mapping(kind: type[Entry], defs: Schema) -> Schema:
    """A mapping whose keys become a field of each struct; closed keys are listed, so that editors complete them."""
    value = _entry(kind, defs)
    (key,) = [field for field in msgspec.structs.fields(kind) if field.name == kind.key]
    names = _of(key.type, defs)
    if "enum" in names:
        return {"type": "object", "properties": dict.fromkeys(names["enum"], value), "additionalProperties": False}
    return {"type": "object", "propertyNames": names, "additionalProperties": value}


def _entry(kind: type[Entry], defs: Schema) -> Schema:
    name = kind.__name__.removesuffix("Entry")
    if name not in defs:
        defs[name] = {}  # holds the place while its own fields are read
        fields = _fields(kind)
        if kind.inline:
            defs[name] = _of(fields[kind.inline].type, defs)
        else:
            whole: Schema = {
                "type": "object",
                "properties": _properties(kind, fields, defs),
                "additionalProperties": False,
            }
            required = [field.name for field in fields.values() if field.required]
            if required:
                whole["required"] = required
            short = _of(fields[kind.shorthand].type, defs) if kind.shorthand else None
            defs[name] = whole if short is None else {"anyOf": [short, whole]}
    return {"$ref": f"#/$defs/{name}"}


@cache
def _conditions() -> Schema:
    """The `when` of a rule: each key a value or a list of values."""
    properties: Schema = {key: _one_or_many(_condition(key)) | _meant(key) for key in KEYS}
    properties["not"] = {"$ref": "#/$defs/Not", **_meant("not")}
    values = {"type": ["boolean", "number", "string"]}
    return {
        "type": "object",
        "properties": properties,
        "patternProperties": {rf"^{re.escape(ATTRIBUTE)}.": _one_or_many(values) | _meant(ATTRIBUTE + "<name>")},
        "additionalProperties": False,
    }


def _condition(key: str) -> Schema:
    if key in NUMBERS:
        low, high = NUMBERS[key]
        number = {"type": "integer" if key in WHOLE else "number", "minimum": low, "maximum": high}
        return {"anyOf": [number, {"type": "string", "pattern": _COMPARISON}]}
    if key in CHOICES:
        return {"enum": list(CHOICES[key])}
    return {"type": "string", "minLength": 1, **({"description": "a keyword"} if key == KEYWORD else {})}


def _one_or_many(value: Schema) -> Schema:
    return {"anyOf": [value, {"type": "array", "items": value, "minItems": 1}]}


def _meant(key: str) -> Schema:
    if key not in WHEN:
        return {}
    example, english, chinese = WHEN[key]
    return {"description": f"{english}\n{chinese}\n{key}: {example}"}
