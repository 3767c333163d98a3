import random
from datetime import date, timedelta
from fractions import Fraction

import pytest

from dispatcher.views import (
    InspectionError,
    Rate,
    Scoring,
    boards,
    firms_of,
    inspected,
    read_firms,
    read_inspections,
    scored,
)

ALL = (date.min, date.max)


def scoring(minimum: int = 1, red: int = 1, black: int = 1, **weights: int) -> Scoring:
    return Scoring(weights, minimum, red, black)


def test_the_composite_is_the_weighted_mean_of_what_is_known():
    rates = {"on_time_closure_rate": Rate(9, 10), "rework_rate": Rate(1, 5), "inspection": Rate(0, 0)}
    (one,) = scored([("gas", 10, rates)], scoring(on_time_closure_rate=60, rework_rate=20, inspection=20))
    assert one.composite == (60 * Fraction(9, 10) + 20 * Fraction(4, 5)) / 80
    assert (one.missing, set(one.known)) == (("inspection",), {"on_time_closure_rate", "rework_rate"})


def test_ties_share_a_rank_the_next_is_skipped_and_the_few_are_shown_unranked():
    units = [("d", 9, 3), ("a", 9, 8), ("c", 9, 8), ("b", 9, 9), ("few", 2, 10), ("e", 9, 0)]
    found = scored(
        [(code, cases, {"closure_rate": Rate(n, 10)}) for code, cases, n in units], scoring(5, closure_rate=1)
    )
    assert [(one.unit, one.rank) for one in found] == [("b", 1), ("a", 2), ("c", 2), ("d", 4), ("e", 5), ("few", None)]
    nothing = scored([("x", 9, {"closure_rate": Rate(0, 0)})], scoring(closure_rate=1))[0]
    assert (nothing.composite, nothing.rank, nothing.missing) == (None, None, ("closure_rate",))


def test_boards_name_everyone_at_their_last_place_and_nobody_twice():
    units = [(code, 9, {"closure_rate": Rate(n, 10)}) for code, n in zip("abcdef", (9, 8, 8, 5, 2, 2), strict=True)]
    found = scored(units, scoring(closure_rate=1))
    named = boards(found, 2, 1)
    assert [one.unit for one in named.red] == ["a", "b", "c"]
    assert [one.unit for one in named.black] == ["f", "e"]
    everyone = boards(found, 9, 9)
    assert (len(everyone.red), everyone.black) == (6, [])
    assert boards(found, 0, 0) == ([], [])


# --- inspections: the seed's size --------------------------------------------------------------------------------


def seeds_files() -> tuple[str, str]:
    """216 compounds of 71 property firms, inspected in five issues."""
    rng = random.Random(71)
    lines, firms = ["unit,kind,date,score,max,notes"], ["compound,firm"]
    firms += [f"c{n:03d},f{n % 71:02d}" for n in range(216)]
    for issue in range(5):
        day = date(2026, 1, 15) + timedelta(days=30 * issue)
        hundredths = rng.sample(range(6000, 10_000), 216)  # no two alike: a tie at the edge would lengthen a board
        lines += [f"c{n:03d},compound,{day},{hundredths[n] / 100:.2f},100,issue {issue + 1}"
                  for n in range(216)]  # fmt: skip
    return "\n".join(lines), "\n".join(firms)


def test_20_compounds_on_red_boards_of_five_issues_and_14_on_black_ones_of_three():
    text, firms = seeds_files()
    looked = read_inspections(text)
    red, black = [], []
    for issue, worst in enumerate((0, 5, 0, 5, 4)):
        first = date(2026, 1, 1) + timedelta(days=30 * issue)
        days = (first, first + timedelta(days=30))
        units = [(unit, n, {"inspection": rate}) for unit, (n, rate) in inspected(looked, "compound", days).items()]
        assert len(units) == 216
        named = boards(scored(units, scoring(inspection=1)), 4, worst)
        points = {one.unit: one.score for one in looked if days[0] <= one.day < days[1]}
        ordered = sorted(points.values())
        assert [points[one.unit] for one in named.red] == ordered[: -4 - 1 : -1]
        assert [points[one.unit] for one in named.black] == ordered[:worst]
        red += named.red
        black += named.black
    assert (len(red), len(black)) == (20, 14)
    of_firms = inspected(firms_of(looked, read_firms(firms)), "property", ALL)
    assert len(of_firms) == 71
    assert sum(count for count, _ in of_firms.values()) == 5 * 216
    assert sum(rate.numerator for _, rate in of_firms.values()) == sum(one.score for one in looked)


def test_a_firms_own_inspections_count_and_other_kinds_do_not():
    looked = read_inspections(
        "\ufeffunit,kind,date,score,max\nc1,compound,2026-01-01,8,10\nf1,property,2026-01-02,95.5,100\ngas,department,2026-01-02,1,2\n"
    )
    assert inspected(firms_of(looked, {"c1": "f1"}), "property", ALL) == {"f1": (2, Rate(800 + 9550, 1000 + 10_000))}
    assert inspected(looked, "department", (date(2026, 1, 2), date(2026, 1, 3))) == {"gas": (1, Rate(100, 200))}
    assert inspected(looked, "department", (date(2026, 1, 3), date(2026, 1, 4))) == {}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (",compound,2026-01-01,1,2", "line 2: no unit"), ("c,house,2026-01-01,1,2", "kind is one of"),
        ("c,compound,1.1.2026,1,2", "a date is written"), ("c,compound,2026-01-01,3,2", "a score lies between"),
        ("c,compound,2026-01-01,x,2", "x is no number"), ("c,compound,2026-01-01,1.234,2", "two decimals"),
        ("c,compound,2026-01-01,0,0", "a score lies between"), ("c,compound,2026-01-01,NaN,2", "two decimals"),
    ],
)  # fmt: skip
def test_a_wrong_line_is_named(line, said):
    with pytest.raises(InspectionError, match=said):
        read_inspections(f"unit,kind,date,score,max\n{line}\n")


def test_wrong_files_are_named():
    with pytest.raises(InspectionError, match="no column kind"):
        read_inspections("unit,date,score,max\n")
    with pytest.raises(InspectionError, match="two firms"):
        read_firms("compound,firm\nc,f\nc,g\n")
    with pytest.raises(InspectionError, match="are wanted"):
        read_firms("compound,firm\nc,\n")
    with pytest.raises(InspectionError, match="has no firm"):
        firms_of(read_inspections("unit,kind,date,score,max\nc,compound,2026-01-01,1,2"), {})
    many = "unit,kind,date,score,max\n" + "c,compound,2026-01-01,1,2\n" * 100_001
    with pytest.raises(InspectionError, match="at most"):
        read_inspections(many)
