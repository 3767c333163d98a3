"""Ids that tell nothing, XML that can be read whatever it says."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.gateway.open311.answers import xml_bytes
from dispatcher.gateway.open311.form import fields_of
from dispatcher.gateway.open311.ids import id_of, new_token, same_token, source_of, token_for
from dispatcher.gateway.problems import Problem

SOURCES = st.from_regex(r"\w[\w.-]{0,63}", fullmatch=True)


@given(SOURCES)
def test_an_id_follows_from_its_token_and_names_its_source(source: str):
    token = new_token(source)
    assert source_of(token) == source_of(id_of(token)) == source
    assert id_of(token) == id_of(token) != token
    assert same_token(token, id_of(token))
    assert not same_token(id_of(token), id_of(token))
    assert not same_token(new_token(source), id_of(token))


@given(SOURCES, st.text(max_size=50), st.text(max_size=50))
def test_a_token_of_ones_own_words_is_the_same_for_one_key_and_no_other(source: str, key: str, said: str):
    token = token_for(source, f"{key}1", said)
    assert token == token_for(source, f"{key}1", said)
    assert token != token_for(source, f"{key}2", said)
    assert source_of(token) == source


@given(st.text(max_size=80))
def test_whatever_is_shown_as_a_token_has_an_id_and_it_is_not_its_own(text: str):
    assert id_of(text) != text
    assert not same_token(text, text)


@given(st.text(max_size=200))
def test_any_text_can_be_said_in_xml(text: str):
    element = ElementTree.fromstring(xml_bytes("errors", [{"description": text}]))
    read = element[0][0].text or ""
    legal = [c for c in text if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff"]
    assert [c for c in read if c != "\ufffd"] == [c for c in legal if c != "\ufffd"]
    assert len(read) == len(text)


def test_xml_says_what_the_value_does():
    value = {"service_code": "a<&b", "attributes": [], "order": 1, "required": False, "lat": None}
    assert xml_bytes("service_definition", value) == (
        b'<?xml version="1.0" encoding="utf-8"?>\n<service_definition><service_code>a&lt;&amp;b</service_code>'
        b"<attributes/><order>1</order><required>false</required><lat/></service_definition>\n"
    )


@given(st.binary(max_size=300), st.text(st.characters(max_codepoint=255), max_size=60))
def test_any_body_is_a_form_or_a_problem(body: bytes, query: str):
    statuses, fields = list[int](), None
    try:
        fields = fields_of(query, body, "application/x-www-form-urlencoded; charset=utf-8")
    except Problem as problem:
        statuses.append(problem.status)
    assert statuses == ([400] if fields is None else [])
    assert fields is None or all(value for values in fields.values.values() for value in values)


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", "application/json"])
def test_another_kind_of_body_is_refused(kind: str):
    with pytest.raises(Problem) as caught:
        fields_of("", b"x=1", kind)
    assert caught.value.status == 415
