"""Polygons that a run keeps in a file: as those that were read before, and read only where somebody asks for coordinates."""

from __future__ import annotations

import hashlib
import os
import struct
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from geodata_layers import voronoi
from geopandas.testing import assert_geodataframe_equal
from shapes import held_as_coordinates

from carbongrid.case.readers import geoparquet
from carbongrid.case.readers.geoparquet import write_geoparquet
from carbongrid.case.readers.kept_polygons import KeptPolygons
from carbongrid.case.readers.polygon_column import PolygonColumn
from carbongrid.errors import InputError, RunError
from carbongrid.outputs.tables.content import Table
from carbongrid.outputs.tables.digests import digest_of_table
from carbongrid.raster.polygons.outlines import Outlines, geometries_of, outlines_of

CRS = "EPSG:32651"


def land(count: int = 30) -> gpd.GeoDataFrame:
    cells = voronoi(count, 4)
    cells[1] = shapely.multipolygons([cells[1], shapely.box(-50, -50, -40, -40)])
    cells[2] -= shapely.centroid(cells[2]).buffer(1e-3)
    cells[3] = shapely.reverse(cells[3])
    cells[4] = shapely.multipolygons([cells[4]])
    held = held_as_coordinates(cells, None)
    assert isinstance(held, PolygonColumn)
    return gpd.GeoDataFrame(geometry=held).set_crs(CRS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_geoparquet(land(), tmp_path / "shapes.parquet")
    return tmp_path / "shapes.parquet"


def kept(path: Path) -> tuple[gpd.GeoDataFrame, KeptPolygons]:
    held = KeptPolygons(path)
    return gpd.GeoDataFrame(geometry=PolygonColumn(held, CRS)), held


def test_what_does_not_need_coordinates_reads_none(path):
    plain, (table, held) = land(), kept(path)
    assert len(table) == len(plain)
    assert table.crs == plain.crs
    np.testing.assert_array_equal(
        table.geometry.array.total_bounds, plain.total_bounds, strict=True
    )
    np.testing.assert_array_equal(table.geometry.array.bounds, plain.bounds.to_numpy())
    assert not table.geometry.isna().any()
    assert len(table.iloc[:0]) == 0
    joined = table.join(gpd.pd.DataFrame({"a": range(len(table))}))[["a", "geometry"]].assign(b=1)
    assert joined.copy().iloc[:].geometry.array.kept is held
    digest_of(table)
    assert held.is_unread


def test_it_is_what_was_written(path):
    plain, (table, held) = land(), kept(path)
    other = table.copy()
    assert_geodataframe_equal(table, plain)
    assert not held.is_unread
    # Read once, for all who share the column.
    assert outlines_of(other) is outlines_of(table)
    assert shapely.to_wkb(geometries_of(table, slice(0, 30))).tolist() == shapely.to_wkb(plain.geometry.to_numpy()).tolist()  # fmt: skip
    np.testing.assert_array_equal(table.geometry.array.bounds, plain.bounds.to_numpy())
    np.testing.assert_array_equal(table.geometry.array.total_bounds, plain.total_bounds)


@pytest.mark.parametrize("count", [0, 1, 30, 200])
def test_the_digest_is_that_of_the_polygons(tmp_path, monkeypatch, count):
    """Block by block, of polygons and multipolygons, backwards rings and holes."""
    monkeypatch.setattr(geoparquet, "ROWS_IN_GROUP", 7)
    plain = land(200).iloc[:count]
    write_geoparquet(plain, tmp_path / "a.parquet")
    table, held = kept(tmp_path / "a.parquet")
    parts, row = shapely.get_parts(geometries_of(plain, slice(0, count)), return_index=True)
    collections = shapely.to_wkb(shapely.multipolygons(parts, indices=row))
    binary = b"".join(struct.pack("<q", len(each)) + each for each in collections)
    assert held.digest == hashlib.sha256(binary).hexdigest()
    assert digest_of(table) == digest_of(plain) == digest_of(gpd.GeoDataFrame(geometry=geometries_of(plain, slice(0, count))))  # fmt: skip
    assert held.is_unread
    monkeypatch.setattr(KeptPolygons, "binary_of", lambda *_: pytest.fail("made twice"))
    assert digest_of(table) == digest_of(plain)
    known = PolygonColumn(KeptPolygons(tmp_path / "a.parquet", held.digest), CRS)
    assert digest_of(gpd.GeoDataFrame(geometry=known)) == digest_of(plain)


def digest_of(table: gpd.GeoDataFrame) -> str:
    return digest_of_table(Table(table, {}), by_column=True)


def test_a_column_that_is_written_to_leaves_the_others(path):
    table, _ = kept(path)
    other = table.copy()
    table.loc[0, "geometry"] = shapely.box(0, 0, 1, 1)
    assert_geodataframe_equal(other, land())
    assert outlines_of(table) is None


def test_coordinates_are_read_once_by_several_threads(path, monkeypatch):
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier

    reads, of_wkb = [], Outlines.of_wkb.__func__  # type: ignore[attr-defined]
    monkeypatch.setattr(Outlines, "of_wkb", classmethod(lambda cls, blocks: reads.append(1) or of_wkb(cls, blocks)))  # fmt: skip
    table, _ = kept(path)
    barrier = Barrier(4)

    def ask(_: int) -> Outlines | None:
        barrier.wait()
        return outlines_of(table)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ask, range(4)))
    assert len(set(map(id, found))) == len(reads) == 1


@pytest.mark.parametrize("first", [None, "bounds"])
@pytest.mark.parametrize("happens", ["other outlines", "fewer rows", "cut short", "removed"])
def test_a_file_that_is_another_one_by_now_is_refused(path, happens, first):
    """As that of a run that was replaced meanwhile is. Seen to fail: with as many rows, other outlines were taken for those whose hash was looked at."""
    table, held = kept(path)
    if first:
        assert len(held.bounds)
    other = path.with_name("other.parquet")
    shrunk = land().set_geometry(land().buffer(-1)).iloc[: 20 if happens == "fewer rows" else 30]
    write_geoparquet(shrunk, other)
    if happens == "cut short":
        other.write_bytes(path.read_bytes()[:-300])
    other.replace(path)
    if happens == "removed":
        path.unlink()
    asked = [lambda: outlines_of(table), lambda: digest_of_table(Table(table, {}))]
    for ask in asked if first else [*asked, lambda: table.geometry.array.bounds]:
        with pytest.raises(RunError, match=r"shapes\.parquet was changed, moved or removed after it was opened\. Do it again"):  # fmt: skip
            ask()


def test_what_only_has_a_second_name_is_the_same(path):
    """A run gives what it takes over another name."""
    table, _ = kept(path)
    os.link(path, path.with_name("second.parquet"))
    assert outlines_of(table) is not None


def test_a_file_that_is_damaged_is_told_as_such(path):
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(InputError, match="the footer of the file cannot be read"):
        KeptPolygons(path)
