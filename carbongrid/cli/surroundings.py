"""Settings of the environment that would change a run, or end it, are set aside before a library reads them."""

from __future__ import annotations

import os
from collections.abc import MutableMapping

_SET_ASIDE = ("PANDAS_", "ZARR_", "PROJ_", "MPLBACKEND", "MATPLOTLIBRC")
"""Beginnings of their names. PROJ's data are those that came with each library: others, or none, give a raster a CRS without a
place on earth, and grids that only this machine has, or the network, shift datums in a way that no manifest tells."""


def set_aside(environment: MutableMapping[str, str] = os.environ) -> list[str]:
    """Remove the settings from an environment and return their names; processes that are started later do not see them either."""
    names = sorted(name for name in environment if name.upper().startswith(_SET_ASIDE))
    for name in names:
        del environment[name]
    return names
