"""The functions of the equations take numbers, Fractions, arrays and quantities with units alike."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pint
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbongrid.inventory import equations

FUNCTIONS = [
    function
    for name, function in inspect.getmembers(equations, inspect.isfunction)
    if not name.startswith("_") and function.__module__ == equations.__name__
]
UNITS: Any = pint.UnitRegistry()


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
@settings(max_examples=15)
@given(st.data())
def test_numbers_fractions_and_arrays_agree(
    function: Callable[..., Any], data: st.DataObject
) -> None:
    count = len(inspect.signature(function).parameters)
    values = data.draw(
        st.lists(
            st.fractions(Fraction(1, 10), 9, max_denominator=40), min_size=count, max_size=count
        )
    )
    exact = function(*values)
    single = function(*(float(value) for value in values))
    arrays = function(*(np.array([float(value), float(value)]) for value in values))
    assert np.isclose(float(exact), single, rtol=1e-9, atol=1e-6)
    assert arrays.shape == (2,)
    assert np.allclose(arrays, single, rtol=1e-12, atol=1e-12)


def test_every_term_is_in_the_table_of_the_module() -> None:
    plain = ("co2_of_carbon", "nitrous_oxide_of_nitrogen", "co2_equivalent")
    for function in FUNCTIONS:
        if function.__name__ not in plain:
            assert function.__name__ in (equations.__doc__ or "")
            assert re.search(r"(?i)equations? \(\d", function.__doc__ or ""), function.__name__


def test_quantities_with_units() -> None:
    carbon = equations.fuel_carbon(
        10 * UNITS.kilotonne,
        25.8 * UNITS.terajoule / UNITS.kilotonne,
        25.8 * UNITS.tonne / UNITS.terajoule,
        1,
    )
    assert np.isclose(
        equations.co2_of_carbon(carbon).to("tonne").magnitude, 10 * 25.8 * 25.8 * 44 / 12
    )
    rice = equations.rice_methane(
        100 * UNITS.hectare, 120 * UNITS.day, 1.3 * UNITS.kilogram / UNITS.hectare / UNITS.day, 0.52, 1.22,
        3 * UNITS.tonne / UNITS.hectare, 1 * UNITS.tonne / UNITS.hectare, 1,
    )  # fmt: skip
    assert np.isclose(rice.to("tonne").magnitude, 100 * 120 * 1.3e-3 * 0.52 * 1.22 * 4**0.59)
    decayed = equations.landfill_decay(
        1000 * UNITS.tonne, 1, 0.15, 0.5, 0.5, 0 * UNITS.tonne, 0, 0.185, np.array([0, 1, 2])
    )
    expected = [0.0] + [
        1000 * 0.15 * 0.5 * (np.exp(-0.185 * k) - np.exp(-0.185 * (k + 1))) * 0.5 * 16 / 12
        for k in (0, 1)
    ]
    assert np.allclose(decayed.to("tonne").magnitude, expected)
    with pytest.raises(pint.DimensionalityError):
        equations.industrial_wastewater(1 * UNITS.tonne, 1 * UNITS.metre, 0.25, 0.8, 0)


def test_decay_of_all_years_is_the_mass_balance() -> None:
    """Put down once and left for ever, a tonne gives by decay what the mass balance gives at once."""
    parts = (1000, 0.8, 0.15, 0.5, 0.5, 0, 0.1)
    years = np.arange(0, 400)
    whole = equations.landfill_decay(*parts, 0.09, years).sum()
    assert np.isclose(whole, equations.landfill_balance(*parts), rtol=1e-12)


def test_gross_less_sink_is_net() -> None:
    gross = equations.gross_emission(1, 2, 3, 4, 5)
    assert (gross, equations.net_emission(gross, 6)) == (15, 9)
    assert equations.co2_of_carbon(Fraction(12)) == 44
    assert equations.nitrous_oxide_of_nitrogen(Fraction(28)) == 44
    assert equations.co2_equivalent(Fraction(2), 28) == 56
