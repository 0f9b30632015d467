"""What is told of a file, or a folder, that is not the one to name."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import rasterio
from geodata_layers import survey_layer, write_layer

from carbongrid.case.readers.vector import read_vector
from carbongrid.errors import InputError
from carbongrid.raster.opening.formats import files_behind, sniff_raster, sniff_vector
from carbongrid.raster.opening.rasters import open_raster


@pytest.mark.parametrize("part", [".shx", ".dbf", ".prj", ".cpg"])
def test_whoever_names_another_part_of_a_shapefile_is_told_the_one_to_name(
    tmp_path: Path, part: str
) -> None:
    """Seen: the .shx "cannot be read: '.shp'. It may be damaged", and a .dbf was to be converted."""
    path = write_layer(survey_layer(), tmp_path / "Layer.shp")
    with pytest.raises(InputError, match=rf"Layer\{part}: the file is .*Name Layer\.shp, with"):
        sniff_vector(path.with_suffix(part))


def test_a_shapefile_of_another_name_is_to_be_called_as_one(tmp_path: Path) -> None:
    """Seen: "prefix the file path with '<DRIVER>:'"."""
    path = write_layer(survey_layer(), tmp_path / "layer.shp")
    other = Path(shutil.move(path, tmp_path / "layer.dat"))
    with pytest.raises(InputError, match=r"does not end in \.shp.*\.shp, \.shx, \.dbf"):
        sniff_vector(other)


@pytest.mark.parametrize("name", ["Land.SHP", "Land.GeoJSON", "Land.gpkg"])
def test_a_folder_leads_to_the_file_in_it(tmp_path: Path, name: str) -> None:
    """Seen to lead to land.shp, which is no file where small letters are other ones."""
    (tmp_path / "README").touch()
    (tmp_path / name).touch()
    with pytest.raises(InputError, match=f"Name a file in it, such as {name}"):
        sniff_vector(tmp_path)


def test_a_shapefile_behind_a_link_has_its_parts_beside_itself(tmp_path: Path) -> None:
    path = write_layer(survey_layer(), tmp_path / "layer.shp")
    link = tmp_path / "links" / "other.shp"
    link.parent.mkdir()
    link.symlink_to(path)
    assert len(read_vector(link)) == 6


def test_a_geodatabase_holds_nothing_but_files(tmp_path: Path) -> None:
    """GDAL would wait for a pipe, and read what no digest has behind a link."""
    path = write_layer(survey_layer(), tmp_path / "layer.gdb")
    assert sniff_vector(path) == "OpenFileGDB"
    os.mkfifo(path / "a00000099.gdbtable")
    with pytest.raises(InputError, match=r"a00000099\.gdbtable: .*cannot be read: it is a pipe"):
        sniff_vector(path)


@pytest.mark.parametrize("mark", [b"GP10", b"GP11"])
def test_geopackages_of_older_versions_are_read(tmp_path: Path, mark: bytes) -> None:
    path = write_layer(survey_layer(), tmp_path / "layer.gpkg")
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA application_id = {int.from_bytes(mark)}")
    assert path.read_bytes()[68:72] == mark
    assert len(read_vector(path)) == 6


def test_a_geojson_may_begin_with_a_mark_of_its_order_of_bytes(tmp_path: Path) -> None:
    """As Windows' editor saves it."""
    path = write_layer(survey_layer(), tmp_path / "layer.geojson")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(read_vector(path)) == 6


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("A.SHP", ["A.DBF", "a.shx", "A.prj", "A.cpg", "a.QIX", "A.sbn", "A.sbx", "A.shp.aux.xml"]),
        ("a.tif", ["a.tfw", "A.TIFW", "a.wld", "a.tab", "a.tif.aux.xml", "a.tif.ovr", "A.TIF.MSK"]),
        ("a.gpkg", ["a.gpkg-wal", "a.gpkg-journal"]),
    ],
)
def test_what_is_read_with_a_file_is_known_by_its_name(
    tmp_path: Path, name: str, more: list[str]
) -> None:
    """What is missing there is in no digest: it may change, and a step is taken over."""
    for each in (name, *more, "ab.dbf", "ab.tfw", "a.txt", "b.tif.ovr", "ab.gpkg-wal"):
        (tmp_path / each).touch()
    assert {file.name for file in files_behind(tmp_path / name)} == {name, *more}


@pytest.mark.parametrize(("part", "told"), [(".shx", "lacks its .shx"), (".dbf", "lacks its .dbf")])
def test_a_shapefile_lacks_a_part_or_has_it_twice(tmp_path: Path, part: str, told: str) -> None:
    path = write_layer(survey_layer(), tmp_path / "layer.shp")
    shutil.copy(path.with_suffix(part), path.with_suffix(part.upper()))
    with pytest.raises(InputError, match=rf"layer.shp: layer\{part} stands twice beside it"):
        sniff_vector(path)
    path.with_suffix(part).unlink()
    assert sniff_vector(path) == "ESRI Shapefile"
    path.with_suffix(part.upper()).unlink()
    with pytest.raises(InputError, match=told):
        sniff_vector(path)


@pytest.mark.parametrize("order", ["LITTLE", "BIG"])
@pytest.mark.parametrize("big", ["NO", "YES"])
def test_rasters_of_either_order_and_size_are_rasters(tmp_path: Path, order: str, big: str) -> None:
    path = tmp_path / "a.tif"
    transform = rasterio.transform.from_origin(0, 2, 1, 1)
    how = {"width": 2, "height": 2, "count": 1, "dtype": "int16", "crs": 3857}
    with rasterio.open(path, "w", "GTiff", transform=transform, BIGTIFF=big, ENDIANNESS=order, **how) as raster:  # fmt: skip
        raster.write(np.ones((1, 2, 2), np.int16))
    assert sniff_raster(path) == "GTiff"
    with open_raster(path) as raster:
        assert raster.read().sum() == 4
