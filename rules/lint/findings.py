"""What a policy that loads may still get wrong: `file:line:column W1xx message (hint)`, in English or Chinese.

Every message of the lint is in the one table below.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import Enum

import msgspec

from rules.facts import Facts
from rules.phrases import Language, fill, printable
from rules.policy import Policy
from rules.problems import Place

SHOWN_NAMES = 5
"""Of a list inside a message; the rest is counted."""


class Advice(Enum):
    """What to do about it: English, Chinese."""

    PUT_FIRST = ("take it out, narrow the other, or give it a higher priority", "请删除、收窄对方条件，或提高其优先级")
    CONDITIONS = ("correct its conditions, or take it out", "请更正其条件，或删除")
    RANK = ("give one of them another priority or one more key", "请为其中一条改优先级或加条件")
    ROUTE = ("add a route, or widen one", "请补充规则，或放宽已有规则")
    BUDGETS = ("correct one of the two", "请更正其中之一")
    TARGET = ("take it out, or make it stricter", "请删除，或收紧")
    WARN = ("write them once each, rising", "请去重并从小到大书写")
    DATES = ("take it out, or move the date", "请删除，或改期")
    STEPS = ("correct the step, or take it out", "请更正该步，或删除")
    HOLIDAYS = (
        "update package holidays and activate again, or add overrides",
        "请更新节假日数据后重新启用，或补充 overrides",
    )
    SPLIT = ("ask for less in one rule", "请减少单条规则的条件")
    CELL = ("correct the code", "请更正代码")
    LEVEL = ("take it out, or name a wider level", "请删除，或改为更高一级")
    TEST = ("write a test in which it takes effect", "请补充使其生效的测试")

    def __init__(self, en: str, zh: str) -> None:
        self.en = en
        self.zh = zh


class Check(Enum):
    """The closed list of findings: number, English, Chinese, what to do."""

    SHADOWED = (
        "W101",
        "'{rule}' never takes effect: '{by}' always comes before it",
        "规则“{rule}”永不生效：“{by}”总在其前",
        Advice.PUT_FIRST,
    )
    TIE = (
        "W102",
        "'{rule}' ranks equal with '{by}', which has another lead; only the order of the files decides, as for {said}",
        "规则“{rule}”与“{by}”排序相同而主办不同，仅凭文件顺序决定，例如：{said}",
        Advice.RANK,
    )
    COVERED = (
        "W103",
        "'{rule}' never takes effect: one of {by} always comes before it",
        "规则“{rule}”永不生效：{by} 总有一条在其前",
        Advice.PUT_FIRST,
    )
    IMPOSSIBLE = (
        "W103",
        "'{rule}' never takes effect: its conditions never hold together",
        "规则“{rule}”永不生效：其条件不可能同时成立",
        Advice.CONDITIONS,
    )
    CHANGED = (
        "W103",
        "'{rule}' never takes effect: {by} never leaves the severity or tags it asks for",
        "规则“{rule}”永不生效：{by} 使其所需的等级或标签不再出现",
        Advice.CONDITIONS,
    )
    UNEXPLAINED = (
        "W103",
        "'{rule}' never takes effect; it would take too long to find out why",
        "规则“{rule}”永不生效；原因过于复杂，未能查明",
        Advice.SPLIT,
    )
    ONLY_FALLBACK = (
        "W104",
        "only the fallback serves {categories} in {areas}",
        "{areas} 的 {categories} 仅由兜底受理",
        Advice.ROUTE,
    )
    SOME_FALLBACK = (
        "W104",
        "the fallback serves some cases of {categories} in {areas}, as {said}",
        "{areas} 的 {categories} 部分情形由兜底受理，例如：{said}",
        Advice.ROUTE,
    )
    ORDER = (
        "W105",
        "sla '{sla}': {late} ({late_within}) always falls due after {early} ({early_within})",
        "时限“{sla}”：{late}（{late_within}）总在 {early}（{early_within}）之后到期",
        Advice.BUDGETS,
    )
    NEVER_EARLIEST = (
        "W105",
        "'{rule}': {target} within {within} is never the earliest: every route it can meet promises sooner",
        "规则“{rule}”：{target} {within} 永不最早到期：可同时生效的规则均更严",
        Advice.TARGET,
    )
    ATTEND_LATE = (
        "W105",
        "'{rule}': {dept} attends within {within}, after the case must be resolved in every route it can meet",
        "规则“{rule}”：{dept} 到场时限 {within} 晚于所有可同时生效规则的办结时限",
        Advice.TARGET,
    )
    WARN_ORDER = ("W105", "sla '{sla}' warns at {warn}", "时限“{sla}”的预警为 {warn}", Advice.WARN)
    EXPIRED = ("W106", "'{rule}' expired on {date}", "规则“{rule}”已于 {date} 失效", Advice.DATES)
    EXPIRING = (
        "W106",
        "'{rule}' expires on {date}, in {days} days",
        "规则“{rule}”将于 {date} 失效，还有 {days} 天",
        Advice.DATES,
    )
    WARNS_LATE = (
        "W107",
        "ladder '{ladder}': '{step}' announces a deadline that has passed by then",
        "升级阶梯“{ladder}”：“{step}”预告的期限届时已过",
        Advice.STEPS,
    )
    STEP_BACK = (
        "W107",
        "ladder '{ladder}': '{step}' comes before '{above}', which stands above it",
        "升级阶梯“{ladder}”：“{step}”早于其上的“{above}”",
        Advice.STEPS,
    )
    STOPPED = (
        "W107",
        "ladder '{ladder}': '{step}' is never taken, since the ladder has stopped when {stop}",
        "升级阶梯“{ladder}”：“{step}”永不执行，{stop} 时阶梯已停止",
        Advice.STEPS,
    )
    COVERAGE = (
        "W108",
        "calendar '{calendar}' knows no holidays from {date} on, in {days} days",
        "日历“{calendar}”自 {date} 起无节假日数据，还有 {days} 天",
        Advice.HOLIDAYS,
    )
    UNDECIDED = (
        "W109",
        "'{name}' asks too much to be judged: it may or may not be in order",
        "“{name}”条件过于复杂，未能判定",
        Advice.SPLIT,
    )
    UNKNOWN_CELL = (
        "W110",
        "'{rule}' names cell {cells}, which the grid does not have",
        "规则“{rule}”所写网格 {cells} 不存在",
        Advice.CELL,
    )
    NEVER_WIDEST = (
        "W111",
        "'{rule}': level {level} never counts: every route it can meet is held there or higher up",
        "规则“{rule}”：级别 {level} 永不生效：可同时生效的规则均已由该级或更高一级负责",
        Advice.LEVEL,
    )
    UNTESTED = ("W201", "'{rule}' has no test", "规则“{rule}”没有测试", Advice.TEST)

    def __init__(self, number: str, en: str, zh: str, advice: Advice) -> None:
        self.number = number
        self.en = en
        self.zh = zh
        self.advice = advice


class Finding(msgspec.Struct, frozen=True, gc=False):
    """One finding, and where: None for a policy that was not read from files. `rules` are those it is about."""

    check: Check
    place: Place | None
    values: tuple[tuple[str, str], ...] = ()
    rules: tuple[str, ...] = ()
    example: Facts | None = None

    @property
    def number(self) -> str:
        """Its number as people quote it: W101."""
        return self.check.number

    def said(self, language: Language = "en") -> tuple[str, str]:
        """Return the message and the hint."""
        values = dict(self.values)
        return fill(getattr(self.check, language), values), getattr(self.check.advice, language)

    def render(self, language: Language = "en") -> str:
        """Return the line that people read."""
        message, hint = self.said(language)
        place = f"{self.place.file}:{self.place.line}:{self.place.column} " if self.place else ""
        text = f"{place}{self.number} {message}"
        return f"{text}（{hint}）" if language == "zh" else f"{text} ({hint})"

    def __str__(self) -> str:
        return self.render()


def finding(
    check: Check,
    place: Place | None,
    /,
    *,
    rules: Iterable[str] = (),
    example: Facts | None = None,
    **values: object,
) -> Finding:
    """Make one; values become printable text."""
    shown = tuple((name, " ".join(map(printable, str(value).split(" ")))) for name, value in values.items())
    return Finding(check, place, shown, tuple(rules), example)


def listed(names: Iterable[str]) -> str:
    """Names for a message: the first few, and how many more."""
    every = list(names)
    text = ", ".join(every[:SHOWN_NAMES])
    return text if len(every) <= SHOWN_NAMES else f"{text} +{len(every) - SHOWN_NAMES}"


def described(policy: Policy, facts: Facts) -> str:
    """Facts for a message: what is not as it usually is."""
    usual = Facts(None, 3, policy.modes[0] if policy.modes else "", (), "", "", 0, place="exact")
    parts = [f"category {facts.category or '-'}", f"place {facts.path[-1] if facts.path else '-'}"]
    parts += [
        f"{name} {', '.join(value) if isinstance(value, tuple) else value}"
        for name in ("severity", "mode", "source", "confidence", "tags", "whistle", "reporters", "place", "keywords")
        if (value := getattr(facts, name)) != getattr(usual, name)
    ]
    parts += [f"{name} {value}" for name, value in facts.attributes]
    parts += [f"{name} {value}" for name in ("standard", "request_kind") if (value := getattr(facts, name))]
    at = datetime.fromtimestamp(facts.at_ms / 1000, policy.timezone)
    return "; ".join([*parts, f"{at:%Y-%m-%d %H:%M}"])
