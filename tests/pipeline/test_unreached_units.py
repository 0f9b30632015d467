"""Units that POIs or lines leave out are named."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from town import CRS, EAST, NORTH, square, write_raster, write_town

from carbongrid.outputs.report.notes import note_in_chinese
from carbongrid.pipeline import check, run

UNITS, EACH = 8, 12
CODES = {"POI": "0601", "line": "1003", "rail": "1001"}
POIS = f'[pois]\npath = "pois.csv"\nx = "x"\ny = "y"\ncrs = "EPSG:{CRS}"\ntype = "kind"\ncrosswalk = "crosswalk.csv"\n'
LINES = '[lines]\npath = "lines.gpkg"\nclass = "highway"\n'


def told(folder, reached, sections, category, value="1", regions=()):
    """Return what is said of units that evidence leaves out: works, and a road, on the parcels that ``reached(unit, parcel)`` says."""
    places = [(unit, n) for unit in range(UNITS) for n in range(EACH)]
    land = [(f"p{unit}-{n:02}", CODES[category], square(unit, n / EACH, 1, 1 / EACH)) for unit, n in places]  # fmt: skip
    units = [(f"u{unit}", f"d{int(unit > 1)}", square(unit, 0)) for unit in range(UNITS)]
    name = {"POI": "industry/manufacturing", "line": "transport/road", "rail": "transport/rail"}[category]  # fmt: skip
    middles = [(EAST + 1000 * unit + 500, NORTH + 1000 * (n + 0.5) / EACH) for unit, n in places if reached(unit, n)]  # fmt: skip
    totals = "".join(f"{name},{value},kt CO2e,{region}\n" for region in regions or [""])
    tables = {
        "totals.csv": "category,value,unit,region\n" + totals,
        "pois.csv": "kind,x,y\n" + "".join(f"works,{x},{y}\n" for x, y in middles),
        "crosswalk.csv": "poi_type,category\nworks,industry/manufacturing\n",
    }
    roads = [shapely.LineString([(x - 400, y), (x + 400, y)]) for x, y in middles]
    gpd.GeoDataFrame({"highway": ["rail" if category == "rail" else "primary"] * len(roads)}, geometry=roads, crs=CRS).to_file(folder / "lines.gpkg")  # fmt: skip
    problems = check(write_town(folder, land, units, tables, sections)).problems
    found = [each for each in problems if " reaches land of " in each.what]
    assert all(each.level == "warning" and note_in_chinese(str(each)) for each in found)
    return [each.what for each in found]


@pytest.mark.parametrize(
    ("reached", "words"),
    [
        (lambda _unit, _n: True, None),
        (lambda unit, _n: unit not in (2, 5), "2 of 8 units, though 75% of the parcels that may carry it have some; units and such parcels: u2 (12), u5 (12)"),
        (lambda unit, n: unit != 2 or n == 3, None),  # one is some
        (lambda unit, n: unit == 0 and n < 3, None),  # few have any, which says nothing
    ],
)  # fmt: skip
@pytest.mark.parametrize(("sections", "things"), [(POIS, "POI"), (LINES, "line"), (LINES, "rail")])
def test_units_without_any_evidence_are_told(tmp_path, reached, words, sections, things):
    """Seen without a word: of half of all POIs, or roads, as of a file that was cut off."""
    found = told(tmp_path, reached, sections, things)
    assert len(found) == (words is not None)
    for what in found:
        assert what.startswith(f"no {'POI' if things == 'POI' else 'line'} reaches land of ")
        assert words in what


def test_what_falls_back_in_its_own_region_is_not_told_twice(tmp_path):
    """A district with a total and no POI goes by area, which is said; nothing of it lies in others."""
    assert told(tmp_path, lambda unit, _n: unit > 1, POIS, "POI", regions=("d0", "d1")) == []
    assert len(told(tmp_path, lambda unit, _n: unit > 1, POIS, "POI")) == 1


WORKS = {
    "totals.csv": "category,value,unit\nindustry/manufacturing,1,kt CO2e\n",
    "categories.csv": "category,weight\nindustry/manufacturing,raster:lights.tif\n",
}
BY_RASTER = '[categories]\npath = "categories.csv"\n'


def told_of_noughts(folder, land, lights, tables=WORKS, sections=BY_RASTER):
    """Return what a run of units of 1 km says of those in which lights, in cells of 100 m, are 0."""
    units = [(f"u{unit}", "d", square(unit, 0)) for unit in range(UNITS)]
    write_raster(folder / "lights.tif", lights, cell=100)
    finished = run(write_town(folder, land, units, tables, sections), folder / "run")
    found = [(level, text) for level, text in finished.manifest["assumptions"] if "the raster is 0 wherever" in text]  # fmt: skip
    assert all(level == "warning" and note_in_chinese(text) for level, text in found)
    return [text for _, text in found]


def strips(code="0601", count=10, units=range(UNITS)):
    """Return parcels side by side in each unit, of 1 km and the height of a cell."""
    return [(f"{code}-{unit}-{n:02}", code, square(unit, n / 10, 1, 0.1)) for unit in units for n in range(count)]  # fmt: skip


def cells(weight):
    """Return the lights of each cell, given the unit and which of its ten rows."""
    return np.array([[float(weight(x // 10, 9 - y)) for x in range(10 * UNITS)] for y in range(10)])


@pytest.mark.parametrize(
    ("weight", "words"),
    [
        (lambda unit, _n: unit != 3, "the raster is 0 wherever it has a value on land of industry/manufacturing in 1 of 8 units, though 100% of the parcels that may carry it have some in the others; units and such parcels: u3 (10)"),
        (lambda unit, n: unit != 3 or n == 5, None),  # one is some
        (lambda unit, n: unit != 3 and n % 3, None),  # 0 is common elsewhere, too
    ],
)  # fmt: skip
def test_units_in_which_a_raster_is_nought_are_told(tmp_path, weight, words):
    """Seen without a word: half of the cells 0 in place of no data, as of a mosaic without one of its tiles."""
    found = told_of_noughts(tmp_path, strips(), cells(weight))
    assert len(found) == (words is not None)
    assert all(words in text for text in found)


def test_few_parcels_of_nought_are_not_told(tmp_path):
    found = told_of_noughts(tmp_path, strips(count=9), cells(lambda unit, _n: unit != 3))
    assert found == []


def test_small_units_of_nought_are_among_the_others(tmp_path):
    """One bright unit, and one of ten dark parcels, among six of five: dark is common. Seen to be told as 100 % of the others."""
    land = [*strips(units=[0, 3]), *strips(count=5, units=[1, 2, 4, 5, 6, 7])]
    assert told_of_noughts(tmp_path, land, cells(lambda unit, _n: unit == 0)) == []


def test_a_unit_has_some_where_the_raster_is_unknown_in_part(tmp_path):
    """Ten parcels of 0, and beside each one that is bright but for a cell without a value. Seen to be told, though a tenth of all lay there."""
    halves = [(f"{side}-{n}", "0601", square(3 + side / 2, n / 10, 0.5, 0.1)) for side in (0, 1) for n in range(10)]  # fmt: skip
    lights = cells(lambda unit, _n: unit != 3)
    lights[:, 35:40] = 1
    lights[:, 37] = -1
    units = [unit for unit in range(UNITS) if unit != 3]
    assert told_of_noughts(tmp_path, [*strips(units=units), *halves], lights) == []


def test_others_have_some_where_the_raster_is_unknown_in_part(tmp_path):
    lights = cells(lambda unit, _n: unit != 3)
    lights[:, 5:30:10] = lights[:, 45::10] = -1
    (text,) = told_of_noughts(tmp_path, strips(), lights, sections=f'{BY_RASTER}[allow]\nfallback = ["industry/manufacturing"]\n')  # fmt: skip
    assert "100% of the parcels" in text and "u3 (10)" in text


def test_land_that_no_cell_hits_is_not_called_nought(tmp_path):
    """Of parcels between centres of cells nothing was read, which is said in other words."""
    units = [unit for unit in range(UNITS) if unit != 3]
    thin = [(f"thin-{n:02}", "0601", square(3, n / 20, 1, 0.001)) for n in range(20)]
    assert told_of_noughts(tmp_path, [*strips(units=units), *thin], cells(lambda *_: True)) == []


def test_each_category_is_told_of_its_own_land(tmp_path):
    """Of two that go by one raster, 0 is common on the land of one, which a unit has alone."""
    land = [*strips(units=[0, 1, 2, 4, 5, 6, 7]), *strips("0602", units=[3]), *strips("0602", count=3, units=[0])]  # fmt: skip
    land = [parcel for parcel in land if parcel[0] not in {"0601-0-00", "0601-0-01", "0601-0-02"}]
    tables = {
        "totals.csv": WORKS["totals.csv"] + "industry/mining,1,kt CO2e\n",
        "categories.csv": WORKS["categories.csv"] + "industry/mining,raster:lights.tif\n",
    }
    lights = cells(lambda unit, n: unit != 3 and not (unit == 0 and n in (1, 2)))
    assert told_of_noughts(tmp_path, land, lights, tables) == []
