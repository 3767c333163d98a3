"""What is open where a mode is about to hold, as tables: how many by category and lead, and the gravest."""

from rich.table import Table

from dispatcher.commands.talk import out, shortened
from dispatcher.core import ms_to_text
from dispatcher.policies.scope import NOBODY, Scope, lead_of
from rules import Policy
from rules.problems import Language

__all__ = ["show_scope"]

GROUPS_TOLD = 15

_WORDS = {
    "en": {"groups": "{n:,} open incidents in scope", "gravest": "the gravest", "more": "{n} more combinations"},
    "zh": {"groups": "范围内在办案件 {n:,} 件", "gravest": "最严重的案件", "more": "另有 {n} 种组合"},
}
_GROUPS = {"en": ("category", "lead", "open"), "zh": ("类别", "主办", "在办")}
_GRAVEST = {
    "en": ("incident", "severity", "category", "lead", "state", "mode", "opened"),
    "zh": ("案件", "等级", "类别", "主办", "状态", "模式", "受理"),
}


def show_scope(scope: Scope, policy: Policy, lang: Language) -> None:
    """Print both tables, or that there is nothing."""
    words = _WORDS[lang]
    if not scope.open:
        out.print(words["groups"].format(n=0))
        return
    table = Table(*_GROUPS[lang], title=words["groups"].format(n=scope.open))
    for (category, lead), count in scope.groups.most_common(GROUPS_TOLD):
        table.add_row(_category(policy, category, lang), lead, f"{count:,}")
    if len(scope.groups) > GROUPS_TOLD:
        table.caption = words["more"].format(n=len(scope.groups) - GROUPS_TOLD)
    out.print(table)
    table = Table(*_GRAVEST[lang], title=words["gravest"])
    for incident in scope.gravest:
        category = _category(policy, incident.category or NOBODY, lang)
        opened = shortened(ms_to_text(incident.opened_ms))
        table.add_row(
            incident.incident_id, str(incident.severity), category, lead_of(incident), incident.state, incident.mode,
            opened,
        )  # fmt: skip
    out.print(table)


def _category(policy: Policy, code: str, lang: Language) -> str:
    entry = policy.categories.get(code)
    title = None if entry is None else (entry.zh if lang == "zh" else entry.en) or entry.zh or entry.en
    return f"{code} {title}" if title else code
