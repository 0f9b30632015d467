"""Numbers that stand for an unknown value in a raster that was read as it is stored, and masks."""

from __future__ import annotations

import base64
import functools
import math
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from carbongrid.errors import InputError, Problem, warn_of
from carbongrid.raster.georeference import inside, is_zarr

_ATTRIBUTES = ("_FillValue", "missing_value", "fill_value", "nodata", "nodatavals")
_ENCODED = ("_FillValue", "missing_value")
_SAYS_NO_READING = {"grid_mapping", "coordinates"}
"""Of an encoding, what is written without reading."""

_SCALING = {"scale_factor": 1.0, "add_offset": 0.0}
_SCALING_OF_BANDS = {"scales": 1.0, "offsets": 0.0}
"""As rioxarray has them where bands differ."""
_DEFAULT_FILLS = {
    "i2": -32767, "u2": 65535, "i4": -2147483647, "u4": 4294967295, "i8": -(2**63) + 2, "u8": 2**64 - 2,
    "f4": 9.969209968386869e36, "f8": 9.969209968386869e36,
}  # fmt: skip
"""What NetCDF writes where nobody wrote anything; bytes have no such number."""


@dataclass(frozen=True)
class Unknown:
    """What is unknown in the blocks of a raster: cells with one of some numbers, and masked cells. NaN is left to the kernels."""

    numbers: tuple[float, ...] = ()

    @classmethod
    def of(cls, raster: Any) -> Unknown:
        """Read what a raster declares; no value is looked at.

        xarray writes it into ``attrs`` or, of decoded values, into ``encoding``; rioxarray keeps what ``set_nodata`` was given.

        Raises
        ------
        InputError
            If the values are stored scaled and were not decoded, what is declared is no number, or the raster was computed from one that declares a number.
        """
        if isinstance(raster, xr.DataArray):
            _require_own(raster)
        return cls._declared_by(raster)

    @classmethod
    def _declared_by(cls, raster: Any) -> Unknown:
        if not (isinstance(raster, xr.DataArray) or is_zarr(raster)):
            return cls()
        attributes = dict(raster.attrs)
        band = band_of(raster)
        _require_decoded(attributes, band)
        _require_signed_as_stored(attributes, raster.dtype)
        declared = [*_declared(_of_band(attributes, band), _ATTRIBUTES)]
        if isinstance(raster, xr.DataArray):
            # Of scaled values the number is that of the stored ones, and decoding has made it NaN.
            if not _is_scaled(raster.encoding, band):
                declared += _declared(raster.encoding, _ENCODED)
            beside = _beside(raster)
            # Where nothing was set it is that of the first band.
            if beside not in np.ravel(np.asarray(attributes.get("nodatavals"), object)).tolist():
                declared += _declared({"nodata": beside}, ("nodata",))
        elif raster.metadata.zarr_format == 2 and (raster.fill_value != 0 or _is_of_xarray(raster)):
            # There xarray writes no attribute, and takes 0, too.
            declared += _declared({"fill_value": raster.fill_value}, ("fill_value",))
        return cls(tuple(dict.fromkeys(number for number in declared if number == number)))

    def stored_as(self, dtype: np.dtype[Any]) -> list[Any]:
        """Return the numbers as values of a type hold them, without those that it cannot hold."""
        return [stored for number in self.numbers for stored in _in_type(number, dtype)]

    def where(self, block: Any) -> NDArray[np.bool_] | None:
        """Return where a block is unknown, other than by NaN; None if it is nowhere."""
        plain = np.asarray(block)
        found = [np.ma.getmaskarray(block)] if np.ma.isMaskedArray(block) else []
        found += [plain == stored for stored in self.stored_as(plain.dtype)]
        if not any(each.any() for each in found):
            return None
        return functools.reduce(np.logical_or, found)

    def as_zero(self, block: Any) -> NDArray[Any]:
        """Return a block with 0 in place of what is unknown; NaN stays."""
        hidden = self.where(block)
        plain = np.asarray(block)
        return plain if hidden is None else np.where(hidden, plain.dtype.type(0), plain)


def _require_own(raster: xr.DataArray) -> None:
    """Raise if what declares a number may have been taken over from another raster: xarray keeps attributes in arithmetic (since 2025.11) and no encoding.

    rasterio writes a scalar of NumPy, beside an encoding that says how it was read; ``rio.write_nodata`` one that the raster itself remembers. A plain number is
    somebody's word. Arithmetic in place is not seen, nor is that of a Zarr store that was opened without decoding, which has plain numbers.
    """
    if raster.encoding.keys() - _SAYS_NO_READING:
        return
    for name in _ATTRIBUTES:
        told = raster.attrs.get(name)
        if not isinstance(told, np.generic) or told != told or told == _written(raster):
            continue
        raise InputError(
            f"the raster declares {told} as nodata, perhaps taken over from one that it was computed from",
            hint=f"Write raster.assign_attrs({name}={told}), a plain number, or with rioxarray imported raster.rio.write_nodata({told}) as the last step, if its own cells of {told} are unknown; raster.drop_attrs() if they are values.",
        )


