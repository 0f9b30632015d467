"""The header of a TIFF held against the file: as many blocks as its size calls for, each where it can be."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from carbongrid.errors import InputError
from carbongrid.raster.opening.contradictions import contradiction, mapped

if TYPE_CHECKING:
    import mmap

    from numpy.typing import NDArray

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES, _ROWS, _PLANES = 256, 257, 258, 259, 277, 278, 284
_STRIPS, _STRIP_SIZES = 273, 279
_TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_SIZES = 322, 323, 324, 325
_UNCOMPRESSED, _SEPARATE = 1, 2
_KINDS = {1: "u1", 3: "u2", 4: "u4", 13: "u4", 16: "u8", 18: "u8"}
"""NumPy's names of the types of whole numbers in a TIFF."""


def require_whole_tiff(path: Path) -> None:
    """Raise InputError if the first image of a TIFF has another number of blocks than its size calls for, or they cannot be where it says.

    Notes
    -----
    What GDAL makes of such a file is an image all the same: zeros, or the bytes of another place.
    """
    with mapped(path) as data:
        try:
            tags = _tags(data)
        except (struct.error, ValueError, OverflowError):
            raise InputError(
                "the raster cannot be read: its directory points at what is not there, or says a thing twice",
                path.name,
                "It may be damaged or cut off: write it again with gdal_translate.",
            ) from None
        size = len(data)
    missing = [tag for tag in (_WIDTH, _HEIGHT) if tag not in tags or not tags[tag].size]
    if missing:
        raise contradiction(path, "it does not say how large the image is")
    tiled = _TILES in tags
    places, sizes = (tags.get(tag, _NONE) for tag in ((_TILES, _TILE_SIZES) if tiled else (_STRIPS, _STRIP_SIZES)))  # fmt: skip
    image = _blocks(tags, tiled)
    if not image.blocks == len(places) == len(sizes):
        raise contradiction(
            path,
            f"an image of its size has {image.blocks:,} blocks, but it lists {len(places):,} places and {len(sizes):,} sizes",
        )
    if image.block_size >= 2**63:
        raise contradiction(path, "its size calls for a block of more bytes than a file can have")
    _require_room(path, places, sizes, size)
    # GDAL writes what was left blank as full strips, the last one too, of which fewer rows are the image's.
    whole = image.sizes()
    right = (sizes == 0) | (sizes == whole) | (sizes == whole.max(initial=0))
    if int(tags.get(_COMPRESSION, _ONE)[0]) == _UNCOMPRESSED and not right.all():
        raise contradiction(path, "a block has another size than its cells call for")


_NONE, _ONE = np.empty(0, np.int64), np.ones(1, np.int64)


class _Blocks(NamedTuple):
    """What an image's size calls for; bytes are those before compression.

    Parameters
    ----------
    planes, of_a_plane
        How many blocks there are: one after the other, plane by plane.
    block_size, last_size
        Bytes of a block, and of the last one of each plane.
    """

    planes: int
    of_a_plane: int
    block_size: int
    last_size: int

    @property
    def blocks(self) -> int:
        return self.planes * self.of_a_plane

    def sizes(self) -> NDArray[np.int64]:
        """Return the bytes of each block; as many as the file is known to list."""
        of_a_plane = np.full(self.of_a_plane, self.block_size, np.int64)
        of_a_plane[-1:] = self.last_size
        return np.tile(of_a_plane, self.planes)


def _blocks(tags: dict[int, NDArray[np.int64]], tiled: bool) -> _Blocks:
    """Return what blocks the image has."""
    width, height = int(tags[_WIDTH][0]), int(tags[_HEIGHT][0])
    samples = int(tags.get(_SAMPLES, _ONE)[0])
    separate = int(tags.get(_PLANES, _ONE)[0]) == _SEPARATE
    across = int(tags.get(_TILE_WIDTH, _ONE)[0]) if tiled else width
    down = int(tags[_TILE_HEIGHT][0]) if tiled and _TILE_HEIGHT in tags else 0
    down = down if tiled else int(tags[_ROWS][0]) if _ROWS in tags else height
    if min(width, height, across, down, samples) < 1:
        return _Blocks(0, 0, 0, 0)
    rows = -(-height // down)
    bits = int(tags.get(_BITS, _ONE)[0]) * (1 if separate else samples)
    line = -(-across * bits // 8)
    first, last = (down, down) if tiled else (min(down, height), height - (rows - 1) * down)
    planes = samples if separate else 1
    return _Blocks(planes, -(-width // across) * rows, first * line, last * line)


def _require_room(
    path: Path, places: NDArray[np.int64], sizes: NDArray[np.int64], size: int
) -> None:
    """Raise unless every block lies in the file and none in another; one without bytes is not written, and blank."""
    written = sizes > 0
    pairs = np.unique(np.column_stack([places, sizes])[written], axis=0)  # equal blocks may be one
    if not len(pairs):
        return
    begin, end = pairs[:, 0], pairs[:, 0] + pairs[:, 1]
    if (begin <= 0).any() or (end > size).any():
        raise contradiction(path, "a block lies outside of the file")
    if (begin[1:] < end[:-1]).any():
        raise contradiction(path, "two blocks lie in the same place")


def _tags(data: mmap.mmap) -> dict[int, NDArray[np.int64]]:
    """Return the whole numbers of the first directory, by tag."""
    order = "<" if data[:2] == b"II" else ">"
    big = struct.unpack_from(f"{order}H", data, 2)[0] == 43
    start = struct.unpack_from(f"{order}Q", data, 8)[0] if big else struct.unpack_from(f"{order}I", data, 4)[0]  # fmt: skip
    count = struct.unpack_from(f"{order}{'Q' if big else 'H'}", data, start)[0]
    step, first = (20, start + 8) if big else (12, start + 2)
    if first + step * count > len(data):
        raise ValueError("the directory reaches beyond the file")
    found: dict[int, NDArray[np.int64]] = {}
    seen = set()
    for place in range(first, first + step * count, step):
        tag, kind = struct.unpack_from(f"{order}HH", data, place)
        if tag in seen:
            raise ValueError("a tag stands twice")  # and each reader takes another
        seen.add(tag)
        number = struct.unpack_from(f"{order}{'Q' if big else 'I'}", data, place + 4)[0]
        if kind not in _KINDS or not number:
            continue
        values = np.dtype(f"{order}{_KINDS[kind]}")
        at = place + (12 if big else 8)
        if number * values.itemsize > (8 if big else 4):
            at = struct.unpack_from(f"{order}{'Q' if big else 'I'}", data, at)[0]
        if at + number * values.itemsize > len(data):
            raise ValueError("values lie beyond the file")
        found[tag] = np.frombuffer(data[at : at + number * values.itemsize], values).astype(
            np.int64
        )
    return found
