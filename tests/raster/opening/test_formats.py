"""What is told of a file, or a folder, that is not the one to name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from geodata_layers import survey_layer, write_layer

from carbongrid.errors import InputError
from carbongrid.raster.opening.formats import sniff_vector


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
