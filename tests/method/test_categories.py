"""Categories: the package's own table against the documented one, and a user's rows over it."""

from __future__ import annotations

import pandas as pd
import pytest

from carbongrid.errors import InputError
from carbongrid.method.categories import COLUMNS, SECTORS, column_of, read_categories, sector_names
from carbongrid.method.landuse import TYPES

DOCUMENTED = {
    "industry/mining": ("mining", "pois"),
    "industry/manufacturing": ("industrial", "pois"),
    "industry/supply": ("utilities", "pois"),
    "industry/fugitive-coal": ("mining", "area"),
    "industry/fugitive-oil-gas": ("mining", "area"),
    "industry/fugitive-gas": ("urban-residential+commercial+public+industrial", "area"),
    "industry/f-gases": ("urban-residential+commercial+public", "area"),
    "buildings/urban-homes": ("urban-residential", "people"),
    "buildings/rural-homes": ("rural-homestead", "people"),
    "buildings/commerce": ("commercial", "pois"),
    "buildings/public-services": ("public", "pois"),
    "transport/road": ("transport:road", "roads"),
    "transport/rail": ("transport:rail", "lines:rail"),
    "transport/water": ("transport:water", "lines:water"),
    "transport/air": ("transport:air", "lines:air"),
    "agriculture/plantation": ("cultivated+paddy", "area"),
    "agriculture/rice": ("paddy", "area"),
    "agriculture/husbandry": ("farm-facilities", "area"),
    "agriculture/land": ("forest+grassland+water+unused", "area"),
    "agriculture/water": ("water", "area"),
    "agriculture/ponds": ("ponds", "area"),
    "waste/industrial": ("industrial", "area"),
    "waste/domestic": ("utilities", "area"),
    "sink/land": ("forest+grassland+water+unused", "area"),
    "sink/forest": ("forest", "area"),
    "sink/grassland": ("grassland", "area"),
    "sink/water": ("water", "area"),
    "sink/ponds": ("ponds", "area"),
    "sink/unused": ("unused", "area"),
    "sink/crops": ("cultivated+paddy", "area"),
}


def table(**cells: list[str]) -> pd.DataFrame:
    rows = pd.DataFrame(cells)
    return rows.set_axis(pd.RangeIndex(2, len(rows) + 2, name="row"))


def row(**cells: str) -> pd.DataFrame:
    whole = {
        "category": "other/peat",
        "sector": "other",
        "name_en": "Peat",
        "name_zh": "泥炭",
        "scope": "1",
        "sink": "false",
        "types": "unused",
        "weight": "area",
    }
    return table(**{column: [text] for column, text in {**whole, **cells}.items()})


def test_package_has_the_documented_rows():
    found = read_categories()
    assert {name: ("+".join(c.types), c.weight) for name, c in found.items()} == DOCUMENTED
    assert all(
        c.sink == (c.sector == "sink") and c.name.startswith(c.sector) for c in found.values()
    )
    assert {name for name, c in found.items() if c.scope == 2} == {
        n for n in DOCUMENTED if n.startswith("buildings")
    }


def test_sectors_have_both_names():
    assert list(sector_names()) == [*SECTORS, "sink"]
    assert sector_names()["waste"] == ("Waste", "废弃物处理")


def test_a_row_replaces_and_a_blank_cell_keeps():
    found = read_categories(table(category=["transport/road"], weight=["lines:road"]))
    before = read_categories()["transport/road"]
    assert found["transport/road"].weight == "lines:road"
    assert (found["transport/road"].types, found["transport/road"].name_zh) == (
        before.types,
        before.name_zh,
    )
    assert list(found) == list(DOCUMENTED)


def test_a_row_adds():
    found = read_categories(
        row(types="transport of mode rail + water", weight="raster: maps/night.tif", sink="FALSE")
    )
    assert found["other/peat"].types == ("transport:rail", "water")
    assert found["other/peat"].weight == "raster:maps/night.tif"
    assert list(found) == [*DOCUMENTED, "other/peat"]
    assert read_categories() == {name: c for name, c in found.items() if name != "other/peat"}


@pytest.mark.parametrize(
    "weight", ["area", "pois", "people", "roads", "lines:air", "field:FLOORS", "raster:a.tif"]
)
def test_every_kind_of_weight(weight):
    assert read_categories(row(weight=weight))["other/peat"].weight == weight


@pytest.mark.parametrize(
    ("weight", "inside", "path"),
    [
        ("area", "", ""),
        ("raster:a.tif", "", "a.tif"),
        ("field:FLOORS", " raster: a.tif ", "a.tif"),
        ("raster:a.tif", "raster:b.tif", "b.tif"),
    ],
)
def test_which_raster_mass_follows_inside_a_parcel(weight, inside, path):
    category = read_categories(row(weight=weight, inside=inside))["other/peat"]
    assert (category.weight, category.structure) == (weight, path)


@pytest.mark.parametrize("name", [name for name in TYPES if name != "none"])
def test_every_type(name):
    assert read_categories(row(types=name))["other/peat"].types == (name,)


@pytest.mark.parametrize(
    ("column", "text", "says"),
    [
        ("category", "peat", "sector/activity"),
        ("category", "", "a blank"),
        ("sector", "emission", "name of a sector"),
        ("scope", "4", "1, 2 or 3, not '4'"),
        ("scope", "1.0", "1, 2 or 3"),
        ("sink", "maybe", "true or false, not 'maybe'"),
        ("sink", "true", "Sinks, and they alone"),
        ("types", "forrest", "Did you mean 'forest'"),
        ("types", "none", "territorial types"),
        ("types", "forest+", "territorial types"),
        ("types", "forest+forest", "each type once"),
        ("types", "forest:rail", "a mode"),
        ("types", "transport:tram", "a mode"),
        ("types", "transport:", "after the colon"),
        ("weight", "populaton", "area, pois"),
        ("weight", "poi", "Did you mean 'pois'"),
        ("weight", "lines:raod", "Did you mean 'road'"),
        ("weight", "lines", "lines:MODE"),
        ("weight", "field:", "field:COLUMN"),
        ("inside", "a.tif", "raster:PATH, or a blank, not 'a.tif'"),
        ("inside", "raster: ", "raster:PATH, or a blank"),
        ("inside", "field:FLOORS", "raster:PATH, or a blank"),
    ],
)
def test_a_wrong_cell_names_its_place(column, text, says):
    with pytest.raises(InputError, match=says) as caught:
        read_categories(row(**{column: text}), where="mine.csv")
    assert "mine.csv, row 2" in str(caught.value)


def test_a_new_category_needs_every_cell_but_names_and_a_raster_inside():
    with pytest.raises(InputError) as caught:
        read_categories(table(category=["other/peat"]), where="mine.csv")
    named = [problem.where.rpartition(" ")[2] for problem in caught.value.problems]
    assert named == [
        column
        for column in COLUMNS
        if column not in ("category", "inside") and not column.startswith("name")
    ]


def test_all_faults_at_once():
    rows = pd.concat([row(scope="9"), row(category="other/turf", types="bog")]).set_axis([2, 3])
    with pytest.raises(InputError) as caught:
        read_categories(rows)
    assert len(caught.value.problems) == 2


def test_a_category_stands_once():
    with pytest.raises(InputError, match="stands in rows 2, 3"):
        read_categories(pd.concat([row(), row()]).set_axis([2, 3]))
    assert column_of("industry/mining") == "industry_mining"


def test_a_table_without_categories():
    with pytest.raises(InputError, match="'category' is missing"):
        read_categories(table(name=["x"]))
