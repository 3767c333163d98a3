import geocoordinates_ffi as oracle
import numpy as np
import pytest

from geo import Crs, bd09_to_gcj02, gcj02_to_bd09, gcj02_to_wgs84, to_wgs84, wgs84_to_gcj02
from geo.datum import EAST, NORTH, SOUTH, WEST

RNG = np.random.default_rng(21)
LON, LAT = RNG.uniform(WEST - 3, EAST + 3, 4000), RNG.uniform(SOUTH - 3, NORTH + 3, 4000)
INLAND = (LON > WEST + 0.1) & (LON < EAST - 0.1) & (LAT > SOUTH + 0.1) & (LAT < NORTH - 0.1)


def degrees_off(ours, theirs):
    lon, lat = np.array([(point.lon, point.lat) for point in theirs]).T
    return max(np.abs(ours[0] - lon).max(), np.abs(ours[1] - lat).max())


def test_forward_agrees_with_the_oracle():
    gcj = wgs84_to_gcj02(LON, LAT)
    theirs = [oracle.wgs84_to_gcj02(oracle.Wgs84(lat=y, lon=x)) for x, y in zip(LON, LAT, strict=True)]
    assert degrees_off(gcj, theirs) < 1e-12
    bd = gcj02_to_bd09(*gcj)
    assert degrees_off(bd, [oracle.gcj02_to_bd09(point) for point in theirs]) < 1e-12
    assert np.hypot(gcj[0] - LON, gcj[1] - LAT)[INLAND].min() > 1e-4  # all of them were shifted


def test_inverse_agrees_with_the_oracle():
    lon, lat = LON[INLAND], LAT[INLAND]
    theirs = [oracle.gcj02_to_wgs84_refined(oracle.Gcj02(lat=y, lon=x)) for x, y in zip(lon, lat, strict=True)]
    assert degrees_off(gcj02_to_wgs84(lon, lat), theirs) < 1e-9
    theirs = [oracle.bd09_to_wgs84_refined(oracle.Bd09(lat=y, lon=x)) for x, y in zip(lon, lat, strict=True)]
    assert degrees_off(to_wgs84(lon, lat, "bd09"), theirs) < 1e-9


def test_there_and_back():
    gcj = wgs84_to_gcj02(LON, LAT)
    back = gcj02_to_wgs84(*gcj)
    assert np.abs(back[0] - LON)[INLAND].max() < 1e-11
    assert np.abs(back[1] - LAT)[INLAND].max() < 1e-11
    again = bd09_to_gcj02(*gcj02_to_bd09(*gcj))
    assert max(np.abs(again[0] - gcj[0]).max(), np.abs(again[1] - gcj[1]).max()) < 1e-11


@pytest.mark.parametrize(
    ("lon", "lat", "inside"),
    [
        (WEST, 30.0, True),
        (np.nextafter(WEST, 0), 30.0, False),
        (EAST, 30.0, True),
        (np.nextafter(EAST, 180), 30.0, False),
        (100.0, SOUTH, True),
        (100.0, np.nextafter(SOUTH, 0), False),
        (100.0, NORTH, True),
        (100.0, np.nextafter(NORTH, 90), False),
        (-73.98, 40.75, False),
    ],
)
def test_the_border_is_the_published_rectangle(lon, lat, inside):
    assert (wgs84_to_gcj02([lon], [lat])[0][0] != lon) == inside
    assert (gcj02_to_wgs84([lon], [lat])[0][0] != lon) == inside
    assert oracle.out_of_china(lat, lon) == (not inside)


def test_a_published_example():
    """Tiananmen, as in the README of wandergis/coordtransform."""
    gcj = wgs84_to_gcj02(116.404, 39.915)
    assert [float(value) for value in gcj] == pytest.approx([116.41024449916938, 39.91640428150164], abs=1e-12)
    bd = gcj02_to_bd09(116.404, 39.915)
    assert [float(value) for value in bd] == pytest.approx([116.41036949371029, 39.92133699351021], abs=1e-12)


def test_batches_and_shapes_do_not_matter():
    for crs in ("gcj02", "bd09"):
        whole = np.stack(to_wgs84(LON, LAT, crs))
        parts = [np.stack(to_wgs84(LON[i : i + 13], LAT[i : i + 13], crs)) for i in range(0, 4000, 13)]
        assert np.concatenate(parts, axis=1).tobytes() == whole.tobytes()
        square = to_wgs84(LON.reshape(40, 100), LAT.reshape(40, 100), crs)
        assert square[0].ravel().tobytes() == whole[0].tobytes()
        assert float(to_wgs84(LON[5], LAT[5], crs)[1]) == whole[1][5]


def test_what_is_no_position_passes():
    odd = np.array([np.nan, np.inf, -np.inf, 1e300, 0.0, 500.0])
    for crs in ("wgs84", "gcj02"):
        np.testing.assert_array_equal(to_wgs84(odd, odd, crs)[0], odd)
    lon, lat = to_wgs84(odd, odd, "bd09")
    np.testing.assert_array_equal(np.delete(lon, 4), np.delete(odd, 4))
    back = gcj02_to_bd09(lon[4], lat[4])
    assert abs(float(back[0])) < 1e-9
    assert float(gcj02_to_bd09(0.0, 0.0)[0]) == pytest.approx(0.0065)


def test_inputs_are_left_alone_and_systems_are_named():
    lon, lat = np.array([116.4]), np.array([39.9])
    to_wgs84(lon, lat, Crs.BD09)
    assert (lon[0], lat[0]) == (116.4, 39.9)
    with pytest.raises(ValueError, match="utm"):
        to_wgs84(lon, lat, "utm")
