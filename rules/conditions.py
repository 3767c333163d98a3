"""The `when` of a rule: which keys there are, what their values may be, and what a single value means.

List = any of, different keys = all, `not:` block = none of, absent = any. No regular expressions, no templates.
"""

import re
import unicodedata

import msgspec

from rules.facts import PLACE_HOWS, REQUEST_KINDS, Scalar
from rules.model_rules import Condition, When
from rules.phrases import said
from rules.problems import Code, Hint
from rules.readers import MISSING, Reading, Value, read_number, read_text
from rules.yaml_nodes import Mapping, Node, Sequence, describe
from rules.yaml_nodes import Scalar as ScalarNode

ATTRIBUTE = "attributes."
KEYWORD = "text.any"
ANY_WHISTLE = "any"
"""`whistle: any` holds for a whistle of whatever kind."""

MAX_KEYWORD = 64
"""A keyword is a word or a short phrase; long ones would nest the compiled search too deep."""
MAX_VALUES = 1000

_REFS = ("category", "mode", "calendar", "source", "platform", "standard")
CHOICES = {"place": PLACE_HOWS, "request_kind": REQUEST_KINDS}
NUMBERS = {"severity": (1, 4), "confidence": (0, 1), "reporters": (0, 1_000_000)}
WHOLE = ("severity", "reporters")
KEYS: tuple[str, ...] = (
    "category",
    "grid",
    "severity",
    "mode",
    "calendar",
    "source",
    "platform",
    "confidence",
    "tags",
    "whistle",
)
KEYS += ("reporters", "place", KEYWORD, "standard", "request_kind")

_COMPARISON = re.compile(r"(<=|>=|<|>)\s*([-+]?\d{1,15}(?:\.\d{1,15})?)", re.ASCII)


class Test(msgspec.Struct, frozen=True, gc=False):
    """One value of a number's or an attribute's condition: equals, or a comparison with a number."""

    __test__ = False  # not one of pytest's

    op: str
    value: Scalar

    def holds(self, fact: Scalar | None) -> bool:
        """Whether a fact passes. Kinds never mix: "10" is not 10, true is not 1; comparisons want a number."""
        if self.op == "=":
            if isinstance(fact, int | float) and isinstance(self.value, int | float):
                return isinstance(fact, bool) == isinstance(self.value, bool) and fact == self.value
            return fact == self.value
        if not isinstance(fact, int | float) or isinstance(fact, bool):
            return False
        limit = self.value
        assert isinstance(limit, int | float)  # noqa: S101 - `test_of` makes no other
        match self.op:
            case "<":
                return fact < limit
            case "<=":
                return fact <= limit
            case ">":
                return fact > limit
            case _:
                return fact >= limit


def test_of(value: Scalar) -> Test:
    """`"<=2"` as a comparison, anything else as equality (also a text that only begins like a comparison)."""
    found = _COMPARISON.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return Test("=", value)
    number = found[2]
    return Test(found[1], float(number) if "." in number else int(number))


def normal_text(text: str) -> str:
    """Text as keywords are compared: NFKC, without case. Full-width forms and letter case make no difference."""
    if text.isascii():
        return text.lower()
    for wide, narrow in _WIDE:
        text = text.replace(wide, narrow)
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


_WIDE = tuple(zip("，！？：；（）", ",!?:;()", strict=True))
"""Each is by NFKC what stands beside it. Python sees at once that a text is normal, unless one of them is in it: then
it takes every letter apart, and that for ten times as long."""


def read_when(node: Node, reading: Reading) -> Value:
    """Return a `when` mapping, or MISSING."""
    if not isinstance(node, Mapping):
        reading.problems.add(Code.WRONG_TYPE, node.place, expected="a mapping", found=describe(node))
        return MISSING
    require = _conditions(node, reading, "when")
    exclude: tuple[Condition, ...] = ()
    block = node.values.get("not")
    if isinstance(block, Mapping):
        exclude = _conditions(block, reading, "not")
    elif block is not None:
        reading.problems.add(Code.WRONG_TYPE, block.place, expected="a mapping", found=describe(block))
    return When(require, exclude)


