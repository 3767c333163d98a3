"""A city of four squares that knows an emergency: a ledger on disk, and the real loop beside it when wanted."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dispatcher.commands.errors import EXPECTED, describe
from dispatcher.config import load_config
from dispatcher.core import CONTROL, REPORTS, UPDATES
from dispatcher.hosts.run import Health, run_until
from dispatcher.hosts.setup import load_setup
from dispatcher.hosts.start import start
from dispatcher.ledger import Entry, Ledger, SqliteLedger
from dispatcher.metrics import EngineMetrics
from tests.simulation import sim_city

STORM = (
    "overlays:\n",
    """overlays:
  - id: storm
    when: {mode: [emergency], category: ["01", "02"]}
    severity: {raise_to: 1}
    targets: {resolve: 2h}
    support: [{dept: fire, required: true}]
    tags: [storm]
""",
)
ALL = 1 << 30


def write_city(folder: Path) -> Path:
    """The files of a configuration; returns its path."""
    text = sim_city.POLICY.replace("modes: [normal]", "modes: [normal, watch, emergency]").replace(*STORM)
    (folder / "policy").mkdir()
    (folder / "policy" / "policy.yaml").write_text(text, encoding="utf-8")
    features = []
    for row, town in enumerate(("T1", "T2")):
        south = sim_city.SOUTH + row * sim_city.SIDE
        features.append(sim_city._square(town, 1, None, sim_city.WEST, south, 2 * sim_city.SIDE))
        features += [
            sim_city._square(f"{town}C{n}", 2, town, sim_city.WEST + n * sim_city.SIDE, south, sim_city.SIDE)
            for n in (0, 1)
        ]
    (folder / "grid.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    config = folder / "config.yaml"
    config.write_text("policy: policy\ngrid: grid.geojson\nledger: city.db\nengine: {poll_ms: 5}\n")
    return config


class City:
    """A ledger and what is done to it. Records are dated by the real clock, as the commands' are."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.config = write_city(folder)
        self.ledger = folder / "city.db"
        self._capsys = capsys
        self.work()

    def work(self, *entries: Entry) -> None:
        """Append records and work through everything that waits, as `run` would."""
        ledger = SqliteLedger(self.ledger, synchronous="OFF")
        try:
            host = start(ledger, load_setup(load_config(self.config, {})), batch_records=100)
            if entries:
                ledger.append(entries)
            host.catch_up()
        finally:
            ledger.close()

    def report(self, *reports: tuple[str, str]) -> None:
        """One incident each: category and cell."""
        known = len(self.out("incidents"))
        messages = [
            {
                "report_id": f"r{known + n}", "source": "hotline", "reported_at": "2026-01-01T00:00:00Z",
                "category": category, "location": {"cell": cell},
            }
            for n, (category, cell) in enumerate(reports)
        ]  # fmt: skip
        self.work(*(Entry(REPORTS, json.dumps(message).encode()) for message in messages))
        assert len(self.out("incidents")) == known + len(reports)

    def update(self, incident_id: str, action: str, **fields: Any) -> None:
        message = {
            "update_id": f"{action}-{incident_id}", "incident_id": incident_id, "action": action,
            "at": "2026-01-01T00:00:00Z", "actor": {"role": "system"}, **fields,
        }  # fmt: skip
        self.work(Entry(UPDATES, json.dumps(message).encode()))
        assert self.out("rejected") == []

    @contextmanager
    def reading(self) -> Iterator[Ledger]:
        ledger = SqliteLedger(self.ledger, read_only=True)
        try:
            yield ledger
        finally:
            ledger.close()

    def out(self, topic: str, key: str | None = None) -> list[dict[str, Any]]:
        with self.reading() as ledger:
            kept = ledger.follow(topic, -1, ALL)
        return [json.loads(each.value) for each in kept if each.value is not None and key in (None, each.key)]

    def commands(self) -> list[dict[str, Any]]:
        """Everything on `control` behind the first policy."""
        return self.out(CONTROL)[1:]

    def told(self) -> list[str]:
        """What `events` tells of commands, behind the first policy."""
        return [event["event"] for event in self.out("events", "control")][1:]

    def said(self) -> tuple[str, str]:
        return self._capsys.readouterr()

    def refused(self, call: Any, *arguments: Any, code: int = 1, **options: Any) -> str:
        """What a command says that ends with this exit code; errors are told as the command line tells them."""
        try:
            with pytest.raises(SystemExit) as ended:
                call(self.config, None, *arguments, **options)
        except EXPECTED as error:
            assert code == 1
            return describe(error)
        assert ended.value.code == code
        return self.said()[1]

    @contextmanager
    def engine(self) -> Iterator[EngineMetrics]:
        """The real loop, on a thread of its own."""
        ledger = SqliteLedger(self.ledger, synchronous="OFF")
        metrics, stop = EngineMetrics(), threading.Event()
        host = start(ledger, load_setup(load_config(self.config, {})), batch_records=100, observer=metrics)
        loop = threading.Thread(target=run_until, args=(stop, host, metrics, Health(), 5))
        loop.start()
        try:
            yield metrics
        finally:
            stop.set()
            loop.join()
            ledger.close()
