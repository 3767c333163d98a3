"""What is generated into the documents is what the code says: the policy's format in both languages, the life cycle."""

import sys
from pathlib import Path

import pytest

from rules.conditions import ATTRIBUTE, KEYS
from rules.meanings import MEANINGS, WHEN
from rules.problems import Code
from rules.reference import described, meaning, reference

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "docs"))

from write_reference import PAGES, renewed  # noqa: E402


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_pages_hold_the_reference_of_today(page: Path) -> None:
    assert page.read_text(encoding="utf-8") == renewed(page), "run `make reference`"


def test_every_key_is_described_in_both_languages_and_nothing_else_is() -> None:
    for kind, field in described():
        assert meaning(kind, field, "en")
        assert any("一" <= c <= "鿿" or c == "`" or c.isdigit() for c in meaning(kind, field, "zh"))
    names = {kind.__name__ for kind, _ in described()} | {"Rule"}
    assert set(MEANINGS) <= names
    for name, fields in MEANINGS.items():
        known = {field for kind, field in described() if name in (kind.__name__, "Rule")}
        assert set(fields) <= known, name


def test_every_condition_is_described() -> None:
    assert set(WHEN) == {*KEYS, f"{ATTRIBUTE}<name>", "not"}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_problem_is_listed(language: str) -> None:
    text = reference("zh" if language == "zh" else "en")
    for code in Code:
        assert f"| {code.number} |" in text
