"""The files of a run: tables and the coarse grid, and their digests; ``outputs.reading`` is the way back from files to tables."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from carbongrid.errors import missing_libraries
from carbongrid.method.gas import ALL_GASES, Gas
from carbongrid.outputs.tables.content import Content, ParcelLayer, content_of, parcels_of
from carbongrid.outputs.tables.digests import digest_of_table, digests_of
from carbongrid.outputs.tables.headings import dated_title, potentials
from carbongrid.outputs.tables.inventory_draws import DRAWS_FILE, write_draws
from carbongrid.outputs.tables.layers import (
    PARCELS_FILE,
    write_parcels_parquet,
    write_surroundings_gpkg,
    write_units_gpkg,
)
from carbongrid.outputs.tables.parcel_layer import (
    LAYER_FILES,
    write_parcel_layer,
)
from carbongrid.outputs.tables.plain import write_csv, write_interval_csv, write_text_csv
from carbongrid.outputs.tables.project import PROJECT, write_project
from carbongrid.outputs.tables.publishing import published
from carbongrid.outputs.tables.rasters import write_grid_nc, write_grid_tif
from carbongrid.outputs.tables.spreadsheet import MAX_UNITS, write_units_xlsx
from carbongrid.outputs.tables.styles import write_grid_qml
from carbongrid.raster.row_blocks import go_on

if TYPE_CHECKING:
    import geopandas as gpd

    from carbongrid.method.categories import Category
    from carbongrid.outputs.result import RunTables

__all__ = [
    "PARCELS_FILE",
    "digest_of_parcels",
    "published",
    "table_digests",
    "table_files",
    "write_parcels",
    "write_tables",
]

logger = logging.getLogger(__name__)


def _write_audit(_: Content, tables: RunTables, path: Path) -> None:
    if tables.audit is not None:
        write_text_csv(tables.audit, path)


def _write_uncertainty(_: Content, tables: RunTables, path: Path) -> None:
    if tables.intervals is not None:
        write_interval_csv(tables.intervals, path)


def _write_unit_intervals(_: Content, tables: RunTables, path: Path) -> None:
    if tables.unit_intervals is not None:
        write_interval_csv(tables.unit_intervals, path)


def _write_draws(_: Content, tables: RunTables, path: Path) -> None:
    if tables.drawn is not None:
        write_draws(tables.drawn, path)


def _write_facilities(content: Content, _: RunTables, path: Path) -> None:
    if content.facilities is not None:
        write_csv(content.facilities, path)


def _write_units_gpkg(content: Content, tables: RunTables, path: Path) -> None:
    write_units_gpkg(content.units, tables, path)


def _write_parcels(content: Content, tables: RunTables, path: Path) -> None:
    if content.parcels is not None:
        write_parcels_parquet(content.parcels, path, gas=tables.gas)


def _write_parcel_layer(content: Content, tables: RunTables, path: Path) -> None:
    if content.layer is not None and content.layer.file == path.name:
        write_parcel_layer(tables, content.layer, path)


def _write_surroundings(content: Content, _: RunTables, path: Path) -> None:
    if content.surroundings is not None:
        write_surroundings_gpkg(content.surroundings, path)


_WRITERS: Mapping[str, Callable[[Content, RunTables, Path], None]] = {
    "inventory.csv": lambda content, _, path: write_csv(content.inventory, path),
    "ledger.csv": lambda content, _, path: write_csv(content.ledger, path),
    "evidence.csv": lambda content, _, path: write_csv(content.evidence, path),
    "land_types.csv": lambda content, _, path: write_csv(content.land_types, path),
    "facilities.csv": _write_facilities,
    "audit.csv": _write_audit,
    "uncertainty.csv": _write_uncertainty,
    "uncertainty_units.csv": _write_unit_intervals,
    "units.csv": lambda content, _, path: write_csv(content.units, path, mark=True),
    "units.xlsx": lambda content, tables, path: write_units_xlsx(content.units, tables, path),
    "units.gpkg": _write_units_gpkg,
    PARCELS_FILE: _write_parcels,
    **dict.fromkeys(LAYER_FILES, _write_parcel_layer),
    "surroundings.gpkg": _write_surroundings,
    DRAWS_FILE: _write_draws,
    "grid_1km.tif": lambda content, tables, path: write_grid_tif(
        content.grid_1km, dated_title(tables), potentials(tables)[0], path, tables.gas
    ),
    "grid_1km.qml": lambda content, tables, path: write_grid_qml(
        content.grid_1km, path, tables.gas
    ),
    "grid_1km.nc": lambda content, tables, path: write_grid_nc(
        content.grid_1km, dated_title(tables), tables.year, potentials(tables)[0], path, tables.gas
    ),
    PROJECT: write_project,
}
"""By file; some runs leave some of them out."""


def table_files(
    tables: RunTables,
    *,
    public: bool = False,
    layer: ParcelLayer | None = None,
    parcels: bool = True,
) -> list[str]:
    """Return the names of the files that :func:`write_tables` writes.

    Parameters
    ----------
    tables
        The run's tables.
    public, layer, parcels
        As for :func:`write_tables`.
    """
    absent = {
        **{name: public or layer is None or layer.file != name for name in LAYER_FILES},
        PARCELS_FILE: public or not parcels,
        "facilities.csv": public or not tables.facilities,
        "audit.csv": tables.audit is None,
        "uncertainty.csv": tables.intervals is None,
        "uncertainty_units.csv": tables.unit_intervals is None,
        DRAWS_FILE: tables.drawn is None,
        "surroundings.gpkg": tables.surroundings is None,
        "units.xlsx": bool(missing_libraries("xlsxwriter")) or len(tables.units) > MAX_UNITS,
    }
    return [name for name in _WRITERS if not absent.get(name)]


def write_tables(
    tables: RunTables,
    directory: Path,
    *,
    public: bool = False,
    layer: ParcelLayer | None = None,
    parcels: bool = True,
) -> None:
    """Write a run's tables and its coarse grid.

    Parameters
    ----------
    tables
        The run's tables, mass in grams.
    directory
        An existing directory; files of the same names are replaced.
    public
        Without parcels, counts of fewer than ten people and the ledger's remarks (D31).
    layer
        How to write parcels for a GIS as well; None: not at all.
    parcels
        Whether parcels.parquet is among them; a run writes it while it works out the rest (:func:`write_parcels`).

    Raises
    ------
    InputError
        If two columns of units.csv would bear one name.

    Notes
    -----
    inventory.csv, ledger.csv, evidence.csv, land_types.csv, units.csv, units.xlsx, units.gpkg, parcels.parquet, grid_1km.tif and its style grid_1km.qml,
    grid_1km.nc, and city.qgz, which opens them in QGIS; with facilities facilities.csv, with activity data audit.csv, uncertainty.csv, uncertainty_units.csv and inventory_draws.npz, with surroundings
    surroundings.gpkg too. Without XlsxWriter, or of more units than a sheet has rows, there is no units.xlsx.
    """
    content = content_of(tables, public=public)
    content = replace(content, layer=None if public else layer)
    files = table_files(tables, public=public, layer=layer, parcels=parcels)
    if len(tables.units) > MAX_UNITS:
        logger.warning("units.xlsx is left out: a sheet has room for %s units, not for %s; units.csv has them all", f"{MAX_UNITS:,}", f"{len(tables.units):,}")  # fmt: skip

    for name, write in _WRITERS.items():
        if name == PARCELS_FILE and not parcels:
            continue
        go_on()
        path = directory / name
        path.unlink(missing_ok=True)  # GDAL would add to an existing one
        if name in files:
            write(content, tables, path)
    logger.info("tables written to %s", directory)


def write_parcels(
    parcels: gpd.GeoDataFrame,
    categories: Sequence[Category],
    path: Path,
    shapes: Path,
    gas: Gas = ALL_GASES,
) -> None:
    """Write parcels.parquet, of parcels as RunTables has them.

    Parameters
    ----------
    parcels, categories
        Of the run.
    path
        The file; one of the same name is replaced.
    shapes
        A file of their geometry alone, whose bytes are copied.
    gas
        What the run emits.

    Raises
    ------
    RunError
        If the geometry in that file is another one, by its bounds.
    """
    path.unlink(missing_ok=True)
    write_parcels_parquet(parcels_of(parcels, categories), path, shapes, gas)


def digest_of_parcels(parcels: gpd.GeoDataFrame, categories: Sequence[Category]) -> str:
    """Return the digest of the parcels' content, as :func:`table_digests` has it, of parcels as RunTables has them.

    Raises
    ------
    InputError
        If two columns would bear one name.
    """
    return digest_of_table(parcels_of(parcels, categories), by_column=True)


def table_digests(
    tables: RunTables, *, public: bool = False, parcels: str | None = None
) -> dict[str, str]:
    """Return the digest of the content of each table: inventory, ledger, evidence, land_types, parcels, units, grid_1km, and grid_1km_by_sector where the grid has sectors.

    Parameters
    ----------
    tables
        The run's tables.
    public
        As for :func:`write_tables`; a public run has no digest of parcels and of sectors.
    parcels
        That of the parcels, where it is known.

    Returns
    -------
    dict of str
        sha256 in hexadecimal, by table; independent of file formats, dtypes and time.
    """
    return digests_of(content_of(tables, public=public), parcels)
