"""Which grid's factor electricity takes, against a plain search."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbongrid.errors import InputError
from carbongrid.inventory.factors import catalogue
from carbongrid.inventory.grids import grid_factor

GRIDS = sorted(
    {
        factor.key.split(".")[-2]
        for factor in catalogue()
        if factor.key.startswith("cn.grid.") and factor.key[-4:].isdigit()
    }
)


@given(st.sampled_from(GRIDS), st.integers(1990, 2040))
def test_the_grid_of_the_nearest_year_is_taken(grid: str, year: int) -> None:
    found = grid_factor(catalogue(), grid, year)
    years = [
        int(factor.key[-4:])
        for factor in catalogue()
        if factor.key.startswith("cn.grid.") and factor.key.split(".")[-2] == grid
        if factor.key[-4:].isdigit() and factor.status != "recalled"
    ]
    assert found.status != "recalled"
    assert found.key.split(".")[-2] == grid
    assert abs(int(found.key[-4:]) - year) == min(abs(each - year) for each in years)


@pytest.mark.parametrize(
    ("grid", "hint"),
    [("jiangsoo", "Did you mean 'jiangsu'?"), ("qqq", "Bring your own factor and name its key.")],
)
def test_an_unknown_grid_is_told_the_one_that_may_be_meant(grid: str, hint: str) -> None:
    """Seen to fail when no grid was proposed."""
    with pytest.raises(InputError, match=f"unknown grid '{grid}'") as told:
        grid_factor(catalogue(), grid, 2020)
    assert told.value.problems[0].hint == hint
