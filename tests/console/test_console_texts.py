"""The catalogue: whatever a page names is there, in both languages, with the same holes; every code has a name."""

import re
import string
from pathlib import Path

import pytest

import dispatcher.console
from dispatcher.console.forms import FORMS, REQUESTS
from dispatcher.console.texts import CODES, TEXTS
from dispatcher.core import Action, AssignmentState, IncidentState
from dispatcher.gateway.roles import ALL

CONSOLE = Path(dispatcher.console.__file__).parent
NAMED = re.compile(r"""(?:\bt|texts)\(\s*["']([a-z_0-9]*[a-z0-9])["']""")


def holes(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_text_that_is_named_is_there():
    files = [*CONSOLE.glob("*.py"), *CONSOLE.glob("templates/*.html")]
    named = {(file.name, name) for file in files for name in NAMED.findall(file.read_text())}
    assert len(named) > 100
    assert {(file, name) for file, name in named if name not in TEXTS} == set()


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_both_languages_say_the_same(name: str):
    zh, en = TEXTS[name]
    assert zh.strip()
    assert en.strip()
    assert holes(zh) == holes(en)


def test_every_code_has_a_name_in_both_languages():
    for kind, codes in {
        "state": IncidentState, "part": AssignmentState, "action": Action, "happened": Action, "request": REQUESTS,
        "actor": ALL - {"monitor"}, "severity": "1234",
    }.items():  # fmt: skip
        assert {str(code) for code in codes} - CODES[kind].keys() == set(), kind
    for kind, names in CODES.items():
        assert all(zh.strip() and en.strip() for zh, en in names.values()), kind


def test_every_action_has_a_form_and_every_field_a_name():
    assert set(FORMS) == set(Action)
    fields = {field for form in [*FORMS.values(), *REQUESTS.values()] for field in form if field.kind != "hidden"}
    assert {f"field_{field.name}" for field in fields} - TEXTS.keys() == set()
