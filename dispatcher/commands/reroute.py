"""`dispatcher reroute`: decide open incidents again, under the policy and the modes that hold now; seen before done."""

import csv as csv_files
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec
from rich.table import Table

from dispatcher.commands.control import (
    POLL_S,
    Sent,
    cells_named,
    config_for,
    confirm,
    read_state,
    send,
    signed,
    writing,
)
from dispatcher.commands.mode.foreseen import summed_up
from dispatcher.commands.mode.spans import place
from dispatcher.commands.opening import open_ledger
from dispatcher.commands.talk import fail, language_of, out, print_json, progress
from dispatcher.core import CONTROL
from dispatcher.core.control import RerouteOpen
from dispatcher.core.job import Job
from dispatcher.core.messages import Actor
from dispatcher.core.reroute import Rerouted
from dispatcher.ledger import Ledger
from dispatcher.policies.past import everything
from dispatcher.policies.scope import foresee

__all__ = ["Wish", "preview_command", "reroute_command"]

_WORDS = {
    "en": {
        "title": "open incidents that `reroute` would change ({where})",
        "nothing": "nothing would change; nothing was written",
        "busy": "the re-routing {name} is under way ({looked_at:,} looked at, {changed:,} changed); wait until it is"
        " over: `dispatcher reroute --preview` shows what is left then",
        "no_yes": "--csv and --json only show what would change, --yes does it: give one or the other",
        "ask": "Decide the open incidents again ({where})?",
        "what": "the re-routing ({where})",
        "bar": "re-routing",
        "done": "{name} is over: {looked_at:,} looked at, {changed:,} re-routed; each says so in its history",
        "stuck": "{name} is under way ({looked_at:,} looked at, {changed:,} changed) and has not moved for {wait:g} s;"
        " it goes on by itself when the engine does: `dispatcher doctor`",
    },
    "zh": {
        "title": "`reroute` 会改变的在办案件（{where}）",
        "nothing": "没有案件会改变；未写入任何内容",
        "busy": "重新派遣 {name} 正在进行（已查看 {looked_at:,} 件，已改变 {changed:,} 件）；请待其结束，"
        "之后用 `dispatcher reroute --preview` 查看所余",
        "no_yes": "--csv 与 --json 只作预览，--yes 则直接执行：两者不可同用",
        "ask": "确认重新派遣在办案件（{where}）？",
        "what": "重新派遣（{where}）",
        "bar": "重新派遣",
        "done": "{name} 已完成：查看 {looked_at:,} 件，改变 {changed:,} 件；各案件的经过中均有记载",
        "stuck": "{name} 正在进行（已查看 {looked_at:,} 件，已改变 {changed:,} 件），但 {wait:g} 秒内没有进展；"
        "引擎恢复后会自行继续：`dispatcher doctor`",
    },
}
_HEADINGS = {
    "en": ("incident", "lead", "supports added", "severity", "SLA", "mode"),
    "zh": ("案件", "主办", "新增协办", "等级", "时限标准", "模式"),
}


class Wish(NamedTuple):
    """What is asked for, as it was typed."""

    cells: str | None
    reason: str
    by: str | None
    yes: bool
    wait_s: float


class _Ended(msgspec.Struct):
    event: str
    command_id: str | None = None
    looked_at: int = 0
    changed: int = 0


