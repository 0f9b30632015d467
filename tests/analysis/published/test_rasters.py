"""Grams that cells of a published raster emit in a year, by hand: units, days, negative and infinite values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from carbongrid.analysis.published.months import Dates
from carbongrid.analysis.published.rasters import (
    OpenedRaster,
    PublishedRaster,
    Remark,
    Window,
    inside_window,
    rasters_of,
)
from carbongrid.analysis.published.units_of_measure import read_unit
from carbongrid.errors import InputError
from carbongrid.raster.grid import Grid

GRID = Grid("EPSG:32650", 100.0, (500_000, 4_000_000, 500_800, 4_000_500))
WHOLE = Window((0, 0), GRID)
TOUCHED = np.arange(40).reshape(5, 8) < 16
"""Cells that units touch: the two rows in the north."""


def grams_of(
    values: np.ndarray, unit: str, months: tuple[int, ...] = (), years: tuple[int, ...] = ()
) -> tuple[np.ndarray, list[Remark]]:
    layers = xr.DataArray(
        values.reshape(-1, *GRID.shape), dims=("layer", "y", "x"), coords={"y": GRID.y, "x": GRID.x}
    )
    dates = Dates(years, months, of_a_month=len(months) == 1)
    opened = OpenedRaster("a.nc", "", layers, GRID, read_unit(unit), dates, ())
    return opened.grams(WHOLE, TOUCHED, 2020)


@pytest.mark.parametrize(
    ("unit", "grams"),
    [
        ("t CO2 yr-1", 1e6),
        ("t C yr-1", 11e6 / 3),
        ("g C yr-1", 11 / 3),  # seen to be rounded to 4 where nothing looked
        ("kg C m-2 yr-1", 1e4 * 11e3 / 3),
        ("t CO2 km-2 day-1", 366 * 1e4),
    ],
)
def test_a_value_of_one_is_the_grams_of_its_unit(unit: str, grams: float) -> None:
    found, told = grams_of(np.ones(GRID.shape), unit)
    np.testing.assert_allclose(found, grams, rtol=1e-14)
    assert told == []


def test_days_are_those_of_each_layer_s_own_month_and_year() -> None:
    """Of two of the months that differ, one of a leap year: neither a year's twelfth nor the run's February."""
    values = np.ones((12, *GRID.shape))
    for years, days in (((2019,), 28), ((), 29)):
        months = np.zeros_like(values)
        months[1] = 1
        np.testing.assert_array_equal(grams_of(months, "g CO2 day-1", tuple(range(1, 13)), years)[0], days)  # fmt: skip
        np.testing.assert_array_equal(grams_of(values, "g CO2 day-1", tuple(range(1, 13)), years)[0], days + 337)  # fmt: skip


def test_negative_values_count_as_nothing_and_are_taken_off_no_other_layer() -> None:
    """Seen to go unnoticed where the sums of units were looked at to a ten thousandth: a trifle is less."""
    values = np.full((12, *GRID.shape), 1000.0)
    values[3, 0, 0] = -5.0
    found, [(problem, _)] = grams_of(values, "g CO2 month-1", tuple(range(1, 13)))
    assert found[0, 0] == 11_000
    assert "1 cell that units touch has a negative value (the lowest is -5), 5e-06 t together" in problem.what  # fmt: skip
    unknown, _ = grams_of(-np.ones(GRID.shape) * ~TOUCHED + np.ones(GRID.shape) * TOUCHED, "t CO2 yr-1")  # fmt: skip
    np.testing.assert_array_equal(unknown, np.where(TOUCHED, 1e6, 0))


@pytest.mark.parametrize(("unit", "days"), [("t CO2 yr-1", 1), ("t CO2 day-1", 366)])
def test_what_negative_values_take_away_is_told_of_the_same_time_as_the_whole(unit: str, days: int) -> None:  # fmt: skip
    """Seen to pass as grams of a day beside those of a year: 36 % of the units' mass would have been a trifle."""
    values = np.ones(GRID.shape)
    values[0, 0] = -1e-3
    _, [(problem, _)] = grams_of(values, unit)
    assert f", {1e-3 * days:,.6g} t together" in problem.what
    values[0, 0] = -0.02  # 0.13 % of 15
    with pytest.raises(InputError, match="has a negative value"):
        grams_of(values, unit)


def test_a_trifle_is_one_beside_the_cells_that_units_touch() -> None:
    """Seen to be held against the whole window, where a city beside the units hides what is wrong in them."""
    values = np.where(TOUCHED, 1.0, 1e9)
    values[0, 0] = -0.02
    with pytest.raises(InputError, match="has a negative value"):
        grams_of(values, "t CO2 yr-1")


def test_infinite_values_beyond_units_are_unknown() -> None:
    """Seen to be left infinite, and so would be sums of cells that parcels alone touch."""
    values = np.ones(GRID.shape)
    values[4, 7] = np.inf
    found, _ = grams_of(values, "g CO2 yr-1")
    assert np.isnan(found[4, 7])
    assert found[~np.isnan(found)].sum() == GRID.shape[0] * GRID.shape[1] - 1
    values[0, 0] = -np.inf
    with pytest.raises(InputError, match="infinite"):
        grams_of(values, "g CO2 yr-1")


@pytest.mark.parametrize("step", [1, -1])
def test_a_window_is_cut_out_by_row_and_column_from_the_north(step: int) -> None:
    values = np.arange(40).reshape(5, 8)
    layer = xr.DataArray(values[::step], dims=("y", "x"), coords={"y": GRID.y[::step], "x": GRID.x})
    window = Window((1, 4), GRID.window((1, 4), (3, 2)))
    np.testing.assert_array_equal(inside_window(layer, window), values[1:4, 4:6])


def test_a_table_in_memory_is_asked_to_be_a_file() -> None:
    """Seen to be told that --unit and --variable are for rasters."""
    table = pd.DataFrame({"a.tif": ["a"]})
    for given in (table, [table], {"emission": table}, {"emission": [table]}):
        with pytest.raises(InputError, match="a DataFrame is neither the name of a file nor sev"):
            rasters_of(given, None, None)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="a int is neither"):
        rasters_of([7], None, None)  # type: ignore[list-item]


def test_a_raster_with_its_unit_may_be_of_a_quantity() -> None:
    """Seen: taken apart into five rasters, since it is a tuple."""
    one = PublishedRaster("emission", Path("a.tif"), "t", None)
    assert rasters_of({"emission": one}, "kg", "v") == (one._replace(variable="v"),)
    # Seen: held against transport without a word.
    with pytest.raises(InputError, match=r"a\.tif: a raster of emission is given as one of transport"):  # fmt: skip
        rasters_of({"transport": one}, "kg", "v")


@pytest.mark.parametrize("several", [list, tuple, set, np.array, pd.Series])
def test_names_may_come_in_any_list(several: Callable[[list[str]], Any]) -> None:
    names = ["a.tif", "b.tif"]
    for given in (several(names), {"emission": several(names)}):
        assert sorted(each.path.name for each in rasters_of(given, None, None)) == names
