"""`dispatcher mode end`: a mode is over before its time."""

from functools import partial
from pathlib import Path
from typing import NamedTuple

from dispatcher.commands.control import config_for, send, signed, writing
from dispatcher.commands.talk import fail, language_of, out, print_json, shortened
from dispatcher.core.control import EndMode
from dispatcher.core.messages import Actor
from dispatcher.ledger import Ledger
from dispatcher.policies.control import modes_known

__all__ = ["Wish", "end_command"]

_WORDS = {
    "en": {
        "which": "say which: its id, or --proposal, one of them",
        "unknown": "no mode {mode_id} holds; {held}",
        "unconfirmed": "no mode that holds confirmed the proposal {proposal}; {held}",
        "held": "these do: {ids} (`dispatcher mode show`)",
        "none": "none does",
        "what": "the end of the mode {mode_id}",
        "done": "{mode_id} is over since {at}; open incidents keep what was decided (`dispatcher reroute --preview`)",
    },
    "zh": {
        "which": "请指明模式编号或 --proposal，二者取一",
        "unknown": "没有生效的模式 {mode_id}；{held}",
        "unconfirmed": "没有生效的模式由建议 {proposal} 确认；{held}",
        "held": "现行：{ids}（见 `dispatcher mode show`）",
        "none": "当前没有任何非常态模式",
        "what": "解除模式 {mode_id}",
        "done": "{mode_id} 自 {at} 起解除；在办案件仍按原决定办理（`dispatcher reroute --preview`）",
    },
}


class Wish(NamedTuple):
    """What is asked for, as it was typed."""

    mode_id: str | None
    proposal: str | None
    reason: str
    by: str | None
    wait_s: float


def end_command(config_path: Path, ledger_path: Path | None, wish: Wish, *, lang: str, json: bool = False) -> None:
    """Write that a mode, or each that confirmed a proposal, is over, and say what the engine answered."""
    language = language_of(lang)
    words, person = _WORDS[language], signed(wish.by, wish.reason, language)
    if (wish.mode_id is None) == (wish.proposal is None):
        fail(words["which"], 2)
    config = config_for(config_path, ledger_path)
    ended = []
    with writing(config) as ledger:
        for mode_id in _modes(ledger, wish, words):
            actor = Actor("shift_lead", person=person)
            ending = partial(EndMode, mode_id=mode_id, actor=actor, reason=wish.reason or None)
            what = words["what"].format(mode_id=mode_id)
            sent = send(config, ledger, "end", ending, what, wish.wait_s, language)
            ended.append({"mode_id": mode_id, **sent.document()})
            if not json:
                told = words["done"].format(mode_id=mode_id, at=shortened(sent.at))
                out.print(sent.said or told, soft_wrap=True)
    if json:
        print_json(ended)


def _modes(ledger: Ledger, wish: Wish, words: dict[str, str]) -> list[str]:
    known = modes_known(ledger)
    held = words["held"].format(ids=", ".join(known)) if known else words["none"]
    if wish.mode_id is not None:
        if wish.mode_id not in known:
            fail(words["unknown"].format(mode_id=wish.mode_id, held=held))
        return [wish.mode_id]
    found = modes_known(ledger, wish.proposal)
    if not found:
        fail(words["unconfirmed"].format(proposal=wish.proposal, held=held))
    return found
