"""The time that GDAL writes into files of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

WRITTEN = "2020-01-01T00:00:00.000Z"
"""In place of now, so that the same content gives the same bytes."""
_ONE_AT_A_TIME = RLock()
"""GDAL has one such time in a process: two threads that overlapped would leave it to whoever writes next."""


@contextmanager
def fixed_date(written: str = WRITTEN) -> Iterator[None]:
    """Have each GeoPackage that is written or changed here say that it was last changed at one time, whenever that is."""
    import pyogrio

    with _ONE_AT_A_TIME:
        before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": written})
        try:
            yield
        finally:
            pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})
