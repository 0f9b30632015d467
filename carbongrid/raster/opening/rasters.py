"""Rasters by GDAL's GeoTIFF driver, by a plain name, with nothing beside them that is no part of the input."""

from __future__ import annotations

import atexit
import math
import threading
import warnings
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from carbongrid.errors import InputError
from carbongrid.raster.opening.crs import require_no_file
from carbongrid.raster.opening.formats import GEOTIFF, files_behind, sniff_raster
from carbongrid.raster.opening.names import plain_name
from carbongrid.raster.opening.tiffs import require_whole_tiff

if TYPE_CHECKING:
    import rasterio
    import xarray as xr

_BESIDE = (".ovr", ".msk")
"""Rasters of their own: overviews and masks, which GDAL opens by whatever driver fits."""

_CACHE = 64 * 2**20
"""Bytes of unpacked blocks that GDAL keeps, of all rasters together; a twentieth of the machine's memory by default, whatever a run may take."""


_CELLS_IN_CHUNK, _BYTES_OF_BANDS = 2**22, 2**28
"""Of a band, and of all bands that lie in one block of the file: of many bands small chunks would be so many tasks that making these takes longest."""

_BANDS_DIFFER = r"(Scales|Offsets) differ across bands\."
"""What rioxarray warns of where it keeps one number a band, which is then what is applied."""


class _Cache:
    """GDAL's cache, which is the process's: small while any raster is open, and then as large as it was found."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._found = 0

    @contextmanager
    def small(self) -> Iterator[None]:
        """Keep it small; whoever is inside last restores it, in whatever order threads leave."""
        from rasterio.env import get_gdal_config, set_gdal_config

        with self._lock:
            if not self._inside:
                self._found = get_gdal_config("GDAL_CACHEMAX")
            self._inside += 1
            set_gdal_config("GDAL_CACHEMAX", _CACHE)
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                set_gdal_config("GDAL_CACHEMAX", _CACHE if self._inside else self._found)


_cache = _Cache()

_left_open: weakref.WeakSet[Any] = weakref.WeakSet()
"""Files of rasters that are read in chunks, as long as anybody may ask for one."""


@atexit.register
def _close_all() -> None:
    """Close them while the interpreter still stands: one that is let go after it is told as an error of nobody's."""
    for file in list(_left_open):
        file.close()


@contextmanager
def open_raster(path: Path) -> Iterator[rasterio.DatasetReader]:
    """Open a GeoTIFF.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    InputError
        If there is no such file, it is no GeoTIFF, it sends GDAL to other files, or its CRS is completed from a file.
    rasterio.errors.RasterioError
        If it is damaged.
    """
    import rasterio

    driver = sniff_raster(path)
    for file in files_behind(path.resolve())[1:]:
        if file.name.lower().endswith(_BESIDE):
            sniff_raster(file)
    require_whole_tiff(path)
    with (
        _cache.small(),
        # Here as well: each call of rasterio sets again what an Env around it, of the caller's, says.
        rasterio.Env(GDAL_CACHEMAX=_CACHE),
        plain_name(path, driver) as name,
        rasterio.open(name, driver=GEOTIFF) as raster,
    ):
        if raster.tags(ns="OVERVIEWS"):
            raise InputError(
                "the raster names another file as its overviews",
                path.name,
                "Write it again with gdal_translate.",
            )
        if raster.subdatasets:
            raise InputError(
                f"the file has {len(raster.subdatasets)} pages, expected one raster",
                path.name,
                f"Write the one that is meant to a file of its own: gdal_translate GTIFF_DIR:1:{path.name} NEW.tif",
            )
        known = {_beside(file) for file in files_behind(Path(name))}
        others = [file for file in raster.files if _beside(Path(file)) not in known]
        if others:
            raise InputError(
                f"GDAL reads {', '.join(Path(file).name for file in others)} with the raster, which is no part of the input",
                path.name,
                "Move it elsewhere, or write the raster again with gdal_translate.",
            )
        if raster.crs is not None:
            require_no_file(raster.crs.to_wkt(), path.name)
        yield raster


