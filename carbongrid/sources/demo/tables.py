"""The city as the tables and layers that a user would bring; from here on there are floats, none of which decides anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS as ReferenceSystem  # noqa: N811 (a class, whatever its letters)

from carbongrid.case.readers.geometry import geodesic_area
from carbongrid.method.categories import read_categories
from carbongrid.method.landuse import read_code_system
from carbongrid.raster.opening.crs import crs_of, way_between
from carbongrid.sources.demo.city import City
from carbongrid.sources.demo.coordinates import gcj02_from_wgs84
from carbongrid.sources.demo.draws import Draws, Ints
from carbongrid.sources.demo.economy import TOTALS, hundredths
from carbongrid.sources.demo.plan import CRS, METRE
from carbongrid.sources.demo.tracing import trace

Rows = list[Sequence[str]]
"""A header and the rows below it."""

TOTAL_UNIT = "10000 t CO2e"
YEAR = 2020

_CULTIVATED = ("0101", "0102", "0103")


def parcel_layer(city: City, seed: int) -> gpd.GeoDataFrame:
    """Return the parcels with the columns of the survey's layer DLTB."""
    parcels, names = city.parcels, city.names
    geometry = _polygons(city, parcels.label)
    area = np.round(geodesic_area(geometry, ReferenceSystem(CRS)), 2)
    # Field ridges, which the survey deducts: 1 to 4.5 % of cultivated land.
    ridges = Draws(seed, "ridges").between(100, 451, len(parcels))
    deducted = np.round(np.where(np.isin(city.code, _CULTIVATED), area * ridges / 10_000, 0), 2)
    system = read_code_system("tdland3")
    name_of = dict(zip(system["code"], system["name_zh"], strict=True))
    nowhere = "0" * 9
    unit = [names.code[town] if town >= 0 else nowhere for town in parcels.township]
    unit_name = [names.name_zh[town] if town >= 0 else "" for town in parcels.township]
    village = 200 + Draws(seed, "villages of parcels").below(15, len(parcels))
    serial = np.arange(1, len(parcels) + 1)
    columns = {
        "BSM": [f"{code[:6]}2110{number:08d}" for code, number in zip(unit, serial, strict=True)],
        "DLBM": city.code.tolist(),
        "DLMC": [name_of[code] for code in city.code.tolist()],
        "ZLDWDM": [f"{code}{part:03d}0000000" for code, part in zip(unit, village, strict=True)],
        "ZLDWMC": unit_name,
        "TBMJ": area,
        "KCMJ": deducted,
        "TBDLMJ": np.round(area - deducted, 2),
    }
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=CRS)


def township_layer(city: City) -> gpd.GeoDataFrame:
    """Return the townships with their names and districts."""
    names, district = city.names, city.towns.district.tolist()
    columns = {
        "code": names.code,
        "name_zh": names.name_zh,
        "name_en": names.name_en,
        "district": [names.district_code[number] for number in district],
        "dist_zh": [names.district_zh[number] for number in district],
        "dist_en": [names.district_en[number] for number in district],
    }
    geometry = _polygons(city, city.parcels.territory + 1)
    layer = gpd.GeoDataFrame(columns, geometry=geometry, crs=CRS)
    return layer.sort_values("code", ignore_index=True)


def line_layer(city: City) -> gpd.GeoDataFrame:
    """Return roads, railways and harbour channels with their classes."""
    geometry = [
        shapely.LineString(np.column_stack(_metres(city, line.x, line.y))) for line in city.lines
    ]
    columns = {
        "class": [line.kind for line in city.lines],
        "dual": np.array([line.dual for line in city.lines], dtype=np.int32),
    }
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=CRS)


def class_rows(city: City) -> Rows:
    """Return a weight of 1 for each class of road: plain lengths, as the study has them."""
    rows: Rows = [("class", "weight", "mode")]
    classes = {line.kind for line in city.lines} - {"rail", "waterway"}
    return [*rows, *((name, "1", "road") for name in sorted(classes))]


def category_rows() -> Rows:
    """Return the one category that the study carries otherwise than the package does: waste, on municipal utilities by area."""
    waste = read_categories()["waste/domestic"]
    cells = (waste.name, waste.sector, waste.name_en, waste.name_zh, str(waste.scope), "false", "+".join(waste.types), waste.weight)  # fmt: skip
    return [("category", "sector", "name_en", "name_zh", "scope", "sink", "types", "weight"), cells]


def poi_rows(city: City) -> Rows:
    """Return the POIs in GCJ-02."""
    longitude, latitude = gcj02_from_wgs84(*_degrees(city, city.pois.x, city.pois.y))
    places = zip(longitude, latitude, city.poi_types, strict=True)
    rows: Rows = [("id", "lon", "lat", "typecode")]
    rows += [
        (f"P{number:06d}", f"{x:.6f}", f"{y:.6f}", str(kind))
        for number, (x, y, kind) in enumerate(places, start=1)
    ]
    return rows


