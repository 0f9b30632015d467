"""The CRS that a raster states, the variable that holds it, and the geotransform beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import xarray as xr
from pyproj import CRS
from pyproj.exceptions import CRSError

from carbongrid.errors import InputError
from carbongrid.raster.crs_units import crs_name, crs_text
from carbongrid.raster.opening.crs import crs_of, same_crs

USUAL_MAPPINGS = ("spatial_ref", "crs")
"""Usual names of the variable that holds a CRS."""

_SAYS_A_CRS = {"crs_wkt", "spatial_ref", "grid_mapping_name"}
"""Attributes of a variable that holds one."""


def stated_crs(raster: Any) -> str | None:
    """Return the CRS that a raster states, as text; None if it states none."""
    if not isinstance(raster, xr.DataArray):
        return None
    attributes = _grid_mapping(raster)
    text = attributes.get("crs_wkt") or attributes.get("spatial_ref")
    try:
        if text:
            return crs_text(text)
        if "grid_mapping_name" in attributes:
            return crs_text(CRS.from_cf(dict(attributes)))
    except (CRSError, KeyError) as error:
        what = f"the raster's CRS cannot be read: {' '.join(str(error).split())[:200]}"
        raise InputError(what, hint="Write it as crs_wkt, for example with rioxarray's write_crs.") from error  # fmt: skip
    # rioxarray keeps what was set with set_crs beside the array; where it is not imported, nobody has set anything.
    beside = getattr(getattr(raster, "rio", None), "crs", None)
    return None if beside is None else crs_text(beside)


def require_one_crs(a: Any, b: Any) -> None:
    """Raise if two rasters state different CRS.

    Raises
    ------
    InputError
        If so.
    """
    first, second = stated_crs(a), stated_crs(b)
    if first is None or second is None or first == second:
        return
    if not same_crs(crs_of(first), crs_of(second)):
        raise InputError(
            f"the rasters are in {crs_name(first)} and {crs_name(second)}",
            hint="Reproject one first, for example with rioxarray's reproject_match.",
        )


def require_same_crs_as(raster: Any, crs: str) -> None:
    """Raise if a raster states another CRS than this one.

    Raises
    ------
    InputError
        If so.
    """
    own = stated_crs(raster)
    if own is not None and own != crs and not same_crs(crs_of(own), crs_of(crs)):
        raise InputError(
            f"the raster is in {crs_name(own)}, the grid in {crs_name(crs)}",
            hint="Reproject one first, for example with rioxarray's reproject_match.",
        )


def grid_mapping(raster: xr.DataArray) -> Any:
    """Return the name of the variable that holds the CRS, if the raster tells; of several, each with its coordinates, that of the raster's own."""
    return next(_told_mappings(raster), None)


def mapping_of(raster: Any) -> str | None:
    """Return the name of the coordinate that holds a raster's CRS: the one that it names, else a usual one, else the only one that says a CRS; None where it has none."""
    if not isinstance(raster, xr.DataArray):
        return None
    for name in (*_told_mappings(raster), *USUAL_MAPPINGS):
        if isinstance(name, str) and name in raster.coords:
            return name
    # In arithmetic xarray keeps coordinates, and no encoding that names one.
    others = [str(name) for name, each in raster.coords.items() if not each.ndim and _SAYS_A_CRS & each.attrs.keys()]  # fmt: skip
    return others[0] if len(others) == 1 else None


def with_mapping_of(result: xr.DataArray, raster: Any) -> None:
    """Let a result name the coordinate that holds the CRS of the raster that it was made of."""
    mapping = mapping_of(raster)
    if mapping in result.coords:
        result.encoding["grid_mapping"] = mapping


def _told_mappings(raster: xr.DataArray) -> Iterator[Any]:
    """Yield the names that a raster tells, as it was read and as it was set."""
    for about in (raster.encoding, raster.attrs):
        if "grid_mapping" in about:
            yield _own_mapping(about["grid_mapping"], raster)


def _own_mapping(told: Any, raster: xr.DataArray) -> Any:
    if not isinstance(told, str) or ":" not in told:
        return told
    # The extended form of CF: "osgb: x y wgs84: lat lon".
    axes: dict[str, list[str]] = {}
    name = ""
    for word in told.replace(":", ": ").split():
        if word.endswith(":"):
            name = word[:-1]
        axes.setdefault(name, []).append(word)
    own = [name for name, words in axes.items() if set(words) & set(map(str, raster.dims))]
    return next(iter([*own, *axes]))


def geotransform_of(west: float, width: float, north: float, height: float) -> str:
    """Return a geotransform as GDAL writes it into an attribute."""
    # Numbers of NumPy would be written by their type.
    x, wide, y, high = (float(number) for number in (west, width, north, height))
    return f"{x!r} {wide!r} 0.0 {y!r} 0.0 {-high!r}"


def _grid_mapping(raster: xr.DataArray) -> Mapping[Any, Any]:
    """Return the attributes of the coordinate that holds the CRS; nothing if there is none."""
    name = mapping_of(raster)
    return {} if name is None else raster.coords[name].attrs


def geotransform_in(raster: xr.DataArray) -> tuple[float, float, float, float, float, float] | None:
    """Return the six numbers of a raster's geotransform as GDAL has them, west, width, slant, north, lean, and height below 0 where rows run from the north; None if it states none."""
    try:
        west, width, slant, north, lean, down = map(float, geotransform_text(raster).split())
    except ValueError:
        return None
    return west, width, slant, north, lean, down


def geotransform_text(raster: xr.DataArray) -> str:
    """Return a raster's geotransform as it states it; blank if it states none."""
    return str(_grid_mapping(raster).get("GeoTransform", ""))
