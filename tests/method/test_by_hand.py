"""Towns of a few squares, run whole: what goes where was worked out by hand."""

from __future__ import annotations

import math
import re
from itertools import accumulate, pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from oracle.method import solve
from pyproj import Transformer
from town import CRS, EAST, NORTH, square, write_raster, write_town

import carbongrid as cg
from carbongrid.cli.outcome import zone_lines
from carbongrid.errors import InputError
from carbongrid.outputs.report.notes import note_in_chinese
from carbongrid.pipeline import check, run

INDUSTRY, HOMES, HOMESTEAD, SEA = "0601", "0701", "0702", "1101"
CATEGORIES = "category,sector,name_en,name_zh,scope,sink,types,weight\n"
BY_RASTER = CATEGORIES + (
    "industry/manufacturing,industry,Manufacturing,制造业,1,false,industrial,raster:lights.tif\n"
)
OWN = '[categories]\npath = "categories.csv"\n'


def tonnes(case: Path, category: str) -> list[float]:
    """Run a case and return a category's tonnes, unit by unit."""
    result = run(case, case.parent.parent / f"{case.parent.name}-run")
    return [float(cell) for cell in result.units[f"{category.replace('/', '_')}_t"]]


@pytest.fixture
def row_of_four(tmp_path: Path) -> Path:
    """Four industrial squares in a row, a unit each, weighed by a raster; 300 t."""
    folder = tmp_path / "four"
    folder.mkdir()
    parcels = [(f"p{k}", INDUSTRY, square(k, 0)) for k in range(4)]
    units = [(f"u{k}", "d", square(k, 0)) for k in range(4)]
    totals = "category,value,unit\nindustry/manufacturing,300,t CO2e\n"
    tables = {"totals.csv": totals, "categories.csv": BY_RASTER}
    return write_town(folder, parcels, units, tables, OWN)


@pytest.mark.parametrize("reduce", ["cells", "exact"])
def test_mass_follows_a_raster_over_and_inside_parcels(tmp_path: Path, reduce: str) -> None:
    """A parcel of two squares over two units: 1 and 3 of its raster; 400 t."""
    parcels = [("p", INDUSTRY, square(0, 0, 2)), ("q", INDUSTRY, square(2, 0))]
    units = [(f"u{k}", "d", square(k, 0)) for k in range(3)]
    totals = "category,value,unit\nindustry/manufacturing,400,t CO2e\n"
    tables = {"totals.csv": totals, "categories.csv": BY_RASTER}
    folder = tmp_path / "town"
    folder.mkdir()
    case = write_town(folder, parcels, units, tables, OWN)
    case.write_text(f'reduce = "{reduce}"\n' + case.read_text("utf-8"), "utf-8")
    write_raster(folder / "lights.tif", [[1, 3, 4]])
    assert tonnes(case, "industry/manufacturing") == [50, 150, 200]


def test_a_raster_that_says_nothing_of_a_twentieth_of_the_land_is_a_warning(
    row_of_four: Path,
) -> None:
    """Seen to pass in silence when what is unknown was summed as zero and not counted."""
    values = [[1.0] * 40 for _ in range(10)]
    values[0][0] = -1.0  # a hundredth of the first square, 0.25 % of the land
    write_raster(row_of_four.parent / "lights.tif", values, cell=100)
    result = run(row_of_four, row_of_four.parent.parent / "run")
    (reason,) = result.ledger["reason"]
    assert "no value in 0.01 km2 (0.25%) of 1 of the 4 parcels" in reason
    told = [text for level, text in result.manifest["assumptions"] if level == "warning"]
    assert any("no value in 0.01 km2" in text for text in told)


def test_a_raster_that_says_nothing_of_much_land_is_refused_unless_allowed(
    row_of_four: Path,
) -> None:
    """Seen to give 75, 225, 0 and 0 t without a word."""
    write_raster(row_of_four.parent / "lights.tif", [[1, 3]])
    with pytest.raises(InputError, match=r"no value in 2 km2 \(50\.00%\) of 2 of the 4 parcels"):
        run(row_of_four, row_of_four.parent.parent / "run")
    allowed = row_of_four.read_text("utf-8") + '[allow]\nfallback = ["industry/manufacturing"]\n'
    row_of_four.write_text(allowed, "utf-8")
    assert tonnes(row_of_four, "industry/manufacturing") == [75, 225, 0, 0]


