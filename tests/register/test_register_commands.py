"""The commands over the example town: results, exit codes, both languages, and nobody's name unless asked for."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dispatcher.__main__ import app
from dispatcher.commands import talk

ROOT = Path(__file__).parents[2]
CITY = ROOT / "examples" / "city"
LEAF = "530003001001001001001"
AS_OF = ("--as-of", "2026-06-28T12:00:00+08:00")
PERSONAL = re.compile(r"人员\d|志愿者\d|000-\d")


def run(*arguments, config=CITY / "config.yaml"):
    done = CliRunner().invoke(app, ["--config", str(config), *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def made(*arguments, config=CITY / "config.yaml", code=0):
    done = run(*arguments, "--json", config=config)
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setattr(talk.out, "width", 200)


@pytest.fixture
def broken(tmp_path):
    """The example with two lines wrong."""
    shutil.copytree(CITY / "register", tmp_path / "register")
    with (tmp_path / "register" / "phones.csv").open("a", encoding="utf-8") as file:
        file.write("530003001,,call Ann,,\n999,,110,,\n")
    config = tmp_path / "config.yaml"
    config.write_text(f"policy: {ROOT}/rules/city\ngrid: {CITY}/grid.geojson\nregister: register\n", encoding="utf-8")
    return config


@pytest.fixture
def plain(tmp_path):
    """A configuration without register and things."""
    config = tmp_path / "plain.yaml"
    config.write_text(f"policy: {ROOT}/rules/city\ngrid: {CITY}/grid.geojson\n", encoding="utf-8")
    return config


def test_check():
    assert "0 problem(s)" in run("register", "check").stdout
    assert "540 名志愿者" in run("register", "check", "--lang", "zh").stdout
    counts = made("register", "check")["counts"]
    assert counts == {
        "units": 22, "people": 1066, "volunteers": 540, "firms": 3, "compounds": 19, "cells": 474, "own": 276,
        "leaves": 250, "without": 0,
    }  # fmt: skip


def test_check_of_a_broken_register(broken, plain):
    done = run("register", "check", config=broken)
    lines = done.stdout.splitlines()
    assert done.exit_code == 1
    assert [" ".join(line.split()[:2]) for line in lines[:2]] == ["phones.csv:20:3 R009", "phones.csv:21:1 R007"]
    assert "2 problem(s)" in lines[2]
    assert "Ann" not in done.output
    assert "不是电话号码" in run("register", "check", "--lang", "zh", config=broken).stdout
    named = run("register", "check", str(broken.parent / "register"), config=plain)
    assert named.exit_code == 1
    problems = made("register", "check", config=broken, code=1)["problems"]
    assert [(p["file"], p["line"], p["column"], p["code"]) for p in problems] == [
        ("phones.csv", 20, 3, "R009"),
        ("phones.csv", 21, 1, "R007"),
    ]
    shown = run("register", "show", LEAF, "--lang", "zh", config=broken)
    assert (shown.exit_code, "登记册有 2 个问题" in shown.stderr, shown.stdout) == (1, True, "")


def test_show_hides_persons_unless_asked():
    hidden = run("register", "show", LEAF, *AS_OF)
    assert "sponsoring unit" in hidden.stdout
    assert "from 530003001001" in hidden.stdout  # the team leader is the community's
    assert "1 telephone(s)" in hidden.stdout
    assert not PERSONAL.search(hidden.stdout)
    shown = run("register", "show", LEAF, *AS_OF, "--people", "--lang", "zh")
    assert "片长" in shown.stdout
    assert len(PERSONAL.findall(shown.stdout)) >= 5


def test_show_as_json():
    card = made("register", "show", LEAF, *AS_OF)
    assert card["path"] == [LEAF[:end] for end in (9, 12, 15, 18, 21)]
    assert card["posts"]["officer"] == {"stated_by": LEAF}
    assert card["posts"]["coordinator"] == {"stated_by": "530003001"}
    assert card["as_of"] == "2026-06-28T04:00:00.000Z"
    assert not PERSONAL.search(json.dumps(card, ensure_ascii=False))
    named = made("register", "show", LEAF, *AS_OF, "--people")
    assert named["posts"]["officer"]["name"].startswith("人员")
    assert [each["phone"][:4] for each in named["phones_on_duty"]] == ["000-"]
    assert len(named["volunteers_named"]) == card["volunteers"]


def test_show_a_whole_street_and_who_has_no_line():
    card = made("register", "show", "530003001", *AS_OF)
    assert card["volunteers"] == 0 < card["volunteers_within"]
    assert {"firm", "committee", "sponsor"} <= set(card["compounds"][0])
    said = run("register", "show", "530003001", *AS_OF).stdout
    assert "no firm; committee" in said
    assert "no firm; no committee" in run("register", "show", compound_cell("compound-new"), *AS_OF).stdout
    block = made("register", "show", LEAF[:18], *AS_OF)
    assert block["unit"]["stated_by"] == LEAF[:15]


def compound_cell(compound):
    lines = (CITY / "register" / "compounds.csv").read_text(encoding="utf-8").splitlines()
    return next(line.split(",")[2] for line in lines if line.startswith(f"{compound},"))


def test_show_where_nobody_is_named(tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(f"policy: {ROOT}/rules/city\ngrid: {CITY}/grid.geojson\nregister: r\n", encoding="utf-8")
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "units.csv").write_text("code,name\n", encoding="utf-8")
    (tmp_path / "r" / "cells.csv").write_text("cell,unit,sponsor,officer,leader,coordinator\n", encoding="utf-8")
    assert made("register", "show", LEAF, config=config)["unit"] is None
    assert run("register", "show", LEAF, "--people", config=config).exit_code == 0
    assert made("register", "visits", config=config)["waiting"] == []
    assert run("register", "visits", config=config).stdout.count("total") == 1
    assert run("near", "103.5", "25.2", config=config).stdout.count(" - ") == 5
    assert "- │" in run("register", "circle", config=config).stdout


def test_visits():
    every = made("register", "visits", *AS_OF)
    assert set(every["counts"]) == {"普遍走访", "重点走访", "困难走访", "夜间走访"}
    total = every["total"]
    assert total["done"] + total["due"] + total["missed"] + total["ahead"] == 250 * 2 + 39 * 2
    assert len(every["waiting"]) == total["due"] + total["missed"] > 50
    assert [state["status"] for state in every["waiting"][: total["missed"]]] == ["missed"] * total["missed"]
    table = run("register", "visits", *AS_OF).stdout
    assert f"and {len(every['waiting']) - 50} more" in table
    part = run("register", "visits", *AS_OF, "--cell", "530003001001", "--lang", "zh").stdout
    assert "漏访" in part
    assert "另有" not in part
    before = made("register", "visits", "--as-of", "2026-01-01T00:00:00Z")["total"]
    assert (before["ahead"], before["periods"]) == (578, 0)


def test_volunteers():
    rows = made("register", "volunteers")["areas"]
    assert [row["area"] for row in rows] == ["530003001", "530003002", "530003003", None]
    assert (rows[-1]["volunteers"], rows[-1]["hours"]) == (540, 10_000.0)
    for column in ("volunteers", "served", "hours"):
        assert sum(row[column] for row in rows[:-1]) == rows[-1][column]
    january = made("register", "volunteers", "--from", "2026-01-01", "--to", "2026-01-31")["areas"][-1]
    later = made("register", "volunteers", "--from", "2026-02-01")["areas"][-1]
    assert january["hours"] + later["hours"] == 10_000.0
    street = made("register", "volunteers", "--cell", "530003001")["areas"]
    assert street[-1]["volunteers"] == rows[0]["volunteers"]
    assert {row["area"][:9] for row in street[:-1]} == {"530003001"}
    leaf = made("register", "volunteers", "--cell", LEAF)["areas"]
    assert all(row["area"] in (LEAF, None) for row in leaf)
    assert "合计" in run("register", "volunteers", "--lang", "zh").stdout


def test_volunteers_by_name_only_when_asked():
    assert not PERSONAL.search(run("register", "volunteers").stdout)
    assert "people" not in made("register", "volunteers")
    assert "志愿者0" in run("register", "volunteers", "--people").stdout
    named = made("register", "volunteers", "--people")["people"]
    assert sum(each["hours"] for each in named) == 10_000.0


def test_circle(plain):
    found = made("register", "circle")
    total = found["areas"][-1]
    assert found["reach_m"] == pytest.approx(830.77, abs=0.01)
    assert 0 < total["leaves_reached"] < total["leaves"] == 250
    assert len(found["beyond"]) == total["leaves"] - total["leaves_reached"]
    wider = made("register", "circle", "--minutes", "30", "--speed-m-s", "1", "--detour", "1")["areas"][-1]
    assert wider["leaves_reached"] > total["leaves_reached"]
    said = run("register", "circle", "--lang", "zh").stdout
    assert "直线 831 米" in said
    assert f"{total['people_reached']:,} / {total['people']:,}" in said
    assert made("register", "circle", config=plain)["areas"][-1]["leaves_uncounted"] == 250


def test_the_circle_of_a_place_and_of_the_grid_agree():
    """A leaf is reached just when `near` at its representative point finds a centre within reach."""
    import shapely

    from geo import load_grid

    grid = load_grid((CITY / "grid.geojson").read_bytes())
    beyond = {way["cell"] for way in made("register", "circle")["beyond"]}
    for leaf in grid.leaves[::60]:
        point = shapely.point_on_surface(grid.geometries[grid.number(leaf)])
        assert (not made("near", str(point.x), str(point.y))["reached"]) == (leaf in beyond)


def test_near():
    found = made("near", "103.5", "25.2", "--count", "2")
    assert [each["level"] for each in found["responsible"]] == [1, 2, 3, 4, 5]
    assert found["responsible"][3]["unit"]["stated_by"] == found["responsible"][2]["cell"]  # a block inherits
    for kind in ("centres", "officers", "compounds", "assets"):
        metres = [each["metres"] for each in found[kind]]
        assert len(metres) == 2
        assert metres == sorted(metres)
    assert all("name" not in officer for officer in found["officers"])
    assert {"firm", "committee", "sponsor"} <= set(found["compounds"][0])
    table = run("near", "103.5", "25.2", "--lang", "zh", "--minutes", "60").stdout
    assert "沿用" in table
    assert "60 分钟内有 8 个服务中心" in table
    assert "farther than 1 min" in run("near", "103.5", "25.2", "--minutes", "1").stdout


def test_near_names_officers_only_when_asked():
    assert not PERSONAL.search(run("near", "103.5", "25.2").stdout)
    assert len(PERSONAL.findall(run("near", "103.5", "25.2", "--people").stdout)) >= 6


def test_near_without_a_register(plain, tmp_path):
    found = made("near", "103.5", "25.2", config=plain)
    assert [each["unit"] for each in found["responsible"]] == [None] * 5
    assert found["centres"] == []
    with_things = tmp_path / "things.yaml"
    with_things.write_text(plain.read_text(encoding="utf-8") + f"things: {CITY}/things.csv\n", encoding="utf-8")
    named = made("near", "103.5", "25.2", "--people", config=with_things)
    assert {"name": "", "phone": None}.items() <= named["officers"][0].items()
    assert "firm" not in named["compounds"][0]


def test_near_somewhere_else_and_in_another_datum():
    assert run("near", "100.0", "25.2").exit_code == 1
    assert "no cell" in run("near", "100.0", "25.2").stdout
    wgs84 = made("near", "103.5", "25.2")["place"]
    gcj02 = made("near", "103.5", "25.2", "--crs", "gcj02")["place"]
    assert 1e-4 < abs(wgs84["lon"] - gcj02["lon"]) < 1e-2
    assert run("near", "-73.9", "40.7").exit_code == 1  # a number, not an option


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("register", "show", "999"), 1, "the grid has no cell 999"),
        (("register", "visits", "--cell", "999", "--lang", "zh"), 1, "网格中没有 999"),
        (("register", "visits", "--as-of", "yesterday"), 2, "--as-of takes"),
        (("register", "visits", "--as-of", "2026-03-02T09:00:00"), 2, "with its offset"),
        (("register", "volunteers", "--from", "soon"), 2, "--from takes a day"),
        (("register", "volunteers", "--lang", "fr"), 2, "zh or en"),
        (("register", "circle", "--minutes", "0"), 2, "no walk"),
        (("near", "1", "2", "--crs", "mars"), 2, "--crs takes"),
        (("near", "1", "2", "--minutes", "1e9"), 2, "at most 50000 m"),
        (("near", "1", "2", "--count", "0"), 2, "k must be"),
        (("near", "1", "89"), 2, "lies beyond"),
    ],
)
def test_errors_say_what(arguments, code, said):
    done = run(*arguments)
    assert (done.exit_code, said in done.stderr) == (code, True), done.output


def test_no_register(plain):
    for arguments in (("register", "check"), ("register", "show", LEAF), ("register", "visits")):
        done = run(*arguments, config=plain)
        assert (done.exit_code, "set `register`" in done.stderr) == (1, True)


def test_a_register_that_is_not_there(plain):
    command = [sys.executable, "-m", "dispatcher", "-c", str(plain), "register", "check", "nowhere"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 1
    assert "nowhere: no such register directory" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_answers_do_not_depend_on_the_process():
    """Sets and dictionaries are never the order of anything that is printed."""
    said = set()
    for seed in ("1", "2"):
        for arguments in (
            ("register", "show", "530003001", *AS_OF, "--people"),
            ("register", "volunteers", "--people"),
        ):
            done = subprocess.run(
                [sys.executable, "-m", "dispatcher", "-c", str(CITY / "config.yaml"), *arguments, "--json"],
                capture_output=True, cwd=ROOT, timeout=120, env={**os.environ, "PYTHONHASHSEED": seed}, check=True,
            )  # fmt: skip
            said.add(done.stdout)
    assert len(said) == 2
