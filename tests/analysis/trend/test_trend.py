"""Years side by side: effects add up, a year against itself is the identity, classes by hand, merged units as their sums."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from english_left import english_in
from hypothesis import assume, given
from hypothesis import strategies as st
from town import square, write_town

import carbongrid as cg
from carbongrid.analysis.comparison.compare import notes_of_other_gas, require_alike
from carbongrid.analysis.finished import FinishedRun
from carbongrid.analysis.trend.decomposition import TAPIO_ZH, lmdi, log_mean, tapio
from carbongrid.analysis.trend.merged_units import read_merged_codes
from carbongrid.analysis.trend.page import _maps, _matrices, flow_of
from carbongrid.analysis.trend.trend import trend, write_trend
from carbongrid.errors import InputError
from carbongrid.method.tonnes import readable_tonnes
from carbongrid.outputs.report.notes import note_in_chinese
from carbongrid.outputs.result import AS_GIVEN
from carbongrid.pipeline.tables import ELECTRICITY
from carbongrid.run_store import SEAL, seal_of

SOME = st.floats(1e-3, 1e6)


@given(st.tuples(SOME, SOME, SOME), st.tuples(SOME, SOME, SOME))
def test_effects_add_up_to_the_change(before, after) -> None:
    """Seen to fail with the arithmetic mean for the logarithmic one."""
    totals = [math.prod(each) for each in (before, after)]
    assume(all(1e-9 < total < 1e30 for total in totals))
    effects = lmdi(before, after, *totals)
    change = totals[1] - totals[0]
    assert sum(effects) == pytest.approx(change, rel=1e-9, abs=1e-9 * max(totals))


@given(SOME, st.floats(-1e-6, 1e-6))
def test_the_logarithmic_mean_of_near_numbers_lies_between_them(a: float, share: float) -> None:
    b = a * (1 + share)
    assert min(a, b) * (1 - 1e-15) <= log_mean(a, b) <= max(a, b) * (1 + 1e-15)


def test_a_pair_by_hand() -> None:
    """Emission from 100 to 150 with GDP from 50 to 100: L = 50/ln 1.5 = 123.315; GDP adds L*ln 2 = 85.475, intensity (2 to 1.5) L*ln 0.75 = -35.475."""
    effects = lmdi((50.0, 2.0), (100.0, 1.5), 100.0, 150.0)
    assert effects == pytest.approx((85.475568, -35.475568), abs=1e-5)
    assert lmdi((0.0, 2.0), (1.0, 1.0), 0.0, 1.0) is None


@pytest.mark.parametrize(
    ("emission", "gdp", "name"),
    [
        ((100, 90), (100, 110), "strong decoupling"),
        ((100, 105), (100, 110), "weak decoupling"),
        ((100, 108), (100, 110), "expansive coupling"),
        ((100, 112), (100, 110), "expansive coupling"),
        ((100, 113), (100, 110), "expansive negative decoupling"),
        ((100, 110), (100, 90), "strong negative decoupling"),
        ((100, 95), (100, 90), "weak negative decoupling"),
        ((100, 90), (100, 90), "recessive coupling"),
        ((100, 80), (100, 90), "recessive decoupling"),
        ((100, 80), (None, 90), "unknown"),
        ((0, 80), (10, 90), "unknown"),
        ((100, 100), (10, 10), "expansive coupling"),
        ((100, 90), (10, 10), "strong decoupling"),
    ],
)  # fmt: skip
def test_eight_classes(emission, gdp, name: str) -> None:
    assert tapio(emission, gdp)[1] == name
    assert name in TAPIO_ZH


PARCELS = [("p0", "0601", square(0, 0)), ("p1", "0601", square(1, 0)), ("p2", "0301", square(2, 0)), ("p3", "0601", square(3, 0))]  # fmt: skip
UNITS = [(f"u{k}", "d", square(k, 0)) for k in range(4)]


def year(folder, number: int, mass: int, gdp=None, units=UNITS, *, people=(), more="", settings="", rows="", parcels=PARCELS) -> cg.Result:  # fmt: skip
    """A run: GDP by unit, None where blank; people of the units, who stand at their middles."""
    folder.mkdir()
    tables = {
        "totals.csv": f"category,value,unit\nwaste/industrial,{mass},t CO2e\nsink/land,30,t CO2e\n{rows}"
    }
    text = ""
    if gdp is not None:
        known = zip(units, gdp, strict=True)
        tables["gdp.csv"] = "region,value\n" + "".join(f"{code},{'' if value is None else value}\n" for (code, *_), value in known)  # fmt: skip
        text += f'[gdp]\npath = "gdp.csv"\n{more}\n'
    if people:
        middles = (shape.centroid for *_, shape in units)
        tables["people.csv"] = "x,y,people\n" + "".join(f"{at.x},{at.y},{count}\n" for at, count in zip(middles, people, strict=True))  # fmt: skip
        text += (
            '[people]\npath = "people.csv"\nx = "x"\ny = "y"\ncount = "people"\ncrs = "EPSG:4549"\n'
        )
    path = write_town(folder, parcels, units, tables, text)
    path.write_text(settings + path.read_text(encoding="utf-8").replace("year = 2020", f"year = {number}"), encoding="utf-8")  # fmt: skip
    return cg.run(path, folder / "run")


@pytest.fixture(scope="module")
def years(tmp_path_factory: pytest.TempPathFactory) -> list[cg.Result]:
    folder = tmp_path_factory.mktemp("years")
    return [year(folder / "a", 2015, 300, (1, 2, 3, 4)), year(folder / "b", 2020, 150, (2, 2, 3, 4))]  # fmt: skip


def test_the_same_year_twice_is_the_identity(years: list[cg.Result]) -> None:
    found = trend([years[0], years[0].directory])
    assert (found.units[["change_g", "sink_change_g"]] == 0).all(axis=None)
    assert (found.units["zone_from"] == found.units["zone_to"]).all()
    assert (found.matrices["zone_from"] == found.matrices["zone_to"]).all()
    assert found.matrices[found.matrices["reference"] == "own"]["units"].sum() == 4
    effects = found.region[["gdp_effect", "emission_per_gdp_effect"]]
    assert effects.to_numpy() == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, []),
        ({"gdp": (4, 4, 6, 8)}, []),
        ({"gdp": (1e4, 2e4, 3e4, 4e4)}, ["The sum of GDP of 2020 is 10,000 times that of 2015."]),
        ({"gdp": (1e-3, 2e-3, 3e-3, 4e-3)}, ["The sum of GDP of 2020 is 0.001 times that of 2015."]),
        ({"gdp": (1, 40, 3, 4)}, ["Units with far more or less GDP in 2020 than in 2015 (1 of 4): u1 (20 times)."]),
        ({"mass": 300_000}, ["The sum of emission of 2020 is 1,000 times that of 2015.", "Totals of 2020 are far from those of 2015: waste/industrial (1,000 times)."]),
        ({"gdp": (0, 2, 3, None)}, []),  # of what is 0 or unknown there is no ratio
    ],
)  # fmt: skip
def test_what_leaps_between_years_is_told(years, tmp_path, changes, words) -> None:
    """Seen without a word: GDP in 10,000 yuan after GDP in 100 million, a total in t after kt, rows of units in another order."""
    given = {"gdp": (1, 2, 3, 4), "mass": 300} | changes
    later = year(tmp_path / "later", 2020, given["mass"], given["gdp"])
    told = [each for each in trend([years[0], later]).notes if "Check" in each.what]
    assert [each.what.partition(" Check")[0] for each in told] == words
    for each in told:
        assert each.level == ("note" if each.what.startswith("Totals") else "warning")
        assert english_in(note_in_chinese(str(each)), ["u1"]) == []


def test_years_are_put_in_order_and_effects_add_up(years: list[cg.Result], tmp_path) -> None:
    """Halved everywhere: against its own year nobody moves by it, against 2015's region they do."""
    found = cg.trend([years[1], years[0]])
    assert found.years == (2015, 2020)
    table = found.units[found.units["emission_from_g"] > 0]
    parts = table[["gdp_effect", "emission_per_gdp_effect"]].sum(axis=1)
    assert parts.to_numpy() == pytest.approx(table["change_g"].to_numpy(np.float64), rel=1e-9)
    assert found.region["change_g"].sum() == table["change_g"].sum() == -150 * 10**6
    assert (found.units["zone_frozen_from"] == found.units["zone_from"]).all()
    assert found.region["turned_frozen"].sum() > found.region["turned"].sum()
    assert found.units["tapio"].tolist()[1] == "strong decoupling"
    files = write_trend(found, tmp_path)
    written = pd.read_csv(tmp_path / "trend_region.csv")
    assert written["change_t"].tolist() == [-150.0]
    assert "强脱钩" in (tmp_path / "trend.html").read_text(encoding="utf-8")
    assert len(files) == 4


