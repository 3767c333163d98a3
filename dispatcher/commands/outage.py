"""`dispatcher outage FROM TO`: deadlines that fell into an outage count in the raw figures only.

Nothing about any incident changes: what was breached stays breached at its own instant, and both figures are shown.
"""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct
from rich.table import Table

from dispatcher.commands.control import config_for, confirm, send, signed, writing
from dispatcher.commands.talk import fail, language_of, out, print_json, say, shortened
from dispatcher.core import DAY_MS, ms_to_text, text_to_ms
from dispatcher.core.control import Outage
from dispatcher.core.enact import OUTAGE_DAYS_MAX
from dispatcher.core.messages import Actor
from dispatcher.ledger import Ledger
from dispatcher.policies.control import standing
from dispatcher.policies.past import everything

__all__ = ["Wish", "fell_into", "outage_command"]

_WORDS = {
    "en": {
        "instant": "{text} is no instant with its offset, as 2026-10-01T06:00:00+08:00",
        "span": "an outage lies in the past, begins before it ends, and lasts at most {most} days",
        "reason": "--reason says what had failed; it may not be empty",
        "no_policy": "no policy is in force in this ledger; `dispatcher run` puts the first one there",
        "title": "deadlines that fell into {since} .. {until}",
        "none": "no deadline fell into {since} .. {until}",
        "total": "total",
        "cases": "{n:,} incident(s) have such a deadline; where it was the lead's `resolve`, the adjusted figures leave"
        " the case out, where it was an `attend`, that attendance; the raw ones do not",
        "ask": "Write this outage down?",
        "what": "the outage",
        "done": "the outage is written down ({name}): `dispatcher kpi` shows raw and adjusted figures",
    },
    "zh": {
        "instant": "{text} 不是带时差的时刻，应如 2026-10-01T06:00:00+08:00",
        "span": "故障时段须已过去，起早于止，且不超过 {most} 天",
        "reason": "--reason 须说明何处故障，不能为空",
        "no_policy": "该账本尚无生效的政策；`dispatcher run` 会启用第一份政策",
        "title": "时限落在 {since} 至 {until} 之间",
        "none": "没有时限落在 {since} 至 {until} 之间",
        "total": "合计",
        "cases": "涉及案件 {n:,} 件；其中主办处置时限落入者、应哨到场时限落入者不计入调整后的相应指标，原始指标照计",
        "ask": "确认登记该故障时段？",
        "what": "故障时段",
        "done": "故障时段已登记（{name}）：`dispatcher kpi` 同时给出原始与调整后指标",
    },
}
_HEADINGS = {"en": ("target", "fell due", "of these breached"), "zh": ("时限", "到期", "其中逾期")}


class Wish(NamedTuple):
    """What is asked for, as it was typed."""

    since: str
    until: str
    reason: str
    by: str | None
    yes: bool
    wait_s: float


class _Deadline(Struct):
    name: str
    due_at: str
    breached_at: str | None = None
    revoked_at: str | None = None


class _Case(Struct):
    """As much of a record on `incidents` or `archive` as tells its deadlines; a page of history has none."""

    incident_id: str
    targets: list[_Deadline] = []


_case = msgspec.json.Decoder(_Case)


class Fell(NamedTuple):
    """The deadlines that fell into a span: by the target's name, in how many incidents."""

    due: Counter[str]
    breached: Counter[str]
    incidents: int


def fell_into(ledger: Ledger, since_ms: int, until_ms: int) -> Fell:
    """Count the deadlines due from `since_ms` up to and including `until_ms`; those that were revoked are nobody's.

    Reads every incident the ledger has, held or archived, as it was known last; keeps only those it counts.
    """
    since, until = ms_to_text(since_ms), ms_to_text(until_ms)  # instants on the wire are in the order of their text
    found: dict[str, list[_Deadline]] = {}
    for case in _cases(ledger):
        fell = [d for d in case.targets if d.revoked_at is None and since <= d.due_at <= until]
        if fell:
            found[case.incident_id] = fell
        else:
            found.pop(case.incident_id, None)  # reopened, extended: its last record counts
    deadlines = [deadline for fell in found.values() for deadline in fell]
    due = Counter(deadline.name for deadline in deadlines)
    return Fell(due, Counter(d.name for d in deadlines if d.breached_at is not None), len(found))


def _cases(ledger: Ledger) -> Iterator[_Case]:
    for topic in ("archive", "incidents"):
        for kept in everything(ledger, topic):
            if kept.value is not None:
                case = _case.decode(kept.value)
                if case.targets:
                    yield case


def outage_command(config_path: Path, ledger_path: Path | None, wish: Wish, *, lang: str, json: bool = False) -> None:
    """Show what fell into it, ask, write it down, and say what the engine answered."""
    language = language_of(lang)
    words, person = _WORDS[language], signed(wish.by, wish.reason, language)
    since_ms, until_ms = _instant(wish.since, words), _instant(wish.until, words)
    if not since_ms < until_ms <= time.time_ns() // 1_000_000 or until_ms - since_ms > OUTAGE_DAYS_MAX * DAY_MS:
        fail(words["span"].format(most=OUTAGE_DAYS_MAX), 2)
    if not wish.reason.strip():
        fail(words["reason"], 2)
    config = config_for(config_path, ledger_path)
    with writing(config) as ledger:
        if standing(ledger).sha256 is None:
            fail(words["no_policy"])
        fell = fell_into(ledger, since_ms, until_ms)
        if json:
            say(words["cases"].format(n=fell.incidents))
        else:
            _show(fell, since_ms, until_ms, language)
        confirm(words["ask"], language, yes=wish.yes)

        outage = partial(
            Outage,
            since=_moment(since_ms),
            until=_moment(until_ms),
            actor=Actor("supervisor", person=person),
            reason=wish.reason,
        )
        sent = send(config, ledger, "outage", outage, words["what"], wish.wait_s, language)
    if json:
        span = {"since": ms_to_text(since_ms), "until": ms_to_text(until_ms)}
        print_json({**span, **fell._asdict(), **sent.document()})
    else:
        out.print(sent.said or words["done"].format(name=sent.command_id), soft_wrap=True)


def _show(fell: Fell, since_ms: int, until_ms: int, lang: str) -> None:
    words = _WORDS[lang]
    span = {"since": shortened(ms_to_text(since_ms)), "until": shortened(ms_to_text(until_ms))}
    if not fell.incidents:
        out.print(words["none"].format(**span))
        return
    table = Table(*_HEADINGS[lang], title=words["title"].format(**span))
    for name, count in fell.due.most_common():
        table.add_row(name, f"{count:,}", f"{fell.breached[name]:,}")
    table.add_section()
    table.add_row(words["total"], f"{fell.due.total():,}", f"{fell.breached.total():,}")
    out.print(table)
    out.print(words["cases"].format(n=fell.incidents), soft_wrap=True)


def _instant(text: str, words: dict[str, str]) -> int:
    try:
        return text_to_ms(text)
    except (ValueError, OverflowError):
        fail(words["instant"].format(text=text), 2)


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
