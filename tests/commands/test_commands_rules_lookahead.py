"""`dispatcher rules lookahead` as it is called."""

import csv
import io
import json
import re
from pathlib import Path

import pytest

from dispatcher.commands.rules.lookahead import COLUMNS, lookahead_command
from dispatcher.ledger import SqliteLedger
from tests.policies.past_city import Town, changed

CHINESE = ("hours_per_working_day: 8}\n", "hours_per_working_day: 8, days: {provider: holidays, country: CN}}\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """On the day before the National Day holiday a road is reported, which is due after it, and gas, due in it."""
    (tmp_path / "config.yaml").write_text("policy: none\ngrid: none\nledger: city.db\n")
    town = Town(
        lambda clock: SqliteLedger(tmp_path / "city.db", clock=clock, synchronous="OFF"),
        first=changed(CHINESE),
        at="2026-09-30 16:00",
    )
    town.report("r1", "02")
    town.at("2026-09-30 17:00").report("r2", "03")
    town.ledger.close()
    return tmp_path


def run(folder: Path, *, as_of: str | None = "2026-09-30T17:00:00+08:00", days: int = 30, lang: str = "en",
        form: str = "") -> None:  # fmt: skip
    lookahead_command(
        folder / "config.yaml", None, days=days, as_of=as_of, lang=lang, csv=form == "csv", json=form == "json"
    )


def test_the_table_for_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(folder)
    shown = capsys.readouterr().out
    assert "2026-09-30 17:30" in shown
    assert "2026-10-08 08:30" in shown
    assert re.search(r"7 \(\d holiday\)", shown)
    assert "office: holidays are known until" in shown
    assert "night: knows no holidays" in shown
    run(folder, lang="zh")
    shown = capsys.readouterr().out
    assert "停办期间到期" in shown
    assert "night：无节假日数据" in shown


def test_csv_and_json_count_alike(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(folder, form="csv")
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert tuple(rows[0]) == COLUMNS
    counts = {row["department"]: (row["before"], row["during"], row["after"]) for row in rows}
    assert counts == {"fire": ("0", "1", "0"), "gas": ("0", "1", "0"), "police": ("1", "0", "1")}
    run(folder, form="json")
    found = json.loads(capsys.readouterr().out)
    (closure,) = found["closures"]
    assert (closure["days"], closure["shuts_at"]) == (7, "2026-09-30T09:30:00.000Z")
    assert {
        row["department"]: tuple(str(row[name]) for name in COLUMNS[-3:]) for row in closure["departments"]
    } == counts
    assert [calendar["calendar"] for calendar in found["calendars"]] == ["office", "night"]


def test_a_closure_with_nothing_due_around_it_shows_all_the_same(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(folder, as_of="2026-04-25T00:00:00+08:00", form="csv")
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["calendar"], row["department"], row["before"]) == ("office", "", "0")
    run(folder, as_of="2026-04-25T00:00:00+08:00")
    assert "2026-04-30 17:30" in capsys.readouterr().out


def test_nothing_ahead(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(folder, as_of="2026-11-01T00:00:00+08:00", days=20)
    assert "no holiday and no closure" in capsys.readouterr().out
    run(folder, as_of=None, days=1)
    assert "office" in capsys.readouterr().out


@pytest.mark.parametrize(("options", "said"), [({"as_of": "soon"}, "--as-of takes"), ({"lang": "fr"}, "zh or en")])
def test_what_is_refused(folder: Path, capsys: pytest.CaptureFixture[str], options: dict[str, str], said: str) -> None:
    with pytest.raises(SystemExit) as ended:
        run(folder, **options)  # type: ignore[arg-type]
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_ledger_without_a_past(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.yaml").write_text("policy: none\ngrid: none\nledger: city.db\n")
    SqliteLedger(tmp_path / "city.db").close()
    with pytest.raises(SystemExit):
        run(tmp_path)
    assert "nothing has been worked through" in capsys.readouterr().err