def test_plans_of_one_year_are_drawn_one_after_the_other(years: list[cg.Result]) -> None:
    """Plans keep the year of their run. Seen to fail: the second period's units stood in for the first's."""
    name = next(iter(years[0].live.inputs.categories))
    low, high = (years[0].live.with_totals({name: mass}) for mass in (1, "900 Mt CO2e"))
    found = trend([years[0], low, high])
    drawn = flow_of(found)
    assert len(drawn.years) == 3
    for x in {bar.x for bar in drawn.bars}:
        assert sum(bar.units for bar in drawn.bars if bar.x == x) == len(years[0].units)
    assert len({round(float(band.path[1:].split()[0])) for band in drawn.bands}) == 2


def test_merged_units_are_the_sums_of_what_they_were(years: list[cg.Result], tmp_path) -> None:
    merged = [UNITS[0], UNITS[1], ("v", "e", square(2, 0, 2))]
    last = year(tmp_path / "c", 2022, 150, (2, 2, 7), merged)
    with pytest.raises(InputError, match="other units: u2, u3 only in the first, v only in the second"):  # fmt: skip
        trend([years[0], last])
    table = tmp_path / "codes.csv"
    table.write_text("old,new\nu2,v\nu3,v\n", encoding="utf-8")
    codes = read_merged_codes(table)
    found = trend([years[0], last], codes=codes)
    assert found.units["unit"].tolist() == ["u0", "u1", "v"]
    said = [str(note) for note in found.notes]
    assert "1 merged unit had parts in another district before: v. They count in that of the last run in all years." in said  # fmt: skip
    assert all(note_in_chinese(note) for note in said)
    before = years[0].units.set_index("id")["emission_t"]
    of_merged = found.units.set_index("unit").at["v", "emission_from_g"]
    assert of_merged == round((before["u2"] + before["u3"]) * 10**6)
    for rows, wrong in (
        ("u2,v\nu2,w", "row 3: the code 'u2' stands twice"),
        ("u2,v\nu3,", "row 3: a code is blank"),
    ):
        table.write_text(f"old,new\n{rows}\n", encoding="utf-8")
        with pytest.raises(InputError, match=wrong):
            read_merged_codes(table)
    # Only one of the two is named: the other is no unit of the last run, and is not dropped without a word.
    with pytest.raises(
        InputError, match="other units: u3 only in the first, none only in the second"
    ):
        trend([years[0], last], codes={"u2": "v"})
    left = trend([years[0], last], codes={"u2": "v"}, despite=("units",))
    dropped = before["u3"]
    assert any(
        "1 code is that of a merged unit: its sum stands" in str(note) for note in left.notes
    )
    assert all(note_in_chinese(str(note)) for note in left.notes)
    assert any(f"1 unit of 2015 is left out, since not every year has it: u3; it emits {readable_tonnes(round(dropped * 1e6))} t" in str(note) for note in left.notes)  # fmt: skip
    with pytest.raises(InputError) as told:
        trend([years[0], last], codes={**codes, "zzz": "v", "u0": "v", "u1x": "nowhere"})
    assert [each.what for each in told.value.problems] == ["no earlier run has a unit 'zzz'", "'u0' is a unit of the last run still", "no earlier run has a unit 'u1x'"]  # fmt: skip
    with pytest.raises(InputError, match="the last run has no unit 'nowhere'"):
        trend([years[0], last], codes={"u2": "v", "u3": "nowhere"})


