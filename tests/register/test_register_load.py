"""Reading a register: every problem at once, each where it is, and never anything personal in a message."""

import re
from pathlib import Path

import pytest
from register_small import FILES, GRID, ZONE, load

from dispatcher.register import FILES as FILE_COLUMNS
from dispatcher.register import Code, RegisterError, load_register
from dispatcher.register.problems import MAX_PROBLEMS

HOURS = "person,date,hours,cell\n"

# what is changed -> each problem's place and code
WRONG = {
    "not UTF-8": ({"units": b"code,name\nbank,\xff\n"}, ["units.csv:2:1 R001"]),
    "empty": ({"firms": b""}, ["firms.csv:1:1 R001"]),
    "a column missing": ({"firms": "code\nf1\n"}, ["firms.csv:1:1 R001"]),
    "a field too many": ({"firms": "code,name\nf1,x\nf2,y,z\n"}, ["firms.csv:3:1 R001"]),
    "an unknown column": ({"firms": "code,phone,name\nf1,1,x\nf2,2,y\n"}, ["firms.csv:1:2 R004"]),
    "an unknown file": ({"phone": "cell\n"}, ["phone.csv:0:0 R002"]),
    "an empty code": ({"firms": "code,name\nf1,x\nf2,y\n,z\n"}, ["firms.csv:4:1 R005"]),
    "an empty name": ({"firms": "code,name\nf1,\nf2,y\n"}, ["firms.csv:2:2 R005"]),
    "a unit twice": ({"units": FILES["units.csv"] + "bank,Again\n"}, ["units.csv:5:1 R006"]),
    "a person twice": ({"people": FILES["people.csv"] + "p1,Else,,\n"}, ["people.csv:8:1 R006"]),
    "a person of no unit": ({"people": FILES["people.csv"] + "p9,Else,mine,\n"}, ["people.csv:8:3 R008"]),
    "a person's telephone": ({"people": FILES["people.csv"] + "p9,Else,,call me\n"}, ["people.csv:8:4 R009"]),
    "an unknown cell": ({"population": "cell,people\n111,1\n999,2\n"}, ["population.csv:3:1 R007"]),
    "a cell twice": ({"population": "cell,people\n111,1\n111,2\n"}, ["population.csv:3:1 R006"]),
    "people below nobody": ({"population": "cell,people\n111,-1\n"}, ["population.csv:2:2 R010"]),
    "people in halves": ({"population": "cell,people\n111,1.5\n"}, ["population.csv:2:2 R010"]),
    "people in another script": ({"population": "cell,people\n111,١\n"}, ["population.csv:2:2 R010"]),
    "no figure": ({"population": "cell,people\n111,\n"}, ["population.csv:2:2 R005"]),
    "a cell of no unit": ({"cells": "cell,unit,sponsor,officer,leader,coordinator\n1,,,,,\n"}, ["cells.csv:2:2 R005"]),
    "an entry twice": ({"cells": FILES["cells.csv"] + "1,bank,,,,\n"}, ["cells.csv:5:1 R006"]),
    "an unknown officer": ({"cells": FILES["cells.csv"] + "12,bank,,p77,,\n"}, ["cells.csv:5:4 R008"]),
    "somebody of another unit": ({"cells": FILES["cells.csv"] + "12,school,p1,,,\n"}, ["cells.csv:5:3 R016"]),
    "a telephone of nobody": ({"phones": FILES["phones.csv"] + ",,110,,\n"}, ["phones.csv:5:1 R014"]),
    "a telephone of two": ({"phones": FILES["phones.csv"] + "1,bank,110,,\n"}, ["phones.csv:5:1 R014"]),
    "a telephone too long": ({"phones": FILES["phones.csv"] + "1,,1234567890123456,,\n"}, ["phones.csv:5:3 R009"]),
    "a telephone too short": ({"phones": FILES["phones.csv"] + "1,,12,,\n"}, ["phones.csv:5:3 R009"]),
    "no telephone": ({"phones": FILES["phones.csv"] + "1,,,,\n"}, ["phones.csv:5:3 R005"]),
    "a telephone twice": ({"phones": FILES["phones.csv"] + "1,,1100001,1-7,20:00-08:00\n"}, ["phones.csv:5:3 R006"]),
    "days": ({"phones": FILES["phones.csv"] + "1,,110,0-5,\n1,,110,5-1,\n"},
        ["phones.csv:5:4 R012", "phones.csv:6:4 R012"]),
    "hours": ({"phones": FILES["phones.csv"] + "1,,110,,8-12\n1,,110,,08:00-08:00\n"},
        ["phones.csv:5:5 R013", "phones.csv:6:5 R013"]),
    "a task twice": ({"visits": FILES["visits.csv"] + "v1,1,x,1,2026-03-02\n"}, ["visits.csv:4:1 R006"]),
    "never": ({"visits": FILES["visits.csv"] + "v3,1,x,0,2026-03-02\n"}, ["visits.csv:4:4 R010"]),
    "no such day": ({"visits": FILES["visits.csv"] + "v3,1,x,7,2026-02-30\n"}, ["visits.csv:4:5 R011"]),
    "a short day": ({"visits": FILES["visits.csv"] + "v3,1,x,7,20260302\n"}, ["visits.csv:4:5 R011"]),
    "no day": ({"visits": FILES["visits.csv"] + "v3,1,x,7,\n"}, ["visits.csv:4:5 R005"]),
    "a visit of no task": ({"visited": "task,date\nv9,2026-03-04\n"}, ["visited.csv:2:1 R008"]),
    "a visit twice": ({"visited": "task,date\nv1,2026-03-04\nv1,2026-03-04\n"}, ["visited.csv:3:2 R006"]),
    "a visit too early": ({"visited": "task,date\nv1,2026-03-01\n"}, ["visited.csv:2:2 R017"]),
    "a volunteer twice": ({"volunteers": FILES["volunteers.csv"] + "p5,112\n"}, ["volunteers.csv:4:1 R006"]),
    "a volunteer who is nobody": ({"volunteers": FILES["volunteers.csv"] + "p9,112\n"}, ["volunteers.csv:4:1 R008"]),
    "hours of no volunteer": ({"hours": HOURS + "p1,2026-03-07,2,\n"}, ["hours.csv:2:1 R008"]),
    "hours below nothing": ({"hours": HOURS + "p5,2026-03-07,-2,\n"}, ["hours.csv:2:3 R010"]),
    "no hours": ({"hours": HOURS + "p5,2026-03-07,0,\n"}, ["hours.csv:2:3 R010"]),
    "hours left out": ({"hours": HOURS + "p5,2026-03-07,,\n"}, ["hours.csv:2:3 R005"]),
    "hours in words": ({"hours": HOURS + "p5,2026-03-07,NaN,\np5,2026-03-08,two,\n"},
        ["hours.csv:2:3 R010", "hours.csv:3:3 R010"]),
    "hours too fine": ({"hours": HOURS + "p5,2026-03-07,0.001,\n"}, ["hours.csv:2:3 R010"]),
    "hours twice": ({"hours": HOURS + "p5,2026-03-07,1,\np5,2026-03-07,2,111\n"}, ["hours.csv:3:2 R006"]),
    "a day too long": ({"hours": HOURS + "p5,2026-03-07,13,1\np5,2026-03-07,12,2\n"}, ["hours.csv:3:3 R018"]),
    "a firm that isn't": ({"compounds": FILES["compounds.csv"] + "c9,x,1,f9,,,,\n"}, ["compounds.csv:5:4 R008"]),
    "a sponsor that isn't": ({"compounds": FILES["compounds.csv"] + "c9,x,1,,,u9,,\n"}, ["compounds.csv:5:6 R008"]),
    "half a position": ({"compounds": FILES["compounds.csv"] + "c9,x,1,,,,,25\n"}, ["compounds.csv:5:8 R015"]),
    "a position nowhere": ({"compounds": FILES["compounds.csv"] + "c9,x,1,,,,east,91\n"},
        ["compounds.csv:5:7 R010", "compounds.csv:5:8 R010"]),
    "a compound twice": ({"compounds": FILES["compounds.csv"] + "c1,x,1,,,,,\n"}, ["compounds.csv:5:1 R006"]),
}  # fmt: skip


