"""A coordinate reference system that PROJ completes from a file is refused wherever it comes from."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import rasterio
import shapely
from geodata_layers import survey_layer, write_layer
from rasterio.transform import from_origin
from squares_case import squares_case

from carbongrid.case.readers.vector import read_vector
from carbongrid.errors import InputError
from carbongrid.raster.grid import Grid
from carbongrid.raster.labels import rasterize
from carbongrid.raster.opening.crs import crs_of, require_no_file, same_crs
from carbongrid.raster.opening.rasters import open_raster
from carbongrid.raster.zonal import ZonalOperator

SHIFTED = "+proj=utm +zone=50 +ellps=clrk66 +nadgrids=/elsewhere/g.gsb"
AS_WKT = (
    'PROJCS["u",GEOGCS["c",DATUM["c",SPHEROID["Clarke 1866",6378206.4,294.978698213898],'
    'EXTENSION["PROJ4_GRIDS","/elsewhere/g.gsb"]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],'
    'PROJECTION["Transverse_Mercator"],PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",117],'
    'PARAMETER["scale_factor",0.9996],PARAMETER["false_easting",500000],PARAMETER["false_northing",0],UNIT["metre",1]]'
)
AS_EXTENSION = (
    AS_WKT.replace(',EXTENSION["PROJ4_GRIDS","/elsewhere/g.gsb"]', "")[:-1]
    + f',EXTENSION["PROJ4","{SHIFTED}"]]'
)
WITH_FILES = [
    "+init=/elsewhere/init:key",
    "init=epsg:4326",
    "+proj=utm +zone=50 +init=/elsewhere/init:key",
    SHIFTED,
    SHIFTED.replace(" ", "\t").replace("=/", " = /"),
    "+proj=utm +zone=50 +ellps=clrk66 +nadgrids=@null,/elsewhere/g.gsb",
    "+proj=longlat +ellps=WGS84 +geoidgrids=@/elsewhere/g.gtx +vunits=m",
    "+proj=pipeline +step +proj=hgridshift +grids=/elsewhere/g.gsb",
    AS_WKT,
    AS_EXTENSION,
    pyproj.CRS(SHIFTED).to_wkt(),
    pyproj.CRS(SHIFTED).to_json(),
    pyproj.CRS(SHIFTED).to_json_dict(),
]
WITHOUT = [
    "EPSG:4490",
    4490,
    pyproj.CRS(3857).to_wkt("WKT1_GDAL"),  # with nadgrids=@null
    "+proj=merc +a=6378137 +b=6378137 +nadgrids=@null +wktext +no_defs",
    "+proj=longlat +ellps=bessel +towgs84=1,2,3,0,0,0,0",
    pyproj.CRS("+proj=longlat +ellps=bessel +towgs84=1,2,3").to_json_dict(),
    pyproj.CRS("EPSG:7415").to_wkt(),
    pyproj.CRS(4528),
]


@pytest.mark.parametrize("given", WITH_FILES)
def test_a_system_that_needs_a_file_is_refused(given: object) -> None:
    with pytest.raises(InputError, match=r"^here: .*completed from a file.*EPSG:4490"):
        crs_of(given, "here")
    if isinstance(given, str):
        with pytest.raises(InputError, match="completed from a file"):
            Grid(given, 100, (0, 0, 1000, 1000))


@pytest.mark.parametrize(
    "definition",
    [SHIFTED, AS_WKT, pyproj.CRS(SHIFTED).to_wkt(), "+init=/elsewhere/init:key", "+proj=deformation +FILE = /elsewhere/a", "+proj=defmodel +model=/elsewhere/a.json", "+catalog=/elsewhere/a", 'METHOD["NTv2"],PARAMETERFILE["Latitude and longitude difference file","/elsewhere/a"]'],
)  # fmt: skip
def test_what_names_a_file_is_known_without_being_parsed(definition: str) -> None:
    """As layers and rasters hand it over. Seen to pass with each of the ways to name one left out but the first."""
    with pytest.raises(InputError, match=r"^here: .*completed from a file"):
        require_no_file(definition, "here")


def test_a_file_beside_none_is_one() -> None:
    """What GDAL hands over is not parsed again. Seen to pass where a single ``@null`` was enough."""
    with pytest.raises(InputError, match="completed from a file"):
        require_no_file("+proj=utm +zone=50 +ellps=clrk66 +nadgrids=@null,/elsewhere/g.gsb", "here")


@pytest.mark.parametrize("given", WITHOUT)
def test_others_are_what_pyproj_makes_of_them(given: object) -> None:
    assert crs_of(given) == pyproj.CRS.from_user_input(given)


@pytest.mark.parametrize("crs", [SHIFTED, "+init=/elsewhere/init:key"])
def test_a_case_cannot_name_one(tmp_path: Path, crs: str) -> None:
    with pytest.raises(InputError, match=r"grid\] crs: .*completed from a file"):
        squares_case(tmp_path, ["0101"], {}, grid={"crs": crs})


def test_a_system_nested_too_deep_is_none() -> None:
    """Seen to be a fault of the package, from the case and from GeoParquet."""
    with pytest.raises(pyproj.exceptions.CRSError, match="nested too deep"):
        crs_of('{"type": "ProjectedCRS", "a": ' + "[" * 100_000)


@pytest.mark.parametrize("definition", [AS_WKT, AS_EXTENSION])
@pytest.mark.parametrize("suffix", ["gpkg", "shp", "fgb", "geojson", "parquet"])
def test_a_layer_cannot_bring_one(tmp_path: Path, suffix: str, definition: str) -> None:
    """Caught: a grid outside of the case moved the parcels, and nothing hashed it."""
    path = write_layer(survey_layer(), tmp_path / f"layer.{suffix}")
    if suffix == "gpkg":
        with closing(sqlite3.connect(path)) as database:
            columns = len(database.execute("PRAGMA table_info(gpkg_spatial_ref_sys)").fetchall())
            row = ("x", 77777, "NONE", 77777, definition, *([None] * (columns - 5)))
            places = ",".join("?" * columns)
            database.execute(f"INSERT INTO gpkg_spatial_ref_sys VALUES ({places})", row)
            database.execute("UPDATE gpkg_contents SET srs_id = 77777")
            database.execute("UPDATE gpkg_geometry_columns SET srs_id = 77777")
            database.commit()
    elif suffix == "shp":
        path.with_suffix(".prj").write_text(definition, encoding="ascii")
    elif suffix == "geojson":
        content = json.loads(path.read_text(encoding="utf-8"))
        content["crs"] = {"type": "name", "properties": {"name": SHIFTED}}
        path.write_text(json.dumps(content), encoding="utf-8")
    elif suffix == "fgb":
        survey_layer().set_crs(pyproj.CRS(definition), allow_override=True).to_file(path)
    else:
        layer = survey_layer().set_crs(pyproj.CRS(definition), allow_override=True)
        layer.to_parquet(path)
    with pytest.raises(InputError, match=rf"{path.name}: .*completed from a file"):
        read_vector(path)


def test_a_raster_cannot_bring_one(tmp_path: Path) -> None:
    path = tmp_path / "r.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=2, height=2, count=1, dtype="float32",
        crs="EPSG:4528", transform=from_origin(40_500_000, 3_430_000, 100, 100),
    ) as raster:  # fmt: skip
        raster.write(np.ones((1, 2, 2), dtype="float32"))
    path.with_name("r.tif.aux.xml").write_text(
        f"<PAMDataset><SRS>{SHIFTED}</SRS></PAMDataset>", encoding="utf-8"
    )
    with pytest.raises(InputError, match="completed from a file"), open_raster(path):
        pytest.fail("it was opened")


@pytest.mark.parametrize("key", ["crs", "CRS", "\\u0063rs", "c\\u0052s"])
@pytest.mark.parametrize("kind", ["link", "url", "LINK"])
def test_no_crs_is_fetched(tmp_path: Path, server, key: str, kind: str) -> None:
    """Caught: a GeoJSON whose CRS is an address, which GDAL asked for it."""
    path = write_layer(survey_layer(), tmp_path / "layer.geojson")
    text = path.read_text(encoding="utf-8")
    start = text.index('"crs"')
    end = json.JSONDecoder().raw_decode(text, text.index("{", start))[1]
    for named in ({}, {"Type": "name"}):  # one that may be fetched beside one that is not
        told = {**named, "type": kind, "properties": {"href": server.address, "url": server.address}}  # fmt: skip
        path.write_text(f'{text[:start]}"{key}": {json.dumps(told)}{text[end:]}', encoding="utf-8")
        with pytest.raises(InputError, match="is an address, which would be fetched"):
            read_vector(path)
    assert server.asked == []


@pytest.mark.parametrize(
    "before", [" " * 70_000, f'"x": {"[" * 30_000}1{"]" * 30_000}, '], ids=["long", "deep"]
)
def test_a_crs_that_cannot_be_told_is_not_asked_for(tmp_path: Path, server, before: str) -> None:
    """What is too long, or nested too deep, to be looked into. Seen to pass as a CRS that has a name."""
    path = write_layer(survey_layer(), tmp_path / "layer.geojson")
    text = path.read_text(encoding="utf-8")
    start = text.index('"crs"')
    end = json.JSONDecoder().raw_decode(text, text.index("{", start))[1]
    link = f'{{{before}"type": "link", "properties": {{"href": "{server.address}"}}}}'
    path.write_text(f'{text[:start]}"crs": {link}{text[end:]}', encoding="utf-8")
    with pytest.raises(InputError, match="is an address, which would be fetched"):
        read_vector(path)
    assert server.asked == []


@pytest.mark.parametrize("code", [3035, 4528, 3006, 6677])
def test_axes_in_another_order_are_no_other_system(code: int) -> None:
    """Seen to fail: a raster with CF's attributes alone, which have x before y, was refused beside polygons of the same code."""
    system = pyproj.CRS(code)
    told = {key: each for key, each in system.to_cf().items() if key != "crs_wkt"}
    bare = pyproj.CRS.from_cf(told)
    assert same_crs(bare, system)
    assert same_crs(system, bare)
    grid = Grid(bare, 1, (0, 0, 4, 4))
    land = gpd.GeoSeries([shapely.box(0, 0, 2, 2)], crs=system)
    assert int((rasterize(land, grid) > 0).sum()) == 4
    assert ZonalOperator(land, grid).apply(np.ones((4, 4)), ["sum"])["sum"].item() == 4


@pytest.mark.parametrize(("a", "b"), [(3035, 3034), (25832, 32632), (4528, 4529), (2263, 32118)])
def test_other_systems_stay_others(a: int, b: int) -> None:
    assert not same_crs(pyproj.CRS(a), pyproj.CRS(b))
