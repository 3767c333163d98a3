"""Mappings: what each row becomes, and what a wrong mapping is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.core import text_to_ms
from dispatcher.hosts.mapping import MappingError, load_mapping

MAPPING = b"""
times: {zone: America/New_York, formats: ["%m/%d/%Y %I:%M:%S %p", iso]}
report:
  report_id: [Unique Key, unique_key]
  source: {value: nyc-311}
  reported_at: [Created Date, created_date]
  category: [Complaint Type, complaint_type]
  location.lon: [Longitude]
  location.lat: [Latitude]
  severity: [Severity]
  attributes.descriptor: [Descriptor]
  promised_at: [Due Date]
events:
  closed: [Closed Date]
"""
ROW = {"Unique Key": "7", "Created Date": "06/26/2018 10:58:54 AM", "Complaint Type": "Noise"}


def test_first_column_that_says_something() -> None:
    mapping = load_mapping(MAPPING, "m.yaml")
    mapped = mapping.map({**ROW, "Unique Key": " ", "unique_key": "8", "Longitude": "-73.9", "Latitude": "40.7"})
    assert mapped.report == {
        "report_id": "8",
        "source": "nyc-311",
        "reported_at": "2018-06-26T14:58:54.000Z",
        "category": "Noise",
        "location": {"lon": -73.9, "lat": 40.7},
    }
    assert mapped.key == ("nyc-311", "8")


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("06/26/2018 10:58:54 AM", "2018-06-26T14:58:54.000Z"),  # summer time
        ("01/26/2018 10:58:54 AM", "2018-01-26T15:58:54.000Z"),  # winter time
        ("2018-06-26T10:58:54.000", "2018-06-26T14:58:54.000Z"),
        ("2018-06-26T10:58:54+02:00", "2018-06-26T08:58:54.000Z"),
        ("11/04/2018 01:30:00 AM", "2018-11-04T05:30:00.000Z"),  # twice that night: the first
        ("03/11/2018 02:30:00 AM", "2018-03-11T07:30:00.000Z"),  # never that night: as if the clock had gone on
    ],
)
def test_times(local: str, utc: str) -> None:
    mapped = load_mapping(MAPPING, "m.yaml").map({**ROW, "Created Date": local, "Closed Date": local})
    assert mapped.report["reported_at"] == utc
    assert mapped.reported_ms == mapped.closed_ms == text_to_ms(utc)


def test_what_cannot_be_read_is_passed_on() -> None:
    row = {**ROW, "Created Date": "yesterday", "Longitude": "west", "Latitude": "NaN", "Severity": "2"}
    mapped = load_mapping(MAPPING, "m.yaml").map(row)
    assert mapped.report["reported_at"] == "yesterday"
    assert mapped.report["location"] == {"lon": "west", "lat": "NaN"}
    assert mapped.report["severity"] == 2
    assert mapped.reported_ms is None


COLUMNS = st.sampled_from(["Unique Key", "Created Date", "Longitude", "Severity", "Closed Date"])
VALUES = st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.lists(st.integers()))


@given(st.dictionaries(COLUMNS, VALUES))
def test_any_row_is_mapped(row: dict[str, object]) -> None:
    load_mapping(MAPPING, "m.yaml").map(row)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("report: {report_id: [a]}", "needs source, reported_at, category"),
        (MAPPING.decode().replace("severity:", "severitty:"), "no field severitty"),
        (MAPPING.decode().replace("America/New_York", "America/Gotham"), "no time zone America/Gotham"),
        (MAPPING.decode().replace("closed:", "closd:"), "events.closd"),
        ("report: [", "m.yaml"),
        ("[]", "m.yaml"),
    ],
)
def test_a_wrong_mapping_is_refused(text: str, said: str) -> None:
    with pytest.raises(MappingError, match=r"m\.yaml") as error:
        load_mapping(text.encode(), "m.yaml")
    assert said in str(error.value)