def _is_of_xarray(array: Any) -> bool:
    """Tell whether an array of Zarr 2 names its dimensions as xarray does, which reads no other."""
    return "_ARRAY_DIMENSIONS" in array.attrs


def warn_of_zeros(raster: Any, stats: Iterable[str]) -> None:
    """Warn where cells of 0 are unknown by the fill value of Zarr 2 alone, which is 0, too, where nobody has said anything; sums are the same."""
    if is_zarr(raster):
        told = raster.metadata.zarr_format == 2 and raster.fill_value == 0 and _is_of_xarray(raster)
    else:
        told = isinstance(raster, xr.DataArray) and _is_0_by_format_2(raster)
    if told and set(stats) != {"sum"}:
        warn_of(
            Problem(
                "cells of 0 count as unknown: the raster's Zarr store of format 2 has 0 as its fill value, which Zarr also writes where nobody chose one",
                hint='If 0 is a value, set raster.encoding["_FillValue"] = None before it is written, or open it with xarray.open_zarr(..., mask_and_scale=False, decode_coords="all") and del raster.attrs["_FillValue"].',
            )
        )


def _is_0_by_format_2(raster: xr.DataArray) -> bool:
    """Tell whether a raster that xarray read from Zarr 2 has 0 for unknown by its fill value alone."""
    about = raster.encoding
    # As xarray tells an array of Zarr, and of which format.
    if "compressors" not in about or "serializer" in about:
        return False
    undecoded = raster.attrs.get("_FillValue")
    # As it is read that is a scalar of NumPy: a plain number is somebody's word.
    read = undecoded if isinstance(undecoded, np.generic) else about.get("_FillValue")
    others = [{**about, **raster.attrs}.get(name) for name in _ATTRIBUTES if name not in ("_FillValue", "fill_value")]  # fmt: skip
    return _is_0(read) and not any(map(_is_0, others))


def _is_0(told: Any) -> bool:
    return np.array_equal(np.asarray(told), 0)


def labels_inside(labels: Any) -> Any:
    """Return the array inside a raster of labels.

    Raises
    ------
    InputError
        If it is no raster, or declares another number than 0 for background cells.
    """
    data = inside(labels)
    # What labels were computed from may have had 0 for nodata: of labels it is the background.
    others = [number for number in Unknown._declared_by(labels).numbers if number != 0]
    if others:
        raise InputError(
            f"the labels declare {others[0]:.15g} as nodata, and background cells are 0",
            hint=f'Write labels.where(labels != {others[0]:.15g}, 0), and remove the attribute "_FillValue".',
        )
    return data


def default_fill(layer: xr.DataArray) -> Any:
    """Return the number that stands for cells that were never written in a variable of NetCDF that declares none; None if any number is meant."""
    about = {**layer.encoding, **layer.attrs}
    if any(name in about for name in ("_FillValue", "missing_value", "scale_factor", "add_offset")):
        return None
    return _DEFAULT_FILLS.get(layer.dtype.str[1:])


def valid_range(layer: xr.DataArray) -> tuple[float, float]:
    """Return the least and the largest value that a variable declares as valid, decoded as its values are."""
    about = {**layer.encoding, **layer.attrs}
    whole = np.ravel(about.get("valid_range", ()))
    low, high = (whole[0], whole[1]) if whole.size == 2 else (-np.inf, np.inf)
    scale, offset = about.get("scale_factor", 1), about.get("add_offset", 0)
    unsigned = about.get("_Unsigned") in ("true", b"true")

    def decoded(limit: Any) -> float:
        own = np.asarray(limit)
        # Of the type that is stored, whose bits may mean another.
        if unsigned and own.dtype.kind == "i":
            own = own.view(own.dtype.str.replace("i", "u"))
        # Of packed values where it is of their type (CF conventions, 8.1).
        packed = own.dtype.kind in "iu"
        return float(own) * float(scale) + float(offset) if packed else float(own)

    stored = about.get("valid_min", low), about.get("valid_max", high)
    least, most = map(decoded, stored)
    if float(scale) < 0 and any(np.asarray(limit).dtype.kind in "iu" for limit in stored):
        # What is stored as the least is the largest; without an end there is none on the other side.
        least, most = (end if np.isfinite(end) else -end for end in (most, least))
    return (least, most) if least <= most else (-np.inf, np.inf)


