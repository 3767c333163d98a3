"""What went wrong in a policy test, as plain data, and the words for it in Chinese and English.

A failure says what was expected, what came, and the fact or rule that decided; where it was written is for whoever
shows it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct

from rules import KeyResult, Place, Policy

__all__ = ["Failure", "Language", "Said", "because_key", "local_time", "render_failure", "said"]

Language = Literal["en", "zh"]
WANTED_SHOWN = 6  # values of a key; a condition may have hundreds

_WORDS: dict[str, tuple[str, str]] = {
    "failed": ("{what}: expected {expected}, got {got}", "{what}：应为 {expected}，实为 {got}"),
    "nothing": ("nothing", "无"),
    "taken": ("taken", "受理"),
    "refused": ("refused ({reason}): {detail}", "被拒（{reason}）：{detail}"),
    "won": ("route {rule} won by {by}", "路线 {rule} 胜出，依据 {by}"),
    "guarded": ("guard {rule} ended evaluation", "守卫规则 {rule} 终止了判定"),
    "fell": ("no route, the fallback leads: {why}", "无路线命中，由兜底主办：{why}"),
    "no_unit": ("{what} cannot be resolved at this place", "{what} 在此地点无法落实"),
    "but_for": (
        "{rule} nearly: {key} wanted {wanted}, was {fact}",
        "{rule} 差一项：{key} 要求 {wanted}，实际 {fact}",
    ),
    "far": ("{rule} did not hold: {keys}", "{rule} 未命中：{keys}"),
    "lower": (
        "{rule} held too, but its priority is {low} against {high}",
        "{rule} 也命中，但优先级为 {low}，低于 {high}",
    ),
    "vaguer": (
        "{rule} held too, but is less specific: category depth {category}, cell depth {cell}, {keys} keys",
        "{rule} 也命中，但不够具体：类别 {category} 级，网格 {cell} 级，{keys} 个键",
    ),
    "after": ("{rule} held too, but stands later in the files", "{rule} 也命中，但在文件中靠后"),
    "brought": ("{item} comes from {rules}", "{item} 来自 {rules}"),
    "held_but": ("{rule} held, but {item} is the lead", "{rule} 命中，但 {item} 已是主办"),
    "raised": ("{rule} raised it from {claimed}", "{rule} 由 {claimed} 级提升"),
    "claimed": ("claimed {claimed}, raised by nothing", "申报 {claimed} 级，未被提升"),
    "said": ("the report said '{text}'", "上报写的是“{text}”"),
    "budget": ("{budget} on the clock {clock}, from {rule}", "{budget}，时钟 {clock}，来自 {rule}"),
    "not_owed": ("the lead owes no {what} under {sla}", "按 {sla} 主办不承担 {what}"),
    "last": ("last: {what} at {at}", "最近一次变化：{what}，{at}"),
    "target": ("{whose}: {status}", "{whose}：{status}"),
    "unlike": (
        "the engine recorded another decision than the rules make",
        "引擎记录的决定与规则算出的不同",
    ),
}
_TERMS = {
    "priority": "优先级", "specificity": "具体程度", "order": "文件顺序", "fallback": "兜底", "guard": "守卫规则",
    "no_route": "没有路线命中", "uncategorised": "类别未知", "unresolvable": "地点无法落实",
}  # fmt: skip
_TERMS_IN = ("by", "why")  # the values of sentences that are terms; all others are names and stay


class Said(Struct, frozen=True):
    """A sentence: its word in the table and what is put in."""

    word: str
    values: tuple[tuple[str, str], ...] = ()

    def render(self, lang: Language) -> str:
        """The sentence in a language."""
        values = dict(self.values)
        if lang == "zh":
            values |= {name: _TERMS.get(value, value) for name, value in self.values if name in _TERMS_IN}
        return _WORDS[self.word][lang == "zh"].format(**values)


class Failure(Struct, frozen=True):
    """One expectation that was not met; `moment` is the step's time as written, empty for the decision itself."""

    place: Place
    what: str
    expected: tuple[str, ...] | Said
    got: tuple[str, ...] | Said
    moment: str = ""
    because: tuple[Said, ...] = ()


def said(word: str, **values: object) -> Said:
    """A sentence of the table."""
    return Said(word, tuple((name, str(value)) for name, value in values.items()))


def local_time(policy: Policy, instant_ms: int) -> str:
    """An instant in the policy's zone, with its offset."""
    return datetime.fromtimestamp(instant_ms / 1000, policy.timezone).isoformat()


def because_key(rule: str, failed: Sequence[KeyResult]) -> Said:
    """Why a rule did not hold: its one key, or all that failed."""
    if len(failed) == 1:
        key = failed[0]
        return said("but_for", rule=rule, key=_name(key), wanted=_wanted(key), fact=_fact(key))
    return said("far", rule=rule, keys=", ".join(f"{_name(key)} {_wanted(key)} ({_fact(key)})" for key in failed))


def _name(key: KeyResult) -> str:
    return f"not {key.key}" if key.negated else key.key


def _wanted(key: KeyResult) -> str:
    shown = "|".join(str(value) for value in key.wanted[:WANTED_SHOWN])
    return f"{shown}|…" if len(key.wanted) > WANTED_SHOWN else shown


def _fact(key: KeyResult) -> str:
    parts = key.fact if isinstance(key.fact, tuple) else (key.fact,)
    return ", ".join(str(part) for part in parts if part is not None) or "-"


def render_failure(failure: Failure, lang: Language) -> str:
    """The failure in one line, without its place."""
    expected, got = (_side(side, lang) for side in (failure.expected, failure.got))
    what = f"{failure.moment} {failure.what}".strip()
    sentences = [said("failed", what=what, expected=expected, got=got), *failure.because]
    return ("；" if lang == "zh" else "; ").join(sentence.render(lang) for sentence in sentences)


def _side(side: tuple[str, ...] | Said, lang: Language) -> str:
    if isinstance(side, Said):
        return side.render(lang)
    return ", ".join(side) or said("nothing").render(lang)
