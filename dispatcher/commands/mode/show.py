"""`dispatcher mode show`: the modes that hold. Reads the ledger and changes nothing."""

import time
from pathlib import Path

from rich.table import Table

from dispatcher.commands.mode.spans import local, place
from dispatcher.commands.opening import open_ledger
from dispatcher.commands.talk import fail, language_of, out, print_json, say
from dispatcher.core import ms_to_text
from dispatcher.core.control import EndMode, SetMode
from dispatcher.hosts.setup import policy_in_force
from dispatcher.policies.control import modes_held, standing

__all__ = ["show_command"]

_WORDS = {
    "en": {
        "title": "modes that hold",
        "ordinary": "{mode} everywhere",
        "over": "its time is over: it ends when the engine next works",
        "waiting": "{n} command(s) about modes wait for the engine (`dispatcher run`)",
        "nothing": "no policy is in force in this ledger; `dispatcher run` puts the first one there",
    },
    "zh": {
        "title": "现行模式",
        "ordinary": "全市均为 {mode}",
        "over": "时间已到：引擎下次处理时解除",
        "waiting": "有 {n} 条模式命令等待引擎处理（`dispatcher run`）",
        "nothing": "该账本尚无生效的政策；`dispatcher run` 会启用第一份政策",
    },
}
_HEADINGS = {
    "en": ("id", "mode", "where", "since", "until", "reason"),
    "zh": ("编号", "模式", "范围", "自", "至", "原因"),
}


def show_command(config_path: Path, ledger_path: Path | None, *, lang: str, json: bool) -> None:
    """Print what holds, the first set first."""
    language = language_of(lang)
    words, now_ms = _WORDS[language], time.time_ns() // 1_000_000
    ledger = open_ledger(config_path, ledger_path)
    try:
        policy, spans = policy_in_force(ledger), modes_held(ledger)
        waiting = sum(isinstance(written.command, SetMode | EndMode) for written in standing(ledger).waiting)
    finally:
        ledger.close()
    if policy is None:
        fail(words["nothing"])
    if json:
        print_json(
            [
                {
                    "mode_id": span.mode_id,
                    "mode": span.mode,
                    "cells": span.cells,
                    "since": ms_to_text(span.since_ms),
                    "until": ms_to_text(span.until_ms),
                    "reason": span.reason,
                    "over": span.until_ms <= now_ms,
                }
                for span in spans
            ]
        )
        return
    if waiting:
        say(words["waiting"].format(n=waiting))
    if not spans:
        out.print(words["ordinary"].format(mode=policy.modes[0]))
        return
    table = Table(*_HEADINGS[language], title=words["title"])
    for span in spans:
        since, until = local(span.since_ms, policy.timezone), local(span.until_ms, policy.timezone)
        over = f" ({words['over']})" if span.until_ms <= now_ms else ""
        table.add_row(span.mode_id, span.mode, place(span.cells, language), since, until + over, span.reason or "-")
    out.print(table)
