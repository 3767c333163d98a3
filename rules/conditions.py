"""The `when` of a rule: which keys there are, what their values may be, and what a single value means.

List = any of, different keys = all, `not:` block = none of, absent = any. No regular expressions, no templates.
"""

import re
import unicodedata

import msgspec

from rules.facts import PLACE_HOWS, REQUEST_KINDS, Scalar
from rules.model_rules import Condition, When
from rules.problems import Code, Hint
from rules.readers import MISSING, Reading, Value, read_number, read_text
from rules.yaml_nodes import Mapping, Node, Sequence
from rules.yaml_nodes import Scalar as ScalarNode

ATTRIBUTE = "attributes."
KEYWORD = "text.any"
ANY_WHISTLE = "any"
"""`whistle: any` holds for a whistle of whatever kind."""

MAX_KEYWORD = 64
"""A keyword is a word or a short phrase; long ones would nest the compiled search too deep."""
MAX_VALUES = 1000

_REFS = {"category": "category", "mode": "mode", "calendar": "calendar", "source": "source", "platform": "platform"}
_CHOICES = {"place": PLACE_HOWS, "request_kind": REQUEST_KINDS}
_NUMBERS = {"severity": (1, 4), "confidence": (0, 1), "reporters": (0, 1_000_000)}
_TEXTS = ("grid", "tags", "whistle", "standard", KEYWORD)
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
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def read_when(node: Node, reading: Reading) -> Value:
    """Return a `when` mapping, or MISSING."""
    if not isinstance(node, Mapping):
        reading.problems.add(Code.WRONG_TYPE, node.place, expected="a mapping", found="something else")
        return MISSING
    require = _conditions(node, reading, skip="not")
    exclude: tuple[Condition, ...] = ()
    block = node.values.get("not")
    if isinstance(block, Mapping):
        exclude = _conditions(block, reading)
    elif block is not None:
        reading.problems.add(Code.WRONG_TYPE, block.place, expected="a mapping", found="something else")
    return When(require, exclude)


def _conditions(node: Mapping, reading: Reading, skip: str = "") -> tuple[Condition, ...]:
    conditions = []
    for key, value in node.values.items():
        if key == skip:
            continue
        if key not in KEYS and not (key.startswith(ATTRIBUTE) and len(key) > len(ATTRIBUTE)):
            known = dict.fromkeys((*KEYS, ATTRIBUTE + "<name>", *([skip] if skip else [])))
            reading.problems.suggest(Code.UNKNOWN_KEY, node.keys[key].place, key, known, key=key, where="when")
            continue
        items = value.items if isinstance(value, Sequence) else [value]
        if not items or len(items) > MAX_VALUES:
            reading.problems.add(Code.TOO_LARGE, value.place, what="the number of values", limit=f"1 to {MAX_VALUES}")
        values = [_value(key, item, reading) for item in items]
        conditions.append(Condition(key, tuple(value for value in values if value is not MISSING)))
    return tuple(conditions)


def _value(key: str, node: Node, reading: Reading) -> Value:
    problems = reading.problems
    if key in _NUMBERS:
        return _number(key, node, reading)
    if key.startswith(ATTRIBUTE):
        if isinstance(node, ScalarNode) and not node.quoted and node.text in {"true", "false"}:
            return node.text == "true"
        number = read_number(node)
        return number if number is not None else read_text(node, reading)
    text = read_text(node, reading)
    if text is MISSING:
        return MISSING
    if key in _REFS:
        reading.refs.append((_REFS[key], text, node.place))
    elif key in _CHOICES and text not in _CHOICES[key]:
        known = dict.fromkeys(_CHOICES[key])
        problems.suggest(Code.BAD_VALUE, node.place, text, known, text=text, expected=f"a value of {key}")
        return MISSING
    elif key == KEYWORD:
        text = normal_text(text).strip()
        if not 0 < len(text) <= MAX_KEYWORD:
            problems.add(Code.BAD_VALUE, node.place, text=text, expected=f"a keyword of 1 to {MAX_KEYWORD} characters")
            return MISSING
    elif not text:
        problems.add(Code.BAD_VALUE, node.place, text=text, expected=f"a value of {key}")
        return MISSING
    return text


def _number(key: str, node: Node, reading: Reading) -> Value:
    low, high = _NUMBERS[key]
    value: Value = read_number(node)
    if value is None and isinstance(node, ScalarNode):
        value = node.text
    test = test_of(value) if value is not None else None
    if test is None or isinstance(test.value, str):
        shown = node.text if isinstance(node, ScalarNode) else "a list"
        expected = f'a number or a comparison such as "<={high}"'
        hint = Hint.UNQUOTE if test and re.fullmatch(r"\d+", str(test.value), re.ASCII) else Hint.NONE
        reading.problems.add(Code.BAD_VALUE, node.place, hint, text=shown, expected=expected)
        return MISSING
    if not low <= float(test.value) <= high:
        reading.problems.add(Code.BAD_VALUE, node.place, text=value, expected=f"between {low} and {high}")
        return MISSING
    return value
