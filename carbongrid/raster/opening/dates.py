"""The time that GDAL writes into files of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

WRITTEN = "2020-01-01T00:00:00.000Z"
"""In place of now, so that the same content gives the same bytes."""


@contextmanager
def fixed_date(written: str = WRITTEN) -> Iterator[None]:
    """Have each GeoPackage that is written or changed here say that it was last changed at one time, whenever that is."""
    import pyogrio

    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": written})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})
