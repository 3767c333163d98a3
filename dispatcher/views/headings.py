"""What stands above a table of measures: as of when, on which basis, of which period, whether it is adjusted."""

from dispatcher.core import NEVER_MS, ms_to_text
from dispatcher.views.cohort import Cohort
from dispatcher.views.tables import Table
from dispatcher.views.titles import Lang, title

__all__ = ["as_of", "bounds", "heading_of", "labelled"]

_AS_OF: dict[Lang, str] = {"en": "as of", "zh": "截至"}


def heading_of(cohort: Cohort, lang: Lang) -> str:
    """What a table is about: as of when, on which basis, of which period, and whether it is adjusted."""
    adjusted = f" {title('adjusted', lang)}" if cohort.adjusted else ""
    return f"{as_of(cohort, lang)} ({cohort.basis}{bounds(cohort)}){adjusted}"


def labelled(table: Table, cohort: Cohort, lang: Lang) -> Table:
    """A table of adjusted figures says so in its first heading too: a CSV has no other place for it."""
    if not cohort.adjusted:
        return table
    first, *others = table.headings
    return table._replace(headings=[f"{first} {title('adjusted', lang)}", *others])


def as_of(cohort: Cohort, lang: Lang) -> str:
    """As of when."""
    return f"{_AS_OF[lang]} {ms_to_text(cohort.as_of_ms)}"


def bounds(cohort: Cohort) -> str:
    """Its period, after a comma; of all time, nothing."""
    return "" if cohort.to_ms >= NEVER_MS else f", {ms_to_text(cohort.from_ms)} .. {ms_to_text(cohort.to_ms)}"
