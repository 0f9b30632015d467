"""A saved operator: opened it is the same, others can read it, and what is damaged is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import geopandas as gpd
import numpy as np
import operator_reader
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from operator_reader import SavedOperator
from shapes import CRS, partition

from carbongrid.errors import InputError
from carbongrid.raster.grid import Grid
from carbongrid.raster.labels import rasterize
from carbongrid.raster.zonal import ZonalOperator
from carbongrid.raster.zonal.moments import MOMENTS

GRID = Grid(CRS, 10, (0, 0, 900, 700))


def land():
    return gpd.GeoSeries(partition(40, 960.0, 2), crs=CRS)


@pytest.fixture
def saved(tmp_path):
    operator = ZonalOperator(land(), GRID)
    operator.save(tmp_path / "operator")
    return operator, tmp_path / "operator"


def values():
    random = np.random.default_rng(0)
    found = random.normal(5, 2, GRID.shape)
    found[random.random(GRID.shape) < 0.2] = np.nan
    return found


@pytest.mark.parametrize("coverage", ["exact", "centre"])
@pytest.mark.parametrize("ids", [None, ["a", "b", "c"], [7, 5, 3]])
def test_an_opened_operator_is_the_same(tmp_path, coverage, ids):
    grid = Grid.like(rasterize(np.array([None]), Grid(CRS, 0.7, (0.3, 0, 9, 8))))
    polygons = [shapely.box(0.5, 0.1, 3, 3.33), None, shapely.box(4, 4, 20, 7.7)]
    of = np.array(polygons) if ids is None else gpd.GeoSeries(polygons, index=ids, crs=CRS)
    operator = ZonalOperator(of, grid, coverage=coverage)
    operator.save(tmp_path / "deep" / "operator")
    opened = ZonalOperator.open(tmp_path / "deep" / "operator")
    assert opened.grid == grid
    assert opened.coverage == coverage
    for mine, theirs in zip((*opened.shares.spans, *opened.shares.edges), (*operator.shares.spans, *operator.shares.edges), strict=True):  # fmt: skip
        assert np.array_equal(mine, theirs)
        assert mine.dtype == theirs.dtype
    raster = np.random.default_rng(0).random(grid.shape)
    assert opened.apply(raster, tuple(MOMENTS)).identical(operator.apply(raster, tuple(MOMENTS)))


def test_a_reader_that_shares_no_code(saved):
    operator, path = saved
    reader, raster = SavedOperator(path), values()
    made = operator.apply(raster)
    assert reader.corner == (0.0, 700.0)
    assert reader.about["crs"] == CRS
    for i, expected in enumerate(reader.statistics(raster)):
        for stat, number in expected.items():
            assert float(made[stat][i]) == pytest.approx(number, rel=1e-14, nan_ok=True), stat


def test_the_reader_is_a_hundred_lines_and_free_of_the_package():
    text = Path(operator_reader.__file__).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 100
    assert "import carbongrid" not in text
    assert "from carbongrid" not in text


def test_it_is_small(tmp_path):
    grid = Grid(CRS, 1, (0, 0, 2000, 2000))
    operator = ZonalOperator(partition(300, 2000.0, 3), grid)
    operator.save(tmp_path / "operator")
    size = sum(file.stat().st_size for file in (tmp_path / "operator").iterdir())
    assert size < operator.nbytes


def test_what_exists_and_ids_that_are_no_names_are_refused(saved, tmp_path):
    operator, path = saved
    with pytest.raises(InputError, match="exists already"):
        operator.save(path)
    odd = gpd.GeoSeries([shapely.box(0, 0, 9, 9)] * 2, index=[1.5, 2.5], crs=CRS)
    with pytest.raises(InputError, match=r"an id is 1\.5"):
        ZonalOperator(odd, GRID).save(tmp_path / "odd")
    mixed = gpd.GeoSeries([shapely.box(0, 0, 9, 9)] * 2, index=["a", 2], crs=CRS)
    with pytest.raises(InputError, match="text and numbers mixed"):
        ZonalOperator(mixed, GRID).save(tmp_path / "mixed")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["operator"]


def test_there_must_be_one(tmp_path):
    with pytest.raises(InputError, match=r"there is no saved operator.*save"):
        ZonalOperator.open(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="damaged"):
        ZonalOperator.open(tmp_path / "empty")


@pytest.mark.parametrize("name", ["polygons", "spans", "edges"])
def test_a_flipped_byte_is_noticed_or_changes_nothing(saved, name):
    """Seen to fail without checksums of pages. Parts of a page's head, such as its statistics, are never looked at."""
    operator, path = saved
    file = path / f"{name}.parquet"
    whole, noticed = file.read_bytes(), 0
    expected = operator.apply(values())
    for place in np.linspace(4, len(whole) - 1, 60).astype(int):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        try:
            opened = ZonalOperator.open(path)
        except InputError:
            noticed += 1
            continue
        assert opened.grid == GRID
        assert opened.apply(values()).identical(expected)
    assert noticed > 30
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="damaged"):
        ZonalOperator.open(path)


