"""`dispatcher rules activate|history|rollback`: which policy is in force, since when, and who put it there."""

from pathlib import Path
from typing import NamedTuple

import msgspec
from rich.table import Table

from dispatcher.commands.control import Silence, config_for, signed, wait_for, writing
from dispatcher.commands.opening import open_ledger, stored_policy
from dispatcher.commands.talk import fail, language_of, out, print_json, progress, say, shortened
from dispatcher.config import Config
from dispatcher.core import ms_to_text
from dispatcher.core.control import Activate
from dispatcher.hosts.replay import refuse_unfinished_replay
from dispatcher.hosts.setup import grid_version, read_policy, unmet
from dispatcher.ledger import Ledger
from dispatcher.policies.activation import Stale, activate, lost_departments
from dispatcher.policies.control import standing
from dispatcher.policies.history import enactments
from dispatcher.policies.past import end_of
from rules import Policy, PolicyError, load_canonical

__all__ = ["activate_command", "history_command", "rollback_command"]

FIRST = ms_to_text(0)  # the first policy of a ledger is in force before its first record, whenever that was

_WORDS = {
    "en": {
        "refused_files": "{n} problem(s); nothing was changed, {now} stays in force",
        "nothing": "no policy",
        "requires": "the policy requires {what}; nothing was changed",
        "warnings": "{n} warning(s): `dispatcher rules lint` tells them",
        "lost": "department {department} is not in this policy: {open_assignments} open assignment(s), {orders}"
        " order(s) so far; open incidents keep their own policy",
        "already": "{policy} is in force already; nothing was written",
        "soon": "{policy} is written already and waits for the engine; nothing was written",
        "stale": "{expects} was to be replaced, but {now} is in force{who}; nothing was written",
        "since": ", put there by {by} at {at}",
        "done": "{policy} is in force since {at}; open incidents keep the policy they were decided under",
        "no": "the engine refused it: {detail}; in force: {now}",
        "no_engine": "{policy} is written; no engine runs on this ledger: it comes into force when `dispatcher run`"
        " next works, before everything that is appended from now on",
        "no_answer": "{policy} is written; the engine has not come to it within {wait:g} s"
        " (`dispatcher rules history` shows when it has)",
        "title": "policies of {ledger}",
        "start": "from the start",
        "in_force": "in force", "replaced": "replaced", "refused": "refused", "waiting": "waiting for the engine",
    },
    "zh": {
        "refused_files": "共 {n} 个问题；未作任何改动，{now} 继续生效",
        "nothing": "（无政策）",
        "requires": "该政策要求 {what}；未作任何改动",
        "warnings": "有 {n} 条警告：用 `dispatcher rules lint` 查看",
        "lost": "新政策中没有部门 {department}：现有在办任务 {open_assignments} 件，历史派单 {orders} 条；"
        "在办案件仍按原政策办理",
        "already": "{policy} 已在生效；未写入任何内容",
        "soon": "{policy} 已写入，正等待引擎处理；未再写入",
        "stale": "要替换的是 {expects}，而现行政策是 {now}{who}；未写入任何内容",
        "since": "（{by} 于 {at} 启用）",
        "done": "{policy} 自 {at} 起生效；在办案件仍按立案时的政策办理",
        "no": "引擎未予采纳：{detail}；现行政策：{now}",
        "no_engine": "{policy} 已写入；该账本上没有引擎在运行：下次 `dispatcher run` 处理时生效，"
        "先于此后写入的一切记录",
        "no_answer": "{policy} 已写入；引擎在 {wait:g} 秒内尚未处理到（可用 `dispatcher rules history` 查看）",
        "title": "{ledger} 的政策沿革",
        "start": "自始", "in_force": "现行", "replaced": "已被替换", "refused": "未采纳", "waiting": "等待引擎",
    },
}  # fmt: skip
_HEADINGS = {
    "en": ("at", "sha256", "policy", "outcome", "by", "reason", "incidents"),
    "zh": ("时间", "sha256", "政策", "结果", "批准人", "原因", "案件数"),
}


class _Wish(NamedTuple):
    """What is asked for, besides the policy."""

    expects: str | None
    by: str
    reason: str
    wait_s: float


