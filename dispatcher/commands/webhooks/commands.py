"""`dispatcher webhooks`, `dead`, `retry` and `test`."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.table import Table

from dispatcher.commands.opening import config_of
from dispatcher.commands.talk import fail, language_of, out, print_json, say, shortened
from dispatcher.config import Config, Webhook
from dispatcher.core import ms_to_text
from dispatcher.notices.channel import Delivered
from dispatcher.webhooks.box import BOX_SUFFIX, Box, Letter
from dispatcher.webhooks.endpoint import Endpoint

__all__ = ["dead_command", "list_command", "retry_command", "test_command"]

SHOWN_MAX = 200  # the newest; --json has all
_LISTED = {
    "en": ("webhook", "topic", "address", "come to", "waiting", "given up"),
    "zh": ("订阅", "主题", "地址", "已到", "待重试", "已放弃"),
}
_LETTERS = {
    "en": ("record", "incident", "at", "attempts", "given up", "detail"),
    "zh": ("记录", "案件", "时间", "次数", "放弃时间", "说明"),
}
_WORDS = {
    "en": {
        "none": "no webhook is configured: docs/webhooks.md",
        "unknown": "no webhook {name}; there are: {known}",
        "nothing": "nothing was given up",
        "more": "the newest {shown} of {count}; --json prints all",
        "retried": "{count} record(s) will be tried again",
        "delivered": "{name}: delivered",
        "failed": "{name}: failed: {reason}",
    },
    "zh": {
        "none": "没有配置 webhook，见 docs/webhooks.md",
        "unknown": "没有 webhook {name}；现有：{known}",
        "nothing": "没有已放弃的记录",
        "more": "共 {count} 条，显示最新 {shown} 条；--json 可输出全部",
        "retried": "{count} 条记录将重新发送",
        "delivered": "{name}：已送达",
        "failed": "{name}：发送失败：{reason}",
    },
}


def list_command(config_path: Path, ledger: Path | None, *, lang: str, json: bool) -> None:
    """Every configured webhook: how far it has come, what waits, what was given up."""
    words, config = _WORDS[language_of(lang)], config_of(config_path)
    if not config.webhooks:
        say(words["none"])
        return
    with _box(config, ledger) as box:
        found = [(each, box.cursor(each.name), box.counts(each.name)) for each in config.webhooks]
    if json:
        print_json(
            [
                {
                    "name": each.name,
                    "topic": each.topic,
                    "url": each.url,
                    "seq": None if cursor is None else cursor.seq,
                    "waiting": waiting,
                    "dead": dead,
                }
                for each, cursor, (waiting, dead) in found
            ]
        )
        return
    table = Table(*_LISTED[language_of(lang)])
    for each, cursor, (waiting, dead) in found:
        come_to = "-" if cursor is None else str(cursor.seq)
        table.add_row(each.name, each.topic, each.url, come_to, str(waiting), str(dead))
    out.print(table)


def dead_command(config_path: Path, ledger: Path | None, name: str, *, lang: str, json: bool) -> None:
    """What was given up."""
    words, config = _WORDS[language_of(lang)], config_of(config_path)
    _named(config, name, lang)
    with _box(config, ledger) as box:
        letters = box.dead(name)
    if json:
        print_json([_json(letter) for letter in letters])
        return
    if not letters:
        say(words["nothing"])
        return
    if len(letters) > SHOWN_MAX:
        say(words["more"].format(shown=SHOWN_MAX, count=len(letters)))
    table = Table(*_LETTERS[language_of(lang)])
    for letter in letters[-SHOWN_MAX:]:
        at, dead = shortened(ms_to_text(letter.time_ms)), shortened(ms_to_text(letter.dead_ms or 0))
        table.add_row(str(letter.seq), letter.key, at, str(letter.attempts), dead, letter.detail)
    out.print(table)


def retry_command(config_path: Path, ledger: Path | None, name: str, *, lang: str, json: bool) -> None:
    """Let what was given up wait again."""
    words, config = _WORDS[language_of(lang)], config_of(config_path)
    _named(config, name, lang)
    with _box(config, ledger) as box:
        count = box.retry(name)
    if json:
        print_json({"retried": count})
    else:
        out.print(words["retried"].format(count=count))


def test_command(config_path: Path, name: str, *, lang: str, json: bool) -> None:
    """Send one event that carries no record; exit 1 when it was not taken."""
    words, settings = _WORDS[language_of(lang)], _named(config_of(config_path), name, lang)
    answer = Endpoint(settings).deliver(Letter(-1, "", time.time_ns() // 1_000_000, b"null"))
    delivered = isinstance(answer, Delivered)
    reason = None if isinstance(answer, Delivered) else answer.reason
    said = words["delivered" if delivered else "failed"].format(name=name, reason=reason)
    if json:
        print_json({"name": name, "outcome": "delivered" if delivered else "failed", "reason": reason})
    elif delivered:
        out.print(said)
    if not delivered:
        fail(said)


@contextmanager
def _box(config: Config, ledger: Path | None) -> Iterator[Box]:
    path = ledger or config.ledger
    box = Box(path.with_name(path.name + BOX_SUFFIX), must_exist=True)
    try:
        yield box
    finally:
        box.close()


def _named(config: Config, name: str, lang: str) -> Webhook:
    found = next((each for each in config.webhooks if each.name == name), None)
    if found is None:
        words = _WORDS[language_of(lang)]
        known = ", ".join(each.name for each in config.webhooks) or "-"
        fail(words["unknown"].format(name=name, known=known), 2)
    return found


def _json(letter: Letter) -> dict[str, object]:
    return {
        "seq": letter.seq,
        "incident_id": letter.key,
        "at": ms_to_text(letter.time_ms),
        "attempts": letter.attempts,
        "dead_at": None if letter.dead_ms is None else ms_to_text(letter.dead_ms),
        "detail": letter.detail,
    }
