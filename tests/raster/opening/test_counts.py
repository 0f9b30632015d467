"""Headers against what stands in the file: all rows, or an error."""

from __future__ import annotations

import signal
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import pyarrow.parquet as parquet
import pyogrio
import pytest
import shapely
from geodata_layers import FORMATS, survey_layer, write_layer
from hypothesis import example, given, settings
from hypothesis import strategies as st

from carbongrid.case.readers.vector import read_vector
from carbongrid.errors import InputError
from carbongrid.raster.opening.counts import rows_in_file
from carbongrid.raster.opening.geojson import members_of_features

SEVERAL = st.integers(0, 300)


@pytest.fixture(autouse=True)
def no_hang() -> Iterator[None]:
    """End a test that waits for ever; a guard, no measure."""
    signal.alarm(600)
    yield
    signal.alarm(0)


def rows(count: int) -> gpd.GeoDataFrame:
    geometry = [shapely.box(k, 0, k + 1, 1) for k in range(count)]
    return gpd.GeoDataFrame({"id": [f"p{k}" for k in range(count)]}, geometry=geometry, crs=4326)


def flatgeobuf(path: Path, count: int, index: str) -> Path:
    pyogrio.write_dataframe(
        rows(count), path, driver="FlatGeobuf", geometry_type="Polygon", SPATIAL_INDEX=index
    )
    return path


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_row_is_counted_and_read(tmp_path: Path, suffix: str) -> None:
    path = write_layer(survey_layer(), tmp_path / f"layer.{suffix}")
    assert len(read_vector(path)) == 6
    assert rows_in_file(path, FORMATS[suffix], "layer") in (6, None)


@settings(max_examples=10)
@given(SEVERAL, st.sampled_from(["YES", "NO"]))
@example(300, "YES")  # an index of three levels
def test_features_of_a_flatgeobuf_are_counted_behind_any_index(tmp_path_factory, count: int, index: str) -> None:  # fmt: skip
    path = flatgeobuf(tmp_path_factory.mktemp("fgb") / "a.fgb", count, index)
    assert rows_in_file(path, "FlatGeobuf", "a") == count
    assert len(read_vector(path)) == count


@settings(max_examples=10)
@given(SEVERAL)
def test_rows_of_the_others_are_counted(tmp_path_factory, count: int) -> None:
    folder = tmp_path_factory.mktemp("others")
    for suffix, driver in (("gpkg", "GPKG"), ("shp", "ESRI Shapefile")):
        path = folder / f"a.{suffix}"
        pyogrio.write_dataframe(rows(count), path, driver=driver, geometry_type="Polygon")
        assert rows_in_file(path, driver, "a") == count


@pytest.mark.parametrize("told", [0, 6, 11, 13, 2**40])
def test_a_geopackage_that_says_another_number(tmp_path: Path, told: int) -> None:
    """Caught: 6 of 12 parcels were dropped, exit 0, and ``verify`` passed."""
    path = write_layer(rows(12), tmp_path / "layer.gpkg")
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE gpkg_ogr_contents SET feature_count = ?", (told,))
        database.commit()
    try:
        assert len(read_vector(path)) == 12
    except InputError as error:
        assert "12" in str(error) or "cannot be read" in str(error)
    if told in (6, 11):
        with pytest.raises(InputError, match=f"hides rows: {told} are read by it, but there are 12"):  # fmt: skip
            read_vector(path)


def test_an_index_of_a_geopackage_that_lacks_rows_hides_none(tmp_path: Path) -> None:
    path = write_layer(rows(12), tmp_path / "layer.gpkg")
    with closing(sqlite3.connect(path)) as database:
        for table in ("rtree_layer_geom_node", "rtree_layer_geom_rowid", "rtree_layer_geom_parent"):
            database.execute(f"DELETE FROM {table} WHERE rowid > 1")
        database.execute("UPDATE gpkg_contents SET min_x = 0, max_x = 1, min_y = 0, max_y = 1")
        database.commit()
    assert len(read_vector(path)) == 12


