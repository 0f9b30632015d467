"""The files of a run: tables and the 1 km grid, their digests, and the way back from files to tables."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from carbongrid.errors import missing_libraries
from carbongrid.outputs.tables.content import content_of
from carbongrid.outputs.tables.digests import digests_of
from carbongrid.outputs.tables.layers import write_parcels_parquet, write_units_gpkg
from carbongrid.outputs.tables.plain import write_csv, write_text_csv
from carbongrid.outputs.tables.publishing import published
from carbongrid.outputs.tables.rasters import write_grid_nc, write_grid_tif
from carbongrid.outputs.tables.reading import read_content, read_result, read_tables
from carbongrid.outputs.tables.spreadsheet import write_units_xlsx
from carbongrid.outputs.tables.styles import write_grid_qml

if TYPE_CHECKING:
    from carbongrid.outputs.result import RunTables

__all__ = [
    "digests_of_directory",
    "published",
    "read_content",
    "read_result",
    "read_tables",
    "table_digests",
    "write_tables",
]

logger = logging.getLogger(__name__)


def write_tables(tables: RunTables, directory: Path, *, public: bool = False) -> None:
    """Write a run's tables and its 1 km grid.

    Parameters
    ----------
    tables
        The run's tables, mass in grams.
    directory
        An existing directory; files of the same names are replaced.
    public
        Without parcels.parquet, counts of fewer than ten people and the ledger's remarks (D31).

    Raises
    ------
    InputError
        If two columns of units.csv would bear one name.

    Notes
    -----
    inventory.csv, ledger.csv, evidence.csv, units.csv, units.xlsx, units.gpkg, parcels.parquet, grid_1km.tif and its style grid_1km.qml,
    grid_1km.nc; with activity data audit.csv and uncertainty.csv too. Without openpyxl there is no units.xlsx.
    """
    content = content_of(tables, public=public)
    write_csv(content.inventory, directory / "inventory.csv")
    write_csv(content.ledger, directory / "ledger.csv")
    write_csv(content.evidence, directory / "evidence.csv")
    if tables.audit is not None:
        write_text_csv(tables.audit, directory / "audit.csv")
    if tables.intervals is not None:
        write_text_csv(tables.intervals.round(6), directory / "uncertainty.csv")
    write_csv(content.units, directory / "units.csv", mark=True)
    (directory / "units.xlsx").unlink(missing_ok=True)
    if not missing_libraries("openpyxl"):
        write_units_xlsx(content.units, tables, directory / "units.xlsx")
    (directory / "units.gpkg").unlink(missing_ok=True)  # GDAL would add to an existing one
    write_units_gpkg(content.units, directory / "units.gpkg", tables.reference, tables.currency)
    (directory / "parcels.parquet").unlink(missing_ok=True)
    if content.parcels is not None:
        write_parcels_parquet(content.parcels, directory / "parcels.parquet")
    title = f"{tables.title}, {tables.year}".strip(", ")
    write_grid_tif(content.grid_1km, title, directory / "grid_1km.tif")
    write_grid_qml(content.grid_1km, directory / "grid_1km.qml")
    write_grid_nc(content.grid_1km, title, directory / "grid_1km.nc")
    logger.info("tables written to %s", directory)


def table_digests(tables: RunTables, *, public: bool = False) -> dict[str, str]:
    """Return the digest of the content of each table: inventory, ledger, evidence, parcels, units, grid_1km.

    Parameters
    ----------
    tables
        The run's tables.
    public
        As for :func:`write_tables`; a public run has no digest of parcels.

    Returns
    -------
    dict of str
        sha256 in hexadecimal, by table; independent of file formats, dtypes and time.
    """
    return digests_of(content_of(tables, public=public))


def digests_of_directory(directory: Path) -> dict[str, str]:
    """Return the same digests as :func:`table_digests`, from the files.

    Raises
    ------
    VerificationError
        If a file is missing or unreadable.
    """
    return digests_of(read_content(directory))
