"""Units of one department share its topic and nothing else: each sees, and is told of, its own orders."""

from console_city import GRID, inside, told
from gateway_process import Gateway

COMMITTEE = "09.03.01"  # an owners' committee: the street office guides it
STREETS = sorted(each["properties"]["code"] for each in GRID["features"] if each["properties"]["level"] == 1)


def test_a_street_office_sees_its_own_orders_only(city: Gateway):
    of = {
        street: city.opened("resident", told(f"unit-{street}", COMMITTEE, location=inside(street)))
        for street in STREETS
    }
    leads = {}
    with city.client("inspector") as client:
        for street, incident_id in of.items():
            leads[street] = client.get(f"/v1/incidents/{incident_id}").json()["lead"]
    assert {lead["department"] for lead in leads.values()} == {"street-office"}, (
        "the policy has changed: choose another"
    )
    assert {street: lead["unit"] for street, lead in leads.items()} == {street: street for street in STREETS}
    for street in STREETS:
        city.admit(f"office-{street}", roles=["department:street-office"], areas=["*"], unit=street)
        with city.client(f"office-{street}") as client:
            listed = {line["incident_id"] for line in client.get("/v1/incidents").json()["lines"]}
            assert listed.intersection(of.values()) == {of[street]}
            for other, incident_id in of.items():
                assert client.get(f"/v1/incidents/{incident_id}").status_code == (200 if other == street else 404)
            assert orders(client, of[street]) >= {of[street]}
            assert orders(client, of[street]).intersection(of.values()) == {of[street]}


def orders(client, wanted: str) -> set[str]:
    """The incidents of the orders on the department's stream, up to the one that is wanted."""
    found = set()
    address = "/v1/streams/departments/street-office"
    with client.stream("GET", address, headers={"Last-Event-ID": "-1"}) as stream:
        for line in stream.iter_lines():
            if line.startswith("data: {"):
                found.add(line.split('"incident_id":"')[1].split('"')[0])
            if wanted in found or line.startswith(": still"):
                return found
    return found
