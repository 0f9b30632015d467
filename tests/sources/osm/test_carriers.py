"""Which land carries what, by which weight, on parcels made by hand."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
from shapely import box

from carbongrid.method.categories import read_categories
from carbongrid.method.landuse import match_codes, packaged_table, read_code_system
from carbongrid.sources.osm.carriers import MIN_POIS, Rows, carried_rows

CRS = "EPSG:32632"
EAST, NORTH = 500_000.0, 5_200_000.0


def parcels(*rows: tuple[str, str, object]) -> gpd.GeoDataFrame:
    """Parcels of (type, mode, box in metres)."""
    columns = {
        "id": [f"way/{k}" for k in range(len(rows))],
        "type": [row[0] for row in rows],
        "mode": [row[1] for row in rows],
    }
    shapes = gpd.GeoSeries([row[2] for row in rows]).translate(EAST, NORTH)
    return gpd.GeoDataFrame(columns, geometry=shapes.to_numpy(), crs=CRS)


def pois(*rows: tuple[str, float, float, float]) -> pd.DataFrame:
    """Points of (type, x, y, weight)."""
    x = [EAST + row[1] for row in rows]
    y = [NORTH + row[2] for row in rows]
    places = gpd.GeoSeries(gpd.points_from_xy(x, y), crs=CRS).to_crs("EPSG:4326")
    columns = {"lon": places.x, "lat": places.y, "type": [row[0] for row in rows]}
    return pd.DataFrame(columns).assign(weight=[f"{row[3]:g}" for row in rows])


LINES = gpd.GeoDataFrame({"class": ["ferry"]}, geometry=[box(0, 0, 1, 1)], crs=CRS)
LAND = parcels(
    ("utilities", "", box(0, 0, 100, 100)),
    ("industrial", "", box(1000, 0, 1900, 900)),
    ("commercial", "", box(3000, 0, 3100, 100)),
    ("transport", "water", box(5000, 0, 5900, 900)),
)


def rule(rows: Rows, category: str) -> tuple[str, str]:
    """Types and weight of a row of categories.csv; blank where the package's hold."""
    own = rows.categories.set_index("category")
    return tuple(own.loc[category, ["types", "weight"]]) if category in own.index else ("", "")


def source(rows: Rows, category: str) -> str:
    return rows.totals.set_index("category")["source"][category]


def test_one_plant_is_enough_and_may_stand_on_any_built_up_land():
    """Seen to fail when supply was held to utilities, where a plant in a works is lost."""
    rows = carried_rows(LAND, pois(("plant:source=gas", 1500, 100, 5610)), LINES)
    types, weight = rule(rows, "industry/supply")
    assert {"utilities", "industrial"} <= set(types.split("+"))
    assert weight == ""
    assert "1 of 1 points of interest reach 1 of them" in source(rows, "industry/supply")


def test_without_a_plant_supply_is_spread_over_works_and_utilities():
    rows = carried_rows(LAND, pois(("shop=bakery", 3050, 50, 1)), LINES)
    assert rule(rows, "industry/supply") == ("utilities+industrial", "area")
    assert "only 0 of 0" in source(rows, "industry/supply")


@pytest.mark.parametrize(("near", "weight"), [(MIN_POIS, ""), (MIN_POIS - 1, "area")])
def test_points_count_where_they_reach_land_of_their_category(near, weight):
    """Seen to fail when points were counted before they were placed."""
    shops = [("shop=bakery", 3000 + 10 * k, 50, 1) for k in range(near)]
    far = [("shop=bakery", 9000 + 10 * k, 9000, 1) for k in range(5)]
    rows = carried_rows(LAND, pois(*shops, *far), LINES)
    assert rule(rows, "buildings/commerce") == ("", weight)
    assert f"{near} of {near + 5} points of interest" in source(rows, "buildings/commerce")


def test_shipping_goes_by_the_area_of_ports_whatever_lines_there_are():
    rows = carried_rows(LAND, pois(("shop=bakery", 3050, 50, 1)), LINES)
    assert rule(rows, "transport/water") == ("", "area")


def test_what_nothing_carries_has_no_row_and_is_told():
    rows = carried_rows(LAND, pois(("shop=bakery", 3050, 50, 1)), LINES)
    assert "transport/air" not in set(rows.totals["category"])
    assert "transport/air" in rows.notes[0].what


CROSSWALK = packaged_table("poi/osm.csv")


def test_a_thing_drawn_as_an_area_is_land_of_the_category_that_its_point_counts_for():
    """Seen to fail on fire stations, which were land of utilities and points of public services."""
    categories = read_categories()
    kinds = match_codes(CROSSWALK["poi_type"], read_code_system("osm"))
    for tag, name, kind, known in zip(
        CROSSWALK["poi_type"], CROSSWALK["category"], kinds["type"], kinds["matched"], strict=True
    ):
        of_land = name and known and name != "transport/road" and not tag.startswith("generator:")
        assert not of_land or kind in categories[name].types, tag


@pytest.mark.parametrize(
    ("tag", "kind"),
    [
        ("aeroway=helipad", ("none", "")),
        ("aeroway=aerodrome", ("transport", "air")),
        ("railway=platform", ("none", "")),
        ("railway=rail", ("transport", "rail")),
        ("man_made=pier", ("none", "")),
        ("landuse=port", ("transport", "water")),
        ("power=substation", ("none", "")),
        ("power=transformer", ("none", "")),
        ("man_made=street_cabinet", ("none", "")),
        ("shop=vacant", ("none", "")),
        ("highway=proposed", ("none", "")),
    ],
)
def test_what_no_traffic_and_no_power_comes_of_carries_none(tag, kind):
    found = match_codes(pd.Series([tag], dtype=str), read_code_system("osm"))
    assert (found["type"][0], found["mode"][0]) == kind