def test_units_that_merged_twice_are_followed(years: list[cg.Result], tmp_path) -> None:
    """u2 and u3 to v, v and u1 to w: the first year's sums are those of all three."""
    middle = year(tmp_path / "m", 2018, 200, (2, 2, 7), [*UNITS[:2], ("v", "d", square(2, 0, 2))])
    last = year(tmp_path / "l", 2022, 150, (2, 9), [UNITS[0], ("w", "d", square(1, 0, 3))])
    found = trend([years[0], middle, last], codes={"u2": "v", "u3": "v", "v": "w", "u1": "w"})
    before = years[0].units.set_index("id")["emission_t"]
    first = found.units[found.units["period"] == 1].set_index("unit")
    assert first.at["w", "emission_from_g"] == round(before[["u1", "u2", "u3"]].sum() * 10**6)
    assert found.region["change_g"].tolist() == [-100 * 10**6, -50 * 10**6]


def test_money_of_two_currencies_is_refused(years: list[cg.Result], tmp_path) -> None:
    """Seen to fail when --despite currency gave effects of yuan and euros; a year without GDP has none to mix."""
    euros = year(tmp_path / "e", 2022, 150, (1, 2, 3, 4), more='currency = "EUR"')
    for despite in ((), ("currency",)):
        with pytest.raises(InputError, match="GDP is in several currencies"):
            trend([years[0], euros], despite=despite)
    none = year(tmp_path / "n", 2023, 150)
    found = trend([euros, none], despite=("currency",))
    assert found.units.filter(like="_effect").isna().all(axis=None)
    assert set(found.units["tapio"]) == {"unknown"}
    assert any("No GDP of 2023 are known" in str(note) for note in found.notes)


