"""The lists beside the measures as tables: whose time, what came back, what looks like gaming, ratings, boards."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from dispatcher.core import ms_to_text
from dispatcher.views.again import CameBack
from dispatcher.views.cohort import Rate
from dispatcher.views.flows import Stock
from dispatcher.views.gaming import Gaming
from dispatcher.views.ratings import Exemption, Rating
from dispatcher.views.scores import Boards, Scored
from dispatcher.views.tables import Cell, Table
from dispatcher.views.times import HandsTime, WhoseTime
from dispatcher.views.titles import Lang, title

__all__ = [
    "came_back_table",
    "exemptions_table",
    "gaming_table",
    "ratings_table",
    "scores_table",
    "stocks_table",
    "time_table",
]

Names = Mapping[str, str]
_TERMS: Mapping[Lang, tuple[str, str]] = {"zh": ("·分子", "·分母"), "en": (", numerator", ", denominator")}


def time_table(
    times: Sequence[WhoseTime], hands: Sequence[HandsTime], by: str | None, lang: Lang, names: Names
) -> Table:
    """Whose time it was by group; by department also what each had in its own hands."""
    own = {each.department: each for each in hands} if by == "department" else {}
    columns = (
        "cases",
        "centre",
        "lead",
        "check",
        "hold",
        "resting",
        "whole",
        *(["own_cases", "own_hands"] if own else []),
    )
    known = {each.code: each for each in times}
    for department in own:  # one that leads nothing now, and had cases in its hands before
        known.setdefault(department, WhoseTime(department, 0, 0, 0, 0, 0, 0))
    rows: list[list[Cell]] = []
    for code in sorted(known, key=lambda code: (code is not None, code or "")):
        time = known[code]
        row: list[Cell] = [_named(code, by, lang, names), time.cases, *map(_span, (*time[2:], time.total_ms))]
        if own:
            hand = own.get(code or "")
            row += [0, _span(0)] if hand is None else [hand.cases, _span(hand.ms)]
        rows.append(row)
    return Table(_headings(by or "all", columns, lang), rows)


def came_back_table(found: Sequence[CameBack], lang: Lang, names: Names) -> Table:
    """Each closed case that came back, and as what."""
    columns = ("closed_at", "again", "filed_at", "department", "category", "cell", "asset")
    rows: list[list[Cell]] = [
        [
            each.incident_id,
            ms_to_text(each.closed_ms),
            each.again_id,
            ms_to_text(each.filed_ms),
            _known(each.department, names),
            _known(each.category, names),
            each.cell,
            each.asset,
        ]
        for each in found
    ]
    return Table(_headings("incident", columns, lang), rows)


def gaming_table(found: Gaming, lang: Lang, names: Names) -> Table:
    """The four lists in one."""
    rows: list[list[Cell]] = []

    def add(what: str, who: str | None, at_ms: int | None, detail: str, incidents: str) -> None:
        at = None if at_ms is None else ms_to_text(at_ms)
        rows.append([title(what, lang), _known(who, names), at, detail, incidents])

    for asked in found.late_requests:
        share = f"{asked.kind} {100 * asked.used_ms // max(asked.budget_ms, 1)} %"
        add("late_requests", asked.party, asked.asked_ms, share, asked.incident_id)
    for burst in found.bursts:
        add("bursts", burst.department, burst.since_ms, str(len(burst.incidents)), " ".join(burst.incidents))
    for name, suspects in (("repeated_rework", found.repeated_rework), ("without_evidence", found.without_evidence)):
        for suspect in suspects:
            add(name, suspect.department, None, str(suspect.times), suspect.incident_id)
    return Table(_headings("list", ("department", "at", "detail", "incidents"), lang), rows)


def ratings_table(found: Sequence[Rating], lang: Lang, names: Names) -> Table:
    """What streets think of each department."""
    rows: list[list[Cell]] = [
        [_known(each.unit, names), each.given, f"{each.mean:.2f}", each.rate, " ".join(each.incidents)]
        for each in found
    ]
    return Table(_headings("department", ("ratings", "mean", "street_rating", "incidents"), lang), rows)


def exemptions_table(found: Sequence[Exemption], lang: Lang, names: Names) -> Table:
    """What the adjusted figures leave out, and why."""
    rows: list[list[Cell]] = [[each.incident_id, _known(each.party, names), title(each.why, lang)] for each in found]
    return Table(_headings("incident", ("party", "why"), lang), rows)


def stocks_table(found: Sequence[Stock], lang: Lang) -> Table:
    """What stood open at each local midnight."""
    rows: list[list[Cell]] = [[ms_to_text(each.at_ms), *each[1:]] for each in found]
    return Table(_headings("at", Stock._fields[1:], lang), rows)


def scores_table(
    scored: Sequence[Scored],
    named: Boards,
    of: str,
    measures: Sequence[str],
    lang: Lang,
    names: Names,
    *,
    terms: bool = False,
) -> Table:
    """Every unit with its rank, its composite, what it is made of, and the board it is on.

    With `terms` (for files, where a rate is a bare number) both terms of each measure stand in columns before it,
    and the composite is in points of 100, as a terminal shows it.
    """
    board = {one.unit: "red" for one in named.red} | {one.unit: "black" for one in named.black}
    headings = _headings(of, ("rank", "board", "cases", "composite"), lang)
    for name in measures:
        headings += [*(f"{title(name, lang)}{word}" for word in _TERMS[lang] if terms), title(name, lang)]
    rows: list[list[Cell]] = [
        [
            names.get(one.unit, one.unit),
            one.rank,
            title(board[one.unit], lang) if one.unit in board else None,
            one.cases,
            one.composite * 100 if terms and one.composite is not None else one.composite,
            *(cell for name in measures for cell in _measure(one.known.get(name), terms=terms)),
            ", ".join(title(name, lang) for name in one.missing),
        ]
        for one in scored
    ]
    return Table([*headings, title("missing", lang)], rows)


def _measure(rate: Rate | None, *, terms: bool) -> list[Cell]:
    if not terms:
        return [rate]
    return [None, None, None] if rate is None else [rate.numerator, rate.denominator, rate]


def _headings(first: str, columns: Sequence[str], lang: Lang) -> list[str]:
    return [title(first, lang), *(title(name, lang) for name in columns)]


def _named(code: str | None, by: str | None, lang: Lang, names: Names) -> str:
    if by is None:
        return title("total", lang)
    return title("none", lang) if code is None else names.get(code, code)


def _known(code: str | None, names: Names) -> str | None:
    return None if code is None else names.get(code, code)


def _span(ms: int) -> timedelta:
    return timedelta(milliseconds=ms)
