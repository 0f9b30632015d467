"""The three carbon balance indices of each unit: equations (8), (9) and (10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from carbongrid.errors import InputError
from carbongrid.raster.labelled import require_real, require_same_order, require_unmasked

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LONG_NAMES = {
    "ccr": "carbon compensation rate: sink over emission",
    "ecc": "economic contributive coefficient: share of GDP over share of emission",
    "esc": "ecological support coefficient: share of sink over share of emission",
}


def indices(
    emission: ArrayLike | xr.DataArray,
    sink: ArrayLike | xr.DataArray,
    gdp: ArrayLike | xr.DataArray,
) -> xr.Dataset:
    """Return CCR, ECC and ESC of the units of one reference region.

    Parameters
    ----------
    emission
        Gross emission C_i, shape (units,), g yr-1 or any unit of mass.
    sink
        Sink CA_i, >= 0, shape (units,), in the unit of ``emission``.
    gdp
        GDP G_i, >= 0, shape (units,), in any one currency; NaN (or NA, or masked) is unknown, 0 is 0.

    Returns
    -------
    xarray.Dataset
        Variables ``ccr``, ``ecc`` and ``esc``, float64, dimensionless, with the dimension and
        coordinates of ``emission`` if it has any, else with the dimension ``unit``.

    Raises
    ------
    InputError
        If the three are not one-dimensional and equally long, say that they are of other units or in another order, or hold a value that is negative or
        infinite, or if an emission or a sink is NaN.

    Notes
    -----
    Equations (8), (9) and (10); C, CA and G without an index are sums over the units given::

        CCR_i = CA_i / C_i                      (8)
        ECC_i = (G_i / G) / (C_i / C)           (9)
        ESC_i = (CA_i / CA) / (C_i / C)         (10)

    A unit of unknown GDP has no ECC (NaN), and for the ECC of the others its C_i leaves C as its
    G_i leaves G. Where C_i = 0 an index is inf, or NaN if its numerator is 0 too; where G = 0
    (CA = 0) every ECC (ESC) is NaN, and where C = 0 both are. Zones are not decided by these quotients but by exact
    products: see :func:`carbongrid.classify`.

    References
    ----------
    The 2023 study of Suzhou whose method this package computes numbers the equations so. What it leaves open, as what C, CA and G are summed over, is decided in docs/decisions/README.md, D1 to D5.

    Examples
    --------
    >>> found = cg.indices([60, 40], [6, 2], [30, 30])
    >>> found["ecc"].round(3).values.tolist(), found["esc"].round(3).values.tolist()
    ([0.833, 1.25], [1.25, 0.625])
    """
    require_same_order(emission=emission, sink=sink, gdp=gdp)
    C_i = _checked(emission, "emission")
    CA_i = _checked(sink, "sink")
    G_i = _checked(gdp, "gdp")
    if not C_i.size == CA_i.size == G_i.size:
        raise InputError(
            f"emission, sink and gdp must be equally long, not {C_i.size}, {CA_i.size}, {G_i.size}"
        )
    known = ~np.isnan(G_i)
    C, CA = C_i.sum(), CA_i.sum()
    C_known, G = C_i[known].sum(), G_i[known].sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        ccr = CA_i / C_i
        ecc = (G_i / G) / (C_i / C_known)
        esc = (CA_i / CA) / (C_i / C)
    return _dataset({"ccr": ccr, "ecc": ecc, "esc": esc}, emission)


def _checked(values: Any, name: str) -> NDArray[np.float64]:
    """Cast to float64 once, at the door."""
    require_real(values, name)
    if name == "gdp" and np.ma.isMaskedArray(values):
        values = np.ma.filled(values.astype(np.float64), np.nan)
    require_unmasked(values, name)
    floats = np.asarray(values, dtype=np.float64)
    if floats.ndim != 1:
        raise InputError(f"{name} must have one dimension, the units, not shape {floats.shape}")
    wrong = (floats < 0) | np.isinf(floats)
    if name != "gdp":
        wrong |= np.isnan(floats)
    if wrong.any():
        first = int(np.argmax(wrong))
        raise InputError(f"{name} must be finite and >= 0, not {floats[first]}", f"unit {first}")
    return floats


def _dataset(values: dict[str, NDArray[np.float64]], like: Any) -> xr.Dataset:
    dimension, coordinates = "unit", None
    if isinstance(like, xr.DataArray):
        dimension, coordinates = str(like.dims[0]), like.coords
    variables = {
        name: (dimension, floats, {"units": "1", "long_name": LONG_NAMES[name]})
        for name, floats in values.items()
    }
    return xr.Dataset(variables, coords=coordinates)
