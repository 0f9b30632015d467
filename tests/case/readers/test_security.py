from __future__ import annotations

import ast
import json
import sqlite3
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
import rasterio
from data import ROOT
from geodata_layers import FORMATS, survey_layer, write_layer
from rasterio.transform import from_origin

from carbongrid.case.readers import workbook as workbook_module
from carbongrid.case.readers.vector import read_vector
from carbongrid.case.readers.workbook import first_sheet
from carbongrid.errors import InputError
from carbongrid.raster.opening.formats import sniff_raster, sniff_vector
from carbongrid.raster.opening.names import plain_name

VRT = (
    "<OGRVRTDataSource><OGRVRTLayer name='secret'><SrcDataSource>{}</SrcDataSource>"
    "</OGRVRTLayer></OGRVRTDataSource>"
)


@pytest.fixture
def secret(tmp_path):
    """Return a layer that other files try to pull in."""
    return write_layer(survey_layer(), tmp_path / "secret.geojson")


@pytest.mark.parametrize("suffix", FORMATS)
def test_content_tells_the_format(tmp_path, suffix):
    path = write_layer(survey_layer(), tmp_path / f"layer.{suffix}")
    assert sniff_vector(path) == (FORMATS[suffix] or "Parquet")


@pytest.mark.parametrize("suffix", ["gpkg", "geojson", "fgb", "parquet"])
def test_a_false_name_does_not_matter(tmp_path, suffix):
    path = write_layer(survey_layer(), tmp_path / f"layer.{suffix}")
    renamed = path.rename(tmp_path / "layer.dat")
    assert len(read_vector(renamed)) == 6


def test_a_vrt_named_gpkg_is_refused(tmp_path, secret):
    path = tmp_path / "parcels.gpkg"
    path.write_text(VRT.format(secret), encoding="utf-8")
    # GDAL by itself would follow it.
    assert pyogrio.read_info(path)["driver"] == "OGR_VRT"
    with pytest.raises(InputError, match=r"XML \(an OGR VRT"):
        read_vector(path)


def test_a_vrt_inside_geojson_is_not_followed(tmp_path, secret):
    path = tmp_path / "parcels.geojson"
    collection = {"type": "FeatureCollection", "note": VRT.format(secret), "features": []}
    path.write_text(json.dumps(collection), encoding="utf-8")
    assert pyogrio.read_info(path)["driver"] == "OGR_VRT"
    assert sniff_vector(path) == "GeoJSON"
    with plain_name(path, "GeoJSON") as name:
        assert pyogrio.read_info(name)["driver"] == "GeoJSON"


def test_a_pipeline_that_runs_is_refused(tmp_path, secret):
    path = tmp_path / "parcels.geojson"
    command = f"gdal vector pipeline ! read {secret} ! write --output-format stream out"
    path.write_text(
        json.dumps({"type": "gdal_streamed_alg", "command_line": command}), encoding="utf-8"
    )
    with pytest.raises(InputError, match="JSON, but not GeoJSON"):
        read_vector(path)
    path.write_text(
        json.dumps(
            {"a": {"type": "Feature"}, "type": "gdal_streamed_alg", "command_line": command}
        ),
        encoding="utf-8",
    )
    with pytest.raises(InputError, match="JSON, but not GeoJSON"):
        read_vector(path)


def test_a_geojson_tells_its_type_wherever_it_stands(tmp_path):
    """Seen to fail: of members in the order of their names "type" comes behind all coordinates, and such a file was no GeoJSON."""
    path = tmp_path / "parcels.geojson"
    ring = [[k / 4000, 0] for k in range(4001)] + [[1, 1], [0, 1], [0, 0]]
    feature = {"geometry": {"coordinates": [ring], "type": "Polygon"}, "properties": {}, "type": "Feature"}  # fmt: skip
    text = json.dumps({"features": [feature], "type": "FeatureCollection"}, indent=1)
    path.write_text(text, encoding="utf-8")
    assert read_vector(path).geometry.is_valid.tolist() == [True]
    pipeline = {**feature, "type": "gdal_streamed_alg", "command_line": "gdal vector pipeline"}
    path.write_text(json.dumps(pipeline), encoding="utf-8")
    with pytest.raises(InputError, match="JSON, but not GeoJSON"):
        read_vector(path)


