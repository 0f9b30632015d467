"""A TIFF held against itself: any layout that GDAL writes passes, and no block that lies elsewhere than it can."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from carbongrid.errors import InputError
from carbongrid.raster.opening.tiffs import require_whole_tiff

WIDTH, HEIGHT, BITS, PLANES, OFFSETS, SIZES = 256, 257, 258, 284, 273, 279
ROWS, TILE_HEIGHT, UNKNOWN = 278, 323, 999
STRIPS = {"blockysize": 4}
TILED = {"tiled": True, "blockxsize": 16, "blockysize": 32}


def tiff(path: Path, *, count: int = 1, dtype: str = "uint8", **layout: Any) -> Path:
    """Write 21 columns and 10 rows, or 50 of tiles, neither a multiple of a block's sides."""
    height = 50 if "tiled" in layout else 10
    with rasterio.open(
        path, "w", driver="GTiff", width=21, height=height, count=count, dtype=dtype, crs="EPSG:32650",
        transform=from_origin(500_000, 4_000_000, 10, 10), **layout,
    ) as file:  # fmt: skip
        file.write(np.arange(count * height * 21).reshape(count, height, 21).astype(dtype) % 2)
    return path


@pytest.mark.parametrize("blocks", [STRIPS, TILED], ids=["strips", "tiles"])
@pytest.mark.parametrize("interleave", ["pixel", "band"])
@pytest.mark.parametrize(
    "layout",
    [
        {},
        {"compress": "deflate"},
        {"BIGTIFF": "YES"},
        {"ENDIANNESS": "BIG", "dtype": "int16"},
        {"NBITS": 1},
        {"SPARSE_OK": True},
    ],
    ids=lambda layout: "-".join(layout) or "plain",
)
def test_any_layout_passes(
    tmp_path: Path, layout: dict[str, Any], interleave: str, blocks: dict[str, Any]
) -> None:
    """Whatever the bands are in, each other's cells or planes of their own, and however many bits a cell has."""
    require_whole_tiff(tiff(tmp_path / "a.tif", count=3, interleave=interleave, **blocks, **layout))


def entry(data: bytes, tag: int) -> int:
    """Return where the directory's entry of a tag begins."""
    first = struct.unpack_from("<I", data, 4)[0]
    places = (first + 2 + 12 * each for each in range(struct.unpack_from("<H", data, first)[0]))
    return next(place for place in places if struct.unpack_from("<H", data, place)[0] == tag)


def values_at(data: bytes, tag: int) -> tuple[int, str]:
    """Return where the numbers of a tag stand that has several, and how each is written."""
    kind, _, place = struct.unpack_from("<HII", data, entry(data, tag) + 2)
    return place, {3: "<H", 4: "<I"}[kind]


def changed(data: bytes, tag: int, number: int, change: Any) -> bytes:
    """Return a file in which one of the numbers of a tag is another; its size is said in the fewest bytes that hold it."""
    place, form = values_at(data, tag)
    place += number * struct.calcsize(form)
    other = bytearray(data)
    struct.pack_into(form, other, place, change(struct.unpack_from(form, data, place)[0]))
    return bytes(other)


def renamed(data: bytes, tag: int, other: int) -> bytes:
    """Return a file in which a tag is called otherwise."""
    place = entry(data, tag)
    return data[:place] + struct.pack("<H", other) + data[place + 2 :]


def with_rows(data: bytes, rows: int) -> bytes:
    """Return a file that says another number of rows."""
    place = entry(data, HEIGHT) + 8
    return data[:place] + struct.pack("<H", rows) + data[place + 2 :]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda data: changed(data, OFFSETS, 2, lambda _: len(data) - 41), "a block lies outside"),
        (lambda data: changed(data, OFFSETS, 0, lambda _: 0), "a block lies outside"),
        (lambda data: changed(data, OFFSETS, 1, lambda at: at - 1), "two blocks lie in the same"),
        (lambda data: changed(data, SIZES, 0, lambda size: size - 1), "another size than its"),
        (lambda data: changed(data, SIZES, 2, lambda size: size - 1), "another size than its"),
        (lambda data: with_rows(data, 13), "has 4 blocks, but it lists 3 places and 3 sizes"),
        (lambda data: with_rows(data, 8), "has 2 blocks, but it lists 3 places and 3 sizes"),
        (lambda data: renamed(data, PLANES, BITS), "or says a thing twice"),
        (lambda data: renamed(data, WIDTH, UNKNOWN), "does not say how large"),
        (lambda data: renamed(data, HEIGHT, UNKNOWN), "does not say how large"),
        (lambda data: data[:-1], "a block lies outside"),
    ],
)
def test_blocks_that_are_elsewhere_or_too_many_are_refused(
    tmp_path: Path, change: Any, told: str
) -> None:
    """GDAL reads zeros there, or the bytes of another place."""
    path = tiff(tmp_path / "a.tif", **STRIPS)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(InputError, match=told):
        require_whole_tiff(path)


def test_a_block_of_more_bytes_than_a_file_can_have_is_refused(tmp_path: Path) -> None:
    """One strip of as many rows and columns as four bytes say: its size was an OverflowError of NumPy's."""
    path = tiff(tmp_path / "a.tif", blockysize=10)
    data = bytearray(path.read_bytes())
    for tag in (WIDTH, HEIGHT, ROWS):
        struct.pack_into("<H", data, entry(data, tag) + 2, 4)
        struct.pack_into("<I", data, entry(data, tag) + 8, 2**32 - 1)
    path.write_bytes(data)
    with pytest.raises(InputError, match="calls for a block of more bytes than a file can have"):
        require_whole_tiff(path)


def test_one_block_may_stand_for_many_and_one_of_no_bytes_for_none(tmp_path: Path) -> None:
    """As programs write what is the same in all of its tiles."""
    data = tiff(tmp_path / "a.tif", **STRIPS).read_bytes()
    place, form = values_at(data, OFFSETS)
    first = struct.unpack_from(form, data, place)[0]
    same = changed(data, OFFSETS, 1, lambda _: first)
    blank = changed(same, SIZES, 2, lambda _: 0)
    for number, content in enumerate((same, blank, changed(blank, OFFSETS, 2, lambda _: 0))):
        path = tmp_path / f"{number}.tif"
        path.write_bytes(content)
        require_whole_tiff(path)


def test_a_number_of_four_bytes_stands_in_its_entry(tmp_path: Path) -> None:
    """Sides may be written in two bytes or in four."""
    path = tiff(tmp_path / "a.tif", **STRIPS)
    data = bytearray(path.read_bytes())
    for tag in (WIDTH, HEIGHT):
        struct.pack_into("<H", data, entry(data, tag) + 2, 4)
    path.write_bytes(data)
    require_whole_tiff(path)


def test_strips_without_a_height_are_one_and_tiles_without_one_none(tmp_path: Path) -> None:
    path = tiff(tmp_path / "a.tif", blockysize=10)
    path.write_bytes(renamed(path.read_bytes(), ROWS, UNKNOWN))
    require_whole_tiff(path)
    tiled = tiff(tmp_path / "b.tif", **TILED)
    tiled.write_bytes(renamed(tiled.read_bytes(), TILE_HEIGHT, UNKNOWN))
    with pytest.raises(InputError, match="has 0 blocks"):
        require_whole_tiff(tiled)
