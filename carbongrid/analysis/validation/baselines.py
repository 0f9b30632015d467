"""What a run is held against beside a published table: placed by one total, and published values with the run's totals."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from carbongrid.pipeline.opening import open_same_run
from carbongrid.pipeline.prepared import PreparedRun

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from carbongrid.method.categories import Category
    from carbongrid.method.probability.mass_on_land import MassOnLand
    from carbongrid.pipeline.run_carriers import RunCarriers


class OneTotal:
    """A run's categories as one whole total of each would place them, by the same weights, without those of regions.

    Parameters
    ----------
    run
        The run.
    """

    def __init__(self, run: RunCarriers) -> None:
        self.run = run

    @cached_property
    def _prepared(self) -> PreparedRun:
        return PreparedRun(open_same_run(self.run.directory, self.run.manifest))

    def masses(self, category: Category) -> NDArray[np.float64] | None:
        """Return the grams of a category in each unit, shape (units,); None where the run has no totals of its regions.

        Facilities stay where they are. Where no parcel has a weight nothing can be said, and that is None as well.
        """
        on_land = self.run.on_land
        if len(on_land.accounts(category.name).regions) < 2:
            return None
        weight = self._prepared.claims([category.name])[category.name].opened().weight
        claims = weight.astype(np.float64)
        if not claims.any():
            return None
        named = on_land.named(category.name).grams
        left = float(on_land.accounts(category.name).grams.sum() - named.sum())
        path = category.structure
        overlap = on_land.by_raster[path] if path else on_land.shares
        shares = sparse.csr_array(overlap).astype(np.float64)
        shares.data /= np.repeat(np.asarray(shares.sum(axis=1)).ravel(), np.diff(shares.indptr))
        spread = left * ((claims / claims.sum()) @ shares)[:-1]
        found: NDArray[np.float64] = spread + named.sum(axis=0)[:-1]
        return found


def raked(
    run: MassOnLand, categories: Collection[str], theirs: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return published values scaled to the run's totals: what a run would have that places them as published.

    Parameters
    ----------
    run
        What it has on its land.
    categories
        Those that the values are the sum of.
    theirs : shape (units,)
        Published values of a quantity.

    Returns
    -------
    float64 array of shape (units,)
        In grams; units of one region of the run's totals add up to what the run has there. Where nothing is published of a region its units have
        what the run has.
    """
    ours = run.units[list(categories)].sum(axis=1).to_numpy(np.float64)
    regions = _regions_of(run, sorted(categories))
    sums = [np.bincount(regions, values, regions.max(initial=0) + 1) for values in (ours, theirs)]
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(sums[1] > 0, sums[0] / sums[1], np.nan)[regions]
    return np.where(np.isnan(factor), ours, theirs * factor)


def _regions_of(run: MassOnLand, categories: Sequence[str]) -> NDArray[np.int64]:
    """Return the number of each unit's set of totals: units with the same totals of all categories share one."""
    accounts = np.stack([run.accounts(name).of_unit[:-1] for name in categories], axis=1)
    _, number = np.unique(accounts, axis=0, return_inverse=True)
    return number.ravel().astype(np.int64)
