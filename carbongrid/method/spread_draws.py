"""One category drawn many times: how much of it each unit gets if the parcels' claims are other than their weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from carbongrid.method.draws import Stream

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Carriers:
    """The parcels that carry a category by their claims, in the order of their unit, then their id.

    Parameters
    ----------
    mass : float64, shape (carriers,)
        What each has by its claim, g.
    home : int64, shape (carriers,)
        Unit that holds its representative point, rising; the number of units for none.
    account : int64, shape (units + 1,)
        For each unit, and for none of them, the total that its parcels share: a region's or the rest of the whole.
    shares
        CSR [carrier, unit + 1]: shares of its mass, rows add up to 1, the last column what lies outside every unit.
    kind : int64, shape (carriers,)
        Whose coefficient it has, a row of the factors by kind; empty where it has none.
    sigma, tau
        Standard deviations of the logarithm of a parcel's claim, and of the factor that all parcels of a unit share.
    """

    mass: NDArray[np.float64]
    home: NDArray[np.int64]
    account: NDArray[np.int64]
    shares: Any
    kind: NDArray[np.int64]
    sigma: float
    tau: float

    def __post_init__(self) -> None:
        if (np.diff(self.home) < 0).any():
            raise ValueError("carriers are not in the order of their units")


class Claimed(NamedTuple):
    """What parcels claim, a row for each draw: of one unit alone, on borders, the former added up by unit, the factor of each unit, and what each account's claims are multiplied by to keep its mass."""

    own: NDArray[np.float64]
    cross: NDArray[np.float64]
    homes: NDArray[np.float64]
    of_unit: NDArray[np.float64]
    scale: NDArray[np.float64]


class CategoryDraws:
    """A category's masses in the units, draw by draw.

    Parameters
    ----------
    name
        Of the category; its streams are named so.
    carriers
        What is spread by claims.
    units
        How many there are.
    seed
        Of the streams.

    Notes
    -----
    A parcel's claim is times exp(sigma*z - sigma^2/2), times the same for its unit with tau. What a claim is multiplied by on all parcels falls out
    when claims are divided by their sum, so the constants are left out. A parcel in one unit alone is added up before the unit's
    factor, which then costs nothing; only parcels on borders are split one by one.
    """

    def __init__(self, name: str, carriers: Carriers, units: int, seed: int) -> None:
        self.carriers, self.units = carriers, units
        self._of_parcel = Stream(seed, "weights", name)
        self._of_unit = Stream(seed, "weights by unit", name)
        shares = sparse.csr_array(carriers.shares)
        first = shares.indices[np.minimum(shares.indptr[:-1], max(shares.nnz - 1, 0))]
        alone = (np.diff(shares.indptr) == 1) & (first == carriers.home)
        self._alone = np.where(alone, carriers.mass, 0.0)
        self._crossing = np.flatnonzero(~alone)
        self._cross_shares = sparse.csr_array(shares[self._crossing]).T.tocsr()
        self._cross_mass = carriers.mass[self._crossing]
        self._cross_home = carriers.home[self._crossing]
        self._cross_account = carriers.account[self._cross_home]
        self._homes, self._starts = np.unique(carriers.home, return_index=True)
        self._accounts = int(carriers.account.max(initial=-1)) + 1
        self._totals = self._by_account(carriers.account[carriers.home], carriers.mass[None])

    def as_it_is(self, draws: int = 1) -> Claimed:
        """Return the claims as the run has them, so many times."""
        ones = np.ones((draws, self.units + 1))
        own, cross = (np.repeat(each[None], draws, axis=0) for each in (self._alone, self._cross_mass))  # fmt: skip
        homes = np.repeat(self._by_home(self._alone[None]), draws, axis=0)
        return Claimed(own, cross, homes, ones, np.ones((draws, self._totals.size)))

    def drawn(self, draws: range) -> Claimed:
        """Return the claims of some draws, scaled so that each account keeps its mass."""
        own, cross = self._alone[None], self._cross_mass[None]
        sigma, tau = self.carriers.sigma, self.carriers.tau
        if not (sigma or tau):
            return self.as_it_is(len(draws))
        if sigma:
            # In float64: exp of float32 differs in the seventh digit between processors.
            factor = self._of_parcel.normal(draws, self._alone.size).astype(np.float64)
            factor *= sigma
            np.exp(factor, out=factor)
            own, cross = own * factor, cross * factor[:, self._crossing]
        of_unit = self._unit_factors(draws) if tau else np.ones((len(draws), self.units + 1))
        cross = cross * of_unit[:, self._cross_home]
        homes = self._by_home(own)
        sums = self._by_account(self.carriers.account, homes * of_unit)
        sums += self._by_account(self._cross_account, cross)
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = np.where(sums > 0, self._totals / sums, 0.0)
        return Claimed(own, cross, homes, of_unit, scale)

    def masses(
        self,
        claimed: Claimed,
        kinds: NDArray[np.float64] | None = None,
        accounts: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        """Return the mass of each unit, and outside, g, shape (draws, units + 1).

        Parameters
        ----------
        claimed
            Claims of draws, or as they are.
        kinds : shape (draws, kinds)
            What the mass of parcels of each kind is multiplied by, after the split.
        accounts : shape (draws, accounts)
            What each account's mass is multiplied by.
        """
        cross, homes = claimed.cross, claimed.homes
        scale = claimed.scale if accounts is None else claimed.scale * accounts
        if kinds is not None and self.carriers.kind.size:
            homes = self._by_home(claimed.own * kinds[:, self.carriers.kind])
            cross = cross * kinds[:, self.carriers.kind[self._crossing]]
        found: NDArray[np.float64] = homes * claimed.of_unit
        found *= scale[:, self.carriers.account]
        if cross.size:
            found += (self._cross_shares @ (cross * scale[:, self._cross_account]).T).T
        return found

    def _unit_factors(self, draws: range) -> NDArray[np.float64]:
        z = self._of_unit.normal(draws, self.units + 1).astype(np.float64)
        return np.exp(self.carriers.tau * z)

    def _by_home(self, mass: NDArray[np.float64]) -> NDArray[np.float64]:
        sums = np.zeros((len(mass), self.units + 1))
        if self._homes.size:
            sums[:, self._homes] = np.add.reduceat(mass, self._starts, axis=1)
        return sums

    def _by_account(
        self, account: NDArray[np.int64], mass: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Add up columns by account; row after row, so that a draw has the same bits whatever is drawn beside it."""
        rows = [np.bincount(account, each, self._accounts) for each in mass]
        return np.array(rows, np.float64).reshape(len(mass), self._accounts)
