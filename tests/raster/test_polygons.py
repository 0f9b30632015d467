"""Polygons: what goes in comes out, slices are slices, equal content has equal hashes."""

from __future__ import annotations

import pickle
import shutil
import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely
from dask.base import tokenize
from hypothesis import example, given
from hypothesis import strategies as st
from shapes import CRS, grids, partition, polygons, windows

from carbongrid.errors import InputError
from carbongrid.raster.grid import Grid
from carbongrid.raster.labels import burn_window
from carbongrid.raster.polygons import Excerpt, Polygons, require_same_crs, sets
from carbongrid.raster.polygons.entry import multipolygons_of_wkb, wkb_of
from carbongrid.raster.polygons.sets import open_saved
from carbongrid.raster.polygons.tiles import inverse_of

SHAPES = np.array(
    [
        shapely.box(0, 0, 4, 4) - shapely.box(1, 1, 2, 2),
        None,
        shapely.MultiPolygon(
            [shapely.box(5, 0, 6, 1), shapely.box(7, 0, 9, 1) - shapely.box(7.5, 0.2, 8, 0.8)]
        ),
        shapely.Polygon(),
        shapely.Polygon([(0, 5, 9), (1, 5, 9), (1, 6, 9)]),
        shapely.MultiPolygon([shapely.Polygon(), shapely.box(0, 8, 1, 9)]),
    ],
    dtype=object,
)


def test_geometry_comes_back():
    back = Polygons.of(SHAPES).geometries()
    assert len(back) == 6
    assert back[1] is None
    assert back[3] is None
    for i in (0, 2, 4, 5):
        assert shapely.equals(shapely.force_2d(SHAPES[i]), back[i])


@pytest.mark.parametrize("rows", [slice(1, 4), slice(0, 6), slice(4, 2), slice(-2, None)])
def test_a_block_is_what_is_taken_of_its_rows(rows, tmp_path):
    """Seen to fail of saved polygons, whose rows are stored in another order."""
    made = Polygons.of(SHAPES, CRS)
    made.save(tmp_path / "saved")
    for polygons_of_all in (made, Polygons.open(tmp_path / "saved")):
        block, taken = polygons_of_all.block(rows), made.take(np.arange(6)[rows])
        assert block.content_hash == taken.content_hash
        assert np.array_equal(block.bounds, taken.bounds, equal_nan=True)
    assert np.shares_memory(made.block(slice(0, 3)).x, made.x)


@given(polygons(most=6), st.data())
def test_take_equals_polygons_of_those_rows(shapes, data):
    """Seen to fail when the starts of parts are not moved, and when bounds keep all rows."""
    rows = data.draw(st.lists(st.integers(0, len(shapes) - 1), max_size=8))
    taken, made = Polygons.of(shapes, CRS).take(rows), Polygons.of(shapes[rows], CRS)
    assert taken.content_hash == made.content_hash
    assert np.array_equal(taken.bounds, made.bounds, equal_nan=True)


