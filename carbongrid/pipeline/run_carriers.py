"""What a finished run has on its land, read back from its files."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from carbongrid.case.readers.geoparquet import read_geoparquet
from carbongrid.errors import InputError, VerificationError
from carbongrid.method.categories import Category, column_of
from carbongrid.method.gas import Gas, gases_beside_others
from carbongrid.method.ledger import LedgerRow
from carbongrid.method.parcel_mass import ParcelMass
from carbongrid.method.probability.mass_on_land import MassOnLand, NamedEmitters, homes_of_points
from carbongrid.method.sharing import Shares, load_shares, with_water_rule
from carbongrid.outputs.reading import as_written, open_finished, read_located_units
from carbongrid.outputs.result import AS_GIVEN
from carbongrid.outputs.tables.inventory_draws import DRAWS_FILE, read_draws
from carbongrid.outputs.tables.plain import read_facilities_csv, read_inventory_csv
from carbongrid.pipeline.land import regions_of_units
from carbongrid.raster.opening.parquet import open_parquet
from carbongrid.raster.opening.stores import open_arrays

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from carbongrid.outputs.result import Result

_LAND, _FACILITIES = "steps/land.npz", "facilities.csv"


class RunCarriers:
    """The parcels of a finished run with what they carry; read when first asked for.

    Parameters
    ----------
    run
        Its directory, or what :func:`carbongrid.open` returned.

    Raises
    ------
    InputError
        If it is not a finished run, or was written without its parcels.
    VerificationError
        If the run was changed since; by its attributes, if a file is missing, unreadable or not as the run wrote it.
    """

    def __init__(self, run: str | Path | Result) -> None:
        self.directory, self.manifest, self.units = open_finished(run)
        self.categories = tuple(Category.of(each) for each in self.manifest["categories"])
        if self.manifest.get("public"):
            raise InputError(
                "this run was written to be published, without its parcels",
                str(self.directory),
                "Run the case again without --public.",
            )

    @property
    def gas(self) -> Gas:
        """What the run's emissions are of."""
        return Gas.of_manifest(self.manifest)

    @cached_property
    def gases(self) -> dict[str, frozenset[str]]:
        """What the emissions of each category that emits are of, ``CO2``, ``CO2e`` or both; of activity data without those that are both alike."""
        rows = self._read("inventory.csv", read_inventory_csv).frame.rename(columns={"mass_g": "grams"})  # fmt: skip
        formed = self.manifest["parameters"]["gwp"] != AS_GIVEN
        return gases_beside_others(rows, self.categories, formed=formed)

    def _read[T](self, name: str, read: Callable[[Path], T]) -> T:
        try:
            with as_written(self.directory, name, self.manifest) as file:
                return read(file)
        except (OSError, KeyError, ValueError) as error:
            raise VerificationError(f"{name} cannot be read: {error}") from error

    @cached_property
    def parcels(self) -> pd.DataFrame:
        """Columns id, type and the categories, grams (int64); in the order of the ids."""
        names = ["id", "type", *(each.name for each in self.categories)]

        def read(path: Path) -> pd.DataFrame:
            with open_parquet(path) as file:
                frame: pd.DataFrame = file.read(columns=names).to_pandas()
            return frame

        return self._read("parcels.parquet", read)

    @cached_property
    def shares(self) -> Shares:
        """What parcels have in common with units, water outside every unit given away as the case says."""
        shares = self._read("overlap.npz", load_shares)
        water = self.manifest["parameters"]["water"]
        if water == "ledger":
            return shares
        return with_water_rule(shares, self.land, self.outlines, water)

    @property
    def land(self) -> gpd.GeoDataFrame:
        """The parcels' type and geometry, in the order of the ids; read each time, since it is large."""
        return self._read(
            "parcels.parquet", lambda path: read_geoparquet(path, "geometry", ["type"])
        )

    @cached_property
    def outlines(self) -> gpd.GeoDataFrame:
        """The units with their geometry."""
        return read_located_units(self.directory, self.manifest)

    @cached_property
    def home(self) -> NDArray[np.int64]:
        """Unit that holds each parcel's representative point, the number of units for none."""

        def read(path: Path) -> NDArray[np.int64]:
            with open_arrays(path) as arrays:
                return np.asarray(arrays["unit_of_parcel"], np.int64)

        unit: NDArray[np.int64] = self._read(_LAND, read)
        if unit.size != len(self.parcels):
            raise VerificationError(f"{_LAND} is not of these parcels. Run the case again.")
        return np.where(unit < 0, len(self.units), unit)

    @cached_property
    def facilities(self) -> dict[str, NamedEmitters]:
        """Facilities that lie on a parcel, by category."""
        if _FACILITIES not in self.manifest["files"]:
            return {}
        table = self._read(_FACILITIES, read_facilities_csv).frame
        table = table[table["parcel"] != ""]
        rows = pd.Index(self.parcels["id"]).get_indexer(table["parcel"]).astype(np.int64)
        position = {code: row for row, code in enumerate(self.units["id"])}
        masses = np.zeros((len(table), len(position) + 1), np.int64)
        for number, (text, grams) in enumerate(zip(table["mass_by_unit"], table["mass_g"], strict=True)):  # fmt: skip
            for unit, tonnes in json.loads(text or "{}").items():
                if unit in position:
                    masses[number, position[unit]] += int(tonnes.replace(".", ""))
            masses[number, -1] = int(grams) - masses[number].sum()
        found = {}
        for category in dict.fromkeys(table["category"]):
            own = (table["category"] == category).to_numpy()
            homes = homes_of_points(table["unit"][own], self.home[rows[own]], position)
            found[category] = NamedEmitters(
                tuple(table["name"][own]), rows[own], homes, masses[own]
            )
        return found

    @cached_property
    def inventory(self) -> dict[str, NDArray[np.float64]]:
        """What categories' totals are multiplied by in the inventory's own draws; empty where totals were given."""
        if DRAWS_FILE not in self.manifest["files"]:
            return {}
        return self._read(DRAWS_FILE, read_draws)

    @property
    def parents(self) -> tuple[str, ...]:
        """Parent columns of the units, nearest first."""
        return tuple(self.manifest["parameters"]["parents"])

    @cached_property
    def on_land(self) -> MassOnLand:
        """What the run has on its land."""
        told = self.manifest["parameters"]
        names = {f"{column_of(each.name)}_g": each.name for each in self.categories}
        ledger: dict[str, list[LedgerRow]] = {}
        for row in self.manifest["ledger"]:
            ledger.setdefault(row["category"], []).append(LedgerRow(**row))
        return MassOnLand(
            units=self.units.rename(columns=names),
            categories=self.categories,
            mass=lambda name: ParcelMass.of(self.parcels[name].to_numpy(np.int64)),
            types=self.parcels["type"].to_numpy(object),
            home=self.home,
            shares=self.shares.units,
            by_raster={path: pair[0] for path, pair in self.shares.rasters.items()},
            ledger=ledger,
            regions_of=partial(regions_of_units, self.units, self.parents),
            facilities=self.facilities,
            inventory=self.inventory,
            reference=told["reference"],
            ties=told.get("ties", ">="),
            gdp_by=told["gdp_by"],
        )