@pytest.mark.parametrize("reduce", ["cells", "exact"])
def test_a_raster_in_degrees_is_read_at_every_cells_centre(tmp_path: Path, reduce: str) -> None:
    """Parcels and units from sums at centres, in fractions: cells of the raster lie across borders and some are unknown."""
    crs, side = "EPSG:4490", 0.0031
    cuts = [0.0, 0.73, 1.18, 2.31, 3.0]
    parcels = [(f"p{k}", INDUSTRY, square(a, 0, b - a)) for k, (a, b) in enumerate(pairwise(cuts))]
    units = [(f"u{k}", "d", square(k, 0)) for k in range(3)]
    totals = "category,value,unit\nindustry/manufacturing,9876.543211,t CO2e\n"
    allowed = f'{OWN}[allow]\nfallback = ["industry/manufacturing"]\n'
    folder = tmp_path / "town"
    folder.mkdir()
    tables = {"totals.csv": totals, "categories.csv": BY_RASTER}
    case = write_town(folder, parcels, units, tables, allowed)
    case.write_text(f'reduce = "{reduce}"\n' + case.read_text("utf-8"), "utf-8")
    way = Transformer.from_crs(f"EPSG:{CRS}", crs, always_xy=True)
    west, north = way.transform(EAST - 500, NORTH + 1500)
    values = np.random.default_rng(1).integers(-1, 40, (7, 14))
    shape = {"height": 7, "width": 14, "count": 1, "dtype": "int16", "nodata": -1}
    transform = rasterio.transform.from_origin(west, north, side, side)
    with rasterio.open(folder / "lights.tif", "w", crs=crs, transform=transform, **shape) as target:
        target.write(values.astype(np.int16), 1)
    read = np.zeros((len(parcels), len(units)), np.int64)
    for x in range(50, 3000, 100):
        for y in range(50, 1000, 100):
            lon, lat = way.transform(EAST + x, NORTH + y)
            value = int(values[int((north - lat) / side), int((lon - west) / side)])
            read[np.searchsorted(cuts, x / 1000) - 1, x // 1000] += max(value, 0)

    def split(grams: int, weights: list[int]) -> list[int]:
        upto = [grams * part // sum(weights) for part in accumulate(weights, initial=0)]
        return [b - a for a, b in pairwise(upto)]

    of_parcels = split(9_876_543_211, read.sum(axis=1).tolist())
    in_units = [split(grams, row) for grams, row in zip(of_parcels, read.tolist(), strict=True)]
    result = run(case, tmp_path / "run")
    assert result.parcels["industry/manufacturing"].tolist() == of_parcels
    told = np.rint(result.units["industry_manufacturing_t"].to_numpy(float) * 1e6).astype(int)
    assert told.tolist() == np.sum(in_units, axis=0).tolist()


def test_a_parcel_without_a_cell_is_not_called_unknown(row_of_four: Path) -> None:
    """A strip of 40 m in a raster that is complete: "the raster has no value in 0.04 km2" was said of it, with the advice to take one that covers the land."""
    parcels = gpd.read_file(row_of_four.parent / "parcels.gpkg")
    strip = square(0.46, 0, 0.04)  # cells of 100 m have their centres at 0.45 and 0.55
    parcels.loc[0, "geometry"] = parcels.geometry[0].difference(strip)
    parcels.loc[4] = {"BSM": "strip", "DLBM": INDUSTRY, "geometry": strip}
    parcels.to_file(row_of_four.parent / "parcels.gpkg")
    write_raster(row_of_four.parent / "lights.tif", [[1, 1, 1, 1]])
    result = run(row_of_four, row_of_four.parent.parent / "run")
    (reason,) = result.ledger["reason"]
    told = "no cell of the grid has its centre in 1 of the 5 parcels that carry it (0.04 km2, 1.00%): the raster gives them no weight"
    assert reason == told
    [warned] = [text for _, text in result.manifest["assumptions"] if "no cell of the grid" in text]
    assert f"{told}. By area, 3 t of it would lie there. Take a finer grid.resolution." in warned
    assert note_in_chinese(warned)


def test_a_zero_in_a_raster_is_known(row_of_four: Path) -> None:
    write_raster(row_of_four.parent / "lights.tif", [[1, 2, 0, 0]])
    assert tonnes(row_of_four, "industry/manufacturing") == [100, 200, 0, 0]


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda path: write_raster(path, [[1, 1, 1, 1]], west=100), "does not touch the grid"),
        (lambda path: write_raster(path, [[1, 1, 1, -9999]], nodata=None), "-9999"),
        (lambda path: path.write_bytes(b"II*\0" + bytes(60)), "lights.tif"),
    ],
)
def test_check_opens_weight_rasters(row_of_four: Path, write: object, words: str) -> None:
    """Seen to be fine with each of them when only the first four bytes were read."""
    write(row_of_four.parent / "lights.tif")  # type: ignore[operator]
    checked = check(row_of_four)
    assert checked.wrong
    assert any(words in str(problem) for problem in checked.problems)