def places_and_codes(error):
    return [" ".join(str(problem).split(" ")[:2]) for problem in error.problems]


@pytest.mark.parametrize("wrong", sorted(WRONG))
def test_a_problem_is_found_where_it_is(wrong):
    changed, expected = WRONG[wrong]
    with pytest.raises(RegisterError) as error:
        load(**changed)
    found = places_and_codes(error.value)
    # what else is wrong only follows from a file that couldn't be read at all
    assert [place for place in found if place in expected] == expected
    if not any("R001" in place for place in expected):
        assert found == expected


def test_every_code_is_shown():
    shown = {place.split()[1] for _, expected in WRONG.values() for place in expected}
    assert shown | {"R003", "R019"} == {code.number for code in Code}


def test_files_that_must_be_there():
    with pytest.raises(RegisterError) as error:
        load_register({}, GRID, ZONE)
    assert places_and_codes(error.value) == ["cells.csv:0:0 R003", "units.csv:0:0 R003"]


def test_a_register_may_be_nearly_empty():
    register = load_register(
        {"units.csv": b"code,name\nu,U\n", "cells.csv": b"cell,unit,sponsor,officer,leader,coordinator\n"}, GRID, ZONE
    )
    assert register.cell("1") is None
    assert register.team("111").responsible is None
    assert register.visits(None, 0) == register.volunteer_hours() == register.compounds_of() == ()
    assert register.population("1") is None


