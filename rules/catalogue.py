"""The catalogue as it is used: categories with what they inherit, claims capped, merge rules by the closest category.

A category inherits from its nearest declared ancestor ("03.02.01" from "03.02", else "03") what it does not state:
`kind, severity, severity_cap, life_safety, evidence, public, self_handled, standards`. Titles, aliases and
`standard_ref` are its own.
"""

import msgspec

from rules.budgets import Budget, parse_budget
from rules.clock import AlwaysClock
from rules.model_catalogue import CategoryEntry, MergeRule, Source

DEFAULT_SEVERITY = 3
"""Of a category that states none, and of reports without a category."""


class FilingStandard(msgspec.Struct, frozen=True, gc=False):
    """A condition found when filing; a `limit` without a calendar of its own runs in the SLA's."""

    code: str
    zh: str
    en: str
    limit: Budget
    close: str


class Category(msgspec.Struct, frozen=True, gc=False):
    """A category with everything inherited filled in."""

    code: str
    zh: str
    en: str
    kind: str | None
    severity: int
    severity_cap: int | None
    life_safety: bool
    aliases: tuple[str, ...]
    evidence: tuple[str, ...]
    public: bool
    self_handled: bool
    standard_ref: str
    standards: tuple[FilingStandard, ...]


class Merge(msgspec.Struct, frozen=True, gc=False):
    """Which reports of a category may be one incident; None = no bound of that kind."""

    category: str
    radius_m: float | None
    gap_ms: int | None
    life_ms: int | None
    mode: str
    same: str | None


def ancestors(code: str) -> list[str]:
    """Return the code and what it lies under, deepest first: "03.02.01" gives itself, "03.02", "03"."""
    found = [code]
    while (cut := code.rfind(".")) > 0:
        code = code[:cut]
        found.append(code)
    return found


def inherit(entries: dict[str, CategoryEntry], code: str, field: str) -> object:
    """Return a field of a category, or of the nearest ancestor that states it; None when nobody does."""
    for ancestor in ancestors(code):
        entry = entries.get(ancestor)
        value = getattr(entry, field) if entry else None
        if value is not None:
            return value
    return None


def build_category(entries: dict[str, CategoryEntry], code: str) -> Category:
    """Build it from what it states and what it inherits."""
    entry = entries[code]
    stated = {
        field: inherit(entries, code, field) for field in ("kind", "severity", "severity_cap", "evidence", "standards")
    }
    flags = {field: bool(inherit(entries, code, field)) for field in ("life_safety", "public", "self_handled")}
    standards = tuple(
        FilingStandard(
            standard.code, standard.zh, standard.en, parse_budget(standard.limit, standard.calendar), standard.close
        )
        for standard in stated["standards"] or ()  # type: ignore[attr-defined]
    )
    return Category(
        code=code,
        zh=entry.zh,
        en=entry.en,
        kind=stated["kind"],  # type: ignore[arg-type]
        severity=stated["severity"] or DEFAULT_SEVERITY,  # type: ignore[arg-type]
        severity_cap=stated["severity_cap"],  # type: ignore[arg-type]
        aliases=entry.aliases,
        evidence=stated["evidence"] or (),  # type: ignore[arg-type]
        standard_ref=entry.standard_ref,
        standards=standards,
        **flags,
    )


def build_merge(rule: MergeRule) -> Merge:
    """Build it. Raises ValueError for spans in working time, which the loader would have refused."""

    def fixed_ms(text: str | None) -> int | None:
        return None if text is None else AlwaysClock().open(parse_budget(text), 0).amount_ms

    return Merge(rule.category, rule.radius_m, fixed_ms(rule.gap), fixed_ms(rule.life), rule.mode, rule.same)


def claimed_severity(source: Source | None, category: Category | None, claimed: int | None) -> int:
    """Return the severity a report counts with: its claim, capped, or without a claim the category's own.

    A cap never pushes a claim below the category's own severity: what is severe by itself stays so, whoever says it.
    """
    own = category.severity if category else DEFAULT_SEVERITY
    if claimed is None:
        return own
    caps = [cap for cap in (source and source.severity_cap, category and category.severity_cap) if cap]
    return max(claimed, min(max(caps), own)) if caps else claimed
