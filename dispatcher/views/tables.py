"""Measures as a table for people (rows of text), as CSV and as JSON; headings in Chinese and English."""

import csv
import io
from collections.abc import Mapping
from typing import Literal, NamedTuple

import msgspec

from dispatcher.core import NEVER_MS, ms_to_text
from dispatcher.views.measures import EXCLUDED, RATES, TERMS, Group, Measures, Rate

__all__ = ["NO_SAMPLE", "Lang", "Table", "measures_csv", "measures_json", "measures_table", "percent", "term_titles"]

Lang = Literal["zh", "en"]

NO_SAMPLE = "–"

_TITLES: dict[str, tuple[str, str]] = {  # zh, en
    "department": ("部门", "department"),
    "area": ("区域", "area"),
    "category": ("类别", "category"),
    "major": ("大类", "category (major)"),
    "source": ("来源", "source"),
    "all": ("全部", "all"),
    "none": ("（无）", "(none)"),
    "total": ("合计", "total"),
    "received": ("受理", "received"),
    "received_closed": ("受理已结案", "received, closed"),
    "unfiled": ("未立案", "not yet filed"),
    "filed": ("立案派遣", "filed"),
    "open": ("在办", "open"),
    "closed": ("结案", "closed"),
    "need_close": ("应结案", "need close"),
    "need_close_closed": ("应结已结", "need close, closed"),
    "closed_in_time": ("按时结案", "closed in time"),
    "done": ("已处置", "done"),
    "done_in_time": ("按时处置", "done in time"),
    "overdue_pending": ("逾期未办", "overdue, not done"),
    "held_now": ("挂账中", "held now"),
    "no_deadline": ("无时限", "without deadline"),
    "first_lead_kept": ("首派未改", "first lead kept"),
    "rework": ("返工次数", "reworks"),
    "returned": ("退单次数", "returns"),
    "extended": ("延期次数", "extensions"),
    "held": ("挂账次数", "holds"),
    "merged": ("并案", "merged"),
    "voided": ("作废", "voided"),
    "not_accepted": ("不予受理", "not accepted"),
    "forced": ("强制结案", "closed by force"),
    "desk": ("坐席直接答复", "answered at desk"),
    "referred": ("转办其他机构", "referred"),
    "self_handled": ("自行处置", "self-handled"),
    "excluded_late": ("剔除时已逾期", "excluded when late"),
    "closure_due": ("办结率（应结）", "closure rate (due)"),
    "closure_filed": ("办结率（立案）", "closure rate (filed)"),
    "closure_received": ("办结率（受理）", "closure rate (received)"),
    "on_time_closure": ("按时办结率", "on-time closure rate"),
    "on_time_handling": ("按时处置率", "on-time handling rate"),
    "dispatch_accuracy": ("派遣准确率", "dispatch accuracy"),
}
_SHOWN_TERMS = ("received", "filed", "need_close", "closed", "open", "overdue_pending")
_SHOWN_RATES = ("closure_due", "closure_filed", "on_time_closure", "on_time_handling", "dispatch_accuracy")

_NARROW_TERMS = ("need_close", "overdue_pending")
_NARROW_RATES = ("closure_due", "on_time_closure")


class Table(NamedTuple):
    """Headings, one row of text a group, and the total. The first column names the group."""

    headings: list[str]
    rows: list[list[str]]
    total: list[str]


def percent(rate: Rate) -> str:
    """A rate as `99.33 %`, rounded half up, but 100 % and 0 % only where they are exact; a dash without a sample."""
    if not rate.denominator:
        return NO_SAMPLE
    hundredths = (20_000 * rate.numerator + rate.denominator) // (2 * rate.denominator)
    if 0 < rate.numerator < rate.denominator:
        hundredths = min(max(hundredths, 1), 9_999)
    return f"{hundredths // 100}.{hundredths % 100:02d} %"


def term_titles(lang: Lang) -> dict[str, str]:
    """The title of every term and rate."""
    return {name: _title(name, lang) for name in (*TERMS, *RATES)}


def measures_table(
    measures: Measures, lang: Lang = "en", names: Mapping[str, str] | None = None, *, narrow: bool = False
) -> Table:
    """The table people read: the main terms, every rate with both terms, and what was left out if anything was.

    Args:
        measures: what to show.
        lang: of the headings.
        names: titles of the groups' codes; a code without one is shown as it is.
        narrow: only what fits into 80 columns.
    """
    left_out = [name for name in (*EXCLUDED, "no_deadline") if measures.total.terms[name]]
    terms = [*_NARROW_TERMS] if narrow else [*_SHOWN_TERMS, *left_out]
    shown_rates = _NARROW_RATES if narrow else _SHOWN_RATES
    headings = [_title(measures.by or "all", lang), *(_title(name, lang) for name in (*terms, *shown_rates))]

    def row(title: str, group: Group) -> list[str]:
        rates = group.rates
        shown = [_with_terms(rates[name]) for name in shown_rates]
        return [title, *(str(group.terms[name]) for name in terms), *shown]

    rows = [row(_group_title(group, lang, names or {}), group) for group in measures.groups]
    return Table(headings, rows, row(_title("total", lang), measures.total))


def measures_csv(measures: Measures, lang: Lang = "en", names: Mapping[str, str] | None = None) -> str:
    """Every term and every rate (a fraction with six decimals, empty without a sample); the total is the last line.

    The terms of each rate stand in columns of their own, so no figure needs this program to be checked.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([_title(measures.by or "all", lang), *(_title(name, lang) for name in (*TERMS, *RATES))])
    lines = [(_group_title(group, lang, names or {}), group) for group in measures.groups]
    for title, group in [*lines, (_title("total", lang), measures.total)]:
        values = [rate.value for rate in group.rates.values()]
        rates = ["" if value is None else f"{value:.6f}" for value in values]
        writer.writerow([title, *(group.terms[name] for name in TERMS), *rates])
    return out.getvalue()


def measures_json(measures: Measures) -> bytes:
    """Codes only, rates as {numerator, denominator, value}; value is null without a sample."""
    cohort = measures.cohort
    return msgspec.json.encode(
        {
            "as_of": ms_to_text(cohort.as_of_ms),
            "basis": cohort.basis,
            "from": ms_to_text(cohort.from_ms) if cohort.from_ms else None,
            "to": None if cohort.to_ms >= NEVER_MS else ms_to_text(cohort.to_ms),
            "by": measures.by,
            "groups": [_group_json(group) for group in measures.groups],
            "total": _group_json(measures.total),
        }
    )


def _group_json(group: Group) -> dict[str, object]:
    rates = {name: {**rate._asdict(), "value": rate.value} for name, rate in group.rates.items()}
    return {"code": group.code, "terms": dict(group.terms), "rates": rates}


def _with_terms(rate: Rate) -> str:
    return f"{percent(rate)} ({rate.numerator}/{rate.denominator})"


def _group_title(group: Group, lang: Lang, names: Mapping[str, str]) -> str:
    return _title("none", lang) if group.code is None else names.get(group.code, group.code)


def _title(name: str, lang: Lang) -> str:
    return _TITLES[name][0 if lang == "zh" else 1]