@pytest.mark.parametrize(
    ("place", "named"),
    [("dbf", "dbf"), ("shx", "shx"), ("dbf and shx", "shx"), ("shp", "shp"), ("shx cut", "shp"), ("dbf cut", "shp")],
)  # fmt: skip
def test_parts_of_a_shapefile_that_contradict_each_other(
    tmp_path: Path, place: str, named: str
) -> None:
    """Caught: half of the rows, where the table's header and the index said so. Which of the files is at fault is told."""
    path = write_layer(rows(12), tmp_path / "layer.shp")
    table, index = path.with_suffix(".dbf"), path.with_suffix(".shx")
    dbf, shx, shp = (bytearray(file.read_bytes()) for file in (table, index, path))
    if "dbf" in place and "cut" not in place:
        dbf[4:8] = struct.pack("<I", 6)
    if "shx" in place:
        shx[24:28] = struct.pack(">I", (100 + 8 * 6) // 2)
    if place == "shx cut":
        del shx[148:]
    if place == "dbf cut":
        width = struct.unpack_from("<H", dbf, 10)[0]
        dbf[4:8] = struct.pack("<I", 6)
        del dbf[-1 - 6 * width :]
    if place == "shp":
        shp[24:28] = struct.pack(">I", 90)
    table.write_bytes(dbf)
    index.write_bytes(shx)
    path.write_bytes(shp)
    with pytest.raises(InputError, match=rf"layer\.{named}: the file contradicts itself"):
        read_vector(path)


def test_what_was_deleted_in_a_table_is_no_row(tmp_path: Path) -> None:
    path = write_layer(rows(12), tmp_path / "layer.shp")
    table = path.with_suffix(".dbf")
    dbf = bytearray(table.read_bytes())
    head, width = struct.unpack_from("<HH", dbf, 8)
    for row in (0, 5):
        dbf[head + row * width] = ord("*")
    table.write_bytes(dbf + b"\0\0")
    assert read_vector(path)["id"].tolist() == [f"p{k}" for k in range(12) if k not in (0, 5)]


@pytest.mark.parametrize("index", ["YES", "NO"])
@pytest.mark.parametrize("told", [1, 6, 13])
def test_a_flatgeobuf_that_says_another_number(tmp_path: Path, index: str, told: int) -> None:
    path = flatgeobuf(tmp_path / "layer.fgb", 12, index)
    data = bytearray(path.read_bytes())
    place = data.index(struct.pack("<Q", 12))
    data[place : place + 8] = struct.pack("<Q", told)
    path.write_bytes(data)
    with pytest.raises(InputError, match="contradicts itself"):
        read_vector(path)


@pytest.mark.parametrize("index", ["YES", "NO"])
def test_a_flatgeobuf_that_is_cut_anywhere_is_told(tmp_path: Path, index: str) -> None:
    """Seen to pass with a fault of the package where it was cut within the length of a row, which GDAL passes over."""
    path = flatgeobuf(tmp_path / "layer.fgb", 3, index)
    data = path.read_bytes()
    for size in (*range(0, len(data), 40), *range(len(data) - 200, len(data))):
        path.write_bytes(data[:size])
        with pytest.raises(InputError, match="contradicts itself"):
            rows_in_file(path, "FlatGeobuf", "layer")


@pytest.mark.parametrize("told", [1, 6, 11])
def test_a_geodatabase_that_says_another_number(tmp_path: Path, told: int) -> None:
    path = write_layer(rows(12), tmp_path / "layer.gdb")
    heads = {file: file.read_bytes() for file in path.glob("*.gdbtable")}
    (table,) = (file for file, data in heads.items() if data[4:8] == struct.pack("<I", 12))
    table.write_bytes(heads[table][:4] + struct.pack("<I", told) + heads[table][8:])
    with pytest.raises(InputError, match=f"hides rows: {told} are read by it, but there are 12"):
        read_vector(path)


def test_a_parquet_whose_groups_are_shorter_than_its_columns(tmp_path: Path) -> None:
    """The number of rows stands in the footer, for each group and for each column: in Thrift, twice the number in a byte."""
    path = tmp_path / "layer.parquet"
    rows(12).to_parquet(path)
    data = path.read_bytes()
    footer = len(data) - 8 - struct.unpack("<I", data[-8:-4])[0]
    refused = 0
    for place in range(footer, len(data) - 8):
        if data[place] != 24:
            continue
        path.write_bytes(data[:place] + bytes([12]) + data[place + 1 :])
        try:
            assert len(read_vector(path)) == 12
        except InputError:
            refused += 1
    assert refused
    path.write_bytes(data)
    assert parquet.read_metadata(path).num_rows == 12


FEATURE = '{"type": "Feature", "properties": {"features": [1, 2], "t": "\\"], }\\\\"}, "geometry": {"type": "Point", "coordinates": [0, 0]}}'
COLLECTION = '{"type": "FeatureCollection", "features": [%s]}'


@pytest.mark.parametrize(
    "member",
    [FEATURE.replace('"type": "Feature"', '"type": "feature"'), FEATURE.replace('"type": "Feature", ', ""), "null", '"a, b"',
     '{"type": "Point", "coordinates": [0, 0]}', COLLECTION % f"{FEATURE}, {FEATURE}"],
)  # fmt: skip
def test_members_of_a_geojson_that_are_no_features(tmp_path: Path, member: str) -> None:
    """Seen to fail in silence: GDAL passes over them, and their parcels were gone."""
    path = tmp_path / "a.geojson"
    path.write_text(COLLECTION % f"{FEATURE}, {member}, {FEATURE}", encoding="utf-8")
    with pytest.raises(InputError, match=r"of 3 members of features 2 are read.*Make each of them a feature"):  # fmt: skip
        read_vector(path)


@pytest.mark.parametrize(
    ("text", "there"),
    [
        (COLLECTION % f"{FEATURE} ,\n{FEATURE}", 2),
        (COLLECTION % " \n", 0),
        (FEATURE, None),
        (FEATURE[:-1] + ', "features": [1, 2, 3]}', None),  # seen to be refused: a foreign member
        ('{"type": "Point", "coordinates": [0, 0]}', None),
        (f'{{"x": {{"features": [1, 2, 3]}}, "y": [[4], 5], "z": "features", "features" : [{FEATURE}], "type": "FeatureCollection"}}', 1),
        (f'{{"title": "a \\\\\\" features [", "type": "FeatureCollection", "Features": [{FEATURE.replace('features', 'f')}]}}', 1),
    ],
)  # fmt: skip
def test_members_of_a_geojson_are_those_of_its_own_features(tmp_path: Path, text: str, there: int | None) -> None:  # fmt: skip
    path = tmp_path / "a.geojson"
    path.write_text(text, encoding="utf-8")
    counts = {members_of_features(path, at_once) for at_once in (1, 2, 3, 7, 2**20)}
    assert counts == {there}
    assert len(read_vector(path)) == (1 if there is None else there)


@pytest.mark.parametrize(
    "text",
    [
        COLLECTION.replace('"Feat', '"\\u0046eat'), COLLECTION.replace('"type"', '"\\u0074ype"'),
        COLLECTION[:-1] + ', "type": "Feature"}', '{"type": "Feature", ' + COLLECTION[1:],
    ],
)  # fmt: skip
def test_members_are_counted_whatever_the_type_is_written_like(tmp_path: Path, text: str) -> None:
    """GDAL reads them. Seen to lose one in silence where another type stands behind that of a collection."""
    path = tmp_path / "a.geojson"
    path.write_text(text % f"{FEATURE}, null", encoding="utf-8")
    with pytest.raises(InputError, match="of 2 members of features 1 are read"):
        read_vector(path)


@pytest.mark.parametrize("between", ["", " ", ",\n", "\r"])
def test_an_object_behind_the_outermost_is_refused(tmp_path: Path, between: str) -> None:
    """Seen to fail in silence: GDAL read the first feature of each such file."""
    path = tmp_path / "a.geojson"
    path.write_text(f"{FEATURE}{between}{FEATURE}\n", encoding="utf-8", newline="")
    for at_once in (1, 7, 2**20):
        with pytest.raises(InputError, match="another object stands behind the first"):
            members_of_features(path, at_once)
