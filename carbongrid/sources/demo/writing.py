"""Writes the city's folder: the same files and columns that a user's own case has."""

from __future__ import annotations

import logging
from importlib.resources import files
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
from affine import Affine
from numpy.typing import NDArray

from carbongrid.case import commented_toml
from carbongrid.case.readers.activity_template import WORKBOOK, write_workbook
from carbongrid.errors import how_to_install, missing_libraries
from carbongrid.raster.opening.dates import fixed_date
from carbongrid.raster.opening.files import path_to_write
from carbongrid.raster.opening.names import plain_folder
from carbongrid.run_store import open_to_write
from carbongrid.sources.demo import tables, years
from carbongrid.sources.demo.activity import GWP, activity_tables
from carbongrid.sources.demo.city import City, build_city
from carbongrid.sources.demo.plan import CRS, PLANS, Size

logger = logging.getLogger(__name__)

_WRITTEN = "2023-01-01T00:00:00.000Z"
"""GeoPackages carry the time of writing; a fixed one keeps the bytes the same."""

_PEOPLE_CELL = 250
_OF_ACTIVITY = (WORKBOOK, "case-inventory.toml")
"""Written only where a workbook can be; the README then has a row on each."""


def write_city(
    directory: Path, *, size: Size = "full", seed: int = 2023, with_years: bool = False
) -> Path:
    """Write a synthetic city with its case files; no real place's geometry, no download.

    Parameters
    ----------
    directory
        Folder to write into; made if it is not there. Files of the same names are overwritten.
    size
        ``full`` (97 townships, 8,657 km2, about 20,000 parcels) or ``small`` (6 townships, about 1,000 parcels, 40 m cells).
    seed
        Of the random numbers, from 0. The same seed gives the same files.
    with_years
        Whether earlier years, a plan and a table of limits are written beside it; the other files are the same.

    Returns
    -------
    Path
        The case file, ``directory / "case.toml"``; ``case-district-gdp.toml`` beside it differs in ``[gdp]`` only,
        ``case-inventory.toml`` in ``[inventory]`` instead of ``[totals]``: this one and its workbook only where openpyxl
        is installed.

    Notes
    -----
    Geometry is made of integer decimetres on a jittered lattice, random numbers of raw PCG64 bits: neither rounding nor
    a geometry engine decides where a border runs.
    """
    open_to_write(path_to_write(directory))
    city = build_city(PLANS[size], seed)
    _write_folder(city, directory, seed)
    if with_years:
        _write_years(city, directory, seed)
    return directory / "case.toml"


def _write_years(city: City, directory: Path, seed: int) -> None:
    """Write the cases of earlier years, a plan, a table of limits with red lines, and what all this is."""
    parcels = tables.parcel_layer(city, seed)
    own = {"gdp": {"path": "gdp.csv", "by": "unit", "currency": "1e8 CNY"}}
    for year in years.EARLIER:
        texts = {
            "totals": years.earlier_totals(year),
            "facilities": years.earlier_facilities(city, year),
            "gdp": years.earlier_gdp(city, year, seed),
            "census": years.earlier_census(city, year, seed),
        }
        for name, rows in texts.items():
            _write_text(directory / f"{name}-{year}.csv", tables.csv_text(rows))
        with fixed_date(_WRITTEN):
            _write_layer(years.earlier_parcels(city, parcels, year, seed), directory / f"parcels-{year}.gpkg", "DLTB")  # fmt: skip
        case = {**_case(city), **own, "year": year}
        del case["benchmark"]
        for section in ("parcels", "totals", "facilities", "gdp"):
            path = Path(case[section]["path"])
            case[section] = {**case[section], "path": f"{path.stem}-{year}{path.suffix}"}
        case["people"] = {**case["people"], "census": f"census-{year}.csv"}
        _write_text(directory / f"case-{year}.toml", commented_toml(case))
    _write_text(directory / "plan.toml", years.plan_text(city))
    _write_text(directory / "limits.csv", tables.csv_text(years.limit_rows()))
    with fixed_date(_WRITTEN):
        _write_layer(years.red_lines(city), directory / years.RED_LINES, "red lines")
    text = files("carbongrid").joinpath("sources", "demo", "years.md").read_text(encoding="utf-8")
    _write_text(directory / "YEARS.md", text)


def _write_folder(city: City, directory: Path, seed: int) -> None:
    """Write every file of the city into a directory, which exists."""
    layers = {
        ("parcels.gpkg", "DLTB"): tables.parcel_layer(city, seed),
        ("townships.gpkg", "townships"): tables.township_layer(city),
        ("lines.gpkg", "lines"): tables.line_layer(city),
    }
    with fixed_date(_WRITTEN):
        for (name, layer), table in layers.items():
            _write_layer(table, directory / name, layer)
    texts = {
        "pois.csv": tables.poi_rows(city),
        "people.csv": tables.people_rows(city),
        "classes.csv": tables.class_rows(city),
        "categories.csv": tables.category_rows(),
        "census.csv": tables.census_rows(city),
        "totals.csv": tables.total_rows(),
        "facilities.csv": tables.facility_rows(city),
        "gdp.csv": tables.gdp_rows(city),
        "gdp-districts.csv": tables.district_gdp_rows(city),
    }
    for name, rows in texts.items():
        _write_text(directory / name, tables.csv_text(rows))
    _write_grid(*tables.people_grid(city, _PEOPLE_CELL), directory / "people.tif")
    gdp = {
        "case.toml": {"path": "gdp.csv", "by": "unit", "currency": "1e8 CNY"},
        "case-district-gdp.toml": {
            "path": "gdp-districts.csv",
            "by": "district",
            "currency": "1e8 CNY",
        },
    }
    for name, section in gdp.items():
        _write_text(directory / name, commented_toml({**_case(city), "gdp": section}))
    if missing_libraries("openpyxl"):
        logger.warning(
            "the city has no %s and no %s: openpyxl is not installed. %s",
            *(*_OF_ACTIVITY, how_to_install("inventory")),
        )
    else:
        _write_activity(city, directory, gdp["case.toml"])
    _write_text(directory / "README.md", _readme(city, seed))


