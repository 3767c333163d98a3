"""What each action asks of whoever takes it: the fields of its form, by the names of the update's own fields."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from dispatcher.core import Action

__all__ = ["FORMS", "REQUESTS", "Field"]

Kind = Literal[
    "text", "line", "picture", "reason", "department", "departments", "until", "yes_no", "result", "severity",
    "category", "standard", "report", "score", "evidence", "position", "hidden",
]  # fmt: skip


class Field(NamedTuple):
    """One field; `of` is the kind of reasons, or the results, to choose from."""

    name: str
    kind: Kind
    required: bool = False
    of: str = ""


_TEXT: Final = Field("text", "text")
_SAID: Final = Field("text", "text", required=True)
_MEDIA: Final = Field("media", "picture")
_CLASS: Final = (Field("category", "category"), Field("severity", "severity"), Field("standard", "standard"))

FORMS: Final[Mapping[Action, tuple[Field, ...]]] = {
    Action.VERIFY: (Field("result", "result", True, "exists not_exists unable"), _TEXT, Field("position", "position")),
    Action.FILE: (*_CLASS, _TEXT),
    Action.ANSWER_AT_DESK: (_SAID,),
    Action.REFER: (Field("body", "reason", True, "refer"), Field("external_no", "line"), _TEXT),
    Action.SELF_HANDLED: (_SAID, _MEDIA),
    Action.REVIEW: (_SAID,),
    Action.CLAIM: (),
    Action.RELEASE: (),
    Action.ACKNOWLEDGE: (),
    Action.ARRIVE: (Field("position", "position"),),
    Action.DELEGATE: (Field("unit", "line"), Field("person", "line"), _TEXT),
    Action.PROGRESS: (_SAID, _MEDIA),
    Action.NOTE: (_SAID,),
    Action.CONTACT: (Field("report", "report"), Field("reached", "yes_no", True), _TEXT),
    Action.RETURN: (Field("reason_code", "reason", True, "return"), _TEXT),
    Action.DONE: (_TEXT, _MEDIA, Field("flags", "evidence")),
    Action.REQUEST: (),  # one form for each kind: REQUESTS
    Action.APPROVE: (Field("number", "hidden", True), _TEXT),
    Action.REFUSE: (Field("number", "hidden", True), _TEXT),
    Action.END_HOLD: (Field("department", "hidden"), _TEXT),
    Action.REFUSE_RETURN: (Field("department", "hidden", True), _TEXT),
    Action.ACCEPT_RETURN: (Field("department", "hidden", True), _TEXT),
    Action.ASSIGN: (Field("lead", "department"), Field("support", "departments"), _TEXT),
    Action.RECALL: (Field("department", "hidden", True), _TEXT),
    Action.RECLASSIFY: (*_CLASS, _TEXT),
    Action.URGE: (Field("department", "department"), _TEXT),
    Action.SUPERVISE: (_SAID, Field("department", "department"), Field("until", "until")),
    Action.REPLY: (Field("number", "hidden", True), _SAID),
    Action.MILESTONE: (Field("number", "hidden", True), Field("name", "hidden", True)),
    Action.CLEAR: (Field("number", "hidden", True), _TEXT),
    Action.WHISTLE: (Field("kind", "reason", True, "whistle"), Field("departments", "departments"), _TEXT),
    Action.CONFIRM_ARRIVAL: (Field("department", "hidden", True), _TEXT),
    Action.END_WHISTLE: (_TEXT,),
    Action.RATE: (Field("department", "hidden", True), Field("score", "score", True), _TEXT),
    Action.MERGE: (Field("into", "line", True), _TEXT),
    Action.SPLIT: (Field("report", "report"), _TEXT),
    Action.CHECK: (
        Field("result", "result", True, "pass fail"), Field("reason_code", "reason", False, "rework"),
        Field("departments", "departments"), _TEXT,
    ),
    Action.CALLBACK: (
        Field("report", "report", True), Field("answered", "yes_no", True), Field("resolved", "yes_no"),
        Field("satisfied", "yes_no"), _TEXT,
    ),
    Action.REOPEN_REQUEST: (Field("report", "report"), _SAID),
    Action.REOPEN: (_TEXT,),
    Action.REFUSE_REOPEN: (Field("reason_code", "reason", True, "reopen"), _TEXT),
    Action.VOID: (Field("reason_code", "reason", True, "void"), _TEXT),
    Action.CLOSE_FORCED: (Field("reason_code", "reason", True, "close_forced"), _TEXT),
}  # fmt: skip

REQUESTS: Final[Mapping[str, tuple[Field, ...]]] = {
    "hold": (Field("reason_code", "reason", True, "hold"), Field("until", "until", True), _TEXT),
    "extension": (Field("reason_code", "reason", True, "extend"), _TEXT),
    "transfer": (Field("reason_code", "reason", True, "transfer"), Field("departments", "department", True), _TEXT),
    "support": (Field("reason_code", "reason", True, "support"), Field("departments", "departments", True), _TEXT),
    "exempt": (Field("reason_code", "reason", True, "exempt"), _TEXT),
}
