"""What only the whole policy shows: names that lead nowhere, budgets without a calendar, loops, ladders without an end.

Everything here reports and goes on. `Names` is what the files define, whether or not each definition was readable,
so that one broken entry does not make every mention of it an error too.
"""

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from rules.budgets import ALWAYS, parse_budget
from rules.catalogue import ancestors
from rules.entries import Entry
from rules.measures import MeasuresEntry
from rules.model import Header, Sections
from rules.model_catalogue import Department
from rules.model_clocks import CalendarEntry, LadderEntry, SlaEntry
from rules.model_rules import Attend, Overlay, Rule
from rules.phrases import Phrase, said
from rules.policy import CITY, alias_key, build_calendar
from rules.problems import Code, Hint, Place, Problems
from rules.readers import Reading
from rules.requirements import KNOWN, parse_requirement
from rules.shapes import STANDARD

BUILT_IN = Place("built in")
"""Where the names that every policy has are defined."""


@dataclass
class Names:
    """Everything that can be referred to, by kind, with the place of its definition."""

    by_kind: dict[str, dict[str, Place]] = field(default_factory=dict)

    def define(self, kind: str, name: str, place: Place, problems: Problems) -> None:
        """Note a definition; a second one of the same name is a problem."""
        known = self.by_kind.setdefault(kind, {})
        if name in known:
            problems.add(Code.DUPLICATE_ID, place, kind=kind, name=name, first=known[name])
        else:
            known[name] = place

    def of(self, kind: str) -> dict[str, Place]:
        """Give what is defined of a kind."""
        return self.by_kind.get(kind, {})


def check_references(reading: Reading, names: Names, sections: Sections) -> None:
    """Every name used is defined; `dept@level` has a level and a department with an office there."""
    departments = {entry.code: entry for entry in sections.departments}
    prefixes = {prefix: place for code, place in names.of("category").items() for prefix in ancestors(code)}
    for kind, name, place in reading.refs:
        if kind == "target":
            _check_target(name, place, reading.problems, names, departments)
            continue
        known = prefixes if kind == "category" else names.of(kind)
        # modes and levels are missing when the header can't be read; whistles need not be listed at all
        unlisted = kind in {"mode", "level", "whistle"} and not known.keys() - {CITY}
        if name not in known and not unlisted:
            reading.problems.suggest(Code.DANGLING, place, name, known, kind=kind, name=name)


def _check_target(
    text: str, place: Place, problems: Problems, names: Names, departments: dict[str, Department]
) -> None:
    code, _, level = text.partition("@")
    if code not in names.of("department"):
        problems.suggest(Code.DANGLING, place, code, names.of("department"), kind="department", name=code)
    levels = {name: spot for name, spot in names.of("level").items() if name != CITY}
    if not level or not levels:
        return
    if level not in levels:
        why = said("the grid has no level '{level}'", level=level)
        problems.suggest(Code.UNRESOLVABLE, place, level, levels, text=text, why=why)
    elif code in departments and departments[code].units is None:
        why = said("department '{department}' has no units", department=code)
        problems.add(Code.UNRESOLVABLE, place, text=text, why=why)


def check_catalogue(sections: Sections, reading: Reading) -> None:
    """Aliases mean one category; merge rules say what is near."""
    taken = {alias_key(entry.code): entry.code for entry in sections.categories}
    for entry in sections.categories:
        for alias in entry.aliases:
            owner = taken.setdefault(alias_key(alias), entry.code)
            if owner != entry.code or entry.aliases.count(alias) > 1:
                reading.problems.add(Code.DUPLICATE_ALIAS, reading.place(entry, "aliases"), alias=alias, category=owner)
    for rule in sections.merge:
        near = rule.radius_m is not None and rule.gap is not None
        if rule.same is None and not near and not reading.is_damaged(rule):
            key = said("radius_m and gap, or same")
            reading.problems.add(Code.MISSING_KEY, reading.place(rule), key=key, where="merge rule")


def check_requirements(header: Header, reading: Reading) -> None:
    """What is required is something that can be, and says of which version."""
    for need in header.requires:
        if need.name not in KNOWN:
            known = dict.fromkeys(KNOWN)
            place = reading.place(need)
            reading.problems.suggest(Code.UNKNOWN_KEY, place, need.name, known, key=need.name, where="requires")
        try:
            parse_requirement(need.spec)
        except ValueError:
            expected = 'a requirement such as ">=2026.10,<2027"'
            reading.problems.add(Code.BAD_VALUE, reading.place(need, "spec"), text=need.spec, expected=expected)


def check_measures(entry: MeasuresEntry | None, reading: Reading) -> None:
    """Something is weighed."""
    if entry is not None and not entry.weights and not reading.is_damaged(entry):
        expected = "a mapping of at least one measure to its weight"
        reading.problems.add(Code.BAD_VALUE, reading.place(entry, "weights"), text="{}", expected=expected)


def check_calendars(sections: Sections, reading: Reading, zone: ZoneInfo) -> None:
    """Each calendar opens in ordinary weeks: a clock that never runs would never be due."""
    for entry in sections.calendars:
        if not reading.is_damaged(entry) and not build_calendar(entry, zone).is_ever_open:
            reading.problems.add(Code.NEVER_OPEN, reading.place(entry, "hours"), name=entry.name)


