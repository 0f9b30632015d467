"""Parcels for a GIS that reads no Parquet, or for a map on the web: one quantity, one name, one unit, and the unit and zone that each lies in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from carbongrid.method.categories import column_of
from carbongrid.method.gas import ALL_GASES, Gas
from carbongrid.outputs.figures.classes import NO_VALUE, powers_of_ten
from carbongrid.outputs.figures.scales import sequential
from carbongrid.outputs.numbers import round_number
from carbongrid.outputs.tables.content import DENSITY_SUFFIX
from carbongrid.outputs.tables.domains import write_domains
from carbongrid.outputs.tables.headings import PER_YEAR, Heading, category_headings
from carbongrid.outputs.tables.styles import STYLES_LAYER, Rule, Style, style_table
from carbongrid.raster.opening.dates import fixed_date
from carbongrid.raster.opening.formats import FLATGEOBUF, GPKG
from carbongrid.raster.opening.names import plain_folder

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from carbongrid.outputs.result import RunTables
    from carbongrid.outputs.tables.content import ParcelLayer

ParcelFormat = Literal["parquet", "gpkg", "fgb", "pmtiles"]
PARCELS_LAYER = "parcels"
LAYER_FILES = ("parcels.gpkg", "parcels.fgb", "parcels.pmtiles")
_DRIVERS: Mapping[str, str] = {"gpkg": GPKG, "fgb": FLATGEOBUF, "pmtiles": "PMTiles"}
_TILES = {"MINZOOM": 9, "MAXZOOM": 14, "MAX_SIZE": 100_000_000, "MAX_FEATURES": 100_000_000}
"""From a province on a screen to tiles of 2.4 km in steps of 0.6 m; limits that GDAL meets by leaving parcels out are out of reach."""
_GRAMS_PER_TONNE, _M2_PER_KM2 = 1e6, 1e6
_MEASURE = "t CO₂e per km² and year"
_HEADINGS = {
    "id": Heading("Code", "代码"),
    "land_use": Heading("Land use", "土地用途"),
    "type": Heading("Territorial type", "国土空间类型"),
    "unit": Heading("Unit", "所在单元"),
    "unit_name": Heading("Name of the unit", "单元名称"),
    "zone": Heading("Zone code of the unit", "所在单元的分区代码"),
    "area_m2": Heading("Area", "面积", "m2"),
    "emission_t": Heading("Emissions", "碳排放", PER_YEAR),
    "sink_t": Heading("Carbon sinks", "碳汇", PER_YEAR),
    "emission_t_km2": Heading("Emissions by area", "单位面积碳排放", "t CO2e/yr/km2"),
    "sink_t_km2": Heading("Carbon sinks by area", "单位面积碳汇", "t CO2e/yr/km2"),
}  # fmt: skip


def write_parcel_layer(tables: RunTables, layer: ParcelLayer, path: Path) -> None:
    """Write the parcels: mass in tonnes, densities in t per km2, the unit that holds a point inside each parcel, and its zone.

    Parameters
    ----------
    tables
        The run's.
    layer
        Format, and the unit of each parcel.
    path
        The file, which is not there yet.

    Notes
    -----
    What a GIS shows is rounded to float64; the grams are in parcels.parquet. A GeoPackage holds a style by density, names of its columns, and what the numbers of zones mean.
    Tiles (PMTiles) are for a map on the web: in web Mercator, outlines simplified to the screen, a parcel cut where tiles meet.
    """
    import pyogrio

    frame = parcel_frame(tables, layer.unit)
    aliases = parcel_aliases(frame, tables)
    with plain_folder(path.parent) as folder, fixed_date():
        file, driver = folder / path.name, _DRIVERS[layer.format]
        as_layer = {"layer": PARCELS_LAYER, "driver": driver, "engine": "pyogrio"}
        in_package = layer.format == "gpkg"
        if in_package:
            # Before the rows: the file is changed in memory, where a million parcels would take gigabytes.
            frame.iloc[:0].to_file(file, geometry_type="MultiPolygon", **as_layer)
            write_domains(file, PARCELS_LAYER, aliases)
        options = _TILES if layer.format == "pmtiles" else {}
        mode = "a" if in_package else "w"
        frame.to_file(file, mode=mode, promote_to_multi=True, **as_layer, **options)
        if in_package:
            styles = style_table(
                [style_of_density(frame, tables.gas)], PARCELS_LAYER, aliases, label=""
            )
            pyogrio.write_dataframe(styles, file, layer=STYLES_LAYER, driver=driver)


def parcel_frame(tables: RunTables, unit: NDArray[np.int64]) -> gpd.GeoDataFrame:
    """Return what the layer holds, in the order of the parcels."""
    import geopandas as gpd

    parcels, units = tables.parcels, tables.units
    columns = {name: parcels[name].to_numpy() for name in ("id", "land_use", "type")}
    of_unit = units.reset_index(drop=True).reindex(unit)  # -1 is no row
    columns["unit"], columns["unit_name"] = (of_unit[name].to_numpy() for name in ("id", "name"))
    columns["zone"] = of_unit["zone"].fillna(0).to_numpy(dtype=np.int32)
    area = parcels["area_m2"].to_numpy(dtype=np.float64)
    columns["area_m2"] = area
    km2 = np.where(area > 0, area, np.nan) / _M2_PER_KM2
    for name in ("emission", "sink"):
        tonnes = parcels[f"{name}_g"].to_numpy(dtype=np.float64) / _GRAMS_PER_TONNE
        columns[f"{name}_t"], columns[f"{name}{DENSITY_SUFFIX}"] = tonnes, tonnes / km2
    for category in tables.categories:
        grams = parcels[category.name].to_numpy(dtype=np.float64)
        columns[f"{column_of(category.name)}_t"] = grams / _GRAMS_PER_TONNE
    # Geometries, not what they are made of: GDAL's writer asks for them five times.
    geometry = parcels.geometry.to_numpy()
    return gpd.GeoDataFrame(columns, index=parcels.index, geometry=geometry, crs=parcels.crs)


def style_of_density(frame: gpd.GeoDataFrame, gas: Gas = ALL_GASES) -> Style:
    """Return classes of emissions by area, by powers of ten: a works emits what a thousand parcels of homes do."""
    column, measure = f"emission{DENSITY_SUFFIX}", gas.told(_MEASURE)
    values = frame[column].to_numpy(dtype=np.float64)
    bounds = powers_of_ten(values[values > 0])
    colours = sequential("YlOrRd", len(bounds) + 1)
    ends = [0.0, *bounds]
    rules = [
        Rule(
            f"{round_number(low) if low else '> 0'} – {round_number(high)} {measure}",
            colour, column, low, high, low_in=low > 0,
        )
        for low, high, colour in zip(ends[:-1], bounds, colours, strict=False)
    ]  # fmt: skip
    last = f"≥ {round_number(ends[-1])}" if bounds else "> 0"
    rules.append(
        Rule(f"{last} {measure}", colours[-1], column, ends[-1], None, low_in=bool(bounds))
    )
    rules.append(Rule("none 无", NO_VALUE))
    return Style("Emissions by area", measure, tuple(rules), default=True)


def parcel_aliases(frame: gpd.GeoDataFrame, tables: RunTables) -> dict[str, str]:
    """Return what people are told that each column is, with its unit."""
    known = {**category_headings(tables), **_HEADINGS}
    return {name: known[name].of(tables.gas).text for name in frame.columns.drop("geometry")}