def test_water_in_no_unit_takes_its_raster_along(tmp_path: Path) -> None:
    """Half of a sea that a raster weighs lies in no unit and goes to the nearest.

    Seen to stay outside when the shares by rasters were left as they were.
    """
    parcels = [("a", SEA, square(0, 0, 2)), ("b", SEA, square(3, 0))]
    units = [("u", "d", square(0, 0)), ("v", "d", square(3, 0))]
    categories = CATEGORIES + "sink/water,sink,Water,水域,1,true,water,raster:lights.tif\n"
    totals = "category,value,unit\nsink/water,80,t CO2e\n"
    folder = tmp_path / "town"
    folder.mkdir()
    case = write_town(
        folder, parcels, units, {"totals.csv": totals, "categories.csv": categories}, OWN
    )
    text = case.read_text("utf-8").replace("[totals]", 'water = "nearest"\n[totals]')
    case.write_text(text, "utf-8")
    write_raster(folder / "lights.tif", [[1, 2, 0, 1]])
    assert tonnes(case, "sink/water") == [60, 20]
    assert cg.verify(tmp_path / "town-run").ok


def homes_and_homestead(folder: Path, totals: str) -> Path:
    """Homes in two units, a homestead between them with most of the people."""
    folder.mkdir()
    parcels = [
        ("a", HOMES, square(0, 0)),
        ("b", HOMESTEAD, square(1, 0)),
        ("c", HOMES, square(2, 0)),
    ]
    units = [(f"u{k}", "d", square(k, 0)) for k in range(3)]
    rows = [(500, 500, 100), (1100, 500, 900), (2500, 500, 100)]
    people = "x,y,count\n" + "".join(
        f"{500_000 + x},{3_450_000 + y},{count}\n" for x, y, count in rows
    )
    more = '[people]\npath = "people.csv"\nx = "x"\ny = "y"\ncount = "count"\ncrs = "EPSG:4549"\n'
    return write_town(folder, parcels, units, {"totals.csv": totals, "people.csv": people}, more)


def test_people_of_the_other_kind_of_home_are_not_this_one_s(tmp_path: Path) -> None:
    """A total of zero for homesteads changes nothing for homes.

    Seen to give 181.8 and 18.2 t without that row, when only categories with a total were residential.
    """
    urban = "category,value,unit\nbuildings/urban-homes,200,t CO2\n"
    alone = homes_and_homestead(tmp_path / "alone", urban)
    both = homes_and_homestead(tmp_path / "both", urban + "buildings/rural-homes,0,t CO2\n")
    assert tonnes(alone, "buildings/urban-homes") == [100, 0, 100]
    assert tonnes(both, "buildings/urban-homes") == [100, 0, 100]


def plain_town(folder: Path, districts: list[str], totals: str) -> Path:
    """Six industrial squares, units 1 to 6."""
    folder.mkdir()
    parcels = [(f"p{k}", INDUSTRY, square(k, 0)) for k in range(6)]
    units = [(str(k + 1), districts[k], square(k, 0)) for k in range(6)]
    return write_town(folder, parcels, units, {"totals.csv": totals})