def test_everything_wrong_is_said_at_once_in_the_order_of_the_files():
    every = {
        name: text
        for number in ("an unknown cell", "days", "a compound twice", "hours too fine", "never")
        for name, text in WRONG[number][0].items()
    }
    with pytest.raises(RegisterError) as error:
        load(**every)
    assert places_and_codes(error.value) == [
        "compounds.csv:5:1 R006", "hours.csv:2:3 R010", "phones.csv:5:4 R012", "phones.csv:6:4 R012",
        "population.csv:3:1 R007", "visits.csv:4:4 R010",
    ]  # fmt: skip


def test_columns_count_as_a_spreadsheet_does_whatever_their_order():
    with pytest.raises(RegisterError) as error:
        load(population="people,cell\nmany,111\n1,999\n")
    assert places_and_codes(error.value) == ["population.csv:2:1 R010", "population.csv:3:2 R007"]


def test_logs_may_be_cut_in_files():
    whole = load()
    rows = FILES["hours.csv"].splitlines()[1:]
    parts = {
        "hours-2025.csv": HOURS + rows[0] + "\n",
        "hours-2026-b.csv": HOURS + "\n".join(rows[1:]) + "\n",
        "visited-a.csv": "task,date\nv1,2026-03-04\nv1,2026-03-25\n",
        "visited-b.csv": "task,date\nv1,2026-03-05\n",
    }
    files = {name: text.encode() for name, text in FILES.items() if name not in ("hours.csv", "visited.csv")}
    cut = load_register(files | {name: text.encode() for name, text in parts.items()}, GRID, ZONE)
    assert cut.volunteer_hours() == whole.volunteer_hours()
    assert cut.visits(None, 1_775_000_000_000) == whole.visits(None, 1_775_000_000_000)
    parts["hours-2027.csv"] = HOURS + rows[0] + "\n"
    with pytest.raises(RegisterError) as error:
        load_register(files | {name: text.encode() for name, text in parts.items()}, GRID, ZONE)
    assert str(error.value) == "hours-2027.csv:2:2 R006 the same date as in hours-2025.csv:2"
    with pytest.raises(RegisterError, match=r"units-2\.csv:0:0 R002"):
        load_register(files | {"units-2.csv": b""}, GRID, ZONE)