def _write_activity(city: City, directory: Path, gdp: dict[str, Any]) -> None:
    """Write the workbook of activity data, and the case that forms its totals from it."""
    workbook, name = _OF_ACTIVITY
    write_workbook(directory / workbook, activity_tables())
    formed = {"inventory": {"path": WORKBOOK, "gwp": GWP, "sinks": "study"}}
    case = {name: section for name, section in _case(city).items() if name != "totals"}
    text = commented_toml({**case, **formed, "gdp": gdp})
    _write_text(directory / name, text)


def _case(city: City) -> dict[str, Any]:
    """Return the case, without its GDP."""
    return {
        "title": "A city like Suzhou (synthetic)",
        "year": tables.YEAR,
        "reference": "all",
        "reduce": "cells",
        "electricity": "both",
        "grid": {"crs": CRS, "resolution": city.plan.resolution, "coarse": 1000},
        "parcels": {
            "path": "parcels.gpkg",
            "layer": "DLTB",
            "id": "BSM",
            "land_use": "DLBM",
            "code_system": "tdland3",
            "area_field": "TBDLMJ",
            "unit_field": "ZLDWDM",
            "overlap": "error",
            "repair": False,
        },
        "units": {
            "path": "townships.gpkg",
            "id": "code",
            "name": "name_zh",
            "name_en": "name_en",
            "parents": ["district"],
            "parent_names": ["dist_zh"],
            "parent_names_en": ["dist_en"],
            "water": "ledger",
        },
        "pois": {
            "path": "pois.csv",
            "x": "lon",
            "y": "lat",
            "crs": "gcj02",
            "type": "typecode",
            "crosswalk": "gaode",
            "miss": "nearest",
        },
        "people": {
            "path": "people.csv",
            "x": "x",
            "y": "y",
            "crs": CRS,
            "count": "residents",
            "census": "census.csv",
        },
        # The study's lengths are plain; without this table classes weigh by typical traffic (docs/decisions/0088).
        "lines": {
            "path": "lines.gpkg",
            "class": "class",
            "class_weights": "classes.csv",
            "lambda": 0.5,
            "dual": "dual",
        },
        "totals": {"path": "totals.csv"},
        "categories": {"path": "categories.csv"},
        "facilities": {"path": "facilities.csv"},
        "benchmark": {
            "name": "CEADs, the real Suzhou, 2019",
            "total": "231.2 Mt CO2",
            "year": 2019,
            "source": "Carbon Emission Accounts and Datasets (CEADs), city inventories",
            "scope": "CO2 alone, of another year; this city is synthetic and takes its totals from the study of 2023",
        },
        # The great lake is in no township, as in Suzhou: what it takes up stays in the ledger (D22).
        "allow": {"outside": ["sink/land"]},
    }


def _readme(city: City, seed: int) -> str:
    template = (
        files("carbongrid").joinpath("sources", "demo", "readme.md").read_text(encoding="utf-8")
    )
    if missing_libraries("openpyxl"):
        rows = tuple(f"| `{name}` |" for name in _OF_ACTIVITY)
        template = "".join(
            line for line in template.splitlines(keepends=True) if not line.startswith(rows)
        )
    facts = {
        "size": city.plan.size,
        "seed": seed,
        "townships": f"{city.plan.townships:,}",
        "districts": f"{city.plan.districts:,}",
        "area": f"{city.plan.area_km2:,}",
        "parcels": f"{len(city.parcels):,}",
        "pois": f"{city.poi_types.size:,}",
        "points": f"{city.residents.size:,}",
        "cell": _PEOPLE_CELL,
    }
    return template.format(**facts)


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _write_layer(table: gpd.GeoDataFrame, path: Path, layer: str) -> None:
    path.unlink(missing_ok=True)
    with plain_folder(path.parent) as folder:
        pyogrio.write_dataframe(table, folder / path.name, layer=layer, driver="GPKG")


def _write_grid(values: NDArray[np.float32], corner: tuple[float, float], path: Path) -> None:
    import rasterio

    west, north = corner
    with (
        plain_folder(path.parent) as folder,
        rasterio.open(
            folder / path.name,
            "w",
            driver="GTiff",
            height=values.shape[0],
            width=values.shape[1],
            count=1,
            dtype="float32",
            crs=CRS,
            transform=Affine(_PEOPLE_CELL, 0.0, west, 0.0, -_PEOPLE_CELL, north),
            nodata=-1.0,
            compress="deflate",
            predictor=3,
        ) as raster,
    ):
        raster.write(values, 1)
        raster.set_band_description(1, "residents")
