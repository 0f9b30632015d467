"""A finished run as sums of claims: what each category has on which parcels, and in which units these lie."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from carbongrid.case.readers.geoparquet import read_geoparquet
from carbongrid.errors import InputError, VerificationError
from carbongrid.method.sharing import Shares, load_shares, with_water_rule
from carbongrid.method.spread_draws import Carriers
from carbongrid.method.weights import sink_coefficients
from carbongrid.outputs.tables.inventory_draws import DRAWS_FILE, read_draws
from carbongrid.outputs.tables.plain import read_facilities_csv, read_ledger_csv
from carbongrid.outputs.tables.reading import open_finished, read_located_units, require_as_written
from carbongrid.pipeline.land import regions_of_units
from carbongrid.raster.opening.parquet import open_parquet
from carbongrid.raster.opening.stores import open_arrays

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from carbongrid.analysis.uncertainty import Uncertainty
    from carbongrid.outputs.result import Result

_LAND = "steps/land.npz"


@dataclass(frozen=True)
class Accounts:
    """The totals that a category has in a run: its regions, and the rest of the whole.

    Parameters
    ----------
    regions
        Codes; the whole's is blank.
    of_unit : int64, shape (units + 1,)
        Account of each unit, and of what lies in none.
    grams : int64, shape (accounts,)
        What is placed of each.
    """

    regions: tuple[str, ...]
    of_unit: NDArray[np.int64]
    grams: NDArray[np.int64]


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
        self.categories: list[dict[str, Any]] = self.manifest["categories"]
        if self.manifest.get("public"):
            raise InputError(
                "this run was written to be published, without its parcels",
                str(self.directory),
                "Run the case again without --public.",
            )

    def _read[T](self, name: str, read: Callable[[Path], T]) -> T:
        require_as_written(self.directory, name, self.manifest)
        try:
            return read(self.directory / name)
        except (OSError, KeyError, ValueError) as error:
            raise VerificationError(f"{name} cannot be read: {error}") from error

    @cached_property
    def parcels(self) -> pd.DataFrame:
        """Columns id, type and the categories, grams (int64); in the order of the ids."""
        names = ["id", "type", *(each["name"] for each in self.categories)]

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
        land = self._read(
            "parcels.parquet", lambda path: read_geoparquet(path, "geometry", ["type"])
        )
        return with_water_rule(shares, land, self.outlines, water)

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
    def ledger(self) -> pd.DataFrame:
        """ledger.csv, mass in grams."""
        return self._read("ledger.csv", read_ledger_csv).frame

    @cached_property
    def facilities(self) -> pd.DataFrame:
        """facilities.csv, mass in grams: those that lie on a parcel."""
        if "facilities.csv" not in self.manifest["files"]:
            return pd.DataFrame(columns=["name", "category", "mass_g", "parcel", "mass_by_unit"])
        table = self._read("facilities.csv", read_facilities_csv).frame
        return table[table["parcel"] != ""].reset_index(drop=True)

    @cached_property
    def inventory(self) -> dict[str, NDArray[np.float64]]:
        """What categories' totals are multiplied by in the inventory's own draws; empty where totals were given."""
        if DRAWS_FILE not in self.manifest["files"]:
            return {}
        return self._read(DRAWS_FILE, read_draws)

    def accounts(self, category: str) -> Accounts:
        """Return the totals of a category and whose each unit's parcels are."""
        rows = self.ledger[self.ledger["category"] == category]
        regions = tuple(rows["region"])
        placed = (rows["total_g"] - rows["unallocated_g"]).to_numpy(np.int64)
        codes = [code for code in regions if code]
        found = np.append(regions_of_units(self.units, self.parents, codes), -1)
        position = np.array([*(regions.index(code) for code in codes), -1], np.int64)
        whole = regions.index("") if "" in regions else len(regions)
        of_unit = np.where(found >= 0, position[found], whole)
        return Accounts(regions, of_unit, np.append(placed, 0) if whole == len(regions) else placed)

    @property
    def parents(self) -> tuple[str, ...]:
        """Parent columns of the units, nearest first."""
        return tuple(self.manifest["parameters"]["parents"])

    def masses_of_facilities(self, category: str) -> NDArray[np.int64]:
        """Return the grams of a category's facilities in each unit, and outside, shape (facilities, units + 1)."""
        rows = self.facilities[self.facilities["category"] == category]
        position = {code: row for row, code in enumerate(self.units["id"])}
        masses = np.zeros((len(rows), len(self.units) + 1), np.int64)
        for number, (text, grams) in enumerate(zip(rows["mass_by_unit"], rows["mass_g"], strict=True)):  # fmt: skip
            for unit, tonnes in json.loads(text or "{}").items():
                if unit in position:
                    masses[number, position[unit]] += int(tonnes.replace(".", ""))
            masses[number, -1] = int(grams) - masses[number].sum()
        return masses

    def carriers(self, category: dict[str, Any], uncertainty: Uncertainty, kinds: list[str]) -> Carriers:  # fmt: skip
        """Return what is spread of a category by claims, facilities taken off.

        Parameters
        ----------
        category
            As the manifest has it.
        uncertainty
            Whose sigma and tau are taken.
        kinds
            Names of the coefficients of sinks.
        """
        name = category["name"]
        mass = self.parcels[name].to_numpy(np.int64).copy()
        named = self.facilities[self.facilities["category"] == name]
        rows = pd.Index(self.parcels["id"]).get_indexer(named["parcel"])
        np.subtract.at(mass, rows, named["mass_g"].to_numpy(np.int64))
        carrying = np.flatnonzero(mass > 0)
        carrying = carrying[np.argsort(self.home[carrying], kind="stable")]
        rule, _, path = category["weight"].partition(":")
        overlap = self.shares.rasters[path][0] if rule == "raster" else self.shares.units
        shares = sparse.csr_array(overlap)[carrying].astype(np.float64)
        shares.data /= np.repeat(np.asarray(shares.sum(axis=1)).ravel(), np.diff(shares.indptr))
        kind = np.zeros(0, np.int64)
        if category["sink"]:
            types, kind = np.unique(
                self.parcels["type"].to_numpy(str)[carrying], return_inverse=True
            )
            known = {each: row for row, each in enumerate(kinds)}
            kind = np.array([known[kind_of_sink(name, each)] for each in types], np.int64)[kind]
        drawn = uncertainty.of("weights", name, self.rule_of(category))
        return Carriers(
            mass=mass[carrying].astype(np.float64),
            home=self.home[carrying],
            account=self.accounts(name).of_unit,
            shares=shares,
            kind=kind,
            sigma=drawn.sigma,
            tau=drawn.tau,
        )

    def rule_of(self, category: dict[str, Any]) -> str:
        """Return the rule by which most of a category was placed: area where its own found no weight."""
        rows = self.ledger[self.ledger["category"] == category["name"]]
        own = int(rows.loc[~rows["reason"].str.contains("by area"), "by_rule_g"].sum())
        everything = int(rows[["by_rule_g", "by_area_g", "by_parent_g"]].to_numpy(np.int64).sum())
        return str(category["weight"]) if 2 * own >= everything else "area"

    def kinds(self) -> list[str]:
        """Return the names of the coefficients that the run's sinks have."""
        found: dict[str, None] = {}
        for category in self.categories:
            if category["sink"]:
                carrying = self.parcels.loc[self.parcels[category["name"]] > 0, "type"]
                found |= dict.fromkeys(
                    kind_of_sink(category["name"], kind) for kind in sorted(set(carrying))
                )
        return list(found)

    def regions(self) -> Iterator[NDArray[np.int64]]:
        """Yield the units of each reference region."""
        reference = self.manifest["parameters"]["reference"]
        if reference == "all":
            yield np.arange(len(self.units))
            return
        codes = self.units[reference].fillna("").astype(str)
        for code in sorted(set(codes) - {""}):
            yield np.flatnonzero(codes == code)


def kind_of_sink(category: str, kind: str) -> str:
    """Return whose coefficient a sink on a type of land has: the type's, or the category's own where none is known."""
    return kind if kind in sink_coefficients() and category != "sink/crops" else category
