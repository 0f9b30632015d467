"""When a single layer is, by its bounds or its date: a month, a year, or something that is told."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
import xarray as xr

from carbongrid.analysis.published.months import Dates, Layered, dates_of, require_one_year
from carbongrid.errors import InputError

YEARS = (2019, 2020)
MONTHS = [dt.date(year, month, 1) for year in YEARS for month in range(1, 13)]


def of_one_layer(time: Any, bounds: tuple[dt.date, dt.date] | None = None, **units: str) -> Dates:
    """What is known of one layer at a time."""
    stack = xr.DataArray(np.zeros((1, 1, 1)), {"time": ((), time, units)}, ("layer", "y", "x"))
    ends = {} if bounds is None else {"time": np.array([bounds], "datetime64[ns]")}
    return dates_of(stack, ["time"], "a.nc", bands=False, attributes={}, bounds=ends)


def at(day: dt.date) -> np.datetime64:
    return np.datetime64(day, "ns")


@pytest.mark.parametrize("first", MONTHS)
def test_bounds_of_a_month_run_to_its_last_day_or_to_the_next(first: dt.date) -> None:
    after = (first + dt.timedelta(days=31)).replace(day=1)
    for end in (after, after - dt.timedelta(days=1)):
        for time in (first, end):
            found = of_one_layer(at(time), (first, end))
            assert (found.month, found.of_a_month, found.odd) == ((first.year, first.month), True, None)  # fmt: skip


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize("end", [(0, 12, 1), (0, 12, 31), (1, 1, 1), (1, 1, 2)])
def test_bounds_of_a_year_run_to_its_last_day_or_month_or_to_the_next(
    year: int, end: tuple[int, int, int]
) -> None:
    last = dt.date(year + end[0], *end[1:])
    assert of_one_layer(at(last), (dt.date(year, 1, 1), last)) == Dates((year,))


@pytest.mark.parametrize("days", [1, 7, 26, 32, 90, 183, 329, 368, 730])
def test_bounds_of_any_other_length_are_told(days: int) -> None:
    begin = dt.date(2019, 1, 1)
    found = of_one_layer(at(begin), (begin, begin + dt.timedelta(days=days)))
    assert found.odd is not None and f"bounds of {days} day" in found.odd[0]
    assert not found.of_a_month


def test_bounds_of_a_moment_say_no_more_than_its_date() -> None:
    moment = dt.date(2020, 1, 1)
    assert of_one_layer(at(moment), (moment, moment)) == of_one_layer(at(moment))


def test_a_date_stands_for_a_year_at_its_begin_middle_and_end_alone() -> None:
    """In the usual calendar and where each month has thirty days."""
    known = {(1, 1), (6, 30), (7, 1), (7, 2), (12, 30), (12, 31)}
    for number in range(366):
        day = dt.date(2020, 1, 1) + dt.timedelta(days=number)
        found = of_one_layer(at(day))
        assert (found.years, found.months, found.by_date) == ((2020,), (day.month,), True)
        assert (found.odd is None) == ((day.month, day.day) in known), day


@pytest.mark.parametrize("units", ["", "YYYYMM", "yyyymm"])
def test_numbers_written_as_dates_are_dates(units: str) -> None:
    found = of_one_layer(202007, **({"units": units} if units else {}))
    assert (found.years, found.months) == ((2020,), (7,))
    assert of_one_layer(2020).years == (2020,)
    assert of_one_layer(7).as_a_month().month == (0, 7)
    # Days since some day are neither.
    assert of_one_layer(2020, units="days since some day") == Dates(odd=of_one_layer(2020, units="days since some day").odd)  # fmt: skip


@pytest.mark.parametrize("from_zero", [True, False])
def test_numbers_from_0_to_11_are_taken_from_january_and_those_to_12_are_said(from_zero: bool) -> None:  # fmt: skip
    numbers = np.arange(12) if from_zero else np.roll(np.arange(1, 13), 3)
    stack = xr.DataArray(np.zeros((12, 1, 1)), {"time": numbers}, ("time", "y", "x"))
    found = dates_of(stack, [], "a.nc", bands=False, attributes={"year": 2020}, bounds={})
    expected = numbers + 1 if from_zero else numbers
    assert found == Dates((2020,), tuple(expected.tolist()), assumed=from_zero)
    with pytest.raises(InputError, match="says no months"):
        later = stack.assign_coords(time=numbers + 2)
        dates_of(later, [], "a.nc", bands=False, attributes={}, bounds={})


def test_months_beside_twelve_of_one_and_twice_the_same_are_refused() -> None:
    every = [Layered(f"{k}.nc", 1, Dates((2020,), (k,), of_a_month=True)) for k in range(1, 13)]
    twelve = Layered("all.nc", 12, Dates((2020,), tuple(range(1, 13))))
    require_one_year("industry", every)
    require_one_year("industry", [twelve])
    for wrong, told in (
        ([*every[:11], twelve], "23 months in 12 rasters"),
        ([*every[:11], every[0]], "2020-01 twice"),
        ([*every, twelve], "24 months in 13 rasters"),
    ):
        with pytest.raises(InputError, match=told):
            require_one_year("industry", wrong)
