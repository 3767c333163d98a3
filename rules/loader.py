"""From files to a `Policy`, or to every problem they have.

Pure: a mapping of paths (relative to the policy's directory) to bytes goes in; the holiday provider is asked once, and
what it says becomes part of the policy. `load_canonical` needs neither YAML nor the provider.

Limits: 8 MiB per file (`yaml_nodes`), 24 levels of nesting, 1,000 files, 20,000 rules, 1,000 problems shown.
"""

from collections.abc import Mapping as Files
from fnmatch import fnmatchcase
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import orjson

from rules.budgets import ALWAYS
from rules.calendars import expand_days
from rules.checks import (
    BUILT_IN,
    BudgetCheck,
    Names,
    check_calendars,
    check_catalogue,
    check_measures,
    check_references,
    check_requirements,
    check_rules,
)
from rules.conditions import read_when
from rules.csv_tables import read_table
from rules.ladder_checks import check_ladders
from rules.measures import MeasuresEntry
from rules.model import Document, Header, Sections
from rules.model_clocks import CalendarEntry
from rules.model_rules import When
from rules.phrases import said
from rules.policy import CITY, Policy
from rules.problems import Code, Hint, Place, PolicyError, Problems
from rules.readers import MISSING, Reading, read_entry, reader_for
from rules.yaml_nodes import Mapping, Node, Scalar, Sequence, describe, read_nodes

POLICY_FILE = "policy.yaml"
FORMAT = 1
"""Of the canonical form. A policy of another number is refused by name, not misread."""

MAX_FILES = 1000
MAX_RULES = 20_000
"""The index keeps one bit per rule and value: twice the largest policy measured."""

_KINDS = {
    "departments": "department",
    "categories": "category",
    "sources": "source",
    "calendars": "calendar",
    "sla": "sla",
    "ladders": "ladder",
    "merge": "merge rule",
    "guards": "rule",
    "routes": "rule",
    "overlays": "rule",
}
_SECTIONS = {field.name: reader_for(field.type) for field in msgspec.structs.fields(Sections)}
_MEASURES = "measures"
"""The one section that is no collection of things with names: it may be given once, in any file."""
_ANYWHERE = (*_SECTIONS, _MEASURES)
_HEADER = tuple(field.name for field in msgspec.structs.fields(Header))


def load_policy(files: Files[str, bytes]) -> Policy:
    """Read a policy directory. Raises `PolicyError` with every problem at once."""
    return _Load(files).run()


def load_canonical(canonical: bytes) -> Policy:
    """Return the policy that has this canonical form, with the same sha256. Raises `PolicyError`."""
    problems = Problems()
    place = Place("canonical")
    try:
        document = msgspec.convert(orjson.loads(canonical), Document)
        policy = Policy(document, canonical)
        if document.format != FORMAT:
            problems.add(
                Code.BAD_CANONICAL,
                place,
                why=said("its format is {found}, this program reads {known}", found=document.format, known=FORMAT),
            )
        elif _encode(document) != canonical:
            problems.add(Code.BAD_CANONICAL, place, why="keys are not sorted, or values not in normal form")
    except (ValueError, msgspec.ValidationError) as error:
        problems.add(Code.BAD_CANONICAL, place, why=str(error))
        raise PolicyError(tuple(problems)) from error
    problems.raise_if_any()
    return policy


def _encode(document: Document) -> bytes:
    return orjson.dumps(msgspec.to_builtins(document), option=orjson.OPT_SORT_KEYS)