@given(polygons(most=6), grids(), st.integers(1, 7), st.data())
def test_a_tile_needs_only_its_own_polygons(shapes, grid, size, data):
    """Seen to fail when the last tile of a polygon is left out."""
    everything = Polygons.of(shapes)
    tiles = everything.tiles(grid, size)
    tile = data.draw(st.integers(0, tiles.shape[0] * tiles.shape[1] - 1))
    corner = (tile // tiles.shape[1] * size, tile % tiles.shape[1] * size)
    rows = tiles.touching(tile)
    assert rows.tolist() == sorted(set(rows.tolist()))
    few = burn_window(everything.take(rows), grid, corner, (size, size), rows + 1)
    assert np.array_equal(few, burn_window(everything, grid, corner, (size, size)))


def test_tiles_name_few_polygons_in_vain():
    shapes = partition(400, 1000.0, 1)
    tiles = Polygons.of(shapes).tiles(Grid(CRS, 1, (0, 0, 1000, 1000)), 250)
    assert len(shapes) < tiles.rows.size < 2 * len(shapes)


def test_pickles_and_stays_frozen():
    made = Polygons.of(SHAPES, CRS)
    back = pickle.loads(pickle.dumps(made))
    assert back.content_hash == made.content_hash
    assert tokenize(back) == tokenize(made)
    with pytest.raises(ValueError, match="read-only"):
        back.x[0] = 1.0
    with pytest.raises(AttributeError):
        back.crs = None


@given(polygons(most=6), st.sampled_from(["iso", "extended"]), st.booleans())
def test_binary_gives_the_same_polygons(shapes, flavor, arrow):
    """Seen to fail when Z is taken for the next x, and when an empty part counts."""
    made = Polygons.of(shapes, CRS)
    high = shapely.force_3d(shapes, 7.0) if flavor == "iso" else shapely.set_srid(shapes, 3035)
    raw = shapely.to_wkb(high, flavor=flavor, include_srid=flavor == "extended")
    found = Polygons.of_wkb(pa.array(raw, pa.binary()) if arrow else raw, CRS)
    assert found.content_hash == made.content_hash
    assert np.array_equal(found.bounds, made.bounds, equal_nan=True)


def test_binary_of_a_geoparquet_column(tmp_path):
    import pyarrow.parquet as pq

    frame = gpd.GeoDataFrame({"id": list("abcdef")}, geometry=SHAPES, crs=CRS)
    frame.to_parquet(tmp_path / "p.parquet")
    table = pq.read_table(tmp_path / "p.parquet")
    expected = Polygons.of(frame).content_hash
    for column in (table["geometry"], table["geometry"].combine_chunks().cast(pa.large_binary())):
        assert Polygons.of_wkb(column, CRS, table["id"]).content_hash == expected
    sliced = Polygons.of_wkb(table["geometry"].slice(2, 3), CRS, table["id"].slice(2, 3))
    assert sliced.content_hash == Polygons.of(frame.iloc[2:5]).content_hash


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (shapely.to_wkb(shapely.Point(1, 2)), "neither polygon nor multipolygon"),
        (shapely.to_wkb(SHAPES[0])[:-3], "ends before its geometry does"),
        (shapely.to_wkb(SHAPES[2])[:100], "ends before its geometry does"),
        (b"\x01\x03", "ends before its geometry does"),
        (shapely.to_wkb(SHAPES[0], byte_order=0), "not little-endian"),
        (shapely.to_wkb(SHAPES[0])[:-16] + bytes(16), None),
        (shapely.to_wkb(SHAPES[0])[:-16] + b"\x11" * 16, "a ring that is not closed"),
        (shapely.to_wkb(shapely.Polygon([(0, 0), (np.inf, 0), (1, 1)])), "NaN or infinite"),
    ],
)
def test_bad_binary_is_refused(raw, says):
    values = np.array([shapely.to_wkb(SHAPES[0]), raw], dtype=object)
    with pytest.raises(InputError, match=says or "not closed"):
        Polygons.of_wkb(values)


@given(polygons(most=6))
def test_saved_polygons_are_the_same(shapes):
    """Seen to fail when rows keep the order of the file, and when missing rows are left out of it."""
    made = Polygons.of(shapes, CRS)
    with tempfile.TemporaryDirectory() as folder:
        made.save(Path(folder) / "set")
        back = Polygons.open(Path(folder) / "set")
        rows = np.arange(len(made))[::-1]
        assert back.content_hash == made.content_hash == back.take(range(len(made))).content_hash
        assert back.take(rows).content_hash == made.take(rows).content_hash
        assert tokenize(back) == tokenize(made)
        assert np.array_equal(back.bounds, made.bounds, equal_nan=True)
        grid = Grid(CRS, 1, (0, 0, 12, 12))
        assert np.array_equal(
            burn_window(back, grid, (0, 0), (12, 12)), burn_window(made, grid, (0, 0), (12, 12))
        )
        assert [each is None for each in back.geometries()] == [
            each is None for each in made.geometries()
        ]


def test_saved_polygons_travel_as_their_path(tmp_path):
    frame = gpd.GeoDataFrame({"id": ["07", "8"]}, geometry=[SHAPES[0], SHAPES[2]], crs=CRS)
    Polygons.of(frame).save(tmp_path / "set")
    opened = Polygons.open(tmp_path / "set")
    assert opened.ids.tolist() == ["07", "8"]
    assert opened.crs == CRS
    raw = pickle.dumps(opened)
    assert len(raw) < 400
    assert pickle.loads(raw) is opened
    with pytest.raises(InputError, match="exists already"):
        opened.save(tmp_path / "set")
    shutil.rmtree(tmp_path / "set")
    Polygons.of(SHAPES).save(tmp_path / "set")
    with pytest.raises(InputError, match="other polygons by now"):
        pickle.loads(raw)


