"""`dispatcher kpi`: measures, each rate with both of its terms."""

import re
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, cast, get_args
from zoneinfo import ZoneInfo

from rich.table import Table

from dispatcher.commands.opening import opened
from dispatcher.commands.talk import fail, language_of, out
from dispatcher.core import NEVER_MS, datetime_to_ms, ms_to_text
from dispatcher.hosts.setup import policy_in_force
from dispatcher.views import Cohort, GroupBy, Measures, measure, measures_csv, measures_json, measures_table
from rules import Category, Department, Policy

__all__ = ["kpi_command", "period"]

Lang = Literal["zh", "en"]
FULL_COLUMNS = 180  # a narrower terminal gets fewer columns and codes for titles; --csv and --json have all


def kpi_command(
    config_path: Path,
    ledger_path: Path | None,
    *,
    by: str | None,
    filed: str | None,
    due: str | None,
    as_of: str | None,
    csv: bool,
    json: bool,
    lang: str,
) -> None:
    """Print the measures of a cohort as of an instant; by default of all cases, as of the latest record."""
    if by is not None and by not in get_args(GroupBy):
        fail(f"--by takes {', '.join(get_args(GroupBy))}, not {by}", 2)
    language_of(lang)
    if filed is not None and due is not None:
        fail("--filed and --due are two cohorts; choose one", 2)
    with opened(config_path, ledger_path) as (ledger, view):
        policy = policy_in_force(ledger)
        if policy is None:
            fail("nothing has been worked through in this ledger yet: `dispatcher run` or `dispatcher replay`")
        try:
            from_ms, to_ms = period(filed or due, policy.timezone)
            as_of_ms = view.latest_ms if as_of is None else _instant(as_of)
        except ValueError as error:
            fail(str(error), 2)
        cohort = Cohort(as_of_ms, "due" if due else "filed", from_ms, to_ms)
        measures = measure(view, cohort, cast("GroupBy | None", by))
    names = _names(policy, by, lang)
    if json:
        sys.stdout.write(measures_json(measures).decode() + "\n")
    elif csv:
        sys.stdout.write(measures_csv(measures, cast("Lang", lang), names))
    else:
        _show(measures, lang, names)


def _instant(text: str) -> int:
    try:
        return datetime_to_ms(datetime.fromisoformat(text))
    except ValueError:
        raise ValueError(f"--as-of takes an instant with its offset, as 2018-10-01T00:00:00Z, not {text}") from None


def period(text: str | None, zone: ZoneInfo) -> tuple[int, int]:
    """A year, month or day, or two of them with `..` between, in the policy's zone: [from, to) in epoch ms.

    Raises:
        ValueError: it is nothing of the kind.
    """
    if text is None:
        return 0, NEVER_MS
    first, _, last = text.partition("..")
    start, end = _span(first)[0], _span(last or first)[1]
    return tuple(datetime_to_ms(day.replace(tzinfo=zone)) for day in (start, end))  # type: ignore[return-value]


def _span(text: str) -> tuple[datetime, datetime]:
    found = re.fullmatch(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?", text)
    if found is None:
        raise ValueError(f"{text} is no period: 2018, 2018-10, 2018-10-05, or two of them with .. between")
    year, month, day = (None if part is None else int(part) for part in found.groups())
    start = datetime(year or 1, month or 1, day or 1)  # noqa: DTZ001 - the caller puts the zone to it
    if month is None:
        return start, start.replace(year=start.year + 1)
    if day is None:
        return start, (start + timedelta(days=32)).replace(day=1)
    return start, start + timedelta(days=1)


def _names(policy: Policy, by: str | None, lang: str) -> dict[str, str]:
    entries: Mapping[str, Department | Category] = {}
    if by == "department":
        entries = policy.departments
    elif by == "category":
        entries = policy.categories
    return {code: (entry.zh if lang == "zh" else entry.en) or code for code, entry in entries.items()}


def _show(measures: Measures, lang: str, names: dict[str, str]) -> None:
    narrow = out.width < FULL_COLUMNS
    made = measures_table(measures, cast("Lang", lang), {} if narrow else names, narrow=narrow)
    cohort = measures.cohort
    bounds = "" if cohort.to_ms >= NEVER_MS else f", {ms_to_text(cohort.from_ms)} .. {ms_to_text(cohort.to_ms)}"
    title = {"en": f"as of {ms_to_text(cohort.as_of_ms)}", "zh": f"截至 {ms_to_text(cohort.as_of_ms)}"}[lang]
    table = Table(title=f"{title} ({cohort.basis}{bounds})")
    for number, heading in enumerate(made.headings):
        table.add_column(heading, justify="left" if number == 0 else "right", overflow="fold")
    for row in made.rows:
        table.add_row(*row)
    table.add_section()
    table.add_row(*made.total, style="bold")
    out.print(table)
