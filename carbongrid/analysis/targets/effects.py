"""What actions do to units, per tonne and parcel: the coefficients of a joint plan's linear program."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from carbongrid.pipeline.live import LiveResult


@dataclass(frozen=True, eq=False)
class Effects:
    """Grams of an answer on parcels, and in which units they count.

    Parameters
    ----------
    answer
        A run, or an answer of it.
    """

    answer: LiveResult
    _grams: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    _parts: dict[str, Any] = field(default_factory=dict)

    @property
    def unit_of_parcel(self) -> NDArray[np.int64]:
        """Row of the unit that holds a parcel's representative point, by which plans select; -1 for none."""
        return self.answer.prepared.land.unit_of_parcel

    def grams(self, name: str) -> NDArray[np.int64]:
        """Return grams of a category on each parcel."""
        if name not in self._grams:
            grams = np.zeros(len(self.answer.prepared.parcels), np.int64)
            self.answer.masses([name])[0].add_to(grams)
            self._grams[name] = grams
        return self._grams[name]

    def parts(self, name: str) -> Any:
        """Return which part of a category on a parcel counts in which unit: CSR [parcel, unit], rows at most 1."""
        return self._parts_by(self.answer.inputs.categories[name].structure)

    def area_parts(self) -> Any:
        """Return which part of a parcel lies in which unit, as the run shares it out: CSR [parcel, unit], rows at most 1."""
        return self._parts_by("")

    def _parts_by(self, path: str) -> Any:
        if path not in self._parts:
            shares = self.answer.prepared.shares
            counts = sparse.csr_array(shares.rasters[path][0] if path else shares.units)
            whole = np.asarray(counts.sum(axis=1), np.float64).ravel()
            scaled = sparse.diags_array(1 / np.where(whole, whole, 1), format="csr") @ counts
            self._parts[path] = scaled[:, :-1]
        return self._parts[path]

    def can_be_cut(self) -> tuple[list[str], list[str]]:
        """Return the categories that emit and whose land can be scaled by itself, and those of which some lies on land of the parent type."""
        emit = [name for name, each in self.answer.inputs.categories.items() if not each.sink]
        fallen = {row.category for row in self.answer.ledger_rows if row.by_parent or row.unallocated}  # fmt: skip
        return [name for name in emit if name not in fallen], [name for name in emit if name in fallen]  # fmt: skip

    def of_cut(self, names: Sequence[str], unit: int) -> tuple[int, NDArray[np.float64]]:
        """Return what some categories emit on a unit's parcels, and how much of that counts in each unit, grams.

        Parameters
        ----------
        names
            Categories.
        unit
            Row of the unit.
        """
        rows = np.flatnonzero(self.unit_of_parcel == unit)
        whole, there = 0, np.zeros(len(self.answer.prepared.units))
        for name in names:
            grams = self.grams(name)[rows]
            whole += int(grams.sum())
            there += grams.astype(np.float64) @ self.parts(name)[rows]
        return whole, there

    def of_change(self, changes: dict[str, NDArray[np.int64]], rows: NDArray[np.int64]) -> tuple[Any, Any]:  # fmt: skip
        """Return what changes of categories on parcels add to emission and sink of units, CSR [unit, parcel of rows], grams."""
        shape = (len(self.answer.prepared.units), len(rows))
        emission, sink = sparse.csr_array(shape), sparse.csr_array(shape)
        for name, change in changes.items():
            if not change.any():
                continue
            added = (sparse.diags_array(change.astype(np.float64), format="csr") @ self.parts(name)[rows]).T.tocsr()  # fmt: skip
            if self.answer.inputs.categories[name].sink:
                sink = sink + added
            else:
                emission = emission + added
        return emission, sink
