"""Alerts as XML, put together from parts, and a grid of unit squares to put them on."""

import json
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from dispatcher.alerts.cap import NAMESPACE

NOW = "2026-07-20T19:00:00+08:00"
NOW_MS = round(datetime.fromisoformat(NOW).timestamp() * 1000)
HOUR_MS = 3_600_000

HEAD = {
    "identifier": "A1", "sender": "weather@example.org", "sent": "2026-07-20T18:30:00+08:00", "status": "Actual",
    "msgType": "Alert", "scope": "Public",
}  # fmt: skip
INFO = {
    "category": "Met", "event": "暴雨", "urgency": "Immediate", "severity": "Extreme", "certainty": "Likely",
    "expires": "2026-07-21T01:00:00+08:00", "headline": "暴雨红色预警", "senderName": "气象台",
}  # fmt: skip


def fields(values: dict[str, str | None]) -> str:
    return "".join(f"<{name}>{escape(text)}</{name}>\n" for name, text in values.items() if text is not None)


def area(*, polygons=(), circles=(), geocodes=(), name: str = "north") -> str:
    shapes = [f"<polygon>{text}</polygon>" for text in polygons] + [f"<circle>{text}</circle>" for text in circles]
    codes = [f"<geocode><valueName>{n}</valueName><value>{v}</value></geocode>" for n, v in geocodes]
    return f"<area><areaDesc>{name}</areaDesc>{''.join(shapes + codes)}</area>\n"


def info(*areas: str, **changes: str | None) -> str:
    return f"<info>\n{fields({**INFO, **changes})}{''.join(areas)}</info>\n"


def alert(*infos: str, **changes: str | None) -> bytes:
    return f'<alert xmlns="{NAMESPACE}">\n{fields({**HEAD, **changes})}{"".join(infos)}</alert>'.encode()


def box(west: float, south: float, east: float, north: float) -> str:
    """A polygon's text: latitude first."""
    ring = [(south, west), (south, east), (north, east), (north, west), (south, west)]
    return " ".join(f"{lat},{lon}" for lat, lon in ring)


def after(hours: float) -> str:
    return datetime.fromtimestamp((NOW_MS + hours * HOUR_MS) / 1000, UTC).isoformat()


def square_grid() -> bytes:
    """Two districts side by side, each of 2 x 2 quarters of 2 x 2 blocks of 0.01 degrees; the west begins at 100, 20.

    `W` holds `W00` (its south-west quarter) to `W11`, `W00` holds `W0000` to `W0011`; the digits are x and y.
    """
    features = []

    def add(code: str, parent: str | None, level: int, x: float, y: float, side: float) -> None:
        ring = [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]
        features.append({
            "type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]},
            "properties": {"code": code, "name": code, "level": level, "parent": parent},
        })  # fmt: skip
        if level == 3:
            return
        for i in (0, 1):
            for j in (0, 1):
                half = side / 2
                add(f"{code}{i}{j}", code, level + 1, x + i * half, y + j * half, half)

    add("W", None, 1, 100.0, 20.0, 0.04)
    add("E", None, 1, 100.04, 20.0, 0.04)
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()
