"""A finished run directory, read back: its content for digests, its tables for people."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from carbongrid.errors import CarbongridError, InputError, VerificationError
from carbongrid.method.categories import Category, column_of
from carbongrid.method.columns import in_tonnes
from carbongrid.method.gas import Gas
from carbongrid.method.ledger import LedgerRow
from carbongrid.outputs.land_types import UNALLOCATED
from carbongrid.outputs.ledger_table import LedgerTable
from carbongrid.outputs.report.plots import Plots
from carbongrid.outputs.result import AS_GIVEN, Result, RunTables
from carbongrid.outputs.tables.content import Content, Table, with_geometry
from carbongrid.outputs.tables.digests import FILES_OF, digest_of_table, digests_of
from carbongrid.outputs.tables.layers import (
    PARCELS_FILE,
    read_parcels_parquet,
    read_surroundings_gpkg,
    read_unit_geometry,
)
from carbongrid.outputs.tables.plain import (
    read_evidence_csv,
    read_facilities_csv,
    read_inventory_csv,
    read_land_types_csv,
    read_ledger_csv,
    read_units_csv,
)
from carbongrid.outputs.tables.rasters import read_grid_nc, values_of_grid
from carbongrid.raster.grid import Grid
from carbongrid.raster.label_store import CHUNK, open_labels
from carbongrid.raster.opening.files import read_text
from carbongrid.run_store import SEAL, Hashes, seal_of
from carbongrid.run_store.hashes import stamps_of
from carbongrid.run_store.location import manifest_in

if TYPE_CHECKING:
    import xarray as xr

_GRID = "grid_1km.nc"
_OF_SOME = ("surroundings.gpkg", "facilities.csv")
"""Tables that not every run has, beside the parcels."""


def read_content(directory: Path, files: Collection[str] | None = None) -> Content:
    """Read the content of a run's files again, to the bit.

    Parameters
    ----------
    directory
        The run.
    files
        Names of its files: of those that not every run has, no other is read. Default: all that are there.

    Raises
    ------
    VerificationError
        If a file is missing or unreadable, or the units of units.csv and units.gpkg are not the same.
    """
    directory = Path(directory)
    if files is None:
        files = {path.name for path in directory.iterdir()} if directory.is_dir() else ()
    _require_files(directory, files)
    with read_grid_nc(directory / _GRID) as grid:
        return _content(directory, values_of_grid(grid, directory / _GRID), files)


def _require_files(directory: Path, files: Collection[str]) -> None:
    required = (
        "inventory.csv",
        "ledger.csv",
        "evidence.csv",
        "land_types.csv",
        "units.csv",
        "units.gpkg",
        _GRID,
        *(name for name in _OF_SOME if name in files),
    )
    missing = [name for name in required if not (directory / name).is_file()]
    if missing:
        raise VerificationError(f"{directory} lacks {', '.join(missing)}")


def _content(directory: Path, grid: xr.Dataset, files: Collection[str]) -> Content:
    """Return the content of the tables that every run has, and of those of ``files`` that some have."""

    def if_there[Read](name: str, read: Callable[[Path], Read]) -> Read | None:
        return read(directory / name) if name in files else None

    return Content(
        inventory=read_inventory_csv(directory / "inventory.csv"),
        ledger=read_ledger_csv(directory / "ledger.csv"),
        evidence=read_evidence_csv(directory / "evidence.csv"),
        land_types=read_land_types_csv(directory / "land_types.csv"),
        units=_units(directory),
        parcels=if_there(PARCELS_FILE, read_parcels_parquet),
        grid_1km=grid,
        surroundings=if_there("surroundings.gpkg", read_surroundings_gpkg),
        facilities=if_there("facilities.csv", read_facilities_csv),
    )


def digests_of_directory(directory: Path, files: Collection[str] | None = None) -> dict[str, str]:
    """Return the same digests as :func:`carbongrid.outputs.tables.table_digests`, from the files: those of the run, or all that are there.

    Raises
    ------
    VerificationError
        If a file is missing or unreadable.
    """
    return digests_of(read_content(directory, files))


def earlier_digest_of_parcels(directory: Path) -> str:
    """Return the digest of the parcels as runs had it before their geometry was a digest of its own, from the files; raises as :func:`digests_of_directory`."""
    parcels = read_content(directory).parcels
    assert parcels is not None, "a published run has no digest of parcels"
    return digest_of_table(parcels)


def _without_parcels(manifest: Mapping[str, Any]) -> set[str]:
    """Return the names of a run's files but the parcels'; what else lies beside them is of whoever put it there."""
    return {*(manifest.get("files") or ())} - {PARCELS_FILE}


@contextlib.contextmanager
def of_one_run(directory: Path) -> Iterator[dict[str, Any]]:
    """Give a run's manifest, and raise unless all that the block of code reads of the directory is of the same run.

    Raises
    ------
    InputError
        If the directory is not a finished run.
    VerificationError
        If another run has taken its place, at the end of the block.
    """
    manifest = read_manifest(directory)
    with of_run(directory, manifest):
        yield manifest


@contextlib.contextmanager
def of_run(directory: Path, manifest: Mapping[str, Any]) -> Iterator[None]:
    """Raise :class:`VerificationError` unless the run that had this manifest is in its place, before the block of code reads it and afterwards."""
    _require_same_seal(directory, manifest)
    try:
        yield
    except Exception as error:
        # What looks like damage may be files of two runs.
        _require_same_seal(directory, manifest, error)
        raise
    _require_same_seal(directory, manifest)


def read_tables(directory: Path, *, parcels: bool = True) -> RunTables:
    """Read the tables of a finished run again, mass in grams, as its figures are drawn from.

    Parameters
    ----------
    directory
        What ``carbongrid run`` made.
    parcels
        Whether they are read, too.

    Returns
    -------
    RunTables
        Without evidence; a public run has no parcels.

    Raises
    ------
    InputError
        If the directory is not a finished run.
    VerificationError
        If one of its files is missing, unreadable or not what the run wrote, or another run takes its place while it is read.
    """
    directory, manifest = sealed_manifest(directory)
    with of_run(directory, manifest):
        content = read_content(directory, _without_parcels(manifest))
        _require_digests(directory, content, manifest)
        land = None
        if parcels and PARCELS_FILE in manifest["files"]:
            with as_written(directory, PARCELS_FILE, manifest) as file:
                land = read_parcels_parquet(file).located
    categories = tuple(Category.of(each) for each in manifest["categories"])
    names = {f"{column_of(category.name)}_g": category.name for category in categories}
    units = content.units.located.rename(columns=names)
    if land is None:
        columns = [
            "id",
            "land_use",
            "type",
            "mode",
            "area_m2",
            *names.values(),
            "emission_g",
            "sink_g",
        ]
        land = gpd.GeoDataFrame({name: [] for name in columns}, geometry=[], crs=units.crs)
    parameters = manifest["parameters"]
    return RunTables(
        title=manifest["title"],
        year=manifest["year"],
        currency=manifest["currency"],
        categories=categories,
        inventory=content.inventory.frame.rename(columns={"mass_g": "grams"}),
        parcels=land,
        units=units,
        parents=tuple(parameters["parents"]),
        ledger=tuple(LedgerRow(**row) for row in manifest["ledger"]),
        by_type=_by_type(content.land_types, names.values()),
        grid_1km=content.grid_1km,
        assumptions=tuple((level, text) for level, text in manifest["assumptions"]),
        reference=parameters["reference"],
        basis=parameters["basis"],
        surroundings=None if content.surroundings is None else content.surroundings.located,
        attribution=manifest.get("attribution", ""),
        sink_floor=parameters.get("sink_floor", 0.0),
        ties=parameters.get("ties", ">="),
        gwp=parameters.get("gwp", AS_GIVEN),
        gdp_derived=parameters.get("gdp_by") not in (None, "unit"),
        draws=parameters.get("draws", 0),
        parent_names=_parent_names(manifest.get("parent_names")),
    )


def _parent_names(told: Any) -> dict[str, dict[str, tuple[str, str]]]:
    """Return the names of codes of parents; none where they are told otherwise, as runs of other versions may."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for parent, named in told.items() if isinstance(told, dict) else ():
        for code, names in named.items() if isinstance(named, dict) else ():
            match names:
                case [str(own), str(english)]:
                    found.setdefault(parent, {})[code] = (own, english)
    return found


