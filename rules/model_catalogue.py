"""The catalogue as it is written: departments, categories with their filing standards, sources, merge rules."""

from typing import Annotated

from rules.entries import CalendarRef, Entry, LevelRef, Severity
from rules.shapes import Alias, Between, BudgetText, CategoryCode, Choice, Code, Ref


class Department(Entry, frozen=True):
    """`units: from_grid`: it has an office per cell of a level, named by `department@level`."""

    key = "code"
    code: Code
    zh: str = ""
    en: str = ""
    group: Code | None = None
    level: LevelRef | None = None
    units: Annotated[str, Choice(("from_grid",))] | None = None


class Standard(Entry, kw_only=True, frozen=True):
    """A filing standard: the condition found, its limit (in its own calendar, else the SLA's), what closes it."""

    key = "code"
    code: Code
    zh: str = ""
    en: str = ""
    limit: BudgetText
    close: str = ""
    calendar: CalendarRef | None = None


class CategoryEntry(Entry, kw_only=True, frozen=True):
    """A category as written; what is None is the nearest declared ancestor's (`catalogue.Category`)."""

    key = "code"
    code: CategoryCode
    zh: str = ""
    en: str = ""
    aliases: tuple[Alias, ...] = ()
    standard_ref: str = ""
    kind: Code | None = None
    severity: Severity | None = None
    severity_cap: Severity | None = None
    life_safety: bool | None = None
    evidence: tuple[Code, ...] | None = None
    public: bool | None = None
    self_handled: bool | None = None
    standards: tuple[Standard, ...] | None = None


class Verify(Entry, frozen=True):
    """`true`, `false`, or only reports below a confidence (those without one included)."""

    shorthand = "always"
    always: bool = False
    below_confidence: Annotated[float, Between(0, 1)] | None = None


class Extend(Entry, frozen=True):
    """A source's `promised_at` may extend deadlines, at most to `max` after opening."""

    max: BudgetText


class Source(Entry, kw_only=True, frozen=True):
    """Where reports come from. `people` defaults to `platform: people`; devices may ask for strict rejection."""

    key = "code"
    code: Code
    zh: str = ""
    en: str = ""
    platform: Code
    verify: Verify = Verify()
    severity_cap: Severity | None = None
    extend_promised: Extend | None = None
    strict_place: bool = False
    strict_category: bool = False
    people: bool | None = None


class MergeRule(Entry, frozen=True):
    """Which reports may be the same incident: near in place and time, or of the same asset."""

    key = "category"
    category: Annotated[CategoryCode, Ref("category")]
    radius_m: Annotated[float, Between(0.1, 10_000)] | None = None
    gap: BudgetText | None = None
    life: BudgetText | None = None
    mode: Annotated[str, Choice(("suggest", "auto"))] = "suggest"
    same: Annotated[str, Choice(("asset",))] | None = None