def test_a_code_that_means_a_unit_and_another_district_is_refused(tmp_path: Path) -> None:
    """Seen to give region 2's mass to unit 2 and to the units of district 2 alike."""
    totals = (
        "category,value,unit,region\nwaste/industrial,600,t CO2e,\nwaste/industrial,540,t CO2e,5\n"
    )
    case = plain_town(tmp_path / "same", ["1", "1", "5", "5", "3", "3"], totals)
    with pytest.raises(InputError, match="'5' means different land as id and as district"):
        run(case, tmp_path / "run")
    case = plain_town(tmp_path / "other", ["d1", "d1", "d2", "d2", "d3", "d3"], totals)
    assert tonnes(case, "waste/industrial") == pytest.approx([12, 12, 12, 12, 540, 12], abs=1e-4)


def test_a_district_of_one_unit_may_bear_its_code(tmp_path: Path) -> None:
    totals = (
        "category,value,unit,region\nwaste/industrial,600,t CO2e,\nwaste/industrial,540,t CO2e,5\n"
    )
    case = plain_town(tmp_path / "town", ["a", "a", "b", "b", "5", "c"], totals)
    assert tonnes(case, "waste/industrial") == pytest.approx([12, 12, 12, 12, 540, 12], abs=1e-4)


def test_a_large_parcel_across_the_coast_is_no_other_place(tmp_path: Path) -> None:
    """Units cover 60 % of the parcels' area; seen to be refused when whole parcels were counted."""
    parcels = [("land", INDUSTRY, square(0, 0, 1)), ("sea", SEA, square(1, 0, 4))]
    folder = tmp_path / "coast"
    folder.mkdir()
    totals = "category,value,unit\nwaste/industrial,5,t CO2e\n"
    units = [("u", "d", square(0, 0, 1.5)), ("v", "d", square(1.5, 0, 1.5))]
    case = write_town(folder, parcels, units, {"totals.csv": totals})
    assert any("60.00% of the parcels' area" in line for line in check(case).lines)
    assert tonnes(case, "waste/industrial") == [5, 0]


def test_a_grid_that_nobody_can_hold_is_refused(tmp_path: Path) -> None:
    totals = "category,value,unit\nwaste/industrial,5,t CO2e\n"
    case = plain_town(tmp_path / "town", list("abcdef"), totals)
    text = case.read_text("utf-8").replace("resolution = 100", "resolution = 0.0001")
    case.write_text(text, "utf-8")
    assert any("[grid] resolution" in str(problem) for problem in check(case).problems)


def test_a_column_of_the_parcels_weighs(tmp_path: Path) -> None:
    """Columns are 1 and 3 for two equal parcels."""
    folder = tmp_path / "town"
    folder.mkdir()
    parcels = [("a", INDUSTRY, square(0, 0)), ("b", INDUSTRY, square(1, 0))]
    units = [("u", "d", square(0, 0)), ("v", "d", square(1, 0))]
    categories = CATEGORIES + "waste/industrial,waste,Waste,废物,1,false,industrial,field:output\n"
    totals = "category,value,unit\nwaste/industrial,8,t CO2e\n"
    tables = {"totals.csv": totals, "categories.csv": categories}
    case = write_town(folder, parcels, units, tables, OWN, {"output": [1.0, 3.0]})
    assert tonnes(case, "waste/industrial") == [2, 6]


def test_a_column_that_nobody_can_count_is_refused(tmp_path: Path) -> None:
    """Seen to wrap to a negative number in the ledger, with a warning of NumPy."""
    folder = tmp_path / "town"
    folder.mkdir()
    parcels = [("a", INDUSTRY, square(0, 0)), ("b", INDUSTRY, square(1, 0))]
    categories = CATEGORIES + "waste/industrial,waste,Waste,废物,1,false,industrial,field:output\n"
    totals = "category,value,unit\nwaste/industrial,8,t CO2e\n"
    tables = {"totals.csv": totals, "categories.csv": categories}
    units = [("u", "d", square(0, 0, 2))]
    case = write_town(folder, parcels, units, tables, OWN, {"output": [1.0, 1e300]})
    with pytest.raises(InputError, match="output adds up to 1e\\+300"):
        run(case, tmp_path / "run")


