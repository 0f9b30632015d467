"""A file of layers stays as it was, whoever reads it."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from carbongrid.raster.opening import vectors
from carbongrid.raster.opening.digests import hash_path
from carbongrid.raster.opening.vectors import open_vector


def test_a_geopackage_with_a_log_of_changes_is_read_with_them_and_left_as_it_is(
    tmp_path: Path,
) -> None:
    """As a GIS that fell over leaves it. Seen to fail: GDAL merged the log into the file and removed it, also under check, which writes nothing."""
    path = tmp_path / "live" / "land.gpkg"
    path.parent.mkdir()
    gpd.GeoDataFrame({"code": ["a"]}, geometry=[shapely.box(0, 0, 1, 1)], crs=3857).to_file(
        path, SPATIAL_INDEX="NO"
    )
    live = sqlite3.connect(path)
    live.execute("PRAGMA journal_mode=WAL")
    live.execute("UPDATE land SET code = 'b'")
    live.commit()
    left = tmp_path / "left"
    left.mkdir()
    names = ("land.gpkg", "land.gpkg-wal")
    for name in names:
        shutil.copy2(path.parent / name, left / name)
    live.close()
    assert (left / names[1]).stat().st_size
    before = [hash_path(left / name) for name in names]
    with open_vector(left / names[0]) as file:
        assert file.table("land")["code"].tolist() == ["b"]
    assert [hash_path(left / name) for name in names] == before
    assert sorted(each.name for each in left.iterdir()) == sorted(names)


def test_kinds_of_geometries_are_those_of_the_rows_that_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to pass with those of other rows behind the first that are read at once."""
    monkeypatch.setattr(vectors, "_ROWS_AT_ONCE", 2)
    shapes = [shapely.box(0, 0, 1, 1), shapely.Point(0, 0), None, shapely.LineString([(0, 0), (1, 1)]), shapely.Point(1, 1)]  # fmt: skip
    path = tmp_path / "mixed.gpkg"
    gpd.GeoDataFrame(geometry=shapes, crs=3857).to_file(path)
    with open_vector(path) as file:
        assert list(file.kinds_in("mixed", [1, 2, 3, 4])) == [1, 0, 2, 1]
        assert list(file.kinds_in("mixed", [0, 3])) == [3, 2]
    # A height changes the number, not the kind.
    gpd.GeoDataFrame(geometry=shapely.force_3d(shapes, 5.0), crs=3857).to_file(path)
    with open_vector(path) as file:
        assert list(file.kinds_in("mixed", range(5))) == [3, 1, 0, 2, 1]
