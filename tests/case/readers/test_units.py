from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from geodata_layers import FORMATS, case_of, write_layer
from pyproj import CRS

from carbongrid.case.readers.units import read_units
from carbongrid.errors import InputError
from carbongrid.outputs.report.notes import note_in_chinese


def townships():
    corners = [(0, 0), (1, 0), (0, 1), (1, 1)]
    boxes = [shapely.box(x, y, x + 1, y + 1) for x, y in corners]
    geometry = shapely.transform(boxes, lambda xy: xy * 1000 + [500_000, 3_400_000])
    return gpd.GeoDataFrame(
        {
            "code": ["02", "01", "10", "03"],
            "name_zh": ["东桥镇", "望亭镇", "东桥镇", "浒墅关"],
            "name_en": ["East", "West", None, "North"],
            "district": ["D1", "D1", "D2", "D2"],
            "city": "C",
        },
        geometry=geometry,
        crs=4549,
    )


SECTION = {"id": "code", "name": "name_zh", "name_en": "name_en", "parents": ["district", "city"]}


def reading(folder, layer, suffix="gpkg", crs=4549, **section):
    path = write_layer(layer, folder / f"units.{suffix}")
    case = case_of(folder, units={"path": path.name, **SECTION, **section})
    return read_units(case, layer.crs if crs is None else crs)


def refused(folder, layer, **section):
    with pytest.raises(InputError) as error:
        reading(folder, layer, **section)
    return str(error.value)


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_table(tmp_path, suffix):
    table, notes = reading(tmp_path, townships(), suffix)
    assert list(table.columns) == ["id", "name", "name_en", "district", "city", "geometry"]
    assert table["id"].tolist() == ["01", "02", "03", "10"]
    assert table["name"].tolist() == ["望亭镇", "东桥镇", "浒墅关", "东桥镇"]
    assert table["name_en"].tolist() == ["West", "East", "North", ""]
    assert table["district"].tolist() == ["D1", "D1", "D2", "D2"]
    assert shapely.area(table.geometry.to_numpy()).tolist() == [1e6] * 4
    assert notes == []


def test_codes_that_look_alike_are_one_or_refused(tmp_path):
    """Seen to be two districts, each with its own shares of emission and GDP: layers of two programs had been put together."""
    layer = townships().assign(district=["\u00cele", "I\u0302le", "Ile", "ile"])
    said = refused(tmp_path, layer)
    assert "column 'district' has 'I\u0302le' in two ways that look alike" in said
    assert "Ile" not in said
    reading(tmp_path, layer.assign(district=["I\u0302le", "I\u0302le", "Ile", "ile"]))


def test_levels_have_names_and_one_each(tmp_path):
    layer = townships().assign(zh=["沧浪", "沧浪", "昆山", "昆山"], en="X", city_zh="苏州", city_en="Suzhou")  # fmt: skip
    names = {"parent_names": ["zh", "city_zh"], "parent_names_en": ["en", "city_en"]}
    table, notes = reading(tmp_path, layer, **names)
    assert table["district: name"].tolist() == ["沧浪", "沧浪", "昆山", "昆山"]
    assert set(table["city: name"]) == {"苏州"}
    assert set(table["district: name_en"]) == {"X"}
    assert notes == []
    two = layer.assign(zh=["沧浪", "平江", "昆山", "昆山"])
    assert "district 'D1' has 2 names in 'zh'" in refused(tmp_path, two, **names)
    short = {"parent_names": ["zh"]}
    assert "parent_names names 1 columns, and parents 2" in refused(tmp_path, layer, **short)


def test_names_are_optional(tmp_path):
    table, _ = reading(tmp_path, townships(), name=None, name_en=None, parents=[])
    assert table["name"].tolist() == table["id"].tolist()
    assert set(table["name_en"]) == {""}


def test_a_name_that_repeats_is_no_code(tmp_path):
    text = refused(tmp_path, townships(), id="name_zh")
    assert "1 unit stands more than once: 东桥镇" in text
    assert "give the units codes" in text


def test_columns_that_are_not_there(tmp_path):
    text = refused(tmp_path, townships(), parents=["distrikt", "province"], name="nom")
    assert "no column 'distrikt'. Did you mean 'district'" in text
    assert "no column 'province'" in text
    assert "no column 'nom'" in text


def test_everything_wrong_is_told_at_once(tmp_path):
    layer = townships()
    layer.loc[0, "code"] = ""
    layer.loc[1, "district"] = None
    layer.loc[2, "code"] = "03"
    layer["city"] = 5.5
    layer.loc[3, "geometry"] = None
    text = refused(tmp_path, layer)
    assert "1 unit has no code in 'code': row 1" in text
    assert "1 unit has no code in 'district': 01" in text
    assert "1 unit stands more than once: 03" in text
    assert "column 'city' is read as numbers" in text
    assert "1 row has no geometry" in text


