"""Streets' ratings of departments (双考核), and the cases an appeal or an outage exempts."""

from typing import Literal, NamedTuple

from dispatcher.views.cohort import Cohort, Rate
from dispatcher.views.projection import Projection
from dispatcher.views.terms import exempted, seen, values

__all__ = ["SCORE_MAX", "Exemption", "Given", "Rating", "exemptions", "ratings"]

SCORE_MAX = 5


class Given(NamedTuple):
    """What a street said last of a party's work on a case, 1 to 5, and when it said so."""

    incident_id: str
    party: str
    score: int
    at_ms: int


class Rating(NamedTuple):
    """What streets think of one department or unit: `points` in `given` ratings, and these themselves."""

    unit: str
    points: int
    given: int
    behind: tuple[Given, ...]

    @property
    def incidents(self) -> tuple[str, ...]:
        """The cases it was rated in."""
        return tuple(dict.fromkeys(each.incident_id for each in self.behind))

    @property
    def mean(self) -> float:
        """1 to 5."""
        return self.points / self.given

    @property
    def rate(self) -> Rate:
        """Points over possible points."""
        return Rate(self.points, SCORE_MAX * self.given)


class Exemption(NamedTuple):
    """A case that the adjusted figures leave out: by an `appeal` of its lead that was upheld, or an `outage`."""

    incident_id: str
    party: str | None
    why: str


def ratings(view: Projection, cohort: Cohort, by: Literal["department", "party"] = "department") -> list[Rating]:
    """By department or unit, sorted: the last word on each party's work in a case of the cohort, as of the instant.

    Adjusted, without what was said of an exempt party.
    """
    raw = seen(cohort._replace(adjusted=False))
    kept = f"AND NOT {exempted('r')}" if cohort.adjusted else ""
    rows = view.db.execute(
        f"{raw} SELECT incident_id, r.party, r.score, r.at_ms FROM rating AS r JOIN seen USING (incident_id)"  # noqa: S608
        " WHERE is_member AND counts AND r.revision = (SELECT max(s.revision) FROM rating AS s"
        f" WHERE s.incident_id = r.incident_id AND s.party = r.party AND s.at_ms <= :as_of) {kept} ORDER BY 1, 2",
        values(cohort),
    )
    found: dict[str, list[Given]] = {}
    for row in rows:
        given = Given(*row)
        found.setdefault(given.party if by == "party" else given.party.partition("@")[0], []).append(given)
    return [
        Rating(unit, sum(each.score for each in found[unit]), len(found[unit]), tuple(found[unit]))
        for unit in sorted(found)
    ]


def exemptions(view: Projection, cohort: Cohort) -> list[Exemption]:
    """The cases of a cohort that its adjusted figures leave out, sorted; a case may be exempt for both reasons."""
    raw = seen(cohort._replace(adjusted=False))
    rows = view.db.execute(
        f"{raw} SELECT incident_id, seen.party, 'appeal' FROM seen JOIN request AS r USING (incident_id)"  # noqa: S608
        " WHERE (is_member OR is_received) AND r.kind = 'exempt' AND r.state = 'approved' AND r.decided_ms <= :as_of"
        " AND r.party = seen.party"
        " UNION SELECT incident_id, seen.party, 'outage' FROM seen JOIN outage"
        " ON seen.due_ms BETWEEN outage.since_ms AND outage.until_ms"
        " WHERE (is_member OR is_received) AND outage.told_ms <= :as_of ORDER BY 1, 3",
        values(cohort),
    )
    return [Exemption(*row) for row in rows]
