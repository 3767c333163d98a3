"""What can be wrong with a policy, said all at once: `file:line:column CODE message (hint)`, in English or Chinese.

Every message of the loader is in the one table below, so that it can be listed, translated and tested.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from enum import Enum
from typing import Literal

import msgspec

MAX_PROBLEMS = 1000
"""A file of garbage can hold a problem per byte; nobody reads more than this."""

Language = Literal["en", "zh"]


class Code(Enum):
    """The closed list of problems: number, English, Chinese. `E` refuses the policy, `W` doesn't."""

    BAD_YAML = ("E001", "not readable as YAML: {why}", "不是合法的 YAML：{why}")
    NOT_PLAIN = ("E002", "{what} is not allowed here", "此处不允许使用 {what}")
    TOO_LARGE = ("E003", "{what} is over the limit of {limit}", "{what} 超过上限 {limit}")
    NO_POLICY_FILE = ("E004", "policy.yaml is missing", "缺少 policy.yaml")
    UNKNOWN_KEY = ("E005", "unknown key '{key}' in {where}", "{where} 中有未知的键“{key}”")
    DUPLICATE_KEY = ("E006", "key '{key}' is given twice", "键“{key}”重复")
    MISSING_KEY = ("E007", "{where} needs '{key}'", "{where} 缺少“{key}”")
    WRONG_TYPE = ("E008", "expected {expected}, found {found}", "应为 {expected}，实为 {found}")
    UNQUOTED = ("E009", "{text} must be quoted: YAML would read {tag}", "{text} 必须加引号：YAML 会读成 {tag}")
    BAD_VALUE = ("E010", "'{text}' is not {expected}", "“{text}”不是 {expected}")
    DUPLICATE_ID = ("E011", "{kind} '{name}' is already defined at {first}", "{kind}“{name}”已在 {first} 定义")
    DANGLING = ("E012", "no {kind} is called '{name}'", "没有名为“{name}”的 {kind}")
    NO_FALLBACK = ("E013", "policy.yaml needs one total 'fallback'", "policy.yaml 必须有一个兜底 fallback")
    NO_CALENDAR = ("E014", "'{text}' runs in working time: {why}", "“{text}”按工作时间计：{why}")
    STRATA = (
        "E015",
        "overlay '{name}' sets {sets} and may not test {tests}",
        "叠加规则“{name}”设置 {sets}，不得检验 {tests}",
    )
    LADDER_CYCLE = ("E016", "ladder '{name}' leads back to itself", "升级阶梯“{name}”形成循环")
    UNREACHABLE_STEP = ("E017", "this step can never be taken: {why}", "此步永远不会执行：{why}")
    UNRESOLVABLE = ("E018", "'{text}' can never be resolved: {why}", "“{text}”永远无法落实：{why}")
    DUPLICATE_ALIAS = (
        "E019",
        "alias '{alias}' already means category {category}",
        "别名“{alias}”已属于类别 {category}",
    )
    BAD_DATES = (
        "E020",
        "expires {expires}, before it is valid ({valid_from})",
        "失效日 {expires} 早于生效日 {valid_from}",
    )
    BAD_TABLE = ("E021", "bad table: {why}", "表格有误：{why}")
    UNKNOWN_PROVIDER = ("E022", "no holidays are known for {country}", "没有 {country} 的节假日数据")
    NEVER_OPEN = ("E023", "calendar '{name}' is never open", "日历“{name}”从不开放")
    BAD_CANONICAL = ("E024", "not a canonical policy: {why}", "不是规范化策略：{why}")
    MANY_PROBLEMS = ("E025", "only the first {limit} problems are shown", "仅显示前 {limit} 个问题")
    NOT_INCLUDED = ("W001", "this file is not included by policy.yaml", "policy.yaml 未包含此文件")
    MATCHES_NOTHING = ("W002", "'{pattern}' matches no file", "“{pattern}”没有匹配到文件")

    def __init__(self, number: str, en: str, zh: str) -> None:
        self.number = number
        self.en = en
        self.zh = zh


class Hint(Enum):
    """What to do about it: English, Chinese."""

    NONE = ("", "")
    DID_YOU_MEAN = ("did you mean '{close}'?", "是否想写“{close}”？")
    ALLOWED = ("allowed: {allowed}", "可用：{allowed}")
    QUOTE = ("write '\"{text}\"'", "请写成 '\"{text}\"'")
    UNQUOTE = ("write {text} without quotes", "请去掉引号写成 {text}")
    LIST = ("write a list: [{text}]", "请写成列表：[{text}]")
    BUDGET = ("a number and a unit: m h d, wm wh wd, wd_end", "数字加单位：m h d、wm wh wd、wd_end")
    CALENDAR = ("name a 'calendar' beside it", "请在旁边写明 calendar")
    HOURS = ("give the calendar 'hours_per_working_day'", "请为该日历写明 hours_per_working_day")
    SPLIT = ("split it into two overlays", "请拆成两条叠加规则")
    SPELL_OUT = ("write the value out", "请把内容写全")

    def __init__(self, en: str, zh: str) -> None:
        self.en = en
        self.zh = zh


