"""GeoParquet by Arrow: the file itself, never a folder of files, every row of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carbongrid.raster.opening.crs import crs_of
from carbongrid.raster.opening.files import require_regular
from carbongrid.raster.opening.footers import footer_of

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as parquet


@contextmanager
def open_arrow(path: Path) -> Iterator[pa.NativeFile]:
    """Open a regular file for Arrow, whatever its name looks like.

    Raises
    ------
    OSError
        If there is none, or it is no regular file.
    """
    import pyarrow as pa

    require_regular(path)
    with pa.OSFile(str(path)) as stream:
        yield stream


@contextmanager
def open_parquet(path: Path, **options: Any) -> Iterator[parquet.ParquetFile]:
    """Open a Parquet file, its counts compared and its CRS looked at.

    Parameters
    ----------
    path
        The file.
    options
        As those of :class:`pyarrow.parquet.ParquetFile`.

    Raises
    ------
    InputError
        If its footer contradicts itself, or its CRS is completed from a file.
    OSError, pyarrow.ArrowException
        If it cannot be read.
    """
    import pyarrow.parquet as parquet

    footer_of(path)
    with open_arrow(path) as stream, parquet.ParquetFile(stream, **options) as file:
        _require_whole_crs(file.schema_arrow.metadata, path)
        yield file


def _require_whole_crs(metadata: Any, path: Path) -> None:
    told = (metadata or {}).get(b"geo")
    if not told:
        return
    columns = json.loads(told).get("columns")
    for about in columns.values() if isinstance(columns, dict) else ():
        crs = about.get("crs") if isinstance(about, dict) else None
        if crs is not None:
            crs_of(crs, path.name)
