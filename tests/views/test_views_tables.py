import csv
import io
import json

import pytest
from views_cases import MINUTE_MS, START_MS, Life
from views_city import City
from views_random import random_lives

from dispatcher.core import ms_to_text
from dispatcher.views import (
    EXCLUDED,
    RATES,
    TERMS,
    Cohort,
    Measures,
    Projection,
    Rate,
    measure,
    measures_csv,
    measures_json,
    measures_table,
    percent,
)
from dispatcher.views.tables import term_titles


@pytest.fixture(scope="module")
def measures() -> Measures:
    city, view = City(), Projection(":memory:")
    city.publish(random_lives(8, 200))
    view.catch_up(city.ledger)
    return measure(view, Cohort(view.latest_ms), "department")


@pytest.mark.parametrize(
    ("numerator", "denominator", "text"),
    [(597, 601, "99.33 %"), (601, 601, "100.00 %"), (0, 601, "0.00 %"), (0, 0, "–"), (2, 3, "66.67 %"),
     (99_999, 100_000, "99.99 %"), (1, 100_000, "0.01 %"), (1, 8, "12.50 %")],
)  # fmt: skip
def test_percent(numerator, denominator, text):
    assert percent(Rate(numerator, denominator)) == text


def test_the_table_shows_every_rate_with_both_terms(measures):
    table = measures_table(measures)
    assert table.headings[:2] == ["department", "received"]
    column = table.headings.index("on-time closure rate")
    for group, row in zip([*measures.groups, measures.total], [*table.rows, table.total], strict=True):
        rate = group.rates["on_time_closure"]
        assert row[column] == f"{percent(rate)} ({rate.numerator}/{rate.denominator})"
        assert len(row) == len(table.headings)
    assert [row[0] for row in table.rows] == ["(none)", "fire", "gas", "water"]
    assert table.total[0] == "total"


def test_what_was_left_out_has_a_column_where_there_was_any(measures):
    headings = measures_table(measures).headings
    assert "voided" in headings
    assert "without deadline" in headings
    assert "closed by force" not in headings


def test_chinese_headings_and_names(measures):
    table = measures_table(measures, "zh", {"gas": "燃气公司"})
    assert table.headings[0] == "部门"
    assert {"应结案", "办结率（应结）", "按时办结率"} <= set(table.headings)
    assert [row[0] for row in table.rows] == ["（无）", "fire", "燃气公司", "water"]
    assert table.total[0] == "合计"
    for lang in ("zh", "en"):
        titles = term_titles(lang)
        assert set(titles) == {*TERMS, *RATES}
        assert len(set(titles.values())) == len(titles)


def test_csv_holds_all_terms_and_rates(measures):
    rows = list(csv.reader(io.StringIO(measures_csv(measures, "en"))))
    assert all(len(row) == 1 + len(TERMS) + len(RATES) for row in rows)
    for group, row in zip([*measures.groups, measures.total], rows[1:], strict=True):
        assert row[1 : 1 + len(TERMS)] == [str(group.terms[name]) for name in TERMS]
        for rate, text in zip(group.rates.values(), row[1 + len(TERMS) :], strict=True):
            assert text == ("" if rate.value is None else f"{rate.numerator / rate.denominator:.6f}")
    assert rows[1][rows[0].index("closure rate (due)")] == ""  # nothing there was filed: no sample
    assert measures_csv(measures, "zh", {"fire": "消防"}).splitlines()[2].startswith("消防,")


def test_json_holds_codes_terms_and_rates(measures):
    document = json.loads(measures_json(measures))
    assert document["as_of"] == ms_to_text(measures.cohort.as_of_ms)
    assert (document["basis"], document["from"], document["to"], document["by"]) == ("filed", None, None, "department")
    assert [group["code"] for group in document["groups"]] == [None, "fire", "gas", "water"]
    rate = measures.total.rates["closure_due"]
    assert document["total"]["rates"]["closure_due"] == {
        "numerator": rate.numerator, "denominator": rate.denominator, "value": rate.value,
    }  # fmt: skip
    assert document["groups"][0]["rates"]["closure_due"]["value"] is None
    assert set(document["total"]["terms"]) == {*TERMS} >= {*EXCLUDED}


def test_an_ungrouped_measure_is_one_line():
    life = Life("20260921-000-00001", START_MS)
    city, view = City(), Projection(":memory:")
    city.publish([life])
    view.catch_up(city.ledger)
    found = measure(view, Cohort(START_MS, "due", START_MS, START_MS + MINUTE_MS))
    table = measures_table(found)
    assert (table.headings[0], table.rows) == ("all", [])
    assert table.total[1] == "1"
    document = json.loads(measures_json(found))
    assert (document["by"], document["groups"]) == (None, [])
    assert (document["from"], document["to"]) == (ms_to_text(START_MS), ms_to_text(START_MS + MINUTE_MS))
    assert measures_csv(found).startswith("all,received,")
