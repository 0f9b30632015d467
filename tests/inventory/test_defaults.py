"""Every factor that some row takes unasked: documented, with bounds, on the page in docs; no category of no width."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from fnmatch import fnmatchcase

import pytest
from data import ROOT
from inventory_example import EXAMPLE, example

from carbongrid import inventory
from carbongrid.case.readers.activity import read_activity
from carbongrid.inventory.factors import catalogue
from carbongrid.inventory.spread import spread_of, spread_of_factor, usual_percent
from carbongrid.method.landuse import packaged_table

SPEC = importlib.util.spec_from_file_location("factors_table", ROOT / "docs" / "factors_table.py")
assert SPEC is not None
assert SPEC.loader is not None
factors_table = importlib.util.module_from_spec(SPEC)
sys.modules["factors_table"] = factors_table
SPEC.loader.exec_module(factors_table)


@pytest.mark.parametrize("country", ["CN", "world", "GB"])
def test_no_default_is_recalled_and_none_is_without_bounds(country: str) -> None:
    found = factors_table.defaults(country)
    assert len(found) > 300
    for key, factor in found.items():
        assert factor.status != "recalled", key
        assert factor.source, key
        assert factor.distribution or factor.low is not None, key
        assert factor.bounds_source or factor.low is not None or factor.distribution, key
        exact = factor.low is not None and factor.low == factor.high
        assert (spread_of_factor(factor) is None) == exact, key


def test_what_is_exact_is_a_zero_or_nothing_but_fossil() -> None:
    for factor in factors_table.defaults("CN").values():
        if spread_of_factor(factor) is None:
            assert factor.value == 0, factor.key


def test_the_page_is_what_the_tables_make() -> None:
    written = (ROOT / "docs" / "factors.md").read_text(encoding="utf-8")
    assert written == factors_table.page(), "run nox -s docs"


def test_every_range_fits_a_factor_and_a_group_shares_one_source() -> None:
    """A row that fits none, or only what a row above fits, is a typing error; the last row fits whatever is left. Seven fitted none."""
    told = {factor.bounds_source for factor in catalogue()} - {""}
    groups = {factor.group for factor in catalogue()}
    rows = packaged_table("factors/ranges.csv").to_dict("records")
    patterns = [row["factors"] for row in rows]
    fitting = {
        next(each for each in patterns if fnmatchcase(factor.key, each)) for factor in catalogue()
    }
    assert [each for each in patterns if each not in fitting] == []
    for row in rows:
        if row["factors"] != "*":
            assert row["source"] in told or row["group"] in groups, row["factors"]
            assert row["source"].strip(), row["factors"]


def test_no_category_has_an_interval_of_no_width() -> None:
    """Not even where no row says how far its amount may be off."""
    data = read_activity(EXAMPLE)
    bare = replace(data, rows=tuple(replace(row, uncertainty_pct=None) for row in data.rows))
    for formed in (example(), inventory.form(bare)):
        for method in (inventory.approach_1, inventory.approach_2):
            for row in method(formed).itertuples():
                assert row.high_t - row.low_t > 0.02 * row.co2e_t, row.category


def test_a_land_sink_is_at_least_half_uncertain() -> None:
    for method in (inventory.approach_1, inventory.approach_2):
        row = method(example()).set_index("category").loc["sink/land"]
        assert row["low_t"] < 0.52 * row["co2e_t"]
        assert row["high_t"] > 1.48 * row["co2e_t"]


def test_an_amount_takes_the_range_of_its_kind_unless_its_row_says() -> None:
    line = example().lines[0]
    amount = line.inputs[0]
    silent = replace(line, row=replace(line.row, uncertainty_pct=None))
    exact = replace(line, row=replace(line.row, uncertainty_pct=0))
    spread = spread_of(silent, amount)
    assert spread is not None
    assert usual_percent(line.row) == 5
    assert spread.high / spread.centre == pytest.approx(1.05)
    assert spread_of(exact, amount) is None


def test_factors_of_one_study_are_off_together() -> None:
    """Two coefficients of one set add up straight, not in squares."""
    data = read_activity(EXAMPLE)
    land = replace(data, rows=tuple(r for r in data.rows if r.activity.startswith("land/")))
    exact = replace(land, rows=tuple(replace(r, uncertainty_pct=0) for r in land.rows))
    row = inventory.approach_1(inventory.form(exact)).set_index("category").loc["sink/land"]
    assert row["high_t"] == pytest.approx(1.5 * row["co2e_t"])
    drawn = inventory.approach_2(inventory.form(exact)).set_index("category").loc["sink/land"]
    assert drawn["high_t"] == pytest.approx(1.5 * drawn["co2e_t"], rel=0.02)