def test_damaged_directories_are_refused(tmp_path):
    with pytest.raises(InputError, match="no saved polygons"):
        Polygons.open(tmp_path)
    with pytest.raises(InputError, match="neither text nor a whole number"):
        Polygons.of(gpd.GeoSeries(SHAPES[:1], index=[1.5], crs=CRS)).save(tmp_path / "odd")
    Polygons.of(SHAPES).save(tmp_path / "set")
    (tmp_path / "set" / "x.npy").write_bytes((tmp_path / "set" / "x.npy").read_bytes()[:-8])
    with pytest.raises(InputError, match="x is damaged"):
        Polygons.open(tmp_path / "set")
    np.save(tmp_path / "set" / "x.npy", np.zeros(3))
    with pytest.raises(InputError, match="x is not what was saved"):
        Polygons.open(tmp_path / "set")


def _long_ring_set(path: Path) -> Polygons:
    angle = np.linspace(0, 2 * np.pi, 2000)
    wheel = shapely.Polygon(np.column_stack([np.cos(angle), np.sin(angle)]))
    Polygons.of(np.array([*SHAPES, wheel], dtype=object), CRS).save(path)
    return Polygons.open(path)


_DAMAGE = {
    "place": [lambda a: a + 10**9, lambda a: a * 0, lambda a: a - 1],
    "ring_start": [
        lambda a: a + 10**12,
        lambda a: np.r_[a[0], a[-1] + 1, a[2:]],
        lambda a: a[::-1],
    ],
    "part_start": [lambda a: np.r_[a[:-1], a[-1] + 1]],
    "row_start": [lambda a: a - 1],
    "block_start": [lambda a: np.r_[a[:-1] * 0, a[-1]], lambda a: a + 1],
}


@pytest.mark.parametrize(("name", "spoil"), [(n, each) for n in _DAMAGE for each in _DAMAGE[n]])
def test_arrays_that_point_nowhere_are_refused(tmp_path, name, spoil):
    """Even by a worker, which trusts the digests. Seen to crash, or to want 16 TB."""
    digest = _long_ring_set(tmp_path / "set").content_hash
    file = tmp_path / "set" / f"{name}.npy"
    np.save(file, spoil(np.load(file)))
    for known in (None, digest):
        with pytest.raises(InputError, match=rf"{name}\.npy"):
            open_saved(str(tmp_path / "set"), known)


def test_files_of_another_set_and_flipped_bytes_are_refused(tmp_path):
    """Seen to be taken for the set whose hash ``polygons.json`` holds."""
    for name, shift in (("a", 0), ("b", 1)):
        Polygons.of(shapely.transform(SHAPES, lambda xy, by=shift: xy + by), CRS).save(
            tmp_path / name
        )
    Polygons.open(tmp_path / "a")
    shutil.copyfile(tmp_path / "b/x.npy", tmp_path / "a/x.npy")
    with pytest.raises(InputError, match=r"x is not what was saved.*x\.npy|x\.npy.*x is not what"):
        Polygons.open(tmp_path / "a")
    for file in sorted((tmp_path / "b").iterdir()):
        raw = bytearray(file.read_bytes())
        raw[-3] ^= 1
        file.write_bytes(raw)
        with pytest.raises(InputError, match=file.name.replace(".", "[.]")):
            Polygons.open(tmp_path / "b")
        raw[-3] ^= 1
        file.write_bytes(raw)
    assert len(Polygons.open(tmp_path / "b")) == len(SHAPES)


