"""Liechtenstein, 2019: from OpenStreetMap and the national inventory to land. Builds a case and runs it.

    python examples/liechtenstein.py DIR

Data: OpenStreetMap, 2024-03-04, ODbL 1.0, (c) OpenStreetMap contributors; residents 31 Dec 2019, Amt fuer Statistik;
inventory LIE-CRT-2026 submitted to the UNFCCC, tidied by W. F. Lamb (CC-BY). Found through CARBONGRID_DATA, or in
../shared/data beside the checkout.

What is assumed, and said again in the case:

- Roads are lines in OSM; transport land is made of them by the width of their class.
- Residents are published per municipality; they are spread evenly over its addresses.
- OSM maps a handful of works as points, too few to weigh by, and no plant that burns something: industry and supply go by area, supply over
  utilities and industrial land, as OSM draws the grounds of utilities (docs/decisions/0038). On utilities alone 88 % of it lay on a landfill.
- GDP per municipality is not published, so ECC is unknown and every unit stays unclassified; ESC is known.
- Of LULUCF only forest land is taken, -15,332 t, as the sink of forests. LULUCF as a whole was a *source* in 2019
  (+658 t: cropland, grassland and settlements emit, harvested wood is returned). The zoning asks what the land takes up; the emissions of
  the other land would be categories of their own.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import geopandas as gpd
import pandas as pd

import carbongrid as cg
from carbongrid.case.readers.coded_table import read_coded
from carbongrid.case.readers.tables import read_table
from carbongrid.method.categories import read_categories
from carbongrid.pipeline.coded_totals import read_shares, totals_of_codes

ROOT = Path(__file__).resolve().parents[1]

ROAD_WIDTHS = {
    "primary": 9.0,
    "primary_link": 7.0,
    "secondary": 8.0,
    "secondary_link": 7.0,
    "tertiary": 7.0,
    "unclassified": 5.0,
    "residential": 5.5,
    "service": 4.0,
}
"""Metres of carriageway and verge by OSM class: assumed, ordinary cross-sections."""

CATEGORY_OF_CODE = {
    "1.A.1": "industry/supply",
    "1.B": "industry/supply",
    "1.A.2": "industry/manufacturing",
    "2": "industry/manufacturing",
    "1.A.3": "transport/road",
    "1.A.4": "buildings/other-sectors",
    "3": "agriculture/all",
    "4": "leave-out",
    "4.A": "sink/forest",
    "5": "waste/domestic",
}
"""Where a CRT code goes, and its parts that are not named themselves."""

CASE = """\
title = "Liechtenstein 2019"
year = 2019
attribution = "© OpenStreetMap contributors, ODbL 1.0"
reduce = "cells"

[grid]
crs = "EPSG:2056"
resolution = 5
coarse = 1000

[parcels]
path = "parcels.gpkg"
id = "id"
land_use = "land_use"
code_system = "osm"
overlap = "priority"    # OSM areas overlap; roads lie on top
repair = true

[units]
path = "municipalities.gpkg"
id = "id"
name = "name"

[pois]
path = "pois.csv"
x = "x"
y = "y"
crs = "EPSG:2056"
type = "type"
crosswalk = "osm"

[people]                # derived: a municipality's people spread over its addresses
path = "people.csv"
x = "x"
y = "y"
crs = "EPSG:2056"
count = "residents"

[lines]
path = "roads.gpkg"
class = "highway"
lambda = 0.5

[totals]
path = "totals.csv"

[categories]
path = "categories.csv"
"""


def data_folder() -> Path:
    """Return the folder with Liechtenstein's files."""
    named = os.environ.get("CARBONGRID_DATA")
    folder = (Path(named) if named else ROOT.parent / "shared" / "data") / "liechtenstein"
    if not folder.is_dir():
        raise SystemExit(
            f"no data in {folder}: set CARBONGRID_DATA to the folder that holds liechtenstein/"
        )
    return folder


