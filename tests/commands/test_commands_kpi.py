import csv
import io
import json
from pathlib import Path

import openpyxl
import pytest

from dispatcher.commands.cohorts import period
from dispatcher.views import RATES, TERMS
from tests.acceptance.command_line import dispatcher, replay


@pytest.fixture(scope="module")
def where(nyc: Path, tmp_path_factory) -> tuple[Path, tuple[str, ...]]:
    from tests.acceptance.city_files import shipped_rows, write_csv

    folder = tmp_path_factory.mktemp("kpi")
    write_csv(list(shipped_rows(nyc))[:300], folder / "rows.csv")
    replay(nyc / "config.yaml", folder / "l.db", folder / "rows.csv", mapping=nyc / "mapping.yaml")
    return nyc / "config.yaml", ("--ledger", str(folder / "l.db"))


def kpi(where, *words: str, check: bool = True, command: str = "kpi"):
    config, ledger = where
    return dispatcher(command, *ledger, *words, config=config, check=check)


@pytest.mark.parametrize("by", ["department", "party", "area", "category", "source"])
def test_groups_add_up_to_the_total(where, by):
    found = json.loads(kpi(where, "--by", by, "--json").stdout)
    for term, count in found["total"]["terms"].items():
        assert sum(group["terms"][term] for group in found["groups"]) == count


def test_the_spreadsheet_holds_what_the_csv_holds(where, tmp_path):
    path = tmp_path / "kpi.xlsx"
    kpi(where, "--by", "department", "--adjusted", "--xlsx", str(path))
    rows = list(csv.reader(io.StringIO(kpi(where, "--by", "department", "--adjusted", "--csv").stdout)))
    sheet = openpyxl.load_workbook(path).active
    read = [list(row) for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert len(rows[0]) == 1 + len(TERMS) + 2 * len(RATES)
    assert [[str(cell or "") for cell in row] for row in read[:1]] == rows[:1]
    for line, made in zip(rows[1:], read[1:], strict=True):
        assert [float(text) if text else None for text in line[1:]] == [
            None if cell is None else pytest.approx(cell, abs=1e-6) for cell in made[1:]
        ]
    assert sheet.cell(1, 1).value.startswith("as of ")


def test_rates_show_both_terms(where):
    shown = kpi(where, "--by", "source").stdout
    found = json.loads(kpi(where, "--json").stdout)["total"]["rates"]["closure_filed"]
    assert f"{found['numerator']}/{found['denominator']}" in shown


@pytest.mark.parametrize("which", ["time", "gaming", "came-back", "ratings", "exempt", "midnights"])
def test_each_list_has_all_forms(where, which, tmp_path):
    found = json.loads(kpi(where, f"--{which}", "--json").stdout)
    assert which in found
    path = tmp_path / "list.xlsx"
    kpi(where, f"--{which}", "--xlsx", str(path), "--lang", "zh")
    assert openpyxl.load_workbook(path).active.cell(1, 1).value.startswith("截至 ")
    headings = kpi(where, f"--{which}", "--csv").stdout.splitlines()[0]
    assert headings.split(",")[0] in ("total", "all", "list", "incident", "department", "at")


def test_whose_time_by_department(where):
    found = json.loads(kpi(where, "--time", "--by", "department", "--json").stdout)["time"]
    assert sum(each["lead_ms"] for each in found["times"]) == sum(each["ms"] for each in found["hands"]) > 0
    rows = list(csv.reader(io.StringIO(kpi(where, "--time", "--by", "department", "--csv").stdout)))
    assert rows[0][-1] == "in own hands"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--filed", "2018-10..2018-09"), "runs backwards"), (("--received", "2018", "--due", "2018"), "choose one"),
        (("--basis", "closed"), "--basis takes"), (("--basis", "due", "--filed", "2018"), "choose one"),
        (("--as-of", "yesterday"), "--as-of takes"), (("--by", "source", "--level", "2"), "--level goes with"),
        (("--time", "--gaming"), "choose one"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked(where, words, said):
    done = kpi(where, *words, check=False)
    assert (done.returncode, said in done.stderr) == (2, True)


def test_periods_are_local():
    from zoneinfo import ZoneInfo

    zone = ZoneInfo("Asia/Shanghai")
    assert period("2026-03..2026-04", zone) == (1772294400000, 1777564800000)
    with pytest.raises(ValueError, match="backwards"):
        period("2026..2025", zone)


def test_boards_of_departments(where):
    found = json.loads(kpi(where, "--json", "--minimum", "2", command="boards").stdout)
    ranks = [unit["rank"] for unit in found["units"] if unit["rank"] is not None]
    assert ranks == sorted(ranks)
    assert set(found["red"]) <= {unit["unit"] for unit in found["units"]}
    assert "composite" in kpi(where, "--of", "area", "--csv", command="boards").stdout.splitlines()[0]
    assert "红黑榜" in kpi(where, "--of", "unit", "--lang", "zh", command="boards").stdout


def test_boards_of_property_companies(where, tmp_path):
    looked, firms, book = tmp_path / "looked.csv", tmp_path / "firms.csv", tmp_path / "b.xlsx"
    looked.write_text(
        "unit,kind,date,score,max,notes\nc1,compound,2026-01-01,90,100,\nc2,compound,2026-01-01,50,100,\n"
    )
    firms.write_text("compound,firm\nc1,good\nc2,bad\n")
    words = ("--of", "property", "--inspections", str(looked), "--firms", str(firms), "--red", "1", "--black", "1")
    found = json.loads(kpi(where, *words, "--json", command="boards").stdout)
    assert (found["red"], found["black"]) == (["good"], ["bad"])
    kpi(where, *words, "--xlsx", str(book), command="boards")
    assert [cell.value for cell in openpyxl.load_workbook(book).active[3]][:4] == ["good", 1, "red", 1]
    for more, said in (((), "made of inspections"), (("--inspections", str(tmp_path / "no.csv")), "No such file")):
        done = kpi(where, "--of", "compound", *more, check=False, command="boards")
        assert (done.returncode, said in done.stderr) == (2, True)
    assert "--of takes" in kpi(where, "--of", "planet", check=False, command="boards").stderr
    firms.write_text("compound,firm\n")
    assert "has no firm" in kpi(where, *words, check=False, command="boards").stderr