def activate_command(
    config_path: Path,
    ledger_path: Path | None,
    directory: Path | None,
    *,
    expects: str | None,
    by: str | None,
    reason: str,
    wait_s: float,
    lang: str,
) -> None:
    """Check a policy directory and everything around it, then put it in force; on any problem nothing changes."""
    words = _words(lang)
    wish = _Wish(expects, signed(by, reason, language_of(lang)), reason, wait_s)
    config = config_for(config_path, ledger_path)
    with writing(config) as ledger:
        try:
            policy = read_policy(directory or config.policy)
        except PolicyError as error:
            for problem in error.problems:
                say(problem.render("zh" if lang == "zh" else "en"))
            fail(words["refused_files"].format(n=len(error.problems), now=_in_force(ledger, words)))
        if policy.warnings:
            say(words["warnings"].format(n=len(policy.warnings)))
        _put_in_force(config, ledger, policy, wish, words)


def rollback_command(
    config_path: Path,
    ledger_path: Path | None,
    sha256: str,
    *,
    by: str | None,
    reason: str,
    wait_s: float,
    lang: str,
) -> None:
    """Put a policy the ledger keeps in force again."""
    words = _words(lang)
    wish = _Wish(None, signed(by, reason, language_of(lang)), reason, wait_s)
    config = config_for(config_path, ledger_path)
    with writing(config) as ledger:
        _put_in_force(config, ledger, load_canonical(stored_policy(ledger, sha256)), wish, words)


def history_command(config_path: Path, ledger_path: Path | None, *, lang: str, json: bool) -> None:
    """Print every activation with what came of it."""
    words = _words(lang)
    ledger = open_ledger(config_path, ledger_path)
    try:
        with progress("reading", end_of(ledger)) as advance:
            found = enactments(ledger, advance)
    finally:
        ledger.close()
    if json:
        print_json(msgspec.to_builtins(found))
        return
    table = Table(*_HEADINGS[lang], title=words["title"].format(ledger=config_for(config_path, ledger_path).ledger))
    for made in found:
        outcome = words[made.outcome] + (f": {made.detail}" if made.detail else "")
        policy = f"{made.name} {made.version}".strip() or "-"
        at = words["start"] if made.at == FIRST else shortened(made.at)
        row = (at, made.sha256[:12], policy, outcome, made.by or "-", made.reason or "-")
        table.add_row(*row, f"{made.incidents:,}")
    out.print(table)


def _put_in_force(config: Config, ledger: Ledger, policy: Policy, wish: _Wish, words: dict[str, str]) -> None:
    """Check what lies around the policy, write, and tell what the engine made of it."""
    refuse_unfinished_replay(ledger)
    missing = unmet(policy, grid_version(config.grid.read_bytes()))
    if missing:
        fail(words["requires"].format(what="; ".join(missing)))
    for lost in lost_departments(ledger, policy):
        say(words["lost"].format(**lost._asdict()))
    end = end_of(ledger)
    named = f"{policy.name} {policy.version} ({policy.sha256[:12]})"
    try:
        written = activate(ledger, policy, expects=wish.expects, by=wish.by, reason=wish.reason)
    except Stale as stale:
        now, who = _in_force(ledger, words), _who(ledger, stale.in_force, words)
        fail(words["stale"].format(expects=wish.expects, now=now, who=who))
    if written is None:
        waits = any(
            isinstance(w.command, Activate) and w.command.sha256 == policy.sha256 for w in standing(ledger).waiting
        )
        out.print(words["soon" if waits else "already"].format(policy=named), soft_wrap=True)
        return
    answer = wait_for(config.ledger, ledger, written, end, wish.wait_s)
    if isinstance(answer, Silence):
        out.print(words[answer.value].format(policy=named, wait=wish.wait_s), soft_wrap=True)
    elif answer.accepted:
        out.print(words["done"].format(policy=named, at=shortened(answer.at)), soft_wrap=True)
    else:
        fail(words["no"].format(detail=answer.detail, now=_in_force(ledger, words)))


def _in_force(ledger: Ledger, words: dict[str, str]) -> str:
    sha256 = standing(ledger).sha256
    return words["nothing"] if sha256 is None else sha256[:12]


def _who(ledger: Ledger, sha256: str | None, words: dict[str, str]) -> str:
    """Who put the policy there, as far as its command says."""
    for made in reversed(enactments(ledger)):
        if made.sha256 == sha256 and made.outcome != "refused" and made.by:
            return words["since"].format(by=made.by, at=shortened(made.at))
    return ""


def _words(lang: str) -> dict[str, str]:
    return _WORDS[language_of(lang)]
