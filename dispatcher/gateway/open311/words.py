"""What residents read of a state, in Chinese and English."""

from typing import Final

from dispatcher.views.titles import Lang

__all__ = ["merged_into", "pick", "state_words"]

_STATES: Final[dict[str, tuple[str, str]]] = {
    "received": ("已接收，等待立案", "Received"),
    "verifying": ("正在现场核实", "Being verified on site"),
    "filed": ("已立案，等待派遣", "Accepted; a department is being found for it"),
    "dispatched": ("已派单给责任部门", "Sent to the department responsible"),
    "handling": ("责任部门正在处置", "The department is working on it"),
    "on_hold": ("暂缓处置（挂账）", "On hold"),
    "checking": ("已处置，正在核查", "Done; it is being checked"),
    "returned": ("正在重新派单", "Another department is being found for it"),
    "reopen_requested": ("已申请重新办理", "It was asked to be looked at again"),
    "closed": ("已办结", "Closed"),
    "closed_forced": ("已由指挥中心终止", "Ended by the command centre"),
    "answered_at_desk": ("已答复", "Answered"),
    "referred": ("已转交其他单位", "Handed on to another body"),
    "self_handled": ("已由网格员当场处置", "Settled on the spot by the officer of the area"),
    "not_accepted": ("不予受理", "Not accepted"),
    "voided": ("已作废", "Void"),
    "merged": ("与其他诉求合并办理", "Handled together with another request"),
}
_OUTCOMES: Final = {"forced": "closed_forced", "desk": "answered_at_desk"}  # as views name these ends


def state_words(state: str, lang: Lang) -> str:
    """A state of an incident, or an end as views name it, in words."""
    return pick(_STATES[_OUTCOMES.get(state, state)], lang)


def merged_into(parent_id: str, lang: Lang) -> str:
    """That a request is handled together with another one."""
    return pick((f"与诉求 {parent_id} 合并办理", f"Handled together with {parent_id}"), lang)


def pick(words: tuple[str, str], lang: Lang) -> str:
    """The one of (zh, en)."""
    return words[0] if lang == "zh" else words[1]
