"""The city over HTTP: its measures, its cells, and the cell of a position."""

import pytest
from gateway_process import Gateway, report, wait_until


def test_measures_have_both_terms_and_count_what_was_handed_in(gateway: Gateway):
    gateway.opened("reporter", report("m-1", category="noise"))
    with gateway.client("analyst") as client:
        listed: list[str] = []

        def all_listed() -> bool:
            found = client.get("/v1/incidents", params={"limit": 1_000}).json()
            listed[:] = [line["incident_id"] for line in found["lines"]]
            measured = client.get("/v1/measures", params={"basis": "received", "by": "area"}).json()
            return bool(measured["total"]["terms"]["received"] == len(listed))

        wait_until(all_listed)
        measured = client.get("/v1/measures", params={"by": "department"}).json()
    assert sum(group["terms"]["filed"] for group in measured["groups"]) == measured["total"]["terms"]["filed"]
    assert {"numerator", "denominator"} <= measured["total"]["rates"]["on_time_handling"].keys()


@pytest.mark.parametrize(
    "asked",
    [{"during": "2026-13"}, {"during": "2026..2025"}, {"by": "moon"}, {"level": 2}, {"as_of": "2026-01-01T00:00"}],
)
def test_measures_of_nothing_are_refused(gateway: Gateway, asked: dict[str, str]):
    with gateway.client("analyst") as client:
        answer = client.get("/v1/measures", params=asked)
    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_the_cells_of_a_level_and_of_a_box(gateway: Gateway):
    with gateway.client("dispatcher") as client:
        boroughs = client.get("/v1/grid.geojson").json()
        assert sorted(each["properties"]["code"] for each in boroughs["features"]) == ["1", "2", "3", "4", "5"]
        asked = {"level": 2, "bbox": "-73.985,40.749,-73.975,40.751"}
        found = client.get("/v1/grid.geojson", params=asked).json()["features"]
        assert "106" in {each["properties"]["code"] for each in found}
        assert len(found) < 6
        leaves = client.get("/v1/grid.geojson", params={"leaves": True}).json()["features"]
        districts = client.get("/v1/grid.geojson", params={"level": 2}).json()["features"]
        assert leaves == districts  # of two levels, all of the second and none of the first
        for wrong in ({"level": 7}, {"bbox": "1,2,3"}, {"bbox": "5,2,3,4"}, {"bbox": "a,b,c,d"}, {"bbox": "nan,0,1,1"}):
            assert client.get("/v1/grid.geojson", params=wrong).status_code == 422, wrong


def test_the_cell_of_a_position(gateway: Gateway):
    with gateway.client("officer") as client:
        place = client.get("/v1/locate", params={"lon": -73.98, "lat": 40.75}).json()
        assert (place["cell"], place["how"]) == ("106", "exact")
        assert client.get("/v1/locate", params={"lon": 0, "lat": 0}).json()["how"] == "none"
        for wrong in ({"lon": "x", "lat": 0}, {"lon": 181, "lat": 0}, {"lat": 0}, {"lon": "nan", "lat": 0}):
            assert client.get("/v1/locate", params=wrong).status_code == 422, wrong
