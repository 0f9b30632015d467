"""Polygons in a directory of arrays: sorted by place, mapped into memory, known by their hash."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carbongrid.errors import InputError
from carbongrid.raster.opening.digests import hash_path
from carbongrid.raster.opening.files import read_text
from carbongrid.raster.opening.stores import open_arrays

type State = tuple[tuple[int, ...], ...]

FORMAT = 2
BLOCK = 64
"""Edges of a long ring that are bounded together; part of the format."""
_META = "polygons.json"
_COORDINATES = ("x", "y", "bounds", "boxes")
_COUNTS = ("ring_start", "part_start", "row_start", "place", "block_start")
_BITS = 16
_AGAIN = "Save the polygons again."


def require_savable(path: Path, ids: list[Any] | None) -> None:
    """Raise InputError if the path exists, or an id is neither text nor a whole number."""
    if path.exists():
        raise InputError("the directory exists already", str(path), hint="Name another path.")
    odd = next((each for each in ids or () if not isinstance(each, (str, int))), None)
    if odd is not None:
        raise InputError(f"the id {odd!r} is neither text nor a whole number", "id")


def save(path: Path, arrays: Mapping[str, NDArray[Any]], known: Mapping[str, Any]) -> None:
    """Write beside it, then rename: the directory is absent or complete.

    Parameters
    ----------
    path
        A new directory.
    arrays
        By name, rows in the order in which they are stored.
    known
        What is said of them: ``hash``, ``crs``, ``ids``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=path.parent) as folder:
        draft = Path(folder) / "draft"
        draft.mkdir()
        for name, array in arrays.items():
            np.save(draft / f"{name}.npy", array)
        meta = {
            "format": FORMAT,
            **known,
            "shapes": {name: list(array.shape) for name, array in arrays.items()},
            "files": {name: hash_path(draft / f"{name}.npy") for name in arrays},
        }
        meta["check"] = _check_of(meta)
        (draft / _META).write_text(json.dumps(meta), encoding="utf-8")
        draft.rename(path)


def state_of(path: str) -> tuple[str, State]:
    """Return a saved directory's resolved path, and what the file system says of its files.

    Raises
    ------
    InputError
        If a file is not there.
    """
    folder = Path(path).resolve()
    names = (_META, *(f"{name}.npy" for name in (*_COORDINATES, *_COUNTS)))
    try:
        states = [(folder / name).stat() for name in names]
    except OSError as error:
        where = path if error.filename is None else str(error.filename)
        raise InputError(
            f"no saved polygons: {error.strerror}", where, "Make them with polygons.save."
        ) from None
    return str(folder), tuple((state.st_ino, state.st_size, state.st_mtime_ns) for state in states)


def arrays_of(path: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the arrays of a saved directory, mapped, and what it says of them (format, hash, crs, ids); the structure is checked.

    Raises
    ------
    InputError
        If it is damaged.
    """
    meta = _meta(path)
    arrays = {name: _mapped(path, name, meta["shapes"]) for name in (*_COORDINATES, *_COUNTS)}
    _require_structure(path, arrays)
    return arrays, meta


@lru_cache(maxsize=16)
def require_as_saved(path: str, _state: State) -> None:
    """Raise InputError unless every file has its digest; read once for each state of the files."""
    for name, digest in _meta(path)["files"].items():
        if hash_path(Path(path) / f"{name}.npy") != digest:
            raise _damaged(path, f"{name}.npy", f"{name} is not what was saved")


def _meta(path: str) -> dict[str, Any]:
    try:
        meta = json.loads(read_text(Path(path) / _META))
    except (OSError, ValueError) as error:
        raise _damaged(path, _META, f"{_META} is damaged: {error}") from None
    if not isinstance(meta, dict):
        raise _damaged(path, _META, f"{_META} is damaged: no object")
    if meta.get("format") != FORMAT:
        raise _damaged(path, _META, f"format {meta.get('format')} is not {FORMAT}")
    if meta.pop("check", None) != _check_of(meta):
        raise _damaged(path, _META, f"{_META} is not what was saved")
    return meta


def _check_of(meta: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(meta, sort_keys=True).encode()).hexdigest()


def _damaged(path: str, name: str, what: str) -> InputError:
    return InputError(what, str(Path(path) / name), _AGAIN)


def _require_structure(path: str, arrays: dict[str, NDArray[Any]]) -> None:
    """Raise unless every start and place points at something: kernels look at what they name without asking."""
    rings, rows = arrays["ring_start"].size - 1, arrays["row_start"].size - 1
    ends = {
        "ring_start": (rings, arrays["x"].size),
        "part_start": (arrays["part_start"].size - 1, rings),
        "row_start": (rows, arrays["part_start"].size - 1),
        "block_start": (rings, len(arrays["boxes"])),
    }
    good = {
        name: starts.shape == (size + 1,)
        and bool(starts[0] == 0 and starts[-1] == end and (np.diff(starts) >= 0).all())
        for name, starts, (size, end) in ((name, arrays[name], ends[name]) for name in ends)
    }
    place = arrays["place"]
    in_range = place.shape == (rows,) and bool(((place >= 0) & (place < rows)).all())
    good["place"] = in_range and bool((np.bincount(place, minlength=rows) == 1).all())
    good["y"] = arrays["y"].shape == arrays["x"].shape
    good["bounds"] = arrays["bounds"].shape == (rows, 4)
    good["boxes"] = arrays["boxes"].shape[1:] == (4,)
    if good["ring_start"] and good["block_start"]:
        blocks, edges = np.diff(arrays["block_start"]), np.diff(arrays["ring_start"]) - 1
        good["block_start"] = bool((((blocks - 1) * BLOCK < edges) | (blocks == 0)).all())
    wrong = next((name for name, fine in good.items() if not fine), None)
    if wrong is not None:
        raise _damaged(path, f"{wrong}.npy", f"{wrong} is damaged: it does not fit the others")


def _mapped(path: str, name: str, shapes: dict[str, list[int]]) -> NDArray[Any]:
    dtype = np.float64 if name in _COORDINATES else np.int64
    try:
        array = open_arrays(Path(path) / f"{name}.npy", "r" if np.prod(shapes[name]) else None)
    except (OSError, ValueError, EOFError, OverflowError) as error:
        raise _damaged(path, f"{name}.npy", f"{name} is damaged: {error}") from None
    if array.dtype != dtype or list(array.shape) != shapes[name]:
        raise _damaged(path, f"{name}.npy", f"{name} is not what was saved")
    # A plain array, since kernels are compiled for those.
    view = np.asarray(array)
    view.flags.writeable = False
    return view


def order_by_place(bounds: NDArray[np.float64]) -> NDArray[np.int64]:
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
