"""What can be wrong with a register, said all at once: `file:line:column CODE message`, in English or Chinese.

A message never repeats a name, a code or a telephone number. It quotes what should have been a number or a time, if
it could be one, for a shifted column puts anything anywhere; file, line and column are enough to find the field.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from dispatcher.core.privacy import mask_text

__all__ = ["MAX_PROBLEMS", "Code", "Problem", "Problems", "RegisterError", "quotable"]

MAX_PROBLEMS = 1_000  # a shifted column is wrong in every row; nobody reads more than this
_QUOTED = 40  # characters of a field that a message repeats

Language = Literal["en", "zh"]


class Code(Enum):
    """The closed list of problems: number, English, Chinese."""

    NOT_A_TABLE = ("R001", "not a table: {why}", "不是合法的表格：{why}")
    UNKNOWN_FILE = ("R002", "a register has no such file; it has {files}", "登记册没有此文件；可用：{files}")
    MISSING_FILE = ("R003", "this file is missing", "缺少此文件")
    UNKNOWN_COLUMN = ("R004", "unknown column; there are {columns}", "未知的列；可用：{columns}")
    EMPTY = ("R005", "{column} is empty", "{column} 为空")
    DUPLICATE = ("R006", "the same {column} as in {first}", "{column} 与 {first} 重复")
    UNKNOWN_CELL = ("R007", "the grid has no such cell", "网格中没有此网格代码")
    DANGLING = ("R008", "{file} does not have this {column}", "{file} 中没有此 {column}")
    BAD_PHONE = (
        "R009",
        "no telephone number: 3 to 15 digits, a + in front, spaces and hyphens between",
        "不是电话号码：3 至 15 位数字，前面可加 +，中间可有空格和连字符",
    )
    BAD_NUMBER = ("R010", "{column} must be {wanted}, not '{text}'", "{column} 应为 {wanted}，而不是 “{text}”")
    BAD_DATE = (
        "R011",
        "{column} must be a date such as 2026-03-02, not '{text}'",
        "{column} 应为日期，如 2026-03-02，而不是 “{text}”",
    )
    BAD_DAYS = (
        "R012",
        "days are 1 (Monday) to 7, as in 1-5 or 6,7, not '{text}'",
        "days 为 1（周一）至 7，如 1-5 或 6,7，而不是 “{text}”",
    )
    BAD_HOURS = ("R013", "hours are HH:MM-HH:MM, not '{text}'", "hours 应为 HH:MM-HH:MM，而不是 “{text}”")
    ONE_OF = ("R014", "give exactly one of {columns}", "{columns} 只填其中一个")
    BOTH = ("R015", "{columns} go together", "{columns} 必须同时填写")
    OTHER_UNIT = ("R016", "people.csv has this person in another unit", "people.csv 中此人属于另一单位")
    TOO_EARLY = ("R017", "a visit before the task begins ({since})", "走访早于任务起始日（{since}）")
    TOO_LONG_A_DAY = ("R018", "more than 24 hours of one person in one day", "同一人一天超过 24 小时")
    MANY = ("R019", "only the first {limit} problems are shown", "仅显示前 {limit} 个问题")

    def __init__(self, number: str, en: str, zh: str) -> None:
        self.number = number
        self.en = en
        self.zh = zh


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong, and where: line and column count from 1, columns as a spreadsheet does; 0 = the file."""

    file: str
    line: int
    column: int
    number: str
    values: tuple[tuple[str, str], ...] = ()

    def message(self, language: Language = "en") -> str:
        """Return what is wrong."""
        template: str = getattr(_BY_NUMBER[self.number], language)
        return template.format(**dict(self.values))

    def render(self, language: Language = "en") -> str:
        """Return the line that people read."""
        return f"{self.file}:{self.line}:{self.column} {self.number} {self.message(language)}"

    def __str__(self) -> str:
        return self.render()


_BY_NUMBER = {code.number: code for code in Code}


class RegisterError(ValueError):
    """The register can't be used; `problems` says everything that is wrong, in the order of the files and lines."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


def quotable(text: str) -> str:
    """What a message may repeat of a field: numbers too short for a telephone, and signs; letters may be a name."""
    return "…" if any(map(str.isalpha, text)) or not text.isprintable() else mask_text(text)[:_QUOTED]


class Problems:
    """The problems found so far."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def add(self, code: Code, file: str, line: int = 0, column: int = 0, /, **values: object) -> None:
        """Note one problem."""
        shown = tuple((name, str(value)) for name, value in values.items())
        self._found.append(Problem(file, line, column, code.number, shown))

    def raise_if_any(self) -> None:
        """Raise `RegisterError` with everything found."""
        found = sorted(self._found)
        if len(found) > MAX_PROBLEMS:
            many = Problem(found[MAX_PROBLEMS].file, 0, 0, Code.MANY.number, (("limit", str(MAX_PROBLEMS)),))
            found = [*found[:MAX_PROBLEMS], many]
        if found:
            raise RegisterError(tuple(found))