def _require_digests(directory: Path, content: Content, manifest: Mapping[str, Any]) -> None:
    """Raise :class:`VerificationError` unless content that was read, without the parcels, is what the run wrote."""
    told, found = manifest.get("digests") or {}, digests_of(content)
    for name in sorted((told.keys() | found.keys()) - {"parcels"}):
        if told.get(name) != found.get(name):
            raise VerificationError(
                f"{directory}: {FILES_OF.get(name, name)} was changed after the run, or is damaged. Run the case again."
            )


def _by_type(land_types: Table, categories: Iterable[str]) -> pd.DataFrame:
    """Return grams per territorial type and category, as a run has them, of the rows of land_types.csv."""
    rows = land_types.frame[land_types.frame["type"] != UNALLOCATED[0]]
    wide = rows.pivot_table("mass_g", "type", "category", aggfunc="sum", fill_value=0)
    return wide.reindex(columns=list(categories), fill_value=0).astype(np.int64)


def read_manifest(directory: Path) -> dict[str, Any]:
    """Return what manifest.json holds; raises :class:`InputError` if the directory is not a finished run."""
    try:
        return dict(json.loads(read_text(directory / "manifest.json")))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        why = "it has no readable manifest.json" if directory.exists() else "it is not there"
        raise InputError(
            f"this is not a finished run: {why}",
            str(directory),
            "Give the directory that carbongrid run made.",
        ) from error


