"""`dispatcher notices` and `dispatcher notices retry`."""

from pathlib import Path

import orjson
from rich.table import Table

from dispatcher.commands.opening import config_of
from dispatcher.commands.talk import fail, language_of, out, print_json, say, shortened
from dispatcher.core import ms_to_text
from dispatcher.notices.notice import encode_notice
from dispatcher.notices.outbox import OUTBOX_SUFFIX, Outbox, Row, Status
from dispatcher.notices.words import OTHER, TEMPLATES, Language

__all__ = ["notices_command", "outbox_path", "retry_command"]

SHOWN_MAX = 200  # the newest; --json has all

_HEADINGS = {
    "en": ("at", "to", "notice", "incident", "status", "attempts", "next", "channel", "detail"),
    "zh": ("时间", "接收方", "通知", "案件", "状态", "次数", "下次", "渠道", "说明"),
}
_STATUSES = {
    Status.WAITING: "待发", Status.HELD: "静默时段暂缓", Status.DELIVERED: "已送达",
    Status.FAILED: "失败", Status.UNREACHABLE: "无法联系", Status.EXPIRED: "已过期",
}  # fmt: skip
_WORDS = {
    "en": {
        "either": "--failed and --waiting are two lists; choose one",
        "more": "the newest {shown} of {count}; --json prints all",
        "none": "no such notice",
        "retried": "{count} notice(s) will be tried again",
    },
    "zh": {
        "either": "--failed 与 --waiting 是两份清单，请选其一",
        "more": "共 {count} 条，显示最新 {shown} 条；--json 可输出全部",
        "none": "没有符合条件的通知",
        "retried": "{count} 条通知将重新发送",
    },
}


def notices_command(
    config_path: Path,
    ledger_path: Path | None,
    *,
    failed: bool,
    waiting: bool,
    to: str | None,
    lang: str,
    json: bool,
) -> None:
    """List what the outbox holds."""
    language = language_of(lang)
    words = _WORDS[language]
    if failed and waiting:
        fail(words["either"], 2)
    statuses = [Status.FAILED] if failed else [Status.WAITING, Status.HELD] if waiting else []
    outbox = Outbox(outbox_path(config_path, ledger_path), must_exist=True)
    try:
        rows = outbox.listed(statuses, to)
    finally:
        outbox.close()
    if json:
        print_json([_json(row) for row in rows])
        return
    if not rows:
        say(words["none"])
        return
    if len(rows) > SHOWN_MAX:
        say(words["more"].format(shown=SHOWN_MAX, count=len(rows)))
    table = Table(*_HEADINGS[language])
    for row in rows[-SHOWN_MAX:]:
        table.add_row(*_cells(row, language))
    out.print(table)


def retry_command(config_path: Path, ledger_path: Path | None, to: str | None, *, lang: str, json: bool) -> None:
    """Let failed notices wait again."""
    words = _WORDS[language_of(lang)]
    outbox = Outbox(outbox_path(config_path, ledger_path), must_exist=True)
    try:
        count = outbox.retry(to)
    finally:
        outbox.close()
    if json:
        print_json({"retried": count})
    else:
        out.print(words["retried"].format(count=count))


def outbox_path(config_path: Path, ledger_path: Path | None) -> Path:
    """Where the outbox of a ledger lies."""
    path = ledger_path or config_of(config_path).ledger
    return path.with_name(path.name + OUTBOX_SUFFIX)


def _cells(row: Row, language: Language) -> tuple[str, ...]:
    notice = row.notice
    title = TEMPLATES.get(notice.template, OTHER)[language].title
    status = _STATUSES[row.status] if language == "zh" else str(row.status)
    after = shortened(ms_to_text(row.next_ms)) if row.next_ms else "-"
    return (
        shortened(notice.at), notice.to, title, notice.incident_id or "-", status, str(row.attempts), after,
        row.channel or "-", row.detail or "-",
    )  # fmt: skip


def _json(row: Row) -> dict[str, object]:
    made: dict[str, object] = orjson.loads(encode_notice(row.notice))
    state = {
        "status": row.status,
        "attempts": row.attempts,
        "next_at": ms_to_text(row.next_ms) if row.next_ms else None,
        "channel": row.channel,
        "detail": row.detail,
    }
    return {**made, **state}
