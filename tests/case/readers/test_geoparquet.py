"""GeoParquet in batches and groups: what GeoPandas reads and writes, some rows at a time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
import shapely
from geodata_layers import voronoi
from geopandas.testing import assert_geodataframe_equal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import Point
from shapes import held_as_coordinates

from carbongrid.case.readers import geoparquet
from carbongrid.case.readers.geoparquet import (
    read_geoparquet,
    write_beside_geometry,
    write_geoparquet,
)
from carbongrid.case.readers.polygon_column import PolygonColumn
from carbongrid.case.readers.vector import read_vector
from carbongrid.errors import InputError


def land(count: int = 40) -> gpd.GeoDataFrame:
    cells = voronoi(count, 3)
    cells[1] = shapely.multipolygons([cells[1], shapely.box(-50, -50, -40, -40)])
    columns = {"id": [f"{i:03d}" for i in range(len(cells))], "area": shapely.area(cells)}
    return gpd.GeoDataFrame(columns, geometry=cells, crs="EPSG:4549")


def columns_of(path: Path) -> list[str]:
    """Return the columns that can be chosen of a file."""
    known: list[str] = []
    read_vector(path, columns=lambda names: known.extend(names) or ())
    return known


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geoparquet, "ROWS", 7)
    monkeypatch.setattr(geoparquet, "ROWS_IN_GROUP", 11)


@pytest.mark.parametrize("encoding", ["WKB", "geoarrow"])
def test_it_is_read_as_geopandas_reads_it(tmp_path: Path, encoding: str) -> None:
    frame = land()
    frame.loc[5, "geometry"] = None
    if encoding == "geoarrow":
        frame = frame[frame.geom_type == "Polygon"].reset_index(drop=True)
    frame.rename_geometry("shape").to_parquet(
        tmp_path / "a.parquet", geometry_encoding=encoding, schema_version="1.1.0"
    )
    found = read_geoparquet(tmp_path / "a.parquet", "shape")
    assert_geodataframe_equal(found, gpd.read_parquet(tmp_path / "a.parquet"))
    assert list(read_geoparquet(tmp_path / "a.parquet", "shape", ["id"])) == ["id", "shape"]


def twice(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(twice=rows["area"] * 2)


def written_beside(frame: gpd.GeoDataFrame, path: Path) -> None:
    """Write the geometry, then the columns beside it."""
    shapes = path.with_name("shapes.parquet")
    write_geoparquet(frame[["geometry"]], shapes)
    write_beside_geometry(shapes, pd.DataFrame(frame.drop(columns="geometry")), path, twice, "id")


@pytest.mark.parametrize("beside", [False, True])
def test_geopandas_reads_what_is_written(tmp_path: Path, beside: bool) -> None:
    frame = land()
    path = tmp_path / "a.parquet"
    if beside:
        written_beside(frame, path)
        assert sorted(each.name for each in tmp_path.iterdir()) == ["a.parquet", "shapes.parquet"]
    else:
        write_geoparquet(gpd.GeoDataFrame(twice(frame)), path)
    found = gpd.read_parquet(path)
    assert_geodataframe_equal(found.drop(columns=["twice"])[list(frame)], frame)
    assert np.array_equal(found["twice"], 2 * frame["area"])
    assert "bbox" not in read_geoparquet(path, "geometry")
    file = parquet.ParquetFile(path)
    assert file.num_row_groups == -(-len(frame) // 11)
    told = json.loads(file.schema_arrow.metadata[b"geo"])["columns"]["geometry"]
    assert told["bbox"] == frame.total_bounds.tolist()
    assert told["geometry_types"] == ["MultiPolygon", "Polygon"]
    near = gpd.read_parquet(path, bbox=(-60, -60, -30, -30))
    assert near["id"].tolist() == ["001"]


@pytest.mark.parametrize("rows", [0, 1, 40])
def test_columns_beside_a_geometry_are_a_table_as_any_other(tmp_path: Path, rows: int) -> None:
    """The same schema, and the same of each column, as if all had been written at once."""
    frame = land().iloc[:rows]
    written_beside(frame, tmp_path / "a.parquet")
    order = [*frame.columns[: frame.columns.get_loc("id") + 1], "geometry"]
    order += [name for name in [*frame.columns, "twice"] if name not in order]
    write_geoparquet(gpd.GeoDataFrame(twice(frame))[order], tmp_path / "b.parquet")
    ours, whole = (parquet.ParquetFile(tmp_path / f"{name}.parquet") for name in "ab")
    assert ours.schema_arrow.equals(whole.schema_arrow, check_metadata=True)
    assert ours.read().equals(whole.read())
    for group in range(ours.num_row_groups):
        for place in range(ours.metadata.num_columns):
            mine, other = (each.metadata.row_group(group).column(place).to_dict() for each in (ours, whole))  # fmt: skip
            places = ("file_offset", "dictionary_page_offset", "data_page_offset")
            assert {k: v for k, v in mine.items() if k not in places} == {k: v for k, v in other.items() if k not in places}  # fmt: skip


@pytest.mark.filterwarnings("ignore:The 'future.infer_string' option")
def test_text_is_text_where_pandas_keeps_it_as_objects(tmp_path: Path) -> None:
    """Seen to end in ArrowInvalid: a column without rows had no type."""
    write_geoparquet(land(), tmp_path / "known.parquet")
    with pd.option_context("future.infer_string", False):
        frame = land().assign(nothing=None)
        assert frame["id"].dtype == object
        write_geoparquet(frame, tmp_path / "made.parquet")
        written_beside(frame.drop(columns="nothing"), tmp_path / "beside.parquet")
        assert (
            read_geoparquet(tmp_path / "made.parquet", "geometry")["id"].tolist()
            == frame["id"].tolist()
        )
    for name in ("made", "beside"):
        assert parquet.read_schema(tmp_path / f"{name}.parquet").field("id").type == parquet.read_schema(tmp_path / "known.parquet").field("id").type  # fmt: skip


def test_columns_of_other_rows_are_refused(tmp_path: Path) -> None:
    """And no half a file is left beside."""
    frame = land()
    write_geoparquet(frame[["geometry"]].iloc[:-1], tmp_path / "shapes.parquet")
    columns = pd.DataFrame(frame.drop(columns="geometry"))
    with pytest.raises(
        InputError,
        match=r"39 rows in 4 groups are not those of a\.parquet\.columns, 40 rows in 4 groups",
    ):
        write_beside_geometry(tmp_path / "shapes.parquet", columns, tmp_path / "a.parquet", twice, "id")  # fmt: skip
    assert [each.name for each in tmp_path.iterdir()] == ["shapes.parquet"]


def test_no_rows_are_written_and_read(tmp_path: Path) -> None:
    write_geoparquet(land().iloc[:0], tmp_path / "a.parquet")
    found = read_geoparquet(tmp_path / "a.parquet", "geometry", ["id", "area"])
    assert len(found) == 0
    assert found.crs == "EPSG:4549"


def with_covering(path: Path, covering: object) -> None:
    """Write a file whose metadata says so of its bounds."""
    land().to_parquet(path)
    table = parquet.read_table(path)
    told = json.loads(table.schema.metadata[b"geo"])
    told["columns"]["geometry"]["covering"] = covering
    table = table.replace_schema_metadata({**table.schema.metadata, b"geo": json.dumps(told)})
    parquet.write_table(table, path)


@pytest.mark.parametrize("covering", [None, {}, {"bbox": None}])
def test_a_covering_of_nothing_is_none(tmp_path: Path, covering: object) -> None:
    """Caught: a traceback, of a file that GeoPandas reads."""
    with_covering(tmp_path / "a.parquet", covering)
    assert_geodataframe_equal(read_vector(tmp_path / "a.parquet"), land())


@pytest.mark.parametrize("covering", [[1], {"bbox": 3}, {"bbox": {"xmin": 3}}, "bbox"])
def test_a_covering_of_another_shape_is_an_error_in_words(tmp_path: Path, covering: object) -> None:
    with_covering(tmp_path / "a.parquet", covering)
    with pytest.raises(InputError, match=r"a\.parquet: the file cannot be read"):
        read_vector(tmp_path / "a.parquet")


TEXTS = st.none() | st.lists(st.sampled_from(["a", "b > c", "", None]), max_size=3)
INNER = st.none() | st.fixed_dictionaries({"text": st.none() | st.sampled_from("xyz"), "texts": TEXTS})  # fmt: skip
OUTER = st.none() | st.fixed_dictionaries({"inner": INNER, "number": st.none() | st.integers(0, 9)})


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(OUTER, min_size=1, max_size=9), encoding=st.sampled_from(["WKB", "geoarrow"]))
def test_fields_of_structs_are_columns(
    rows: list[dict[str, Any] | None], encoding: Literal["WKB", "geoarrow"], tmp_path_factory: pytest.TempPathFactory
) -> None:  # fmt: skip
    """As Python walks the rows: whatever is null on the way, the field is; a list of texts is one text; a flat column of the same name comes first."""
    path = tmp_path_factory.mktemp("nested") / "a.parquet"
    inner = pa.struct([("text", pa.string()), ("texts", pa.list_(pa.string()))])
    nested = pa.array(rows, pa.struct([("inner", inner), ("number", pa.int64())]))
    flat = [f"flat {row}" for row in range(len(rows))]
    frame = gpd.GeoDataFrame({"outer.number": flat}, geometry=[Point(row, 0) for row in range(len(rows))], crs=4326)  # fmt: skip
    frame.to_parquet(path, geometry_encoding=encoding)
    table = parquet.read_table(path)
    parquet.write_table(table.append_column("outer", nested), path)
    names = ["outer.inner.text", "outer.number", "outer.inner.texts"]
    found = read_vector(path, columns=names)
    assert list(found.columns) == [*names, "geometry"]
    assert set(columns_of(path)) == {*names}
    insides = [row and row["inner"] for row in rows]
    texts = [inside and inside["texts"] for inside in insides]
    expected = [
        [inside and inside["text"] for inside in insides],
        flat,
        [None if some is None else " > ".join(one for one in some if one is not None) for some in texts],
    ]  # fmt: skip
    for name, values in zip(names, expected, strict=True):
        told = found[name].astype(object).where(found[name].notna(), None).tolist()
        assert told == values, name
    assert found.geometry.x.tolist() == list(range(len(rows)))


def with_columns(path: Path, **columns: pa.Array) -> Path:
    """Write a file of two points and these columns."""
    points = gpd.GeoDataFrame(geometry=[Point(0, 0), Point(1, 1)], crs=4326)
    points.to_parquet(path, schema_version="1.1.0", write_covering_bbox=True)
    table = parquet.read_table(path)
    for name, column in columns.items():
        table = table.append_column(name, column)
    parquet.write_table(table, path)
    return path


@pytest.mark.parametrize(
    "kind",
    [
        pa.large_list(pa.string()),
        pa.list_(pa.large_string()),
        pa.list_(pa.string_view()),
        pa.list_(pa.dictionary(pa.int32(), pa.string())),
        pa.list_view(pa.string()),
        pa.list_(pa.string(), 3),
    ],
    ids=str,
)
def test_lists_of_texts_of_any_kind_are_one_text(tmp_path: Path, kind: pa.DataType) -> None:
    """Caught: arrays in the cells, and a message of numbers."""
    way = pa.array([["a", None, "b"], None], kind)
    way = pa.StructArray.from_arrays([way], names=["way"])
    try:
        path = with_columns(tmp_path / "a.parquet", top=way.field("way"), inner=way)
        parquet.read_table(path)
    except pa.ArrowException as error:
        pytest.skip(f"this release of Arrow does not write and read {kind}: {error}")
    found = read_vector(path, columns=["top", "inner.way"])
    for name in ("top", "inner.way"):
        assert found[name].fillna("none").tolist() == ["a > b", "none"]


def test_other_lists_and_maps_are_no_columns(tmp_path: Path) -> None:
    """They hold no text and no number; the bounds, and points that are stored as a struct, are the geometry's own."""
    several = {
        "numbers": pa.array([[1], [2]]),
        "structs": pa.array([[{"a": 1}], None]),
        "tags": pa.array([[("a", "b")], None], pa.map_(pa.string(), pa.string())),
    }
    path = with_columns(tmp_path / "a.parquet", name=pa.array(["x", "y"]), **several)
    assert columns_of(path) == ["name"]
    assert set(several) < set(read_vector(path).columns)
    for name, kind in (("numbers", "list"), ("structs", "list"), ("tags", "map")):
        with pytest.raises(InputError, match=rf"column '{name}' holds a {kind} in each row, which is no text.*The columns are: name\."):  # fmt: skip
            read_vector(path, columns=[name])


