"""Open311 from outside: XML and JSON, which say the same; what is public, what is one's own, what went elsewhere."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from gateway_process import Gateway, report, update, wait_until
from open311_client import Open311

LIGHT = {"service_code": "street.light", "lat": "40.75", "long": "-73.98"}
W3 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture(scope="module")
def nobody(open_gateway: Gateway) -> Iterator[Open311]:
    with Open311(open_gateway) as client:
        yield client


@pytest.fixture(scope="module")
def app(open_gateway: Gateway) -> Iterator[Open311]:
    with Open311(open_gateway, "app") as client:
        yield client


@pytest.fixture(scope="module")
def hotline(open_gateway: Gateway) -> Iterator[Open311]:
    with Open311(open_gateway, "hotline") as client:
        yield client


def at(n: int, **fields: Any) -> dict[str, Any]:
    """Somewhere of its own in cell 106, 400 m from the others."""
    return {
        "service_code": "street.condition",
        "lat": f"{40.7444 + n % 8 * 0.004:.4f}",
        "long": f"{-73.9851 + n // 8 * 0.005:.4f}",
    } | fields


# --- what can be asked for -------------------------------------------------------------------------------------------


def test_discovery_says_where_what_is(nobody: Open311):
    said = nobody.get("discovery")
    (endpoint,) = said["endpoints"]
    assert endpoint["specification"] == "http://wiki.open311.org/GeoReport_v2"
    assert endpoint["url"].endswith("/open311/v2")
    assert endpoint["formats"] == ["text/xml", "application/json"]
    assert said["changeset"] == endpoint["changeset"] == "2026.11.1"


def test_every_category_is_a_service_and_what_rules_ask_is_asked(nobody: Open311):
    services = {each["service_code"]: each for each in nobody.get("services")}
    assert len(services) == 116
    assert services["street.light"]["type"] == "realtime"
    assert services["noise"]["type"] == "batch"
    assert services["street.sidewalk"]["group"] == "道路设施"
    assert services["street.sidewalk"]["keywords"] == "Sidewalk Condition"
    for code in ("street.sidewalk", "street.condition", "street.light"):
        definition = nobody.get(f"services/{code}")
        assert definition["service_code"] == code
        assert bool(definition["attributes"]) == services[code]["metadata"]
        assert [each["order"] for each in definition["attributes"]] == list(range(1, len(definition["attributes"]) + 1))
    standard = nobody.get("services/street.sidewalk")["attributes"][0]
    assert (standard["code"], standard["datatype"], standard["required"]) == ("standard", "singlevaluelist", False)
    assert standard["values"] == [{"key": "a", "name": "破损"}, {"key": "b", "name": "塌陷"}]


def test_the_language_is_the_one_asked_for(nobody: Open311):
    for header, name in (
        ("en-GB,zh;q=0.5", "Streets"),
        ("zh-CN", "道路设施"),
        ("fr, en;q=0.3", "Streets"),
        ("", "道路设施"),
    ):
        answer = nobody.http.get("/services.json", headers={"Accept-Language": header}).json()
        assert {each["service_code"]: each["service_name"] for each in answer}["street"] == name


# --- asking for it ---------------------------------------------------------------------------------------------------


def test_a_public_request_is_made_and_found_by_everybody(app: Open311, nobody: Open311):
    answer = app.post(
        **at(0, lat="40.7503", long="-73.9802"),
        description="A hole.\nDeep.",
        email="a@b.example",
        phone="5550100",
        first_name="A",
    )
    assert answer.status_code == 201
    (said,) = answer.json()
    assert set(said) == {"service_request_id", "service_notice", "account_id"}
    request_id = said["service_request_id"]
    wait_until(lambda: nobody.http.get(f"/requests/{request_id}.json").status_code == 200)
    (theirs,) = nobody.get(f"requests/{request_id}", extensions="true")
    assert (theirs["status"], theirs["service_code"]) == ("open", "street.condition")
    assert (theirs["lat"], theirs["long"]) == (40.75, -73.98)
    assert theirs["description"] is theirs["address"] is theirs["media_url"] is None
    assert theirs["agency_responsible"] == "交通局"
    assert W3.fullmatch(theirs["requested_datetime"])
    assert theirs["expected_datetime"] > theirs["requested_datetime"]
    assert theirs["extended_attributes"]["lead"] == "dot"
    assert theirs["extended_attributes"]["path"] == ["1", "106"]
    assert theirs["extended_attributes"]["parent"] is None
    (own,) = app.get(f"requests/{request_id}")
    assert "extended_attributes" not in own
    assert (own["lat"], own["long"], own["description"]) == (40.7503, -73.9802, "A hole.\nDeep.")
    for request in (theirs, own):
        assert not {"a@b.example", "5550100"} & set(map(str, request.values()))
    assert request_id in [each["service_request_id"] for each in nobody.get("requests")]


def test_what_anybody_reads_is_what_was_reviewed(app: Open311, nobody: Open311, open_gateway: Gateway):
    request_id = app.asked(**at(7), description="My neighbour Smith has dug a hole")
    assert nobody.get(f"requests/{request_id}")[0]["description"] is None
    _act(open_gateway, "dispatcher", _incident_of(open_gateway, request_id), "review", text="A hole has been dug")
    wait_until(lambda: nobody.get(f"requests/{request_id}")[0]["description"] == "A hole has been dug")
    listed = {each["service_request_id"]: each["description"] for each in nobody.get("requests")}
    assert listed[request_id] == "A hole has been dug"
    assert app.get(f"requests/{request_id}")[0]["description"] == "My neighbour Smith has dug a hole"


def test_a_private_request_is_found_by_its_token_or_its_key(app: Open311, nobody: Open311, hotline: Open311):
    answer = app.post("xml", **at(1, service_code="noise"), description="A party")
    token = re.findall(r"<token>(.+)</token>", answer.text)[0]
    assert "service_request_id" not in answer.text
    wait_until(lambda: nobody.http.get(f"/tokens/{token}.json").status_code == 200)
    (told,) = nobody.get(f"tokens/{token}")
    request_id = told["service_request_id"]
    assert told == {"service_request_id": request_id, "token": token}
    for asks in (nobody, hotline):
        assert asks.get(f"requests/{request_id}")[0]["code"] == 404
        assert request_id not in [each["service_request_id"] for each in asks.get("requests")]
        assert asks.get("requests", service_request_id=request_id) == []
        (found,) = asks.get(f"requests/{request_id}", token=token)
        assert found["description"] == "A party"
    (found,) = app.get(f"requests/{request_id}")
    assert found["description"] == "A party"
    assert request_id in [each["service_request_id"] for each in app.get("requests")]
    wrong = f"{token[:-1]}{'a' if token[-1] != 'a' else 'b'}"
    assert nobody.get(f"requests/{request_id}", token=wrong)[0]["code"] == 404
    assert nobody.get(f"tokens/{wrong}")[0]["code"] == 404


def test_what_comes_in_elsewhere_goes_by_its_incident(
    open_gateway: Gateway, nobody: Open311, app: Open311, hotline: Open311
):
    place = {"lon": -73.9712, "lat": 40.7581}
    public = open_gateway.opened("reporter", report("o-1", source="hotline", category="street.signal", location=place))
    private = open_gateway.opened("reporter", report("o-2", source="hotline", category="noise.park", location=place))
    for asks, seen in ((nobody, {public}), (app, {public}), (hotline, {public, private})):
        ids = {each["service_request_id"] for each in asks.get("requests")}
        assert ids & {public, private} == seen
        for incident_id in (public, private):
            assert (
                asks.http.get(
                    f"/requests/{incident_id}.json", params={"api_key": asks.key} if asks.key else {}
                ).status_code
                == 200
            ) == (incident_id in seen)


def test_attributes_are_what_the_definition_has(app: Open311, open_gateway: Gateway):
    request_id = app.asked(
        **{**at(2, service_code="street.sidewalk"), "attribute[standard]": "b", "attribute[colour]": "red"}
    )
    with open_gateway.client("dispatcher") as client:
        lines = client.get("/v1/incidents", params={"category": "street.sidewalk"}).json()["lines"]
        records = [client.get(f"/v1/incidents/{line['incident_id']}").json() for line in lines]
    (record,) = [each for each in records if each["reports"][0] == ["nyc-311", request_id]]
    assert record["standard"] == "b"
    assert record["facts"]["attributes"] == [["colour", "red"]]


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"lat": "1", "long": "1"}, 400, "service_code was not provided"),
        ({"service_code": "", "lat": "1", "long": "1"}, 400, "service_code was not provided"),
        ({"service_code": "there is none", "lat": "1", "long": "1"}, 404, "there is none was not found"),
        ({"service_code": "street"}, 400, "say where"),
        ({"service_code": "street", "lat": "1"}, 400, "go together"),
        ({"service_code": "street", "lat": "91", "long": "1"}, 400, "lat is degrees"),
        ({"service_code": "street", "lat": "nan", "long": "1"}, 400, "lat is degrees"),
        ({**LIGHT, "description": "x" * 4_001}, 400, "description has 4,001"),
        ({**LIGHT, "email": "x" * 257}, 400, "email has 257"),
        ({**LIGHT, "attribute[": "x"}, 400, "attribute[code]"),
        ({**LIGHT, "attribute[a]b": "x"}, 400, "attribute[code]"),
        ({**LIGHT, "attribute[a][]": ["x", "y"]}, 400, "takes one value"),
        ({**LIGHT, "service_code": "street.sidewalk", "attribute[standard]": "c"}, 400, "one of a, b"),
        ({**LIGHT, **{f"attribute[a{n}]": "x" for n in range(65)}}, 400, "at most 64"),
        ({**LIGHT, **{f"x{n}": "x" for n in range(250)}}, 400, "at most 200 fields"),
        ({**LIGHT, "media_url": "x" * 1_025}, 400, "media"),
        ({**LIGHT, "api_key": "dk.1.2"}, 403, "wrong or revoked"),
    ],
)
def test_what_is_wrong_is_told(app: Open311, fields: dict[str, Any], status: int, said: str):
    answer = app.post(**fields)
    assert answer.status_code == status, answer.text
    (error,) = answer.json()
    assert error["code"] == status
    assert said in error["description"]
    xml = app.post("xml", **fields)
    assert xml.status_code == status
    assert f"<errors><error><code>{status}</code><description>" in xml.text


def test_what_is_no_form_is_refused(app: Open311):
    asked = {"params": {"api_key": app.key}}
    for content, kind, status in (
        (b"service_code=%ff", "application/x-www-form-urlencoded", 400),
        (b"\xff", "application/x-www-form-urlencoded", 400),
        (b"{}", "application/json", 415),
        (b"--x", "multipart/form-data; boundary=x", 415),
        (b"a" * 200_000, "application/x-www-form-urlencoded", 413),
    ):
        answer = app.http.post("/requests.json", content=content, headers={"Content-Type": kind}, **asked)
        assert (answer.status_code, answer.json()[0]["code"]) == (status, status), content[:20]


@pytest.mark.parametrize("name", ["dispatcher", "reporter", "street", "camera", None])
def test_a_key_that_reports_as_one_source_is_needed(open_gateway: Gateway, name: str | None):
    with Open311(open_gateway, name) as client:
        answer = client.post(**LIGHT)
    assert answer.status_code == 403
    assert answer.json()[0]["code"] == 403


def test_sent_again_with_the_same_key_of_idempotence_it_counts_once(
    app: Open311, hotline: Open311, open_gateway: Gateway
):
    again = {"Idempotency-Key": "retry-1"}
    fields = at(3, description="once")
    first = [app.post(headers=again, **fields).json()[0]["service_request_id"] for _ in range(3)]
    assert len(set(first)) == 1
    wait_until(lambda: app.http.get(f"/requests/{first[0]}.json").status_code == 200)
    assert app.post(headers=again, **fields).json()[0]["service_request_id"] == first[0]
    bearer = app.http.post("/requests.json", data=fields, headers={**again, "Authorization": f"Bearer {app.key}"})
    assert bearer.json()[0]["service_request_id"] == first[0]
    other = hotline.post(headers=again, **fields).json()[0]["service_request_id"]
    assert other != first[0]
    with open_gateway.client("dispatcher") as client:
        lines = client.get("/v1/incidents", params={"category": "street.condition"}).json()["lines"]
        records = [client.get(f"/v1/incidents/{line['incident_id']}").json() for line in lines]
    assert [each["report_count"] for each in records if ["nyc-311", first[0]] in each["reports"]] == [1]


# --- following it ----------------------------------------------------------------------------------------------------


def test_a_merged_request_keeps_its_id_and_points_to_what_it_went_into(app: Open311, nobody: Open311, hotline: Open311):
    first = app.asked(**LIGHT, description="first")
    second = hotline.asked(**LIGHT, description="second")
    (found,) = nobody.get(f"requests/{second}", extensions="true")
    assert found["service_request_id"] == second
    assert found["extended_attributes"]["parent"] == first
    assert first in found["status_notes"]
    assert found["status"] == "open"
    (own,) = hotline.get(f"requests/{second}")
    assert own["description"] is None  # the place and the words are the first one's
    assert own["lat"] == 40.75
    listed = [each["service_request_id"] for each in nobody.get("requests", service_code="street.light")]
    assert listed == [first]
    both = nobody.get("requests", service_request_id=f"{second},{first},x,{second}")
    assert [each["service_request_id"] for each in both] == [second, first]


def test_what_an_operator_merges_goes_on_with_the_other_until_that_ends(
    open_gateway: Gateway, app: Open311, nobody: Open311
):
    gone, into = app.asked(**at(4)), app.asked(**at(5))
    incidents = [_incident_of(open_gateway, request_id) for request_id in (gone, into)]
    _act(open_gateway, "dispatcher", incidents[0], "merge", into=incidents[1])
    wait_until(lambda: nobody.get(f"requests/{gone}", extensions="1")[0]["extended_attributes"]["parent"] == into)
    assert nobody.get(f"requests/{gone}")[0]["status"] == "open"
    assert _ids(nobody, status="open", service_code="street.condition") >= {gone, into}
    _act(open_gateway, "supervisor", incidents[1], "void", reason_code="test")
    wait_until(lambda: nobody.get(f"requests/{into}")[0]["status"] == "closed")
    (found,) = nobody.get(f"requests/{gone}")
    assert found["status"] == "closed"
    assert into in found["status_notes"]
    assert _ids(nobody, status="closed") >= {gone, into}
    assert not _ids(nobody, status="open") & {gone, into}
    assert _ids(nobody, status="open,closed") >= {gone, into}
    said = [(each["service_request_id"], each["status"]) for each in nobody.get("servicerequestupdates")]
    assert said.index((gone, "open")) < said.index((gone, "closed"))
    assert said.index((into, "open")) < said.index((into, "closed"))


def test_updates_tell_what_changed_since(open_gateway: Gateway, app: Open311, nobody: Open311, hotline: Open311):
    begun = datetime.now(UTC) - timedelta(seconds=1)
    request_id = app.asked(**at(6, service_code="noise.vehicle"))
    told = [
        each
        for each in app.get("servicerequestupdates", start_date=begun.isoformat())
        if each["service_request_id"] == request_id
    ]
    assert [each["status"] for each in told] == ["open"]
    assert W3.fullmatch(told[0]["updated_datetime"])
    assert len({each["update_id"] for each in told}) == len(told)
    for asks in (nobody, hotline):
        assert request_id not in [each["service_request_id"] for each in asks.get("servicerequestupdates")]
    assert app.get("servicerequestupdates", end_date="2020-01-01T00:00:00Z") == []


def test_whoever_made_a_request_asks_for_it_again_once_it_has_ended(
    open_gateway: Gateway, app: Open311, hotline: Open311
):
    request_id = app.asked(**at(16))
    incident_id = _incident_of(open_gateway, request_id)

    def again(asks: Open311, form: str = "json", **fields: Any) -> Any:
        data = {
            "api_key": asks.key,
            "service_request_id": request_id,
            "update_id": "again-1",
            "status": "OPEN",
            **fields,
        }
        return asks.http.post(f"/servicerequestupdates.{form}", data=data)

    early = again(app)
    assert (early.status_code, early.json()[0]["code"]) == (400, 400)
    _act(open_gateway, "dispatcher", incident_id, "answer_at_desk", text="it is private land")
    wait_until(lambda: app.get(f"requests/{request_id}")[0]["status"] == "closed")
    assert again(hotline).status_code == 404
    assert again(app, status="CLOSED").status_code == 400
    assert again(app, update_id="").status_code == 400
    assert again(app, updated_datetime="yesterday").status_code == 400
    said = {"updated_datetime": datetime.now(UTC).isoformat(), "description": "it is not"}
    taken = again(app, "xml", **said)
    assert taken.status_code == 201
    assert "<service_request_updates><request_update><update_id>again-1</update_id>" in taken.text
    wait_until(lambda: app.get(f"requests/{request_id}")[0]["status"] == "open")
    with open_gateway.client("dispatcher") as client:
        record = client.get(f"/v1/incidents/{incident_id}").json()
    assert record["state"] == "reopen_requested"
    assert "again-1" in record["updates"]


def test_lists_are_narrowed_and_paged(app: Open311, nobody: Open311):
    made = [app.asked(**at(8 + n, service_code="street.curb")) for n in range(3)]
    listed = [each["service_request_id"] for each in nobody.get("requests", service_code="street.curb")]
    assert listed == made[::-1]
    pages = [nobody.get("requests", service_code="street.curb", page=n, page_size=2) for n in (1, 2, 3)]
    assert [[each["service_request_id"] for each in page] for page in pages] == [listed[:2], listed[2:], []]
    now = datetime.now(UTC)
    for asked, count in (
        ({"start_date": (now - timedelta(days=1)).isoformat()}, 3),
        ({"start_date": (now + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")}, 0),
        ({"end_date": (now - timedelta(days=1)).isoformat()}, 0),
        ({"end_date": (now + timedelta(days=1)).isoformat()}, 3),
        ({"start_date": (now - timedelta(days=89)).isoformat(), "end_date": (now + timedelta(hours=1)).isoformat()}, 3),
        ({"status": "open"}, 3),
        ({"status": "closed"}, 0),
        ({"status": "", "page": "", "start_date": "", "jurisdiction_id": "any.example"}, 3),
        ({"service_code": "street.curb,street.highway"}, 3),
        ({"service_code": ["street.highway", "street.curb"]}, 3),
        ({"service_code": "noise"}, 0),
    ):
        found = nobody.get("requests", **{"service_code": "street.curb", **asked})
        assert len(found) == count, asked


@pytest.mark.parametrize(
    "asked",
    [
        {"status": "broken"},
        {"start_date": "yesterday"},
        {"start_date": "2026-01-01T00:00:00"},
        {"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-07-01T00:00:00Z"},
        {"start_date": "2026-01-02T00:00:00Z", "end_date": "2026-01-01T00:00:00Z"},
        {"page": "-1"},
        {"page": "0"},
        {"page_size": "1001"},
        {"page": "999999"},
        {"service_request_id": ",".join(map(str, range(201)))},
    ],
)
def test_a_list_that_cannot_be_is_refused(nobody: Open311, asked: dict[str, str]):
    assert nobody.get("requests", **asked)[0]["code"] == 400


def test_what_is_not_there_is_said_so(nobody: Open311):
    for path in (
        "services/there.is.none",
        "requests/none",
        "tokens/none",
        "requests/a/b",
        "requests/20000101-000-00001",
    ):
        assert nobody.get(path)[0]["code"] == 404, path
    answer = nobody.http.get("/services.csv")
    assert answer.status_code == 404
    assert "xml and json" in answer.text


def _ids(asks: Open311, **asked: Any) -> set[str]:
    return {each["service_request_id"] for each in asks.get("requests", **asked)}


def _incident_of(gateway: Gateway, request_id: str) -> str:
    with gateway.client("app") as client:
        return client.get(f"/v1/reports/nyc-311/{request_id}").json()["incident_id"]


def _act(gateway: Gateway, name: str, incident_id: str, action: str, **fields: Any) -> None:
    with gateway.client(name) as client:
        said = client.post(
            "/v1/updates?wait_s=10", json=update(incident_id, f"{action}-{incident_id}", action, **fields)
        )
        assert said.json()["updates"][0]["state"] == "taken", said.text
