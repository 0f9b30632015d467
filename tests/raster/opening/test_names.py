"""The file that was hashed is the file that is read, whatever its name looks like to a driver."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio
from geodata_layers import FORMATS, survey_layer, write_layer
from hypothesis import given
from hypothesis import strategies as st
from rasterio.transform import from_origin
from squares_case import squares_case

from carbongrid.case.readers.fingerprints import Fingerprints
from carbongrid.case.readers.vector import read_vector
from carbongrid.errors import InputError, RunError
from carbongrid.pipeline import run
from carbongrid.pipeline.verification import verify
from carbongrid.raster.opening.digests import hash_path
from carbongrid.raster.opening.formats import GEOTIFF, GPKG, files_behind
from carbongrid.raster.opening.names import plain_name
from carbongrid.raster.opening.rasters import open_raster

ODD = ("a!b", "a#b", "a?b=c", "a;b", "a\nb", "a\x1bb", "zip:", "http:", "a.zip", "a%20b", "a&b", '"', "'", "{}", "[1]", "*")  # fmt: skip


def one_row(path: Path, name: str) -> None:
    """Write a layer whose only row says which file it is."""
    layer = survey_layer().iloc[:1].assign(BSM=name)
    write_layer(layer, path)


def test_the_outside_of_a_name_with_a_mark_is_not_read(tmp_path: Path) -> None:
    """Caught: what stands before ``!`` was dropped, and the file outside was read in place of the one that was hashed."""
    outside = tmp_path / "outside"
    outside.mkdir()
    one_row(outside / "file.gpkg", "the secret")
    inside = Path(f"{tmp_path / 'case' / 'x!'}{outside}")
    inside.mkdir(parents=True)
    one_row(tmp_path / "file.gpkg", "the case's own")
    shutil.move(tmp_path / "file.gpkg", inside / "file.gpkg")
    assert read_vector(inside / "file.gpkg")["BSM"].tolist() == ["the case's own"]


def test_nothing_is_fetched_for_a_name(tmp_path: Path, server) -> None:
    inside = tmp_path / "x!" / "vsicurl" / "http:" / server.address.split("/")[2]
    inside.mkdir(parents=True)
    one_row(tmp_path / "file.gpkg", "here")
    shutil.move(tmp_path / "file.gpkg", inside / "there")
    assert read_vector(inside / "there")["BSM"].tolist() == ["here"]
    assert server.asked == []


def test_a_table_under_another_name_is_told_how_tables_are_called(tmp_path: Path) -> None:
    (tmp_path / "pois.xls").write_text("lon,lat\n9.5,47.1\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"save it as \.csv or \.xlsx, by which one is known"):
        read_vector(tmp_path / "pois.xls")


def test_an_archive_is_not_looked_into(tmp_path: Path) -> None:
    import zipfile

    one_row(tmp_path / "p.gpkg", "in the archive")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.write(tmp_path / "p.gpkg", "p.gpkg")
    (tmp_path / "x.zip!p.gpkg").write_text("no layer", encoding="utf-8")
    with pytest.raises(InputError, match="of no format that is read"):
        read_vector(tmp_path / "x.zip!p.gpkg")
    with pytest.raises(InputError, match="ZIP archive"):
        read_vector(tmp_path / "x.zip")
    named = shutil.copy(tmp_path / "p.gpkg", tmp_path / "y.zip")
    assert read_vector(Path(named))["BSM"].tolist() == ["in the archive"]


@pytest.mark.parametrize("suffix", FORMATS)
def test_any_format_is_read_from_a_folder_with_an_odd_name(tmp_path: Path, suffix: str) -> None:
    plain = write_layer(survey_layer(), tmp_path / f"layer.{suffix}")
    expected = read_vector(plain)
    odd = tmp_path / "5!# ?;100%\n[new]"
    odd.mkdir()
    for file in files_behind(plain) if suffix == "shp" else [plain]:
        shutil.move(file, odd / file.name)
    found = read_vector(odd / plain.name)
    assert found.crs == expected.crs
    assert found.equals(expected)


def test_a_name_is_that_of_the_file_itself_and_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a link, and from wherever the process is: what lies beside the file is read with it, not what lies beside the link."""
    (tmp_path / "case").mkdir()
    path = tmp_path / "case" / "a.gpkg"
    path.touch()
    (tmp_path / "link.gpkg").symlink_to(path)
    monkeypatch.chdir(tmp_path / "case")
    for given_path in (tmp_path / "link.gpkg", Path("a.gpkg"), Path("..") / "link.gpkg"):
        with plain_name(given_path, GPKG) as name:
            assert name == str(path.resolve())