def people_rows(city: City) -> Rows:
    """Return points with residents, in the city's projected coordinates."""
    x, y = _metres(city, city.people.x, city.people.y)
    rows: Rows = [("x", "y", "residents")]
    rows += [
        (f"{east:.1f}", f"{north:.1f}", f"{tenths // 10}.{tenths % 10}")
        for east, north, tenths in zip(x, y, city.residents.tolist(), strict=True)
    ]
    return rows


def census_rows(city: City) -> Rows:
    """Return residents per district."""
    names = city.names
    rows: Rows = [("region", "residents", "name_zh", "name_en")]
    figures = zip(
        names.district_code, city.census, names.district_zh, names.district_en, strict=True
    )
    rows += [(code, str(int(people)), zh, en) for code, people, zh, en in figures]
    return rows


def gdp_rows(city: City) -> Rows:
    """Return GDP per township."""
    names = city.names
    figures = zip(names.code, city.gdp.tolist(), names.name_zh, names.name_en, strict=True)
    rows: Rows = [("region", "value", "name_zh", "name_en")]
    rows += sorted((code, hundredths(value), zh, en) for code, value, zh, en in figures)
    return rows


def district_gdp_rows(city: City) -> Rows:
    """Return GDP per district by three industries; the districts' sums are those of their townships."""
    names = city.names
    rows: Rows = [("region", "primary", "secondary", "tertiary", "name_zh", "name_en")]
    for code, values, zh, en in zip(
        names.district_code,
        city.industries.tolist(),
        names.district_zh,
        names.district_en,
        strict=True,
    ):
        rows.append((code, *map(hundredths, values), zh, en))
    return rows


def total_rows() -> Rows:
    """Return the city's totals; the column source says which splits are made up."""
    rows: Rows = [("category", "value", "unit", "year", "source")]
    rows += [(name, value, TOTAL_UNIT, str(YEAR), source) for name, value, source in TOTALS]
    return rows


def facility_rows(city: City) -> Rows:
    """Return the known emitters; works have geographic coordinates, plants projected ones, to show both."""
    rows: Rows = [("name", "category", "value", "unit", "x", "y", "crs", "name_zh")]
    names = city.names
    for facility in city.facilities:
        at_x, at_y = np.array([facility.x]), np.array([facility.y])
        if facility.category == "industry/supply":
            x, y = _metres(city, at_x, at_y)
            place = (f"{x[0]:.1f}", f"{y[0]:.1f}", CRS)
        else:
            x, y = _degrees(city, at_x, at_y)
            place = (f"{x[0]:.6f}", f"{y[0]:.6f}", "EPSG:4326")
        rows.append(
            (
                f"{names.district_en[facility.district]} {facility.kind_en}",
                facility.category,
                hundredths(facility.value),
                TOTAL_UNIT,
                *place,
                f"{names.district_zh[facility.district]}{facility.kind_zh}",
            )
        )
    return rows


def people_grid(city: City, cell: int) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """Return residents per cell of this many metres, row 0 in the north, and the north-west corner.

    Cells with one to three residents are suppressed, as statistical offices do: -1, unknown.
    """
    x = city.people.x + city.plan.origin[0]
    y = city.people.y + city.plan.origin[1]
    step = cell * METRE
    column, row = x // step, y // step
    west, north = int(column.min()), int(row.max())
    shape = (north - int(row.min()) + 1, int(column.max()) - west + 1)
    tenths = np.zeros(shape, dtype=np.int64)
    np.add.at(tenths, (north - row, column - west), city.residents)
    values = np.where((tenths > 0) & (tenths < 30), -10, tenths) / 10
    return values.astype(np.float32), (float(west * cell), float((north + 1) * cell))


def csv_text(rows: Iterable[Sequence[str]]) -> str:
    """Write rows as CSV with plain line feeds."""
    return "".join(",".join(map(_cell, row)) + "\n" for row in rows)


def _cell(text: str) -> str:
    if any(mark in text for mark in ',"\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _polygons(city: City, label: Ints) -> NDArray[np.object_]:
    x, y = city.nodes
    east, north = city.plan.origin
    return trace(label, x + east, y + north, METRE)


def _metres(city: City, x: Ints, y: Ints) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    east, north = city.plan.origin
    return (x + east) / METRE, (y + north) / METRE


def _degrees(city: City, x: Ints, y: Ints) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return longitude and latitude; CGCS2000 and WGS 84 agree within centimetres."""
    to_degrees = way_between(crs_of(CRS), crs_of("EPSG:4326"))
    longitude, latitude = to_degrees.transform(*_metres(city, x, y))
    return np.asarray(longitude), np.asarray(latitude)
