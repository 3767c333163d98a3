"""Merging: is this report about something already open?

One index for exact neighbourhood search: squares with sides of twice the radius, keyed by (category, row, column).
Rows are bands of latitude; each row has its own column width in degrees, so squares stay square anywhere and a circle
touches at most two rows and two or three columns. Distances are on the local tangent plane (equirectangular at the
middle latitude): over the few hundred metres that matter the error is far below a millimetre per metre.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import cos, floor, hypot, radians

from dispatcher.core.incident import Incident
from dispatcher.core.packing import Glance
from dispatcher.core.shelf import Shelf, Spot
from rules import Merge

__all__ = ["MergeIndex"]

METRES_PER_DEGREE = 111_194.93  # of latitude on the sphere of mean radius 6,371,008.8 m (IUGG)


class MergeIndex:
    """Open incidents by category and place, of one partition.

    It keeps their ids; where they are and how fresh is asked of the shelf, which knows without waking them.
    """

    def __init__(self, incidents: Shelf) -> None:
        self._incidents = incidents
        self._buckets: dict[str, str] = {}  # ids with spaces between them: for one alone there is no other object
        self._keys: dict[str, str] = {}  # where each incident was entered: its category or the rule may change since

    def add(self, incident: Incident | Glance, rule: Merge | None) -> None:
        """Enter an incident; without a rule for its category it can never be found."""
        if rule is None or incident.category is None:
            return
        key = _key(incident, rule)
        if key is not None:
            held = self._buckets.get(key)
            self._buckets[key] = incident.incident_id if held is None else f"{held} {incident.incident_id}"
            self._keys[incident.incident_id] = key

    def remove(self, incident: Incident) -> None:
        """Take an incident out again, if it was ever entered."""
        key = self._keys.pop(incident.incident_id, None)
        if key is None:
            return
        left = [other for other in self._ids(key) if other != incident.incident_id]
        if left:
            self._buckets[key] = " ".join(left)
        else:
            del self._buckets[key]

    def candidates(
        self, rule: Merge, category: str, lon: float | None, lat: float | None, asset: str | None, now_ms: int
    ) -> list[str]:
        """Ids of open incidents the rule would merge a report with: the nearest first, then the oldest id.

        The last report of a candidate is at most `gap` old, the candidate itself at most `life`.
        """
        found: list[tuple[float, str]] = []
        if rule.same == "asset":
            if asset is not None:
                for incident_id in self._ids(_asset_key(category, asset)):
                    if _fresh(self._incidents.spot(incident_id), rule, now_ms):
                        found.append((0.0, incident_id))  # noqa: PERF401 - one shape for both
        elif lon is not None and lat is not None and rule.radius_m is not None and _on_earth(lon, lat):
            for incident_id in self._near(category, lon, lat, rule.radius_m):
                spot = self._incidents.spot(incident_id)
                distance_m = _distance_m(lon, lat, spot)
                if distance_m <= rule.radius_m and _fresh(spot, rule, now_ms):
                    found.append((distance_m, incident_id))
        found.sort()
        return [incident_id for _, incident_id in found]

    def _ids(self, key: str) -> Sequence[str]:
        held = self._buckets.get(key)
        return () if held is None else held.split(" ")

    def _near(self, category: str, lon: float, lat: float, radius_m: float) -> list[str]:
        reach = radius_m / METRES_PER_DEGREE
        near: list[str] = []
        for row in range(floor((lat - reach) / (2 * reach)), floor((lat + reach) / (2 * reach)) + 1):
            width = _column_degrees(row, reach)
            # the row's edge nearest the pole is where a metre spans the most degrees: the width was taken there
            for column in range(floor((lon - width / 2) / width), floor((lon + width / 2) / width) + 1):
                near.extend(self._ids(_square_key(category, row, column)))
        return near


def _key(incident: Incident | Glance, rule: Merge) -> str | None:
    category, place = incident.category, incident.place
    assert category is not None  # noqa: S101 - asked by the caller
    if rule.same == "asset":
        return None if incident.asset is None else _asset_key(category, incident.asset)
    if rule.radius_m is None or place.lon is None or place.lat is None or place.how == "none":
        return None
    reach = rule.radius_m / METRES_PER_DEGREE
    row = floor(place.lat / (2 * reach))
    return _square_key(category, row, floor(place.lon / _column_degrees(row, reach)))


def _square_key(category: str, row: int, column: int) -> str:
    return f"{category} {row} {column}"  # a text takes half the memory of a tuple


def _asset_key(category: str, asset: str) -> str:
    return f"{category} asset {asset}"


def _on_earth(lon: float, lat: float) -> bool:
    return abs(lon) <= 180.0 and abs(lat) <= 90.0


@lru_cache(maxsize=65_536)
def _column_degrees(row: int, reach: float) -> float:
    """Width of a row's columns: at least two radii of longitude everywhere in the row (near the poles: all of it)."""
    lat = max(abs(row * 2 * reach), abs((row + 1) * 2 * reach)) + reach
    return 2 * reach / cos(radians(lat)) if lat < 89.0 else 720.0


def _distance_m(lon: float, lat: float, spot: Spot) -> float:
    east = (spot[0] - lon) * cos(radians((spot[1] + lat) / 2))
    return hypot(east, spot[1] - lat) * METRES_PER_DEGREE


def _fresh(spot: Spot, rule: Merge, now_ms: int) -> bool:
    _, _, opened_ms, last_report_ms = spot
    return (rule.gap_ms is None or now_ms - last_report_ms <= rule.gap_ms) and (
        rule.life_ms is None or now_ms - opened_ms <= rule.life_ms
    )
