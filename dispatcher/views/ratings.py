"""Streets' ratings of departments (双考核), and the cases an appeal or an outage exempts."""

from typing import Literal, NamedTuple

from dispatcher.views.cohort import Cohort, Rate
from dispatcher.views.projection import Projection
from dispatcher.views.terms import seen, values

__all__ = ["SCORE_MAX", "Exemption", "Rating", "exemptions", "ratings"]

SCORE_MAX = 5


class Rating(NamedTuple):
    """What streets think of one department or unit: `points` in `given` ratings from 1 to 5, and the cases behind."""

    unit: str
    points: int
    given: int
    incidents: tuple[str, ...]

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
    """By department or unit, sorted. A rating is the last one given, as it stands now, whatever `as_of_ms` is."""
    rows = view.db.execute(
        f"{seen(cohort)} SELECT r.{by}, r.score, incident_id FROM rating AS r JOIN seen USING (incident_id)"  # noqa: S608
        " WHERE is_member AND counts ORDER BY 1, 3, r.party, r.offered_ms",
        values(cohort),
    )
    found: dict[str, list[tuple[int, str]]] = {}
    for unit, score, incident_id in rows:
        found.setdefault(unit, []).append((score, incident_id))
    return [
        Rating(unit, sum(score for score, _ in given), len(given), tuple(dict.fromkeys(i for _, i in given)))
        for unit, given in found.items()
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
