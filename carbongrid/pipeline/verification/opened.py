"""A run directory opened piece by piece; a piece that cannot be read says which file it is."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from carbongrid.case.readers.geoparquet import read_geoparquet
from carbongrid.errors import CarbongridError, VerificationError
from carbongrid.method.categories import column_of, raster_inside
from carbongrid.method.sharing import Shares, load_hashes, load_shares
from carbongrid.outputs.reading import LABELS, fine_grid
from carbongrid.outputs.tables.layers import read_unit_geometry
from carbongrid.outputs.tables.plain import (
    read_evidence_csv,
    read_facilities_csv,
    read_interval_csv,
    read_inventory_csv,
    read_land_types_csv,
    read_ledger_csv,
    read_text_csv,
    read_units_csv,
)
from carbongrid.pipeline.verification.verdict import RESTORE, RESTORE_MANIFEST, with_hint
from carbongrid.raster.opening.digests import hash_path
from carbongrid.raster.opening.files import read_text, require_regular_tree
from carbongrid.raster.opening.stores import open_netcdf
from carbongrid.raster.polygons import Polygons
from carbongrid.run_store import MANIFEST

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    import xarray as xr
    from numpy.typing import NDArray

    from carbongrid.raster.grid import Grid

AUDIT, INTERVALS, UNIT_INTERVALS = "audit.csv", "uncertainty.csv", "uncertainty_units.csv"
_KEYS = {"parameters": dict, "categories": list, "files": dict, "digests": dict, "ledger": list}
_PARAMETERS = ("reduce", "reference", "parents", "resolution", "coarse", "crs", "bounds", "water")


@dataclass(frozen=True)
class Term:
    """A category as the manifest has it."""

    name: str
    sector: str
    sink: bool
    raster: str

    @property
    def column(self) -> str:
        """Its column in the content of units.csv."""
        return f"{column_of(self.name)}_g"


def _missing(content: Any) -> list[str]:
    """Return what a manifest should have and has not."""
    if not isinstance(content, dict):
        return [*_KEYS]
    missing = [key for key, kind in _KEYS.items() if not isinstance(content.get(key), kind)]
    if "parameters" in missing:
        return missing
    return missing + [name for name in _PARAMETERS if name not in content["parameters"]]


class Opened:
    """A run directory; everything is read when it is first asked for.

    Raises
    ------
    VerificationError
        By every attribute, if its file is missing, damaged or holds something else.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextlib.contextmanager
    def reading(self, name: str, *, trusted: bool = True) -> Iterator[Path]:
        """Give a file's path; what goes wrong with it is told in words.

        A file in a binary format (``trusted=False``) is not opened at all unless it is the one that the
        manifest lists: decoders were not made for damaged bytes.
        """
        path = self.folder / name
        if not (path.is_file() or path.is_dir()):  # a pipe is none: nobody may come to fill it
            raise VerificationError(f"{name} is missing. {RESTORE}")
        if path.is_dir():
            self._require_plain(path)
        if not trusted and self.hashes.get(name) != self.manifest["files"].get(name):
            raise VerificationError(
                f"Not checked, because {name} is not the file that the manifest lists. {RESTORE}"
            )
        try:
            yield path
        except VerificationError as error:
            raise VerificationError(with_hint(str(error))) from error
        except MemoryError:
            raise  # of this machine, no damage of the file
        except CarbongridError as error:
            raise VerificationError(f"{name} cannot be read: {error} {RESTORE}") from error
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            raise VerificationError(f"{name} cannot be read ({reason}). {RESTORE}") from error

    @staticmethod
    def _require_plain(folder: Path) -> None:
        try:
            require_regular_tree(folder)
        except OSError as error:
            told = f"{folder.name} cannot be read: {error.filename}: {error.strerror}"
            raise VerificationError(f"{told}. {RESTORE}") from error

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What manifest.json holds."""
        path = self.folder / MANIFEST
        if not path.is_file():
            raise VerificationError(f"{MANIFEST} is missing. {RESTORE_MANIFEST}")
        try:
            content = json.loads(read_text(path))
        except (OSError, ValueError, RecursionError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise VerificationError(
                f"{MANIFEST} cannot be read ({reason}). {RESTORE_MANIFEST}"
            ) from error
        faults = [f"no {key}" for key in _missing(content)]
        if faults:
            told = ", ".join(faults)
            raise VerificationError(
                f"{MANIFEST} is not the manifest of a run: {told}. {RESTORE_MANIFEST}"
            )
        return dict(content)

    @cached_property
    def public(self) -> bool:
        """Whether the run was written to be published, without parcels."""
        return bool(self.manifest.get("public", False))

    @cached_property
    def left_out(self) -> tuple[str, ...]:
        """Files and folders that the run did not write, for lack of a library."""
        listed = self.manifest.get("left_out", [])
        return tuple(map(str, listed)) if isinstance(listed, list) else ()

    @cached_property
    def exact(self) -> bool:
        """Whether parcels were shared out by area instead of by cells."""
        return bool(self.manifest["parameters"]["reduce"] == "exact")

    @cached_property
    def keeps_labels(self) -> bool:
        """Whether the run wrote labels."""
        return LABELS in self.manifest["files"]

    @cached_property
    def polygons(self) -> dict[str, Polygons]:
        """Parcels and units as the engine takes them, by the names of their labels."""
        # A GeoPackage does not keep every word of a CRS without a code, and a hash is of the words.
        outlines = self.outlines.set_crs(self.parcels.crs, allow_override=True)
        return {"parcel": Polygons.of(self.parcels), "unit": Polygons.of(outlines)}

    @cached_property
    def hashes(self) -> dict[str, str]:
        """Hash of each file that the manifest lists and that is there."""
        paths = {name: self.folder / name for name in self.manifest["files"]}
        there = {name: path for name, path in paths.items() if path.is_file() or path.is_dir()}
        found = {}
        for name, path in there.items():
            with contextlib.suppress(OSError):  # told as missing
                found[name] = hash_path(path)
        return found

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """The categories."""
        terms = []
        for each in self.manifest["categories"]:
            raster = raster_inside(each["weight"], each.get("inside", ""))
            terms.append(Term(each["name"], each["sector"], bool(each["sink"]), raster))
        return tuple(terms)

    @cached_property
    def grid(self) -> Grid:
        """The fine grid."""
        with self.reading(MANIFEST):
            grid = fine_grid(self.manifest)
            shape = grid.coarsen(self.manifest["parameters"]["coarse"]).shape
        # Whatever is sized by the grid would be as large as a doctored manifest says.
        if shape != self.grid_1km["emission"].shape:
            raise VerificationError(
                f"{MANIFEST} tells a coarse grid of {shape} cells, grid_1km.nc has {self.grid_1km['emission'].shape}. {RESTORE}"
            )
        return grid

    @cached_property
    def coarse_grid(self) -> Grid:
        """The coarse grid."""
        return self.grid.coarsen(self.manifest["parameters"]["coarse"])

    @cached_property
    def inventory(self) -> pd.DataFrame:
        """inventory.csv, mass in grams."""
        with self.reading("inventory.csv") as path:
            return read_inventory_csv(path).frame

    @cached_property
    def ledger(self) -> pd.DataFrame:
        """ledger.csv, mass in grams."""
        with self.reading("ledger.csv") as path:
            return read_ledger_csv(path).frame

    @cached_property
    def evidence(self) -> pd.DataFrame:
        """evidence.csv, mass in grams."""
        with self.reading("evidence.csv") as path:
            return read_evidence_csv(path).frame

    @cached_property
    def land_types(self) -> pd.DataFrame:
        """land_types.csv, mass in grams."""
        with self.reading("land_types.csv") as path:
            return read_land_types_csv(path).frame

    @cached_property
    def facilities(self) -> pd.DataFrame | None:
        """facilities.csv, mass in grams; None where the run wrote none."""
        if "facilities.csv" not in self.manifest["files"]:
            return None
        with self.reading("facilities.csv") as path:
            return read_facilities_csv(path).frame

    @cached_property
    def audit(self) -> pd.DataFrame | None:
        """audit.csv, every cell text; None where the run wrote none."""
        if AUDIT not in self.manifest["files"]:
            return None
        with self.reading(AUDIT) as path:
            return read_text_csv(path)

    def intervals(self, name: str) -> pd.DataFrame | None:
        """Return a table of intervals in tonnes; None where the run wrote none."""
        if name not in self.manifest["files"]:
            return None
        with self.reading(name) as path:
            return read_interval_csv(path)

    @cached_property
    def units(self) -> pd.DataFrame:
        """units.csv, mass in grams."""
        with self.reading("units.csv") as path:
            return read_units_csv(path).frame

    @cached_property
    def outlines(self) -> gpd.GeoDataFrame:
        """The units' polygons, with id."""
        with self.reading("units.gpkg", trusted=False) as path:
            return read_unit_geometry(path)

    @cached_property
    def parcels(self) -> gpd.GeoDataFrame:
        """parcels.parquet."""
        with self.reading("parcels.parquet", trusted=False) as path:
            return read_geoparquet(path, "geometry")

    @cached_property
    def mass(self) -> NDArray[np.int64]:
        """Grams per parcel and category, shape (parcels, categories)."""
        parcels = self.parcels
        with self.reading("parcels.parquet", trusted=False):
            columns = [parcels[term.name].to_numpy(np.int64) for term in self.terms]
        return np.stack(columns, axis=1) if columns else np.zeros((len(parcels), 0), np.int64)

    @cached_property
    def grid_1km(self) -> xr.Dataset:
        """grid_1km.nc."""
        with (
            self.reading("grid_1km.nc", trusted=False) as path,
            open_netcdf(path) as dataset,
        ):
            return dataset.load()

    @cached_property
    def saved_hashes(self) -> tuple[str, ...]:
        """Hashes of the polygons of parcels and of units that overlap.npz is of; none of an earlier version."""
        with self.reading("overlap.npz", trusted=False) as path:
            return load_hashes(path)

    @cached_property
    def saved_shares(self) -> Shares:
        """overlap.npz."""
        with self.reading("overlap.npz", trusted=False) as path:
            shares = load_shares(path)
            pairs = [(shares.units, shares.cells), *shares.rasters.values()]
            for matrix in (matrix for pair in pairs for matrix in pair):
                matrix.check_format(full_check=True)
            return shares
