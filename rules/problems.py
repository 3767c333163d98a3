"""What can be wrong with a policy, said all at once: `file:line:column CODE message (hint)`, in English or Chinese.

Every message of the loader is in the tables below, so that it can be listed, translated and tested.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from enum import Enum

import msgspec

from rules.phrases import Language, Phrase, fill, in_words, printable

__all__ = ["MAX_PROBLEMS", "OURS", "Code", "Hint", "Language", "Place", "PolicyError", "Problem", "Problems"]

MAX_PROBLEMS = 1000
"""A file of garbage can hold a problem per byte; nobody reads more than this."""


class Hint(Enum):
    """What to do about it: English, Chinese."""

    NONE = ("", "")
    DID_YOU_MEAN = ("did you mean '{close}'?", "是否想写“{close}”？")
    ALLOWED = ("allowed: {allowed}", "可用：{allowed}")
    QUOTE = ("write '\"{text}\"'", "请写成 '\"{text}\"'")
    UNQUOTE = ("write {text} without quotes", "请去掉引号写成 {text}")
    LIST = ("write a list: [{text}]", "请写成列表：[{text}]")
    FILL_IN = ("fill it in, or leave the key out", "请填写，或去掉这个键")
    BUDGET = ("a number and a unit: m h d, wm wh wd, wd_end", "数字加单位：m h d、wm wh wd、wd_end")
    CALENDAR = ("name a 'calendar' beside it", "请在旁边写明 calendar")
    WORKING_CALENDAR = ("give it a calendar with hours, or use m, h, d", "请改用有工作时间的日历，或改用 m、h、d")
    ALWAYS_UNITS = ("use m, h or d", "请改用 m、h 或 d")
    HOURS = ("give the calendar 'hours_per_working_day'", "请为该日历写明 hours_per_working_day")
    SPLIT = ("split it into two overlays", "请拆成两条叠加规则")
    SPELL_OUT = ("write the value out", "请把内容写全")
    OWN_FILE = ("put it into a file of its own", "请另存为一个文件")
    LEAVE_OUT = ("leave it out", "请去掉")
    SMALLER = ("make it smaller, or split it", "请缩减或拆分")
    OTHER_FOLDER = ("every policy has one: is this its folder?", "每份政策都有此文件，请确认目录是否正确")
    BRACKETS = (
        "look for a quote, a bracket or an indent that is missing at or above it",
        "请检查此处及上文是否缺少引号、括号或缩进",
    )
    KEEP_ONE = ("keep one of them", "请只保留一个")
    ADD = ("add it", "请补上")
    RENAME = ("rename one of them, or take one out", "请给其中一个改名，或去掉一个")
    DEFINE = ("define it first, or name another", "请先定义，或改用其他名称")
    FALLBACK = ("add 'fallback' with lead, sla, ladder and reason", "请补上 fallback，写明 lead、sla、ladder 和 reason")
    MOVE = ("move it to policy.yaml", "请移到 policy.yaml")
    BREAK_CIRCLE = ("take out a 'then' on the way", "请去掉其中一个 then")
    STEP = ("correct the step, or take it out", "请改正或去掉这一步")
    UNITS = ("give it 'units: from_grid', or name it without '@'", "请为该部门写明 units: from_grid，或去掉“@”")
    ONE_CATEGORY = ("leave it with one category", "请只留给一个类别")
    DATES = ("correct one of the two dates", "请改正其中一个日期")
    TABLE = ("save it as CSV in UTF-8, with a heading line", "请另存为带表头的 UTF-8 CSV 文件")
    CELLS = ("quote a cell that holds a comma", "含逗号的单元格请加引号")
    COUNTRY = (
        "two letters such as CN; a region only where it has holidays of its own",
        "请写两个字母的国家代码，如 CN；地区仅在有自定节假日时填写",
    )
    OPEN_HOURS = ("give it a window on some day of an ordinary year", "请为其写明平常年份中某些日子的时段")
    FROM_FILES = ("make it anew from the files of the policy", "请用政策文件重新生成")
    MEND_FIRST = ("mend these first", "请先改正以上问题")
    INCLUDE = ("add it to 'include', or move it elsewhere", "请写入 include，或移到别处")
    PATTERN = ("correct the pattern, or take it out", "请改正或去掉该模式")

    def __init__(self, en: str, zh: str) -> None:
        self.en = en
        self.zh = zh


class Code(Enum):
    """The closed list of problems: number, English, Chinese, and what to do when a check has no better advice.

    `E` refuses the policy, `W` doesn't.
    """

    BAD_YAML = ("E001", "not readable as YAML: {why}", "不是合法的 YAML：{why}", Hint.BRACKETS)
    NOT_PLAIN = ("E002", "{what} is not allowed here", "此处不允许使用{what}", Hint.LEAVE_OUT)
    TOO_LARGE = ("E003", "{what} is over the limit of {limit}", "{what}超过上限 {limit}", Hint.SMALLER)
    NO_POLICY_FILE = ("E004", "policy.yaml is missing", "缺少 policy.yaml", Hint.OTHER_FOLDER)
    UNKNOWN_KEY = ("E005", "unknown key '{key}' in {where}", "{where}中有未知的键“{key}”", Hint.LEAVE_OUT)
    DUPLICATE_KEY = ("E006", "key '{key}' is given twice", "键“{key}”重复", Hint.KEEP_ONE)
    MISSING_KEY = ("E007", "{where} needs '{key}'", "{where}缺少“{key}”", Hint.ADD)
    WRONG_TYPE = ("E008", "expected {expected}, found {found}", "应为{expected}，实为{found}")
    UNQUOTED = (
        "E009",
        "{text} must be quoted: YAML would read {tag}",
        "{text} 必须加引号，否则 YAML 会读成{tag}",
        Hint.QUOTE,
    )
    BAD_VALUE = ("E010", "'{text}' is not {expected}", "“{text}”不是{expected}")
    DUPLICATE_ID = (
        "E011",
        "{kind} '{name}' is already defined: {first}",
        "{kind}“{name}”已有定义：{first}",
        Hint.RENAME,
    )
    DANGLING = ("E012", "no {kind} is called '{name}'", "没有名为“{name}”的{kind}", Hint.DEFINE)
    NO_FALLBACK = (
        "E013",
        "policy.yaml needs one total 'fallback'",
        "policy.yaml 必须有一个兜底 fallback",
        Hint.FALLBACK,
    )
    NO_CALENDAR = ("E014", "'{text}' runs in working time: {why}", "“{text}”按工作时间计：{why}")
    STRATA = (
        "E015",
        "overlay '{name}' sets {sets} and may not test {tests}",
        "叠加规则“{name}”设置{sets}，不得检验{tests}",
        Hint.SPLIT,
    )
    LADDER_CYCLE = ("E016", "ladder '{name}' leads back to itself", "升级阶梯“{name}”形成循环", Hint.BREAK_CIRCLE)
    UNREACHABLE_STEP = ("E017", "this step can never be taken: {why}", "此步永远不会执行：{why}", Hint.STEP)
    UNRESOLVABLE = ("E018", "'{text}' can never be resolved: {why}", "“{text}”永远无法落实：{why}", Hint.UNITS)
    DUPLICATE_ALIAS = (
        "E019",
        "alias '{alias}' already means category {category}",
        "别名“{alias}”已属于类别 {category}",
        Hint.ONE_CATEGORY,
    )
    BAD_DATES = (
        "E020",
        "expires {expires}, before it is valid ({valid_from})",
        "失效日 {expires} 早于生效日 {valid_from}",
        Hint.DATES,
    )
    BAD_TABLE = ("E021", "bad table: {why}", "表格有误：{why}", Hint.TABLE)
    UNKNOWN_PROVIDER = ("E022", "no holidays are known for {country}", "没有 {country} 的节假日数据", Hint.COUNTRY)
    NEVER_OPEN = ("E023", "calendar '{name}' is never open", "日历“{name}”从不开放", Hint.OPEN_HOURS)
    BAD_CANONICAL = ("E024", "not a canonical policy: {why}", "不是规范化政策：{why}", Hint.FROM_FILES)
    MANY_PROBLEMS = ("E025", "only the first {limit} problems are shown", "仅显示前 {limit} 个问题", Hint.MEND_FIRST)
    NOT_INCLUDED = ("W001", "this file is not included by policy.yaml", "policy.yaml 未包含此文件", Hint.INCLUDE)
    MATCHES_NOTHING = ("W002", "'{pattern}' matches no file", "“{pattern}”没有匹配到文件", Hint.PATTERN)

    def __init__(self, number: str, en: str, zh: str, advice: Hint = Hint.NONE) -> None:
        self.number = number
        self.en = en
        self.zh = zh
        self.advice = advice


OURS = frozenset(("expected", "first", "found", "kind", "limit", "sets", "tag", "tests", "what", "where", "why"))
"""Values in our words, which have Chinese; all others are names and texts of the policy, which stay as they are."""


class Problem(msgspec.Struct, frozen=True, gc=False):
    """One thing that is wrong, and where: line and column count from 1 (0, 0 = the file as a whole)."""

    file: str
    line: int
    column: int
    code: Code
    values: tuple[tuple[str, str | Phrase], ...] = ()
    advice: Hint = Hint.NONE

    @property
    def number(self) -> str:
        """Its code as people quote it: E001, W002."""
        return self.code.number

    @property
    def message(self) -> str:
        """What is wrong, in English."""
        return self.said("en")[0]

    @property
    def hint(self) -> str:
        """What to do about it, in English; may be empty."""
        return self.said("en")[1]

    def said(self, language: Language) -> tuple[str, str]:
        """Return what is wrong and what to do about it; the second may be empty."""
        values = {
            name: in_words(value, language) if name in OURS or isinstance(value, Phrase) else value
            for name, value in self.values
        }
        advice = self.advice if self.advice is not Hint.NONE else self.code.advice
        message, hint = (fill(getattr(part, language), values) for part in (self.code, advice))
        return message, hint

    def render(self, language: Language = "en") -> str:
        """Return the line that people read."""
        message, hint = self.said(language)
        text = f"{self.file}:{self.line}:{self.column} {self.code.number} {message}"
        if not hint:
            return text
        return f"{text}（{hint}）" if language == "zh" else f"{text} ({hint})"

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
        return f"{self.file}:{self.line}" if self.line else self.file


class Problems:
    """The problems found so far. Iterating gives them by file, line and column."""

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}

    def add(self, code: Code, place: Place, hint: Hint = Hint.NONE, /, **values: object) -> None:
        """Note one problem; the same one at the same place only once."""
        shown = tuple(
            (name, value if isinstance(value, Phrase) else printable(str(value))) for name, value in values.items()
        )
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