def _declared(attributes: Mapping[Any, Any], names: tuple[str, ...]) -> Iterator[float]:
    for name in names:
        for value in np.atleast_1d(np.asarray(attributes.get(name), dtype=object)):
            if value is None:
                continue
            try:
                number = _number(value)
            except (TypeError, ValueError, struct.error):
                raise InputError(
                    f"the raster's {name} is {value!r}, which is no number",
                    hint=f"Mark what is unknown as NaN, and remove it: raster.attrs.pop({name!r}, None); raster.encoding.pop({name!r}, None).",
                ) from None
            yield number


def _number(value: Any) -> float:
    if isinstance(value, int | np.integer):  # an int64 may be one that float64 does not hold
        return int(value)
    try:
        return float(value)
    except ValueError:  # as xarray writes it into Zarr's attributes
        unpacked: tuple[float] = struct.unpack("<d", base64.standard_b64decode(value))
        return unpacked[0]


def _is_scaled(attributes: Mapping[Any, Any], band: int | None) -> bool:
    """Return whether values are stored scaled: those of one band, where it is known which."""
    for name, neutral in _SCALING.items():
        if attributes.get(name) is not None and (np.asarray(attributes[name], np.float64) != neutral).any():  # fmt: skip
            return True
    for name, neutral in _SCALING_OF_BANDS.items():
        told = np.atleast_1d(np.asarray(attributes.get(name)))
        if np.issubdtype(told.dtype, np.number):
            own = told[band - 1 : band] if band is not None and 0 < band <= told.size else told
            if (own != neutral).any():
                return True
    return False


def band_of(raster: Any) -> int | None:
    """Return which band of a GeoTIFF a raster is, from 1; None of several, and of none."""
    band = raster.coords.get("band") if isinstance(raster, xr.DataArray) else None
    known = band is not None and band.size == 1 and np.issubdtype(band.dtype, np.integer)
    return int(band.item()) if known and band is not None else None


def _of_band(attributes: Mapping[Any, Any], band: int | None) -> Mapping[Any, Any]:
    """Return what is declared with the nodata value of one band alone, where it is known which.

    Raises
    ------
    InputError
        If it is not, and bands differ.
    """
    told = list(np.ravel(np.asarray(attributes.get("nodatavals"), object)))
    if band is not None and 0 < band <= len(told):
        return {**attributes, "nodatavals": told[band - 1]}
    if len({str(each) for each in told}) > 1:
        raise InputError(f"the raster's bands differ in their nodata values: {', '.join(map(str, told))}", hint="Take one band at a time, or mark what is unknown as NaN and remove the attribute.")  # fmt: skip
    return attributes


def _require_decoded(attributes: Mapping[Any, Any], band: int | None) -> None:
    if _is_scaled(attributes, band):
        told = ", ".join(
            f"{name} = {attributes[name]}"
            for name in (*_SCALING, *_SCALING_OF_BANDS)
            if name in attributes
        )
        raise InputError(
            f"the values are as they are stored, not what they mean: {told}",
            hint="Open the file with xarray.open_dataset, or with rioxarray.open_rasterio(..., mask_and_scale=True).",
        )


def _require_signed_as_stored(attributes: Mapping[Any, Any], dtype: np.dtype[Any]) -> None:
    told = attributes.get("_Unsigned")
    told = told.decode() if isinstance(told, bytes) else str(told)
    if (dtype.kind, told) in (("i", "true"), ("u", "false")):
        raise InputError(
            f'the values are as they are stored, not what they mean: {dtype} with _Unsigned = "{told}"',
            hint="Open the file with xarray.open_dataset, which decodes them, or remove the attribute.",
        )


def _beside(raster: xr.DataArray) -> Any:
    """Return the nodata that rioxarray keeps beside an array; where it is not imported, nobody has set one."""
    try:
        return getattr(getattr(raster, "rio", None), "nodata", None)
    except (OverflowError, ValueError):  # one that the values' type cannot hold: no cell has it
        return None


def _written(raster: xr.DataArray) -> Any:
    """Return what was written to just this array with rioxarray's write_nodata; None if nothing was, or it is not told any more."""
    # Its public name answers with what an attribute says, wherever that is from.
    return getattr(getattr(raster, "rio", None), "_nodata", None)


def _in_type(number: float, dtype: np.dtype[Any]) -> Iterator[Any]:
    """Yield a number as values of a type hold it: not at all, as it is, or as float32 did before they were made float64."""
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        if limits.min <= number <= limits.max and number == int(number):
            yield dtype.type(int(number))
    elif dtype.kind == "f":
        with np.errstate(over="ignore"):
            for each in {float(dtype.type(number)), float(np.float32(number))}:
                if math.isfinite(each) or math.isinf(number):
                    yield dtype.type(each)
