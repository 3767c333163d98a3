"""The reference of the policy format as Markdown, made from the very structs that the loader reads with."""

from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin

import msgspec

from rules import shapes
from rules.entries import Entry, Text
from rules.meanings import MEANINGS, WHEN
from rules.measures import Boards, MeasuresEntry, Weight
from rules.model import Fallback, Header, Reason, ReasonKind, Requirement
from rules.model_catalogue import CategoryEntry, Department, Extend, MergeRule, Source, Standard, Verify
from rules.model_clocks import (
    CalendarEntry,
    Hold,
    HoursEntry,
    LadderEntry,
    Override,
    Provider,
    Reopen,
    Repeat,
    SlaEntry,
    StepEntry,
    TargetEntry,
)
from rules.model_rules import Attend, ExtraTarget, Guard, Overlay, Raise, Route, Rule, Support, When
from rules.phrases import in_words
from rules.problems import Code, Language

__all__ = ["described", "reference"]

# headings and the structs under them, in the order a reader meets them
_CHAPTERS: tuple[tuple[str, tuple[type[Entry], ...]], ...] = (
    ("policy.yaml", (Header, Fallback, ReasonKind, Reason, Requirement)),
    ("departments", (Department,)),
    ("categories", (CategoryEntry, Standard)),
    ("sources", (Source, Verify, Extend)),
    ("calendars", (CalendarEntry, HoursEntry, Provider, Override)),
    ("sla", (SlaEntry, TargetEntry, Reopen, Hold)),
    ("ladders", (LadderEntry, StepEntry, Repeat)),
    ("merge", (MergeRule,)),
    ("measures", (MeasuresEntry, Weight, Boards)),
    ("guards", (Guard,)),
    ("routes", (Route,)),
    ("overlays", (Overlay, Support, Attend, Raise, ExtraTarget)),
)


class _Words(NamedTuple):
    key: str
    takes: str
    must: str
    means: str
    yes: str
    itself: str
    text: str
    number: str
    whole: str
    flag: str
    list_of: str
    mapping: str
    one_of: str
    name_of: str
    between: str
    condition: str
    example: str
    problem: str
    says: str
    short: str


_WORDS = {
    "en": _Words(
        "key", "takes", "must", "means", "yes", " (the key itself)", "text", "number", "whole number", "true or false",
        "list of ", "mapping ", "one of ", "name of a ", "from {low:g} to {high:g}", "the conditions of a rule",
        "example", "problem", "says", "Short: a bare value stands for `{field}`.",
    ),
    "zh": _Words(
        "键", "取值", "必填", "含义", "是", "（即键本身）", "文本", "数字", "整数", "true 或 false",
        "列表：", "键值对：", "取其一：", "名称：", "{low:g} 至 {high:g}", "规则的条件",
        "例", "编号", "说明", "简写：只写一个值即为 `{field}`。",
    ),
}  # fmt: skip


def meaning(kind: type[Entry], field: str, language: Language) -> str:
    """What a key means. Raises KeyError for one that nobody has described."""
    own = MEANINGS.get(kind.__name__, {})
    shared = MEANINGS["Rule"] if issubclass(kind, Rule) else {}
    english, chinese = own[field] if field in own else shared[field]
    return chinese if language == "zh" else english


def described() -> list[tuple[type[Entry], str]]:
    """Every struct and field that a file may hold."""
    everything: list[type[Entry]] = [kind for _, kinds in _CHAPTERS for kind in kinds]
    everything.append(Text)
    return [(kind, field.name) for kind in everything for field in _fields(kind)]


def reference(language: Language) -> str:
    """The tables of the reference: every file's keys, the conditions, the problems."""
    words = _WORDS[language]
    lines: list[str] = []
    for heading, kinds in _CHAPTERS:
        lines += [f"### `{heading}`", ""]
        for number, kind in enumerate(kinds):
            if number:
                lines += [f"`{_label(kind)}`", ""]
            lines += [f"| {words.key} | {words.takes} | {words.must} | {words.means} |", "|---|---|---|---|"]
            lines += [_row(kind, field, language) for field in _fields(kind)]
            lines += ["", words.short.format(field=kind.shorthand), ""] if kind.shorthand else [""]
    lines += [
        f"### `when`: {words.condition}",
        "",
        f"| {words.key} | {words.example} | {words.means} |",
        "|---|---|---|",
    ]
    lines += [
        f"| `{key}` | `{example}` | {chinese if language == 'zh' else english} |"
        for key, (example, english, chinese) in WHEN.items()
    ]
    lines += ["", f"### {words.problem}: E, W", "", f"| {words.problem} | {words.says} |", "|---|---|"]
    lines += [f"| {code.number} | {_cell(code.zh if language == 'zh' else code.en)} |" for code in Code]
    return "\n".join(lines) + "\n"


def _fields(kind: type[Entry]) -> list[msgspec.structs.FieldInfo]:
    """A struct's fields: its own key first, without what only the canonical form has."""
    fields = [field for field in msgspec.structs.fields(kind) if not _marked(field.type, shapes.Embedded)]
    return sorted(fields, key=lambda field: field.name not in (kind.key, "id"))


def _label(kind: type[Entry]) -> str:
    return kind.__name__.removesuffix("Entry")


def _row(kind: type[Entry], field: msgspec.structs.FieldInfo, language: Language) -> str:
    words = _WORDS[language]
    takes = _takes(field.type, language) + (words.itself if field.name == kind.key else "")
    must = words.yes if field.required else ""
    return f"| `{field.name}` | {_cell(takes)} | {must} | {_cell(meaning(kind, field.name, language))} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _marked(given: Any, mark: type) -> bool:  # noqa: ANN401 - types as values
    return any(isinstance(each, mark) for each in get_args(given)[1:])


def _takes(given: Any, language: Language) -> str:  # noqa: ANN401 - types as values
    """A field's type in words."""
    words = _WORDS[language]
    marks = getattr(given, "__metadata__", ())
    if marks:
        return _marks(given, marks, language)
    origin = get_origin(given)
    if origin in (Union, UnionType):
        return " / ".join(_takes(part, language) for part in get_args(given) if part is not type(None))
    if origin is tuple:
        inner = get_args(given)[0]
        if isinstance(inner, type) and issubclass(inner, Entry):
            if inner.key and inner.key != "id" and not issubclass(inner, Rule):
                return f"{words.mapping}`{_label(inner)}`"
            return f"{words.list_of}`{_label(inner)}`"
        return f"{words.list_of}{_takes(inner, language)}"
    if given is When:
        return "`when`"
    if isinstance(given, type) and issubclass(given, Entry):
        return f"`{_label(given)}`"
    return {str: words.text, float: words.number, int: words.whole, bool: words.flag}.get(given, str(given))


def _marks(given: Any, marks: tuple[Any, ...], language: Language) -> str:  # noqa: ANN401 - types as values
    words = _WORDS[language]
    said = []
    for mark in marks:
        if isinstance(mark, shapes.Choice):
            said.append(f"{words.one_of}{', '.join(f'`{value}`' for value in mark.values)}")
        elif isinstance(mark, shapes.Between):
            said.append(words.between.format(low=mark.low, high=mark.high))
        elif isinstance(mark, shapes.Ref) and len(marks) == 1:
            said.append(f"{words.name_of}{in_words(mark.kind, language)}")
        elif isinstance(mark, shapes.Pattern | shapes.Parsed):
            said.append(in_words(mark.what, language))
    return ", ".join(said) or _takes(given.__origin__, language)
