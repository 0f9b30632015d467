"""Files that are cut off or full of noise: an error that names the file, whatever the library beneath raises."""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import openpyxl
import pytest
import rasterio
from geodata_layers import FORMATS, case_of, survey_layer, write_layer
from pyproj import CRS
from rasterio.transform import from_origin

from carbongrid.case.readers.people import read_people
from carbongrid.case.readers.tables import read_table
from carbongrid.case.readers.vector import count_features, read_vector
from carbongrid.errors import InputError

PARTS = {"shp": ("shp", "shx", "dbf", "prj")}


def damaged(data: bytes, seed: int) -> Iterator[bytes]:
    """The bytes cut off at three places, three times with noise, once with a hole, once only their beginning."""
    draw = random.Random(seed)
    for share in (0.2, 0.5, 0.9):
        yield data[: int(len(data) * share)]
        noisy = bytearray(data)
        for _ in range(1 + len(data) // 200):
            noisy[draw.randrange(len(data))] = draw.randrange(256)
        yield bytes(noisy)
    hole = draw.randrange(len(data))
    yield data[:hole] + bytes(200) + data[hole + 200 :]
    yield data[:4] + b"junkjunkjunk" * 9


def read_or_refused(read, *arguments) -> bool:
    """Whether it was refused; any other exception goes through."""
    try:
        read(*arguments)
    except InputError as error:
        assert error.problems[0].where
        return True
    return False


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_damaged_layer_is_read_or_refused(tmp_path, suffix):
    # "PAR1junk" was an ArrowInvalid, and a .prj of noise, in a longer search, an UnboundLocalError: "a fault of carbongrid", exit 1.
    path = write_layer(survey_layer(), tmp_path / f"parcels.{suffix}")
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix in (".gdbtable", ".gdbtablx"))
    else:
        files = [path.with_suffix(f".{part}") for part in PARTS.get(suffix, (suffix,))]
    refused = 0
    for number, file in enumerate(files):
        data = file.read_bytes()
        for bad in damaged(data, number):
            file.write_bytes(bad)
            refused += read_or_refused(count_features, path, None, None)
            refused += read_or_refused(read_vector, path)
        file.write_bytes(data)
    assert refused


def test_a_damaged_workbook_is_read_or_refused(tmp_path):
    path: Path = tmp_path / "totals.xlsx"
    book = openpyxl.Workbook()
    for row in range(50):
        book.active.append(["a", row, f"text {row}"])
    book.save(path)
    data = path.read_bytes()
    refused = 0
    for seed in range(8):
        for bad in damaged(data, seed):
            path.write_bytes(bad)
            refused += read_or_refused(read_table, path)
    assert refused > 20


@pytest.mark.parametrize("compress", ["none", "deflate"])
def test_a_damaged_raster_is_read_or_refused(tmp_path, compress):
    path = tmp_path / "people.tif"
    values = np.random.default_rng(1).random((60, 60)).astype("float32")
    with rasterio.open(
        path, "w", driver="GTiff", height=60, width=60, count=1, dtype="float32", crs="EPSG:4549",
        transform=from_origin(500_000, 3_400_000, 100, 100), compress=compress,
    ) as raster:  # fmt: skip
        raster.write(values, 1)
    data = path.read_bytes()
    case = case_of(tmp_path, people={"path": "people.tif"})
    refused = 0
    for seed in range(6):
        for bad in damaged(data, seed):
            path.write_bytes(bad)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                refused += read_or_refused(read_people, case, CRS.from_epsg(4549))
    assert refused > 12
