"""What a backtest comes to: how many cases change, by rule, by department and by area. Sums only, filled as it runs."""

from collections import Counter
from typing import Any

from dispatcher.policies.backtest import Case, rule_of
from rules import Decision

__all__ = ["Sums"]


class Sums:
    """Counts over cases.

    An incident counts once, by its first decision. Later ones (merges, overrides) count in `later_changed`, and in
    `only_later` the incidents of which nothing but a later decision changes. Memory: a few counters, and the ids of
    incidents that change.
    """

    def __init__(self) -> None:
        self.verdicts: Counter[str] = Counter()  # of first decisions
        self.aspects: Counter[str] = Counter()
        self.rules: Counter[tuple[str, str]] = Counter()  # (from, to) of cases that change
        self.leads: Counter[tuple[str, str]] = Counter()  # (department, "lost" or "gained")
        self.supports: Counter[tuple[str, str]] = Counter()
        self.areas: Counter[tuple[str, str]] = Counter()  # (area, verdict)
        self.later_changed = 0
        self._first: set[str] = set()
        self._only_later: set[str] = set()

    def add(self, case: Case) -> None:
        """Count one more case."""
        changes = case.verdict in ("changed", "rejected")
        if case.seq > 1:
            self.later_changed += changes
            if changes and case.incident_id not in self._first:
                self._only_later.add(case.incident_id)
            return
        self.verdicts[case.verdict] += 1
        self.areas[case.area, case.verdict] += 1
        if not changes:
            return
        self._first.add(case.incident_id)
        self.aspects.update(case.aspects)
        self.rules[rule_of(case.before), rule_of(case.after)] += 1
        self._departments(case.before, case.after)

    def _departments(self, before: Decision, after: Decision | None) -> None:
        lead = "" if after is None else after.lead.department
        if before.lead.department != lead:
            self.leads[before.lead.department, "lost"] += 1
            if lead:
                self.leads[lead, "gained"] += 1
        old = {plan.department for plan in before.support}
        new = set() if after is None else {plan.department for plan in after.support}
        self.supports.update((code, "lost") for code in old - new)
        self.supports.update((code, "gained") for code in new - old)

    @property
    def decided(self) -> int:
        """Incidents looked at."""
        return self.verdicts.total()

    @property
    def changed(self) -> int:
        """Incidents whose first decision changes, those that would be rejected among them."""
        return self.verdicts["changed"] + self.verdicts["rejected"]

    @property
    def undecidable(self) -> int:
        """Incidents that might change, depending on words nobody looked for; those not examined among them."""
        return self.verdicts["undecidable"] + self.verdicts["unexamined"]

    @property
    def only_later(self) -> int:
        """Incidents whose first decision stays and a later one changes."""
        return len(self._only_later)

    def by_department(self) -> list[tuple[str, int, int, int, int]]:
        """(department, leads lost, gained, supports lost, gained), those with most changes first."""
        codes = {code for code, _ in (*self.leads, *self.supports)}
        rows = [
            (code, self.leads[code, "lost"], self.leads[code, "gained"], self.supports[code, "lost"],
             self.supports[code, "gained"])
            for code in codes
        ]  # fmt: skip
        return sorted(rows, key=lambda row: (-sum(row[1:]), row[0]))

    def by_area(self) -> list[tuple[str, int, int, int]]:
        """(area, incidents, changed, undecidable) by area; the empty one is incidents without a place."""
        count = self.areas
        return [
            (
                area,
                sum(n for (name, _), n in count.items() if name == area),
                count[area, "changed"] + count[area, "rejected"],
                count[area, "undecidable"] + count[area, "unexamined"],
            )
            for area in sorted({area for area, _ in count})
        ]

    def as_json(self) -> dict[str, Any]:
        """All of it, codes only."""
        return {
            "incidents": self.decided,
            "changed": self.changed,
            "undecidable": self.undecidable,
            "verdicts": dict(self.verdicts),
            "later_changed": self.later_changed,
            "only_later": self.only_later,
            "aspects": dict(self.aspects),
            "rules": [{"from": old, "to": new, "incidents": n} for (old, new), n in self.rules.most_common()],
            "departments": [
                dict(
                    zip(("department", "lead_lost", "lead_gained", "support_lost", "support_gained"), row, strict=True)
                )
                for row in self.by_department()
            ],
            "areas": [
                dict(zip(("area", "incidents", "changed", "undecidable"), row, strict=True)) for row in self.by_area()
            ],
        }
