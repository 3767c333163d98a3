"""`dispatcher alerts propose`: what a CAP alert comes to, and the command that would confirm it."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from dispatcher.alerts.cap import AlertError, Severity, read_cap
from dispatcher.alerts.propose import Ending, Nothing, Proposal, propose
from dispatcher.alerts.xml_nodes import BYTES_MAX
from dispatcher.commands.instants import instant_ms
from dispatcher.commands.opening import config_of
from dispatcher.commands.talk import fail, language_of, out, print_json
from dispatcher.core import ms_to_text
from dispatcher.hosts.setup import policy_in_force, read_policy
from dispatcher.ledger import SqliteLedger
from geo import load_grid
from rules import Policy

__all__ = ["confirming", "propose_command"]

_WORDS = {
    "en": {
        "problems": "{count} problem(s); this is no alert that can be used",
        "proposes": "{reason}\nproposes {mode} for {cells}\nfrom {start} until {end}",
        "replaces": "instead of {ids}",
        "unplaced": "in no cell of this grid: {areas}",
        "confirm": "a shift lead confirms it with:",
        "then": "and then ends what it replaces, if that was confirmed, with:",
        "ends": "{reason}\nends {ids}; if it was confirmed, a shift lead ends it with:",
        "nothing": "nothing is proposed: {why}",
        "not_actual": "its status is {detail}; only Actual is about the world",
        "no_proposal_type": "a message of type {detail} proposes nothing",
        "not_severe": "its severity is {detail}; Extreme and Severe propose a mode, others by --severity",
        "no_mode": "{detail} is the ordinary mode",
        "expired": "it has expired",
        "no_area": "it names no area",
        "outside": "no cell of this grid lies in: {detail}",
        "severity": "--severity takes one of {severities}, = and one of the modes {modes}, not {text}",
    },
    "zh": {
        "problems": "共 {count} 个问题；该文件不能作为预警使用",
        "proposes": "{reason}\n建议对 {cells} 启用 {mode}\n自 {start} 至 {end}",
        "replaces": "取代 {ids}",
        "unplaced": "不在本网格内：{areas}",
        "confirm": "由值班长用以下命令确认：",
        "then": "随后，如被取代者已确认启用，用以下命令结束：",
        "ends": "{reason}\n结束 {ids}；如已确认启用，由值班长用以下命令结束：",
        "nothing": "不作建议：{why}",
        "not_actual": "状态为 {detail}；只有 Actual 才是真实预警",
        "no_proposal_type": "类型为 {detail} 的消息不作建议",
        "not_severe": "严重程度为 {detail}；Extreme 与 Severe 才建议切换模式，其余用 --severity 指定",
        "no_mode": "{detail} 是平时模式",
        "expired": "已经过期",
        "no_area": "没有写明区域",
        "outside": "下列区域没有本网格的单元：{detail}",
        "severity": "--severity 须为 {severities} 之一、等号、模式 {modes} 之一，而不是 {text}",
    },
}


def propose_command(
    config_path: Path,
    ledger_path: Path | None,
    file: Path,
    *,
    as_of: str | None,
    severities: Sequence[str],
    lang: str,
    json: bool,
) -> None:
    """Print what an alert proposes; exit 1 when the file is no alert."""
    language = language_of(lang)
    words, now_ms = _WORDS[language], instant_ms(as_of, language)
    config = config_of(config_path)
    policy = _policy(ledger_path or config.ledger, config.policy)
    wanted = _severities(severities, policy.modes, words)
    try:
        alert = read_cap(_read(file))
    except AlertError as error:
        lines = [f"{file}:{problem}" for problem in error.problems]
        fail("\n".join([*lines, words["problems"].format(count=len(lines))]))
    found = propose(alert, load_grid(config.grid.read_bytes()), policy.modes, now_ms, severities=wanted)
    if json:
        print_json(_json(found))
    else:
        _show(found, policy, words)


def confirming(found: Proposal | Ending) -> list[str]:
    """The command lines that confirm a proposal or an ending, quoted for a shell: an alert's words are not ours.

    A proposal's own comes first, then one for each that it replaces.
    """
    over = found.proposal_ids if isinstance(found, Ending) else found.replaces
    ends = [shlex.join(["dispatcher", "mode", "end", "--proposal", named, "--reason", found.reason]) for named in over]
    if isinstance(found, Ending):
        return ends
    options = {
        "--cells": ",".join(found.cells),
        "--until": ms_to_text(found.until_ms),
        "--reason": found.reason,
        "--proposal": found.proposal_id,
    }
    said = [word for option in options.items() for word in option]
    return [shlex.join(["dispatcher", "mode", "set", found.mode, *said]), *ends]


def _show(found: Proposal | Ending | Nothing, policy: Policy, words: Mapping[str, str]) -> None:
    def local(instant_ms: int) -> str:
        return datetime.fromtimestamp(instant_ms / 1000, policy.timezone).isoformat(" ", "minutes")

    if isinstance(found, Nothing):
        why = words[found.reason].format(detail=found.detail)
        out.print(words["nothing"].format(why=why), soft_wrap=True)
        return
    if isinstance(found, Ending):
        out.print(words["ends"].format(reason=found.reason, ids=", ".join(found.proposal_ids)), soft_wrap=True)
    else:
        span = {"start": local(found.from_ms), "end": local(found.until_ms)}
        cells = ", ".join(found.cells)
        out.print(words["proposes"].format(reason=found.reason, mode=found.mode, cells=cells, **span), soft_wrap=True)
        if found.replaces:
            out.print(words["replaces"].format(ids=", ".join(found.replaces)), soft_wrap=True)
        if found.unplaced:
            out.print(words["unplaced"].format(areas=", ".join(found.unplaced)), soft_wrap=True)
        out.print(words["confirm"])
    for n, line in enumerate(confirming(found)):
        if n == 1 and isinstance(found, Proposal):
            out.print(words["then"])
        out.print(line, soft_wrap=True)


def _json(found: Proposal | Ending | Nothing) -> dict[str, object]:
    if isinstance(found, Nothing):
        return {"outcome": "nothing", "reason": found.reason, "detail": found.detail}
    references = [reference._asdict() for reference in found.references]
    common = {"reason": found.reason, "references": references, "confirm": confirming(found)}
    if isinstance(found, Ending):
        return {"outcome": "ending", "proposal_ids": found.proposal_ids, **common}
    return {
        "outcome": "proposal",
        "proposal_id": found.proposal_id,
        "mode": found.mode,
        "cells": found.cells,
        "from": ms_to_text(found.from_ms),
        "until": ms_to_text(found.until_ms),
        "replaces": found.replaces,
        "unplaced": found.unplaced,
        **common,
    }


def _severities(texts: Sequence[str], modes: Sequence[str], words: Mapping[str, str]) -> dict[Severity, str]:
    wanted = {}
    for text in texts:
        severity, _, mode = text.partition("=")
        if severity not in list(Severity) or mode not in modes:
            fail(words["severity"].format(severities=", ".join(Severity), modes=", ".join(modes), text=text), 2)
        wanted[Severity(severity)] = mode
    return wanted


def _policy(ledger_path: Path, directory: Path) -> Policy:
    """The policy in force; before there is a ledger, the one that will be."""
    in_force = None
    if ledger_path.exists():
        ledger = SqliteLedger(ledger_path, read_only=True)
        try:
            in_force = policy_in_force(ledger)
        finally:
            ledger.close()
    return read_policy(directory) if in_force is None else in_force


def _read(file: Path) -> bytes:
    """No more than one byte beyond what `read_cap` takes."""
    if str(file) == "-":
        return sys.stdin.buffer.read(BYTES_MAX + 1)
    with file.open("rb") as stream:
        return stream.read(BYTES_MAX + 1)