def preview_command(
    config_path: Path,
    ledger_path: Path | None,
    cells_text: str | None,
    *,
    csv: bool,
    json: bool,
    lang: str,
    yes: bool = False,
) -> None:
    """Print what a re-routing would change, incident by incident; read only, so `--yes` to a form of it is refused."""
    language = language_of(lang)
    if yes and (csv or json):
        fail(_WORDS[language]["no_yes"], 2)
    cells = cells_named(config_for(config_path, ledger_path), cells_text, language)
    ledger = open_ledger(config_path, ledger_path)
    try:
        foreseen = foresee(read_state(ledger, language), cells)
    finally:
        ledger.close()
    if json:
        incidents = [each._asdict() for each in foreseen.rerouted]
        print_json({"cells": cells, "open": foreseen.scope.open, "changed": len(incidents), "incidents": incidents})
    elif csv:
        writer = csv_files.writer(sys.stdout, lineterminator="\n")
        writer.writerow(Rerouted._fields)
        writer.writerows((*each[:3], " ".join(each.support_added), *each[4:]) for each in foreseen.rerouted)
    else:
        if foreseen.rerouted:
            table = Table(*_HEADINGS[language], title=_WORDS[language]["title"].format(where=place(cells, language)))
            for each in foreseen.rerouted:
                table.add_row(*_row(each))
            out.print(table)
        out.print(summed_up(foreseen, language), soft_wrap=True)


def _row(each: Rerouted) -> tuple[str, ...]:
    def change(before: object, after: object) -> str:
        return str(before) if before == after else f"{before} -> {after}"

    return (
        each.incident_id,
        change(each.lead_before, each.lead_after),
        ", ".join(each.support_added) or "-",
        change(each.severity_before, each.severity_after),
        change(each.sla_before, each.sla_after),
        change(each.mode_before, each.mode_after),
    )


def reroute_command(config_path: Path, ledger_path: Path | None, wish: Wish, *, lang: str) -> None:
    """Say how many would change, ask, write the command, and follow it until it is over."""
    language = language_of(lang)
    words, person = _WORDS[language], signed(wish.by, wish.reason, language)
    config = config_for(config_path, ledger_path)
    cells = cells_named(config, wish.cells, language)
    where = place(cells, language)
    with writing(config) as ledger:
        state = read_state(ledger, language)
        if state.job is not None:
            fail(words["busy"].format(**_said(state.job)))
        foreseen = foresee(state, cells)
        out.print(summed_up(foreseen, language), soft_wrap=True)
        if not foreseen.rerouted:
            out.print(words["nothing"])
            return
        confirm(words["ask"].format(where=where), language, yes=wish.yes)

        actor = Actor("shift_lead", person=person)
        again = partial(RerouteOpen, cells=cells, actor=actor, reason=wish.reason or None)
        sent = send(config, ledger, "reroute", again, words["what"].format(where=where), wish.wait_s, language)
        if sent.silence is not None:
            out.print(sent.said, soft_wrap=True)
            return
        with progress(words["bar"], foreseen.scope.open) as advance:
            found = _follow(ledger, sent, wish.wait_s, advance)
        if isinstance(found, Job):
            fail(words["stuck"].format(**_said(found), wait=wish.wait_s))
        out.print(words["done"].format(**_said(found)), soft_wrap=True)


def _said(found: Job | _Ended) -> dict[str, object]:
    return {"name": found.command_id, "looked_at": found.looked_at, "changed": found.changed}


def _follow(ledger: Ledger, sent: Sent, wait_s: float, advance: Callable[[float], None] | None) -> _Ended | Job:
    """Until it is over; the job as it stands when it has not moved for `wait_s`.

    The engine keeps the job on `state` between two slices; what it came to is told on `events`.
    """
    looked_at, moved_s = 0, time.monotonic()
    while (job := _job(ledger)) is not None and job.command_id == sent.command_id:
        if job.looked_at > looked_at:
            if advance is not None:
                advance(job.looked_at - looked_at)
            looked_at, moved_s = job.looked_at, time.monotonic()
        elif time.monotonic() - moved_s > wait_s:
            return job
        time.sleep(POLL_S)
    told = (
        msgspec.json.decode(kept.value or b"", type=_Ended)
        for kept in everything(ledger, "events", sent.end)
        if kept.key == CONTROL
    )
    return next(each for each in told if (each.event, each.command_id) == ("reroute_ended", sent.command_id))


def _job(ledger: Ledger) -> Job | None:
    value = ledger.newest("state", "job")
    return None if value is None else msgspec.json.decode(value, type=Job)