def test_a_unit_without_people_takes_no_factor_from_the_region(tmp_path) -> None:
    """Seen to say that all of the unit's own effects were blank; those of GDP are there."""
    a = year(tmp_path / "a", 2015, 300, (1, 2, 3, 4), people=(10, 0, 30, 40))
    b = year(tmp_path / "b", 2020, 150, (2, 2, 3, 4), people=(20, 0, 30, 40))
    found = trend([a, b])
    [region] = found.region.to_dict("records")
    mean = -150e6 / math.log(0.5)
    assert region["population_effect"] == pytest.approx(mean * math.log(90 / 80))
    assert region["gdp_effect"] == pytest.approx(mean * math.log(11 / 10))
    assert region["population_effect"] + region["gdp_per_head_effect"] == pytest.approx(region["gdp_effect"])  # fmt: skip
    assert region["gdp_effect"] + region["emission_per_gdp_effect"] == pytest.approx(-150e6)
    of_none = found.units.set_index("unit").loc["u1"]
    assert np.isnan(of_none["population_effect"]) and of_none["gdp_effect"] == 0
    told = "1 unit has 0 residents in 2015: u1. Their own effects that rest on that are blank; the region's are not blank for that."
    assert told in {str(note) for note in found.notes}


def test_gdp_alone_stands_under_its_own_name_and_gaps_are_named(years, tmp_path) -> None:
    found = trend(years)
    assert found.region[["population_effect", "gdp_per_head_effect"]].isna().all(axis=None)
    assert found.region["gdp_effect"].notna().all()
    gap = year(tmp_path / "g", 2021, 150, (2, None, 3, 4))
    found = trend([years[0], gap])
    assert found.region["gdp_effect"].isna().all()
    told = "Nobody knows the GDP of 2021 in 1 unit: u1. Effects that rest on that are blank, there and in the region."
    assert told in {str(note) for note in found.notes} and note_in_chinese(told)


def test_a_unit_that_emits_nothing_is_named_and_what_is_said_of_the_region_is_so(years, tmp_path) -> None:  # fmt: skip
    """u2 is forest. Seen to fail: its blank effects had no word, and the region's were said to be there though the GDP of u1 is unknown; then they were said to be blank for what emits nothing, in periods in which they are not."""
    found = trend(years)
    of_u2 = found.units.set_index("unit").loc["u2"]
    assert np.isnan(of_u2["emission_per_gdp_effect"]) and of_u2["tapio"] == "unknown"
    notes = [str(note) for note in found.notes]
    for number in (2015, 2020):
        assert f"1 unit has 0 emission in {number}: u2. Their own effects that rest on that are blank; the region's are not blank for that." in notes  # fmt: skip
    assert found.region["emission_per_gdp_effect"].notna().all()
    gap = year(tmp_path / "g", 2021, 150, (0, None, 3, 4))
    found = trend([years[0], years[1], gap])
    assert found.region["emission_per_gdp_effect"].isna().tolist() == [False, True]
    notes = [str(note) for note in found.notes]
    for number in (2015, 2020, 2021):
        assert f"1 unit has 0 emission in {number}: u2. Their own effects that rest on that are blank; the region's are not blank for that." in notes  # fmt: skip
    assert "1 unit has 0 GDP in 2021: u0. Their own effects that rest on that are blank; the region's are not blank for that." in notes  # fmt: skip
    assert "Nobody knows the GDP of 2021 in 1 unit: u1. Effects that rest on that are blank, there and in the region." in notes  # fmt: skip
    nothing = trend([years[0], year(tmp_path / "n", 2022, 150, (0, 0, 0, 0))])
    assert nothing.region["gdp_effect"].isna().all()
    notes += (more := [str(note) for note in nothing.notes])
    assert "4 units have 0 GDP in 2022: u0, u1, u2, u3. Their own effects that rest on that are blank, and so are the region's." in more  # fmt: skip
    assert all(note_in_chinese(note) for note in notes)