PHRASES = {
    "a text": "文本",
    "a list": "列表",
    "a mapping": "键值对",
    "a key": "键",
    "a number": "数字",
    "a whole number": "整数",
    "true or false": "true 或 false",
    "nothing": "空",
    "something else": "其他内容",
    "an alias (*)": "别名引用 (*)",
    "an anchor (&)": "锚点 (&)",
    "a second document": "第二个文档",
    "the file": "文件",
    "the text": "文本",
    "nesting": "嵌套层数",
    "the number of files": "文件数",
    "the number of rules": "规则数",
    "the number of values": "取值个数",
    "one of those allowed": "允许的取值",
    "no calendar is given": "未指定日历",
    "'always' has no working hours": "always 没有工作时间",
    "the same step stands above": "上面已有相同的一步",
}
"""Fixed words inside messages, in Chinese; names and what a parser said stay as they are."""


class Problem(msgspec.Struct, frozen=True, gc=False):
    """One thing that is wrong, and where: line and column count from 1 (0, 0 = the file as a whole)."""

    file: str
    line: int
    column: int
    code: Code
    values: tuple[tuple[str, str], ...] = ()
    advice: Hint = Hint.NONE

    @property
    def number(self) -> str:
        """Its code as people quote it: E001, W002."""
        return self.code.number

    @property
    def message(self) -> str:
        """What is wrong, in English."""
        return self.code.en.format(**dict(self.values))

    @property
    def hint(self) -> str:
        """What to do about it, in English; may be empty."""
        return self.advice.en.format(**dict(self.values))

    def render(self, language: Language = "en") -> str:
        """Return the line that people read."""
        values = dict(self.values)
        if language == "zh":
            values = {name: PHRASES.get(value, value) for name, value in values.items()}
        message, hint = (getattr(part, language).format(**values) for part in (self.code, self.advice))
        text = f"{self.file}:{self.line}:{self.column} {self.code.number} {message}"
        return f"{text} ({hint})" if hint else text

    def __str__(self) -> str:
        return self.render()


class PolicyError(Exception):
    """The policy is wrong; `problems` says everything that is, in the order of the files."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


class Place(msgspec.Struct, frozen=True, gc=False):
    """A spot in a file; line and column count from 1."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Problems:
    """The problems found so far. Iterating gives them by file, line and column."""

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}

    def add(self, code: Code, place: Place, hint: Hint = Hint.NONE, /, **values: object) -> None:
        """Note one problem; the same one at the same place only once."""
        shown = tuple((name, _printable(str(value))) for name, value in values.items())
        self._found[Problem(place.file, place.line, place.column, code, shown, hint)] = None

    def suggest(self, code: Code, place: Place, name: str, known: Mapping[str, object], /, **values: object) -> None:
        """`add` with "did you mean" when something known is close to `name`, else with what is allowed."""
        close = get_close_matches(name, known, n=1) if len(name) <= 100 else []
        if close:
            self.add(code, place, Hint.DID_YOU_MEAN, close=close[0], **values)
        elif 0 < len(known) <= 30:
            self.add(code, place, Hint.ALLOWED, allowed=", ".join(known), **values)
        else:
            self.add(code, place, Hint.NONE, **values)

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Problem]:
        return iter(sorted(self._found, key=lambda found: (found.file, found.line, found.column, found.number)))

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Those that do not refuse the policy."""
        return tuple(problem for problem in self if problem.number.startswith("W"))

    def raise_if_any(self) -> None:
        """Raise `PolicyError` with everything found, unless there are only warnings."""
        everything = tuple(self)
        if any(problem.number.startswith("E") for problem in everything):
            if len(everything) > MAX_PROBLEMS:
                last = Problem("policy.yaml", 0, 0, Code.MANY_PROBLEMS, (("limit", str(MAX_PROBLEMS)),))
                everything = (*everything[:MAX_PROBLEMS], last)
            raise PolicyError(everything)


def _printable(text: str) -> str:
    """One line, without control characters or lone surrogates, short enough for a terminal."""
    text = "".join(c if c.isprintable() else "�" for c in text[:200])
    return text if len(text) <= 120 else text[:117] + "..."
