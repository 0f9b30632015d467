"""A column of polygons held as coordinates: GeoPandas answers as of any other column."""

from __future__ import annotations

import pickle

import geopandas as gpd
import numpy as np
import pytest
import shapely
from geodata_layers import voronoi
from geopandas.testing import assert_geodataframe_equal
from shapes import held_as_coordinates

import carbongrid as cg
from carbongrid.case.readers.polygon_column import PolygonColumn
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.polygons.outlines import Outlines, geometries_of, outlines_of
from carbongrid.sources.demo import write_city

CRS = "EPSG:32651"


def both() -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """A table with its geometry as GeoPandas has it, and as coordinates."""
    cells = voronoi(30, 4)
    cells[1] = shapely.multipolygons([cells[1], shapely.box(-50, -50, -40, -40)])
    cells[2] -= shapely.centroid(cells[2]).buffer(1e-3)
    columns = {"id": [f"{i:02d}" for i in range(len(cells))], "area": shapely.area(cells)}
    plain = gpd.GeoDataFrame(columns, geometry=cells, crs=CRS)
    column = held_as_coordinates(cells.copy(), plain.crs)
    assert isinstance(column, PolygonColumn)
    return plain, gpd.GeoDataFrame(columns, geometry=column)


@pytest.mark.parametrize(
    "asked",
    [
        lambda table: table.iloc[3:9],
        lambda table: table.iloc[::-2],
        lambda table: table.iloc[[7, 0, -1]],
        lambda table: table[table["area"] > table["area"].median()],
        lambda table: table.sort_values("area"),
        lambda table: table.reindex(range(25, 35)),
        lambda table: table.to_crs(4326),
        lambda table: table.assign(geometry=table.geometry.buffer(1)),
        lambda table: table.dissolve(by=table["area"] > 0),
        lambda table: table.merge(table[["id"]], on="id"),
        lambda table: table.overlay(table.iloc[[4]][["geometry"]], keep_geom_type=False),
        lambda table: pickle.loads(pickle.dumps(table)),
    ],
)  # fmt: skip
def test_a_table_answers_as_with_any_other_column(asked):
    """Seen to fail when a slice with a step is taken for a view, and when a row that is not there is the last one."""
    plain, held = both()
    assert_geodataframe_equal(asked(held), asked(plain))


def test_what_is_asked_of_the_column_itself():
    plain, held = both()
    known, column = plain.geometry.array, held.geometry.array
    assert np.array_equal(column.bounds, known.bounds)
    assert np.array_equal(column.total_bounds, known.total_bounds)
    assert len(column) == column.size == len(known)
    assert not column.isna().any()
    assert column[-1] == known[-1]
    assert column[np.int64(3)] == known[3]
    assert column.nbytes >= 16 * int(shapely.get_num_coordinates(known._data).sum())
    with pytest.raises(IndexError):
        column[len(column)]


def test_columns_are_kept_and_rows_that_follow_each_other_are_a_view():
    _, held = both()
    whole = outlines_of(held)
    assert whole is not None
    for same in (held.copy(), held.astype({"area": str}), held.reset_index(drop=True), held[["id", "geometry"]]):  # fmt: skip
        assert outlines_of(same) is whole
    part = outlines_of(held.iloc[3:9])
    assert part is not None
    assert np.shares_memory(part.polygons.x, whole.polygons.x)
    assert outlines_of(held.iloc[[3, 4]]) is None


def test_only_the_rows_that_are_asked_for_are_made(monkeypatch):
    plain, held = both()
    made: list[int] = []
    true = Outlines._made
    monkeypatch.setattr(Outlines, "_made", lambda self: made.append(len(self)) or true(self))
    rows = np.array([4, 9])
    assert geometries_of(held, rows).tolist() == plain.geometry.iloc[rows].tolist()
    assert geometries_of(held, plain["area"] > 0).size == len(plain)
    assert held.geometry.iloc[5] == plain.geometry.iloc[5]
    assert list(held.geometry) == list(plain.geometry)
    assert made == [2, len(plain), 1, len(plain)]


def test_the_engine_takes_what_is_held():
    """Caught: the CRS or the ids of another table; coordinates copied."""
    plain, held = both()
    ours, theirs = Polygons.of(held), Polygons.of(plain)
    assert ours.content_hash == theirs.content_hash
    assert np.array_equal(ours.bounds, theirs.bounds)
    assert np.shares_memory(ours.x, held.geometry.array.outlines.polygons.x)
    assert Polygons.of(held.geometry.iloc[2:5]).content_hash == Polygons.of(plain.geometry.iloc[2:5]).content_hash  # fmt: skip


def test_what_is_written_to_is_a_column_of_its_own():
    """Seen to fail when copies and views are written to as well."""
    plain, held = both()
    copy, view, other = held.copy(), held.iloc[:4], shapely.box(0, 0, 1, 1)
    held.loc[2, "geometry"] = other
    assert held.geometry.tolist() == [*plain.geometry[:2], other, *plain.geometry[3:]]
    assert_geodataframe_equal(copy, plain)
    assert_geodataframe_equal(view, plain.iloc[:4])
    assert outlines_of(held) is None


def test_no_run_or_check_asks_for_all_geometries_at_once(tmp_path, monkeypatch):
    """Seen to fail: types of parcels counted by grouping the whole table."""

    def refuse(column: PolygonColumn) -> np.ndarray:
        assert not column.size, "all geometries are made"
        return np.empty(0, object)

    case = write_city(tmp_path / "city", size="small")
    monkeypatch.setattr(PolygonColumn, "_data", property(refuse))
    cg.check(case)
    for _ in range(2):
        result = cg.run(case, tmp_path / "run", replace=True)
        totals = tmp_path / "city" / "totals.csv"
        totals.write_text(totals.read_text(encoding="utf-8").replace(",1", ",2"), encoding="utf-8")
    assert len(result.units)