@pytest.mark.parametrize(
    ("name", "column", "change"),
    [
        ("spans", "row", lambda a: a + 69),
        ("spans", "row", lambda a: a[::-1]),
        ("spans", "last", lambda a: a + 90),
        ("spans", "first", lambda a: -a),
        ("spans", "polygon", lambda a: a + 1),
        ("edges", "column", lambda a: a * 0),
        ("edges", "share", lambda a: a * 0 + 1.5),
        ("polygons", "outside", lambda a: a - 1),
        ("polygons", "polygon", lambda a: a + 1),
    ],
)
def test_rows_that_do_not_fit_are_refused(saved, name, column, change):
    """Kernels would read and write beyond their arrays. Seen to fail without the check."""
    _, path = saved
    file = path / f"{name}.parquet"
    table = pq.read_table(file)
    changed = pa.array(change(table[column].to_numpy()).copy(), table.schema.field(column).type)
    place = table.column_names.index(column)
    pq.write_table(table.set_column(place, table.schema.field(column), changed), file)
    with pytest.raises(InputError, match=f"do not fit the grid.*|{name}"):
        ZonalOperator.open(path)


def test_files_of_two_operators_are_refused(saved, tmp_path):
    _, path = saved
    ZonalOperator(land()[:5], GRID).save(tmp_path / "other")
    shutil.copy(tmp_path / "other" / "edges.parquet", path / "edges.parquet")
    with pytest.raises(InputError, match="not of one operator"):
        ZonalOperator.open(path)


def test_another_format_is_refused(saved):
    _, path = saved
    for file in path.iterdir():
        table = pq.read_table(file)
        about = json.loads(table.schema.metadata[b"carbongrid"]) | {"format": "x 2"}
        pq.write_table(table.replace_schema_metadata({b"carbongrid": json.dumps(about)}), file)
    with pytest.raises(InputError, match="the format is 'x 2'"):
        ZonalOperator.open(path)


def test_files_of_two_operators_with_as_many_rows_are_told_apart(tmp_path):
    """Seen to fail: edges of another operator were opened, and every share was its."""
    for name, move in (("here", 0.0), ("there", 0.25)):
        ZonalOperator(np.array([shapely.box(0.5 + move, 0.5, 3, 3)]), Grid(CRS, 1, (0, 0, 4, 4))).save(tmp_path / name)  # fmt: skip
    ZonalOperator.open(tmp_path / "here")
    shutil.copy(tmp_path / "there" / "edges.parquet", tmp_path / "here" / "edges.parquet")
    with pytest.raises(InputError, match="the files are not of one operator"):
        ZonalOperator.open(tmp_path / "here")


def forget_digest(path):
    for file in path.iterdir():
        table = pq.read_table(file)
        about = json.loads(table.schema.metadata[b"carbongrid"])
        del about["digest"]
        pq.write_table(table.replace_schema_metadata({b"carbongrid": json.dumps(about)}), file)


def test_an_operator_saved_before_files_had_a_digest_is_opened(saved):
    operator, path = saved
    forget_digest(path)
    assert ZonalOperator.open(path).apply(values(), "sum").equals(operator.apply(values(), "sum"))


def test_one_with_cells_beyond_a_pole_that_has_no_digest_is_refused(tmp_path):
    """Seen to fail: it opened, and gave half of what rows centred on the poles hold."""
    grid = Grid.of_corner("EPSG:4326", 2.0, (-1.0, 91.0), (91, 180))
    cap, middle = shapely.box(20, 85, 40, 90), shapely.box(10.3, 20.2, 31.7, 44.4)
    for name, polygon in (("cap", cap), ("middle", middle)):
        path = tmp_path / name
        ZonalOperator(gpd.GeoSeries([polygon], crs=4326), grid).save(path)
        ZonalOperator.open(path)
        forget_digest(path)
    assert ZonalOperator.open(tmp_path / "middle").grid == grid
    with pytest.raises(InputError, match=r"of an older version, .* half .*Make it anew from the"):
        ZonalOperator.open(tmp_path / "cap")


def test_ids_beyond_64_bits_with_a_sign_are_refused(tmp_path):
    """Seen to fail as an OverflowError of Arrow."""
    land = gpd.GeoSeries([shapely.box(0, 0, 20, 20)], index=[2**63 + 5], crs=CRS)
    with pytest.raises(InputError, match="an id is 9223372036854775813"):
        ZonalOperator(land, GRID).save(tmp_path / "operator")
