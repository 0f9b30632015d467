"""Columns of numbers in which text stands: read as they are meant, or an error."""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely

from carbongrid.case.readers.vector import read_vector
from carbongrid.errors import InputError

DIGITS = 12


def layer(path: Path, **columns: object) -> Path:
    geometry = [shapely.box(k, 0, k + 1, 1) for k in range(3)]
    table = gpd.GeoDataFrame({**columns, "text": ["a", "b", "c"]}, geometry=geometry, crs=4326)
    pyogrio.write_dataframe(table, path, layer="layer")
    return path


@pytest.fixture(scope="module")
def shapefile(tmp_path_factory) -> Path:
    return layer(tmp_path_factory.mktemp("shp") / "a.shp", real=[1.5, 2, 3], whole=np.int32([1, 2, 3]))  # fmt: skip


@pytest.fixture(scope="module")
def geopackage(tmp_path_factory) -> Path:
    path = layer(tmp_path_factory.mktemp("gpkg") / "a.gpkg", real=[1.5, 2, 3], whole=np.int32([1, 2, 3]))  # fmt: skip
    with closing(sqlite3.connect(path)) as database:
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():  # fmt: skip
            database.execute(f'DROP TRIGGER "{trigger}"')
        database.commit()
    return path


def in_dbf(path: Path, column: str, text: str | bytes) -> None:
    """Let text stand in the second row of a column."""
    table = path.with_suffix(".dbf")
    data = bytearray(table.read_bytes())
    head, width = struct.unpack_from("<HH", data, 8)
    start = head + width + 1
    for place in range(32, head - 1, 32):
        size = data[place + 16]
        if data[place : place + 11].rstrip(b"\0").decode() == column:
            bare = text if isinstance(text, bytes) else text.encode().rjust(size)
            data[start : start + size] = bare.ljust(size)
        start += size
    table.write_bytes(data)


def in_geopackage(path: Path, column: str, value: object) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"UPDATE layer SET {column} = ? WHERE fid = 2", (value,))
        database.commit()


@pytest.mark.parametrize(
    ("column", "text"),
    [("real", "0,75"), ("real", "1,200"), ("real", "N/A"), ("real", "-"), ("real", "."), ("real", "1.5D+02"), ("whole", "0.75"), ("whole", "1e5")],
)  # fmt: skip
def test_text_in_a_shapefiles_numbers_is_refused(shapefile: Path, column: str, text: str) -> None:
    """Seen to fail in silence: 0,75 was 0, 1,200 was 1, N/A and - were 0, and 0.75 was 0 where no decimals are declared."""
    in_dbf(shapefile, column, text)
    with pytest.raises(InputError, match=rf"a.shp, row 2: column '{column}'.*{text!r}".replace("+", r"\+")):  # fmt: skip
        read_vector(shapefile, columns=[column])
    read_vector(shapefile, columns=["text"])  # what is not read counts for nothing
    in_dbf(shapefile, column, "2")


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        ("real", "-1.5e+02", -150), ("real", ".5", 0.5), ("real", "+5.", 5), ("real", "7  ", 7), ("real", b"2.5\0x", 2.5), ("real", "nan", np.nan),
        ("real", "1.#QNAN", np.nan), ("real", "", np.nan), ("real", b"\0" * DIGITS, np.nan), ("real", "*" * DIGITS, np.nan),
        ("whole", "-12", -12), ("whole", "12.00", 12), ("whole", "", np.nan),
    ],
)  # fmt: skip
def test_a_shapefiles_numbers_are_read_however_they_are_written(
    shapefile: Path, column: str, text: str | bytes, value: float
) -> None:
    in_dbf(shapefile, column, text)
    np.testing.assert_equal(read_vector(shapefile)[column][1], value)
    in_dbf(shapefile, column, "2")


def test_in_rows_that_are_deleted_text_may_stand(tmp_path: Path) -> None:
    path = layer(tmp_path / "a.shp", real=[1.5, 2, 3])
    in_dbf(path, "real", "N/A")
    data = bytearray(path.with_suffix(".dbf").read_bytes())
    head, width = struct.unpack_from("<HH", data, 8)
    data[head + width] = ord("*")
    path.with_suffix(".dbf").write_bytes(data)
    assert read_vector(path)["real"].tolist() == [1.5, 3]


def test_a_shapefile_of_numbers_alone_needs_no_encoding(tmp_path: Path) -> None:
    path = layer(tmp_path / "a.shp", real=[1.5, 2, 3])
    pyogrio.write_dataframe(pyogrio.read_dataframe(path)[["real", "geometry"]], path)
    path.with_suffix(".cpg").unlink()
    assert read_vector(path)["real"].tolist() == [1.5, 2, 3]


@pytest.mark.parametrize(
    ("column", "value"),
    [("real", "N/A"), ("real", "1,200"), ("real", b"12"), ("whole", "x"), ("whole", 1.5), ("whole", 3 * 10**9)],
)  # fmt: skip
def test_text_in_a_geopackages_numbers_is_refused(geopackage: Path, column: str, value: object) -> None:  # fmt: skip
    """Seen to fail in silence: N/A was 0, 1,200 was 1, and what an integer of 32 bits cannot hold was another number."""
    in_geopackage(geopackage, column, value)
    with pytest.raises(InputError, match=rf"a.gpkg, row 2 \(fid\): column '{column}'.*{value!r}"):
        read_vector(geopackage, columns=[column])
    read_vector(geopackage, columns=["text"])
    in_geopackage(geopackage, column, 2)


@pytest.mark.parametrize("column", ["real", "whole"])
@pytest.mark.parametrize("value", ["", " ", None])
def test_blank_text_in_a_geopackages_numbers_is_unknown(geopackage: Path, column: str, value: str | None) -> None:  # fmt: skip
    """Seen to fail in silence: '' was 0."""
    in_geopackage(geopackage, column, value)
    table = read_vector(geopackage)
    assert table[column].isna().tolist() == [False, True, False]
    assert table[column].dropna().tolist() == ([1.5, 3] if column == "real" else [1, 3])
    assert table.index.tolist() == [0, 1, 2]
    in_geopackage(geopackage, column, 2)
