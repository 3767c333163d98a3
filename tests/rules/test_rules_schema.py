"""The schema that editors check and complete with says what the loader says, as far as a schema can."""

import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from jsonschema import Draft202012Validator
from rules_random import policy_files
from rules_small import FILES

from rules.conditions import KEYS
from rules.entries import Entry
from rules.meanings import MEANINGS
from rules.model import Document, Header, Sections
from rules.schema import DIALECT, FORMS, policy_schema
from rules.shapes import Parsed

ROOT = Path(__file__).parent.parent.parent
BAD = Path(__file__).parent / "bad"
SCHEMA = policy_schema()
VALIDATOR = Draft202012Validator(SCHEMA)


def errors(text: str) -> list[str]:
    """What an editor would say of a file's text."""
    return [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(text))]


def test_it_is_a_schema_of_its_dialect() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == DIALECT
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA  # plain JSON


@pytest.mark.parametrize("policy", ["examples/nyc/policy", "rules/city"])
def test_policies_that_are_shipped_fit(policy: str) -> None:
    files = [file for file in (ROOT / policy).rglob("*.yaml") if "tests" not in file.relative_to(ROOT / policy).parts]
    assert len(files) > 5
    for file in files:
        assert not errors(file.read_text(encoding="utf-8")), file


def test_what_loads_fits() -> None:
    for text in FILES.values():
        assert not errors(text)
    for seed in range(30):
        for content in policy_files(random.Random(seed)).values():
            assert not errors(content.decode())


def bad_files(code: str) -> list[Path]:
    return [file for file in (BAD / code).rglob("*.yaml") if "expected" not in file.name]


@pytest.mark.parametrize("code", ["E005", "E007", "E008", "E009", "E010", "E013"])
def test_what_the_loader_refuses_by_form_does_not_fit(code: str) -> None:
    class Loader(yaml.SafeLoader):
        """Keys of any kind are let pass: the schema wants texts."""

    Loader.construct_mapping = lambda self, node, deep=False: {  # type: ignore[method-assign]
        str(self.construct_object(key, deep=True)): self.construct_object(value, deep=True) for key, value in node.value
    }
    documents = [yaml.load(file.read_text(encoding="utf-8"), Loader) for file in bad_files(code)]
    assert any(list(VALIDATOR.iter_errors(document)) for document in documents)


ROUTE = "routes: [{id: a, when: {%s}, lead: centre, sla: day%s}]"
SNIPPETS = {
    "nonsense: {}": "unexpected",
    "name: town": "required",
    "routes: {}": "array",
    "routes: [{id: a, when: {}, lead: centre}]": "'sla' is a required property",
    ROUTE % ("", ", prio: 5"): "'prio' was unexpected",
    ROUTE % ("", ", priority: high"): "integer",
    ROUTE % ("", ", priority: 2000000"): "maximum",
    ROUTE % ("", ", title: {fr: x}"): "unexpected",
    ROUTE % ("", ", expires: soon"): "does not match",
    ROUTE % ("categry: ['01']", ""): "does not match",
    ROUTE % ("severity: 5", ""): "not valid",
    ROUTE % ("severity: '2'", ""): "not valid",
    ROUTE % ("severity: 1.5", ""): "not valid",
    ROUTE % ("tags: []", ""): "not valid",
    ROUTE % ("place: [nowhere]", ""): "not valid",
    ROUTE % ("category: [3.2]", ""): "not valid",
    ROUTE % ("attributes.: 5", ""): "does not match",
    ROUTE % ("not: {not: {}}", ""): "does not match",
    "departments: {'a b': {}}": "does not match",
    "departments: {a: {units: some}}": "not one of",
    "sla: {day: {calendar: always, targets: {resolv: 1d}}}": "unexpected",
    "sla: {day: {calendar: always, targets: {resolve: 1 day}}}": "not valid",
    "sla: {day: {calendar: always, targets: {resolve: {within: standrd}}}}": "not valid",
    "sla: {day: {calendar: always, targets: {resolve: 1d}, warn: ['100%']}}": "does not match",
    "calendars: {c: {hours: {monday: []}}}": "unexpected",
    "calendars: {c: {hours: {all: ['8-12']}}}": "not valid",
    "calendars: {c: {hours: {all: []}, table: {}}}": "unexpected",
    "calendars: {c: {hours: {all: []}, overrides: {'2026-5-1': holiday}}}": "does not match",
    "ladders: {l: {steps: [{trigger: 'resolve 0%', to: lead, do: urge}]}}": "does not match",
    "ladders: {l: {steps: [{trigger: resolve breach, to: up(0), do: urge}]}}": "does not match",
    "sources: {s: {platform: people, verify: sometimes}}": "not valid",
    "overlays: [{id: a, when: {}, severity: {raise_to: 5}}]": "maximum",
    "merge: {'01': {mode: never}}": "not one of",
    "measures: {}": "'weights' is a required property",
    "measures: {weights: {closed: 1}}": "unexpected",
    "measures: {weights: {inspection: 0}}": "not valid",
    "measures: {weights: {inspection: 1}, boards: {red: -1}}": "minimum",
    "reasons: {because: {}}": "unexpected",
    "sla: {day: {calendar: always, targets: {resolve: 1d}, callback_attempts: 11}}": "maximum",
    ROUTE % ("", ", level: 2"): "not of type 'string'",
}