def _conditions(node: Mapping, reading: Reading, where: str) -> tuple[Condition, ...]:
    conditions = []
    extra = ["not"] if where == "when" else []  # a block within a block would say nothing new
    for key, value in node.values.items():
        if key in extra:
            continue
        if key not in KEYS and not (key.startswith(ATTRIBUTE) and len(key) > len(ATTRIBUTE)):
            known = dict.fromkeys((*KEYS, ATTRIBUTE + "<name>", *extra))
            reading.problems.suggest(Code.UNKNOWN_KEY, node.keys[key].place, key, known, key=key, where=where)
            continue
        items = value.items if isinstance(value, Sequence) else [value]
        if not items:
            reading.problems.add(Code.BAD_VALUE, value.place, text="[]", expected="a list of at least one value")
        if len(items) > MAX_VALUES:
            reading.problems.add(Code.TOO_LARGE, value.place, what="the number of values", limit=MAX_VALUES)
        values = [_value(key, item, reading) for item in items]
        conditions.append(Condition(key, tuple(value for value in values if value is not MISSING)))
    return tuple(conditions)


def _value(key: str, node: Node, reading: Reading) -> Value:
    problems = reading.problems
    if key in NUMBERS:
        return _number(key, node, reading)
    if key.startswith(ATTRIBUTE):
        if isinstance(node, ScalarNode) and not node.quoted and node.text in {"true", "false"}:
            return node.text == "true"
        number = read_number(node)
        value = number if number is not None else read_text(node, reading)
        if isinstance(value, str) and value[:1] in {"<", ">"} and test_of(value).op == "=":  # meant as a comparison
            problems.add(Code.BAD_VALUE, node.place, text=value, expected='a comparison such as ">=5"')
            return MISSING
        return value
    text = read_text(node, reading)
    if text is MISSING:
        return MISSING
    if key in _REFS:
        reading.refs.append((key, text, node.place))
    elif key in CHOICES and text not in CHOICES[key]:
        known = dict.fromkeys(CHOICES[key])
        problems.suggest(Code.BAD_VALUE, node.place, text, known, text=text, expected=said("a value of {key}", key=key))
        return MISSING
    elif key == KEYWORD:
        text = normal_text(text).strip()
        if not 0 < len(text) <= MAX_KEYWORD:
            expected = said("a keyword of 1 to {limit} characters", limit=MAX_KEYWORD)
            problems.add(Code.BAD_VALUE, node.place, text=text, expected=expected)
            return MISSING
    elif not text:
        problems.add(Code.BAD_VALUE, node.place, text=text, expected=said("a value of {key}", key=key))
        return MISSING
    elif key == "whistle" and text != ANY_WHISTLE:
        reading.refs.append((key, text, node.place))
    return text


def _number(key: str, node: Node, reading: Reading) -> Value:
    if not isinstance(node, ScalarNode):
        reading.problems.add(Code.WRONG_TYPE, node.place, expected="a number", found=describe(node))
        return MISSING
    low, high = NUMBERS[key]
    number = read_number(node)
    value: Value = node.text if number is None else number
    limit = test_of(value).value
    if isinstance(limit, str) or (key in WHOLE and isinstance(limit, float)):
        what = "a whole number" if key in WHOLE else "a number"
        hint = Hint.UNQUOTE if re.fullmatch(r"\d+", node.text, re.ASCII) else Hint.NONE
        expected = said(what + ' or a comparison such as "<={limit}"', limit=high)
        reading.problems.add(Code.BAD_VALUE, node.place, hint, text=node.text, expected=expected)
        return MISSING
    if not low <= limit <= high:
        expected = said("between {low} and {high}", low=low, high=high)
        reading.problems.add(Code.BAD_VALUE, node.place, text=value, expected=expected)
        return MISSING
    return value