def test_a_struct_whose_name_has_a_dot(tmp_path: Path) -> None:
    """Caught: the struct itself, for the field of another one. What two ways lead to is refused, with both."""
    dotted = pa.array([{"x": 1}, {"x": 2}])
    path = with_columns(tmp_path / "a.parquet", **{"a.b": dotted}, a=pa.array([{"b": "p"}, {"b": "q"}]))  # fmt: skip
    found = read_vector(path, columns=["a.b", "a.b.x"])
    assert (found["a.b"].tolist(), found["a.b.x"].tolist()) == (["p", "q"], [1, 2])
    both = pa.array([{"b": {"x": 3}}, {"b": {"x": 4}}])
    path = with_columns(tmp_path / "a.parquet", **{"a.b": dotted}, a=both)
    with pytest.raises(InputError, match=r"two fields are called 'a\.b\.x': x in a\.b, and x in b in a"):  # fmt: skip
        read_vector(path, columns=["a.b.x"])


@pytest.mark.parametrize("limit", [2**31 - 1, 10])
@pytest.mark.parametrize(
    "texts",
    [
        ["POLYGON ((0 0, 1 0, 1 1, 0 0))", "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((5 5, 6 5, 6 6, 5 5)))"],
        ["POLYGON Z ((0 0 1, 1 0 2, 1 1 3, 0 0 1))"],
        ["POLYGON M ((0 0 1, 1 0 2, 1 1 3, 0 0 1))"],
        ["POLYGON ZM ((0 0 1 4, 1 0 2 5, 1 1 3 6, 0 0 1 4))"],
        ["POLYGON ((0 0, 9 0, 9 9, 0 0), (4 1, 5 1, 5 2, 4 1))", "POLYGON EMPTY"],
        ["POLYGON ((0 0, 1 0, 1 1, 0 0))", None],
        [],
    ],
)  # fmt: skip
def test_geometry_is_written_as_shapely_writes_it(texts, limit, monkeypatch):
    """Seen to fail: what is measured along lines was left out."""
    monkeypatch.setattr(geoparquet, "_ARROW_LIMIT", limit)
    geometry = np.array([shapely.from_wkt(text) for text in texts], dtype=object)
    expected = pa.array(shapely.to_wkb(geometry), pa.binary())
    for column in (geometry, held_as_coordinates(geometry.copy(), None)):
        written = geoparquet._binary_of(gpd.GeoSeries(column))
        written.validate(full=True)
        assert written.equals(expected)


