"""The words of notices, in Chinese and English: one place for all of them. A test sees that both say the same things.

Of a template: its title, and what it says to whoever is told; `{case}` is the incident with its category, `{report}`
the report's id. What else is known (deadline, place, reason) follows in parts of its own, in the order of `PARTS`.
"""

from typing import Literal, NamedTuple

__all__ = ["DIGEST", "FOR_REPORTERS", "OTHER", "PARTS", "TARGETS", "TEMPLATES", "Language", "Words"]

Language = Literal["zh", "en"]


class Words(NamedTuple):
    """A title and a sentence in one language."""

    title: str
    sentence: str


TEMPLATES: dict[str, dict[Language, Words]] = {
    "urge": {
        "zh": Words("催办", "{case}请抓紧办理。"),
        "en": Words("Reminder", "{case}: please get on with it."),
    },
    "notify": {
        "zh": Words("通报", "{case}需要您知悉。"),
        "en": Words("For your attention", "{case} needs your attention."),
    },
    "supervise": {
        "zh": Words("督办", "{case}已列为督办事项，请共同负责并按要求回复。"),
        "en": Words("Supervision", "{case} is now supervised; please take it on jointly and reply as instructed."),
    },
    "report": {
        "zh": Words("上报", "{case}现上报，请阅示。"),
        "en": Words("Report to a higher level", "{case} is reported to you for instructions."),
    },
    "supervision_overdue": {
        "zh": Words("督办逾期", "{case}的督办事项逾期未回复。"),
        "en": Words("Supervision overdue", "{case}: the reply to its supervision is overdue."),
    },
    "supervision_replied": {
        "zh": Words("督办已回复", "{case}的督办事项已有回复，请审核销号。"),
        "en": Words("Supervision replied to", "{case}: there is a reply to its supervision; please look and clear it."),
    },
    "reopen_requested": {
        "zh": Words("申请重办", "{case}被要求重新办理，请决定。"),
        "en": Words("Reopening asked for", "{case}: somebody asks for it to be reopened; please decide."),
    },
    "request": {
        "zh": Words("申请待批", "{case}有申请等待审批。"),
        "en": Words("Request to decide", "{case}: a request waits for your decision."),
    },
    "desk_overdue": {
        "zh": Words("受理超时", "{case}在受理台停留超时，请尽快处理。"),
        "en": Words("Desk overdue", "{case} has waited too long at the desk."),
    },
    "verify_overdue": {
        "zh": Words("核实超时", "{case}逾期未核实，请决定是否派遣。"),
        "en": Words("Verification overdue", "{case} was not verified in time; please decide whether to dispatch it."),
    },
    "mode_proposed": {
        "zh": Words("建议启用应急模式", "有预警建议切换运行模式，请值班长确认。"),
        "en": Words("Mode proposed", "An alert proposes another mode; the shift lead is asked to confirm."),
    },
    "mode_set": {
        "zh": Words("模式已切换", "运行模式已切换，请按新的模式办理。"),
        "en": Words("Mode set", "Another mode is in force; please work by it."),
    },
    "mode_ended": {
        "zh": Words("模式已结束", "运行模式已恢复，请按平时要求办理。"),
        "en": Words("Mode ended", "The mode has ended; please work as on ordinary days."),
    },
    "accepted": {
        "zh": Words("已受理", "您反映的问题（编号 {report}）已受理，{case}正在办理，谢谢您。"),
        "en": Words("Accepted", "Your report {report} has been accepted as {case}. Thank you."),
    },
    "closed": {
        "zh": Words("已办结", "您反映的问题（编号 {report}）已办结，{case}。"),
        "en": Words("Closed", "Your report {report} has been dealt with; {case} is closed."),
    },
    "answered": {
        "zh": Words("已答复", "您反映的问题（编号 {report}）已由受理台答复，{case}。"),
        "en": Words("Answered", "Your report {report} has been answered at the desk ({case})."),
    },
    "referred": {
        "zh": Words("已转办", "您反映的问题（编号 {report}）已转交其他单位办理，{case}。"),
        "en": Words("Referred", "Your report {report} has been passed on to another body ({case})."),
    },
    "not_accepted": {
        "zh": Words("不予受理", "您反映的问题（编号 {report}）未予受理，{case}。"),
        "en": Words("Not accepted", "Your report {report} was not accepted ({case})."),
    },
    "merged": {
        "zh": Words("已合并办理", "您反映的问题（编号 {report}）与其他反映合并办理，{case}。"),
        "en": Words("Merged", "Your report {report} is dealt with together with others, as {case}."),
    },
    "reopen_refused": {
        "zh": Words("维持办结", "您要求重新办理的问题（编号 {report}）经审核维持原处理结果，{case}。"),
        "en": Words("Not reopened", "Your report {report} was looked at again and stays as it was settled ({case})."),
    },
    "reopened": {
        "zh": Words("重新办理", "您反映的问题（编号 {report}）已重新办理，{case}。"),
        "en": Words("Reopened", "Your report {report} is being dealt with again, as {case}."),
    },
    "test": {
        "zh": Words("测试", "这是一条测试通知，请忽略。"),
        "en": Words("Test", "This is a test; nothing needs to be done."),
    },
}  # fmt: skip

OTHER: dict[Language, Words] = {
    "zh": Words("通知", "{case}有新的通知。"),
    "en": Words("Notice", "{case}: there is news."),
}
"""For a template that this version does not know."""

FOR_REPORTERS = frozenset(
    {"accepted", "closed", "answered", "referred", "not_accepted", "merged", "reopened", "reopen_refused"}
)

PARTS: dict[Language, dict[str, str]] = {
    "zh": {
        "case": "案件 {incident}（{category}）", "case_bare": "案件 {incident}", "no_case": "",
        "severity": "紧急程度 {severity} 级", "due": "{target}期限 {due}", "until": "截止 {due}", "cell": "网格 {cell}",
        "reason": "依据：{reason}", "separator": "；", "end": "。",
    },
    "en": {
        "case": "incident {incident} ({category})", "case_bare": "incident {incident}", "no_case": "",
        "severity": "severity {severity}", "due": "{target} due {due}", "until": "until {due}", "cell": "cell {cell}",
        "reason": "reason: {reason}", "separator": "; ", "end": ".",
    },
}  # fmt: skip

TARGETS: dict[str, dict[Language, str]] = {
    "acknowledge": {"zh": "签收", "en": "acknowledgement"},
    "contact": {"zh": "联系", "en": "contact"},
    "attend": {"zh": "到场", "en": "attendance"},
    "resolve": {"zh": "处置", "en": "resolution"},
    "check": {"zh": "核查", "en": "check"},
}

DIGEST: dict[Language, dict[str, str]] = {
    "zh": {
        "title": "通知汇总 {count} 条", "late_title": "补发通知 {count} 条",
        "head": "{first} 至 {last} 共 {count} 条通知：{sums}。", "sum": "{title} {count}", "comma": "、",
        "line": "· {title} {case}", "due": " {due} 前", "more": "……另有 {count} 条",
    },
    "en": {
        "title": "{count} notices", "late_title": "{count} delayed notices",
        "head": "{first} to {last}, {count} notices: {sums}.", "sum": "{title} {count}", "comma": ", ",
        "line": "- {title}: {case}", "due": ", due {due}", "more": "… and {count} more",
    },
}  # fmt: skip
