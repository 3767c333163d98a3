import csv
import io
from datetime import timedelta
from fractions import Fraction

import pytest
from views_cases import MINUTE_MS, START_MS, Life
from views_city import view_of
from views_random import random_lives

from dispatcher.core import ms_to_text
from dispatcher.views import (
    EXCLUDED,
    RATES,
    TERMS,
    Cohort,
    Grouping,
    Measures,
    Rate,
    all_terms,
    cell_text,
    cell_value,
    measure,
    measures_document,
    measures_table,
    percent,
    table_csv,
)
from dispatcher.views.titles import title


@pytest.fixture(scope="module")
def measures() -> Measures:
    view = view_of(random_lives(8, 200))
    return measure(view, Cohort(view.latest_ms), Grouping("department"))


@pytest.mark.parametrize(
    ("numerator", "denominator", "text"),
    [(597, 601, "99.33 %"), (601, 601, "100.00 %"), (0, 601, "0.00 %"), (0, 0, "–"), (2, 3, "66.67 %"),
     (99_999, 100_000, "99.99 %"), (1, 100_000, "0.01 %"), (1, 8, "12.50 %")],
)  # fmt: skip
def test_percent(numerator, denominator, text):
    assert percent(Rate(numerator, denominator)) == text


def test_cells():
    assert cell_text(Rate(597, 601)) == "597/601 99.33 %"
    assert cell_text(Rate(0, 0)) == "0/0 –"
    assert (cell_text(Fraction(7, 8)), cell_value(Fraction(7, 8))) == ("87.50", 0.875)
    assert (cell_text(timedelta(minutes=90)), cell_value(timedelta(minutes=90))) == ("1.5 h", 5400.0)
    assert (cell_text(None), cell_value(None), cell_value(Rate(0, 0))) == ("–", None, None)
    assert (cell_text(7), cell_value(7), cell_value("x")) == ("7", 7, "x")


def test_the_table_shows_every_rate_with_both_terms(measures):
    table = measures_table(measures)
    assert table.headings[:2] == ["department", "received"]
    column = table.headings.index("on-time closure rate")
    for group, row in zip([*measures.groups, measures.total], [*table.rows, table.total], strict=True):
        assert row[column] == group.rates["on_time_closure"]
        assert len(row) == len(table.headings)
    assert [row[0] for row in table.rows] == ["(none)", "fire", "gas", "water"]
    assert table.total[0] == "total"
    assert {"voided", "without deadline"} <= set(table.headings)
    assert "closed by force" not in table.headings


def test_adjusted_rates_stand_beside_the_raw_ones(measures):
    fewer = measures._replace(groups=measures.groups[1:])
    table = measures_table(measures, fewer, "en")
    raw = table.headings.index("on-time closure rate")
    assert table.headings[raw + 1] == "on-time closure rate (adjusted)"
    assert table.rows[0][raw + 1] == Rate(0, 0)
    assert table.rows[1][raw + 1] == table.rows[1][raw]
    assert measures_document(measures, fewer)["without_exempt"]["total"] == measures_document(measures)["total"]


def test_chinese_headings_and_names(measures):
    table = measures_table(measures, None, "zh", {"gas": "燃气公司"}, narrow=True)
    assert table.headings == ["部门", "应结案", "逾期未办", "办结率（应结）", "按时办结率"]
    assert [row[0] for row in table.rows] == ["（无）", "fire", "燃气公司", "water"]
    for lang in ("zh", "en"):
        titles = {title(name, lang) for name in (*TERMS, *RATES)}
        assert len(titles) == len(TERMS) + len(RATES)
        assert not titles & ({*TERMS, *RATES} if lang == "zh" else set())


def test_csv_holds_all_terms_and_rates(measures):
    rows = list(csv.reader(io.StringIO(table_csv(all_terms(measures)))))
    assert all(len(row) == 1 + len(TERMS) + len(RATES) for row in rows)
    for group, row in zip([*measures.groups, measures.total], rows[1:], strict=True):
        assert row[1 : 1 + len(TERMS)] == [str(group.terms[name]) for name in TERMS]
        for rate, text in zip(group.rates.values(), row[1 + len(TERMS) :], strict=True):
            assert text == ("" if rate.value is None else f"{rate.numerator / rate.denominator:.6f}")
    assert rows[1][rows[0].index("closure rate (due)")] == ""  # nothing there was filed: no sample


def test_json_holds_codes_terms_and_rates(measures):
    found = measures_document(measures)
    assert found["as_of"] == ms_to_text(measures.cohort.as_of_ms)
    assert (found["basis"], found["from"], found["to"], found["by"]) == ("filed", None, None, "department")
    assert [group["code"] for group in found["groups"]] == [None, "fire", "gas", "water"]
    rate = measures.total.rates["closure_due"]
    assert found["total"]["rates"]["closure_due"] == {**rate._asdict(), "value": rate.value}
    assert found["groups"][0]["rates"]["closure_due"]["value"] is None
    assert set(found["total"]["terms"]) == {*TERMS} >= {*EXCLUDED}


def test_an_ungrouped_measure_is_one_line():
    view = view_of([Life("20260921-000-00001", START_MS)])
    found = measure(view, Cohort(START_MS, "due", START_MS, START_MS + MINUTE_MS))
    table = measures_table(found)
    assert (table.headings[0], table.rows, table.total[1]) == ("all", [], 1)
    document = measures_document(found)
    assert (document["by"], document["groups"]) == (None, [])
    assert (document["from"], document["to"]) == (ms_to_text(START_MS), ms_to_text(START_MS + MINUTE_MS))