def test_polygons_are_read_as_coordinates_and_anything_else_as_it_is(tmp_path):
    """Seen to fail: what a run had kept of other geometry could not be read again."""
    for name, geometry in (("land", land().geometry), ("points", gpd.GeoSeries([Point(1, 2)], crs=3857))):  # fmt: skip
        path = tmp_path / f"{name}.parquet"
        write_geoparquet(gpd.GeoDataFrame(geometry=geometry), path)
        read = geoparquet.read_polygons(path, geometry.crs)
        assert isinstance(read, PolygonColumn) == (name == "land")
        assert shapely.to_wkb(read).tolist() == geometry.to_wkb().tolist()
        assert read.crs == geometry.crs


@pytest.mark.parametrize("name", ["geometry", "shape"])
@pytest.mark.parametrize("columns", [None, ["area"], []])
def test_polygons_are_held_as_coordinates_where_it_is_asked_for(tmp_path, name, columns):
    """Seen to fail when the first batch is all that is read, and when they are held unasked."""
    frame = land() if name == "geometry" else land().rename_geometry(name)
    frame.to_parquet(tmp_path / "a.parquet")
    found = read_geoparquet(tmp_path / "a.parquet", name, columns, as_coordinates=True)
    plain = read_geoparquet(tmp_path / "a.parquet", name, columns)
    assert isinstance(found.geometry.array, PolygonColumn)
    assert not isinstance(plain.geometry.array, PolygonColumn)
    assert_geodataframe_equal(found, plain)
    assert found.geometry.to_wkb().tolist() == frame.geometry.to_wkb().tolist()
    assert found.crs == frame.crs


