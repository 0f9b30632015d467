"""From parcels to units and coarse cells: exact splits by overlap (docs/decisions/0007)."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse

from carbongrid.errors import Level, Problem
from carbongrid.method.allocate.apportioning import apportion
from carbongrid.method.tonnes import readable_tonnes
from carbongrid.raster.kernels.split import MAX_SUM, share_out
from carbongrid.raster.polygons.outlines import geometries_of

if TYPE_CHECKING:
    import geopandas as gpd

MAX_OUTSIDE = 20
"""One part in this many of what a category has on parcels may lie outside every unit."""


def split_to_targets(mass: NDArray[np.int64], overlap: Any) -> Any:
    """Split each parcel's mass over its targets in proportion to the overlap.

    Parameters
    ----------
    mass : int64, shape (parcels,)
        Grams.
    overlap
        CSR [parcel, target] of counts (int64) or areas (float64), what is outside as the last column.

    Returns
    -------
    CSR int64 [parcel, target]
        Grams; each row adds up to the parcel's mass with ``==``.

    Raises
    ------
    InputError
        If a parcel with mass has no target; its row is named.
    """
    if not overlap.has_canonical_format:
        overlap = overlap.copy()
        overlap.sum_duplicates()
    parts = apportion(mass, overlap.data, overlap.indptr)
    return sparse.csr_array((parts, overlap.indices, overlap.indptr), shape=overlap.shape)


def unit_totals(parts: Any) -> NDArray[np.int64]:
    """Return the grams of each target, shape (targets,): the columns of a split added up."""
    totals = np.zeros(parts.shape[1], np.int64)
    np.add.at(totals, parts.indices, parts.data)
    return totals


def totals_by_group(parts: Any, groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how much of each target's grams is of each group, as where sectors share the mass of a parcel.

    Parameters
    ----------
    parts
        CSR int64 [parcel, target], as :func:`split_to_targets` gives it.
    groups : int64, shape (groups, parcels)
        Grams; those of a parcel add up to its parts.

    Returns
    -------
    int64, shape (groups, targets)
        Adds up to :func:`unit_totals` over groups, and over targets to what each group has, both with ``==``.

    Notes
    -----
    Target by target, a parcel's part is apportioned to what its groups have left. So both sums are exact and no part is below
    0, which splits of each group by itself, or of running sums of groups, do not give.
    """
    totals = np.zeros((len(groups), parts.shape[1]), np.int64)
    by_parcel = np.ascontiguousarray(groups.T)
    share_out(
        parts.data, parts.indices.astype(np.int64), parts.indptr.astype(np.int64), by_parcel, totals
    )
    return totals


def move_outside(
    overlap: Any,
    water: NDArray[np.bool_],
    parcels: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    rule: str | Mapping[str, int],
) -> Any:
    """Give what water has outside every unit to units (D22).

    Parameters
    ----------
    overlap
        CSR [parcel, unit + 1], what is outside as the last column.
    water : bool, shape (parcels,)
        Parcels that the rule is for.
    parcels, units
        In id order, in one CRS; units with a column id.
    rule
        ``nearest``: to the unit nearest to the parcel, of equally near ones the first; or shares by
        unit id, int64 millionths.

    Returns
    -------
    CSR [parcel, unit + 1]
        Of the same type. With shares a row is multiplied by their sum, so that integers stay exact; a row
        too large for that, whose integers are quanta of a raster above 2^36, has its outside apportioned instead.
    """
    outside = np.asarray(overlap[:, [-1]].todense()).ravel()
    rows = np.flatnonzero(water & (outside > 0))
    if rows.size == 0 or len(units) == 0:
        return overlap
    if isinstance(rule, str):
        tree = shapely.STRtree(units.geometry.to_numpy())
        row, unit = tree.query_nearest(geometries_of(parcels, rows), all_matches=True)
        first = np.full(rows.size, len(units), np.int64)
        np.minimum.at(first, row, unit)
        taker, share = first[:, None], np.ones(1, np.int64)
    else:
        position = {str(code): row for row, code in enumerate(units["id"])}
        divisor = math.gcd(*rule.values())
        given = sorted((position[code], value // divisor) for code, value in rule.items() if value)
        columns, shares = zip(*given, strict=True)
        taker, share = np.tile(np.array(columns), (rows.size, 1)), np.array(shares, np.int64)
    moved = (outside[rows, None] * share).astype(overlap.dtype)
    factor = np.ones(len(outside), overlap.dtype)
    factor[rows] = share.sum()
    if overlap.dtype.kind == "i":
        large = np.asarray(overlap.sum(axis=1)).ravel()[rows] > MAX_SUM // share.sum()
        factor[rows[large]] = 1
        moved[large] = _apportioned(outside[rows[large]], share)
    keep = sparse.csr_array(overlap, copy=True)
    last = keep.shape[1] - 1
    owner = np.repeat(np.arange(keep.shape[0]), np.diff(keep.indptr))
    keep.data *= factor[owner]
    keep.data[np.isin(owner, rows) & (keep.indices == last)] = 0
    at = (np.repeat(rows, share.size), taker.ravel())
    result = sparse.csr_array(keep + sparse.csr_array((moved.ravel(), at), shape=keep.shape))
    result.eliminate_zeros()
    result.sort_indices()
    return result


def outside_problems(
    fates: Iterable[tuple[str, int, int]],
    allowed: Collection[str] = (),
    sinks: Collection[str] = (),
) -> list[Problem]:
    """Return an error for each category of which more than 5 % lies outside every unit, a warning where the case allows it.

    Parameters
    ----------
    fates
        Name, grams on parcels and grams outside of each category, water shared out already.
    allowed
        Categories that the case allows by name.
    sinks
        Those that are sinks: of what is allowed of them, as of a lake, a note is enough.
    """
    problems = []
    for name, placed, outside in fates:
        if outside * MAX_OUTSIDE <= placed:
            continue
        part, whole = readable_tonnes(outside), readable_tonnes(placed)
        what = f"{part} of {name}'s {whole} t on parcels lie outside every unit, more than {100 / MAX_OUTSIDE:g} %"
        if name in allowed:
            level: Level = "note" if name in sinks else "warning"
            problems.append(Problem(what, "ledger", "The case lets it pass: [allow] outside.", level))  # fmt: skip
            continue
        hint = "Check that the units cover the land: parts that are missing, their CRS; of water there is [units] water. "
        problems.append(Problem(what, "ledger", f'{hint}Or allow it: [allow] outside = ["{name}"].'))  # fmt: skip
    return problems


def _apportioned(amounts: NDArray[np.int64], share: NDArray[np.int64]) -> NDArray[np.int64]:
    """Split each amount by the same shares, shape (amounts, shares)."""
    start = np.arange(amounts.size + 1) * share.size
    return apportion(amounts, np.tile(share, amounts.size), start).reshape(-1, share.size)