def test_invalid_units_are_not_repaired(tmp_path):
    layer = townships()
    layer.loc[0, "geometry"] = shapely.Polygon([(500_000, 3_400_000), (501_000, 3_401_000), (501_000, 3_400_000), (500_000, 3_401_000)])  # fmt: skip
    text = refused(tmp_path, layer)
    assert "02 (Self-intersection" in text
    assert "repair = true" not in text


def test_overlapping_units(tmp_path):
    layer = townships()
    layer.loc[0, "geometry"] = layer.geometry.iloc[0].buffer(50, join_style="mitre")
    text = refused(tmp_path, layer)
    assert "pairs of units overlap" in text
    assert "priority" not in text


def test_a_unit_of_several_parts_and_another_plane(tmp_path):
    layer = townships().to_crs(4490)
    parts = shapely.MultiPolygon([layer.geometry.iloc[0], layer.geometry.iloc[3]])
    layer = layer.iloc[[0, 1, 2]].reset_index(drop=True)
    layer.loc[0, "geometry"] = parts
    table, _ = reading(tmp_path, layer, crs=4549)
    assert table.crs.to_epsg() == 4549
    assert table.set_index("id").geometry.area["02"] == pytest.approx(2e6, rel=1e-6)


def cut_at_180(shape):
    """A shape in degrees that go on beyond 180, in two parts as RFC 7946 has it."""
    halves = [shapely.clip_by_rect(shape, *box) for box in ((0, -90, 180, 90), (180, -90, 360, 90))]
    halves[1] = shapely.transform(halves[1], lambda xy: xy - [360, 0])
    return shapely.MultiPolygon([half for half in halves if not half.is_empty])


def test_a_unit_that_is_cut_at_180_degrees_is_one_in_the_grid(tmp_path):
    """Seen to: its halves meet along an edge in the plane, and a run was refused for targets that are not valid, without a name."""
    boxes = [shapely.box(x - 0.02, y, x + 0.0213, y + 0.04) for x in (180, 180.0413) for y in (-17, -16.96)]  # fmt: skip
    layer = townships().set_geometry([cut_at_180(box) for box in boxes], crs=4326)
    table, notes = reading(tmp_path, layer, crs=CRS.from_epsg(3832))
    assert notes == []
    assert table.is_valid.all()
    assert set(table.geom_type) == {"Polygon"}
    whole = gpd.GeoSeries(boxes, index=layer["code"], crs=4326).to_crs(3832).loc[table["id"]]
    assert shapely.area(table.geometry.symmetric_difference(whole, align=False)).max() < 1


def test_a_unit_beyond_180_degrees_and_far_from_all_others_is_told(tmp_path):
    """A digit typed wrong. Seen to make a grid of half the earth, of which nothing was said."""
    layer = townships().to_crs(4326)
    layer.loc[2, "geometry"] = shapely.transform(
        layer.geometry[2], lambda xy: xy + np.array([100, 0])
    )
    _, (note,) = reading(tmp_path, layer, crs=CRS.from_epsg(4549))
    assert note.level == "warning"
    assert "at 1 of 4 units: 10 (220.0" in note.what
    assert "4 个单元中有 1 个" in note_in_chinese(str(note))


def test_a_unit_that_crosses_itself_in_the_grids_crs_is_mended_and_named(tmp_path):
    """A corner a millimetre below a straight edge. Seen to: the run was refused, without a name."""
    notch = shapely.Polygon(
        [(119.995, 31), (119.995, 31.001), (119.99995, 31.001), (120, 31.00000001), (120.00005, 31.001), (120.005, 31.001), (120.005, 31)]
    )  # fmt: skip
    layer = townships().iloc[:2]
    layer = layer.set_geometry([notch, shapely.box(120.01, 31, 120.011, 31.001)], crs=4490)
    table, (note,) = reading(tmp_path, layer, crs=CRS.from_epsg(4549))
    assert table.is_valid.all()
    assert note.what.startswith("1 unit crosses itself in the grid's CRS")
    assert note.what.endswith(": 02")
    assert "1 个单元" in note_in_chinese(str(note))


def test_units_without_a_crs(tmp_path):
    path = write_layer(townships().to_crs(4528), tmp_path / "units.shp")
    path.with_suffix(".prj").unlink()
    with pytest.raises(InputError, match=r"no CRS.*EPSG:4528"):
        read_units(case_of(tmp_path, units={"path": path.name, **SECTION}), 4549)
