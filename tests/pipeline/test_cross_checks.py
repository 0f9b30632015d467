"""What only shows when tables are held side by side."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
import rasterio
from squares_case import CRS, SOUTH, WEST, squares_case
from town import square, write_town

import carbongrid as cg
from carbongrid.outputs.report.notes import note_in_chinese
from carbongrid.pipeline import check
from carbongrid.pipeline.cross_checks import _problems_of_density

FOREST, GRASS = "land/forest,{},100,ha,coefficient=xie_variant.forest", "land/grassland,{},100,ha,"
WATER = "land/water,{},100,ha,"
_HEAD = "activity,category,amount,unit,parameters"


def told_of(folder, rows, words, *, sinks="study", gdp="", by="unit", head=_HEAD):
    """Return the warnings with these words of a run of forest in u1, water in u2, grass in u3, 100 ha each, with works in each."""
    parcels = [(code, code, square(x, 0)) for x, code in enumerate(("0301", "1101", "0404"))]
    parcels += [(f"w{x}", "0601", square(x, 1)) for x in range(3)]
    units = [(f"u{x + 1}", "de"[x > 0], square(x, 0, 1, 2)) for x in range(3)]
    more = f'[gdp]\npath = "gdp.csv"\nby = "{by}"\n' if gdp else ""
    folder.mkdir()
    more += '[allow]\nfallback = ["industry/manufacturing"]\n'
    path = write_town(folder, parcels, units, {"gdp.csv": gdp} if gdp else {}, more)
    (folder / "activity").mkdir()
    sheets = {
        "sinks": "\n".join([head, *rows]),
        "industry": "activity,category,amount,unit,parameters\nfuel/bituminous,industry/manufacturing,900,t,\n",
        "settings": "setting,value\nyear,2020\n",
    }
    for name, text in sheets.items():
        (folder / "activity" / f"{name}.csv").write_text(text, encoding="utf-8")
    section = f'[inventory]\npath = "activity"\ngwp = "AR5"\nsinks = "{sinks}"'
    text = path.read_text(encoding="utf-8").replace('[totals]\npath = "totals.csv"', section)
    path.write_text(text, encoding="utf-8")
    run = cg.run(path, folder / "run")
    told = [text for level, text in run.manifest["assumptions"] if level == "warning" and words in text]  # fmt: skip
    assert all(note_in_chinese(text) for text in told)
    return told, run.units.set_index("id")


def test_a_category_of_ones_own_without_a_total_is_told(tmp_path):
    """Seen to fail: a row of buildings/commerse, by area, left buildings/commerce to its POIs, without a word."""
    totals = "category,value,unit\nbuildings/commerce,5,t CO2e\nbuildings/malls,5,t CO2e\n"
    text = "category,sector,scope,sink,types,weight\n" + "".join(
        f"{name},{name.partition('/')[0]},1,false,commercial,area\n"
        for name in ("buildings/commerce", "buildings/malls", "buildings/commerse", "own/thing")
    )
    case = squares_case(tmp_path, ["05", "0301"], {"totals.csv": totals, "categories.csv": text}, categories={"path": "categories.csv"})  # fmt: skip
    told = [each for each in check(case).problems if "none of the package's" in each.what]
    assert [each.what.split("'")[1] for each in told] == ["buildings/commerse", "own/thing"]
    assert (
        told[0].hint == "Did you mean 'buildings/commerce'? Give it a total, or take its row out."
    )
    assert told[1].hint == "Give it a total, or take its row out."
    assert all(note_in_chinese(str(each)) for each in told)


def test_a_category_by_people_has_a_use_without_a_total(tmp_path):
    """Seen to fail: its row was said to change nothing, and taking it out moved 120 of 400 t of other homes, since people live on its land."""
    totals = "category,value,unit\nbuildings/urban-homes,400,t CO2e\n"
    text = (
        "category,sector,scope,sink,types,weight\nbuildings/dorms,buildings,2,false,public,people\n"
    )
    people = "lon,lat,residents\n" + "".join(
        f"{WEST + 1000 * x},{SOUTH + 500},{count}\n"
        for x, count in ((0.5, 1000), (1.2, 3000), (2.5, 1000))
    )
    tables = {"totals.csv": totals, "categories.csv": text, "people.csv": people}
    own = {"categories": {"path": "categories.csv"}}
    of_people = {"people": {"path": "people.csv", "crs": f"EPSG:{CRS}"}}
    told, mass = [], []
    for name, sections in (("with", own | of_people), ("without", of_people), ("alone", own)):
        (tmp_path / name).mkdir()
        case = squares_case(tmp_path / name, ["0701", "08H2", "0701"], tables, **sections)
        told.append(any("its row changes nothing" in each.what for each in check(case).problems))
        if name != "alone":
            run = cg.run(case, tmp_path / name / "run")
            mass.append(run.units["buildings_urban-homes_t"].tolist())
    assert mass[0] == [200, 0, 200]
    assert mass[1] == [320, 0, 80]
    assert told == [False, False, True]


def test_a_sink_that_was_formed_otherwise_than_it_is_spread(tmp_path):
    """A forest with a coefficient of its own: it forms 94 % and gets 70 %. Seen to fail: nobody was told."""
    rows = [row.format("sink/land") for row in (FOREST, WATER)]
    [told], units = told_of(tmp_path / "land", rows, "formed it")
    assert "activity: sink/land is spread" in told
    assert "24% of it lies on other types" in told
    assert "land/forest 94% : " in told and "land/water 6% : " in told
    # The way out that it names.
    rows = [FOREST.format("sink/forest"), WATER.format("sink/water")]
    told, units = told_of(tmp_path / "own", rows, "formed it")
    assert told == []
    assert units["sink_t"].tolist() == pytest.approx([380.96 * 44 / 12, 23.5 * 44 / 12, 0], abs=1e-5)  # fmt: skip


def test_regions_with_totals_of_their_own_are_held_by_themselves(tmp_path):
    """u1 has forest alone and u2 water alone, as their rows have. Seen to fail: over the city the shares differed, and what was right was told; and what was wrong in both cancelled."""
    rows = ["land/forest,sink/land,100,ha,coefficient=xie_variant.forest,u1", "land/water,sink/land,100,ha,,u2"]  # fmt: skip
    head = "activity,category,amount,unit,parameters,region"
    assert told_of(tmp_path / "right", rows, "formed it", head=head)[0] == []
    wrong = ["land/forest,sink/land,100,ha,,e", "land/water,sink/land,100,ha,,u1"]
    [told], _ = told_of(tmp_path / "wrong", wrong, "formed it", head=head)
    assert "activity: e: sink/land" in told
    assert "100% of it lies on other types" in told


def test_what_several_types_form_alike_is_not_told(tmp_path):
    rows = ["land/forest,sink/land,100,ha,", *(row.format("sink/land") for row in (GRASS, WATER))]
    assert told_of(tmp_path / "t", rows, "formed it")[0] == []


def test_a_row_of_one_type_alone_is_told(tmp_path):
    """Forests get 97 % of what grassland took up."""
    [told], _ = told_of(tmp_path / "t", [GRASS.format("sink/land")], "formed it", sinks="ipcc")  # fmt: skip
    assert "land/forest 0% : 97%, land/grassland 100% : 3%" in told


@pytest.mark.parametrize(("gdp", "count"), [("u1,5\nu2,\n", 1), ("u1,5\nu2,6\n", 0), ("u1,0\nu2,\n", 0)])  # fmt: skip
def test_a_lone_gdp_is_told(tmp_path, gdp, count):
    """The ECC of a unit whose GDP is the only one known is 1 whatever it is, and so its zone is a matter of ties."""
    rows = ["land/forest,sink/land,100,ha,"]
    told, units = told_of(tmp_path / "t", rows, "alone is known", gdp=f"region,value\n{gdp}")
    assert len(told) == count
    if count:
        assert "of 3 units the GDP of u1 alone is known" in told[0]
        assert units["ecc"]["u1"] == 1


def test_a_lone_gdp_of_a_district_of_one_unit_is_told(tmp_path):
    rows = ["land/forest,sink/land,100,ha,"]
    [told], units = told_of(tmp_path / "t", rows, "alone is known", gdp="region,value\nd,5\ne,\n", by="district")  # fmt: skip
    assert "of 3 units the GDP of u1 alone is known" in told
    assert units["ecc"]["u1"] == 1


@pytest.mark.parametrize(
    ("scaled", "km2", "words"),
    [
        ({"a": 1.1, "b": 0.9, "c": 1.0}, 0.01, None),
        ({"a": 0.011, "b": 0.0105, "c": 0.0103}, 0.01, "a cell has 0.01 km2: the raster seems to hold people per km2"),
        ({"a": 0.02, "b": 0.02, "c": 0.02}, 0.01, None),  # a sample, or another year
        ({"a": 6.1, "b": 6.2, "c": 6.3, "d": float("nan")}, 0.0625, "a cell has 6.25 ha: the raster seems to hold people per ha"),
        ({"a": 1.05, "b": 1, "c": 1}, 1.0, None),  # a cell of one km2 has as many
        ({"a": 0.66, "b": 0.6, "c": 0.57}, 0.00655, None),  # three seconds of arc in the north
        ({"a": 6.1, "b": 6.2}, 0.0625, None),  # of a few none is usual
        ({"a": 1.05, "b": 1.05, "c": 1.05}, 0.01, None),
        ({}, 0.01, None),
    ],
)  # fmt: skip
def test_a_census_tells_a_raster_of_densities(scaled, km2, words):
    """Seen without a word: people per km2 in cells of 250 m were scaled to the census, and those beyond it counted sixteenfold."""
    told = [*_problems_of_density(scaled, km2, "census.csv")]
    assert len(told) == (words is not None)
    for each in told:
        assert each.level == "warning"
        assert words in each.what
        assert note_in_chinese(str(each))


def test_a_weight_raster_finer_than_the_grid_is_added_up(tmp_path):
    """Seen: 489 and 247 buildings in cells of 2 m, on a grid of 50 m, of which the centres hit one, so that one parcel had all of the mass."""
    for cell in (1000, 100, 50, 20, 2):
        counts = np.zeros((round(1000 / cell), round(2000 / cell)), np.uint16)
        # Each building in its own place, 2 m wide at most.
        places = np.random.default_rng(cell).integers(0, 500, (736, 2)) * 2 + 1
        rows, columns = places[:, 0] // cell, (places[:, 1] + 1000 * (np.arange(736) < 247)) // cell
        np.add.at(counts, (rows, columns), 1)
        run, told = of_raster(tmp_path / str(cell), counts, cell)
        assert told == []
        assert run.parcels["buildings/urban-homes"].tolist() == [489_000_000, 247_000_000]


@pytest.mark.parametrize(("wide", "high", "said"), [(70, 70, "70 x 70 m"), (70.04, 70.04, "70 x 70 m"), (3.0004, 700, "3 x 700 m"), (10, 200, "10 x 200 m"), (51, 51, "51 x 51 m"), (71, 71, None), (200, 200, None)])  # fmt: skip
def test_a_weight_raster_of_which_cells_are_left_unread_is_told(tmp_path, wide, high, said):
    """Seen without a word: of cells of 10 x 400 m on a grid of 100 m one in ten was read."""
    counts = np.ones((math.ceil(1000 / high), math.ceil(2000 / wide)), np.uint16)
    _, told = of_raster(tmp_path / "a", counts, wide, high)
    assert len(told) == (said is not None)
    for text in told:
        assert f"of its cells, about {said}" in text
        most, least = (
            float(each.replace(",", "")) for each in re.findall(r"of ([\d.,]+) m or", text)[-2:]
        )
        assert 2 * max(wide, high) <= most < 2 * max(wide, high) * 1.01
        assert min(wide, high) * 0.99 < least <= min(wide, high)


def of_raster(folder: Path, counts: np.ndarray, wide: float, high: float = 0) -> tuple[cg.Result, list[str]]:  # fmt: skip
    """Return a run of 736 t on two squares by a raster, on a grid of 100 m, and what it warns of its cells."""
    folder.mkdir()
    with rasterio.open(
        folder / "w.tif", "w", driver="GTiff", height=counts.shape[0], width=counts.shape[1], count=1, dtype="uint16",
        crs=f"EPSG:{CRS}", transform=rasterio.transform.from_origin(WEST, SOUTH + 1000, wide, high or wide),
    ) as target:  # fmt: skip
        target.write(counts, 1)
    tables = {
        "totals.csv": "category,value,unit\nbuildings/urban-homes,736,t CO2e\n",
        "categories.csv": "category,weight\nbuildings/urban-homes,raster:w.tif\n",
    }
    grid = {"crs": f"EPSG:{CRS}", "resolution": 100}
    case = squares_case(folder, ["0701", "0701"], tables, categories={"path": "categories.csv"}, grid=grid)  # fmt: skip
    told = [each for each in check(case).problems if "of its cells" in each.what]
    assert all(each.level == "warning" and note_in_chinese(str(each)) for each in told)
    return cg.run(case, folder / "run"), [str(each) for each in told]


def test_a_code_of_a_parent_that_lies_in_two_others_is_told(tmp_path):
    """Seen without a word: 40 t of the district d1 lay in both cities that have one."""
    parents = {"district": ["d1", "d2", "d1", "d2"], "city": ["A", "A", "B", "B"]}
    totals = (
        "category,value,unit,region\nwaste/industrial,100,t CO2e,\nwaste/industrial,40,t CO2e,{}\n"
    )

    def told(name, region, levels=("district", "city"), tables=None, **more):
        (tmp_path / name).mkdir()
        columns = {level: more.pop(level, parents.get(level)) for level in levels}
        case = squares_case(
            tmp_path / name, ["0601"] * 4, {"totals.csv": totals.format(region), **(tables or {})}, of_units=columns,
            units={"parents": list(levels)}, **more,
        )  # fmt: skip
        found = [each for each in check(case).problems if "counts as one region" in each.what]
        assert all(note_in_chinese(str(each)) for each in found)
        return [(each.level, each.what.partition(" counts as one region")[2]) for each in found]

    spread = ("warning", ", over which its figures in totals.csv are spread: d1 in A, B")
    assert told("district", "d1") == [
        spread,
        ("note", " where units are grouped by it: d2 in A, B"),
    ]
    grouped = ("note", " where units are grouped by it: d1 in A, B; d2 in A, B")
    assert told("unit", "01") == told("city", "B") == [grouped]
    assert told("nested", "d1", city=["A"] * 4) == []
    held = ("warning", ", against which all of them are held (reference = 'district'): d1 in A, B; d2 in A, B")  # fmt: skip
    assert told("reference", "B", reference="district") == [held]
    # Of two provinces that each have a city 1 with a district d1; and told once of the nearer level.
    province = {"province": ["P", "P", "Q", "Q"]}
    levels = ("district", "city", "province")
    farther = told("farther", "d1", levels, city=["c1", "c2"] * 2, **province)
    assert [what for level, what in farther if level == "warning"] == [", over which its figures in totals.csv are spread: d1 in P, Q"]  # fmt: skip
    assert told("nearer", "d1", levels, **province) == told("district again", "d1")
    # GDP of another level is of none of its codes.
    gdp, sheet = {"path": "gdp.csv", "by": "district"}, "region,value\nd1,5\nd2,7\n"
    of_gdp = told("gdp", "A", tables={"gdp.csv": sheet}, gdp=gdp)
    assert of_gdp == [("warning", ", over which its figures in gdp.csv are spread: d1 in A, B; d2 in A, B")]  # fmt: skip
    same = {"tables": {"gdp.csv": sheet.replace("d", "")}, "district": ["1", "2", "1", "2"], "city": ["1", "1", "2", "2"]}  # fmt: skip
    assert [level for level, _ in told("gdp of cities", "01", gdp={**gdp, "by": "city"}, **same)] == ["note"]  # fmt: skip


def test_what_goes_by_people_without_homes_is_named(tmp_path):
    """Seen to fail: nothing was said to be spread by people, and domestic waste was, 25 to 75."""
    tables = {
        "totals.csv": "category,value,unit\nwaste/domestic,100,t CO2e\n",
        "people.csv": f"lon,lat,residents\n{WEST + 500},{SOUTH + 500},10\n{WEST + 1500},{SOUTH + 500},30\n",
    }
    people = {"path": "people.csv", "crs": f"EPSG:{CRS}"}
    only, nothing = "only waste/domestic is spread by them", "nothing is spread by them"
    homes = "buildings/urban-homes,{},t CO2e,{}\nwaste/domestic,100,t CO2e,\n"
    for number, (rows, said) in enumerate((
        ("waste/domestic,100,t CO2e,\n", only),
        ("waste/domestic,100,t CO2e,elsewhere\nindustry/mining,1,t CO2e,\n", nothing),
        ("waste/domestic,0,t CO2e,\nindustry/mining,1,t CO2e,\n", nothing),
        (homes.format(0, ""), only), (homes.format(5, "elsewhere"), only), (homes.format(5, ""), None),
    )):  # fmt: skip
        folder = tmp_path / str(number)
        folder.mkdir()
        tables["totals.csv"] = f"category,value,unit,place\n{rows}"
        case = squares_case(folder, ["0701", "0702", "0602"], tables, people=people)
        told = [each for each in check(case).problems if "no homes have a total" in each.what]
        assert [each.what for each in told] == [f"people are given and no homes have a total, so that people are counted in units and {said}"] * bool(said)  # fmt: skip
        assert all(each.level == "note" and note_in_chinese(str(each)) for each in told)
    # Waste that the case spreads by area is none of what goes by people.
    written = tables | {
        "totals.csv": "category,value,unit\nwaste/domestic,100,t CO2e\n",
        "categories.csv": "category,weight\nwaste/domestic,area\n",
    }
    (tmp_path / "area").mkdir()
    case = squares_case(tmp_path / "area", ["0701", "0702", "0809"], written, people=people, categories={"path": "categories.csv"})  # fmt: skip
    said = [each.what for each in check(case).problems if each.what.startswith("people are given")]
    assert said == [
        f"people are given and no homes have a total, so that people are counted in units and {nothing}"
    ]


def test_a_category_of_scope_3_that_is_not_spread_is_told(tmp_path):
    """Seen without a word: 100 of 150 t of a case lay on no land, since the category's row said 3."""
    tables = {
        "totals.csv": "category,value,unit,place\nown/goods,100,t CO2e,{}\nwaste/industrial,50,t CO2e,\n",
        "categories.csv": "category,sector,scope,sink,types,weight\nown/goods,own,3,false,industrial,area\n",
    }
    own, told = {"categories": {"path": "categories.csv"}}, []
    for name, place in (("unsaid", ""), ("here", "here"), ("elsewhere", "elsewhere")):
        (tmp_path / name).mkdir()
        written = tables | {"totals.csv": tables["totals.csv"].format(place)}
        case = squares_case(tmp_path / name, ["0601"] * 2, written, **own)
        found = [each for each in check(case).problems if "is of scope 3" in each.what]
        assert all(each.level == "note" and note_in_chinese(str(each)) for each in found)
        told.append([str(each) for each in found])
    assert told[0] == ["totals.csv: own/goods is of scope 3: its 100 t are reported, never spread. Where they are emitted here, write 'here' in the column place."]  # fmt: skip
    assert told[1:] == [[], []]
    (tmp_path / "nothing").mkdir()
    written = tables | {
        "totals.csv": tables["totals.csv"].format("").replace("goods,100,", "goods,0,")
    }
    case = squares_case(tmp_path / "nothing", ["0601"] * 2, written, **own)
    assert not [each for each in check(case).problems if "is of scope 3" in each.what]


