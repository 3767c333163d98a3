"""Open311 as others speak it: by `georeport`, the one client on PyPI that runs on a Python of this decade.

`three` (2013) and `open311` (2011) are for Python 2. None of them makes requests, so these are made by the form.
"""

import pytest
from gateway_process import Gateway
from georeport import GeoReport
from open311_client import BASE, Open311


@pytest.mark.parametrize("form", ["json", "xml"])
def test_georeport_reads_what_we_say(open_gateway: Gateway, form: str):
    client = GeoReport(f"{open_gateway.url}{BASE}", jurisdiction="city.example", output_format=form)
    services = client.get_service_list()
    assert {"street", "noise"} <= {each["service_code"] for each in services}
    definition = client.get_service_definition("street.sidewalk")
    assert definition["service_code"] == "street.sidewalk"
    with Open311(open_gateway, "app") as app:
        place = {"lat": "40.7312", "long": "-73.9861" if form == "json" else "-73.9921"}
        ids = [app.asked(service_code="street.meter", **place) for _ in range(2)]
    listed = client.get_service_requests(service_code="street.meter", status="open")
    assert {each["service_request_id"] for each in listed} >= set(ids)
    both = client.get_service_requests(service_request_id=",".join(ids))
    assert [each["service_request_id"] for each in both] == ids
    found = client.get_service_request(ids[0])
    assert (found["service_request_id"], found["status"], float(found["lat"])) == (ids[0], "open", 40.731)
