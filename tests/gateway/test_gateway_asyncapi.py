"""The AsyncAPI document: whole in itself, of every topic there is, and true of what real records say."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from gateway_process import Gateway, report

from dispatcher.gateway.asyncapi import asyncapi_document

DOCUMENT = asyncapi_document("0")
INTERNAL = {"clock", "work", "policies", "state", "imports"}  # nobody outside reads or writes these by their fields


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for each in part.values():
            yield from references(each)
    elif isinstance(part, list):
        for each in part:
            yield from references(each)


def test_it_is_whole_in_itself():
    found = set(references(DOCUMENT))
    assert len(found) > 30
    for reference in found:
        at: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            at = at[step]
    for channel in DOCUMENT["channels"].values():
        assert set(re.findall(r"\{(\w+)\}", channel["address"])) == set(channel["parameters"])
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_topic_of_the_page_is_in_it():
    page = (Path(__file__).parents[2] / "docs/messages.md").read_text().partition("\nOn Kafka ")[0]
    topics = set(re.findall(r"^\| `([a-z.<>]+)` \|", page, re.MULTILINE))
    told = {channel["address"].removeprefix("{prefix}") for channel in DOCUMENT["channels"].values()}
    assert topics - INTERNAL == {each.replace("{department}", "<code>") for each in told if not each.startswith("/")}


@pytest.mark.parametrize(("channel", "path"), [("queueStream", "queue"), ("orderStream", "departments/dep")])
def test_what_streams_tell_is_as_it_says(gateway: Gateway, channel: str, path: str):
    gateway.opened("reporter", report(f"asyncapi-{channel}", text="a leak"))
    (message,) = DOCUMENT["channels"][channel]["messages"]
    schema = {"$ref": f"#/components/schemas/{message}", "components": DOCUMENT["components"]}
    name = "dispatcher" if path == "queue" else "dep"
    with (
        gateway.client(name) as client,
        client.stream("GET", f"/v1/streams/{path}", headers={"Last-Event-ID": "-1"}) as told,
    ):
        line = next(line for line in told.iter_lines() if line.startswith("data: "))
    jsonschema.Draft202012Validator(schema).validate(json.loads(line.removeprefix("data: ")))


def test_it_is_served(gateway: Gateway):
    with gateway.client() as client:
        served = client.get("/asyncapi.json").json()
    assert served["channels"].keys() == DOCUMENT["channels"].keys()
