"""Units as GeoPackage with its styles, parcels as GeoParquet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from carbongrid.case.readers.geoparquet import (
    read_geoparquet,
    write_beside_geometry,
    write_geoparquet,
)
from carbongrid.case.readers.kept_polygons import KeptPolygons
from carbongrid.case.readers.polygon_column import PolygonColumn
from carbongrid.errors import InputError, RunError, VerificationError
from carbongrid.method.columns import in_tonnes
from carbongrid.method.gas import ALL_GASES, Gas
from carbongrid.outputs.tables.content import (
    DENSITY_SUFFIX,
    PARCEL_NAMES,
    Table,
    parcel_kinds,
    surroundings_of,
    titles,
    typed,
    with_geometry,
)
from carbongrid.outputs.tables.domains import write_domains
from carbongrid.outputs.tables.headings import about_run, headings_of
from carbongrid.outputs.tables.styles import STYLES_LAYER, style_table, styles_of
from carbongrid.raster.opening.dates import fixed_date
from carbongrid.raster.opening.formats import GPKG
from carbongrid.raster.opening.names import plain_folder
from carbongrid.raster.opening.vectors import open_vector

if TYPE_CHECKING:
    import geopandas as gpd

    from carbongrid.outputs.result import RunTables

UNITS_LAYER, SURROUNDINGS_LAYER = "units", "surroundings"
PARCELS_FILE = "parcels.parquet"


def write_units_gpkg(units: Table, tables: RunTables, path: Path) -> None:
    """Write the layer ``units``, mass in tonnes as float64, ids as text, zone as an integer, its styles, and what its columns mean.

    Parameters
    ----------
    units
        Content of the units.
    tables
        What columns are called, and the currency of GDP.
    path
        The file, which is not there yet.
    """
    import pyogrio

    frame = units.located.rename(columns={name: in_tonnes(name) for name in units.masses})
    for name in units.masses:
        frame[in_tonnes(name)] = _tonnes(units.frame[name])
    frame["zone"] = frame["zone"].astype(np.int32)
    frame = frame[[*titles(units.kinds), "geometry"]]
    aliases = {name: heading.text for name, heading in headings_of(units, tables).items()}
    styles = style_table(styles_of(units.frame, tables.currency, tables.gas), UNITS_LAYER, aliases)
    with plain_folder(path.parent) as folder, fixed_date():
        file, driver = folder / path.name, GPKG
        frame.to_file(
            file,
            layer=UNITS_LAYER,
            driver=driver,
            engine="pyogrio",
            promote_to_multi=True,
            layer_options={"DESCRIPTION": about_run(tables)},
        )
        pyogrio.write_dataframe(styles, file, layer=STYLES_LAYER, driver=driver)
        write_domains(file, UNITS_LAYER, aliases)


def write_surroundings_gpkg(polygons: Table, path: Path) -> None:
    """Write the layer ``surroundings``: names and polygons; the file is not there yet."""
    write_layer_gpkg(polygons.located, path, SURROUNDINGS_LAYER)


def write_layer_gpkg(frame: gpd.GeoDataFrame, path: Path, layer: str) -> None:
    """Write polygons with their columns as the one layer of a GeoPackage, which is not there yet."""
    with plain_folder(path.parent) as folder, fixed_date():
        frame.to_file(
            folder / path.name, layer=layer, driver=GPKG, engine="pyogrio", promote_to_multi=True
        )


def read_surroundings_gpkg(path: Path) -> Table:
    """Read what :func:`write_surroundings_gpkg` wrote; raises as :func:`read_unit_geometry`."""
    return surroundings_of(_read_gpkg(path, SURROUNDINGS_LAYER, "name"))


def read_unit_geometry(path: Path) -> gpd.GeoDataFrame:
    """Read the units' ids and geometry, in the order of the file.

    Raises
    ------
    VerificationError
        If the file cannot be read.
    """
    return _read_gpkg(path, UNITS_LAYER, "id")


def _read_gpkg(path: Path, layer: str, column: str) -> gpd.GeoDataFrame:
    import pyogrio

    try:
        with open_vector(path, of=GPKG) as file:
            return file.table(layer, columns=[column])
    except (
        InputError,
        OSError,
        ValueError,
        pyogrio.errors.DataSourceError,
        pyogrio.errors.DataLayerError,
    ) as error:
        raise VerificationError(f"{path.name} cannot be read: {error}") from error


def write_parcels_parquet(
    parcels: Table, path: Path, shapes: Path | None = None, gas: Gas = ALL_GASES
) -> None:
    """Write GeoParquet 1.1 with a bounding box column: mass in int64 grams, densities in t per km2, as is told of each column and of the file.

    Parameters
    ----------
    parcels
        Their content.
    path
        The file.
    shapes
        A file of their geometry alone, as :func:`carbongrid.case.readers.geoparquet.write_geoparquet` writes it, where there is one: its bytes are copied.
    gas
        What they emit.

    Raises
    ------
    RunError
        If the geometry in that file is another one, by its bounds.

    Notes
    -----
    A density is a mass over ``area_m2``, float64, after all other columns (docs/decisions/0022); it is no content of its own.
    """
    names = [name for name in parcels.kinds if name not in parcels.masses]
    first, others = names[: len(PARCEL_NAMES)], names[len(PARCEL_NAMES) :]
    columns = pd.DataFrame({n: parcels.frame[n].array for n in (*first, *parcels.masses, *others)}, copy=False)  # fmt: skip

    units = {
        **dict.fromkeys(parcels.masses, gas.told("g CO2e yr-1")),
        "area_m2": "m2",
        **{f"{name}{DENSITY_SUFFIX}": gas.told("t CO2e km-2 yr-1") for name in parcels.masses},
    }

    def written(geometry: Path) -> None:
        # CASE.md's order: geometry stands after the type.
        write_beside_geometry(geometry, columns, path, lambda rows: _with_densities(rows, parcels), first[-1], units)  # fmt: skip

    if shapes is not None:
        _require_these(parcels.frame["geometry"].array, shapes)
        written(shapes)
        return
    own = path.with_name(f"{path.name}.geometry")
    try:
        write_geoparquet(parcels.located[["geometry"]], own)
        written(own)
    finally:
        own.unlink(missing_ok=True)


def _require_these(geometry: Any, shapes: Path) -> None:
    """Raise unless a file has polygons of the same bounds; of those that are not read yet nothing can be said but by their digest."""
    if isinstance(geometry, PolygonColumn) and geometry.kept is not None:
        return
    if not np.array_equal(KeptPolygons(shapes).bounds, geometry.bounds, equal_nan=True):
        raise RunError(f"{shapes} does not hold the parcels of this run. Run it again, with --restart.")  # fmt: skip


def _with_densities(frame: pd.DataFrame, parcels: Table) -> pd.DataFrame:
    area = frame["area_m2"].to_numpy(np.float64)
    land = np.where(area > 0, area, np.nan)
    columns: dict[str, Any] = {
        str(name): column.to_numpy(np.int64)
        if parcels.kinds[str(name)] in ("mass", "whole")
        else column.array
        for name, column in frame.items()
    }
    columns |= {f"{name}{DENSITY_SUFFIX}": columns[name] / land for name in parcels.masses}
    return pd.DataFrame(columns, copy=False)


def read_parcels_parquet(path: Path) -> Table:
    """Read the parcels' content.

    Raises
    ------
    VerificationError
        If the file cannot be read or lacks a column.
    """
    import pyarrow as pa

    try:
        frame = read_geoparquet(path, "geometry")
        masses = [name for name in frame.columns if f"{name}{DENSITY_SUFFIX}" in frame.columns]
        return with_geometry(typed(frame, parcel_kinds(masses)), frame.geometry)
    except (InputError, OSError, KeyError, ValueError, TypeError, pa.ArrowException) as error:
        told = str(error) if isinstance(error, InputError) else repr(error)
        raise VerificationError(f"{path.name} cannot be read: {told}") from error


def _tonnes(grams: pd.Series[Any]) -> pd.Series[Any]:
    return pd.Series(grams.to_numpy(np.float64, na_value=np.nan) / 10**6, grams.index)