@given(st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=20))
def test_a_plain_name_leads_to_the_file_itself(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:  # fmt: skip
    """Caught (with ``!`` let through): the layer of the decoy. The bindings' own reading of the name is the judge."""
    from pyogrio.util import vsi_path

    folder = tmp_path_factory.mktemp("names")
    path = folder / name
    if name in (".", "..") or len(name.encode()) > 200:
        return
    path.mkdir()
    (path / "a.gpkg").touch()
    with plain_name(path / "a.gpkg", GPKG) as given_name:
        assert vsi_path(given_name) == given_name
        assert rasterio._path._parse_path(given_name).path == given_name
        assert Path(given_name).samefile(path / "a.gpkg")
    assert Path(given_name).exists() == (Path(given_name) == (path / "a.gpkg").resolve())


@pytest.mark.parametrize("suffix", ["tif", "tiff"])
@pytest.mark.parametrize("name", ODD)
def test_a_raster_is_read_with_what_was_hashed_and_nothing_else(
    tmp_path: Path, name: str, suffix: str
) -> None:
    """GDAL's own list of the files that it reads is that of the fingerprints, here and beside a decoy."""
    (tmp_path / name).mkdir()
    path = tmp_path / name / f"{name}.{suffix}"
    with rasterio.open(
        tmp_path / "r.tif", "w", driver=GEOTIFF, width=2, height=2, count=1, dtype="float32",
        crs="EPSG:4528", transform=from_origin(40_500_000, 3_430_000, 100, 100),
    ) as raster:  # fmt: skip
        raster.write(np.ones((1, 2, 2), dtype="float32"))
    shutil.move(tmp_path / "r.tif", path)
    beside = path.with_name(f"{path.name}.aux.xml")
    beside.write_text("<PAMDataset></PAMDataset>", encoding="utf-8")
    path.with_suffix(".tfw").write_text("1\n0\n0\n-1\n0\n0\n", encoding="utf-8")
    with open_raster(path) as raster:
        assert raster.read().sum() == 4
        read = {os.path.realpath(file) for file in raster.files}
        assert {os.path.realpath(path), os.path.realpath(beside)} <= read
        assert read <= {os.path.realpath(file) for file in files_behind(path)}


def test_a_temporary_folder_with_an_odd_name_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = tmp_path / "t!"
    odd.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(odd))
    one_row(tmp_path / "a.gpkg", "a")
    assert len(read_vector(tmp_path / "a.gpkg")) == 1
    moved = Path(shutil.move(tmp_path / "a.gpkg", odd / "a.gpkg"))
    with pytest.raises(RunError, match="Set TMPDIR"):
        read_vector(moved)
    assert [file.name for file in odd.iterdir()] == ["a.gpkg"]


def test_a_whole_case_runs_in_a_folder_with_an_odd_name(tmp_path: Path) -> None:
    """Caught: parcels under ``x!`` were another file's, and ``verify`` passed."""
    folder = tmp_path / "#1 ?! ; 100%"
    folder.mkdir()
    table = "category,value,unit\nagriculture/plantation,1000,t CO2e\n"
    case = squares_case(tmp_path, ["0101"] * 4, {"totals.csv": table})
    for file in [each for each in tmp_path.iterdir() if each.is_file()]:
        shutil.move(file, folder / file.name)
    case = type(case).of(case.model_dump(exclude_unset=True), folder / "case.toml")
    result = run(case, folder / "run!#")
    digests = {each["file"]: each["sha256"] for each in result.manifest["inputs"]}
    assert digests["parcels.gpkg"] == hash_path(folder / "parcels.gpkg")
    assert verify(folder / "run!#").ok


def test_parts_of_a_file_that_are_links_do_not_lead_outside(tmp_path: Path) -> None:
    """Caught: a table beside a Shapefile that is a link to one outside of the case."""
    folder = tmp_path / "case"
    folder.mkdir()
    path = write_layer(survey_layer(), folder / "parcels.shp")
    shutil.move(folder / "parcels.dbf", tmp_path / "secret.dbf")
    (folder / "parcels.dbf").symlink_to(tmp_path / "secret.dbf")
    case = squares_case(folder, ["0601"] * 2, {"totals.csv": "category,value,unit\n"})
    assert path.exists()
    with pytest.raises(InputError, match=r"parcels\.dbf, which is read with parcels\.shp, leads outside"):  # fmt: skip
        case.resolve("parcels.shp")
    allowed = case.model_copy(update={"allow_outside": True})
    allowed._path = case.path
    digests = Fingerprints(allowed).take(["parcels.shp"])
    assert "parcels.dbf" in digests