@pytest.mark.parametrize("text", ["[]", "null", "{}", '{"format": 1}', '{"format": 2}', "{"])
def test_a_spoilt_description_is_refused(tmp_path, text):
    Polygons.of(SHAPES, CRS).save(tmp_path / "set")
    (tmp_path / "set/polygons.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"polygons\.json"):
        Polygons.open(tmp_path / "set")


def _ring_binary(points: list[tuple[float, float]]) -> bytes:
    head = b"\x01" + np.array([3, 1, len(points)], "<u4").tobytes()
    return head + np.array(points, "<f8").tobytes()


def test_binary_rings_close_by_value():
    """Seen to be refused when bytes are compared: 0 and -0 are one place."""
    ring = [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (-0.0, -0.0)]
    raw = np.array([_ring_binary(ring)], dtype=object)
    assert (
        Polygons.of_wkb(raw).bounds.tolist() == Polygons.of(shapely.from_wkb(raw)).bounds.tolist()
    )
    ring[-1] = (5e-324, 0.0)
    with pytest.raises(InputError, match="not closed"):
        Polygons.of_wkb(np.array([_ring_binary(ring)], dtype=object))


@pytest.mark.parametrize("size", [1, 2, 3])
def test_binary_rings_have_four_points(size):
    raw = np.array([_ring_binary([(0.0, 0.0)] * size)], dtype=object)
    with pytest.raises(InputError, match="row 0 has a ring of fewer than four points"):
        Polygons.of_wkb(raw)


def test_many_polygons_in_memory_refuse_to_be_pickled(monkeypatch):
    monkeypatch.setattr(sets, "MAX_PICKLE", 400)
    with pytest.raises(InputError, match=r"Polygons\.open\(directory\)"):
        pickle.dumps(Polygons.of(SHAPES))
    pickle.dumps(Polygons.of(SHAPES).take([0]))


def test_an_excerpt_takes_its_rows_only():
    everything = Polygons.of(partition(400, 1000.0, 1))
    grid = Grid(CRS, 1, (0, 0, 1000, 1000))
    rows = everything.tiles(grid, 250).touching(5)
    excerpt = Excerpt(everything, rows, rows + 1, (250, 250, 250, 250), inverse_of(grid))
    raw = pickle.dumps(excerpt)
    assert len(raw) < 0.2 * everything.nbytes
    back = pickle.loads(raw)
    assert back.labels_of(back.rows[3:5]).tolist() == (rows[3:5] + 1).tolist()
    assert back.labels_of(back.rows).tolist() == excerpt.labels_of(rows).tolist()
    assert back.polygons.content_hash == everything.take(rows).content_hash


def test_hash_knows_coordinates_structure_crs_and_ids():
    frame = gpd.GeoDataFrame({"id": ["a", "b"]}, geometry=[SHAPES[0], SHAPES[2]], crs=CRS)
    base = Polygons.of(frame).content_hash
    moved = frame.set_geometry(frame.translate(1e-9))
    other_ids = frame.assign(id=["a", "c"])
    in_parts = frame.set_geometry([SHAPES[0], SHAPES[2].geoms[0]])
    other_crs = frame.set_crs(3034, allow_override=True)
    hashes = {
        Polygons.of(each).content_hash for each in (frame, moved, other_ids, in_parts, other_crs)
    }
    assert len(hashes) == 5
    assert Polygons.of(frame.copy()).content_hash == base
    turned = frame.set_geometry(frame.reverse())
    assert Polygons.of(turned).content_hash == base


def test_ids_come_from_the_column_or_the_index():
    frame = gpd.GeoDataFrame({"id": ["07", "08"]}, geometry=[SHAPES[0], SHAPES[2]], crs=CRS)
    assert Polygons.of(frame).ids.tolist() == ["07", "08"]
    assert Polygons.of(frame.set_index("id").geometry).ids.tolist() == ["07", "08"]
    assert Polygons.of(SHAPES).ids is None
    assert Polygons.of(frame).take([1]).ids.tolist() == ["08"]


def test_polygons_come_back_as_they_are():
    made = Polygons.of(SHAPES)
    assert Polygons.of(made) is made
    assert len(made) == 6


@pytest.mark.parametrize("shapes", [[], [None, None], [shapely.Polygon()]])
def test_nothing_is_fine(shapes):
    made = Polygons.of(np.array(shapes, dtype=object))
    assert len(made) == len(shapes)
    assert made.x.size == 0
    assert [each is None for each in made.geometries()] == [True] * len(shapes)


def test_other_geometry_is_refused():
    with pytest.raises(InputError, match=r"1 geometry is no polygon \(POINT \.\.\.\), rows \[1\]"):
        Polygons.of(np.array([SHAPES[0], shapely.Point(0, 0)], dtype=object))
    with pytest.raises(InputError, match=r"NaN or infinite in rows \[1\]"):
        Polygons.of(
            np.array([SHAPES[0], shapely.Polygon([(0, 0), (1, np.inf), (1, 1)])], dtype=object)
        )


def test_another_crs_is_refused():
    require_same_crs(Polygons.of(SHAPES, 3035), "EPSG:3035")
    require_same_crs(Polygons.of(SHAPES), "EPSG:3035")
    with pytest.raises(InputError, match="Reproject them first"):
        require_same_crs(Polygons.of(SHAPES, 4326), "EPSG:3035")


def test_windows_strategy_stays_inside():
    """The strategy that other tests rest on."""

    @given(windows((5, 7)))
    def inside(window):
        (top, left), (height, width) = window
        assert top + height <= 5
        assert left + width <= 7

    inside()


def test_polygons_taken_apart_in_blocks_are_those_taken_at_once(monkeypatch):
    shapes = np.array(
        [None, *partition(30, 90.0, 1), shapely.MultiPolygon(), shapely.box(0, 0, 1, 1)], object
    )
    whole = Polygons.of(shapes, CRS)
    for rows in (1, 4, 7):
        monkeypatch.setattr(
            sets, "row_blocks", lambda n, rows=rows: [slice(i, i + rows) for i in range(0, n, rows)]
        )
        assert Polygons.of(shapes, CRS).content_hash == whole.content_hash
        assert np.array_equal(Polygons.of(shapes, CRS).bounds, whole.bounds, equal_nan=True)
    with pytest.raises(InputError, match=rf"POINT.*rows \[{len(shapes)}\]"):
        Polygons.of(np.array([*shapes, shapely.Point(0, 0)], object), CRS)


@given(polygons(most=6), st.booleans(), st.booleans())
@example(np.array([], dtype=object), False, True)
@example(SHAPES[[0, 2, 0]], True, True)
@example(
    np.array([shapely.from_wkt("POLYGON ((1 0, 1 1, 2 1, 1 0), EMPTY)")], dtype=object), True, False
)
def test_binary_is_what_shapely_writes(shapes, collections, lengths):
    """Byte by byte, or left to shapely. Seen to fail when the count of rings is that of parts, and when lengths count themselves."""
    shapes = np.asarray(shapes, dtype=object)
    written = wkb_of(shapes, collections=collections, lengths=lengths)
    if written is None:
        parts = shapely.get_parts(shapes)
        assert (
            pd.isna(shapes).any() or shapely.is_empty(shapes).any() or shapely.is_empty(parts).any()
        )
        return
    data, begin = written
    alike = [shapely.MultiPolygon([each]) if collections and each.geom_type == "Polygon" else each for each in shapes]  # fmt: skip
    expected = [shapely.to_wkb(shapely.force_2d(each), byte_order=1) for each in alike]
    if lengths:
        expected = [len(each).to_bytes(8, "little") + each for each in expected]
    assert data.tobytes() == b"".join(expected)
    assert begin.tolist() == [0, *np.cumsum([len(each) for each in expected], dtype=int).tolist()]


@given(polygons(most=6))
@example(np.array([], dtype=object))
@example(SHAPES[[0, 2, 0]])
def test_binary_that_is_there_is_made_that_of_multipolygons(shapes):
    """Without taking polygons apart: the same bytes."""
    shapes = np.asarray(shapes, dtype=object)
    expected = wkb_of(shapes, collections=True, lengths=True)
    if expected is None:
        return
    column = pa.array(shapely.to_wkb(shapely.force_2d(shapes), byte_order=1), pa.binary())
    for some in (column, pa.concat_arrays([column, column]).slice(len(column))):
        assert multipolygons_of_wkb(some).tobytes() == expected[0].tobytes()


@pytest.mark.parametrize(
    "odd", [None, b"", b"\1\3\0\0\0", shapely.to_wkb(shapely.Point(1, 2)), shapely.to_wkb(shapely.Polygon([(0, 0, 1), (1, 0, 1), (1, 1, 1)])), shapely.to_wkb(SHAPES[0], byte_order=0)]
)  # fmt: skip
def test_binary_of_anything_else_is_refused(odd):
    column = pa.array([*shapely.to_wkb(SHAPES[[0, 2]], byte_order=1), odd], pa.binary())
    with pytest.raises(InputError, match="the binary of row 2 is neither polygon nor multipolygon"):
        multipolygons_of_wkb(column)


def test_what_is_no_polygon_is_left_to_shapely():
    parts = shapely.from_wkt("MULTIPOLYGON (EMPTY, ((0 0, 1 0, 1 1, 0 0)))")
    for odd in (None, shapely.Point(1, 2), shapely.Polygon(), parts):
        assert wkb_of(np.array([SHAPES[0], odd], dtype=object)) is None
