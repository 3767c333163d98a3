"""What a policy requires of the grid and of this program is asked before an engine starts on it."""

import json
from importlib.metadata import version
from pathlib import Path

import pytest

from dispatcher.config import Config
from dispatcher.hosts.setup import grid_version, load_setup, unmet
from dispatcher.hosts.start import start
from dispatcher.ledger import LedgerError, MemoryLedger
from dispatcher.policies.activation import activate
from rules import Policy
from tests.policies.past_city import changed, policy


def asking(spec: str) -> Policy:
    return changed(("modes: [normal]\n", f"modes: [normal]\nrequires: {spec}\n"))


@pytest.mark.parametrize(
    ("data", "found"),
    [(b'{"version": "2026.10", "features": []}', "2026.10"), (b'{"version": 7}', "7"), (b"{}", ""), (b"[]", "")],
)
def test_the_version_of_a_grid_is_a_member_of_its_file(data: bytes, found: str) -> None:
    assert grid_version(data) == found


def test_what_is_not_there_is_named() -> None:
    assert unmet(policy(), "") == []
    assert unmet(asking('{grid: ">=2026.10"}'), "2026.10.1") == []
    assert unmet(asking('{grid: ">=2026.10"}'), "2026.9") == ["grid >=2026.10; found 2026.9"]
    assert unmet(asking(f'{{dispatcher: "=={version("city-dispatch")}"}}'), "") == []
    assert unmet(asking('{dispatcher: ">=99", grid: ">=1"}'), "") == [
        f"dispatcher >=99; found {version('city-dispatch')}", "grid >=1; found none",
    ]  # fmt: skip


def write(folder: Path, first: str, number: str | None) -> Config:
    """A configuration with New York's grid in that version and a policy of that text."""
    folder.mkdir(exist_ok=True)
    (folder / "policy").mkdir(exist_ok=True)
    (folder / "policy" / "policy.yaml").write_text(first, encoding="utf-8")
    square = [[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]
    feature = {
        "type": "Feature", "properties": {"code": "T1", "name": "T1", "level": 1, "parent": None},
        "geometry": {"type": "Polygon", "coordinates": [square]},
    }  # fmt: skip
    grid = {"type": "FeatureCollection", "features": [feature], **({} if number is None else {"version": number})}
    (folder / "grid.geojson").write_text(json.dumps(grid), encoding="utf-8")
    return Config(policy=folder / "policy", grid=folder / "grid.geojson")


def test_an_engine_does_not_start_on_what_is_not_there(tmp_path: Path) -> None:
    from tests.simulation.sim_city import POLICY

    text = POLICY.replace("modes: [normal]\n", 'modes: [normal]\nrequires: {grid: ">=2026.10"}\n')
    ledger = MemoryLedger(lambda: 0)
    with pytest.raises(LedgerError, match=r"the policy squares 1 requires grid >=2026\.10; found none"):
        start(ledger, load_setup(write(tmp_path, text, None)), batch_records=10)
    assert ledger.appended("control") == 0
    start(ledger, load_setup(write(tmp_path, text, "2026.10")), batch_records=10).catch_up()
    with pytest.raises(LedgerError, match=r"found 2026\.9"):  # what is in force is asked, whatever the directory holds
        start(ledger, load_setup(write(tmp_path, POLICY, "2026.9")), batch_records=10)


def test_a_policy_that_waits_was_asked_when_it_was_written(tmp_path: Path) -> None:
    from tests.simulation.sim_city import POLICY

    ledger = MemoryLedger(lambda: 0)
    assert activate(ledger, policy()) is not None  # the first of this ledger, not yet worked through
    text = POLICY.replace("modes: [normal]\n", 'modes: [normal]\nrequires: {grid: ">=2026.10"}\n')
    host = start(ledger, load_setup(write(tmp_path, text, None)), batch_records=10)
    host.catch_up()
    assert host.engine.state.policy_sha == policy().sha256
