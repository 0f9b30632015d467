"""Tables that say of what each number is, and masked ones: what is taken by place must be in place."""

from __future__ import annotations

import itertools
import numbers
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from carbongrid.errors import InputError


def require_same_order(**tables: Any) -> None:
    """Raise if tables that are taken row by row say that their rows are of something else, or in another order.

    Parameters
    ----------
    tables
        By their names. Of a Series, a DataFrame and a GeoDataFrame the index tells, of a DataArray the coordinate of its dimension; anything else tells nothing, nor
        does pandas' own index, 0 to n - 1, beside names.

    Raises
    ------
    InputError
        Naming the first two that differ.
    """
    told = [(name, own) for name, table in tables.items() if (own := _labels(table)) is not None]
    for (first, one), (name, other) in itertools.combinations(told, 2):
        if len(one) != len(other) or one.equals(other) or _says_less(one, other) or _says_less(other, one):  # fmt: skip
            continue
        pairs = enumerate(zip(one.tolist(), other.tolist(), strict=True))
        at = next((place for place, (mine, theirs) in pairs if not _same(mine, theirs)), None)
        if at is None:
            continue
        way = f"Bring them into one order, as by {name}.reindex(...), or give" if set(one) == set(other) else "Give"  # fmt: skip
        raise InputError(
            f"{first} and {name} are of other rows, or in another order: {one[at]!r} and {other[at]!r} at place {at}",
            hint=f"{way} plain arrays, as .to_numpy() makes them.",
        )


def require_order_of_labels(table: Any) -> None:
    """Raise if a table of labels 1, 2, 3 ... says that it is of others, or in another order, as what zonal sums gave and somebody sorted does.

    Any other table is taken in its order, as labels were given: of ids, and of the rows of a frame that was sorted before it was burnt.

    Raises
    ------
    InputError
        If its index or coordinate is called ``label`` and is not 1 to n.
    """
    own = _labels(table)
    if own is None or own.name != "label" or np.array_equal(own, np.arange(1, len(own) + 1)):
        return
    raise InputError(
        "the table is of labels that are not 1, 2, 3 ... in this order",
        hint="Sort it by its labels, all of them: .sort_index() of a Series, .sortby('label') of a DataArray.",
    )


def require_unmasked(values: Any, name: str) -> None:
    """Raise if some values are masked: what lies under the mask would count.

    Raises
    ------
    InputError
        With their number.
    """
    if np.ma.isMaskedArray(values) and np.ma.getmaskarray(values).any():
        masked = int(np.ma.getmaskarray(values).sum())
        raise InputError(f"{'1 value' if masked == 1 else f'{masked:,} values'} of {name} {'is' if masked == 1 else 'are'} masked", hint="Fill them first: .filled(0), or whatever they are.")  # fmt: skip


def require_real(values: Any, name: str) -> None:
    """Raise if values are times, complex numbers or text, which NumPy would make real numbers of: nanoseconds, real parts, what is read.

    Python's own numbers stay, as of fractions and of integers beyond int64, and what stands for a missing one.

    Raises
    ------
    InputError
        With their type.
    """
    dtype: Any = getattr(values, "dtype", None)
    if not hasattr(dtype, "kind"):
        values = np.asarray(values)
        dtype = values.dtype
    told = str(dtype)
    if dtype.kind == "O":
        cells = (cell for cell in np.ravel(np.asarray(values, object)) if not _is_number(cell))
        odd = next(cells, None)
        if odd is None:
            return
        told = f"{type(odd).__name__}, as {odd!r:.40}"
    elif dtype.kind in "biuf":
        return
    raise InputError(
        f"{name} must be real numbers, not {told}",
        hint="Make numbers of them first, as by .astype(float) of text, .real of complex numbers, or / np.timedelta64(1, 'D') of differences of times.",
    )


def _is_number(cell: Any) -> bool:
    """Tell whether a cell of mixed ones is a real number, or a missing one."""
    if cell is None or cell is pd.NA or cell is pd.NaT:
        return True
    return isinstance(cell, numbers.Real | Decimal | np.bool_) and not isinstance(cell, np.timedelta64)  # fmt: skip


def _labels(table: Any) -> pd.Index[Any] | None:
    if isinstance(table, xr.DataArray):
        return table.indexes.get(table.dims[0]) if table.ndim == 1 else None
    index = getattr(table, "index", None)
    return index if isinstance(index, pd.Index) else None


def _says_less(index: pd.Index[Any], other: pd.Index[Any]) -> bool:
    """Tell whether an index is pandas' own, 0 to n - 1, which beside names, and beside labels 1 to n of the same rows, says nothing."""
    if not (isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1):
        return False
    of_labels = other.name == "label" and np.array_equal(other, np.arange(1, len(other) + 1))
    return of_labels or other.dtype.kind not in "iu"


def _same(one: Any, other: Any) -> bool:
    return bool(pd.isna(one) and pd.isna(other)) or (not pd.isna(one) and not pd.isna(other) and bool(one == other))  # fmt: skip
