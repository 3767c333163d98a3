import csv
import io
import json
from pathlib import Path

import openpyxl
import pytest

from dispatcher.commands.incident import _history
from dispatcher.commands.reroute import preview_command
from dispatcher.commands.workbook import write_xlsx
from dispatcher.hosts.setup import read_policy
from dispatcher.views import RATES, TERMS, Cell, History, Rate, Table, period
from geo import load_grid
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
        (("--time", "--gaming"), "choose one"), (("--as-of", "0001-01-01T00:00:00+08:00"), "--as-of takes"),
        (("--as-of", "9999-12-31T23:59:59-08:00"), "--as-of takes"), (("--filed", "9999-12-31"), "years run from"),
        (("--midnights", "--adjusted"), "neither --adjusted nor --by"),
        (("--midnights", "--by", "area", "--lang", "zh"), "不能与 --adjusted 或 --by 同用"),
        (("--midnights", "--filed", "2016..2018"), "at most 400"),
        (("--as-of", "2018-10-01T00:00:00", "--lang", "zh"), "--as-of 应为带时差的时刻"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked(where, words, said):
    done = kpi(where, *words, check=False)
    assert (done.returncode, said in done.stderr) == (2, True)


def test_midnights_are_of_the_period_and_of_all_cases(where):
    found = json.loads(kpi(where, "--midnights", "--filed", "2014-10-01..2014-10-03", "--json").stdout)
    assert set(found) == {"as_of", "from", "to", "midnights"}
    assert [each["at"][:10] for each in found["midnights"]] == [f"2014-10-0{day}" for day in (1, 2, 3, 4)]
    shown = kpi(where, "--midnights").stdout
    assert "(all)" in shown
    assert "filed" not in shown
    assert kpi(where, "--midnights", "--filed", "2030-01", "--csv").stdout.count("\n") == 1


def test_adjusted_tables_say_so(where, tmp_path):
    path = tmp_path / "adjusted.xlsx"
    for words, command in (((), "boards"), (("--time",), "kpi"), (("--came-back",), "kpi")):
        assert "(adjusted)" in kpi(where, *words, "--adjusted", command=command).stdout
        assert "（核减后）" in kpi(where, *words, "--adjusted", "--csv", "--lang", "zh", command=command).stdout
        kpi(where, *words, "--adjusted", "--xlsx", str(path), command=command)
        assert openpyxl.load_workbook(path).active.cell(1, 1).value.endswith(" (adjusted)")
        assert "adjusted" not in kpi(where, *words, "--csv", command=command).stdout


def test_after_the_latest_record_nothing_is_known(where):
    assert "nothing is known after 20" in kpi(where, "--as-of", "2100-01-01T00:00:00Z").stderr
    assert "此后情况未知" in kpi(where, "--as-of", "2100-01-01T00:00:00Z", "--lang", "zh").stderr
    latest = json.loads(kpi(where, "--json").stdout)["as_of"]
    assert "known" not in kpi(where, "--as-of", latest).stderr


def test_a_sheet_shows_100_per_cent_only_where_it_is(tmp_path):
    path = tmp_path / "rates.xlsx"
    cells: list[Cell] = [Rate(19_999, 20_000), Rate(1, 20_000), Rate(2, 2), Rate(0, 2), Rate(1, 3), Rate(0, 0)]
    write_xlsx(Table(list("abcdef"), [cells]), "", path)
    shown = [cell.value for cell in openpyxl.load_workbook(path).active[3]]
    assert shown == [0.9999, 0.0001, 1, 0, pytest.approx(1 / 3), None]


def test_a_history_is_shown_with_its_pages():
    entries = [{"revision": n, "at": "2026-01-01T00:00:00.000Z", "what": "noted", "state": "filed"} for n in range(99)]
    assert _history(History(entries, complete=True), "en").row_count == 99


def test_a_preview_takes_no_yes(nyc, capsys):
    for form in ({"csv": True, "json": False}, {"csv": False, "json": True}):
        with pytest.raises(SystemExit, match="2"):
            preview_command(nyc / "config.yaml", None, None, lang="en", yes=True, **form)
        assert "one or the other" in capsys.readouterr().err


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


def test_boards_for_files_have_both_terms(where):
    words = ("--of", "department", "--csv")
    headings, *rows = csv.reader(io.StringIO(kpi(where, *words, command="boards").stdout))
    units = json.loads(kpi(where, "--of", "department", "--json", command="boards").stdout)["units"]
    at = headings.index("on-time closure rate")
    assert headings[at - 2 : at] == ["on-time closure rate, numerator", "on-time closure rate, denominator"]
    for row, unit in zip(rows, units, strict=True):
        assert float(row[4]) == pytest.approx(100 * unit["composite"], abs=1e-6)
        rate = unit["known"].get("on_time_closure_rate")
        told = ["", ""] if rate is None else [str(rate["numerator"]), str(rate["denominator"])]
        assert row[at - 2 : at] == told


@pytest.mark.parametrize("of", ["department", "unit", "area"])
def test_who_is_inspected_is_on_the_board_or_is_unknown(where, nyc, tmp_path, of):
    looked = tmp_path / "looked.csv"
    policy, grid = read_policy(nyc / "policy"), load_grid((nyc / "grid.geojson").read_bytes())
    words = ("--of", of, *(("--level", "2") if of == "area" else ()), "--json")
    shown = json.loads(kpi(where, *words, command="boards").stdout)["units"]
    known = grid.cells_at(2) if of == "area" else tuple(policy.departments)
    idle = next(code for code in known if code not in {unit["unit"] for unit in shown})
    line = f"{idle},{of},2026-01-01,8,10,\n"
    looked.write_text(f"unit,kind,date,score,max,notes\n{line}")
    words = (*words, "--inspections", str(looked))
    found = json.loads(kpi(where, *words, command="boards").stdout)["units"]
    (one,) = [unit for unit in found if unit["unit"] == idle]
    assert (one["cases"], one["rank"], len(found)) == (0, None, len(shown) + 1)
    if of == "area":
        done = kpi(where, "--of", of, "--json", "--inspections", str(looked), command="boards")
        assert "not of level 1 are not shown: " + idle in done.stderr
    looked.write_text(f"unit,kind,date,score,max,notes\n{line}no-such,{of},2026-01-01,8,10,\n")
    done = kpi(where, *words, check=False, command="boards")
    assert (done.returncode, "no-such" in done.stderr, idle in done.stderr) == (2, True, False)