class BudgetCheck:
    """Working units need a calendar that is not `always`, has hours, and for `wd` says how long a working day is."""

    def __init__(
        self, header: Header | None, sections: Sections, measures: MeasuresEntry | None, reading: Reading
    ) -> None:
        self.header = header
        self.sections = sections
        self.measures = measures
        self.reading = reading
        self.calendars = {entry.name: entry for entry in sections.calendars}
        self.standards = [standard for category in sections.categories for standard in category.standards or ()]

    def run(self) -> None:
        """Check every budget of the policy."""
        if self.header is not None and self.header.whistle_attend:
            self._attend(self.header.whistle_attend)
        if self.measures is not None:
            self._fits_always(self.measures, "came_back", self.measures.came_back)
        for standard in self.standards:
            if standard.calendar is not None:
                self._fits(standard, "limit", standard.limit, standard.calendar)
        for sla in self.sections.sla:
            self._sla(sla)
        for ladder in self.sections.ladders:
            self._ladder(ladder)
        for overlay in self.sections.overlays:
            for support in overlay.support:
                if support.attend:
                    self._attend(support.attend)
            for target in overlay.targets:
                self._fits(target, "within", target.within, target.calendar)
        for rule in self.sections.merge:
            self._fits_always(rule, "gap", rule.gap)
            self._fits_always(rule, "life", rule.life)
        for source in self.sections.sources:
            if source.extend_promised:
                self._fits_always(source.extend_promised, "max", source.extend_promised.max)

    def _attend(self, attend: Attend) -> None:
        self._fits(attend, "within", attend.within, attend.calendar)

    def _sla(self, sla: SlaEntry) -> None:
        for name in ("return_within", "verify_within"):
            self._fits(sla, name, getattr(sla, name), sla.calendar)
        if sla.reopen:
            self._fits(sla.reopen, "within", sla.reopen.within, sla.calendar)
        if sla.hold:
            self._fits(sla.hold, "max", sla.hold.max, sla.calendar)
        for target in sla.targets:
            self._fits(target, "default", target.default, sla.calendar)
            if target.within != STANDARD:
                self._fits(target, "within", target.within, sla.calendar)
                continue
            # whichever category is filed, its limit will run in this calendar unless it has its own
            for standard in self.standards:
                if standard.calendar is None:
                    self._fits(standard, "limit", standard.limit, sla.calendar, sla.name)

    def _ladder(self, ladder: LadderEntry) -> None:
        self._fits(ladder, "acknowledge_timeout", ladder.acknowledge_timeout, ladder.calendar)
        if ladder.repeat:
            self._fits(ladder.repeat, "every", ladder.repeat.every, ladder.calendar)
        for step in ladder.steps:
            self._fits(step, "after", step.after, ladder.calendar)

    def _fits_always(self, entry: Entry, field: str, text: str | None) -> None:
        """Check a budget for which no calendar can be given."""
        if text is not None and parse_budget(text).is_working:
            place, why = self.reading.place(entry, field), "no calendar can be given here"
            self.reading.problems.add(Code.NO_CALENDAR, place, Hint.ALWAYS_UNITS, text=text, why=why)

    def _fits(self, entry: Entry, field: str, text: str | None, name: str | None, sla: str | None = None) -> None:
        """Check a budget against the calendar it runs in; `sla` = the one that lends its calendar to it."""
        if text is None:
            return
        budget = parse_budget(text)
        objection = self._objection(budget.unit, name) if budget.is_working else None
        if objection is not None:
            why, hint = objection
            if sla is not None:
                why = said("{why} in sla '{sla}'", why=why, sla=sla)
            self.reading.problems.add(Code.NO_CALENDAR, self.reading.place(entry, field), hint, text=text, why=why)

    def _objection(self, unit: str, name: str | None) -> tuple[Phrase, Hint] | None:
        if name is None:
            return said("no calendar is given"), Hint.CALENDAR
        if name == ALWAYS:
            return said("'always' has no working hours"), Hint.WORKING_CALENDAR
        calendar: CalendarEntry | None = self.calendars.get(name)
        if calendar is None:
            return None  # reported as a dangling name
        if unit == "wd" and calendar.hours_per_working_day is None:
            return said("calendar '{name}' has no hours_per_working_day", name=name), Hint.HOURS
        if unit == "wd_end" and not build_calendar(calendar, ZoneInfo("UTC")).has_workday_hours:
            return said("calendar '{name}' is closed on workdays", name=name), Hint.WORKING_CALENDAR
        return None


def check_rules(sections: Sections, reading: Reading) -> None:
    """Return the strata hold and the dates are in order."""
    rules: tuple[Rule, ...] = (*sections.guards, *sections.routes, *sections.overlays)
    for rule in rules:
        if rule.valid_from and rule.expires and rule.expires < rule.valid_from:
            place = reading.place(rule, "expires")
            reading.problems.add(Code.BAD_DATES, place, expires=rule.expires, valid_from=rule.valid_from)
    for overlay in sections.overlays:
        _check_strata(overlay, reading)


def _check_strata(overlay: Overlay, reading: Reading) -> None:
    tested = {condition.key for condition in (*overlay.when.require, *overlay.when.exclude)}
    forbidden = [key for key in ("severity", "tags") if key in tested and (overlay.severity or key == "tags")]
    sets = "severity" if overlay.severity else "tags" if overlay.tags else ""
    if sets and forbidden:
        place, tests = reading.place(overlay, "when"), " and ".join(forbidden)
        reading.problems.add(Code.STRATA, place, name=overlay.id, sets=sets, tests=tests)