def test_few_of_many_units_are_not_said_to_be_none_or_all_of_a_zone(years) -> None:
    """One of 400 units of a zone went to another. Seen to be 0 % of it, and those that stayed 100 %."""
    found = trend(years)
    row = {**found.matrices.iloc[0].to_dict(), "reference": "own", "zone_from": 1}
    ends = [(1, 399), (2, 1)]
    rows = pd.DataFrame([{**row, "zone_to": zone, "units": units, "share": units / 400} for zone, units in ends])  # fmt: skip
    own, _ = _matrices(replace(found, matrices=rows))
    assert [cells[-1] for cells in own.rows] == ["> 99 %", "< 1 %"]


def test_a_heavy_outline_is_told_against_the_run_before(years, tmp_path) -> None:
    """Years may have gaps. Seen to be another zone than the year before, where that was five years ago; and "of 1 units"."""
    found = trend(years)
    marked = [each for each in _maps(found) if each.marked]
    assert marked
    for each in marked:
        assert each.note is not None
        assert each.note.en.endswith("of 2015.") and "2015 年" in each.note.zh
    alone = replace(found, region=found.region.assign(units=1))
    page = write_trend(alone, tmp_path)[0].read_text(encoding="utf-8")
    assert "of 1 unit in another zone" in page and "of 1 units" not in page
    assert "next year" not in page


def test_another_reference_region_is_said(years: list[cg.Result], tmp_path) -> None:
    """Seen to fail when all years were zoned by the last one's region without a word."""
    units = [(code, "de"[k % 2], shape) for k, (code, _, shape) in enumerate(UNITS)]
    last = year(tmp_path / "r", 2022, 150, (2, 2, 3, 4), units, settings='reference = "district"\nties = ">"\n')  # fmt: skip
    found = trend([years[0], last])
    notes = "\n".join(map(str, found.notes))
    assert "The reference region differs (all and district)" in notes
    assert "The rule for an index of exactly 1 differs (>= and >)" in notes
    own = years[0].units["zone"].to_numpy()
    other = int((found.units["zone_from"].to_numpy() != own).sum())
    assert (f"{other} of 4 zones of 2015 are not those" in notes) == (other > 0)
    assert all(note_in_chinese(str(note)) for note in found.notes)


POWER = [PARCELS[0], ("p1", "0809", square(1, 0)), PARCELS[2], ("p3", "05H1", square(3, 0))]


@pytest.fixture(scope="module")
def by_side(tmp_path_factory: pytest.TempPathFactory) -> dict[str, cg.Result]:
    """Runs by the side of electricity that they count, of years from 2015 on."""
    folder = tmp_path_factory.mktemp("sides")
    made, used = "industry/supply,100,t CO2e\n", "buildings/commerce,50,t CO2e\n"
    runs = {}
    for k, (name, choice, rows, allow) in enumerate(
        [
            ("use alone", "", used, '"buildings/commerce"'),
            ("supply alone", "", made, '"industry/supply"'),
            ("supply", "supply", made + used, '"industry/supply"'),
            ("use", "use", made + used, '"buildings/commerce"'),
            ("both", "both", made + used, '"industry/supply", "buildings/commerce"'),
            ("alone, both", "both", used, '"buildings/commerce"'),
        ]
    ):
        settings = f'electricity = "{choice}"\n' if choice else ""
        runs[name] = year(folder / name, 2015 + k, 300, (1, 2, 3, 4), settings=settings, rows=rows, more=f"[allow]\nfallback = [{allow}]\n", parcels=POWER)  # fmt: skip
    return runs


