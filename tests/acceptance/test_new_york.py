"""Real reports through the whole engine by the command line: the shipped file, and any other file of its kind."""

from pathlib import Path

import pytest

from tests.acceptance.city_files import Variant, district, on_time, shipped_rows, variant, write_csv, write_json
from tests.acceptance.command_line import dispatcher, export, incidents_by_report, replay


@pytest.fixture(scope="module")
def config(nyc: Path) -> Path:
    return nyc / "config.yaml"


@pytest.fixture(scope="module")
def shipped(nyc: Path, config: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    ledger = tmp_path_factory.mktemp("nyc") / "nyc.db"
    return ledger, replay(config, ledger, nyc / "reports.csv", mapping=nyc / "mapping.yaml")


def test_every_row_is_accounted_for(nyc: Path, shipped: tuple[Path, dict[str, int]]) -> None:
    _, summary = shipped
    assert summary["read"] == len(shipped_rows(nyc)) == 1_000
    assert summary["read"] == summary["accepted"] + summary["rejected"] + summary["duplicates"]
    assert summary["accepted"] == 1_000
    assert summary["updates_rejected"] == 0


def test_closed_on_time_is_what_the_file_says(nyc: Path, shipped: tuple[Path, dict[str, int]]) -> None:
    _, summary = shipped
    dated = [row for row in shipped_rows(nyc) if row["Due Date"] and row["Closed Date"]]
    assert (summary["with_due_and_close"], summary["on_time"]) == (len(dated), sum(map(on_time, dated))) == (479, 427)


def test_located_in_the_named_board(nyc: Path, config: Path, shipped: tuple[Path, dict[str, int]]) -> None:
    incidents = incidents_by_report(config, shipped[0])
    named = [row for row in shipped_rows(nyc) if row["Latitude"] and district(row)]
    right = sum(incidents[row["Unique Key"]]["place"].get("cell") == district(row) for row in named)
    assert len(named) == 871
    assert right >= 0.98 * len(named)
    assert right >= 864  # what plain ray casting gets


def test_lead_is_the_agency_of_record(nyc: Path, config: Path, shipped: tuple[Path, dict[str, int]]) -> None:
    incidents = incidents_by_report(config, shipped[0])
    rows = shipped_rows(nyc)
    right = sum(incidents[row["Unique Key"]]["lead"]["department"] == row["Agency"].lower() for row in rows)
    assert right >= 0.995 * len(rows)


def test_a_second_replay_of_the_same_file_changes_nothing(
    nyc: Path, config: Path, shipped: tuple[Path, dict[str, int]]
) -> None:
    ledger, first = shipped
    before = export(config, ledger, "events")
    again = replay(config, ledger, nyc / "reports.csv", mapping=nyc / "mapping.yaml")
    assert {**again, "seconds": 0} == {**first, "seconds": 0}
    assert export(config, ledger, "events") == before


def test_another_file_is_refused_in_the_same_ledger(
    nyc: Path, config: Path, shipped: tuple[Path, dict[str, int]], tmp_path: Path
) -> None:
    other = tmp_path / "other.csv"
    write_csv(list(shipped_rows(nyc)[:10]), other)
    done = dispatcher(
        "replay", str(other), "--mapping", str(nyc / "mapping.yaml"), "--ledger", str(shipped[0]),
        config=config, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "new file" in done.stderr


def test_the_audit_finds_nothing_wrong(config: Path, shipped: tuple[Path, dict[str, int]]) -> None:
    done = dispatcher("audit", "--ledger", str(shipped[0]), "--json", config=config)
    assert '"wrong": 0' in done.stdout


@pytest.mark.parametrize(("seed", "form"), [(1, "csv"), (2, "json"), (3, "jsonl"), (4, "jsonl")])
def test_any_other_file_of_this_kind(nyc: Path, config: Path, tmp_path: Path, seed: int, form: str) -> None:
    made = variant(nyc, seed)
    file, ledger = tmp_path / f"file.{form}", tmp_path / "ledger.db"
    broken = 0
    if form == "csv":
        write_csv(made.rows, file)
    else:
        rows = list(made.rows)
        if form == "jsonl":
            broken = 3
            rows[5:5] = ["{", '{"unique_key": "1", "created_date": ', "null"]
        write_json(rows, file, lines=form == "jsonl")
    summary = replay(config, ledger, file, mapping=nyc / "mapping.yaml")
    assert summary["read"] == len(made.rows) + broken
    assert summary["accepted"] == len(made.accepted)
    assert summary["rejected"] == made.rejected + broken
    assert summary["duplicates"] == made.repeated
    _check_incidents(config, ledger, made, summary)


def _check_incidents(config: Path, ledger: Path, made: Variant, summary: dict[str, int]) -> None:
    incidents = incidents_by_report(config, ledger)
    assert set(incidents) == set(made.accepted)  # nothing lost, nothing invented
    for key in made.unknown_types:
        incident = incidents[key]
        assert incident["lead"]["department"] == "311-desk"
        assert incident["decision"]["fallback"] == "uncategorised"
        assert "uncategorised" in incident["tags"]
    known = [row for key, row in made.accepted.items() if key not in made.unknown_types]
    right = sum(incidents[row["Unique Key"]]["lead"]["department"] == row["Agency"].lower() for row in known)
    assert right >= 0.995 * len(known)
    placed = [row for row in made.accepted.values() if row["Latitude"] and district(row)]
    in_board = sum(incidents[row["Unique Key"]]["place"].get("cell") == district(row) for row in placed)
    assert in_board >= 0.98 * len(placed)
    unplaced = [row["Unique Key"] for row in made.accepted.values() if not row["Latitude"]]
    assert unplaced
    assert all("unlocated" in incidents[key]["tags"] for key in unplaced)
    closed = [row for row in made.accepted.values() if row["Closed Date"]]
    assert all(incidents[row["Unique Key"]]["state"] == "closed" for row in closed)
    dated = [row for row in closed if row["Due Date"]]
    assert summary["with_due_and_close"] == len(dated)
    assert summary["on_time"] == sum(map(on_time, dated))


def test_csv_and_api_form_give_the_same_decisions(nyc: Path, config: Path, tmp_path: Path) -> None:
    rows = list(shipped_rows(nyc)[:200])
    write_csv(rows, tmp_path / "a.csv")
    write_json(rows, tmp_path / "b.json", lines=False)
    outcomes = []
    for name in ("a.csv", "b.json"):
        ledger = tmp_path / f"{name}.db"
        replay(config, ledger, tmp_path / name, mapping=nyc / "mapping.yaml")
        outcomes.append(export(config, ledger, "events"))
    assert outcomes[0] == outcomes[1]
