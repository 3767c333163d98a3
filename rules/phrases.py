"""The words inside messages, in Chinese: what was expected, found, required, and why not.

Keyed by the English the checks write. Names, numbers and what a parser said stay as they are.
"""

from collections.abc import Mapping
from string import Formatter
from typing import Literal

import msgspec

Language = Literal["en", "zh"]


class Phrase(msgspec.Struct, frozen=True, gc=False):
    """A phrase of the table below with its values, which may be phrases themselves."""

    template: str
    values: tuple[tuple[str, "str | Phrase"], ...] = ()

    def __str__(self) -> str:
        return in_words(self, "en")


def said(template: str, /, **values: object) -> Phrase:
    """Return a phrase of the table with its values."""
    return Phrase(
        template,
        tuple((name, value if isinstance(value, Phrase) else printable(str(value))) for name, value in values.items()),
    )


def in_words(part: str | Phrase, language: Language) -> str:
    """Return a phrase as people read it; a text that is none of the table's is its own."""
    template, values = (part.template, part.values) if isinstance(part, Phrase) else (part, ())
    if language == "zh":
        template = PHRASES.get(template, template)
    given = {name: in_words(value, language) if isinstance(value, Phrase) else value for name, value in values}
    return fill(template, given) if given else template  # a text without values may hold braces of its own


def fill(template: str, values: Mapping[str, str]) -> str:
    """Put values into a template, with a space wherever Chinese meets Latin letters or digits."""
    text = ""
    for literal, name, _, _ in Formatter().parse(template):
        for part in (literal, values[name] if name else ""):
            text += " " + part if text and part and _meet(text[-1], part[0]) else part
    return text


def _meet(left: str, right: str) -> bool:
    return (_is_chinese(left) and _is_latin(right)) or (_is_latin(left) and _is_chinese(right))


def _is_chinese(letter: str) -> bool:
    return "\u4e00" <= letter <= "\u9fff"


def _is_latin(letter: str) -> bool:
    return letter.isascii() and (letter.isalnum() or letter in "%()'\"-")


def printable(text: str) -> str:
    """One line, without control characters or lone surrogates, short enough for a terminal."""
    text = "".join(c if c.isprintable() else "�" for c in text[:200])
    return text if len(text) <= 120 else text[:117] + "..."


