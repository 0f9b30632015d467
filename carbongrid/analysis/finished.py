"""What the analyses of several runs read of each: exact tables of a run directory, or of an answer that is not written."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from carbongrid.errors import Problem
from carbongrid.method.categories import Category, column_of
from carbongrid.method.gas import Gas, gases_by_category
from carbongrid.method.zoning import sinks_below_floor
from carbongrid.outputs.reading import as_written, sealed_manifest
from carbongrid.outputs.result import AS_GIVEN
from carbongrid.outputs.tables.content import Table, inventory_of, ledger_of, units_of
from carbongrid.outputs.tables.layers import read_unit_geometry
from carbongrid.outputs.tables.plain import read_inventory_csv, read_ledger_csv, read_units_csv
from carbongrid.outputs.tables.rasters import read_grid_nc
from carbongrid.pipeline.live import LiveResult
from carbongrid.pipeline.tables import inventory_of_totals

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    import xarray as xr
    from numpy.typing import NDArray

    from carbongrid.outputs.result import Result

type Asked = str | Path | Result | LiveResult
"""A run directory, what :func:`carbongrid.open` returned, or an answer of it."""


@dataclass(frozen=True, eq=False, repr=False)
class FinishedRun:
    """A run, or an answer of one, as exact tables.

    Parameters
    ----------
    name
        What it is called: the directory.
    manifest
        Of the run, or of the run that was asked.
    directory
        None for an answer.
    answer
        None for a run.
    """

    name: str
    manifest: dict[str, Any]
    directory: Path | None = None
    answer: LiveResult | None = None

    def __repr__(self) -> str:
        """Return what it is called: its manifest is pages."""
        return self.name

    @classmethod
    def of(cls, asked: Asked) -> FinishedRun:
        """Return the run.

        Raises
        ------
        InputError
            If the directory is not a finished run.
        VerificationError
            If its manifest was changed since, or another run has taken the place of the one that was opened.
        """
        if isinstance(asked, LiveResult):
            base = asked.prepared.result
            name = f"{base.directory} with changes" if asked.changes else str(base.directory)
            return cls(name, base.manifest, answer=asked)
        directory, manifest = sealed_manifest(asked)
        given = Path(asked if isinstance(asked, str | os.PathLike) else asked.directory)
        return cls(str(given), manifest, directory)

    @cached_property
    def categories(self) -> dict[str, Category]:
        """The categories, in the order of the run's columns."""
        if self.answer is not None:
            return dict(self.answer.inputs.categories)
        return {each["name"]: Category.of(each) for each in self.manifest["categories"]}

    @property
    def parameters(self) -> dict[str, Any]:
        """Settings that decide the numbers."""
        found: dict[str, Any] = self.manifest["parameters"]
        return found

    @cached_property
    def _units(self) -> Table:
        if self.answer is None:
            with self._file("units.csv") as file:
                return read_units_csv(file)
        case = self.answer.inputs.case
        return units_of(self.answer.zoned.units, case.units.parents, tuple(self.categories.values()))  # fmt: skip

    @cached_property
    def units(self) -> pd.DataFrame:
        """The units without geometry: mass in int64 grams, that of a category under the category's name."""
        names = {f"{column_of(name)}_g": name for name in self.categories}
        frame = self._units.frame.drop(columns="geometry", errors="ignore").rename(columns=names)
        return frame.astype(dict.fromkeys(("emission_g", "sink_g", *self.categories), np.int64))

    @property
    def sink_floor(self) -> float:
        """CCR of a reference region below which ESC ranks noise."""
        return float(self.parameters.get("sink_floor", 0.0))

    @cached_property
    def sinks_below_floor(self) -> NDArray[np.bool_]:
        """Of which units the sinks of the reference region are below the floor."""
        return sinks_below_floor(self.units, self.parameters["reference"], self.sink_floor)

    def warnings_of_esc(self, units: Iterable[str]) -> tuple[Problem, ...]:
        """Return a warning where of some of these units, of which there is told how far their ESC is from 1, the sinks are below the floor."""
        told = {*units}
        few = len(told & {*self.units["id"][self.sinks_below_floor]})
        if not few:
            return ()
        text = (
            f"Among the units whose distance of ESC from 1 is told here, ESC ranks noise in {few} of {len(told)}: "
            f"their reference region takes up less than {100 * self.sink_floor:g} % of what it emits (sink_floor), so that this distance says little (docs/decisions/0037)."
        )
        return (Problem(text, level="warning"),)

    @cached_property
    def outlines(self) -> gpd.GeoSeries:
        """Outlines of the units, in their order."""
        if self.answer is not None:
            return self.answer.prepared.units.geometry
        with self._file("units.gpkg") as file:
            found: gpd.GeoSeries = read_unit_geometry(file).geometry
        return found

    @cached_property
    def ledger(self) -> pd.DataFrame:
        """The ledger, mass in grams."""
        if self.answer is not None:
            return ledger_of(self.answer.ledger_rows).frame
        with self._file("ledger.csv") as file:
            return read_ledger_csv(file).frame

    @cached_property
    def inventory(self) -> pd.DataFrame:
        """The totals, mass in grams."""
        if self.answer is not None:
            return inventory_of(inventory_of_totals(self.answer.inputs.totals)).frame
        with self._file("inventory.csv") as file:
            return read_inventory_csv(file).frame

    @property
    def formed(self) -> bool:
        """Whether the totals are of activity data, of which every gas is counted."""
        return bool(self.parameters["gwp"] != AS_GIVEN)

    @property
    def gas(self) -> Gas:
        """What the emissions are of."""
        return Gas.of_manifest(self.manifest)

    @cached_property
    def gases(self) -> dict[str, str] | None:
        """What the emissions of each category are of, ``CO2``, ``CO2e`` or both; None of a run of an earlier version, which does not say."""
        if "gas" not in self.parameters:
            return None
        rows = self.inventory.rename(columns={"mass_g": "grams"})
        found = gases_by_category(rows, self.categories.values(), formed=self.formed)
        return {name: " and ".join(sorted(gases)) for name, gases in found.items()}

    @cached_property
    def grid(self) -> xr.Dataset:
        """Emission and sink per coarse cell, int64 grams."""
        if self.answer is not None:
            return self.answer.fresh_grid().load()
        with self._file("grid_1km.nc") as file, read_grid_nc(file) as grid:
            return grid.load()

    def _file(self, name: str) -> AbstractContextManager[Path]:
        """Give a file of the directory, which is what the run wrote while it is read."""
        assert self.directory is not None, "an answer has no files"
        return as_written(self.directory, name, self.manifest)