def read_result(directory: Path) -> Result:
    """Return what a finished run directory holds; it raises as ``cg.open``, which makes of it a result that can be asked."""
    directory = Path(directory)
    with of_one_run(directory) as manifest:
        require_seal(directory, manifest)
        files = _without_parcels(manifest)
        _require_files(directory, files)
        grid = read_grid_nc(directory / _GRID)
        # All of it is unpacked, so that damage is told here; the result's own values stay packed.
        content = _content(directory, values_of_grid(grid, directory / _GRID), files)
        _require_digests(directory, content, manifest)
    units = gpd.GeoDataFrame(for_people(content.units))
    return Result(
        directory=directory,
        manifest=manifest,
        units=units,
        inventory=for_people(content.inventory),
        ledger=LedgerTable(for_people(content.ledger)),
        evidence=for_people(content.evidence),
        land_types=for_people(content.land_types),
        grid_1km=grid,
        plot=Plots(units, grid, Gas.of_manifest(manifest)),
        read_labels=_labels,
        read_parcels=ParcelsLater(directory.absolute(), _digest_of_parcels(manifest), units.crs),
    )


def _require_same_seal(
    directory: Path, manifest: Mapping[str, Any], error: Exception | None = None
) -> None:
    """Raise :class:`VerificationError`, from an error if that is known, unless the run that had this manifest is still in its place."""
    there = manifest_in(directory)
    if there is None:
        raise VerificationError(f"{directory} is no finished run any more: it was removed, or is being made again. Open it again.") from error  # fmt: skip
    if there.get(SEAL) != manifest.get(SEAL):
        raise _made_again(directory) from error


LABELS = "labels.zarr"


def fine_grid(manifest: Mapping[str, Any]) -> Grid:
    """Return the fine grid of a run."""
    told = manifest["parameters"]
    return Grid(told["crs"], told["resolution"], tuple(told["bounds"]), snap=told["coarse"])


def _labels(result: Result) -> xr.Dataset | None:
    own = result.as_read  # a user may have edited the tables
    with of_run(own.folder, own.manifest):
        if LABELS in own.manifest["files"]:
            return _opened_labels(own.folder / LABELS)
    return None if own.manifest.get("public") else _painted_labels(own)


