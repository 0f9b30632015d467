"""The tables that end a run on the terminal."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from carbongrid.cli.outcome import zone_lines
from carbongrid.method.zoning import NO_CARBON, NO_GDP, UNKNOWN_GDP
from carbongrid.outputs.result import Result
from carbongrid.outputs.tables import read_result


@pytest.fixture
def result(small_run: Path) -> Result:
    opened = read_result(small_run)
    opened.grid_1km.close()
    return opened


def test_zones_are_told_in_numbers_and_in_percent(result: Result) -> None:
    """Seen to fail with the area of a zone's first unit alone, and with GDP for emissions."""
    units, lines = result.units, list(zone_lines(result))
    start = next(k for k, line in enumerate(lines) if line.startswith("share of"))
    assert lines[start].split() == ["share", "of", "units", "area", "emission", "sink", "GDP"]
    measures = [
        pd.Series(1.0, units.index),
        units.area,
        units["emission_t"],
        units["sink_t"],
        units["gdp"].astype(float),
    ]
    for code, line in zip((1, 2, 3, 4), lines[start + 1 :], strict=False):
        inside = units["zone"] == code
        told = [100 * measure[inside].sum() / measure.sum() for measure in measures]
        found = [float(text) for text in re.findall(r"([\d.]+) %", line)]
        assert found == pytest.approx(told, abs=0.0051)
        assert line.startswith(f"{code} ")
    assert max(map(len, lines[: start + 5])) <= 80


def test_shares_of_known_gdp_are_told_to_be_that(result: Result) -> None:
    gdp = result.units["gdp"].where(result.units.index > 0)
    lines = list(zone_lines(replace(result, units=result.units.assign(gdp=gdp))))
    assert "GDP is unknown in 1 units: its shares are of what is known." in lines
    assert not any(line.startswith("GDP is unknown") for line in zone_lines(result))


def test_why_units_have_no_zone_is_told_with_the_way_out(result: Result) -> None:
    """Seen: a unit without GDP lost its zone and nobody said so."""
    units = result.units.copy()
    units.loc[units.index[:3], ["zone", "reason"]] = [0, UNKNOWN_GDP]
    units.loc[units.index[3], ["zone", "reason"]] = [0, NO_CARBON]
    lines = list(zone_lines(replace(result, units=units)))
    told = [line for line in lines if "no zone" in line]
    assert told[0].startswith(f"3 of {len(units)} units get no zone, GDP unknown. Give each a value in the table of [gdp]")  # fmt: skip
    assert told[1].startswith(f"1 of {len(units)} units gets no zone, neither emission nor sink.")
    assert not any("no zone" in line for line in zone_lines(result))


def test_where_no_unit_has_a_zone_no_table_of_nothing_is_told(result: Result) -> None:
    """Seen: shares of 0.00 %, and that halving every emission changes no zone."""
    bare = result.units.assign(zone=0, reason=NO_GDP)
    lines = list(zone_lines(replace(result, units=bare)))
    assert [line.split()[0] for line in lines if line][:3] == ["zone", "0", "all"]
    assert lines[-1].startswith(f"{len(bare)} of {len(bare)} units get no zone, its reference region has no GDP. Give GDP")  # fmt: skip
    assert not any("halving" in line or "share of" in line for line in lines)
