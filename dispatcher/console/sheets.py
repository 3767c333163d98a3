"""The measures as tables of files: CSV of the figures, and a workbook that has the lists beside them as well."""

from dispatcher.console.measured import Measured, compared, group_name
from dispatcher.console.names import Names
from dispatcher.views import Cell, Sheet, Table, all_terms, local_day, table_csv
from dispatcher.views.headings import heading_of
from dispatcher.views.reports import came_back_table, gaming_table, scores_table
from dispatcher.views.terms import RATES
from dispatcher.views.titles import title

__all__ = ["measures_csv", "measures_sheets", "trend_table"]


def measures_csv(found: Measured, names: Names) -> str:
    """Every term and every rate, of all groups and in total: what the page shows and what it is made of."""
    return table_csv(_terms(found, names))


def measures_sheets(found: Measured, names: Names) -> list[Sheet]:
    """Figures, days, boards, what came back, what looks like gaming."""
    texts, lang, cohort = names.texts, names.texts.lang, found.cohort
    heading = heading_of(cohort, lang)
    by, words = compared(found.raw.grouping.by or "department"), _words(names)
    units = {one.unit: group_name(names, by, one.unit) for one in found.ranked}
    weights = tuple(names.policy.measures.weights)
    tables = {
        "measures": _terms(found, names),
        "trend": trend_table(found, names),
        "boards": scores_table(found.ranked, found.boards, by, weights, lang, units, terms=True),
        "came_back_list": came_back_table(found.again, lang, words),
        "gaming": gaming_table(found.gaming, lang, words),
    }
    raw = heading_of(cohort._replace(adjusted=False), lang)
    return [Sheet(texts(name), raw if name == "measures" else heading, table) for name, table in tables.items()]


def trend_table(found: Measured, names: Names) -> Table:
    """Each day of the period with both terms of its closure rate."""
    lang, zone = names.texts.lang, names.policy.timezone
    rate = f"closure_{found.cohort.basis}"
    over, under = RATES[rate]
    rows: list[list[Cell]] = [
        [local_day(day.from_ms, zone).isoformat(), day.rate.numerator, day.rate.denominator, day.rate]
        for day in found.days
    ]
    return Table([names.texts("day"), *(title(name, lang) for name in (over, under, rate))], rows)


def _terms(found: Measured, names: Names) -> Table:
    by = found.raw.grouping.by
    groups = {group.code: group_name(names, by, group.code) for group in found.raw.groups if group.code is not None}
    return all_terms(found.raw, names.texts.lang, groups, found.adjusted)


def _words(names: Names) -> dict[str, str]:
    """What departments and categories are called; a code of both kinds is the department's."""
    categories = {code: names.category(code, code) for code in names.policy.categories}
    return categories | {each.code: each.name for each in names.departments()}
