"""What decides a result beside its inputs: this package's own files, and the libraries that read and compute.

One list, for the keys of steps, the manifest of a run and the check of a cluster's workers.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import platform
from importlib import metadata
from pathlib import Path

from carbongrid import __version__

OWN_FILES = "carbongrid sha256"
"""Key of :func:`versions` under which the digest of the package's own files stands."""

LIBRARIES = (
    *("affine", "cloudpickle", "dask", "distributed", "geocube", "geopandas", "h5netcdf", "h5py"),
    *("jinja2", "llvmlite", "matplotlib", "msgpack", "numba", "numpy", "openpyxl", "pandas"),
    "pillow",
    *("pint", "pyarrow", "pydantic", "pyogrio", "pyproj", "rasterio", "rioxarray", "scipy"),
    *("shapely", "xarray", "xlsxwriter", "zarr"),
)

_COMPILED = "compiled"
"""Folder of kernels that some platforms' wheels have beside the same source, which gives the same bits (docs/decisions/0118)."""


@functools.cache
def _found() -> tuple[tuple[str, str], ...]:
    import pyogrio
    import pyproj
    import rasterio
    import shapely
    from pyproj.database import get_database_metadata

    found = {
        "python": platform.python_version(),
        "carbongrid": __version__,
        OWN_FILES: digest_of_folder(Path(__file__).parents[1]),
    }
    for name in LIBRARIES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    # The libraries in C that these bring, each its own, or find on the machine.
    found["GEOS"] = shapely.geos_version_string
    found["PROJ"] = pyproj.proj_version_str
    found["PROJ's EPSG"] = str(get_database_metadata("EPSG.VERSION"))
    found["GDAL for layers"] = pyogrio.__gdal_version_string__
    found["GDAL for rasters"] = rasterio.__gdal_version__
    return tuple(found.items())


def versions() -> dict[str, str]:
    """Return by name, for this process, the versions of what decides a result, and the digest of the package's own files."""
    return dict(_found())


def digest_of_folder(folder: Path) -> str:
    """Return the sha256 of the names and contents of all code and data in a folder; what Python and editors leave there is none, nor is what a platform's wheel has compiled of it.

    Parameters
    ----------
    folder
        Root of a package.
    """
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        left = (
            not {"__pycache__", _COMPILED}.isdisjoint(name.parts)
            or path.name.startswith(".")
            or path.name.endswith("~")
        )
        if left or not path.is_file():
            continue
        content = path.read_bytes()
        digest.update(f"{name.as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
