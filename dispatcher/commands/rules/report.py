"""`dispatcher rules report`: what became of each rule's decisions; an upheld return as a policy test."""

import csv as csv_files
import sys
from pathlib import Path

import msgspec
from rich.table import Table

from dispatcher.commands.opening import find_incident, opened
from dispatcher.commands.talk import fail, language_of, out, print_json, progress
from dispatcher.hosts.setup import policy_in_force
from dispatcher.policies.as_test import NotUpheld, policy_test, upheld_return
from dispatcher.policies.past import end_of
from dispatcher.policies.report_card import Card, report_cards

__all__ = ["report_command"]

COLUMNS = ("rule", "kind", "hits", "dispatched", "stayed", "overrides", "returns", "upheld")
_HEADINGS = {
    "en": ("rule", "kind", "hits", "first lead stayed", "overrides", "returns", "upheld"),
    "zh": ("规则", "种类", "命中", "首派未改", "改派", "退单", "退单成立"),
}
_KINDS_ZH = {"guard": "守卫", "route": "派遣", "overlay": "叠加", "fallback": "兜底"}
_WORDS = {
    "en": {
        "title": "report cards",
        "unknown": "no rule {rule} in the policy in force, and none ever decided here",
        "not_upheld": "{incident}: no return of its lead was upheld; there is nothing to learn from it",
        "nothing": "nothing has been worked through in this ledger yet: `dispatcher run` or `dispatcher replay`",
    },
    "zh": {
        "title": "规则成绩单",
        "unknown": "现行政策中没有规则 {rule}，历史上也从未命中",
        "not_upheld": "{incident}：主办单位的退单未曾成立，无从生成测试",
        "nothing": "该账本尚未处理任何记录：请先运行 `dispatcher run` 或 `dispatcher replay`",
    },
}


def report_command(
    config_path: Path,
    ledger_path: Path | None,
    rule: str | None,
    *,
    as_test: str | None,
    lang: str,
    csv: bool,
    json: bool,
) -> None:
    """Print the cards of all rules or of one; with `as_test`, the policy test that an incident's return became."""
    words = _WORDS[language_of(lang)]
    with opened(config_path, ledger_path) as (ledger, view):
        policy = policy_in_force(ledger)
        if policy is None:
            fail(words["nothing"])
        if as_test is not None:
            record = find_incident(view, as_test)
            try:
                out.print(policy_test(upheld_return(ledger, record), policy), end="", soft_wrap=True)
            except NotUpheld:
                fail(words["not_upheld"].format(incident=record.incident_id))
            return
        with progress("reading", end_of(ledger)) as advance:
            cards = report_cards(ledger, policy, advance)
    if rule is not None:
        cards = [card for card in cards if card.rule == rule]
        if not cards:
            fail(words["unknown"].format(rule=rule))
    if json:
        print_json([msgspec.to_builtins(card) for card in cards])
    elif csv:
        writer = csv_files.writer(sys.stdout, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([getattr(card, name) for name in COLUMNS] for card in cards)
    else:
        _show(cards, lang)


def _show(cards: list[Card], lang: str) -> None:
    table = Table(title=_WORDS[lang]["title"])
    for n, heading in enumerate(_HEADINGS[lang]):
        table.add_column(heading, justify="right" if n > 1 else "left", overflow="fold")
    for card in cards:
        kind = _KINDS_ZH[card.kind] if lang == "zh" else card.kind
        counts = (f"{n:,}" for n in (card.overrides, card.returns, card.upheld))
        table.add_row(card.rule, kind, f"{card.hits:,}", _share(card), *counts)
    out.print(table)


def _share(card: Card) -> str:
    """Both terms, and the share when there is one."""
    if not card.dispatched:
        return "–"
    return f"{100 * card.stayed / card.dispatched:.2f} % ({card.stayed:,}/{card.dispatched:,})"
