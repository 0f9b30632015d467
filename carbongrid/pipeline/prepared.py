"""A finished run, prepared to be asked what would be otherwise: its claims, shares and small tables, read when first asked for.

Nothing is read from the case's own files, and no geometry of parcels but where water outside every unit goes to the nearest.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import geopandas as gpd
import numpy as np
import pandas as pd
from geopandas.array import GeometryArray
from numpy.typing import NDArray

from carbongrid.case.readers.inputs import Inputs
from carbongrid.case.readers.units import parent_name_columns
from carbongrid.errors import InputError, VerificationError
from carbongrid.inventory.tables import scopes_of_audit
from carbongrid.method.categories import column_of
from carbongrid.method.columns import UNIT_NAMES
from carbongrid.method.evidence import EvidenceRow
from carbongrid.method.ledger import LedgerRow
from carbongrid.method.parcel_mass import ParcelMass
from carbongrid.method.sharing import Shares
from carbongrid.method.weights import PackedWeights
from carbongrid.outputs.reading import (
    of_run,
    require_as_written,
    require_seal,
)
from carbongrid.outputs.tables.layers import PARCELS_FILE
from carbongrid.outputs.tables.plain import read_text_csv, read_units_csv
from carbongrid.pipeline import facilities, rasterizing, sections, small_tables, weights_step
from carbongrid.pipeline.facilities import PlacedFacilities
from carbongrid.pipeline.land import FILES as LAND
from carbongrid.pipeline.land import Land
from carbongrid.pipeline.small_tables import SmallTables
from carbongrid.pipeline.weights_step import Weighed
from carbongrid.raster.opening.parquet import open_parquet
from carbongrid.run_store import Hashes

if TYPE_CHECKING:
    from carbongrid.outputs.result import Result

AUDIT = "audit.csv"

_OF_NO_MASS = ("residents", "gdp", "gdp_low", "gdp_high")
"""Columns of the units that no total, no facility and no weight of a category decides."""


@dataclass(frozen=True, eq=False)
class PreparedRun:
    """What of a finished run other totals, weights and facilities are computed from.

    What is read stays in memory: the claims of the categories that were asked for, what parcels have in common with units, and some columns of the
    parcels. For a million parcels and 25 categories that is half a gigabyte, whatever the number of questions.

    Parameters
    ----------
    result
        The run, opened.
    hashes
        What is known of its files.

    Raises
    ------
    InputError
        If the run keeps nothing to answer from: it was made to be published, or by an earlier version.
    VerificationError
        If its manifest was changed after the run.
    """

    result: Result
    hashes: Hashes = field(default_factory=Hashes, repr=False)
    _claims: dict[str, PackedWeights] = field(default_factory=dict, repr=False)
    _masses: dict[str, ParcelMass] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Refuse a run that keeps too little."""
        # The tables of an opened run are the user's, who may edit them in place.
        object.__setattr__(self, "result", self.result.as_read)
        if self.result.manifest.get("public"):
            raise InputError(
                "a run that was made to be published keeps neither parcels nor weights",
                str(self.directory),
                "Run the case without --public, and ask that run.",
            )
        if small_tables.FILES[0] not in self.result.manifest.get("files", {}):
            raise self._made_earlier(small_tables.FILES[0])
        require_seal(self.directory, self.result.manifest)

    def _made_earlier(self, file: str) -> InputError:
        return InputError(
            f"the run has no {file}: it was made by an earlier version",
            str(self.directory),
            "Run the case again, and ask the new run.",
        )

    @property
    def directory(self) -> Path:
        """The run directory."""
        return self.result.folder

    @cached_property
    def tables(self) -> SmallTables:
        """Settings, totals and facilities."""
        return self.read(small_tables.load_tables, *small_tables.FILES)

    @cached_property
    def parcels(self) -> pd.DataFrame:
        """Columns of the parcels, without geometry."""
        return self.read(
            lambda folder: sections.load_columns("parcels", folder),
            *sections.columns_files_of("parcels"),
        )

    @cached_property
    def units(self) -> gpd.GeoDataFrame:
        """The units, masses in int64 grams under the names of categories, residents and GDP; without what mass decides."""
        names = {f"{column_of(name)}_g": name for name in self.tables.categories}
        kept = [*UNIT_NAMES, *self.tables.case.units.parents, *names, *_OF_NO_MASS]
        file = "units.csv"
        frame = self.read(lambda folder: read_units_csv(folder / file, kept).frame[kept], file)
        crs = self.read(
            lambda folder: sections.load_crs("units", folder), sections.facts_of("units")
        )
        geometry = self.result.units.geometry.to_numpy()
        return gpd.GeoDataFrame(frame.rename(columns=names), geometry=geometry, crs=crs)

    @cached_property
    def names_of_parents(self) -> dict[str, NDArray[Any]]:
        """Columns of the units that name their parents, which no file of a run but what it read has."""
        files = sections.columns_files_of("units")
        kept = self.read(lambda folder: sections.load_columns("units", folder), *files)
        parents = self.tables.case.units.parents
        columns = (name for parent in parents for name in parent_name_columns(parent))
        return {name: kept[name].to_numpy() for name in columns if name in kept}

    @cached_property
    def inputs(self) -> Inputs:
        """The tables as a run has them, but for evidence and geometry of parcels."""
        tables = self.tables
        return Inputs(
            case=tables.case,
            categories=tables.categories,
            totals=tables.totals,
            parcels=self.parcels,
            units=self.units,
            facilities=tables.facilities,
            water=tables.water,
            pois=None,
            people=None,
            lines=None,
            gdp=None,
            census=None,
            notes=(),
            guidance=(),
            coefficients=tables.coefficients,
            scopes=None if tables.case.inventory is None else self.scopes_formed,
        )

    def scopes_formed(self) -> dict[tuple[str, int], int]:
        """Return grams by category and scope that the activity data made, by the run's audit."""
        if AUDIT not in self.result.manifest["files"]:
            raise self._made_earlier(AUDIT)
        return self.read(lambda folder: scopes_of_audit(read_text_csv(folder / AUDIT)), AUDIT)

    @cached_property
    def land(self) -> Land:
        """Where parcels stand."""
        return self.read(lambda folder: Land.measured_before(folder, self.inputs), *LAND)

    @cached_property
    def placed(self) -> PlacedFacilities:
        """Where facilities lie."""
        if self.tables.facilities is None:
            return facilities.place_facilities(self.inputs, self.land)
        return self.read(facilities.load_places, *facilities.FILES)

    @cached_property
    def shares(self) -> Shares:
        """What parcels have in common with units and cells, after the rule for water outside every unit."""
        nearest = self.tables.case.units.water == "nearest"
        land = self.located if nearest else self.land
        return rasterizing.share_water(self.inputs, land, self.counted)

    @cached_property
    def counted(self) -> Shares:
        """What parcels have in common with units and cells, water that is in no unit staying there."""
        return self.read(rasterizing.shares_in, rasterizing.OVERLAP)

    @cached_property
    def located(self) -> Land:
        """Where parcels stand, with their geometry and type."""
        return self.land.with_parcels(
            gpd.GeoDataFrame(self.parcels[["id", "type"]], geometry=self.shapes)
        )

    @cached_property
    def shapes(self) -> GeometryArray:
        """Outlines of the parcels."""
        file = sections.shapes_of("parcels")
        if file not in self.result.manifest["files"]:
            raise self._made_earlier(file)
        crs = self.units.crs
        told = sections.facts_of("parcels")
        return self.read(lambda folder: sections.load_shapes("parcels", folder, crs), file, told)

    @cached_property
    def pois(self) -> dict[str, int]:
        """How many POIs each category has; none where the case has none."""
        if self.tables.case.pois is None:
            return {}
        files = sections.columns_files_of("pois")
        table = self.read(lambda folder: sections.load_columns("pois", folder), *files)
        return {str(name): int(count) for name, count in table["category"].value_counts().items()}

    def changed(self, claims: dict[str, PackedWeights] | None = None, **values: Any) -> PreparedRun:
        """Return the run with other claims, or other values of some properties, such as parcels whose land use is another; all that was read is shared."""
        other = copy(self)
        vars(other).update(values, _claims=self._claims if claims is None else claims)
        if "parcels" in values:
            vars(other).pop("located", None)
        return other

    def claims(self, names: Sequence[str]) -> dict[str, PackedWeights]:
        """Return what parcels claim of some categories."""
        missing = [name for name in names if name not in self._claims]
        if missing:
            load = partial(weights_step.load_weights, names=missing)
            before = Weighed(self.read(load, *weights_step.FILES).claims)
            chosen = {name: self.inputs.categories[name] for name in missing}
            inputs = dataclasses.replace(self.inputs, categories=chosen)
            by_rasters = [name for name in missing if weights_step.weighs_by_raster(inputs, name)]
            if by_rasters:
                before = weights_step.weigh_by_rasters(inputs, self.land, before, self.shares)
            self._claims.update(before.claims)
        return {name: self._claims[name] for name in names}

    def masses(self, names: Sequence[str]) -> list[ParcelMass]:
        """Return the run's grams of some categories on parcels."""
        missing = [name for name in names if name not in self._masses]
        if missing:
            columns = self.read(
                lambda folder: _columns_of(folder / PARCELS_FILE, missing), PARCELS_FILE
            )
            for name in missing:
                self._masses[name] = ParcelMass.of(columns[name].to_numpy(np.int64))
        return [self._masses[name] for name in names]

    @cached_property
    def unit_masses(self) -> NDArray[np.int64]:
        """Grams of units [unit, category]."""
        columns = [self.units[name].to_numpy(np.int64) for name in self.tables.categories]
        return np.stack(columns, axis=1)

    @cached_property
    def ledger(self) -> dict[str, tuple[LedgerRow, ...]]:
        """Rows of the ledger, by category."""
        return _by_category(LedgerRow(**row) for row in self.result.manifest["ledger"])

    @cached_property
    def evidence(self) -> dict[str, tuple[EvidenceRow, ...]]:
        """Rows of the table of evidence, by category."""
        return _by_category(EvidenceRow(**row) for row in self.result.manifest["evidence"])

    def read[T](self, read: Callable[[Path], T], *files: str) -> T:
        """Read some of the run, which must still be the one that was opened, from files that must be what the run wrote."""
        with of_run(self.directory, self.result.manifest):
            for file in files:
                self._require_whole(file)
            try:
                return read(self.directory)
            except (OSError, LookupError, ValueError, TypeError, BadZipFile) as error:
                raise VerificationError(f"{self.directory} is damaged: {error!r}") from error

    def _require_whole(self, file: str) -> None:
        """Raise unless a file is what the run wrote; each is read for it once for as long as it is the same."""
        require_as_written(self.directory, file, self.result.manifest, self.hashes)


def _columns_of(path: Path, names: list[str]) -> pd.DataFrame:
    with open_parquet(path) as file:
        columns: pd.DataFrame = file.read(columns=names).to_pandas()
    return columns


def _by_category[Row: (LedgerRow, EvidenceRow)](rows: Iterable[Row]) -> dict[str, tuple[Row, ...]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.category, []).append(row)
    return {name: tuple(same) for name, same in found.items()}
