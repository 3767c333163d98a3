"""Instants that stand for all others: one for each state in which calendars and dated rules can be together.

What is open on a day depends on its windows and on those of the day before, which may cross midnight; what is in
force, on the dates. So days alike in all that are looked at once, window edge by window edge.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from rules.budgets import ALWAYS
from rules.calendars import Calendar
from rules.facts import Facts
from rules.match import in_force
from rules.model_clocks import CalendarEntry
from rules.model_rules import Rule
from rules.policy import Policy, build_calendar

CYCLE, SEASONS_CYCLE = timedelta(days=400), timedelta(days=28 * 366)
"""After the last dated thing, nothing new comes once a whole year with its weeks has passed; where calendars have
seasons, once every date has fallen on every day of the week."""

LAST_DAY = date(2199, 12, 31)
"""Dates of a policy lie before (`shapes.DateText`)."""


def instants(policies: Sequence[Policy], from_ms: int) -> tuple[int, ...]:
    """Return epoch ms from the day of `from_ms` on, each with its own calendars open or rules in force.

    Of several policies: each with its own of one of them. Days are those of the first one's zone.
    """
    named = [(policy, entry) for policy in policies for entry in _asked(policy)]
    dated = [(policy, rule) for policy in policies for rule in _dated(policy)]
    if not named and not dated:
        return (from_ms,)
    found: dict[tuple[bool, ...], int] = {}
    for at_ms in _edges(policies[0], from_ms, named, dated):
        facts = Facts(None, 4, "", (), "", "", at_ms)
        state = (
            *(policy.clock(entry.name).contains(at_ms) for policy, entry in named),
            *(in_force(policy, rule, facts) for policy, rule in dated),
        )
        found.setdefault(state, at_ms)
    return tuple(found.values())


def _asked(policy: Policy) -> list[CalendarEntry]:
    """The calendars that rules ask for."""
    rules = (*policy.guards, *policy.routes, *policy.overlays)
    parts = [part for rule in rules for part in (*rule.when.require, *rule.when.exclude) if part.key == "calendar"]
    names = {value for part in parts for value in part.values if value != ALWAYS}
    return [entry for entry in policy.document.sections.calendars if entry.name in names]


def _dated(policy: Policy) -> list[Rule]:
    """One rule for each pair of dates."""
    rules = (*policy.guards, *policy.routes, *policy.overlays)
    return list({(rule.valid_from, rule.expires): rule for rule in rules if rule.valid_from or rule.expires}.values())


def _edges(
    first: Policy, from_ms: int, named: list[tuple[Policy, CalendarEntry]], dated: list[tuple[Policy, Rule]]
) -> Iterator[int]:
    """Every instant of the days worth looking at when something opens or closes, and their midnights."""
    calendars = [build_calendar(entry, policy.timezone) for policy, entry in named]
    changes = [(change, Calendar(policy.timezone, ())) for policy, rule in dated for change in _changes(rule)]
    edges = sorted(calendar.instant_ms(change) for change, calendar in changes)
    known = [date.fromisoformat(part.date) for _, entry in named for part in entry.overrides]
    known += [date(entry.table.last_year, 12, 31) for _, entry in named if entry.table]
    zone = Calendar(first.timezone, ())
    day = zone.local_date(from_ms)
    cycle = SEASONS_CYCLE if any(entry.seasons for _, entry in named) else CYCLE
    last = min(max([day, *known, *(change for change, _ in changes)]) + cycle, LAST_DAY)
    around = [[calendar.spans(day + timedelta(days)) for calendar in calendars] for days in (-1, 0)]
    midnight_ms = zone.instant_ms(day)
    yield from (edge for edge in edges if edge >= midnight_ms)
    seen: set[object] = set()
    while day <= last:
        day += timedelta(1)
        next_ms = zone.instant_ms(day)
        around.append([calendar.spans(day) for calendar in calendars])  # of another zone it may reach into this day
        spans = [tuple(edge - midnight_ms for span in part for edge in span) for each in around for part in each]
        alike = (sum(edge <= midnight_ms for edge in edges), next_ms - midnight_ms, *spans)
        if alike not in seen:
            seen.add(alike)
            inside = {edge for part in spans for edge in part if 0 <= edge < next_ms - midnight_ms}
            yield from sorted(midnight_ms + edge for edge in {0} | inside)
        midnight_ms, around = next_ms, around[1:]


def _changes(rule: Rule) -> Iterator[date]:
    """The days from which on a rule is in force, or no more."""
    if rule.valid_from:
        yield date.fromisoformat(rule.valid_from)
    if rule.expires:
        yield date.fromisoformat(rule.expires) + timedelta(1)