@pytest.mark.parametrize(("mark", "coordinates"), [("", 3), ("\x1e", 3), ("", 40_000)])
def test_geojson_of_a_feature_a_line_is_told(tmp_path, mark, coordinates):
    """Seen to be told as damaged or cut off, and with record separators as of no format."""
    path = tmp_path / "parcels.geojson"
    line = {"type": "Feature", "properties": {}, "geometry": {"type": "LineString", "coordinates": [[0, 1]] * coordinates}}  # fmt: skip
    text = f"{mark}{json.dumps(line)}\n"
    path.write_text(text * 2, encoding="utf-8")
    with pytest.raises(
        InputError, match=r"newline-delimited.*ogr2ogr parcels\.gpkg GeoJSONSeq:parcels\.geojson"
    ):
        read_vector(path)
    # Seen to be read as the first line alone, where that was long and began otherwise.
    path.write_text(f"{mark}{json.dumps(line, sort_keys=True)}\n" * 2, encoding="utf-8")
    with pytest.raises(InputError, match="newline-delimited"):
        sniff_vector(path)
    # The way out must not lose the second one, either.
    assert pyogrio.read_info(f"GeoJSONSeq:{path}", force_feature_count=True)["features"] == 2
    path.write_text(json.dumps(line, indent=2), encoding="utf-8")
    assert sniff_vector(path) == "GeoJSON"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x00\x00\x00\x0e\x0a\x09OSMHeader\x18", "OpenStreetMap extract.*from-osm"),
        (b"\x1f\x8b\x08\x00", "gzip.*Unpack"),
        (b"<?xml version='1.0'?><kml/>", "XML"),
        (b'{"type": "Topology"}', "JSON, but not GeoJSON"),
        (b"", "no format that is read"),
        (b"a,b\n1,2\n", "no format that is read"),
    ],
)
def test_other_content_is_refused(tmp_path, content, message):
    path = tmp_path / "parcels.gpkg"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        sniff_vector(path)


def test_other_files_are_refused(tmp_path):
    archive = tmp_path / "parcels.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.txt", "a")
    with pytest.raises(InputError, match=r"ZIP archive.*Unpack"):
        sniff_vector(archive)
    database = tmp_path / "parcels.gpkg"
    with sqlite3.connect(database) as connection:
        connection.execute("create table a (b)")
    connection.close()
    with pytest.raises(InputError, match="SQLite database, but no GeoPackage"):
        sniff_vector(database)
    with pytest.raises(
        InputError, match=r"no such file.*The folder holds: parcels\.gpkg, parcels\.zip"
    ):
        sniff_vector(tmp_path / "absent.gpkg")
    with pytest.raises(InputError, match="not a File Geodatabase"):
        sniff_vector(tmp_path)


def test_a_shapefile_without_its_table_is_refused(tmp_path):
    path = write_layer(survey_layer(), tmp_path / "layer.shp")
    (tmp_path / "layer.dbf").unlink()
    with pytest.raises(InputError, match=r"lacks its \.dbf"):
        sniff_vector(path)


def test_parquet_without_geometry_is_refused(tmp_path):
    path = tmp_path / "parcels.parquet"
    survey_layer().drop(columns="geometry").to_parquet(path)
    with pytest.raises(InputError, match="no geometry"):
        read_vector(path)


def test_metadata_that_is_nested_too_deep_is_refused(tmp_path):
    """Seen to be a fault of the package."""
    path = tmp_path / "parcels.parquet"
    plain = pa.table({"BSM": ["1"]})
    pq.write_table(plain.replace_schema_metadata({"geo": "[" * 100_000}), path)
    with pytest.raises(InputError, match=r"cannot be read: .*(recursion|Stack overflow)"):
        read_vector(path)


def test_a_damaged_file_is_an_input_error(tmp_path):
    path = write_layer(survey_layer(), tmp_path / "layer.gpkg")
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * 4096)
    with pytest.raises(InputError):
        read_vector(path)
    flat = write_layer(survey_layer(), tmp_path / "layer.parquet")
    flat.write_bytes(flat.read_bytes()[:600])
    with pytest.raises(InputError, match="cannot be read"):
        read_vector(flat)


def test_rasters(tmp_path):
    path = tmp_path / "people.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=2, height=2, count=1, dtype="float32",
        crs="EPSG:4528", transform=from_origin(40_500_000, 3_430_000, 100, 100),
    ) as raster:  # fmt: skip
        raster.write(np.ones((1, 2, 2), dtype="float32"))
    assert sniff_raster(path) == "GTiff"
    fake = tmp_path / "fake.tif"
    fake.write_text(
        f"<VRTDataset><SourceFilename>{path}</SourceFilename></VRTDataset>", encoding="utf-8"
    )
    with pytest.raises(InputError, match="not a GeoTIFF"):
        sniff_raster(fake)