@pytest.mark.parametrize("text", SNIPPETS)
def test_snippets_that_do_not_fit(text: str) -> None:
    found = errors(text)
    assert found
    assert any(SNIPPETS[text] in message for message in found), found


FITTING = [
    ROUTE % ("severity: '<=2', attributes.kv: [10, red, true, '>=5'], whistle: any, not: {tags: [a]}", ""),
    "departments: {燃气公司: {zh: 燃气}}",
    "reasons: {return: {not_ours: {zh: 否, en: Not ours}}}\n",
    "sources: {s: {platform: people, verify: true}, t: {platform: ground, verify: {below_confidence: 0.9}}}",
    "calendars: {c: {hours: {all: ['08:00-12:00'], holiday: {windows: []}}}}",
    "overlays: [{id: a, when: {}, support: [{dept: a@township, attend: 15m}, {dept: b, attend: {within: 1wh}}]}]",
    "ladders: {l: {steps: [{trigger: resolve breach, to: level(2), do: urge}, {trigger: a 1%, to: 消防, do: urge}]}}",
    "measures: {weights: {inspection: 3, closure_rate: {weight: 2}}, came_back: 30d, boards: {red: 0}}",
    ROUTE % ("", ", level: community"),
]


@pytest.mark.parametrize("text", FITTING)
def test_snippets_that_fit(text: str) -> None:
    if text.startswith("reasons"):  # policy.yaml's own: with everything else it needs
        text = FILES["policy.yaml"].replace("reasons: {return: {not_ours: {zh: 非本单位职责, en: Not our duty}}}", text)
    assert not errors(text)


def test_every_key_of_the_format_is_there_and_explained() -> None:
    assert set(SCHEMA["properties"]) == {
        "measures", *(field.name for kind in (Header, Sections) for field in msgspec.structs.fields(kind))
    }  # fmt: skip
    assert set(SCHEMA["$defs"]["When"]["properties"]) == {*KEYS, "not"}
    for name, schema in SCHEMA["$defs"].items():
        whole = schema["anyOf"][1] if "anyOf" in schema else schema
        kind = next((kind for kind in (f"{name}Entry", name) if kind in MEANINGS), None)
        for key, value in whole.get("properties", {}).items():
            if kind is not None and key in MEANINGS[kind]:
                assert MEANINGS[kind][key][0] in value["description"]
                assert MEANINGS[kind][key][1] in value["description"]


def parsed_marks(kind: Any, seen: set[Any]) -> set[str]:
    """The words of every parser that the format uses."""
    if kind in seen:
        return set()
    seen.add(kind)
    found = {mark.what for mark in getattr(kind, "__metadata__", ()) if isinstance(mark, Parsed)}
    parts = list(getattr(kind, "__args__", ()))
    if isinstance(kind, type) and issubclass(kind, Entry):
        parts += [field.type for field in msgspec.structs.fields(kind)]
    if hasattr(kind, "__origin__"):
        parts.append(kind.__origin__)
    return found.union(*(parsed_marks(part, seen) for part in parts if part is not Ellipsis))


def test_every_parsed_form_has_a_pattern() -> None:
    assert parsed_marks(Document, set()) == set(FORMS)
