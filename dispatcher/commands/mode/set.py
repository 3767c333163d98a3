"""`dispatcher mode set`: a mode for some cells or everywhere, until an instant, by somebody who saw what is open."""

import re
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from dispatcher.commands.control import cells_named, config_for, confirm, read_state, send, signed, writing
from dispatcher.commands.mode.foreseen import summed_up
from dispatcher.commands.mode.scope import show_scope
from dispatcher.commands.mode.spans import local, place
from dispatcher.commands.talk import fail, language_of, out, print_json, say
from dispatcher.core import DAY_MS, PartitionState, ms_to_text, text_to_ms
from dispatcher.core.control import SetMode
from dispatcher.core.instants import HOUR_MS, MINUTE_MS, SECOND_MS
from dispatcher.core.messages import Actor
from dispatcher.core.modes import MODE_DAYS_MAX, ModeSpan
from dispatcher.ledger import Ledger
from dispatcher.policies.control import modes_known
from dispatcher.policies.scope import foresee
from rules.problems import Language

__all__ = ["Wish", "set_command"]

_UNITS_MS = {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}

_WORDS = {
    "en": {
        "where": "say where: --cells a,b or --everywhere, one of them",
        "until": "--until takes an instant with its offset, as 2026-10-01T06:00:00+08:00, or +90m, +6h, +2d;"
        " not {text}",
        "span": "--until lies in the future, and within {most} days: who looks again may set it again",
        "mode": "{mode} cannot be set; the policy {policy} has {others}",
        "nothing": "nothing",
        "confirmed": "{mode_id} confirmed the proposal {proposal} already; nothing was written",
        "already": "{mode_id} is the same already: {mode} {where} until {until}; nothing was written",
        "ask": "Set {mode} {where} until {until}?",
        "what": "the mode {mode} {where} until {until}",
        "done": "{mode} holds {where} until {until}, as {mode_id}: for what comes in from now on",
        "next": "open incidents keep what was decided: `dispatcher reroute{cells}` decides them again and would"
        " change {n}",
    },
    "zh": {
        "where": "请指明范围：--cells a,b 或 --everywhere，二者取一",
        "until": "--until 应为带时差的时刻，如 2026-10-01T06:00:00+08:00，或 +90m、+6h、+2d；而不是 {text}",
        "span": "--until 须在未来 {most} 天以内：届时经人查看可再次设定",
        "mode": "不能设定 {mode}；政策 {policy} 可设：{others}",
        "nothing": "无",
        "confirmed": "{mode_id} 已确认建议 {proposal}；未写入任何内容",
        "already": "{mode_id} 已与此相同：{where} {mode} 至 {until}；未写入任何内容",
        "ask": "确认 {where} 进入 {mode}，至 {until}？",
        "what": "模式 {mode}（{where}，至 {until}）",
        "done": "{where} 进入 {mode}，至 {until}，编号 {mode_id}：适用于此后的上报",
        "next": "在办案件仍按原决定办理：`dispatcher reroute{cells}` 可重新派遣，其中 {n} 件会改变",
    },
}


class Wish(NamedTuple):
    """What is asked for, as it was typed."""

    mode: str
    cells: str | None
    everywhere: bool
    until: str
    reason: str
    proposal: str | None
    by: str | None
    yes: bool
    wait_s: float


def set_command(config_path: Path, ledger_path: Path | None, wish: Wish, *, lang: str, json: bool = False) -> None:
    """Show what is open in scope and what a re-routing would change, ask, write, and say what the engine answered.

    As JSON only what came of it is printed; how many a re-routing would change is said beside it, before asking.
    """
    language = language_of(lang)
    words, person = _WORDS[language], signed(wish.by, wish.reason, language)
    if bool(wish.cells) == wish.everywhere:
        fail(words["where"], 2)
    now_ms = time.time_ns() // 1_000_000
    until_ms = _until_ms(wish.until, now_ms, words)
    config = config_for(config_path, ledger_path)
    cells = cells_named(config, wish.cells, language)
    with writing(config) as ledger:
        state = read_state(ledger, language)
        _require_settable(state, wish.mode, words)
        until = local(until_ms, state.book.policy.timezone)
        named = {"mode": wish.mode, "where": place(cells, language), "until": until}
        if (there := _there_already(ledger, state, wish, cells, until_ms)) is not None:
            word, mode_id = there
            if json:
                print_json({"mode_id": mode_id, "outcome": word})
            else:
                out.print(words[word].format(mode_id=mode_id, proposal=wish.proposal, **named), soft_wrap=True)
            return
        span = ModeSpan("foreseen", wish.mode, now_ms, until_ms, cells)
        count, changed = _foresee(state, span, language, json=json)
        confirm(words["ask"].format(**named), language, yes=wish.yes)

        setting = partial(
            SetMode,
            mode=wish.mode,
            until=datetime.fromtimestamp(until_ms / 1000, UTC),
            cells=cells,
            proposal_id=wish.proposal,
            actor=Actor("shift_lead", person=person),
            reason=wish.reason,
        )
        sent = send(config, ledger, wish.mode, setting, words["what"].format(**named), wish.wait_s, language)
    if json:
        about = {"mode_id": sent.command_id, "mode": wish.mode, "cells": cells, "until": ms_to_text(until_ms)}
        print_json({**about, "open": count, "would_change": changed, **sent.document()})
        return
    out.print(sent.said or words["done"].format(mode_id=sent.command_id, **named), soft_wrap=True)
    if changed:
        out.print(words["next"].format(cells=f" --cells {','.join(cells)}" if cells else "", n=changed), soft_wrap=True)


def _until_ms(text: str, now_ms: int, words: dict[str, str]) -> int:
    ahead = re.fullmatch(r"\+(\d{1,6})([mhd])", text)
    try:
        until_ms = text_to_ms(text) if ahead is None else now_ms + int(ahead[1]) * _UNITS_MS[ahead[2]]
    except (ValueError, OverflowError):
        fail(words["until"].format(text=text), 2)
    until_ms -= until_ms % SECOND_MS
    if not now_ms < until_ms <= now_ms + MODE_DAYS_MAX * DAY_MS:
        fail(words["span"].format(most=MODE_DAYS_MAX), 2)
    return until_ms


def _require_settable(state: PartitionState, mode: str, words: dict[str, str]) -> None:
    policy = state.book.policy
    others = policy.modes[1:]
    if mode not in others:
        fail(words["mode"].format(mode=mode, policy=policy.name, others=", ".join(others) or words["nothing"]), 2)


def _there_already(
    ledger: Ledger, state: PartitionState, wish: Wish, cells: tuple[str, ...], until_ms: int
) -> tuple[str, str] | None:
    """The mode that makes this one needless, after the word for why: its proposal is confirmed, or it is the same."""
    if wish.proposal is not None and (confirmed := modes_known(ledger, wish.proposal)):
        return "confirmed", confirmed[0]
    for span in state.modes.spans.values():
        if (span.mode, span.cells, span.until_ms) == (wish.mode, cells, until_ms):
            return "already", span.mode_id
    return None


def _foresee(state: PartitionState, span: ModeSpan, lang: Language, *, json: bool) -> tuple[int, int]:
    """Show what is open in scope, and what deciding it again would change, tried on our own copy; how many of each."""
    foreseen = foresee(state, span.cells, span)
    if not json:
        show_scope(foreseen.scope, state.book.policy, lang)
    told = summed_up(foreseen, lang)
    if json:
        say(told)
    else:
        out.print(told, soft_wrap=True)
    return foreseen.scope.open, len(foreseen.rerouted)
