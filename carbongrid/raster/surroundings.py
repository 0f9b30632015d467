"""Settings of the environment that would change a run, or end it: the command line sets them aside before a library reads them, and steps that were done under some are taken over under the same."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, MutableMapping

_SET_ASIDE = (
    *("PANDAS_", "ZARR_", "PROJ_", "MPLBACKEND", "MATPLOTLIBRC", "SOURCE_DATE_EPOCH"),
    *("CPL_", "GDAL_", "GEOTIFF_", "GTIFF_", "OGR_", "OSR_", "SHAPE_ENCODING"),
    *("DASK_", "HDF5_", "NUMBA_"),
)
"""Beginnings of their names. PROJ's data are those that came with each library: others, or none, give a raster a CRS without a
place on earth, and grids that only this machine has, or the network, shift datums in a way that no manifest tells. GDAL's drivers
can be left out by name, and axes, rings and encodings be taken otherwise. HDF5 ends the process for a driver that it cannot load."""

_KEPT = (
    *("DASK_CONFIG", "DASK_DISTRIBUTED__", "DASK_ROOT_CONFIG", "DASK_TEMPORARY_DIRECTORY"),
    *("HDF5_USE_FILE_LOCKING", "NUMBA_CACHE_DIR", "NUMBA_DISABLE_JIT"),
)
"""Of these: certificates, addresses and places, and what a shared file system or a debugger needs."""

_KEPT_IF_NUMBERS = {"DASK_NUM_WORKERS": "[1-9][0-9]{0,4}", "SOURCE_DATE_EPOCH": "[0-9]{1,11}"}
"""Of these: how many threads, or what time is written, where it is a number."""


_BY_PROGRAMS = re.compile(
    r"\w+_CURL_CA_BUNDLE|PROJ_(DATA|LIB|NETWORK)|GDAL_(DATA|DRIVER_PATH)|GEOTIFF_CSV|CPL_ZIP_ENCODING|MPLBACKEND"
)
"""What conda, Jupyter and keepers of certificates set for every program; nobody has asked for it."""


def settings(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the settings that somebody has made by hand and that are not set aside, by name; none under the command line."""
    return {name: environment[name] for name in set_by_hand(_found_in(environment))}


def set_aside(environment: MutableMapping[str, str] = os.environ) -> list[str]:
    """Remove the settings from an environment and return their names; processes that are started later do not see them either."""
    names = _found_in(environment)
    for name in names:
        del environment[name]
    return names


def _found_in(environment: Mapping[str, str]) -> list[str]:
    return sorted(
        name
        for name, value in environment.items()
        if name.upper().startswith(_SET_ASIDE) and not _is_kept(name.upper(), value)
    )


def _is_kept(name: str, value: str) -> bool:
    number = _KEPT_IF_NUMBERS.get(name)
    if number is not None:
        return re.fullmatch(number, value) is not None
    return name.startswith(_KEPT)


def set_by_hand(names: list[str]) -> list[str]:
    """Return those of the names that somebody has set on purpose, who is told that they do nothing here."""
    return [name for name in names if not _BY_PROGRAMS.fullmatch(name.upper())]
