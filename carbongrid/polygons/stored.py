"""Polygons in a directory of arrays: sorted by place, mapped into memory, known by their hash."""

from __future__ import annotations

import json
import os
import shutil
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from carbongrid.errors import InputError

if TYPE_CHECKING:
    from carbongrid.polygons.sets import Polygons

FORMAT = 1
BLOCK = 64
"""Edges of a long ring that are bounded together; part of the format."""
_META = "polygons.json"
_COORDINATES = ("x", "y", "bounds", "boxes")
_COUNTS = ("ring_start", "part_start", "row_start", "place", "block_start")
_BITS = 16


def save(polygons: Polygons, path: Path) -> None:
    """Write to a temporary sibling, then rename: the directory is absent or complete."""
    if path.exists():
        raise InputError("the directory exists already", str(path), "Name another path.")
    ids = None if polygons.ids is None else polygons.ids.tolist()
    odd = next((each for each in ids or () if not isinstance(each, (str, int))), None)
    if odd is not None:
        raise InputError(f"the id {odd!r} is neither text nor a whole number", "id")
    order = _by_place(polygons.bounds)
    place = np.empty(order.size, np.int64)
    place[order] = np.arange(order.size)
    near = polygons.take(order)
    block_start, boxes, _ = near.blocks
    arrays = {
        **{
            name: getattr(near, name)
            for name in ("x", "y", "ring_start", "part_start", "row_start")
        },
        "bounds": polygons.bounds,
        "place": place,
        "block_start": block_start,
        "boxes": boxes,
    }
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    for name, array in arrays.items():
        np.save(draft / f"{name}.npy", array)
    meta = {
        "format": FORMAT,
        "hash": polygons.content_hash,
        "crs": polygons.crs,
        "shapes": {name: list(array.shape) for name, array in arrays.items()},
        "ids": ids,
    }
    (draft / _META).write_text(json.dumps(meta), encoding="utf-8")
    draft.rename(path)


def opened(path: str, digest: str | None = None) -> Polygons:
    """Map a saved directory; the same path and hash give the same object in one process.

    Raises
    ------
    InputError
        If it is no such directory, is damaged, or holds other polygons than those of the hash.
    """
    meta = Path(path).resolve() / _META
    try:
        state = meta.stat()
    except OSError as error:
        raise InputError(
            f"no saved polygons: {error.strerror}", path, "Make them with polygons.save."
        ) from None
    polygons = _opened(str(meta.parent), state.st_ino, state.st_mtime_ns)
    if digest is not None and polygons.content_hash != digest:
        raise InputError("the directory holds other polygons by now", path, "Open it again.")
    return polygons


@lru_cache(maxsize=16)
def _opened(path: str, _file: int, _changed: int) -> Polygons:
    from carbongrid.polygons.sets import Polygons

    try:
        meta = json.loads((Path(path) / _META).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{_META} is damaged: {error}", path, "Save the polygons again.") from None
    if meta.get("format") != FORMAT:
        raise InputError(f"format {meta.get('format')} is not {FORMAT}", path, "Save them again.")
    arrays = {name: _mapped(path, name, meta["shapes"]) for name in (*_COORDINATES, *_COUNTS)}
    ids = None if meta["ids"] is None else np.array(meta["ids"], dtype=object)
    blocks = (arrays.pop("block_start"), arrays.pop("boxes"), BLOCK)
    polygons = Polygons(**arrays, crs=meta["crs"], ids=ids, path=path)
    # What is derived from all coordinates was derived when they were saved.
    polygons.__dict__["content_hash"] = meta["hash"]
    polygons.__dict__["blocks"] = blocks
    return polygons


def _mapped(path: str, name: str, shapes: dict[str, list[int]]) -> NDArray[Any]:
    dtype = np.float64 if name in _COORDINATES else np.int64
    try:
        array = np.load(
            Path(path) / f"{name}.npy", mmap_mode="r" if np.prod(shapes[name]) else None
        )
    except (OSError, ValueError) as error:
        raise InputError(f"{name} is damaged: {error}", path, "Save the polygons again.") from None
    if array.dtype != dtype or list(array.shape) != shapes[name]:
        raise InputError(f"{name} is not what was saved", path, "Save the polygons again.")
    # A plain array, since kernels are compiled for those.
    view = np.asarray(array)
    view.flags.writeable = False
    return view


def _by_place(bounds: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the order of rows along a Z-curve through the middles of their bounds; missing ones come last."""
    middle = (bounds[:, :2] + bounds[:, 2:]) / 2
    known = np.isfinite(middle).all(axis=1)
    code = np.full(len(bounds), 2 ** (2 * _BITS), np.int64)
    if known.any():
        low, high = middle[known].min(axis=0), middle[known].max(axis=0)
        scale = (2**_BITS - 1) / np.where(high > low, high - low, np.inf)
        cell = ((middle[known] - low) * scale).astype(np.int64)
        code[known] = _spread(cell[:, 0]) | (_spread(cell[:, 1]) << 1)
    return np.argsort(code, kind="stable")


def _spread(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Put a zero bit behind each of 16 bits."""
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        values = (values | (values << shift)) & mask
    return values
