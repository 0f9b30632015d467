"""What part each zone has: against sums in plain Python, in grams and in tonnes."""

from __future__ import annotations

import math
from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables_example import example_tables

from carbongrid.outputs.zone_shares import zone_shares

UNITS = example_tables().units


@given(st.lists(st.integers(0, 4), min_size=6, max_size=6))
def test_shares_are_those_of_plain_sums(codes: list[int]) -> None:
    """Seen to fail with 0 for a GDP that is not known."""
    units = UNITS.assign(zone=codes)
    rows = {row.zone.code: row for row in zone_shares(units)}
    assert list(rows) == [1, 2, 3, 4, *([0] if 0 in codes else [])]
    of = {
        "unit_share": [1] * 6,
        "emission_share": units["emission_g"].tolist(),
        "sink_share": units["sink_g"].tolist(),
        "gdp_share": [None if pd.isna(gdp) else int(gdp) for gdp in units["gdp"]],
    }
    for name, values in of.items():
        known = [value for value in values if value is not None]
        for code, row in rows.items():
            inside = [v for v, own in zip(values, codes, strict=True) if own == code]
            if inside and all(value is None for value in inside):
                assert math.isnan(getattr(row, name))
                continue
            told = Fraction(sum(v for v in inside if v is not None), sum(known))
            assert getattr(row, name) == float(told), name
    areas = units.geometry.area.tolist()
    for code, row in rows.items():
        inside = [area for area, own in zip(areas, codes, strict=True) if own == code]
        assert row.area_share == pytest.approx(sum(inside) / sum(areas), abs=1e-12)
        assert row.count == codes.count(code)


def test_tonnes_have_the_shares_of_grams() -> None:
    tonnes = UNITS.assign(emission_t=UNITS["emission_g"] / 1e6, sink_t=UNITS["sink_g"] / 1e6)
    for of_grams, of_tonnes in zip(zone_shares(UNITS), zone_shares(tonnes, "t"), strict=True):
        assert of_tonnes.emission * 1e6 == pytest.approx(of_grams.emission, rel=1e-12, abs=1)
        for name in (
            "unit_share",
            "area_share",
            "emission_share",
            "sink_share",
            "gdp_share",
            "ccr",
        ):
            told = getattr(of_grams, name)
            assert getattr(of_tonnes, name) == pytest.approx(told, rel=1e-12, nan_ok=True)
