"""`dispatcher rules matrix` on New York's policy and grid: the same lines as a table, CSV, JSON and a spreadsheet."""

import csv
import io
import json
from pathlib import Path

import openpyxl

from ..acceptance.command_line import dispatcher

ROOT = Path(__file__).parent.parent.parent
CONFIG = ROOT / "examples/nyc/config.yaml"


def test_every_form_says_the_same(tmp_path: Path) -> None:
    found = json.loads(dispatcher("rules", "matrix", "--json", config=CONFIG).stdout)
    assert found["basis"]["source"] == "nyc-311"
    rows = list(csv.DictReader(io.StringIO(dispatcher("rules", "matrix", "--csv", config=CONFIG).stdout)))
    assert len(rows) == len(found["duties"]) > 5 * 100  # boroughs by categories
    for row, duty in zip(rows, found["duties"], strict=True):
        assert row["category"] == duty["category"]
        assert row["areas"].partition(" ")[0] == duty["areas"][0]
        assert row["limits"] == " / ".join(duty["limits"])
    file = tmp_path / "duties.xlsx"
    dispatcher("rules", "matrix", "--xlsx", str(file), config=CONFIG)
    sheet = openpyxl.load_workbook(file).active
    read = [[cell or "" for cell in row] for row in sheet.iter_rows(min_row=5, values_only=True)]
    assert [list(row.values()) for row in rows] == read
    assert found["basis"]["policy"] in sheet["A2"].value  # dated by the policy it is of


def test_the_table_has_chinese_words_and_one_line_where_all_areas_agree() -> None:
    table = dispatcher("rules", "matrix", "--lang", "zh", config=CONFIG).stdout
    assert "主办" in table
    assert "全部" in table
    assert dispatcher("rules", "matrix", "--lang", "fr", config=CONFIG, check=False).returncode == 2