@pytest.mark.parametrize("ties", [">=", ">"])
def test_two_equal_units_are_high_or_low_as_the_case_says(tmp_path: Path, ties: str) -> None:
    """Two alike squares: every index is 1. The manifest says which way, verify and the command follow it, the oracle too."""
    folder = tmp_path / "two"
    folder.mkdir()
    parcels = [(f"{kind}{k}", code, square(k, row)) for k in range(2) for row, (kind, code) in enumerate((("i", INDUSTRY), ("w", SEA)))]  # fmt: skip
    units = [(f"u{k}", "d", square(k, 0).union(square(k, 1))) for k in range(2)]
    tables = {
        "totals.csv": "category,value,unit\nwaste/industrial,200,t CO2e\nsink/land,20,t CO2e\n",
        "gdp.csv": "region,value\nu0,5\nu1,5\n",
    }
    alike = {"area": [1e6] * 4}
    case = write_town(folder, parcels, units, tables, '[gdp]\npath = "gdp.csv"\n', alike)
    text = case.read_text("utf-8").replace("[units]", 'area_field = "area"\n[units]')
    case.write_text(f'ties = "{ties}"\n{text}', "utf-8")
    result = run(case, tmp_path / "run")
    assert result.units["esc"].tolist() == [1, 1]
    assert result.units["zone"].tolist() == ([1, 1] if ties == ">=" else [4, 4])
    assert result.manifest["parameters"]["ties"] == ties
    assert cg.verify(tmp_path / "run").ok
    [row] = [
        line for line in zone_lines(result) if line.split()[-3:-2] == ["2"] and line[:1].isdigit()
    ]
    assert ([">= 1", ">= 1"] if ties == ">=" else ["<= 1", "<= 1"]) == re.findall(r"[<>]=? 1", row)
    assert solve(case).units["zone"].tolist() == result.units["zone"].tolist()


def test_gdp_of_a_district_is_an_interval_and_its_zone_says_what_it_depends_on(
    tmp_path: Path,
) -> None:
    """Two districts of two alike units: too few to try the split on, so a factor of 3 is assumed; half of 8 becomes 1.39 to 6.61.

    On the logit a half is 0, and its standard deviation 0.67 times the square root of 2: 8 / (1 + exp(1.645 * 0.9475)) = 1.391.
    """
    folder = tmp_path / "districts"
    folder.mkdir()
    parcels = [(f"{kind}{k}", code, square(k, row)) for k in range(4) for row, (kind, code) in enumerate((("i", INDUSTRY), ("w", SEA)))]  # fmt: skip
    units = [(f"u{k}", f"d{k // 2}", square(k, 0).union(square(k, 1))) for k in range(4)]
    tables = {
        "totals.csv": "category,value,unit\nwaste/industrial,400,t CO2e\nsink/land,40,t CO2e\n",
        "gdp.csv": "region,value\nd0,8\nd1,16\n",
    }
    alike = {"area": [1e6] * 8}
    more = '[gdp]\npath = "gdp.csv"\nby = "district"\n'
    case = write_town(folder, parcels, units, tables, more, alike)
    case.write_text(case.read_text("utf-8").replace("[units]", 'area_field = "area"\n[units]'), "utf-8")  # fmt: skip
    result = run(case, tmp_path / "run")
    found = result.units
    half = 8e8 / (1 + math.exp(1.6448536269514722 * 0.67 * math.sqrt(2)))
    assert found["gdp"].tolist() == [4e8, 4e8, 8e8, 8e8]
    assert found["gdp_low"].tolist() == pytest.approx([half, half, 2 * half, 2 * half], abs=2)
    assert found["gdp_high"].tolist() == pytest.approx([8e8 - half] * 2 + [16e8 - 2 * half] * 2, abs=2)  # fmt: skip
    assert found["ecc"].tolist() == pytest.approx([2 / 3, 2 / 3, 4 / 3, 4 / 3])
    assert found["ecc_high"].tolist() == pytest.approx(found["ecc"] * found["gdp_high"] / found["gdp"])  # fmt: skip
    both = "GDP derived from that of a larger area; its interval of ECC contains 1"
    assert found["reason"].tolist() == [both] * 4
    assert [line for line in zone_lines(result) if "interval of 4 contains 1" in line]
    assert cg.verify(tmp_path / "run").ok
    assert solve(case).units["ecc_low"].tolist() == pytest.approx(found["ecc_low"].tolist())
    [note] = [text for _, text in result.manifest["assumptions"] if "is assumed to differ" in text]
    assert "by a factor of 3 either way" in note
