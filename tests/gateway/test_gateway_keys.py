"""Keys: given once, kept hashed, taken back for good; roles and the areas they reach."""

import sqlite3
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispatcher.gateway.keys import KeyFileError, Keys
from dispatcher.gateway.roles import Person, RoleError


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "keys")


def test_a_key_says_whose_it_is(keys: Keys):
    key = keys.add("Li", ["dispatcher", "street:106"], unit="106", areas=["1"], sources=["app"])
    person = keys.person(key)
    assert person is not None
    assert person[1:] == ("Li", "106", ("dispatcher", "street:106"), ("1",), ("app",))
    assert keys.of(person.key_id) == person


def test_the_file_has_no_key_in_it_and_is_its_owners_alone(keys: Keys, tmp_path: Path):
    key = keys.add("Li", ["dispatcher"])
    keys.close()
    secret = key.split(".")[2].encode()
    for file in tmp_path.iterdir():
        assert secret not in file.read_bytes()
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o600


@given(text=st.text(max_size=60), cut=st.integers(0, 60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_other_text_opens(keys: Keys, text: str, cut: int):
    key = keys.add("Li", ["dispatcher"])
    for other in (text, key[:cut] + text, key + text):
        assert (keys.person(other) is not None) == (other == key)


def test_a_key_taken_back_stays_so_and_is_listed(keys: Keys, tmp_path: Path):
    key = keys.add("Li", ["dispatcher"])
    person = keys.person(key)
    assert person is not None
    keys.revoke(person.key_id)
    assert keys.person(key) is None
    assert keys.of(person.key_id) is None
    again = Keys(tmp_path / "keys")
    assert again.person(key) is None
    assert [row.revoked_ms is not None for row in again.rows()] == [True]
    with pytest.raises(KeyFileError, match="keys list"):
        again.revoke(person.key_id)


@pytest.mark.parametrize("role", ["mayor", "department", "street:", "dispatcher:1", "", "department:gas@north"])
def test_a_role_there_is_not_is_refused(keys: Keys, role: str):
    with pytest.raises(RoleError):
        keys.add("Li", [role])
    assert keys.rows() == []


def test_nobody_and_nothing_are_refused(keys: Keys):
    with pytest.raises(KeyFileError, match="name"):
        keys.add(" ", ["dispatcher"])
    with pytest.raises(KeyFileError, match="role"):
        keys.add("Li", [])


def test_another_programs_file_is_left_alone(tmp_path: Path):
    other = sqlite3.connect(tmp_path / "other")
    other.execute("CREATE TABLE t (x)")
    other.close()
    with pytest.raises(KeyFileError, match="another program"):
        Keys(tmp_path / "other")
    (tmp_path / "text").write_text("no database at all, but long enough to be read as one" * 20)
    with pytest.raises(KeyFileError):
        Keys(tmp_path / "text")


@pytest.mark.parametrize(
    ("roles", "areas", "path", "parties", "sees"),
    [
        (("dispatcher",), ("*",), ("1", "106"), (), True),
        (("dispatcher",), ("1",), ("1", "106"), (), True),
        (("dispatcher",), ("106",), ("1", "106"), (), True),
        (("dispatcher",), ("2",), ("1", "106"), (), False),
        (("dispatcher",), (), ("1", "106"), (), False),
        (("dispatcher",), ("1",), (), (), False),
        (("admin",), ("*",), ("1", "106"), ("gas",), False),
        (("reporter",), ("*",), ("1", "106"), ("gas",), False),
        (("department:gas",), ("*",), ("1", "106"), ("fire", "gas"), True),
        (("department:gas",), ("*",), ("1", "106"), ("fire",), False),
        (("department:gas",), ("2",), ("1", "106"), ("gas",), False),
        (("street:106",), ("*",), ("1", "106", "10601"), (), True),
        (("street:106",), ("*",), ("1", "105"), (), False),
        (("officer:10601",), ("1",), ("1", "106", "10601"), (), True),
        (("officer:10601", "department:gas"), ("*",), ("1", "105"), ("gas",), True),
    ],
)
def test_who_sees_what(
    roles: tuple[str, ...], areas: tuple[str, ...], path: tuple[str, ...], parties: tuple[str, ...], sees: bool
):
    assert Person("k", "Li", "", roles, areas).sees(path, parties) is sees


@pytest.mark.parametrize(
    ("unit", "parties", "sees"),
    [
        ("", ("street-office", "street-office@106"), True),  # of the whole department
        ("106", ("street-office", "street-office@106"), True),
        ("105", ("street-office", "street-office@106"), False),
        ("106", ("street-office",), False),
        ("106", ("gas", "street-office@106"), True),
    ],
)
def test_a_unit_sees_its_own(unit: str, parties: tuple[str, ...], sees: bool):
    assert Person("k", "Li", unit, ("department:street-office",), ("*",)).sees(("1", "106"), parties) is sees


def test_as_whom_one_acts():
    person = Person("k", "Li", "north", ("dispatcher", "department:gas", "street:106", "officer:10601"))
    acting = [(actor.role, actor.department, actor.unit, actor.person) for actor in person.actors()]
    assert acting == [
        ("dispatcher", None, None, "Li"),
        ("department", "gas", "north", "Li"),
        ("street", None, "106", "Li"),
        ("officer", None, "10601", "Li"),
    ]
