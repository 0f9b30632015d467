"""The tables that end a run on the terminal."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from carbongrid.cli.analysis_commands import _nearest
from carbongrid.cli.outcome import fate_lines, firm_line, what_to_open, zone_lines
from carbongrid.method.tonnes import at_decimals, signed_percent
from carbongrid.method.zoning import NO_CARBON, NO_GDP, UNKNOWN_GDP
from carbongrid.outputs.reading import read_result
from carbongrid.outputs.result import Result
from carbongrid.outputs.without_zone import lines_without_zone


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


def test_what_was_placed_by_what_is_told(result: Result) -> None:
    """Seen to leave out 200,000 t that a case let stay unallocated, of which the table of units lacks them; and, of sinks, a seventh that lies outside every unit."""
    line, of_sinks = fate_lines(result)
    assert re.fullmatch(r"Of [\d.]+ Mt of sinks: 100\.00 % by rule; [\d.]+ % of all lies outside every unit\.", of_sinks)  # fmt: skip
    placed = re.fullmatch(r"Of 240\.290 Mt of emissions: ([\d.]+) % at facilities, ([\d.]+) % by rule; < 0\.01 % of all lies outside every unit\.", line)  # fmt: skip
    assert placed
    assert sum(map(float, placed.groups())) == pytest.approx(100, abs=0.011)
    ledger = [{**row} for row in result.manifest["ledger"]]
    row = next(each for each in ledger if each["category"] == "buildings/commerce")
    grams = row["by_rule"]
    row |= {"by_rule": 0, "by_area": grams - 2, "unallocated": 2}
    told, same = fate_lines(replace(result, manifest={**result.manifest, "ledger": ledger}))
    assert same == of_sinks
    assert f" % by rule, {100 * grams / 240_289_700_000_000:.2f} % by area, < 0.01 % unallocated; " in told  # fmt: skip


def test_shares_of_known_gdp_are_told_to_be_that(result: Result) -> None:
    gdp = result.units["gdp"].where(result.units.index > 0)
    lines = list(zone_lines(replace(result, units=result.units.assign(gdp=gdp))))
    assert "GDP is unknown in 1 unit: its shares are of what is known." in lines
    assert not any(line.startswith("GDP is unknown") for line in zone_lines(result))


def test_why_units_have_no_zone_is_told_with_the_way_out(result: Result) -> None:
    """Seen: a unit without GDP lost its zone and nobody said so."""
    units = result.units.copy()
    units.loc[units.index[:3], ["zone", "reason"]] = [0, UNKNOWN_GDP]
    units.loc[units.index[3], ["zone", "reason"]] = [0, NO_CARBON]
    lines = list(zone_lines(replace(result, units=units)))
    told = [line for line in lines if "no zone" in line]
    assert told[0].startswith(f"3 of {len(units)} units get no zone: GDP unknown. Give each a value in the table of [gdp]")  # fmt: skip
    assert told[1].startswith(f"1 of {len(units)} units gets no zone: neither emission nor sink.")
    # Seen: that no category is spread on its land, of totals of 0 and of parts below half a gram.
    assert "Nothing is spread on their land, or less than a gram" in told[1] and "look at the totals" in told[1]  # fmt: skip
    assert not any("no zone" in line for line in zone_lines(result))


def test_where_no_unit_has_a_zone_no_table_of_nothing_is_told(result: Result) -> None:
    """Seen: shares of 0.00 %, and that halving every emission changes no zone."""
    bare = result.units.assign(zone=0, reason=NO_GDP)
    lines = list(zone_lines(replace(result, units=bare)))
    assert [line.split()[0] for line in lines if line][:3] == ["zone", "0", "all"]
    assert lines[-1].startswith(f"{len(bare)} of {len(bare)} units get no zone: their reference region has no GDP. Give GDP")  # fmt: skip
    assert not any("halving" in line or "share of" in line for line in lines)


@pytest.mark.parametrize(("tonnes", "unit"), [(152.0, "t"), (152_000.0, "kt"), (240e6, "Mt")])
def test_masses_are_told_in_the_unit_that_suits_them(
    result: Result, tonnes: float, unit: str
) -> None:
    """Seen: in Mt a place of 152 t read 0.000."""
    units = result.units.assign(emission_t=0.0, sink_t=0.0)
    units.loc[units.index[0], ["emission_t", "sink_t"]] = [tonnes, tonnes / 100]
    lines = list(zone_lines(replace(result, units=units)))
    assert lines[0].split()[-4:] == ["emission", unit, "sink", unit]
    [whole] = [line for line in lines if line.startswith("all units")]
    number = {"t": 152.0, "kt": 152.0, "Mt": 240.0}[unit]
    assert whole.split()[-2:] == [f"{number:.3f}", f"{number / 100:.4f}"]


def test_what_is_not_nothing_is_not_told_as_0(result: Result) -> None:
    """Seen: 0.000 Mt for zones of some tonnes beside one of 1,000 Mt, and 0.00 t for a total of a kilogram."""
    units = result.units.assign(emission_t=10.0, sink_t=0.0, zone=1)
    units.loc[units.index[0], ["emission_t", "sink_t", "zone"]] = [1e9, 1.0, 4]
    lines = list(zone_lines(replace(result, units=units)))
    cells = {line.split()[0]: line.split()[-3:] for line in lines[1:5]}
    assert cells["1"] == ["<", "0.001", "0.0000"] and cells["2"][1:] == ["0.000", "0.0000"]
    assert cells["4"] == ["1000.000", "<", "0.0001"]
    assert max(map(len, lines[:6])) <= 80
    many = pd.concat([units] * (10_000 // len(units)), ignore_index=True)
    lines = list(zone_lines(replace(result, units=many)))
    assert lines[5].split()[2] == f"{len(many):,}" and max(map(len, lines[:6])) <= 80
    assert len({len(line) for line in lines[:6]}) == 1
    shown = [at_decimals(value, 2) for value in (0.001, 0.0, -0.001, 0.005, 1234.5)]
    assert shown == ["< 0.01", "0.00", "> -0.01", "0.01", "1,234.50"]
    assert at_decimals(0.4, 0) == "< 1"


def test_the_nearest_units_are_not_told_to_lose_all() -> None:
    """Seen: -100.00% from 999,911,583 to 4,798 t, and 0 t for less than one."""
    now, at = 999_911_583_000_000, 4_798_000_000
    row = {"reference": "floating", "quantity": "emission", "unit": "1", "name": "", "boundary": "ecc", "now": now, "at_boundary": at, "difference": at - now, "percent": -99.9995}  # fmt: skip
    less = row | {"at_boundary": 197, "difference": 197 - now}
    # Seen to be 0, and to change by +0 t.
    nothing = [row | {"now": 0, "at_boundary": at, "difference": at, "percent": math.nan} for at in (7, 123_456, 999_999, 1_500_000)]  # fmt: skip
    told = list(_nearest(pd.DataFrame([row, less, *nothing])))
    assert told[2].endswith("> -100 %") and told[3].split()[-4:] == ["0.000197", ">", "-100", "%"]
    assert [line.split()[-4:] for line in told[4:]] == [["0", at, f"+{at}", "t"] for at in ("0.000007", "0.123", "1", "2")]  # fmt: skip
    assert signed_percent(-99.9999) == "> -100.00 %" and signed_percent(-100.0) == "-100.00 %"
    assert [signed_percent(each) for each in (1e-9, -1e-9, 0.0, 152.614)] == ["< +0.01 %", "> -0.01 %", "+0.00 %", "+152.61 %"]  # fmt: skip


def test_codes_are_kept_in_the_spreadsheet_that_is_named(result: Result, tmp_path: Path) -> None:
    """Seen: units.csv, of which a spreadsheet makes 1 of the code 001."""
    for name in ("units.csv", "units.xlsx"):
        (tmp_path / name).touch()
        assert what_to_open(replace(result, directory=tmp_path)) == {name: "a spreadsheet"}


def test_one_thing_is_told_as_one(result: Result) -> None:
    """Seen: 1 of 4 zones are firm, 1 units are close to 1."""
    first = result.units.index == result.units.index[0]
    low = result.units["ecc_high"].where(~first, result.units["ecc_high"] - 0.5)
    alone = result.units.assign(firm=first, borderline=first, ecc_low=low, reason="")
    told = "\n".join(zone_lines(replace(result, units=alone)))
    assert re.search(r"1 of \d zones is firm: at least 90 % of \d+ draws have it\.", told)
    assert "1 unit is close to 1" in told
    assert "ECC of 1 unit rests on derived GDP" in told
    assert "1 of 4 zones is firm" in firm_line(1, 4, 100)
    # Seen: 0 of 4 zones are firm: at least 90 % of 100 draws have them; and of no zone, 0 of 0 zones are firm.
    assert firm_line(0, 4, 100) == "0 of 4 zones are firm: none has at least 90 % of 100 draws."
    assert firm_line(0, 0, 100) == "No unit has a zone, so there is none that could be firm."
    # Seen: 9087 of 20000 zones are firm, beside 1,025 units are close to 1.
    assert firm_line(9087, 20_000, 1000).startswith("9,087 of 20,000 zones are firm")
    [alone] = lines_without_zone({NO_CARBON: 1}, 1)
    assert alone.startswith("The unit gets no zone: neither emission nor sink.")
