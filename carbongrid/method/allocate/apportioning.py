"""The exact telescoped split of integer totals (DESIGN section 3)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from carbongrid.errors import InputError, Problem
from carbongrid.raster.kernels import split as splits
from carbongrid.raster.kernels.jit import as_readonly_contiguous
from carbongrid.raster.labelled import require_unmasked

_LISTED = 10


def apportion(
    total: int | ArrayLike, weights: ArrayLike, start: ArrayLike | None = None
) -> NDArray[np.int64]:
    """Split integer totals in proportion to weights, so that the parts add up exactly.

    Parameters
    ----------
    total : int, or int64 array of shape (rows,)
        What to split, >= 0; one for each row, or one for all.
    weights : int64 or float64 array of shape (n,)
        Claims, >= 0, in canonical order (parcel or target id): the order decides where the odd grams go. Integers
        add up to at most 2^56 in a row. Floats are scaled, row by row, by the power of two that brings their exactly
        rounded sum to 2^55..2^56, and rounded half even.
    start : int64 array of shape (rows + 1,), optional
        Row r holds weights[start[r]:start[r + 1]], as in a CSR's indptr; default a single row.

    Returns
    -------
    int64 array of shape (n,)
        The parts; those of a row add up to its total with ``==``.

    Raises
    ------
    InputError
        For a negative total; negative, NaN or infinite weights; a row whose weights are all zero while its total is not
        (the rows are named); integer weights that add up to more than 2^56.

    Notes
    -----
    With S the running sum of the weights: part i = floor(T*S[i]/S[n]) - floor(T*S[i-1]/S[n]).

    Examples
    --------
    >>> cg.apportion(10, [1, 1, 1])
    array([3, 3, 4])
    """
    require_unmasked(weights, "the weights")
    require_unmasked(total, "the totals")
    claims = _claims(weights)
    offsets = _row_starts(start, claims.size)
    totals = _totals(total, offsets.size - 1)
    largest = splits.MAX_SUM
    if claims.dtype == np.float64:
        quanta, fault = splits.quantize(claims, offsets)
        _refuse(fault, totals, _NO_SUM)
        quanta = as_readonly_contiguous(quanta, np.int64)
        largest += claims.size  # each may have been rounded up
    else:
        quanta = claims
    parts, fault = splits.split(totals, quanta, offsets, largest)
    _refuse(fault, totals)
    # From Numba's cache comes a dtype that equals int64 and is another object: NumPy's ufunc.at is 30 times slower with it.
    return parts.view(np.int64)


_TOO_LARGE = "Integers may add up to 2^56; as grams that is 72 thousand million t, more than the world emits in a year: look at the unit of what they are of."
_NO_SUM = (
    "Scale the weights: it is their proportions that count, and no float is as large as their sum."
)


def _claims(weights: ArrayLike) -> NDArray[Any]:
    claims = np.asarray(weights)
    if claims.size == 0:
        claims = claims.astype(np.int64)
    if claims.ndim != 1 or claims.dtype.kind not in "biuf":
        raise InputError(
            f"weights must be one row of integers or floats, not {claims.dtype} of shape {claims.shape}"
        )
    if claims.dtype.kind == "f":
        return as_readonly_contiguous(claims, np.float64)
    if claims.dtype == np.uint64 and (claims > splits.MAX_SUM).any():
        raise InputError("integer weights add up to more than 2^56", hint="Give them as floats.")
    return as_readonly_contiguous(claims, np.int64)


def _row_starts(start: ArrayLike | None, size: int) -> NDArray[np.int64]:
    offsets = np.asarray([0, size] if start is None else start)
    good = offsets.ndim == 1 and offsets.size > 0 and offsets.dtype.kind in "iu"
    if good:
        offsets = offsets.astype(np.int64)
        good = offsets[0] == 0 and offsets[-1] == size and bool((np.diff(offsets) >= 0).all())
    if not good:
        raise InputError(f"start must rise from 0 to the number of weights ({size})")
    return as_readonly_contiguous(offsets, np.int64)


def _totals(total: int | ArrayLike, rows: int) -> NDArray[np.int64]:
    try:
        given = np.asarray(total)
        whole = given.dtype.kind in "iu" and (
            given.dtype != np.uint64 or bool((given < 2**63).all())
        )
    except OverflowError:
        whole = False
    if not whole or given.ndim > 1 or (given.ndim == 1 and given.size != rows):
        raise InputError(
            f"totals must be int64, one for all or one for each of the {rows} rows",
            hint="Give mass in whole grams, at most 2^63 - 1.",
        )
    totals = as_readonly_contiguous(np.broadcast_to(given, (rows,)), np.int64)
    negative = np.flatnonzero(totals < 0)
    if negative.size:
        row = negative[0]
        raise InputError(f"a total is negative: {totals[row]}", f"row {row}", "Mass is >= 0.")
    return totals


def _refuse(
    fault: NDArray[np.int8], totals: NDArray[np.int64], too_large: str = _TOO_LARGE
) -> None:
    """Raise for the rows that a kernel could not split; ten are listed."""
    bad = np.flatnonzero(fault)
    if not bad.size:
        return
    reason = {
        splits.ALL_ZERO: "all weights are zero, yet the total is {}",
        splits.NEGATIVE: "a weight is negative (total {})",
        splits.NOT_FINITE: "a weight is NaN or infinite (total {})",
        splits.TOO_LARGE: "the weights add up to too much (total {})",
    }
    problems = [
        Problem(
            reason[int(fault[row])].format(totals[row]),
            f"row {row}",
            too_large if fault[row] == splits.TOO_LARGE else "",
        )
        for row in bad[:_LISTED]
    ]
    if bad.size > _LISTED:
        problems.append(Problem(f"and {bad.size - _LISTED} rows more"))
    raise InputError(problems)
