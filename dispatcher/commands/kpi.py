"""`dispatcher kpi`: measures, each rate with both of its terms; and the lists beside them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from dispatcher.commands.cohorts import Asked, cohort_of, midnights
from dispatcher.commands.opening import opened, stored_policy
from dispatcher.commands.talk import fail, language_of, out, print_json
from dispatcher.commands.workbook import put_out
from dispatcher.hosts.setup import policy_in_force
from dispatcher.ledger import Ledger
from dispatcher.views import (
    GROUPINGS,
    Cohort,
    Grouping,
    Projection,
    Table,
    all_terms,
    came_back,
    cohort_document,
    document,
    exemptions,
    gaming,
    in_hands,
    measure,
    measures_document,
    measures_table,
    ratings,
    stocks,
    whose_time,
)
from dispatcher.views import reports as report
from dispatcher.views.gaming import ClockOf
from dispatcher.views.headings import as_of, bounds, heading_of, labelled
from dispatcher.views.titles import title
from rules import Category, Clock, Department, Policy, load_canonical

__all__ = ["LISTS", "kpi_command", "names_of"]

Lang = Literal["zh", "en"]
LISTS = ("time", "gaming", "came-back", "ratings", "exempt", "midnights")
_NOT_MIDNIGHTS = {
    "en": "--midnights counts all cases as they stood: it goes with neither --adjusted nor --by",
    "zh": "--midnights 统计当时全部案件，不能与 --adjusted 或 --by 同用",
}
FULL_COLUMNS = 180  # a narrower terminal gets fewer columns and codes for titles; --csv, --json and --xlsx have all


class _Put(NamedTuple):
    csv: bool
    json: bool
    xlsx: Path | None


def kpi_command(
    config_path: Path,
    ledger_path: Path | None,
    *,
    asked: Asked,
    by: str | None,
    level: int,
    adjusted: bool,
    csv: bool,
    json: bool,
    xlsx: Path | None,
    lang: str,
    lists: Mapping[str, bool],
) -> None:
    """Print the measures of a cohort as of an instant, or one of `LISTS`; by default of all cases, as of the latest."""
    if by is not None and by not in GROUPINGS:
        fail(f"--by takes {', '.join(GROUPINGS)}, not {by}", 2)
    if level and by not in ("area", "category"):
        fail("--level goes with --by area (a level of the grid) or --by category (how deep)", 2)
    grouping = Grouping(next((name for name in GROUPINGS if name == by), None), level)
    chosen = [name for name, wanted in lists.items() if wanted]
    if len(chosen) > 1:
        fail(f"--{' and --'.join(chosen)} are different lists; choose one", 2)
    language, put = language_of(lang), _Put(csv, json, xlsx)
    if chosen == ["midnights"] and (adjusted or by is not None):
        fail(_NOT_MIDNIGHTS[language], 2)
    with opened(config_path, ledger_path) as (ledger, view):
        policy = policy_in_force(ledger)
        if policy is None:
            fail("nothing has been worked through in this ledger yet: `dispatcher run` or `dispatcher replay`")
        cohort = cohort_of(asked, view, policy, language, adjusted=adjusted and chosen not in ([], ["exempt"]))
        if chosen == ["midnights"]:
            _midnights(view, policy, cohort, put, language)
        elif chosen:
            _list(chosen[0], view, ledger, policy, cohort, grouping, put, language)
        else:
            _measures(view, policy, cohort, grouping, put, language, adjusted=adjusted)


def _measures(
    view: Projection, policy: Policy, cohort: Cohort, grouping: Grouping, put: _Put, lang: Lang, *, adjusted: bool
) -> None:
    raw = measure(view, cohort, grouping)
    beside = measure(view, cohort._replace(adjusted=True), grouping) if adjusted else None
    if put.json:
        print_json(measures_document(raw, beside))
        return
    names, narrow = names_of(policy, lang), out.width < FULL_COLUMNS
    shown = measures_table(raw, beside, lang, {} if narrow else names, narrow=narrow)
    put_out(shown, heading_of(cohort, lang), csv=put.csv, xlsx=put.xlsx, full=all_terms(raw, lang, names, beside))


def _list(
    which: str,
    view: Projection,
    ledger: Ledger,
    policy: Policy,
    cohort: Cohort,
    grouping: Grouping,
    put: _Put,
    lang: Lang,
) -> None:
    names = names_of(policy, lang)
    found: object
    table: Table
    if which == "time":
        times, hands = whose_time(view, cohort, grouping), in_hands(view, cohort)
        found, table = {"times": times, "hands": hands}, report.time_table(times, hands, grouping.by, lang, names)
    elif which == "gaming":
        wanted = {code for code, category in policy.categories.items() if category.evidence}
        listed = gaming(view, cohort, _clock_of(ledger), wanted)
        found, table = listed, report.gaming_table(listed, lang, names)
    elif which == "came-back":
        back = came_back(view, cohort)
        found, table = back, report.came_back_table(back, lang, names)
    elif which == "ratings":
        rated = ratings(view, cohort, "party" if grouping.by == "party" else "department")
        found, table = rated, report.ratings_table(rated, lang, names)
    else:
        exempt = exemptions(view, cohort)
        found, table = exempt, report.exemptions_table(exempt, lang, names)
    if put.json:
        print_json({**cohort_document(cohort), which: document(found)})
    else:
        put_out(labelled(table, cohort, lang), heading_of(cohort, lang), csv=put.csv, xlsx=put.xlsx)


def _midnights(view: Projection, policy: Policy, cohort: Cohort, put: _Put, lang: Lang) -> None:
    """Of all cases: only the days of the cohort's period matter, neither its basis nor what is exempt."""
    stood = stocks(view, midnights(cohort, policy.timezone, lang))
    if put.json:
        about = {name: value for name, value in cohort_document(cohort).items() if name in ("as_of", "from", "to")}
        print_json({**about, "midnights": document(stood)})
        return
    heading = f"{as_of(cohort, lang)} ({title('all', lang)}{bounds(cohort)})"
    put_out(report.stocks_table(stood, lang), heading, csv=put.csv, xlsx=put.xlsx)


def _clock_of(ledger: Ledger) -> ClockOf:
    policies: dict[str, Policy] = {}

    def clock_of(sha256: str, name: str) -> Clock:
        if sha256 not in policies:
            policies[sha256] = load_canonical(stored_policy(ledger, sha256))
        return policies[sha256].clock(name)

    return clock_of


def names_of(policy: Policy, lang: Lang) -> dict[str, str]:
    """What departments and categories are called; a code of both kinds is the department's."""
    entries: dict[str, Category | Department] = {**policy.categories, **policy.departments}
    return {code: (entry.zh if lang == "zh" else entry.en) or code for code, entry in entries.items()}
