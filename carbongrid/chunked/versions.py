"""Versions of what decides whether two processes can work on one result."""

from __future__ import annotations

import contextlib
import functools
import platform
from importlib import metadata

from carbongrid.errors import RunError

_COMPARED = (
    "numpy",
    "scipy",
    "numba",
    "shapely",
    "pyproj",
    "rasterio",
    "zarr",
    "dask",
    "distributed",
    "cloudpickle",
    "msgpack",
)


@functools.cache
def _found() -> tuple[tuple[str, str], ...]:
    import pyproj
    import rasterio
    import shapely

    import carbongrid

    found = {"python": platform.python_version(), "carbongrid": carbongrid.__version__}
    for name in _COMPARED:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    # The libraries in C that these bring, or find on the machine.
    found["GEOS"] = shapely.geos_version_string
    found["PROJ"] = pyproj.proj_version_str
    found["GDAL"] = rasterio.__gdal_version__
    return tuple(found.items())


def versions() -> dict[str, str]:
    """Return the versions, of this process, of what decides whether it can work with another."""
    return dict(_found())


def require_same(theirs: dict[str, str]) -> None:
    """Raise RunError unless this process has the versions of the one that sent the work."""
    mine = versions()
    differ = [
        f"{name} {mine.get(name, 'missing')}, there {theirs[name]}"
        for name in theirs
        if mine.get(name) != theirs[name]
    ]
    if differ:
        raise RunError(
            f"a worker on {platform.node()} has other versions than the process of the run: {'; '.join(differ)}. "
            "Make its environment from the same constraints.txt."
        )
