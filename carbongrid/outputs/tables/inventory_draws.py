"""Draws of the inventory's totals, kept for the probabilities of zones: what categories have in common stays common."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from carbongrid.errors import VerificationError
from carbongrid.raster.opening.stores import open_arrays

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

DRAWS_FILE = "inventory_draws.npz"


def write_draws(drawn: xr.DataArray, path: Path) -> None:
    """Write the draws of categories as multiples of their totals.

    Parameters
    ----------
    drawn
        As :func:`carbongrid.inventory.draws` returns it.
    path
        The file.
    """
    found = relative_draws(drawn)
    relative = np.stack([*found.values()], axis=1) if found else np.zeros((len(drawn), 0))
    with path.open("wb") as stream:
        np.savez(stream, category=np.array([*found], str), relative=relative)


def relative_draws(drawn: xr.DataArray) -> dict[str, NDArray[np.float64]]:
    """Return what each category's total is multiplied by, draw by draw; of those that have one.

    Parameters
    ----------
    drawn
        As for :func:`write_draws`.
    """
    totals, draws = drawn["total"].to_numpy(), drawn.to_numpy()
    return {
        str(name): draws[:, column] / totals[column]
        for column, name in enumerate(drawn["category"].to_numpy())
        if totals[column] != 0
    }


def read_draws(path: Path) -> dict[str, NDArray[np.float64]]:
    """Return what each category's total is multiplied by, draw by draw; nothing is unpickled.

    Raises
    ------
    VerificationError
        If the file is no such file.
    """
    try:
        with open_arrays(path) as arrays:
            names, relative = arrays["category"].tolist(), arrays["relative"]
            return {str(name): relative[:, column] for column, name in enumerate(names)}
    except (OSError, KeyError, ValueError, IndexError) as error:
        raise VerificationError(f"{path.name} cannot be read: {error}") from error