class _Load:
    def __init__(self, files: Files[str, bytes]) -> None:
        self.files = files
        self.problems = Problems()
        self.reading = Reading(self.problems, {When: read_when})
        self.names = Names({"calendar": {ALWAYS: BUILT_IN}, "level": {CITY: BUILT_IN}})
        self.found: dict[str, list[Any]] = {name: [] for name in _SECTIONS}
        self.measures: list[MeasuresEntry | None] = []  # None for one that can't be read

    def run(self) -> Policy:
        if POLICY_FILE not in self.files:
            self.problems.add(Code.NO_POLICY_FILE, Place(POLICY_FILE))
        if len(self.files) > MAX_FILES:
            self.problems.add(Code.TOO_LARGE, Place(POLICY_FILE), what="the number of files", limit=MAX_FILES)
        self.problems.raise_if_any()
        root = self._root(POLICY_FILE)
        header = self._header(root)
        for file in self._included(root):
            self._sections(self._root(file))
        levels = self._define_listed(root)
        sections = self._gathered()
        zone = self._zone(header)
        check_catalogue(sections, self.reading)
        check_calendars(sections, self.reading, zone)
        measures = self.measures[0] if self.measures else None
        check_measures(measures, self.reading)
        BudgetCheck(header, sections, measures, self.reading).run()
        check_rules(sections, self.reading)
        if header is not None:
            check_requirements(header, self.reading)
        check_ladders(sections, header.fallback if header else None, levels, self.reading)
        check_references(self.reading, self.names, sections)
        self.problems.raise_if_any()
        if header is None:
            raise AssertionError("a header that can't be read has been reported")
        document = Document(FORMAT, header, sections, measures)
        return Policy(document, _encode(document), self.problems.warnings, self.names.by_kind)

    def _root(self, file: str) -> Mapping | None:
        reader = read_table if file.endswith(".csv") else read_nodes
        before = len(self.problems)
        node = reader(file, self.files[file], self.problems)
        if isinstance(node, Mapping):
            return node
        if node is not None or len(self.problems) == before:
            place = node.place if node else Place(file)
            found = describe(node) if node else "nothing"
            self.problems.add(Code.WRONG_TYPE, place, expected="a mapping", found=found)
        return None

    def _header(self, root: Mapping | None) -> Header | None:
        if root is None:
            return None
        own, other = Mapping(root.place), Mapping(root.place)
        for name in root.keys:
            part = other if name in _ANYWHERE else own
            part.keys[name], part.values[name] = root.keys[name], root.values[name]
        self._sections(other)
        header = read_entry(Header, own, self.reading)
        return None if header is MISSING else header

    def _included(self, root: Mapping | None) -> list[str]:
        """Files in the order of the patterns, within one by name; a policy that can't be read includes them all."""
        candidates = sorted(file for file in self.files if file.endswith((".yaml", ".yml", ".csv")))
        candidates = [file for file in candidates if file != POLICY_FILE and not file.startswith("tests/")]
        node = root.values.get("include") if root else None
        if not isinstance(node, Sequence):
            return candidates
        included: dict[str, None] = {}
        for item in node.items:
            pattern = item.text if isinstance(item, Scalar) else ""
            matching = [file for file in sorted(self.files) if file != POLICY_FILE and _matches(file, pattern)]
            if not matching:
                self.problems.add(Code.MATCHES_NOTHING, item.place, pattern=pattern)
            included.update(dict.fromkeys(matching))
        for file in candidates:
            if file not in included:
                self.problems.add(Code.NOT_INCLUDED, Place(file))
        return list(included)

    def _sections(self, root: Mapping | None) -> None:
        for name, node in root.values.items() if root else ():
            place = root.keys[name].place if root else node.place
            if name == _MEASURES:
                self._measure(node, place)
                continue
            if name not in _SECTIONS:
                if name in _HEADER:
                    where = "a file other than policy.yaml"
                    self.problems.add(Code.UNKNOWN_KEY, place, Hint.MOVE, key=name, where=where)
                else:
                    known = dict.fromkeys(_ANYWHERE)
                    self.problems.suggest(Code.UNKNOWN_KEY, place, name, known, key=name, where="a policy file")
                continue
            self._define(name, node)
            entries = _SECTIONS[name](node, self.reading)
            if entries is not MISSING:
                self.found[name] += entries

    def _measure(self, node: Node, place: Place) -> None:
        if self.measures:
            self.problems.add(Code.DUPLICATE_KEY, place, key=_MEASURES)
        entry = self.reading.read(MeasuresEntry, node)
        self.measures.append(None if entry is MISSING else entry)

    def _define(self, section: str, node: Node) -> None:
        """Note the names a section defines, readable or not."""
        kind = _KINDS[section]
        if isinstance(node, Mapping):
            for name, key in node.keys.items():
                self.names.define(kind, name, key.place, self.problems)
            for category in node.values.values() if section == "categories" else ():
                standards = category.values.get("standards") if isinstance(category, Mapping) else None
                for name, key in standards.keys.items() if isinstance(standards, Mapping) else ():
                    self.names.by_kind.setdefault("standard", {}).setdefault(name, key.place)
        for item in node.items if isinstance(node, Sequence) else ():
            name_node = item.values.get("id") if isinstance(item, Mapping) else None
            if isinstance(name_node, Scalar):
                self.names.define(kind, name_node.text, name_node.place, self.problems)

    def _gathered(self) -> Sections:
        for source in self.found["sources"]:
            self.names.by_kind.setdefault("platform", {}).setdefault(source.platform, self.reading.place(source))
        self.found["calendars"] = [self._with_days(entry) for entry in self.found["calendars"]]
        if sum(len(self.found[name]) for name in ("guards", "routes", "overlays")) > MAX_RULES:
            self.problems.add(Code.TOO_LARGE, Place(POLICY_FILE), what="the number of rules", limit=MAX_RULES)
        return Sections(**{name: tuple(entries) for name, entries in self.found.items()})

    def _with_days(self, entry: CalendarEntry) -> CalendarEntry:
        if entry.days is None:
            return entry
        try:
            table = expand_days(entry.days.country, entry.days.region)
        except ValueError:
            country = f"{entry.days.country} {entry.days.region or ''}".strip()
            self.problems.add(Code.UNKNOWN_PROVIDER, self.reading.place(entry, "days"), country=country)
            return entry
        complete = msgspec.structs.replace(entry, table=table)
        self.reading.remember_like(complete, entry)
        return complete

    def _zone(self, header: Header | None) -> ZoneInfo:
        return ZoneInfo(header.timezone if header else "UTC")

    def _define_listed(self, root: Mapping | None) -> int:
        """Define the names that policy.yaml lists; gives the number of grid levels, 0 when they can't be read."""
        reasons = root.values.get("reasons") if root else None
        whistles = reasons.values.get("whistle") if isinstance(reasons, Mapping) else None
        for key in whistles.keys.values() if isinstance(whistles, Mapping) else ():
            self.names.define("whistle", key.text, key.place, self.problems)
        count = 0
        for kind, field in (("mode", "modes"), ("level", "grid_levels")):
            node = root.values.get(field) if root else None
            names = [item for item in node.items if isinstance(item, Scalar)] if isinstance(node, Sequence) else []
            for name in names:
                self.names.define(kind, name.text, name.place, self.problems)
            count = len(names)
        return count


def _matches(file: str, pattern: str) -> bool:
    """Whether a path fits a glob; `*` stays inside one segment."""
    parts, patterns = file.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))
