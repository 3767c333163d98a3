"""Merging: is this report about something already open?

One index for exact neighbourhood search: squares with sides of twice the radius, keyed by (category, row, column).
Rows are bands of latitude; each row has its own column width in degrees, so squares stay square anywhere and a circle
touches at most two rows and two or three columns. Distances are on the local tangent plane (equirectangular at the
middle latitude): over the few hundred metres that matter the error is far below a millimetre per metre.
"""

from functools import lru_cache
from math import cos, floor, hypot, radians

from dispatcher.core.incident import Incident
from rules import Merge

__all__ = ["MergeIndex"]

METRES_PER_DEGREE = 111_194.93  # of latitude on the sphere of mean radius 6,371,008.8 m (IUGG)

_Key = tuple[str, int, int] | tuple[str, str]  # a square, or an asset


class MergeIndex:
    """Open incidents by category and place, of one partition."""

    def __init__(self) -> None:
        self._buckets: dict[_Key, list[Incident]] = {}
        self._keys: dict[str, _Key] = {}  # where each incident was entered: its category or the rule may change since

    def add(self, incident: Incident, rule: Merge | None) -> None:
        """Enter an incident; without a rule for its category it can never be found."""
        if rule is None or incident.category is None:
            return
        key = self._key(incident, rule)
        if key is not None:
            self._buckets.setdefault(key, []).append(incident)
            self._keys[incident.incident_id] = key

    def remove(self, incident: Incident) -> None:
        """Take an incident out again, if it was ever entered."""
        key = self._keys.pop(incident.incident_id, None)
        if key is None:
            return
        bucket = self._buckets[key]
        bucket[:] = [other for other in bucket if other is not incident]
        if not bucket:
            del self._buckets[key]

    def candidates(
        self, rule: Merge, category: str, lon: float | None, lat: float | None, asset: str | None, now_ms: int
    ) -> list[Incident]:
        """Open incidents the rule would merge a report with: the nearest first, then the oldest id.

        The last report of a candidate is at most `gap` old, the candidate itself at most `life`.
        """
        found: list[tuple[float, str, Incident]] = []
        if rule.same == "asset":
            if asset is not None:
                for incident in self._buckets.get((category, asset), ()):
                    if _fresh(incident, rule, now_ms):
                        found.append((0.0, incident.incident_id, incident))  # noqa: PERF401 - one shape for both
        elif lon is not None and lat is not None and rule.radius_m is not None and _on_earth(lon, lat):
            for incident in self._near(category, lon, lat, rule.radius_m):
                distance_m = _distance_m(lon, lat, incident)
                if distance_m <= rule.radius_m and _fresh(incident, rule, now_ms):
                    found.append((distance_m, incident.incident_id, incident))
        found.sort(key=lambda entry: entry[:2])
        return [incident for _, _, incident in found]

    def _near(self, category: str, lon: float, lat: float, radius_m: float) -> list[Incident]:
        reach = radius_m / METRES_PER_DEGREE
        near: list[Incident] = []
        for row in range(floor((lat - reach) / (2 * reach)), floor((lat + reach) / (2 * reach)) + 1):
            width = _column_degrees(row, reach)
            # the row's edge nearest the pole is where a metre spans the most degrees: the width was taken there
            for column in range(floor((lon - width / 2) / width), floor((lon + width / 2) / width) + 1):
                near.extend(self._buckets.get((category, row, column), ()))
        return near

    def _key(self, incident: Incident, rule: Merge) -> _Key | None:
        category, place = incident.category, incident.place
        assert category is not None  # noqa: S101 - asked by the callers
        if rule.same == "asset":
            return None if incident.asset is None else (category, incident.asset)
        if rule.radius_m is None or place.lon is None or place.lat is None or place.how == "none":
            return None
        reach = rule.radius_m / METRES_PER_DEGREE
        row = floor(place.lat / (2 * reach))
        return category, row, floor(place.lon / _column_degrees(row, reach))


def _on_earth(lon: float, lat: float) -> bool:
    return abs(lon) <= 180.0 and abs(lat) <= 90.0


@lru_cache(maxsize=65_536)
def _column_degrees(row: int, reach: float) -> float:
    """Width of a row's columns: at least two radii of longitude everywhere in the row (near the poles: all of it)."""
    lat = max(abs(row * 2 * reach), abs((row + 1) * 2 * reach)) + reach
    return 2 * reach / cos(radians(lat)) if lat < 89.0 else 720.0


def _distance_m(lon: float, lat: float, incident: Incident) -> float:
    place = incident.place
    assert place.lon is not None  # noqa: S101 - only placed incidents are in a square
    assert place.lat is not None  # noqa: S101
    east = (place.lon - lon) * cos(radians((place.lat + lat) / 2))
    return hypot(east, place.lat - lat) * METRES_PER_DEGREE


def _fresh(incident: Incident, rule: Merge, now_ms: int) -> bool:
    return (rule.gap_ms is None or now_ms - incident.last_report_ms <= rule.gap_ms) and (
        rule.life_ms is None or now_ms - incident.opened_ms <= rule.life_ms
    )