@pytest.mark.parametrize("row", [0, 6, 7, 39])
@pytest.mark.parametrize(
    "odd",
    [
        None,
        "POLYGON EMPTY",
        "MULTIPOLYGON EMPTY",
        "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), EMPTY)",
        "POLYGON ((0 0, 9 0, 9 9, 0 0), EMPTY)",
        "POLYGON Z ((0 0 1, 1 0 2, 1 1 3, 0 0 1))",
        "POINT (1 2)",
        "GEOMETRYCOLLECTION (POLYGON ((0 0, 1 0, 1 1, 0 0)))",
        "POLYGON ((0 0, 1e101 0, 1 1, 0 0))",
        "POLYGON ((0 0, 1 0, 0 0, 0 0))",
        "POLYGON ((0 0, 1 1, 1 0, 0 1, 0 0))",
    ],
)
def test_with_anything_else_among_them_all_are_read_as_before(tmp_path, row, odd):
    """In the first batch or the last. What is not valid, but can be held, is held. Seen to fail when what cannot be held is refused."""
    frame = land()
    frame.loc[row, "geometry"] = None if odd is None else shapely.from_wkt(odd)
    frame.to_parquet(tmp_path / "a.parquet")
    found = read_geoparquet(tmp_path / "a.parquet", "geometry", as_coordinates=True)
    assert found.geometry.to_wkb().tolist() == frame.geometry.to_wkb().tolist()
    assert found["id"].tolist() == frame["id"].tolist()
    can_be_held = odd in {"POLYGON ((0 0, 1 0, 0 0, 0 0))", "POLYGON ((0 0, 1 1, 1 0, 0 1, 0 0))"}
    assert isinstance(found.geometry.array, PolygonColumn) == can_be_held