def workbook(path: Path, parts: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


SHEET = "xl/worksheets/sheet1.xml"
BOMBS = {
    "times its size": {SHEET: b"<row/>" * 2_000_000},
    "parts": {f"xl/media/{i}.xml": b"" for i in range(1_001)},
    "declares entities": {SHEET: b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'},
}


@pytest.mark.parametrize("odd", BOMBS)
def test_a_workbook_that_would_explode_is_refused(tmp_path: Path, odd: str) -> None:
    path = workbook(tmp_path / "totals.xlsx", BOMBS[odd])
    with pytest.raises(InputError, match=odd):
        first_sheet(path)


DECLARED = '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
HIDDEN = {
    "behind 64 KiB of blanks": ("sheet1.xml", b" " * 70_000 + DECLARED.encode()),
    "behind a comment": ("sheet1.xml", b"<!--" + b"-a" * 40_000 + b"-->" + DECLARED.encode()),
    "in UTF-16": ("sheet1.xml", DECLARED.encode("utf-16")),
    "in UTF-16 without a mark": (
        "sheet1.xml",
        f'<?xml version="1.0" encoding="utf-16be"?>{DECLARED}'.encode("utf-16-be"),
    ),
    "under another name": ("sheet1.bin", DECLARED.encode()),
}


@pytest.mark.parametrize("place", HIDDEN)
def test_entities_are_found_wherever_they_are_declared(tmp_path: Path, place: str) -> None:
    """Seen to fail: the first 64 KiB of parts named .xml were searched for the word in ASCII."""
    name, content = HIDDEN[place]
    path = workbook(tmp_path / "totals.xlsx", {f"xl/worksheets/{name}": content})
    with pytest.raises(InputError, match="declares entities"):
        first_sheet(path)


@pytest.mark.parametrize("cell", ["XFD1048576", "XFD1", "CV1048576"])
def test_a_workbook_with_a_cell_far_out_is_refused(
    tmp_path: Path, cell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Caught: 4.9 kB that took 5.5 GB and a minute; and eight seconds until they were refused."""
    import openpyxl

    monkeypatch.setattr(workbook_module, "_sheet", lambda *_: pytest.fail("rows were made"))

    book = openpyxl.Workbook()
    book.active.append(["category", "value", "unit"])
    book.active[cell] = "x"
    book.save(tmp_path / "totals.xlsx")
    with pytest.raises(InputError, match="too far for a table"):
        first_sheet(tmp_path / "totals.xlsx")


def test_memory_that_is_short_is_not_told_as_a_damaged_workbook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import openpyxl

    def short(*_: object, **__: object) -> object:
        raise MemoryError

    book = openpyxl.Workbook()
    book.save(tmp_path / "totals.xlsx")
    monkeypatch.setattr(openpyxl, "load_workbook", short)
    with pytest.raises(MemoryError):
        first_sheet(tmp_path / "totals.xlsx")


def test_an_ordinary_workbook_of_one_value_is_none_of_these(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    for _ in range(3000):
        book.active.append(["0"] * 20)
    book.save(tmp_path / "zeros.xlsx")
    cells, numbers, *_ = first_sheet(tmp_path / "zeros.xlsx")
    assert cells.shape == (3000, 20)
    assert numbers == []


def test_nothing_is_unpickled_or_executed() -> None:
    """Read from the source: no name that loads a pickle, evaluates or starts a shell; NumPy files with pickles off.

    But for compiled kernels, in a folder that only the user can write (tests/raster/kernels/test_cache.py).
    """
    forbidden = {"read_pickle", "loads_pickle", "eval", "exec", "Unpickler", "system", "popen"}
    modules = {"pickle", "joblib", "shelve", "marshal"}
    paths = list((ROOT / "carbongrid").rglob("*.py"))
    assert len(paths) > 100
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            kept = path.parts[-2:] == ("kernels", "cache.py")
            if isinstance(node, ast.Import) and not kept:
                assert not {alias.name for alias in node.names} & modules, path
            if isinstance(node, ast.ImportFrom):
                assert node.module not in modules, path
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                assert name not in forbidden, f"{path}: {name}"
                if name == "load" and ast.unparse(node.func) == "np.load":
                    off = [key for key in node.keywords if key.arg == "allow_pickle"]
                    assert off, path
                    assert ast.unparse(off[0].value) == "False", path
