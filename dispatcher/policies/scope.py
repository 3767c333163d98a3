"""What is open where a mode is about to hold, and what deciding it again would change: seen before it is done."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from heapq import nsmallest
from typing import NamedTuple

from dispatcher.core import Incident, PartitionState
from dispatcher.core.modes import ModeSpan
from dispatcher.core.reroute import Rerouted, preview

__all__ = ["NOBODY", "Foreseen", "Scope", "foresee", "foresee_all", "lead_of", "scope_of"]

GRAVEST = 10
NOBODY = "-"  # the lead, or the category, of what has none


class Scope(NamedTuple):
    """The open incidents of some cells."""

    groups: Counter[tuple[str, str]]  # by category and the lead's party
    gravest: list[Incident]  # the gravest first, of these the oldest

    @property
    def open(self) -> int:
        """How many there are."""
        return self.groups.total()


class Foreseen(NamedTuple):
    """Open incidents, and those of them that a re-routing would change; one may change in several ways."""

    scope: Scope
    rerouted: list[Rerouted]

    def counts(self) -> dict[str, int]:
        """How many would change in what."""
        return {
            "changed": len(self.rerouted),
            "lead": sum(each.lead_before != each.lead_after for each in self.rerouted),
            "support": sum(bool(each.support_added) for each in self.rerouted),
            "severity": sum(each.severity_before != each.severity_after for each in self.rerouted),
            "sla": sum(each.sla_before != each.sla_after for each in self.rerouted),
        }


def foresee(state: PartitionState, cells: Sequence[str], span: ModeSpan | None = None) -> Foreseen:
    """What is open, and what deciding it again would change: as things are, or with a mode set on this copy of them."""
    scope = scope_of(state, cells)
    if span is not None:
        state.set_mode(span)
    return Foreseen(scope, list(preview(state, cells)))


def foresee_all(states: Iterable[PartitionState], cells: Sequence[str], span: ModeSpan | None = None) -> Foreseen:
    """The same of several partitions, of which one at a time is held."""
    groups: Counter[tuple[str, str]] = Counter()
    gravest: list[Incident] = []
    rerouted: list[Rerouted] = []
    for state in states:
        found = foresee(state, cells, span)
        groups += found.scope.groups
        gravest = _gravest([*gravest, *found.scope.gravest])
        rerouted += found.rerouted
    return Foreseen(Scope(groups, gravest), sorted(rerouted))


def _gravest(incidents: Iterable[Incident]) -> list[Incident]:
    return nsmallest(GRAVEST, incidents, key=lambda i: (i.severity, i.opened_ms, i.incident_id))


def scope_of(state: PartitionState, cells: Sequence[str]) -> Scope:
    """Look at every incident once; no cell named: everywhere."""
    groups: Counter[tuple[str, str]] = Counter()

    def inside() -> Iterator[Incident]:
        for incident in state.incidents.values():
            if incident.open and (not cells or not set(cells).isdisjoint(incident.place.path)):
                groups[incident.category or NOBODY, lead_of(incident)] += 1
                yield incident

    gravest = _gravest(inside())
    return Scope(groups, gravest)


def lead_of(incident: Incident) -> str:
    """The lead's party."""
    return NOBODY if incident.lead is None else incident.lead.party