def test_no_rows_and_other_encodings_as_coordinates(tmp_path):
    land().iloc[:0].to_parquet(tmp_path / "none.parquet")
    none = read_geoparquet(tmp_path / "none.parquet", "geometry", as_coordinates=True)
    assert (len(none), none.crs) == (0, "EPSG:4549")
    frame = land()
    frame = frame[frame.geom_type == "Polygon"].reset_index(drop=True)
    frame.to_parquet(tmp_path / "arrow.parquet", geometry_encoding="geoarrow")
    arrow = read_geoparquet(tmp_path / "arrow.parquet", "geometry", as_coordinates=True)
    assert_geodataframe_equal(arrow, frame)


def test_big_endian_binary_is_read_as_before(tmp_path):
    """Seen to fail when it is refused, as binary that is taken apart."""
    land().to_parquet(tmp_path / "a.parquet")
    table = parquet.read_table(tmp_path / "a.parquet")
    swapped = pa.array(shapely.to_wkb(land().geometry.to_numpy(), byte_order=0), pa.binary())
    where = table.column_names.index("geometry")
    table = table.set_column(where, table.schema.field(where), swapped)
    parquet.write_table(table, tmp_path / "a.parquet")
    found = read_geoparquet(tmp_path / "a.parquet", "geometry", as_coordinates=True)
    assert_geodataframe_equal(found, land())


@pytest.mark.parametrize("encoding", ["WKB", "geoarrow"])
def test_a_column_that_pandas_made_the_index_is_a_column(tmp_path: Path, encoding: str) -> None:
    """Seen to fail: a KeyError that called itself a fault of the package."""
    frame = land()
    frame = frame[frame.geom_type == "Polygon"].reset_index(drop=True)
    frame.set_index("id").to_parquet(tmp_path / "a.parquet", geometry_encoding=encoding, schema_version="1.1.0")  # fmt: skip
    found = read_geoparquet(tmp_path / "a.parquet", "geometry", ["id"])
    assert found["id"].tolist() == frame["id"].tolist()
    assert found.index.tolist() == list(range(len(frame)))
    assert set(read_geoparquet(tmp_path / "a.parquet", "geometry")) == set(frame)
