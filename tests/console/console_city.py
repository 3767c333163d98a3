"""The made-up town of examples/city, as the tests of the console use it: who is there, and what is reported."""

import io
import itertools
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway_process import Gateway
from PIL import Image

GRID = json.loads((Path(__file__).parents[2] / "examples/city/grid.geojson").read_text())
STREET = "530003001"
ROLES: dict[str, dict[str, Any]] = {
    "resident": {"roles": ["reporter"], "sources": ["*"]},
    "dispatcher": {"roles": ["dispatcher"], "areas": ["*"]},
    "second": {"roles": ["dispatcher"], "areas": ["*"]},
    "acceptor": {"roles": ["acceptor"], "areas": ["*"]},
    "checker": {"roles": ["checker"], "areas": ["*"]},
    "callback": {"roles": ["callback"], "areas": ["*"]},
    "shift_lead": {"roles": ["shift_lead"], "areas": ["*"]},
    "supervisor": {"roles": ["supervisor"], "areas": ["*"]},
    "inspector": {"roles": ["inspector"], "areas": ["*"]},
    "analyst": {"roles": ["analyst"], "areas": ["*"]},
    "street": {"roles": [f"street:{STREET}"], "areas": ["*"], "sources": ["*"]},
    "officer": {"roles": [f"officer:{STREET}"], "areas": ["*"]},
    "policy_editor": {"roles": ["policy_editor"]},
    "policy_approver": {"roles": ["policy_approver"]},
    "admin": {"roles": ["admin"]},
}


def picture() -> bytes:
    """A small one, each of another colour."""
    out = io.BytesIO()
    Image.new("RGB", (40, 30), (next(_colours) % 256, 90, 30)).save(out, "PNG")
    return out.getvalue()


_colours = itertools.count()
REFUSE, ERRAND, LEAK = "02.02.01", "01.01.02", "05.03.01"


def inside(code: str) -> dict[str, float]:
    """A position within a cell: the middle of its outline's first leaf."""
    leaf = next(each for each in GRID["features"] if each["properties"]["code"].startswith(code) and _is_leaf(each))
    ring = leaf["geometry"]["coordinates"][0]
    return {
        "lon": round(sum(x for x, _ in ring[:-1]) / len(ring[:-1]), 6),
        "lat": round(sum(y for _, y in ring[:-1]) / len(ring[:-1]), 6),
    }


def _is_leaf(feature: dict[str, Any]) -> bool:
    parents = {each["properties"]["parent"] for each in GRID["features"]}
    return feature["properties"]["code"] not in parents


def told(report_id: str, category: str = REFUSE, source: str = "hotline", **fields: Any) -> dict[str, Any]:
    """A report from within the street."""
    at = datetime.now(UTC).isoformat()
    made = {"report_id": report_id, "source": source, "reported_at": at, "category": category}
    return made | {"location": inside(STREET), "text": "门口堆了垃圾"} | fields


def record(city: Gateway, incident_id: str) -> dict[str, Any]:
    """An incident as it stands."""
    with city.client("inspector") as client:
        found = client.get(f"/v1/incidents/{incident_id}")
        assert found.status_code == 200, found.text
        return found.json()


def last_told(city: Gateway, incident_id: str) -> str:
    """What happened to an incident last."""
    return record(city, incident_id)["history"][-1]["what"]


def department_of(city: Gateway, party: dict[str, Any]) -> str:
    """The name of somebody of a department's part, let in when first asked for."""
    code, unit = party["department"], party.get("unit", "")
    name = f"{code}@{unit}"
    if name not in city.keys:
        city.admit(name, roles=[f"department:{code}"], areas=["*"], unit=unit)
    return name