def _painted_labels(own: Result) -> xr.Dataset:
    """Return lazy labels of a result as it was read; a block is painted when its values are asked for."""
    import xarray as xr  # late, as the labels: most runs are opened for their tables

    from carbongrid.raster.labels import rasterize

    grid, parcels = fine_grid(own.manifest), own.parcels
    # A GeoPackage does not keep every word of a CRS without a code.
    outlines = own.units.set_crs(parcels.crs, allow_override=True)
    layers = {"parcel": parcels, "unit": outlines}
    return xr.Dataset({name: rasterize(layer, grid, chunks=CHUNK) for name, layer in layers.items()})  # fmt: skip


def _opened_labels(path: Path) -> xr.Dataset:
    try:
        return open_labels(path)
    except (CarbongridError, MemoryError):
        raise
    except Exception as error:  # whatever a decoder says of damaged bytes and of odd attributes
        told = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else repr(error)
        raise VerificationError(f"{path.name} cannot be read: {told}") from error


def open_finished(run: str | Path | Result) -> tuple[Path, dict[str, Any], pd.DataFrame]:
    """Return a run's directory, its manifest and its units (mass in grams), all as the run wrote them.

    Parameters
    ----------
    run
        A finished run: its directory, or what :func:`carbongrid.open` returned.

    Raises
    ------
    InputError
        If the directory is not a finished run; and as :func:`folder_of`.
    VerificationError
        If the manifest or units.csv was changed since, or another run has taken the place of the one that was opened.
    """
    directory, manifest = sealed_manifest(run)
    with as_written(directory, "units.csv", manifest) as file:
        units = read_units_csv(file)
    return directory, manifest, units.frame


def opened(run: str | Path | Result) -> Result:
    """Return a run that was opened as it is, and one of a directory read; raises as :func:`read_result` and :func:`folder_of`."""
    return run if isinstance(run, Result) else read_result(folder_of(run))


def folder_of(run: object) -> Path:
    """Return the directory of a run.

    Raises
    ------
    InputError
        If it is something else, such as an answer that is not written.
    """
    if isinstance(run, str | os.PathLike):
        return Path(run)
    if isinstance(run, Result):
        return run.folder
    what = f"expected the directory of a run, or what carbongrid.open returned, not {type(run).__name__}"
    way = "An answer has no files: do its changes in a plan (carbongrid scenario RUN PLAN.toml --out DIR), or in the case, and ask that run."
    raise InputError(what, hint=way)


def sealed_manifest(run: str | Path | Result) -> tuple[Path, dict[str, Any]]:
    """Return a run's directory and its manifest, as the run wrote it.

    Raises
    ------
    InputError
        If the directory is not a finished run.
    VerificationError
        If the manifest was changed since, or another run has taken the place of the one that was opened.
    """
    directory = folder_of(run)
    manifest = read_manifest(directory)
    require_seal(directory, manifest)
    if not isinstance(run, str | os.PathLike) and run.manifest.get(SEAL) != manifest[SEAL]:
        raise _made_again(directory)
    return directory, manifest


def _made_again(directory: Path) -> VerificationError:
    """Return the error that says that another run took the place of the one that was opened."""
    return VerificationError(f"{directory} was made again since it was opened: open it again")


def require_seal(directory: Path, manifest: Mapping[str, Any]) -> None:
    """Raise :class:`VerificationError` unless a manifest is the one that its seal was taken of."""
    if manifest.get(SEAL) != seal_of(manifest):
        raise VerificationError(f"{directory}: manifest.json was changed after the run, or is damaged. Run the case again.")  # fmt: skip


def read_located_units(directory: Path, manifest: Mapping[str, Any]) -> gpd.GeoDataFrame:
    """Read the units of a finished run with their geometry, mass in grams.

    The content is held against the manifest, not the file's sha256: a GIS program that only looks at a GeoPackage may write into it.

    Raises
    ------
    VerificationError
        If units.csv or units.gpkg is missing, unreadable, or not what the run wrote.
    """
    table = _units(directory)
    if digest_of_table(table) != manifest["digests"]["units"]:
        raise VerificationError(
            f"{directory}: units.csv or units.gpkg was changed after the run, or is damaged. Run the case again."
        )
    return table.located


