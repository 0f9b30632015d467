from __future__ import annotations

import geopandas as gpd
import pytest
import shapely
from geodata_layers import FORMATS, case_of, write_layer

from carbongrid.case.readers.located import read_located
from carbongrid.errors import InputError

LON, LAT = [120.61, 120.62, 120.63], [31.31, 31.32, 31.33]


def layer(crs="EPSG:4490"):
    points = gpd.points_from_xy(LON, LAT, crs=4490).to_crs(crs)
    return gpd.GeoDataFrame({"kind": ["050100", "170300", "0"]}, geometry=points)


def located(folder, path, crs="EPSG:4490", **more):
    section = {"path": path, "crs": crs, "type": "kind", "crosswalk": "gaode", **more}
    case = case_of(folder, pois=section)
    return read_located(case, case.pois, ["kind"])


def table(folder, *rows, header="kind,lon,lat"):
    (folder / "pois.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


@pytest.mark.parametrize("suffix", FORMATS)
def test_files_and_tables_give_the_same_points(tmp_path, suffix):
    table(tmp_path, "050100,120.61,31.31", "170300,120.62,31.32", "0,120.63,31.33")
    first = located(tmp_path, "pois.csv")
    write_layer(layer(), tmp_path / f"pois.{suffix}")
    second = located(tmp_path, f"pois.{suffix}")
    for points in (first, second):
        assert sorted(points.x.tolist()) == LON
        assert sorted(points.y.tolist()) == LAT
        assert sorted(points.table["kind"]) == ["0", "050100", "170300"]
    assert first.names.tolist() == ["row 2", "row 3", "row 4"]


def test_coordinates_that_are_none(tmp_path):
    table(tmp_path, "a,120.6,31.3", "b,,31.3", "c,120.6,nan", "d,inf,31.3", "e,east,31.3")
    with pytest.raises(InputError) as error:
        located(tmp_path, "pois.csv")
    text = str(error.value)
    assert (
        "'lon' must hold coordinates; 3 rows do not: row 3 (blank), row 5 (inf), row 6 (east)"
        in text
    )
    assert "'lat' must hold coordinates; 1 row does not: row 4 (nan)" in text


def test_a_longitude_far_from_the_others_is_told(tmp_path):
    table(tmp_path, "a,31.1,30.1", "b,331.2,30.1")
    [note] = located(tmp_path, "pois.csv", "EPSG:4326").notes
    assert "at 1 of 2 points: row 3 (331.2)" in note.what


def test_places_that_are_none(tmp_path):
    table(tmp_path, "a,120.6,31.3", "b,31.3,120.6")
    with pytest.raises(
        InputError, match=r"1 point is not at a longitude and latitude: row 3 \(31.3, 120.6\)"
    ):
        located(tmp_path, "pois.csv")
    table(tmp_path, "a,31.3,120.6", "b,31.4,120.5")
    for crs in ("gcj02", "EPSG:4326", "EPSG:4490"):
        with pytest.raises(InputError, match="swapped: x is the longitude"):
            located(tmp_path, "pois.csv", crs)


def test_metres_declared_as_degrees(tmp_path):
    table(tmp_path, "a,500000,3400000")
    with pytest.raises(InputError, match="not at a longitude and latitude"):
        located(tmp_path, "pois.csv", "gcj02")
    table(tmp_path, "a,120.6,31.3")
    with pytest.raises(InputError, match="outside the area of use"):
        located(tmp_path, "pois.csv", "EPSG:4549")


def test_the_case_and_the_file_must_agree(tmp_path):
    write_layer(layer("EPSG:4549"), tmp_path / "pois.gpkg")
    with pytest.raises(
        InputError, match=r"the case says gcj02, which is degrees, but the file says CGCS2000"
    ):
        located(tmp_path, "pois.gpkg", "gcj02")
    with pytest.raises(InputError, match=r"the case says CGCS2000 / 3-degree .* but the file says"):
        located(tmp_path, "pois.gpkg", "EPSG:4528")
    assert located(tmp_path, "pois.gpkg", "EPSG:4549").x.max() > 500_000
    write_layer(layer("EPSG:4326"), tmp_path / "pois.gpkg")
    assert located(tmp_path, "pois.gpkg", "gcj02").system == "gcj02"


def test_other_geometry(tmp_path):
    areas = layer().set_geometry(layer("EPSG:4549").buffer(5).to_crs(4490))
    write_layer(areas, tmp_path / "pois.gpkg")
    with pytest.raises(InputError, match=r"3 geometries are not points: feature 1 \(Polygon\).* Put a point inside each"):  # fmt: skip
        located(tmp_path, "pois.gpkg")
    several = layer().set_geometry(
        [shapely.MultiPoint([point]) for point in layer().geometry], crs=4490
    )
    write_layer(several, tmp_path / "pois.gpkg")
    assert located(tmp_path, "pois.gpkg").x.tolist() == LON
    missing = layer()
    missing.loc[1, "geometry"] = None
    write_layer(missing, tmp_path / "pois.gpkg")
    with pytest.raises(InputError, match=r"1 row has no geometry .*: feature 2"):
        located(tmp_path, "pois.gpkg")


def test_shifted_systems_abroad_are_told(tmp_path):
    table(tmp_path, "a,9.5,47.1", "b,9.6,47.2")
    (note,) = located(tmp_path, "pois.csv", "bd09").notes
    assert note.level == "warning"
    assert "100% of the points lie outside China" in note.what
    assert located(tmp_path, "pois.csv", "EPSG:4326").notes == []


def test_no_points_and_no_column(tmp_path):
    table(tmp_path)
    with pytest.raises(InputError):
        located(tmp_path, "pois.csv")
    table(tmp_path, "a,9.5,47.1", header="kind,long,lat")
    with pytest.raises(InputError, match=r"'lon' is missing.* \[pois\] x in the case says which column it is"):  # fmt: skip
        located(tmp_path, "pois.csv")
