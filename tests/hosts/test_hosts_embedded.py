"""The embedded host: what it needs of its ledger."""

import json
from pathlib import Path

import pytest

from dispatcher.config import load_config
from dispatcher.core import CONTROL
from dispatcher.core.control import Activate
from dispatcher.core.wire import encode
from dispatcher.hosts.embedded import Embedded, enact_first_policy
from dispatcher.hosts.setup import Books, load_setup
from dispatcher.hosts.start import start
from dispatcher.ledger import Entry, LedgerError, MemoryLedger


def test_a_policy_that_is_not_stored_stops_the_host(nyc: Path) -> None:
    setup = load_setup(load_config(nyc / "config.yaml", {}))
    ledger = MemoryLedger(lambda: 1_000)
    assert enact_first_policy(ledger, setup.policy)
    assert not enact_first_policy(ledger, setup.policy)
    host = Embedded(ledger, setup.intake, Books(ledger))
    host.catch_up()
    assert host.engine.state.policy_sha == setup.policy.sha256
    unknown = Activate(command_id="x", sha256="0" * 64, expects=setup.policy.sha256)
    ledger.append([Entry(CONTROL, encode(unknown))])
    before = ledger.position(0)
    with pytest.raises(LedgerError, match="is activated but not"):
        host.catch_up()
    assert ledger.position(0) == before


def test_the_policy_in_force_comes_from_the_ledger_alone(nyc: Path) -> None:
    setup = load_setup(load_config(nyc / "config.yaml", {}))
    ledger = MemoryLedger(lambda: 1_000)
    enact_first_policy(ledger, setup.policy)
    Embedded(ledger, setup.intake, Books(ledger, setup.policy)).catch_up()
    again = Embedded(ledger, setup.intake, Books(ledger))
    assert again.engine.state.book.policy == setup.policy
    assert again.engine.state.book.policy is not setup.policy


def test_a_ledger_belongs_to_one_grid(nyc: Path, tmp_path: Path) -> None:
    setup = load_setup(load_config(nyc / "config.yaml", {}))
    ledger = MemoryLedger(lambda: 1_000)
    start(ledger, setup, batch_records=10)
    start(ledger, setup, batch_records=10)
    other = json.loads((nyc / "grid.geojson").read_bytes())
    other["features"] = [f for f in other["features"] if f["properties"]["code"] != "595"]
    (tmp_path / "grid.geojson").write_text(json.dumps(other), encoding="utf-8")
    config = load_config(nyc / "config.yaml", {"DISPATCHER__GRID": str(tmp_path / "grid.geojson")})
    with pytest.raises(LedgerError, match="was begun on the grid"):
        start(ledger, load_setup(config), batch_records=10)
