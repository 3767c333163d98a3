"""`dispatcher boards`: composite scores, ranks, the red and the black board of departments, units, areas, compounds."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from dispatcher.commands.cohorts import Asked, cohort_of
from dispatcher.commands.kpi import names_of
from dispatcher.commands.opening import config_of, opened
from dispatcher.commands.talk import fail, language_of, print_json, say
from dispatcher.commands.workbook import put_out
from dispatcher.core import NEVER_MS
from dispatcher.hosts.setup import policy_in_force
from dispatcher.views import (
    Cohort,
    Contender,
    Inspection,
    InspectionError,
    Rate,
    Scoring,
    boards,
    cohort_document,
    contenders,
    document,
    firms_of,
    inspected,
    read_firms,
    read_inspections,
    scored,
)
from dispatcher.views.headings import heading_of, labelled
from dispatcher.views.reports import scores_table
from geo import Grid, load_grid
from rules import Policy
from rules.problems import Language

__all__ = ["UNITS", "boards_command"]

UNITS = ("department", "unit", "area", "compound", "property")
_GROUPS: dict[str, Literal["department", "party", "area"]] = {
    "department": "department",
    "unit": "party",
    "area": "area",
}
_WORDS = {
    "en": {
        "unknown": "inspected, but neither the policy nor the grid has them: {units}",
        "level": "inspected areas that are not of level {level} are not shown: {units}",
    },
    "zh": {
        "unknown": "检查表中的单位不在规则与网格之中：{units}",
        "level": "以下受检区域不属第 {level} 级，未列出：{units}",
    },
}


def boards_command(
    config_path: Path,
    ledger_path: Path | None,
    *,
    asked: Asked,
    of: str,
    level: int,
    adjusted: bool,
    inspections: Path | None,
    firms: Path | None,
    red: int | None,
    black: int | None,
    minimum: int | None,
    csv: bool,
    json: bool,
    xlsx: Path | None,
    lang: str,
) -> None:
    """Print every unit, its rank and what it is made of; compounds and companies are ranked by inspections alone."""
    if of not in UNITS:
        fail(f"--of takes {', '.join(UNITS)}, not {of}", 2)
    if of in ("compound", "property") and inspections is None:
        fail(f"{of} boards are made of inspections: --inspections FILE.csv (unit,kind,date,score,max,notes)", 2)
    language = language_of(lang)
    looked = _read(inspections, firms, of)
    with opened(config_path, ledger_path) as (ledger, view):
        policy = policy_in_force(ledger)
        if policy is None:
            fail("nothing has been worked through in this ledger yet: `dispatcher run` or `dispatcher replay`")
        cohort = cohort_of(asked, view, policy, language, adjusted=adjusted)
        days = _days(cohort, policy.timezone)
        if of in ("compound", "property"):
            units: list[Contender] = [
                (unit, n, {"inspection": rate}) for unit, (n, rate) in inspected(looked, of, days).items()
            ]
        else:
            found_there = inspected(looked, of, days)
            by = _GROUPS[of]
            units = contenders(view, cohort, by, level, {unit: rate for unit, (_, rate) in found_there.items()})
            units += _without_cases(units, found_there, of, level or 1, policy, config_path, language)
    plan = policy.measures
    weights = {"inspection": 1} if of in ("compound", "property") else plan.weights
    least = (1 if of in ("compound", "property") else plan.minimum_cases) if minimum is None else minimum
    scoring = Scoring(weights, max(least, 1), plan.red if red is None else red, plan.black if black is None else black)
    found = scored(units, scoring)
    named = boards(found, scoring.red, scoring.black)
    if json:
        print_json({**cohort_document(cohort), "of": of, "weights": dict(weights), "units": document(found),
                    "red": [one.unit for one in named.red], "black": [one.unit for one in named.black]})  # fmt: skip
        return
    first = "party" if of == "unit" else of
    names = names_of(policy, language)
    table, full = (
        labelled(scores_table(found, named, first, tuple(weights), language, names, terms=terms), cohort, language)
        for terms in (False, True)
    )
    put_out(table, heading_of(cohort, language), csv=csv, xlsx=xlsx, full=full)


def _without_cases(
    units: list[Contender],
    looked: dict[str, tuple[int, Rate]],
    of: str,
    level: int,
    policy: Policy,
    config_path: Path,
    lang: Language,
) -> list[Contender]:
    """Who was inspected and has no case: shown with none. A name that nobody has ends the command."""
    rest = sorted(looked.keys() - {code for code, _, _ in units})
    if not rest:
        return []
    grid = None if of == "department" else load_grid(config_of(config_path).grid.read_bytes())
    unknown = [code for code in rest if not _is_known(code, of, policy, grid)]
    if unknown:
        fail(_WORDS[lang]["unknown"].format(units=", ".join(unknown[:10])), 2)
    shown = [code for code in rest if of != "area" or grid is None or grid.level_of(code) == level]
    if len(shown) < len(rest):
        say(_WORDS[lang]["level"].format(units=", ".join(code for code in rest if code not in shown), level=level))
    return [(code, 0, {"inspection": looked[code][1]}) for code in shown]


def _is_known(code: str, of: str, policy: Policy, grid: Grid | None) -> bool:
    department, at, cell = ("", "@", code) if of == "area" else code.partition("@")
    if department and department not in policy.departments:
        return False
    return not at or (grid is not None and cell in grid)


def _read(inspections: Path | None, firms: Path | None, of: str) -> list[Inspection]:
    if inspections is None:
        return []
    try:
        looked = read_inspections(inspections.read_text("utf-8"))
        if of == "property":
            return firms_of(looked, {} if firms is None else read_firms(firms.read_text("utf-8")))
    except (InspectionError, OSError, UnicodeDecodeError) as error:
        fail(f"{inspections if not isinstance(error, OSError) else error.filename}: {error}", 2)
    return looked


def _days(cohort: Cohort, zone: ZoneInfo) -> tuple[date, date]:
    """The cohort's period as local days [from, to)."""
    if cohort.to_ms >= NEVER_MS:
        return date.min, date.max
    first, last = (
        datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone).date() for ms in (cohort.from_ms, cohort.to_ms)
    )
    return first, last