def open_geotiff(path: Path) -> xr.DataArray:
    """Open a GeoTIFF [y, x], or [band, y, x] where it has several bands, in chunks that are read when they are asked for.

    Values are as they are stored, with the nodata value as an attribute; scaled ones as they are meant. Where the file has a mask or is transparent
    they are floats, NaN where it hides them.

    Raises
    ------
    InputError
        As ``open_raster``, and if it is damaged.
    """
    import rasterio.errors
    import rioxarray

    try:
        with open_raster(path) as source:
            rows, columns = source.block_shapes[0]
            together = source.count if _holds_all_bands(source) else 1
            size = max(np.dtype(each).itemsize for each in source.dtypes)
            masked = has_mask(source)
            scaled = set(source.scales) != {1.0} or set(source.offsets) != {0.0}
            bands, nodata = source.count, source.nodatavals
            scales, offsets = source.scales, source.offsets
            placed_by_points = bool(source.gcps[0]) and source.transform.is_identity
    except rasterio.errors.RasterioError as error:
        hint = "Open it in QGIS, or write it again with gdal_translate."
        raise InputError(f"the raster cannot be read: {error}", str(path), hint) from error
    if placed_by_points:
        raise InputError(
            "the raster is placed by ground control points, and has no grid of its own",
            str(path),
            f"Warp it to one first: gdalwarp -t_srs EPSG:... {path.name} NEW.tif",
        )
    cells = min(_CELLS_IN_CHUNK, _BYTES_OF_BANDS // (together * size))
    wide = columns * max(math.isqrt(cells) // columns, 1)
    high = rows * max(cells // wide // rows, 1)
    with plain_name(path, GEOTIFF) as name:
        # Under a name that stays: chunks are read later.
        if Path(name) != path.resolve():
            raise InputError(
                "a raster that is read in chunks needs a name of letters, digits and a few signs",
                str(path),
                "Rename it, or its folder.",
            )
    # Beside a mask the nodata value hides nothing, and among scaled values nobody finds it again.
    by_hand = masked and scaled and set(nodata) != {None}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", _BANDS_DIFFER, UserWarning)
        opened = rioxarray.open_rasterio(
            path.resolve(),
            chunks={"band": together, "x": wide, "y": high},
            masked=masked,
            mask_and_scale=scaled and not by_hand,
        )
    raster: xr.DataArray = opened  # type: ignore[assignment]  # one subdataset of a GeoTIFF
    _left_open.add(raster.rio._manager)
    if together > 1:
        # Else Dask reads a band alone where one is taken, and each of them unpacks the block of all.
        raster = raster.copy(data=raster.data.map_blocks(_unchanged, meta=raster.data._meta))
    if by_hand:
        raster = _scaled(raster, nodata, scales, offsets)
    return raster if bands > 1 else raster.squeeze("band", drop=True)


def _unchanged(block: Any) -> Any:
    return block


def _holds_all_bands(source: rasterio.DatasetReader) -> bool:
    """Tell whether a block of an open file has all bands, cell by cell, so that whoever reads one unpacks them all."""
    from rasterio.enums import Interleaving

    return source.count > 1 and bool(source.interleaving == Interleaving.pixel)


def has_mask(source: rasterio.DatasetReader) -> bool:
    """Tell whether cells of an open file are hidden by a mask, of all bands or of one, or by transparency, not by a nodata value alone."""
    from rasterio.enums import MaskFlags

    return any(
        not {MaskFlags.all_valid, MaskFlags.nodata} & set(flags) for flags in source.mask_flag_enums
    )


def _scaled(
    stored: xr.DataArray,
    nodata: Sequence[float | None],
    scales: Sequence[float],
    offsets: Sequence[float],
) -> xr.DataArray:
    """Return stored values as they are meant, NaN where they are nodata too; all by band."""
    import xarray as xr

    def of_bands(numbers: Sequence[float | None]) -> xr.DataArray:
        return xr.DataArray([math.nan if each is None else each for each in numbers], dims="band")

    known = stored.astype("f8").where(stored != of_bands(nodata))
    meant = known * of_bands(scales) + of_bands(offsets)
    told = {"scale_factor", "add_offset", "_FillValue"}
    meant.attrs = {key: each for key, each in stored.attrs.items() if key not in told}
    return meant


def _beside(file: Path) -> tuple[Path, str]:
    return file.parent, file.name.lower()
