"""A loaded policy: typed, immutable, known by the sha256 of its canonical JSON; everything is looked up here."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from types import MappingProxyType
from typing import TypeVar
from zoneinfo import ZoneInfo

from rules.budgets import ALWAYS, Budget, parse_budget
from rules.calendars import Calendar, Hours
from rules.catalogue import Category, Merge, ancestors, build_category, build_merge
from rules.clock import AlwaysClock, Clock, Opened
from rules.conditions import KEYWORD, normal_text
from rules.keywords import Keywords
from rules.ladders import Ladder
from rules.measures import Measures, build_measures
from rules.model import Document, Fallback
from rules.model_catalogue import Department, Source
from rules.model_clocks import CalendarEntry
from rules.model_rules import Guard, Overlay, Route
from rules.problems import Place, Problem
from rules.promises import Sla, build_ladder, build_sla
from rules.worktime import WorkingClock

T = TypeVar("T")

CITY = "city"
"""The level above the grid's first: departments of the whole city."""
WHISTLE_ATTEND = "1h"
"""Within which whoever a whistle calls must be on site, unless the policy says otherwise."""


@dataclass(frozen=True, eq=False, repr=False)
class Policy:
    """Made by `load_policy` and `load_canonical`; two are equal when their sha256 are.

    `warnings` are the problems that did not refuse the files it was read from, `places` where things are defined there:
    by kind ("rule", "sla", "ladder", "calendar", "category" …), then by name. Canonical JSON gives neither.
    """

    document: Document
    canonical: bytes
    warnings: tuple[Problem, ...] = ()
    places: Mapping[str, Mapping[str, Place]] = field(default_factory=dict)

    def place(self, kind: str, name: str) -> Place | None:
        """Where the files define it; None when the policy was not read from files."""
        return self.places.get(kind, {}).get(name)

    @cached_property
    def sha256(self) -> str:
        """The identity of the policy, in hex."""
        return hashlib.sha256(self.canonical).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Policy) and self.sha256 == other.sha256

    def __repr__(self) -> str:
        return f"<Policy {self.name} {self.version} {self.sha256[:12]}>"

    def __hash__(self) -> int:
        return int(self.sha256[:15], 16)

    @property
    def name(self) -> str:
        """What people call it."""
        return self.document.header.name

    @property
    def version(self) -> str:
        """For people; the identity is `sha256`."""
        return self.document.header.version

    @cached_property
    def timezone(self) -> ZoneInfo:
        """The one zone of the policy."""
        return ZoneInfo(self.document.header.timezone)

    def local_date(self, t_ms: int) -> str:
        """Return the date ("2026-11-22") in the policy's zone."""
        return datetime.fromtimestamp(t_ms // 1000, UTC).astimezone(self.timezone).date().isoformat()

    def midnight_ms(self, day: str) -> int:
        """Return the instant at which a day ("2026-11-22") begins in the policy's zone. Raises ValueError."""
        return Calendar(self.timezone, ()).instant_ms(date.fromisoformat(day))

    @property
    def modes(self) -> tuple[str, ...]:
        """The modes there are, the ordinary one first."""
        return self.document.header.modes

    @property
    def grid_levels(self) -> tuple[str, ...]:
        """Names of the levels 1..n, the widest first."""
        return self.document.header.grid_levels

    def level_number(self, name: str) -> int:
        """Return the number of a level, 1 = the widest, 0 = the city. Raises ValueError for a name there is not."""
        return 0 if name == CITY else self.grid_levels.index(name) + 1

    def level_name(self, number: int) -> str:
        """Return the name of a level by its number. Raises IndexError beyond the grid's last."""
        return self.grid_levels[number - 1] if number else CITY

    @property
    def fallback(self) -> Fallback:
        """Who takes what no route takes."""
        return self.document.header.fallback

    @cached_property
    def requires(self) -> MappingProxyType[str, str]:
        """What the policy needs of things outside, by name."""
        return MappingProxyType({need.name: need.spec for need in self.document.header.requires})

    @property
    def guards(self) -> tuple[Guard, ...]:
        """In the order of the files."""
        return self.document.sections.guards

    @property
    def routes(self) -> tuple[Route, ...]:
        """In the order of the files."""
        return self.document.sections.routes

    @property
    def overlays(self) -> tuple[Overlay, ...]:
        """In the order of the files."""
        return self.document.sections.overlays

    @cached_property
    def departments(self) -> MappingProxyType[str, Department]:
        """By code."""
        return _by(self.document.sections.departments, "code")

    def department(self, code: str) -> Department | None:
        """Look a department up; None when there is none."""
        return self.departments.get(code)

    @cached_property
    def sources(self) -> MappingProxyType[str, Source]:
        """By code."""
        return _by(self.document.sections.sources, "code")

    def source(self, code: str) -> Source | None:
        """Look a source up; None when there is none."""
        return self.sources.get(code)

    @cached_property
    def categories(self) -> MappingProxyType[str, Category]:
        """By code, with everything inherited filled in."""
        entries = {entry.code: entry for entry in self.document.sections.categories}
        return MappingProxyType({code: build_category(entries, code) for code in entries})

    def category(self, code: str | None) -> Category | None:
        """Return the category with everything it inherits; None for a code the catalogue does not have."""
        return self.categories.get(code) if code is not None else None

    @cached_property
    def _aliases(self) -> dict[str, str]:
        return {alias_key(alias): entry.code for entry in self.document.sections.categories for alias in entry.aliases}

    def resolve_category(self, text: str) -> str | None:
        """Return the code `text` is, or is an alias of (case and width make no difference); None when neither."""
        return text if text in self.categories else self._aliases.get(alias_key(text))

    @cached_property
    def _keywords(self) -> Keywords:
        rules = (*self.guards, *self.routes, *self.overlays)
        conditions = [part for rule in rules for part in (*rule.when.require, *rule.when.exclude)]
        words = [word for part in conditions if part.key == KEYWORD for word in part.values]
        return Keywords(tuple(word for word in words if isinstance(word, str)))

    @property
    def keywords(self) -> tuple[str, ...]:
        """Every literal `text.any` of the rules, normalised and sorted."""
        return self._keywords.words

    def keywords_in(self, text: str) -> tuple[str, ...]:
        """Those of `keywords` that occur in a text, overlapping ones too, sorted."""
        return self._keywords.find(text)

    @cached_property
    def _slas(self) -> dict[str, Sla]:
        return {entry.name: build_sla(entry) for entry in self.document.sections.sla}

    def sla(self, name: str) -> Sla:
        """Build it. Raises KeyError for a name the policy does not have; decisions only name those it has."""
        return self._slas[name]

    @cached_property
    def _ladders(self) -> dict[str, Ladder]:
        entries = {entry.name: entry for entry in self.document.sections.ladders}
        return {name: build_ladder(entry, entries) for name, entry in entries.items()}

    def ladder(self, name: str) -> Ladder:
        """Build it. Raises KeyError for a name the policy does not have."""
        return self._ladders[name]

    @cached_property
    def _merges(self) -> dict[str, Merge]:
        return {rule.category: build_merge(rule) for rule in self.document.sections.merge}

    @cached_property
    def _merge_of(self) -> dict[str, Merge | None]:
        return {code: self._nearest_merge(code) for code in self.categories}

    def merge_rule(self, category: str | None) -> Merge | None:
        """Return the merge rule of the category or its nearest ancestor that has one."""
        if category is None or category in self._merge_of:
            return self._merge_of.get(category or "")
        return self._nearest_merge(category)  # of a policy that was in force before

    def _nearest_merge(self, category: str) -> Merge | None:
        return next((self._merges[code] for code in ancestors(category) if code in self._merges), None)

    @cached_property
    def _reasons(self) -> dict[str, Mapping[str, tuple[str, str]]]:
        kinds = self.document.header.reasons
        return {
            kind.kind: MappingProxyType({reason.code: (reason.zh, reason.en) for reason in kind.codes})
            for kind in kinds
        }

    def reason(self, kind: str, code: str) -> tuple[str, str] | None:
        """Return the words (zh, en) of a reason code; None when the policy does not know it."""
        return self._reasons.get(kind, {}).get(code)

    def reasons_of(self, kind: str) -> Mapping[str, tuple[str, str]]:
        """Return what people choose from for a kind of `REASON_KINDS`: words (zh, en) by code; empty when nothing."""
        return self._reasons.get(kind, MappingProxyType({}))

    @cached_property
    def measures(self) -> Measures:
        """How departments and areas are compared."""
        return build_measures(self.document.measures)

    @cached_property
    def whistle_attend(self) -> Budget:
        """Within which whoever a whistle calls must be on site, when no overlay says it of them."""
        attend = self.document.header.whistle_attend
        return parse_budget(attend.within, attend.calendar) if attend else parse_budget(WHISTLE_ATTEND)

    @cached_property
    def _clocks(self) -> dict[str, Clock]:
        clocks: dict[str, Clock] = {ALWAYS: AlwaysClock()}
        for entry in self.document.sections.calendars:
            clocks[entry.name] = WorkingClock(
                entry.name, build_calendar(entry, self.timezone), entry.hours_per_working_day
            )
        return clocks

    def clock(self, name: str) -> Clock:
        """Return a calendar's clock; `always` is built in. Raises KeyError for a name the policy does not have."""
        return self._clocks[name]

    def has_clock(self, name: str) -> bool:
        """Whether the policy has a calendar of that name; `always` it has."""
        return name in self._clocks

    def open(self, budget: Budget, at_ms: int) -> Opened:
        """Start a budget on the clock it runs on."""
        return self._clocks[budget.clock].open(budget, at_ms)

    def extend_promised_max(self, source: str) -> Budget | None:
        """How far a source's `promised_at` may extend deadlines; None when it may not."""
        entry = self.source(source)
        return parse_budget(entry.extend_promised.max) if entry and entry.extend_promised else None


def build_calendar(entry: CalendarEntry, zone: ZoneInfo) -> Calendar:
    """Return a calendar from what is written and the day table embedded beside it."""
    hours = tuple(Hours(part.day, part.windows) for part in entry.hours)
    overrides = tuple((part.date, part.day) for part in entry.overrides)
    return Calendar(zone, hours, overrides, entry.table, entry.seasons)


def alias_key(text: str) -> str:
    """Aliases are compared by this."""
    return normal_text(text).strip()


def is_people(source: Source) -> bool:
    """Whether people speak here, whose reports are never rejected for place or category."""
    return source.platform == "people" if source.people is None else source.people


def needs_verification(source: Source, confidence: float | None) -> bool:
    """Whether a report must be verified before it is filed."""
    below = source.verify.below_confidence
    return source.verify.always or (below is not None and (confidence is None or confidence < below))


def _by(entries: Iterable[T], field: str) -> MappingProxyType[str, T]:
    return MappingProxyType({getattr(entry, field): entry for entry in entries})
