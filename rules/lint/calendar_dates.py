"""W106 and W108: what is over, and what will be soon."""

from collections.abc import Iterator
from datetime import date

from rules.budgets import DAY_MS
from rules.lint.findings import Check, Finding, finding
from rules.policy import Policy

EXPIRING_DAYS = 30
COVERAGE_DAYS = 60
"""Long enough to write the next policy; holidays of a year are announced about two months before it."""


def expiries(policy: Policy, at_ms: int) -> Iterator[Finding]:
    """Yield the rules that have expired on the day of `at_ms`, or will within 30 days."""
    today = date.fromisoformat(policy.local_date(at_ms))
    for rule in (*policy.guards, *policy.routes, *policy.overlays):
        if rule.expires is not None:
            days = (date.fromisoformat(rule.expires) - today).days
            if days <= EXPIRING_DAYS:
                check = Check.EXPIRED if days < 0 else Check.EXPIRING
                place = policy.place("rule", rule.id)
                yield finding(check, place, rules=[rule.id], rule=rule.id, date=rule.expires, days=days)


def coverages(policy: Policy, at_ms: int) -> Iterator[Finding]:
    """Yield the calendars whose holidays are known for less than 60 days from `at_ms` on."""
    for entry in policy.document.sections.calendars:
        until_ms = policy.clock(entry.name).coverage_until_ms
        if until_ms is not None and until_ms - at_ms < COVERAGE_DAYS * DAY_MS:
            place, days = policy.place("calendar", entry.name), max(0, (until_ms - at_ms) // DAY_MS)
            yield finding(Check.COVERAGE, place, calendar=entry.name, date=policy.local_date(until_ms), days=days)
