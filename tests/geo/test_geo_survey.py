import pytest
from geo_oracles import collection, feature, metres_per_degree

from geo import GridWarning, Untidiness, load_grid, survey


def square_m2(width, height, lat):
    x_m, y_m = metres_per_degree(lat)
    return pytest.approx(width * x_m * height * y_m, rel=1e-5)


def warnings(*features, **options):
    return survey(load_grid(collection(*features)), **options)


TOWN = feature("1", (10, 20, 10.2, 20.1))


def test_a_tidy_grid_has_no_warnings():
    tidy = [TOWN, feature("11", (10, 20, 10.1, 20.1), parent="1"), feature("12", (10.1, 20, 10.2, 20.1), parent="1")]
    assert warnings(*tidy, min_area_m2=0.0) == []


def test_an_overlap_is_found_once():
    [found] = warnings(
        TOWN, feature("12", (10.09, 20, 10.2, 20.1), parent="1"), feature("11", (10, 20, 10.1, 20.1), parent="1")
    )
    assert found == GridWarning(Untidiness.OVERLAP, ("11", "12"), found.area_m2)
    assert found.area_m2 == square_m2(0.01, 0.1, 20.05)
    assert str(found) == f"overlap: 11 and 12 overlap, {found.area_m2:.0f} m²"


def test_roots_overlap_too_and_so_do_leaves_of_different_levels():
    found = warnings(
        TOWN,
        feature("2", (10.1, 20, 10.3, 20.1)),
        feature("11", (10, 20, 10.2, 20.1), parent="1"),
        min_area_m2=1.0,
    )
    assert [warning.cells for warning in found] == [("1", "2"), ("11", "2")]
    assert {warning.kind for warning in found} == {Untidiness.OVERLAP}


def test_a_gap():
    [found] = warnings(TOWN, feature("11", (10, 20, 10.15, 20.1), parent="1"))
    assert found == GridWarning(Untidiness.GAP, ("1",), found.area_m2)
    assert found.area_m2 == square_m2(0.05, 0.1, 20.05)
    assert "1 is not wholly covered by its children" in str(found)


def test_overhang():
    [found] = warnings(TOWN, feature("11", (9.99, 20, 10.2, 20.1), parent="1"))
    assert found == GridWarning(Untidiness.OVERHANG, ("11", "1"), found.area_m2)
    assert found.area_m2 == square_m2(0.01, 0.1, 20.05)
    assert "11 reaches outside its parent 1" in str(found)


def test_order_and_threshold():
    features = [
        TOWN,
        feature("11", (9.98, 20, 10.11, 20.1), parent="1"),
        feature("12", (10.1, 20, 10.19, 20.101), parent="1"),
    ]
    found = warnings(*features)
    assert [(warning.kind.value, warning.cells) for warning in found] == [
        ("overlap", ("11", "12")),
        ("gap", ("1",)),
        ("overhang", ("11", "1")),
        ("overhang", ("12", "1")),
    ]
    assert warnings(*features, min_area_m2=found[2].area_m2) == [found[2]]


def test_the_synthetic_city_is_tidy(city_grid):
    assert survey(city_grid, min_area_m2=0.0) == []


def test_the_real_boundaries_overhang(nyc_grid):
    found = survey(nyc_grid)
    area_km2 = {
        (kind, root): sum(w.area_m2 for w in found if w.kind is kind and w.cells[-1][0] == root) / 1e6
        for kind in Untidiness
        for root in nyc_grid.cells_at(1)
    }
    assert area_km2[Untidiness.OVERHANG, "4"] == pytest.approx(2.170, abs=0.002)  # Queens alone
    assert sum(area_km2[Untidiness.OVERHANG, root] for root in "12345") == pytest.approx(3.875, abs=0.002)
    assert sum(area_km2[Untidiness.GAP, root] for root in "12345") == pytest.approx(3.663, abs=0.01)
    assert {w.cells for w in found if w.kind is Untidiness.OVERLAP} == {("408", "413"), ("409", "410")}
