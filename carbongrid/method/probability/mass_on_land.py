"""What a run has on its land, as draws need it: masses of parcels, the units that they lie in, totals, facilities."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from carbongrid.method.spread_draws import Carriers
from carbongrid.method.weights import sink_coefficients

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from carbongrid.method.categories import Category
    from carbongrid.method.ledger import LedgerRow
    from carbongrid.method.parcel_mass import ParcelMass
    from carbongrid.method.probability.uncertainty import Uncertainty


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


@dataclass(frozen=True)
class NamedEmitters:
    """Facilities of a category that lie on parcels.

    Parameters
    ----------
    names
        Theirs.
    parcel : int64, shape (facilities,)
        Rows of their parcels.
    home : int64, shape (facilities,)
        Units off whose totals they come: that which holds the point, and of a point in no unit that of its parcel; the number of units for none.
    grams : int64, shape (facilities, units + 1)
        Their mass in each unit, the last column what lies outside every unit.
    """

    names: tuple[str, ...]
    parcel: NDArray[np.int64]
    home: NDArray[np.int64]
    grams: NDArray[np.int64]


def homes_of_points(
    units: Iterable[str], of_parcels: NDArray[np.int64], position: Mapping[str, int]
) -> NDArray[np.int64]:
    """Return :class:`NamedEmitters`' ``home``.

    Parameters
    ----------
    units
        Ids of the units that hold their points; blank for none.
    of_parcels : int64, shape (facilities,)
        Units of their parcels.
    position
        Rows of the units by id.
    """
    pairs = zip(units, of_parcels.tolist(), strict=True)
    return np.array([position[unit] if unit else home for unit, home in pairs], np.int64)


@dataclass(frozen=True)
class MassOnLand:
    """What a run has on its land.

    Parameters
    ----------
    units
        id, the parents, zone (int), gdp, gdp_low, gdp_high (Int64), and grams (int64): emission_g, sink_g and a column for each category, by its name.
    categories
        In the order of the run.
    mass
        Gives the grams of a category on the parcels, when it is asked for.
    types : shape (parcels,)
        Territorial type of each parcel.
    home : int64, shape (parcels,)
        Unit that holds its representative point, the number of units for none.
    shares
        CSR [parcel, unit + 1] of what parcels have in common with units, water outside every unit given away.
    by_raster
        The same by the weight rasters that mass follows inside a parcel, by path.
    ledger
        Rows by category.
    regions_of
        Returns for codes of regions the position of each unit's own, -1 for none.
    facilities
        By category; without those that lie on no parcel.
    inventory
        What categories' totals are multiplied by in the inventory's own draws; empty where totals were given.
    reference, ties
        As for :func:`carbongrid.method.zoning.zone_units`.
    gdp_by
        ``unit``, the parent column that GDP is known by, or None without GDP.
    """

    units: pd.DataFrame
    categories: tuple[Category, ...]
    mass: Callable[[str], ParcelMass]
    types: NDArray[Any]
    home: NDArray[np.int64]
    shares: Any
    by_raster: Mapping[str, Any]
    ledger: Mapping[str, Sequence[LedgerRow]]
    regions_of: Callable[[Sequence[str]], NDArray[np.int64]]
    facilities: Mapping[str, NamedEmitters]
    inventory: Mapping[str, NDArray[np.float64]]
    reference: str
    ties: str
    gdp_by: str | None

    def accounts(self, category: str) -> Accounts:
        """Return the totals of a category and whose each unit's parcels are."""
        rows = self.ledger[category]
        regions = tuple(row.region for row in rows)
        placed = np.array([row.total - row.unallocated for row in rows], np.int64)
        codes = [code for code in regions if code]
        found = np.append(self.regions_of(codes), -1)
        position = np.array([*(regions.index(code) for code in codes), -1], np.int64)
        whole = regions.index("") if "" in regions else len(regions)
        of_unit = np.where(found >= 0, position[found], whole)
        return Accounts(regions, of_unit, np.append(placed, 0) if whole == len(regions) else placed)

    def named(self, category: str) -> NamedEmitters:
        """Return the facilities of a category; none where it has none."""
        none, grams = np.zeros(0, np.int64), np.zeros((0, len(self.units) + 1), np.int64)
        return self.facilities.get(category, NamedEmitters((), none, none, grams))

    def carriers(self, category: Category, uncertainty: Uncertainty, kinds: list[str]) -> Carriers:
        """Return what is spread of a category by claims, facilities taken off.

        Parameters
        ----------
        category
            Which.
        uncertainty
            Whose sigma and tau are taken.
        kinds
            Names of the coefficients of sinks.
        """
        spread, named = self.mass(category.name), self.named(category.name)
        mass = np.zeros(self.home.size, np.int64)
        spread.add_to(mass)
        np.subtract.at(mass, named.parcel, named.grams.sum(axis=1))
        carrying = np.flatnonzero(mass > 0)
        carrying = carrying[np.argsort(self.home[carrying], kind="stable")]
        path = category.structure
        overlap = self.by_raster[path] if path else self.shares
        shares = sparse.csr_array(overlap)[carrying].astype(np.float64)
        shares.data /= np.repeat(np.asarray(shares.sum(axis=1)).ravel(), np.diff(shares.indptr))
        kind = np.zeros(0, np.int64)
        if category.sink:
            types, kind = np.unique(self.types[carrying].astype(str), return_inverse=True)
            known = {each: row for row, each in enumerate(kinds)}
            of_types = [known[kind_of_sink(category.name, each)] for each in types.tolist()]
            kind = np.array(of_types, np.int64)[kind]
        drawn = uncertainty.of("weights", category.name, self.rule_of(category))
        return Carriers(
            mass=mass[carrying].astype(np.float64),
            home=self.home[carrying],
            account=self.accounts(category.name).of_unit,
            shares=shares,
            kind=kind,
            sigma=drawn.sigma,
            tau=drawn.tau,
        )

    def rule_of(self, category: Category) -> str:
        """Return the rule by which most of a category was placed: area where its own found no weight."""
        return rule_placed_by(category, self.ledger[category.name])

    def kinds(self) -> list[str]:
        """Return the names of the coefficients that the run's sinks have."""
        found: dict[str, None] = {}
        for category in self.categories:
            if category.sink:
                carrying = np.unique(self.types[self.mass(category.name).rows].astype(str))
                found |= dict.fromkeys(
                    kind_of_sink(category.name, kind) for kind in carrying.tolist()
                )
        return list(found)

    def regions(self) -> Iterator[NDArray[np.int64]]:
        """Yield the units of each reference region."""
        if self.reference == "all":
            yield np.arange(len(self.units))
            return
        codes = self.units[self.reference].fillna("").astype(str)
        for code in sorted(set(codes) - {""}):
            yield np.flatnonzero(codes == code)


def kind_of_sink(category: str, kind: str) -> str:
    """Return whose coefficient a sink on a type of land has: the type's, or the category's own where none is known."""
    return kind if kind in sink_coefficients() and category != "sink/crops" else category


def rule_placed_by(category: Category, ledger: Iterable[LedgerRow]) -> str:
    """Return the rule by which most of a category was placed by its rows of the ledger: area where its own found no weight."""
    rows = list(ledger)
    own = sum(row.by_rule for row in rows if "by area" not in row.reason)
    everything = sum(row.by_rule + row.by_area + row.by_parent for row in rows)
    return category.weight if 2 * own >= everything else "area"
