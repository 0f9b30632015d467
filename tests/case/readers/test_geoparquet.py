"""GeoParquet in batches and groups: what GeoPandas reads and writes, some rows at a time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
import shapely
from geodata_layers import voronoi
from geopandas.testing import assert_geodataframe_equal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import Point

from carbongrid.case.readers import geoparquet
from carbongrid.case.readers.geoparquet import read_geoparquet, write_geoparquet
from carbongrid.case.readers.vector import fields_of, read_vector
from carbongrid.errors import InputError


def land(count: int = 40) -> gpd.GeoDataFrame:
    cells = voronoi(count, 3)
    cells[1] = shapely.multipolygons([cells[1], shapely.box(-50, -50, -40, -40)])
    columns = {"id": [f"{i:03d}" for i in range(len(cells))], "area": shapely.area(cells)}
    return gpd.GeoDataFrame(columns, geometry=cells, crs="EPSG:4549")


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


def test_geopandas_reads_what_is_written(tmp_path: Path) -> None:
    frame = land()
    write_geoparquet(
        frame, tmp_path / "a.parquet", lambda rows: rows.assign(twice=rows["area"] * 2)
    )
    found = gpd.read_parquet(tmp_path / "a.parquet")
    assert_geodataframe_equal(found.drop(columns=["twice"]), frame)
    assert np.array_equal(found["twice"], 2 * frame["area"])
    assert "bbox" not in read_geoparquet(tmp_path / "a.parquet", "geometry")
    file = parquet.ParquetFile(tmp_path / "a.parquet")
    assert file.num_row_groups == -(-len(frame) // 11)
    told = json.loads(file.schema_arrow.metadata[b"geo"])["columns"]["geometry"]
    assert told["bbox"] == frame.total_bounds.tolist()
    assert told["geometry_types"] == ["MultiPolygon", "Polygon"]
    near = gpd.read_parquet(tmp_path / "a.parquet", bbox=(-60, -60, -30, -30))
    assert near["id"].tolist() == ["001"]


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


TEXTS = st.none() | st.lists(st.sampled_from(["a", "b > c", ""]), max_size=3)
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
    assert set(names) <= set(fields_of(path, None))
    insides = [row and row["inner"] for row in rows]
    texts = [inside and inside["texts"] for inside in insides]
    expected = [
        [inside and inside["text"] for inside in insides],
        flat,
        [None if some is None else " > ".join(some) for some in texts],
    ]
    for name, values in zip(names, expected, strict=True):
        told = found[name].astype(object).where(found[name].notna(), None).tolist()
        assert told == values, name
    assert found.geometry.x.tolist() == list(range(len(rows)))
