from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from geodata_layers import case_of, write_layer

from carbongrid.case.readers.surroundings import read_surroundings
from carbongrid.errors import InputError, Problem

UNITS = gpd.GeoDataFrame(
    {"id": ["1"]}, geometry=[shapely.box(500_000, 3_400_000, 510_000, 3_410_000)], crs=4549
)


def provinces(crs: int = 4549) -> gpd.GeoDataFrame:
    boxes = [shapely.box(x, 3_300_000, x + 100_000, 3_500_000) for x in (400_000, 500_000)]
    layer = gpd.GeoDataFrame({"name": ["甲省", None]}, geometry=boxes, crs=4549)
    return layer.to_crs(crs)


def reading(folder: Path, layer: gpd.GeoDataFrame, suffix: str = "gpkg", **section: str) -> gpd.GeoDataFrame:  # fmt: skip
    path = write_layer(layer, folder / f"around.{suffix}")
    case = case_of(folder, surroundings={"path": path.name, **section})
    found = read_surroundings(case, UNITS)
    assert found is not None
    return found


def refused(folder: Path, layer: gpd.GeoDataFrame, **section: str) -> str:
    with pytest.raises(InputError) as error:
        reading(folder, layer, **section)
    return str(error.value)


@pytest.mark.parametrize("suffix", ["gpkg", "shp", "geojson", "parquet"])
def test_the_table_is_in_the_units_plane(tmp_path: Path, suffix: str) -> None:
    table = reading(tmp_path, provinces(4326), suffix, name="name")
    assert list(table.columns) == ["name", "geometry"]
    assert table["name"].tolist() == ["甲省", ""]
    assert table.crs == UNITS.crs
    west, south, east, north = table.total_bounds
    assert np.allclose(
        [west, south, east, north], [400_000, 3_300_000, 600_000, 3_500_000], atol=200
    )


def test_names_may_be_left_out(tmp_path: Path) -> None:
    assert reading(tmp_path, provinces())["name"].tolist() == ["", ""]


def test_without_the_section_there_are_none(tmp_path: Path) -> None:
    assert read_surroundings(case_of(tmp_path), UNITS) is None


def test_names_that_are_no_words_are_told(tmp_path: Path) -> None:
    """Seen to fail: the warning was made and dropped, and garbage stood on the figure."""
    layer = provinces().assign(name=["つくば市横浜市", "名古屋市北区"])
    path = write_layer(layer, tmp_path / "around.shp", "cp932")
    path.with_suffix(".cpg").unlink()
    case = case_of(tmp_path, surroundings={"path": path.name, "name": "name", "encoding": "gbk"})
    notes: list[Problem] = []
    read_surroundings(case, UNITS, notes)
    assert [note.level for note in notes] == ["warning"]
    assert '"cp932" reads' in notes[0].hint


def test_outlines_have_no_more_vertices_than_a_page_shows(tmp_path: Path) -> None:
    """Common borders stay common. Seen to fail with each outline simplified by itself."""
    rng = np.random.default_rng(3)
    y = np.linspace(3_300_000, 3_500_000, 20_000)
    border = np.column_stack([500_000 + 4_000 * np.sin(y / 9_000) + rng.normal(0, 5, y.size), y])
    left = shapely.Polygon([(400_000, y[0]), *border, (400_000, y[-1])])
    right = shapely.Polygon([(600_000, y[0]), *border, (600_000, y[-1])])
    layer = gpd.GeoDataFrame({"name": ["a", "b"]}, geometry=[left, right], crs=4549)
    table = reading(tmp_path, layer, name="name")
    assert shapely.get_num_coordinates(table.geometry.to_numpy()).sum() < 4_000
    assert shapely.coverage_is_valid(table.geometry.to_numpy())


def test_a_ring_that_crosses_itself_is_drawn(tmp_path: Path) -> None:
    bow = shapely.Polygon([(4e5, 33e5), (6e5, 35e5), (6e5, 33e5), (4e5, 35e5)])
    table = reading(tmp_path, gpd.GeoDataFrame(geometry=[bow], crs=4549))
    assert table.geometry.is_valid.all()


def test_polygons_elsewhere_are_refused(tmp_path: Path) -> None:
    far = provinces().assign(geometry=provinces().translate(300_000, 0))
    assert "none of the polygons touches the units" in refused(tmp_path, far)


def test_polygons_beyond_the_plane_are_named(tmp_path: Path) -> None:
    """The other side of the earth has no place in a plane around the units."""
    layer = gpd.GeoDataFrame(
        geometry=[shapely.box(116, 30, 118, 32), shapely.box(-74, -31, -72, -30)], crs=4326
    )
    path = write_layer(layer, tmp_path / "around.gpkg")
    case = case_of(tmp_path, surroundings={"path": path.name})
    local = UNITS.to_crs("+proj=gnom +lat_0=31 +lon_0=117")
    with pytest.raises(InputError, match=r"1 polygon lies too far away .*: row 2"):
        read_surroundings(case, local)


def test_what_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    layer = provinces()
    layer.loc[1, "geometry"] = None
    assert "1 row has no geometry" in refused(tmp_path, layer)
    assert "there is no column 'name_'" in refused(tmp_path, provinces(), name="name_")
    assert "the layer is empty" in refused(tmp_path, provinces().iloc[:0])
