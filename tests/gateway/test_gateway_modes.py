"""Modes over HTTP: set, seen, foreseen and ended as on the command line, each in one's own areas."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gateway_process import Gateway, gateway_at, later, report, wait_until


@pytest.fixture(scope="module")
def town(nyc: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One whose modes nobody else sets."""
    with gateway_at(nyc / "config.yaml", tmp_path_factory.mktemp("modes")) as made:
        yield made


def wanted(**fields: Any) -> dict[str, Any]:
    return {"mode": "emergency", "cells": ["106"], "until": later(600), "reason": "a storm", **fields}


def test_a_mode_is_set_counts_for_what_comes_in_and_is_ended(town: Gateway):
    with town.client("shift_lead") as client:
        said = client.post("/v1/modes", params={"wait_s": 10}, json=wanted()).json()
        assert said["state"] == "taken"
        wait_until(lambda: len(town.modes()) == 1)
        (held,) = client.get("/v1/modes").json()["held"]
        assert (held["mode_id"], held["mode"], held["cells"]) == (said["command_id"], "emergency", ["106"])
        assert (held["by"], held["reason"], held["over"]) == ("shift_lead", "a storm", False)
        inside = town.opened("reporter", report("inside"))
        outside = town.opened("reporter", report("outside", location={"lon": -73.95, "lat": 40.65}))
        assert client.get(f"/v1/incidents/{inside}").json()["mode"] == "emergency"
        assert client.get(f"/v1/incidents/{outside}").json()["mode"] == "normal"

        ended = client.post(f"/v1/modes/{said['command_id']}/end", params={"wait_s": 10}, json={"reason": "it is over"})
        assert ended.json()["state"] == "taken"
        wait_until(lambda: town.modes() == [])
        assert client.post(f"/v1/modes/{said['command_id']}/end", json={"reason": "again"}).status_code == 404


def test_what_is_open_inside_is_told_before_and_decided_again_on_demand(town: Gateway):
    opened = {town.opened("reporter", report(f"before-{n}")) for n in range(3)}
    with town.client("supervisor") as client:
        looked = client.post("/v1/modes/preview", json={"cells": ["106"], "mode": "emergency"}).json()
        assert looked["open"] >= 3
        assert opened <= {each["incident_id"] for each in looked["gravest"]}
        assert sum(group["open"] for group in looked["groups"]) == looked["open"]
        assert looked["reroute"]["changed"] == len(looked["reroute"]["incidents"])
        nothing = client.post("/v1/modes/preview", json={"cells": ["501"]}).json()
        assert (nothing["open"], nothing["reroute"]["changed"]) == (0, 0)
        again = client.post("/v1/modes/reroute", params={"wait_s": 10}, json={"cells": ["106"], "reason": "to try"})
        assert again.json()["state"] == "taken"


@pytest.mark.parametrize(
    "wrong",
    [{"mode": "normal"}, {"mode": "none"}, {"until": later(-60)}, {"until": later(40 * 86_400)}, {"cells": ["nowhere"]},
     {"reason": ""}, {"until": "tomorrow"}, {"moon": 1}],
)  # fmt: skip
def test_what_the_engine_would_refuse_is_not_written(town: Gateway, wrong: dict[str, Any]):
    with town.client("shift_lead") as client:
        answer = client.post("/v1/modes", json=wanted(**wrong))
    assert answer.status_code == 422
    assert answer.json()["detail"]
    assert town.modes() == []


def test_an_order_reaches_no_further_than_the_areas_of_the_key(town: Gateway):
    with town.client("lead_of_5") as client:
        for cells in (["106"], ["501", "106"], []):
            for path, body in (
                ("/v1/modes", wanted(cells=cells)),
                ("/v1/modes/preview", {"cells": cells}),
                ("/v1/modes/reroute", {"cells": cells, "reason": "x"}),
            ):
                assert client.post(path, json=body).status_code == 403, (path, cells)
        assert client.post("/v1/modes/preview", json={"cells": ["501"]}).status_code == 200
    mode_id = town.mode_set("106")
    with town.client("lead_of_5") as client:
        assert client.post(f"/v1/modes/{mode_id}/end", json={"reason": "x"}).status_code == 403
    assert [held["mode_id"] for held in town.modes()] == [mode_id]
