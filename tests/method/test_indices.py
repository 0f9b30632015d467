"""Equations (8) to (10) against exact fractions."""

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from carbongrid.errors import InputError
from carbongrid.method.indices import indices

MASS = st.integers(0, 10**18)
UNITS = st.lists(st.tuples(MASS, MASS, st.none() | st.integers(0, 10**15)), min_size=1, max_size=12)
POSITIVE = st.lists(
    st.tuples(st.integers(1, 10**18), MASS, st.integers(0, 10**15)), min_size=1, max_size=12
)


def ratio(numerator, denominator):
    if denominator:
        return numerator / denominator
    return math.inf if numerator else math.nan


def oracle(rows):
    """Equations (8) to (10), one unit after the other, in fractions."""
    known = [(c, g) for c, _, g in rows if g is not None]
    C, CA = sum(c for c, _, _ in rows), sum(ca for _, ca, _ in rows)
    C_known, G = sum(c for c, _ in known), sum(g for _, g in known)
    out = []
    for c, ca, g in rows:
        ccr = ratio(Fraction(ca), c)
        ecc = math.nan
        if g is not None and G and C_known:
            ecc = ratio(Fraction(g, G), Fraction(c, C_known))
        esc = ratio(Fraction(ca, CA), Fraction(c, C)) if CA and C else math.nan
        out.append((ccr, ecc, esc))
    return out


def of(rows):
    emission, sink, gdp = zip(*rows, strict=True)
    return indices(emission, sink, np.array(gdp, dtype=np.float64))


@given(UNITS)
def test_every_index_is_its_fraction(rows):
    """Seen to fail when C of the ECC kept the units of unknown GDP, and when ESC lost its C (CA_i/CA/C_i)."""
    result = of(rows)
    for k, name in enumerate(("ccr", "ecc", "esc")):
        expected = [float(row[k]) for row in oracle(rows)]
        np.testing.assert_allclose(result[name].to_numpy(), expected, rtol=1e-14)


@given(POSITIVE.filter(lambda rows: sum(row[1] for row in rows) > 0))
def test_esc_is_ccr_over_the_regions_ccr(rows):
    """Seen to fail when CA was the mean of CA_i instead of the sum."""
    result = of(rows)
    C, CA = sum(row[0] for row in rows), sum(row[1] for row in rows)
    np.testing.assert_allclose(result["esc"], result["ccr"] * C / CA, rtol=1e-13)


@given(POSITIVE.filter(lambda rows: sum(r[1] for r in rows) > 0 and sum(r[2] for r in rows) > 0))
def test_share_weighted_means(rows):
    """Seen to fail when ECC was (C_i/C)/(G_i/G), and when CCR was CA_i/(C_i + CA_i)."""
    result = of(rows)
    C = sum(row[0] for row in rows)
    shares = np.array([row[0] / C for row in rows])
    assert math.fsum(shares * result["ecc"].to_numpy()) == pytest.approx(1, rel=1e-13)
    assert math.fsum(shares * result["esc"].to_numpy()) == pytest.approx(1, rel=1e-13)
    region = sum(row[1] for row in rows) / C
    assert math.fsum(shares * result["ccr"].to_numpy()) == pytest.approx(region, rel=1e-13)


def test_zero_and_unknown():
    result = indices([0, 0, 4, 6], [5, 0, 0, 5], [1.0, 0.0, np.nan, 3.0])
    np.testing.assert_array_equal(result["ccr"], [np.inf, np.nan, 0, 5 / 6])
    np.testing.assert_array_equal(result["ecc"], [np.inf, np.nan, np.nan, 0.75])
    np.testing.assert_allclose(result["esc"], [np.inf, np.nan, 0, 0.5 / 0.6])


def test_a_region_without_gdp_or_sink_has_no_index():
    result = indices([4, 6], [0, 0], [0, 0])
    assert np.isnan(result["ecc"]).all()
    assert np.isnan(result["esc"]).all()
    assert (result["ccr"] == 0).all()


def test_coordinates_and_attributes():
    emission = xr.DataArray([1, 3], dims="township", coords={"township": ["01", "02"]})
    result = indices(emission, emission, pd.Series([1, None], dtype="Int64"))
    assert result["ecc"].dims == ("township",)
    assert result["township"].to_numpy().tolist() == ["01", "02"]
    for variable in result.data_vars.values():
        assert variable.attrs["units"] == "1"
        assert variable.attrs["long_name"]
    assert indices([1], [1], [1])["ccr"].dims == ("unit",)


@pytest.mark.parametrize(
    ("emission", "sink", "gdp", "named"),
    [
        ([1, -1], [0, 0], [1, 1], "emission"),
        ([1, np.nan], [0, 0], [1, 1], "emission"),
        ([1, 1], [0, np.inf], [1, 1], "sink"),
        ([1, 1], [0, 1], [1, -5], "gdp"),
        ([1, 1], [0, 1], [1], "equally long"),
        ([[1, 1]], [0, 1], [1, 1], "one dimension"),
    ],
)
def test_bad_input_is_named(emission, sink, gdp, named):
    with pytest.raises(InputError, match=named):
        indices(emission, sink, gdp)