def _units(directory: Path) -> Table:
    table = read_units_csv(directory / "units.csv")
    located = read_unit_geometry(directory / "units.gpkg")
    if located["id"].astype("str").tolist() != table.frame["id"].tolist():
        raise VerificationError("units.csv and units.gpkg do not hold the same units")
    return with_geometry(table, located.geometry)


def for_people(table: Table) -> pd.DataFrame:
    """Return the frame of a table with mass in tonnes and whole numbers as int64 where none is missing."""
    columns: dict[str, Any] = {}
    for name, column in table.frame.items():
        kind = table.kinds.get(str(name))
        if kind == "mass":
            columns[in_tonnes(str(name))] = column.to_numpy(np.float64, na_value=np.nan) / 10**6
        elif kind == "whole" and not column.hasnans:
            columns[str(name)] = column.to_numpy(np.int64)
        else:
            columns[str(name)] = column.array
    return pd.DataFrame(columns, table.frame.index)


def _digest_of_parcels(manifest: Mapping[str, Any]) -> str | None:
    digests: Mapping[str, str] = manifest.get("digests", {})
    return digests.get("parcels")


def require_as_written(
    directory: Path, file: str, manifest: Mapping[str, Any], hashes: Hashes | None = None
) -> None:
    """Raise :class:`VerificationError` unless a file of a run is what the manifest says it was, by its sha256; ``hashes``: what is known of files."""
    try:
        digest, _ = (hashes or Hashes()).take(directory / file)
        same = digest == manifest.get("files", {}).get(file)
    except OSError as error:
        raise VerificationError(
            f"{directory}: {file} cannot be read: {error.strerror or error}"
        ) from error
    if not same:
        raise VerificationError(
            f"{directory}: {file} was changed after the run, or is damaged. Run the case again."
        )


@contextlib.contextmanager
def as_written(directory: Path, file: str, manifest: Mapping[str, Any]) -> Iterator[Path]:
    """Give a file of a run that is what the manifest says it was, before the block of code reads it and afterwards; raises as :func:`require_as_written`."""
    before = stamps_of(directory / file)

    def require_unchanged(error: Exception | None = None) -> None:
        there = manifest_in(directory)
        if there is not None and there.get(SEAL) != manifest.get(SEAL):
            raise _made_again(directory) from error
        if stamps_of(directory / file) != before:
            raise VerificationError(f"{directory}: {file} was changed, moved or removed while it was read. Open the run again.") from error  # fmt: skip

    try:
        require_as_written(directory, file, manifest)
        yield directory / file
    except Exception as error:
        # What looks like damage may be another run.
        require_unchanged(error)
        raise
    require_unchanged()


@dataclass(frozen=True)
class ParcelsLater:
    """Reads a run's parcels when it is called, and tells a run that was replaced in the meantime.

    Parameters
    ----------
    directory
        The run.
    digest
        Of its parcels, when the run was opened; None where there were none.
    crs
        Of the units, for a public run's empty table.
    """

    directory: Path
    digest: str | None
    crs: Any

    def __call__(self) -> gpd.GeoDataFrame:
        """Return the parcels, mass in int64 grams.

        Raises
        ------
        VerificationError
            If the directory holds another run's parcels now, or none, or damaged ones.
        """
        manifest = read_manifest(self.directory)
        if _digest_of_parcels(manifest) != self.digest:
            raise VerificationError(
                f"{self.directory} was made again since it was opened, with other parcels: open it again"
            )
        if self.digest is None:
            return gpd.GeoDataFrame({"id": pd.Series([], dtype="str")}, geometry=[], crs=self.crs)
        with as_written(self.directory, PARCELS_FILE, manifest) as file:
            parcels = read_parcels_parquet(file)
        whole = {n: np.int64 for n, kind in parcels.kinds.items() if kind in ("mass", "whole")}
        return parcels.located.astype(whole)