PHRASES = {
    # kinds of values
    "a text": "文本",
    "a list": "列表",
    "a mapping": "键值对",
    "a key": "键",
    "a number": "数字",
    "a whole number": "整数",
    "true or false": "true 或 false",
    "nothing": "空",
    # what YAML would read
    "int": "整数",
    "float": "小数",
    "bool": "真假值",
    "null": "空值",
    "timestamp": "日期时间",
    "merge": "合并键",
    "value": "取值键",
    # forms of values
    "one of those allowed": "允许的取值",
    "between {low} and {high}": "{low} 至 {high} 之间的数",
    "a code (letters, digits, . _ -; at most 64)": "代码（字母、数字、. _ -，不超过 64 个）",
    "a category code (segments joined by dots)": "类别代码（各段以点相连）",
    "the code of a cell": "网格代码",
    "a tag (letters, digits, . _ -; at most 64)": "标签（字母、数字、. _ -，不超过 64 个）",
    "an alias of 1 to 200 characters": "别名（1 至 200 个字符）",
    "a department, or department@level": "部门，或“部门@级别”",
    "a budget": "时限",
    "a budget or 'standard'": "时限，也不是 standard",
    'a window "HH:MM-HH:MM"': '时段（形如 "HH:MM-HH:MM"）',
    'a season "MM-DD..MM-DD"': '季节（形如 "MM-DD..MM-DD"）',
    'a date "YYYY-MM-DD"': '日期（形如 "YYYY-MM-DD"）',
    "a time zone such as Asia/Shanghai": "时区（形如 Asia/Shanghai）",
    "a percentage from 1% to 99%": "1% 至 99% 的百分比",
    "a trigger such as 'resolve 90%' or 'resolve breach'": "触发条件（形如 resolve 90% 或 resolve breach）",
    "a recipient: lead, up(n), level(n), city or a department": "对象（lead、up(n)、level(n)、city 或部门）",
    "a value of {key}": "“{key}”的取值",
    "a keyword of 1 to {limit} characters": "1 至 {limit} 个字符的关键词",
    'a number or a comparison such as "<={limit}"': '数字，也不是形如 "<={limit}" 的比较式',
    'a whole number or a comparison such as "<={limit}"': '整数，也不是形如 "<={limit}" 的比较式',
    'a comparison such as ">=5"': '形如 ">=5" 的比较式',
    "a list of at least one value": "至少含一个值的列表",
    "a mapping of at least one measure to its weight": "至少含一项指标及其权重的键值对",
    'a requirement such as ">=2026.10,<2027"': '版本要求（形如 ">=2026.10,<2027"）',
    "built in": "系统内置",
    # forms of policy tests
    "a text of 1 to 200 characters": "1 至 200 个字符的文本",
    "a target, or target of department": "目标，或“目标 of 部门”",
    "a department, department@cell or department@level": "部门、“部门@网格”或“部门@级别”",
    "a department, centre or a role, perhaps with its unit (street@cell) and a person (dispatcher li)": (
        "部门、centre 或角色，可带单位（street@网格）和人员（dispatcher li）"
    ),
    "a party, cell:code, city, centre, or reporter and a number": "单位、cell:网格、city、centre 或“reporter 序号”",
    "what a step of a ladder does, and to whom": "阶梯一步的动作和对象",
    "a name (letters, digits, . _ -; at most 64)": "名称（字母、数字、. _ -，不超过 64 个）",
    "an instant with its offset, or a time after the test's, +1d2h or +2m1s": "带时差的时刻，或测试后的 +1d2h、+2m1s",
    'an instant with its offset, "2026-03-02T09:30:00+08:00"': '带时差的时刻（形如 "2026-03-02T09:30:00+08:00"）',
    "a report": "上报",
    "a test": "测试",
    "a step": "时间线的一步",
    "a step with do": "含 do 的一步",
    "a step without do": "没有 do 的一步",
    "a step without do or report": "既无 do 也无 report 的一步",
    "a report with lon": "含 lon 的上报",
    "a report with lat": "含 lat 的上报",
    "do, report or expect": "do、report 或 expect",
    "the last of its own path": "其路径的最后一级",
    "at most {depth} levels deep": "最多 {depth} 级",
    "at or after the step before it": "不早于前一步的时刻",
    "a command": "指令",
    "an action": "动作",
    "a step that is refused": "被拒的一步",
    "a step that is not refused": "未被拒的一步",
    "one of the {count} reports so far": "到此为止的 {count} 件上报之一",
    "the test's own report": "测试自身的上报",
    "incident": "案件",
    "kind of request": "请求种类",
    "state of a request": "请求状态",
    "notice": "通知模板",
    "count": "次数 counts",
    "order": "派单指令 orders",
    "part": "派单 assignments",
    "due of": "到期 due",
    "warned": "预警 warned",
    "held": "挂账 on_hold",
    "asked": "请求 requests",
    "supervised": "督办 supervision",
    "reached": "节点 milestones",
    "milestone": "节点 milestones",
    "called": "回访 callbacks",
    "score": "评分 scores",
    "told": "通知 told",
    "action": "动作",
    "role": "角色",
    "refusal": "拒绝原因",
    "state": "案件状态",
    "state of an assignment": "派单状态",
    "expect": "预期 expect",
    "report": "上报 report",
    "timeline": "时间线 timeline",
    "defaults": "默认值 defaults",
    "after": "时间线一步的预期 expect",
    "tests": "测试文件",
    "whistle": "哨 whistle",
    "position": "位置 position",
    "test": "测试",
    "cell": "网格",
    # what must not be
    "an alias (*)": "别名引用 (*)",
    "an anchor (&)": "锚点 (&)",
    "a second document": "第二个文档",
    "the tag {tag}": "类型标记 {tag}",
    # limits
    "the file": "文件",
    "the text": "文本长度",
    "nesting": "嵌套层数",
    "the number of files": "文件数",
    "the number of rules": "规则数",
    "the number of values": "取值个数",
    "{count} characters": "{count} 个字符",
    "{count} levels": "{count} 层",
    # where a key stands
    "a file other than policy.yaml": "policy.yaml 以外的文件",
    "a policy file": "政策文件",
    "the heading": "表头",
    "this row": "此行",
    "fallback": "兜底 fallback",
    "reason": "原因",
    "reason kind": "原因类型",
    "requirement": "版本要求",
    "requires": "requires",
    "department": "部门",
    "standard": "立案标准",
    "category": "类别",
    "verify": "核实要求 verify",
    "source": "来源",
    "merge rule": "合并规则",
    "measures": "考核 measures",
    "weight": "权重",
    "boards": "红黑榜 boards",
    "hours": "时段 hours",
    "provider": "节假日来源 days",
    "override": "特定日期 overrides",
    "calendar": "日历",
    "target": "目标",
    "reopen": "重开 reopen",
    "hold": "挂账 hold",
    "sla": "时限 sla",
    "step": "阶梯的一步",
    "repeat": "重复 repeat",
    "ladder": "升级阶梯",
    "guard": "守卫规则",
    "route": "派遣规则",
    "overlay": "叠加规则",
    "attend": "到场 attend",
    "support": "协办 support",
    "extra target": "附加目标",
    "title": "标题 title",
    "when": "条件 when",
    "not": "排除条件 not",
    # kinds of names
    "rule": "规则",
    "mode": "运行模式",
    "level": "网格级别",
    "platform": "平台",
    # what is set and tested
    "severity": "等级",
    "tags": "标签",
    "severity and tags": "等级和标签",
    # both keys, or one
    "radius_m and gap, or same": "radius_m 和 gap，或 same",
    # reasons
    "no calendar is given": "未指定日历",
    "no calendar can be given here": "此处不能指定日历",
    "'always' has no working hours": "always 没有工作时间",
    "calendar '{name}' has no hours_per_working_day": "日历“{name}”未写明 hours_per_working_day",
    "calendar '{name}' is closed on workdays": "日历“{name}”工作日不开放",
    "{why} in sla '{sla}'": "用于时限“{sla}”时，{why}",
    "the same step stands above": "上面已有相同的一步",
    "there is no target '{target}'": "没有名为“{target}”的目标",
    "no SLA used with this ladder has a target '{target}'": "与此阶梯同用的时限都没有目标“{target}”",
    "the grid has {levels} levels": "网格只有 {levels} 级",
    "the grid has no level '{level}'": "网格没有名为“{level}”的级别",
    "department '{department}' has no units": "部门“{department}”没有下属单位",
    "syntax error": "语法错误",
    "unreadable": "无法读取",
    "half of a surrogate pair": "半个代理对字符",
    "not UTF-8 at byte {byte}": "第 {byte} 字节起不是 UTF-8",
    "no heading line": "没有表头",
    "more cells than columns": "单元格多于列数",
    "its format is {found}, this program reads {known}": "其格式为 {found}，本程序读取 {known}",
    "keys are not sorted, or values not in normal form": "键未排序，或取值不是规范形式",
}
