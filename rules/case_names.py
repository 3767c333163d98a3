"""Names in test files that lead nowhere: looked up in the policy, the file's places, and the engine's words."""

from collections.abc import Container, Iterable, Mapping

from rules.phrases import said
from rules.policy import Policy
from rules.problems import Code, Place, Problems

CENTRE, CITY, NOBODY = "centre", "city", "nobody"
INCIDENT = "incident"  # known only within one test: `case_order` looks these up

Known = dict[str, dict[str, None]]


def known_names(policy: Policy, words: Mapping[str, Iterable[str]], commands: Iterable[str]) -> Known:
    """Every name there is, by kind; `words` are the engine's."""
    sections = policy.document.sections
    known = {kind: dict.fromkeys(names) for kind, names in words.items()} | {
        "department": dict.fromkeys(policy.departments),
        "source": dict.fromkeys(policy.sources),
        "category": dict.fromkeys(policy.categories),
        "mode": dict.fromkeys(policy.modes),
        "level": dict.fromkeys((CITY, *policy.grid_levels)),
        "sla": dict.fromkeys(entry.name for entry in sections.sla),
        "ladder": dict.fromkeys(entry.name for entry in sections.ladders),
        "route": dict.fromkeys(rule.id for rule in policy.routes),
        "overlay": dict.fromkeys(rule.id for rule in policy.overlays),
        "guard": dict.fromkeys(rule.id for rule in policy.guards),
    }
    known["action"] = known["action"] | dict.fromkeys(commands)
    return known


class NameCheck:
    """Reports every name of a test file that is none.

    Args:
        policy: whose names they are.
        known: `known_names`.
        paths: cells the file states.
        cells: cells known beside those.
        problems: where it is reported.
    """

    def __init__(
        self,
        policy: Policy,
        known: Known,
        paths: Mapping[str, tuple[str, ...]],
        cells: Container[str],
        problems: Problems,
    ) -> None:
        self._policy, self._known, self._paths, self._cells = policy, known, paths, cells
        self._problems = problems

    def check(self, kind: str, name: str, place: Place) -> None:
        """Look up one name."""
        special = {
            "party": self._party,
            "actor": self._actor,
            "whose": self._whose,
            "answerer": self._answerer,
            "recipient": self._recipient,
            "rung": self._rung,
            "cell": self._cell,
        }
        if kind in special:
            special[kind](name, place)
        elif kind != INCIDENT and name not in self._known[kind]:
            self._problems.suggest(Code.DANGLING, place, name, self._known[kind], kind=kind, name=name)

    def _party(self, text: str, place: Place, besides: Iterable[str] = ()) -> None:
        code, _, unit = text.partition("@")
        department = self._policy.department(code)
        if department is None:
            known = {**self._known["department"], **dict.fromkeys(besides)}
            self._problems.suggest(Code.DANGLING, place, code, known, kind="department", name=code)
        elif unit and department.units is None:
            why = said("department '{department}' has no units", department=code)
            self._problems.add(Code.UNRESOLVABLE, place, text=text, why=why)
        elif unit:
            self._unit(unit, place)

    def _unit(self, unit: str, place: Place) -> None:
        if unit not in self._policy.grid_levels:
            self._cell(unit, place)

    def _cell(self, code: str, place: Place) -> None:
        if code not in self._paths and code not in self._cells:
            self._problems.suggest(Code.DANGLING, place, code, dict.fromkeys(self._paths), kind="cell", name=code)

    def _actor(self, text: str, place: Place) -> None:
        """A department, the centre, or a role, whose unit is a cell; a person's name is anybody's."""
        named = text.partition(" ")[0]
        code, _, unit = named.partition("@")
        roles = {CENTRE: None, **self._known["role"]}
        if code in self._known["department"] or code not in roles:
            self._party(named, place, roles)
        elif unit:
            self._unit(unit, place)

    def _whose(self, text: str, place: Place) -> None:
        party = text.partition(" of ")[2]
        if party and party != CENTRE:
            self._party(party, place)

    def _answerer(self, text: str, place: Place) -> None:
        if text not in (CENTRE, NOBODY):
            self._party(text, place, (CENTRE, NOBODY))

    def _recipient(self, text: str, place: Place) -> None:
        if text.startswith("cell:"):
            self._cell(text.removeprefix("cell:"), place)
        elif not text.startswith("reporter ") and text not in (CENTRE, CITY):
            self._party(text, place, (CENTRE, CITY))

    def _rung(self, text: str, place: Place) -> None:
        self._recipient(text.partition(" ")[2], place)
