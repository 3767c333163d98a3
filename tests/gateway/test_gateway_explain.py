"""Why an incident was decided so, and what is around a position: the same as on the command line."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gateway_process import Gateway, gateway_at, report, update

ROOT = Path(__file__).parent.parent.parent
CITY = ROOT / "examples" / "city" / "config.yaml"


def by_command(config: Path, *words: str) -> Any:
    command = [sys.executable, "-m", "dispatcher", "-c", str(config), *words, "--json"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout)


def test_an_incident_is_explained_as_the_command_does_and_equals_what_was_recorded(gateway: Gateway, nyc: Path):
    incident_id = gateway.opened("reporter", report("why-1"))
    with gateway.client("dispatcher") as client:
        note = update(incident_id, "why-n", "note", text="seen")
        assert client.post("/v1/updates", params={"wait_s": 10}, json=note).json()["updates"][0]["state"] == "taken"
        said = client.get(f"/v1/incidents/{incident_id}/explain", params={"lang": "zh"}).json()
        assert said["explanation"]["equal"] is True
        assert said["explanation"]["trace"]["decision"]["lead"]["department"] == "dep"
        assert said["explanation"]["deadlines"]
        assert incident_id in said["text"]
        assert said["explanation"] == by_command(
            nyc / "config.yaml", "explain", incident_id, "--ledger", str(gateway.ledger)
        )
        other = client.get(f"/v1/incidents/{incident_id}/explain", params={"policy": gateway.draft("other")}).json()
        assert other["explanation"]["instead_of"] == said["explanation"]["policy"]
        assert other["explanation"].get("shifts", []) == []
        assert client.get(f"/v1/incidents/{incident_id}/explain", params={"policy": "0" * 64}).status_code == 404


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway_at(CITY, tmp_path_factory.mktemp("town")) as made:
        yield made


def test_what_is_around_a_position_is_what_the_command_finds(town: Gateway):
    with town.client("dispatcher") as client:
        (cell, *_) = client.get("/v1/grid.geojson", params={"level": 5}).json()["features"]
        lon, lat = cell["geometry"]["coordinates"][0][0]
        found = client.get("/v1/nearest", params={"lon": lon, "lat": lat, "count": 2, "minutes": 30}).json()
        told = by_command(CITY, "near", str(lon), str(lat), "--count", "2", "--minutes", "30")
        assert found.pop("reach_m") == round(told.pop("reach_m"), 1)
        assert found == told
        assert len(found["assets"]) == 2
        assert len(found["responsible"]) == 5
        assert all("name" not in officer for officer in found["officers"])
        for wrong in ({"lon": 0}, {"lon": 0, "lat": 89}, {"lon": lon, "lat": lat, "minutes": 0}):
            assert client.get("/v1/nearest", params=wrong).status_code == 422, wrong