def test_activity_data_of_scope_3_that_are_not_spread_are_told(tmp_path):
    """Seen without a word: of activity data nothing said that a category's row keeps their mass from the land."""
    tables = {
        "categories.csv": "category,sector,scope,sink,types,weight\nindustry/mining,industry,{},false,industrial,area\n",
        "industry.csv": f"{_HEAD}\nfuel/bituminous,industry/mining,900,t,\nfuel/bituminous,industry/manufacturing,100,t,\n",
        "settings.csv": "setting,value\nyear,2020\n",
    }
    told, spread = [], []
    for scope in (3, 1):
        folder = tmp_path / str(scope)
        (folder / "activity").mkdir(parents=True)
        for name in ("industry", "settings"):
            (folder / "activity" / f"{name}.csv").write_text(
                tables[f"{name}.csv"], encoding="utf-8"
            )
        written = {"categories.csv": tables["categories.csv"].format(scope)}
        sections = {
            "totals": None,
            "inventory": {"path": "activity", "gwp": "AR5", "sinks": "study"},
        }
        case = squares_case(folder, ["0601"] * 2, written, categories={"path": "categories.csv"}, allow={"fallback": ["industry/manufacturing"]}, **sections)  # fmt: skip
        found = [each for each in check(case).problems if "is of scope 3" in each.what]
        assert all(each.level == "note" and note_in_chinese(str(each)) for each in found)
        told.append([str(each) for each in found])
        spread.append(cg.run(case, folder / "run").units["emission_t"].sum())
    assert told == [[f"activity: industry/mining is of scope 3: its {0.9 * spread[1]:,.6f} t are reported, never spread. Where they are emitted here, give the category scope 1 or 2 in the case."], []]  # fmt: skip
    assert spread[0] == pytest.approx(spread[1] / 10)
