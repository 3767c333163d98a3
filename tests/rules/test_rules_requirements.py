import pytest
from rules_small import small

from rules import Unmet, load_canonical, unmet_requirements
from rules.requirements import parse_requirement, parse_version

REQUIRES = 'requires: {grid: ">=2026.10"}'


@pytest.mark.parametrize(
    ("wanted", "found", "holds"),
    [
        (">=2026.10", "2026.10", True),
        (">=2026.10", "2026.9", False),
        (">=2026.10", "2026.10.1", True),
        (">=2026.10", "2027", True),
        (">2026.10", "2026.10.0", False),
        ("==2026.10", "2026.10.0", True),
        ("==2026.10.0", "2026.10", True),
        ("==2026.1", "2026.10", False),
        ("!=2026.10", "2026.10", False),
        ("<2027", "2026.12.31", True),
        ("<2027", "2027.0", False),
        ("<=2027", "2027.0.0", True),
        (">=2026.10,<2027", "2026.11", True),
        (">=2026.10,<2027", "2027.1", False),
        (" >= 2026.10 , < 2027 ", "2026.11", True),
        (">=0", "0", True),
        (">=2026.10", "", False),
        (">=2026.10", "2026.10-rc1", False),
    ],
)
def test_comparisons(wanted: str, found: str, holds: bool):
    policy = small((REQUIRES, f'requires: {{grid: "{wanted}"}}'))
    assert unmet_requirements(policy, {"grid": found}) == (() if holds else (Unmet("grid", wanted, found),))


def test_all_are_told_in_order_and_what_is_unknown_meets_nothing():
    policy = small((REQUIRES, 'requires: {dispatcher: ">=99", grid: ">=2026.10"}'))
    unmet = unmet_requirements(policy, {"dispatcher": "0.1.0"})
    assert unmet == (Unmet("dispatcher", ">=99", "0.1.0"), Unmet("grid", ">=2026.10", ""))
    assert unmet_requirements(small(('requires: {grid: ">=2026.10"}\n', "")), {}) == ()


@pytest.mark.parametrize("text", ["", "2026.10", ">=", ">=2026.x", "~=1", ">=1,", ",>=1", "=1", ">=1 <2", ">=1..2"])
def test_specs_that_are_none(text: str):
    with pytest.raises(ValueError, match=r".*"):
        parse_requirement(text)


@pytest.mark.parametrize("text", ["", "v1", "1.", "1.2.3.4.5.6.7.8.9", "1" * 10])
def test_versions_that_are_none(text: str):
    with pytest.raises(ValueError, match=r".*"):
        parse_version(text)


def test_a_stored_policy_with_a_spec_nobody_can_read_is_unmet_and_raises_nothing():
    canonical = small().canonical.replace(b'"spec":">=2026.10"', b'"spec":"recent"')
    assert unmet_requirements(load_canonical(canonical), {"grid": "2026.10"}) == (Unmet("grid", "recent", "2026.10"),)
