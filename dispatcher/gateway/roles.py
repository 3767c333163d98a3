"""Who may be here, and what of the city they have to do with: roles with area scope.

A **role** is a word, or a word with what it is bound to: `department:<code>`, `street:<cell>`, `officer:<cell>`. A
role of the whole centre (`dispatcher`, `analyst` …) reaches as far as the person's areas; a bound one no further than
what it is bound to, and the areas narrow that too. Nobody reaches anything by default.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from dispatcher.core.incident import party
from dispatcher.core.messages import Actor
from dispatcher.views import Reach

__all__ = ["BOUND", "CENTRE", "CITY", "Person", "RoleError", "parse_role"]

CITY: Final = "*"  # the area that is the whole city
BOUND: Final = {"department": "a department's code", "street": "a cell", "officer": "a cell"}
CENTRE: Final = frozenset(
    {
        "acceptor", "dispatcher", "checker", "callback", "shift_lead", "supervisor", "policy_editor", "policy_approver",
        "analyst", "inspector", "admin",
    }
)  # fmt: skip
READING: Final = CENTRE - {"policy_editor", "policy_approver", "admin"}  # centre roles that look at incidents
ALL: Final = CENTRE | BOUND.keys() | {"reporter", "monitor"}  # a monitor reads /metrics and nothing else


class RoleError(ValueError):
    """No such role, or it is bound to nothing; the message lists what there is."""


def parse_role(text: str) -> tuple[str, str | None]:
    """A role and what it is bound to. Raises RoleError."""
    name, colon, bound = text.partition(":")
    if name not in ALL:
        raise RoleError(f"no role {name}; there are {', '.join(sorted(ALL))}")
    if name in BOUND and (not bound or "@" in bound):
        raise RoleError(f"{name} is bound to {BOUND[name]}: {name}:…; a unit is given apart")
    if name not in BOUND and colon:
        raise RoleError(f"{name} is bound to nothing; areas narrow it")
    return name, bound or None


class Person(NamedTuple):
    """A named person or system, as its key says.

    `areas` are cells, each with everything in it, or `*`; `sources` are those it may report as.
    """

    key_id: str
    name: str
    unit: str
    roles: tuple[str, ...]
    areas: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    def has(self, *names: str) -> bool:
        """Whether one of the roles is of one of these names."""
        return any(role.partition(":")[0] in names for role in self.roles)

    def bound(self, name: str) -> tuple[str, ...]:
        """What the roles of a name are bound to."""
        return tuple(bound for role, bound in map(parse_role, self.roles) if role == name and bound is not None)

    def within(self, path: Iterable[str]) -> bool:
        """Whether a place, by the cells around it, lies in the areas."""
        return CITY in self.areas or not set(self.areas).isdisjoint(path)

    def reach(self) -> Reach:
        """Which incidents are any of this person's business, as a list is narrowed by it."""
        areas = None if CITY in self.areas else self.areas
        if self.has(*READING):
            return Reach(areas=areas)
        cells = (*self.bound("street"), *self.bound("officer"))
        return Reach(areas=areas, cells=cells, parties=self.parties())

    def parties(self) -> tuple[str, ...]:
        """Those this person speaks for: departments, or of each the one unit the key names."""
        return tuple(party(code, self.unit or None) for code in self.bound("department"))

    def sees(self, path: Iterable[str], parties: Iterable[str]) -> bool:
        """Whether an incident at a place, in these hands (`views.live_parties`), is any of this person's business."""
        path, reach = tuple(path), self.reach()
        if not self.within(path):
            return False
        if reach.cells is None or reach.parties is None:
            return True
        return not set(reach.cells).isdisjoint(path) or not set(reach.parties).isdisjoint(parties)

    def actors(self) -> list[Actor]:
        """As whom this person may act, one for each role the engine knows."""
        return [self._actor(*parse_role(role)) for role in self.roles]

    def _actor(self, role: str, bound: str | None) -> Actor:
        department = bound if role == "department" else None
        unit = bound if role in ("street", "officer") else self.unit if department is not None and self.unit else None
        return Actor(role=role, department=department, unit=unit, person=self.name)
