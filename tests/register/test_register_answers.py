"""What a register answers: inheritance, teams, telephones, population, volunteers, compounds."""

from datetime import date

import pytest
from register_small import FILES, GRID, at_ms, load

from dispatcher.register import Role

REGISTER = load()
HOUR_MS = 3_600_000


def who(team):
    return {str(role): (post.person.id, post.stated_by) for role, post in team.posts.items()}


def test_the_own_line_of_a_cell():
    entry = REGISTER.cell("111")
    assert (entry.unit, entry.sponsor, entry.officer, entry.leader) == ("bank", "p1", "p2", None)
    assert REGISTER.cell("112") is None
    with pytest.raises(KeyError):
        REGISTER.cell("999")


def test_each_level_has_its_unit_its_own_or_the_nearest_above():
    path = GRID.path("112")
    found = [REGISTER.responsible(path, level) for level in (1, 2, 3)]
    assert [(each.cell, each.unit.code, each.stated_by) for each in found] == [
        ("1", "street", "1"),
        ("11", "school", "11"),
        ("112", "school", "11"),
    ]
    assert [each.inherited for each in found] == [False, False, True]
    assert REGISTER.responsible(GRID.path("2"), 1) is None
    for level in (0, 4):
        with pytest.raises(IndexError):
            REGISTER.responsible(path, level)


def test_a_team_of_its_own():
    team = REGISTER.team("111")
    assert team.responsible.unit.name == "The Bank"
    assert who(team) == {
        "sponsor": ("p1", "111"), "officer": ("p2", "111"), "leader": ("p3", "11"), "coordinator": ("p4", "1")
    }  # fmt: skip
    assert [person.id for person in team.volunteers] == ["p5"]
    assert team.posts[Role.SPONSOR].person.phone == "0871-555 0101"


def test_an_inherited_team_says_where_it_comes_from():
    team = REGISTER.team("112")
    assert team.responsible.inherited
    # the school has named nobody, and the street's person is not the school's
    assert who(team) == {"leader": ("p3", "11"), "coordinator": ("p4", "1")}
    assert [person.id for person in team.volunteers] == ["p2"]
    assert who(REGISTER.team("12")) == {"sponsor": ("p6", "1"), "coordinator": ("p4", "1")}


def test_a_cell_that_nobody_stands_behind():
    team = REGISTER.team("2")
    assert (team.responsible, dict(team.posts), team.volunteers) == (None, {}, ())
    with pytest.raises(KeyError):
        REGISTER.team("999")


@pytest.mark.parametrize(
    ("cell", "at", "expected"),
    [
        ("112", "2026-03-02T09:00:00", ["110-0002"]),  # a Monday: the community answers
        ("112", "2026-03-02T20:00:00", ["110-0001"]),  # the street at night
        ("112", "2026-03-02T19:59:59.999", ["110-0002"]),
        ("112", "2026-03-07T09:00:00", []),  # Saturday by day: nobody
        ("112", "2026-03-07T07:59:00", ["110-0001"]),
        ("111", "2026-03-07T09:00:00", ["110-0003"]),  # the bank always
        ("111", "2026-03-02T09:00:00", ["110-0002", "110-0003"]),
        ("12", "2026-03-02T09:00:00", []),
        ("2", "2026-03-02T23:00:00", []),
    ],
)
def test_who_answers_the_telephone(cell, at, expected):
    assert [each.phone for each in REGISTER.phones(cell, at_ms(at))] == expected


def test_telephones_of_a_cell_that_is_none():
    with pytest.raises(KeyError):
        REGISTER.phones("999", 0)


def test_population_is_the_own_figure_or_the_sum():
    register = load(population="cell,people\n111,120\n112,80\n12,50\n")
    assert [register.population(code) for code in ("111", "11", "1", "2")] == [120, 200, 250, None]
    assert REGISTER.population("1") == 1000
    assert REGISTER.population("12") is None
    assert load(population="cell,people\n111,120\n").population("11") is None


def test_volunteers_and_their_hours():
    assert [person.id for person in REGISTER.volunteers_in("1")] == ["p2", "p5"]
    assert [person.id for person in REGISTER.volunteers_in("111")] == ["p5"]
    served = [(each.person.id, each.cell, each.days, each.served_ms) for each in REGISTER.volunteer_hours()]
    assert served == [
        ("p2", "2", 1, 4 * HOUR_MS),
        ("p5", "111", 2, 2 * HOUR_MS + 3 * HOUR_MS // 4),  # without a cell: where the volunteer is registered
        ("p5", "112", 1, HOUR_MS),
    ]
    march = REGISTER.volunteer_hours(date(2026, 3, 7), date(2026, 3, 31), "11")
    assert [(each.cell, each.days, each.served_ms) for each in march] == [
        ("111", 1, 5 * HOUR_MS // 2),
        ("112", 1, HOUR_MS),
    ]
    assert REGISTER.volunteer_hours(date(2026, 3, 8), date(2026, 3, 8), "111") == ()


def test_hours_are_exact():
    rows = "".join(f"p5,2026-03-{day:02d},0.1,\n" for day in range(1, 31))
    [served] = load(hours="person,date,hours,cell\n" + rows).volunteer_hours()
    assert served.served_ms == 3 * HOUR_MS
    assert 0.1 * 3 != 0.3


def test_compounds():
    def ids(**asked):
        return [compound.id for compound in REGISTER.compounds_of(**asked)]

    assert ids() == ["c1", "c2", "c3"]
    assert ids(firm="f1") == ids(cell="1") == ["c1", "c2"]
    assert ids(cell="11", firm="f1") == ["c1"]
    assert ids(firm="f2") == []
    assert REGISTER.compounds["c1"].lonlat == (100.005, 25.005)
    for asked in ({"firm": "f9"}, {"cell": "999"}):
        with pytest.raises(KeyError):
            REGISTER.compounds_of(**asked)


def test_the_order_of_the_lines_does_not_matter():
    turned = {
        name.removesuffix(".csv"): "\n".join([text.splitlines()[0], *reversed(text.splitlines()[1:])]) + "\n"
        for name, text in FILES.items()
    }
    register = load(**turned)
    for code in GRID.codes:
        assert register.team(code) == REGISTER.team(code)
        assert register.compounds_of(cell=code) == REGISTER.compounds_of(cell=code)
        assert register.volunteer_hours(code=code) == REGISTER.volunteer_hours(code=code)
