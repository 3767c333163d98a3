"""`dispatcher rules lookahead`: what falls due around the next holidays."""

import csv as csv_files
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table

from dispatcher.commands.instants import instant_ms
from dispatcher.commands.opening import open_ledger
from dispatcher.commands.talk import fail, language_of, out, print_json
from dispatcher.core import ms_to_text
from dispatcher.hosts.setup import policy_in_force
from dispatcher.policies.lookahead import Closure, Lookahead, look_ahead
from rules import Policy

__all__ = ["lookahead_command"]

COLUMNS = ("calendar", "shuts_at", "opens_at", "days", "holidays", "department", "before", "during", "after")
_HEADINGS = {
    "en": ("calendar", "shut from", "until", "whole days", "department", "due the day before", "while shut",
           "the day after"),
    "zh": ("日历", "停办起", "恢复办理", "整日数", "部门", "停办前一日到期", "停办期间到期", "恢复后一日到期"),
}  # fmt: skip
_WORDS = {
    "en": {
        "title": "deadlines around holidays, {days} days from {at} ({running} running)",
        "none": "no holiday and no closure longer than a weekend in {days} days from {at}",
        "known": "{calendar}: holidays are known until {until}; deadlines after it are provisional ({beyond} now)",
        "no_holidays": "{calendar}: knows no holidays",
        "days": "{days} ({holidays} holiday)",
        "nothing": "nothing has been worked through in this ledger yet: `dispatcher run` or `dispatcher replay`",
    },
    "zh": {
        "title": "{at} 起 {days} 天内节假日前后到期的时限（计时中 {running} 项）",
        "none": "{at} 起 {days} 天内没有节假日，也没有长于周末的停办",
        "known": "{calendar}：节假日数据到 {until} 为止，此后的时限为暂定（现有 {beyond} 项）",
        "no_holidays": "{calendar}：无节假日数据",
        "days": "{days}（节假日 {holidays}）",
        "nothing": "该账本尚未处理任何记录：请先运行 `dispatcher run` 或 `dispatcher replay`",
    },
}


def lookahead_command(
    config_path: Path,
    ledger_path: Path | None,
    *,
    days: int,
    as_of: str | None,
    lang: str,
    csv: bool,
    json: bool,
) -> None:
    """Print, per calendar, the next holidays and long closures with the deadlines around them by department."""
    language = language_of(lang)
    words, as_of_ms = _WORDS[language], instant_ms(as_of, language)
    ledger = open_ledger(config_path, ledger_path)
    try:
        policy = policy_in_force(ledger)
        if policy is None:
            fail(words["nothing"])
        found = look_ahead(ledger, policy, as_of_ms, days)
    finally:
        ledger.close()
    if json:
        print_json(_as_json(found, as_of_ms, days))
    elif csv:
        writer = csv_files.writer(sys.stdout, lineterminator="\n")
        writer.writerow(COLUMNS)
        for closure in found.closures:
            named = (closure.calendar, ms_to_text(closure.from_ms), ms_to_text(closure.until_ms), closure.days)
            writer.writerows((*named, " ".join(closure.holidays), *row) for row in _by_department(closure))
    else:
        _show(found, policy, as_of_ms, days, lang)


def _by_department(closure: Closure) -> Iterator[tuple[str, int, int, int]]:
    """A row a department; one without a name where nothing falls due, so that the closure itself shows."""
    for code in closure.departments() or [""]:
        yield code, closure.before[code], closure.during[code], closure.after[code]


def _as_json(found: Lookahead, as_of_ms: int, days: int) -> dict[str, object]:
    return {
        "as_of": ms_to_text(as_of_ms),
        "days": days,
        "running": found.running,
        "closures": [
            {
                "calendar": closure.calendar,
                "shuts_at": ms_to_text(closure.from_ms),
                "opens_at": ms_to_text(closure.until_ms),
                "days": closure.days,
                "holidays": closure.holidays,
                "departments": [dict(zip(COLUMNS[-4:], row, strict=True)) for row in _by_department(closure) if row[0]],
            }
            for closure in found.closures
        ],
        "calendars": [
            {
                "calendar": calendar,
                "known_until": None if until_ms is None else ms_to_text(until_ms),
                "due_beyond": beyond,
            }
            for calendar, until_ms, beyond in found.horizons
        ],
    }


def _show(found: Lookahead, policy: Policy, as_of_ms: int, days: int, lang: str) -> None:
    words = _WORDS[lang]

    def local(at_ms: int) -> str:
        return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(policy.timezone).strftime("%Y-%m-%d %H:%M")

    at = local(as_of_ms)
    if not found.closures:
        out.print(words["none"].format(days=days, at=at))
    else:
        table = Table(title=words["title"].format(days=days, at=at, running=f"{found.running:,}"))
        for n, heading in enumerate(_HEADINGS[lang]):
            table.add_column(heading, justify="right" if n > 4 else "left", overflow="fold")
        for closure in found.closures:
            shut = words["days"].format(days=closure.days, holidays=len(closure.holidays))
            first = [closure.calendar, local(closure.from_ms), local(closure.until_ms), shut]
            for code, *counts in _by_department(closure):
                table.add_row(*first, code or "-", *(f"{n:,}" for n in counts))
                first = [""] * 4
            table.add_section()
        out.print(table)
    for calendar, until_ms, beyond in found.horizons:
        if until_ms is None:
            out.print(words["no_holidays"].format(calendar=calendar))
        else:
            out.print(words["known"].format(calendar=calendar, until=local(until_ms), beyond=beyond))
