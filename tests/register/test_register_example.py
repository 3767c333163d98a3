"""The example town: made again it is the same, and its numbers have the shape they are meant to have."""

import csv
import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

from dispatcher.register import FILES, load_register
from geo import Kind, Locator, load_grid, load_things, survey

ROOT = Path(__file__).parents[2]
CITY = ROOT / "examples" / "city"
MADE = ("grid.geojson", "things.csv", *(f"register/{name}" for name in FILES))


def test_made_again_it_is_the_same_byte_for_byte(tmp_path):
    command = [sys.executable, str(CITY / "make.py"), "--out", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, timeout=120, cwd=ROOT)
    for name in MADE:
        assert (tmp_path / name).read_bytes() == (CITY / name).read_bytes(), name


def test_it_is_small():
    assert sum((CITY / name).stat().st_size for name in MADE) < 900_000


def test_the_map():
    grid = load_grid((CITY / "grid.geojson").read_bytes())
    assert [len(grid.cells_at(level)) for level in range(1, 6)] == [3, 9, 39, 173, 250]
    assert list(survey(grid)) == []
    things = load_things((CITY / "things.csv").read_bytes(), cells=grid)
    found = Locator(grid, tolerance_m=0.0).locate([thing.lon for thing in things], [thing.lat for thing in things])
    assert [grid.codes[number] for number in found.cell] == [thing.cell for thing in things]
    kinds = [thing.kind for thing in things]
    assert {kind: kinds.count(kind) for kind in Kind} == {
        Kind.ASSET: 540, Kind.CAMERA: 350, Kind.OFFICER: 40, Kind.COMPOUND: 17, Kind.SERVICE_CENTRE: 8
    }  # fmt: skip


def test_the_register():
    grid = load_grid((CITY / "grid.geojson").read_bytes())
    files = {name: (CITY / "register" / name).read_bytes() for name in FILES}
    register = load_register(files, grid, ZoneInfo("Asia/Shanghai"))
    assert len(register.volunteers) == 540
    assert sum(served.served_ms for served in register.volunteer_hours()) == 10_000 * 3_600_000
    assert len(register.firms) == 3
    compounds = register.compounds_of()
    assert sum(compound.firm is not None for compound in compounds) == 9
    assert sum(compound.committee is not None for compound in compounds) == 17
    own = [leaf for leaf in grid.leaves if register.cell(leaf) is not None]
    assert len(own) == 225
    for leaf in own:  # 1 + 1
        assert {"sponsor", "officer"} <= {str(role) for role in register.team(leaf).posts}


def test_nobody_in_it_is_real():
    with (CITY / "register" / "people.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            assert row["name"].rstrip("0123456789") in ("人员", "志愿者")
            assert row["phone"] == "" or row["phone"].startswith("000-")