def test_the_side_of_electricity_that_counts_is_held_against_others_where_one_is_known(by_side) -> None:  # fmt: skip
    """Seen to fail: after a year of use alone one of plants, by which use is set aside, was a fall of commerce from 10.3 to 0.5 Mt, in silence."""
    runs = by_side
    counted = {name: run.manifest["parameters"]["electricity"] for name, run in runs.items()}
    assert counted == {"use alone": "use", "supply alone": "supply", "supply": "supply", "use": "use", "both": "both", "alone, both": "use"}  # fmt: skip
    names = list(runs)
    for k, first in enumerate(names):
        for second in names[k + 1 :]:
            # A town without a plant, or of which no use is known, sets nothing aside: the category that it lacks is told.
            lacks = {counted[first], counted[second]} > {"both"} and "alone" in first + second
            if counted[first] == counted[second] or lacks:
                trend([runs[first], runs[second]])
                continue
            with pytest.raises(InputError, match=f"choice of electricity differs: {counted[first]} and {counted[second]}"):  # fmt: skip
                trend([runs[first], runs[second]])
    said = {name: any("(D24)" in text for _, text in run.manifest["assumptions"]) for name, run in runs.items()}  # fmt: skip
    assert said == {name: "alone" not in name for name in runs}


def test_years_that_count_other_things_are_refused_unless_told(by_side, tmp_path) -> None:
    """Seen to fail: a year with electricity where it is used, beside one with both sides, was a change of +69 Mt, expansive negative decoupling."""
    use, both = by_side["use"], by_side["both"]
    one = year(tmp_path / "one", 2021, 300, (1, 2, 3, 4), settings='electricity = "use"\n', parcels=POWER)  # fmt: skip
    assert [run.manifest["parameters"]["electricity"] for run in (use, both, one)] == ["use", "both", None]  # fmt: skip
    with pytest.raises(InputError, match=r"choice of electricity differs: use and both.*--despite electricity"):  # fmt: skip
        trend([use, both])
    found = trend([use, both], despite=("electricity",))
    [told] = [str(note) for note in found.notes if "electricity differs" in str(note)]
    assert "电力核算口径" in note_in_chinese(told)
    [told] = [str(note) for note in cg.compare(use, both).notes if "electricity differs" in str(note)]  # fmt: skip
    assert "(use and both): part of the masses that differ are its doing" in told
    assert "电力核算口径" in note_in_chinese(told)
    with pytest.raises(InputError, match="'electricity' is nothing that two runs"):
        cg.compare(use, both, despite=("electricity",))
    # A run of an earlier version says it in words alone; and of sets of sinks likewise.
    for kind, changed in (("electricity", "supply"), ("sinks", "ipcc")):
        copies = []
        for k, run in enumerate((both, both)):
            copy = Path(shutil.copytree(run.directory, tmp_path / f"{kind}{k}"))
            manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
            manifest["parameters"]["sinks"] = "study"
            if k and kind == "sinks":
                manifest["parameters"][kind] = changed
            elif k:
                del manifest["parameters"][kind]
                words = (ELECTRICITY[name] for name in ("both", changed))
                manifest["assumptions"] = [[level, text.replace(*words)] if text.startswith(ELECTRICITY["both"]) else [level, text] for level, text in manifest["assumptions"]]  # fmt: skip
            manifest[SEAL] = seal_of(manifest)
            (copy / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
            copies.append(copy)
        with pytest.raises(InputError, match=f"differs: .* and {changed}.*--despite {kind}"):
            trend(copies)
        assert any(f"and {changed})" in str(note) for note in cg.compare(*copies).notes)
    # Nothing of either side is no other side, but has less.
    [told] = [note for note in trend([both, one]).notes if "Only " in str(note)]
    assert told.level == "warning"
    assert "has buildings/commerce (50 t), industry/supply (100 t); of the other run" in told.what
    assert note_in_chinese(str(told))


def test_years_of_unlike_gases_are_refused_unless_told(tmp_path) -> None:
    """Seen to fail: a year of CO2 alone, followed by one of CO2e, was compared without a word of gases."""
    alone, whole = (
        year(tmp_path / unit, 2015 + k, 300, (1, 2, 3, 4), rows=f"industry/manufacturing,100,t {unit}\n", more='[allow]\nfallback = ["industry/manufacturing"]\n')
        for k, unit in enumerate(("CO2", "CO2e"))
    )  # fmt: skip
    with pytest.raises(InputError, match=r"gas of industry/manufacturing differs: CO2 and CO2e.*--despite gas"):  # fmt: skip
        trend([alone, whole])
    with pytest.raises(InputError, match=r"no other gas may be called CO2e in both years"):
        trend([alone, whole])
    compared = cg.compare(alone, whole)
    assert ("setting", "gas", alone.manifest["parameters"]["gas"], "CO2e") in compared.made_of.itertuples(index=False, name=None)  # fmt: skip
    for notes in (trend([alone, whole], despite=("gas",)).notes, compared.notes):
        [told] = [
            str(note) for note in notes if "gas of industry/manufacturing differs" in str(note)
        ]
        assert "气体口径不同" in note_in_chinese(told)
    # An answer has the gas that it is given in; a bare number is of what it replaces.
    answers = [alone.with_totals({"industry/manufacturing": mass}) for mass in (5, "5 t CO2e")]
    told = [any("gas of" in str(note) for note in cg.compare(alone, each).notes) for each in answers]  # fmt: skip
    assert told == [False, True]
    # A run of an earlier version does not say, and is neither refused nor told.
    manifest = json.loads((alone.directory / "manifest.json").read_text(encoding="utf-8"))
    del manifest["parameters"]["gas"]
    manifest[SEAL] = seal_of(manifest)
    (alone.directory / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    trend([alone.directory, whole])
    old = cg.compare(alone.directory, whole)
    assert not any("gas of" in str(note) for note in old.notes) and "gas" not in set(old.made_of["what"])  # fmt: skip


def test_gases_of_categories_that_only_one_year_has_are_told(years: list[cg.Result]) -> None:
    """Seen to fail: runs of CO2 and of CO2e with no category in common were compared without a word of gases; CO2 of activity data, beside which methane came, was refused."""
    one, other = (FinishedRun.of(run) for run in years)
    one.parameters["gas"] = "CO2"

    def of_gases(formed: str, *gases: dict[str, str]) -> list[FinishedRun]:
        for run, own in zip((one, other), gases, strict=True):
            run.parameters["gwp"] = formed
            run.__dict__["gases"] = own
        return [one, other]

    pair = of_gases(AS_GIVEN, {"industry/mining": "CO2"}, {"waste/industrial": "CO2e"})
    assert require_alike(*pair, (), years=True) == []
    [told] = notes_of_other_gas(*pair)
    assert told.level == "note" and "气体口径均相同" in note_in_chinese(str(told))
    assert not [*notes_of_other_gas(other, other)]
    unlike = {"industry/mining": "CO2"}, {"industry/mining": "CO2e", "waste/industrial": "CO2e"}
    assert require_alike(*of_gases("AR5", *unlike), (), years=True) == []
    # Seen to say that no category is of another gas, of this very pair.
    assert not [*notes_of_other_gas(one, other)]
    with pytest.raises(InputError, match=r"gas of industry/mining differs"):
        require_alike(*of_gases(AS_GIVEN, *unlike), (), years=True)
    assert not [*notes_of_other_gas(one, other)]


def test_runs_of_one_year_are_periods_of_their_own(years: list[cg.Result], tmp_path) -> None:
    """Seen to say of each run of a year, in the same words, that no residents are known."""
    found = trend([years[0], years[1], years[1]])
    again = trend([years[0], years[0], years[0]])
    assert [len(each.notes) - len(set(each.notes)) for each in (found, again)] == [0, 0]
    assert found.region["period"].tolist() == again.region["period"].tolist() == [1, 2]
    for each in (found, again):
        write_trend(each, tmp_path)
        assert (tmp_path / "trend.html").read_text(encoding="utf-8").count("<svg") >= 4


def test_the_command(years: list[cg.Result], tmp_path, carbongrid) -> None:
    done = carbongrid("trend", *(run.directory for run in years), "--out", tmp_path / "t", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["region"][0]["change_g"] == -150 * 10**6
    assert carbongrid("trend", years[0].directory, "--out", tmp_path / "one").returncode == 2
    # Seen to be written into a folder s3: where one stands.
    refused = carbongrid("trend", *(run.directory for run in years), "--out", "s3://bucket/t")
    assert refused.returncode == 2 and "this is an address" in refused.stderr