def test_one_wrong_line_does_not_make_those_that_name_it_wrong():
    with pytest.raises(RegisterError) as error:
        load(people=FILES["people.csv"].replace("Bob Baker", ""))
    assert places_and_codes(error.value) == ["people.csv:3:2 R005"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_message_repeats_a_name_or_a_telephone(language):
    """Columns shifted by one: names where ids belong, telephones where days and numbers belong."""
    with pytest.raises(RegisterError) as error:
        load(
            cells="cell,unit,sponsor,officer,leader,coordinator\nAnn Archer,Ann Archer,Ann Archer,张三,13800138000,1\n",
            phones="cell,unit,phone,days,hours\n1,,Ann Archer,138 0013 8000,13800138000\n",
            population="cell,people\n111,13800138000\n112,Ann Archer\n",
            visits="id,cell,kind,every_days,since\nv1,111,k,+86 138-0013-8000,13800138000\n",
            hours="person,date,hours,cell\n张三,13800138000,13800138000,\np5,Ann Archer,张三,张三\n",
            volunteers="person,cell\nAnn Archer,13800138000\n",
            compounds="id,name,cell,firm,committee,sponsor,lon,lat\nc,n,1,张三,x,张三,13800138000,13800138000\n",
        )
    said = "\n".join(problem.render(language) for problem in error.value.problems)
    assert len(error.value.problems) > 15
    assert "Ann" not in said
    assert "张三" not in said
    assert not re.search(r"138|\d{3}[ -]?\d{4}", said.replace("2026-03-02", "").replace("100000000", ""))


@pytest.mark.parametrize(
    ("field", "quoted"),
    [("-5", "-5"), ("1.5", "1.5"), ("367", "367"), ('"1\n2"', "…"), ("Ann", "…"), ("七", "…"), ("13800138000", "***")],
)
def test_what_a_message_repeats(field, quoted):
    with pytest.raises(RegisterError) as error:
        load(visits=f"id,cell,kind,every_days,since\nv1,111,k,{field},2026-03-02\n")
    assert str(error.value) == f"visits.csv:2:4 R010 every_days must be 1..366, not '{quoted}'"


def test_both_languages_have_the_same_values():
    for code in Code:
        assert sorted(re.findall(r"{\w+}", code.en)) == sorted(re.findall(r"{\w+}", code.zh)), code
        assert re.search("[一-鿿]", code.zh)


def test_chinese():
    with pytest.raises(RegisterError) as error:
        load(cells=FILES["cells.csv"] + "12,bank,,p77,,\n")
    assert error.value.problems[0].render("zh") == "cells.csv:5:4 R008 people.csv 中没有此 officer"


def test_too_many_problems_are_cut():
    with pytest.raises(RegisterError) as error:
        load(population="cell,people\n" + "111,x\n" * (MAX_PROBLEMS + 5))
    assert len(error.value.problems) == MAX_PROBLEMS + 1
    assert error.value.problems[-1].number == "R019"


def test_progress_comes_to_twice_the_files():
    files = {name: text.encode() for name, text in FILES.items()}
    told = []
    load_register(files, GRID, ZONE, told.append)
    assert sum(told) == 2 * sum(map(len, files.values()))
    assert len(told) == 2 * len(files)


def test_nothing_personal_in_a_repr():
    register = load()
    said = f"{register.people} {register.team('111')} {register.phones('111', 0)} {register.volunteer_hours()}"
    assert "p1" in said
    assert not re.search(r"Ann|Bob|Ed Eyre|555|110-", said)


def test_the_page_lists_every_file_column_and_problem():
    page = (Path(__file__).parents[2] / "docs" / "register.md").read_text(encoding="utf-8")
    rows = {line.split("|")[1].strip(" `"): line for line in page.splitlines() if line.startswith("|")}
    for file, columns in FILE_COLUMNS.items():
        assert re.findall(r"`(\w+)`", rows[file].split("|")[2]) == list(columns)
    for code in Code:
        assert any(code.number in key for key in rows), code