def write_case(directory: Path) -> Path:
    """Write the case and its tables into a new directory; return the case file."""
    source = data_folder()
    layers = source / "liechtenstein_osm_2024-03-04.gpkg"
    directory.mkdir(parents=True, exist_ok=True)
    municipalities = gpd.read_file(layers, layer="municipalities")
    roads = gpd.read_file(layers, layer="roads")
    land_parcels(gpd.read_file(layers, layer="parcels"), roads).to_file(directory / "parcels.gpkg")
    units = municipalities[["osm_id", "name", "geometry"]].rename(columns={"osm_id": "id"})
    units.astype({"id": "str"}).to_file(directory / "municipalities.gpkg")
    roads[["highway", "geometry"]].to_file(directory / "roads.gpkg")
    pois = gpd.read_file(layers, layer="pois")
    points_table(pois, type=pois["key"] + "=" + pois["value"]).to_csv(
        directory / "pois.csv", index=False
    )
    population = pd.read_csv(source / "municipality_population.csv")
    addresses = gpd.read_file(layers, layer="building_points").query("has_addr")
    residents(addresses, municipalities, population).to_csv(directory / "people.csv", index=False)
    totals(source / "ghg_inventory_crt.csv").to_csv(directory / "totals.csv", index=False)
    categories().to_csv(directory / "categories.csv", index=False)
    case = directory / "case.toml"
    case.write_text(CASE, encoding="utf-8")
    return case


def land_parcels(areas: gpd.GeoDataFrame, roads: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return OSM's areas, and the roads as wide as their class."""
    known = areas[["parcel_id", "key", "value", "geometry"]]
    mapped = gpd.GeoDataFrame(
        {
            "id": "area-" + known["parcel_id"].astype(str).str.zfill(5),
            "land_use": known["key"] + "=" + known["value"],
        },
        geometry=known.geometry,
    )
    width = roads["highway"].map(ROAD_WIDTHS)
    carriageways = gpd.GeoDataFrame(
        {
            "id": [f"road-{row:05d}" for row in range(len(roads))],
            "land_use": "highway=" + roads["highway"],
        },
        geometry=roads.geometry.buffer(width / 2, cap_style="flat"),
    )
    return pd.concat([mapped, carriageways], ignore_index=True).set_crs(areas.crs)


def points_table(points: gpd.GeoDataFrame, **columns: pd.Series) -> pd.DataFrame:
    """Return coordinates to a millimetre, and the columns."""
    xy = points.geometry.get_coordinates().round(3)
    return xy.assign(**columns)


def residents(
    addresses: gpd.GeoDataFrame, municipalities: gpd.GeoDataFrame, population: pd.DataFrame
) -> pd.DataFrame:
    """Spread each municipality's people evenly over its addresses."""
    joined = addresses.sjoin(municipalities[["name", "geometry"]], predicate="within")
    joined = joined[~joined.index.duplicated()]
    count = joined.groupby("name")["name"].transform("size")
    people = joined["name"].map(population.set_index("name")["pop_2019_12_31"])
    return points_table(joined, residents=(people / count).round(3))


def totals(inventory: Path) -> pd.DataFrame:
    """Return 2019 by category, t CO2e; forest land's uptake as a positive sink."""
    known = read_categories(categories().astype(str))
    table = read_coded(read_table(inventory), "crt", where="LIE-CRT-2026", year=2019)
    chosen = pd.DataFrame(CATEGORY_OF_CODE.items(), columns=["code", "category"])
    return totals_of_codes(table, known, read_shares(chosen, "crt", known, "this file")).totals


def categories() -> pd.DataFrame:
    """Return the two categories that the package has not, and the two that go by area here."""
    columns = ["category", "sector", "name_en", "name_zh", "scope", "sink", "types", "weight"]
    buildings = "urban-residential+rural-homestead+commercial+public"
    return pd.DataFrame(
        [
            ["buildings/other-sectors", "buildings", "Homes, commerce, farms (1.A.4)", "其他部门", 1, "false", buildings, "people"],
            ["industry/manufacturing", "industry", "Manufacturing (1.A.2, 2)", "制造业", 1, "false", "industrial", "area"],
            ["industry/supply", "industry", "Supply and fugitive (1.A.1, 1.B)", "能源供应", 1, "false", "utilities+industrial", "area"],
            ["agriculture/all", "agriculture", "Agriculture (3)", "农业", 1, "false", "cultivated+farm-facilities", "area"],
        ],
        columns=columns,
    )  # fmt: skip


def main() -> None:
    """Build the case in DIR/case, run it to DIR/run, and print the units."""
    parser = argparse.ArgumentParser(description="Liechtenstein 2019")
    parser.add_argument("directory", type=Path)
    directory = parser.parse_args().directory
    result = cg.run(write_case(directory / "case"), directory / "run")
    columns = ["name", "emission_t", "sink_t", "ccr", "esc", "zone_name", "reason"]
    print(result.units[columns].to_string(index=False))
    print(f"Open {result.directory / 'report.html'}")


if __name__ == "__main__":
    main()
