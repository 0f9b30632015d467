"""The styles stored in units.gpkg and beside the grid: parsed, and each unit falls in the class that the map shows."""

import operator
import re
from dataclasses import replace
from xml.etree import ElementTree as ET
from zipfile import ZipFile

import numpy as np
import pyogrio
import pytest
import rioxarray  # noqa: F401  (registers .rio)
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from tables_example import example_tables

from carbongrid.method.zoning import zones
from carbongrid.outputs.figures.scales import scales_of
from carbongrid.outputs.tables import write_tables
from carbongrid.outputs.tables.styles import Rule, Style, qml, sld_of, units_style, write_grid_qml
from carbongrid.outputs.tables.xml_text import in_xml

OPERATORS = {">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt}
SLD = {"se": "http://www.opengis.net/se", "ogc": "http://www.opengis.net/ogc"}


@pytest.fixture(scope="module")
def tables():
    return example_tables()


@pytest.fixture(scope="module")
def directory(tables, tmp_path_factory):
    folder = tmp_path_factory.mktemp("styled")
    write_tables(tables, folder)
    return folder


@pytest.fixture(scope="module")
def stored(directory):
    return pyogrio.read_dataframe(directory / "units.gpkg", layer="layer_styles").set_index(
        "styleName"
    )


def holds(expression, row):
    """Whether a row meets a filter of QGIS, read as QGIS reads it: a comparison with NULL is not true."""
    if re.fullmatch(r'"\w+"', expression):  # a flag
        return bool(row[expression.strip('"')])
    for test in expression.split(" AND "):
        column, sign, number = re.fullmatch(r'"(\w+)" (>=|>|<=|<) (\S+)', test).groups()
        value = row[column]
        if value is None or np.isnan(value) or not OPERATORS[sign](value, float(number)):
            return False
    return True


def colour_of(qml, row):
    """The colour in which a style paints a row."""
    root = ET.fromstring(qml)
    fills = {
        symbol.get("name"): symbol.find("layer/Option/Option[@name='color']").get("value")
        for symbol in root.iter("symbol")
        if symbol.find("layer").get("class") == "SimpleFill"
    }
    rules = [r for r in root.findall("renderer-v2/rules/rule") if r.get("symbol") in fills]
    taken = [rule for rule in rules if rule.get("filter") != "ELSE" and holds(rule.get("filter"), row)]  # fmt: skip
    assert len(taken) <= 1
    rest = [rule for rule in rules if rule.get("filter") == "ELSE"]
    red, green, blue, _ = map(int, fills[(taken or rest)[0].get("symbol")].split(","))
    return f"#{red:02x}{green:02x}{blue:02x}"


def test_qgis_finds_zones_first_and_each_index(stored, directory):
    assert stored.index.tolist() == ["Zones", "Emission", "Sink", "CCR", "ECC", "ESC", "GDP", "Residents"]  # fmt: skip
    assert stored["useAsDefault"].tolist() == [True] + [False] * 7
    assert set(stored["f_table_name"]) == {"units"}
    geometry = pyogrio.read_info(directory / "units.gpkg", layer="units")["geometry_name"]
    assert set(stored["f_geometry_column"]) == {geometry}


def test_where_no_unit_has_a_zone_emissions_are_shown(tables, tmp_path):
    """Seen: a map in grey, and a page about zones; "none" in English alone."""
    bare = replace(tables, units=tables.units.assign(zone=0))
    write_tables(bare, tmp_path)
    styles = pyogrio.read_dataframe(tmp_path / "units.gpkg", layer="layer_styles").set_index("styleName")  # fmt: skip
    assert styles.index[styles["useAsDefault"]].tolist() == ["Emission"]
    with ZipFile(tmp_path / "city.qgz") as package:
        text = package.read("city.qgs").decode()
    assert f"{tables.title}, {tables.year}: emissions of the units" in text
    assert "emission_t" in ET.fromstring(text).find(".//maplayer//rule").get("filter")
    assert "zones 碳平衡分区" not in text.lower()
    assert ET.fromstring(text).findall(".//maplayer//rule")[-1].get("label") == "none 无"


def test_zones_have_their_colours(stored, directory):
    units = pyogrio.read_dataframe(directory / "units.gpkg", layer="units")
    colours = {zone.code: zone.colour.lower() for zone in zones()}
    for row in units.to_dict("records"):
        assert colour_of(stored.loc["Zones", "styleQML"], row) == colours[row["zone"]]


def test_a_style_paints_each_unit_as_the_map_does(tables, tmp_path):
    """Seen to fail with > for >= in the rules of the indices, and with breaks left in grams."""
    write_tables(tables, tmp_path)
    units = pyogrio.read_dataframe(tmp_path / "units.gpkg", layer="units").to_dict("records")
    styles = pyogrio.read_dataframe(tmp_path / "units.gpkg", layer="layer_styles").set_index("styleName")  # fmt: skip
    for key, scale in scales_of(tables.units).items():
        classes = scale.classes(scale.values(tables.units))
        name = key.upper() if len(key) == 3 else key.capitalize()
        for unit, number in zip(units, classes, strict=True):
            zero = scale.missing == "unknown" and unit.get(key) == 0  # known to be nothing
            rest = "#f7f7f4" if zero else "#d4d6d9"
            expected = scale.colours[number] if number >= 0 else rest
            assert colour_of(styles.loc[name, "styleQML"], unit) == expected, (key, unit["id"])


def test_legends_say_what_their_numbers_are(stored):
    labels = {
        name: [rule.get("label") for rule in ET.fromstring(qml).findall("renderer-v2/rules/rule")]
        for name, qml in stored["styleQML"].items()
    }
    assert all(label.endswith(" %") for label in labels["CCR"][:-1])
    assert all("million CNY" in label for label in labels["GDP"][:-2])
    for name in ("GDP", "Residents"):
        assert labels[name][-2:] == ["0", "unknown 未知"]
    assert not any("%" in label for label in labels["ECC"] + labels["ESC"])
    assert not any(re.search(r"\de[+-]?\d", label) for each in labels.values() for label in each)


def test_the_sld_says_what_the_qml_says(stored):
    for style, sld in zip(stored["styleQML"], stored["styleSLD"], strict=True):
        rules = [rule for rule in ET.fromstring(style).findall("renderer-v2/rules/rule") if not re.fullmatch(r'"\w+"', rule.get("filter"))]  # fmt: skip
        others = ET.fromstring(sld).findall(".//se:Rule", SLD)
        assert [rule.get("label") for rule in rules] == [o.find("se:Name", SLD).text for o in others]  # fmt: skip
        for rule, other in zip(rules, others, strict=True):
            numbers = [node.text for node in other.findall(".//ogc:Literal", SLD)]
            assert numbers == re.findall(r"[<>]=? (\S+)", rule.get("filter"))


@given(st.text(max_size=20) | st.just("\0\x07\uffff\ud800"), st.floats(allow_nan=False))
def test_any_label_and_any_number_stay_well_formed(label, number):
    """Seen to fail: with a control character in the name of a category or the title QGIS read no style of a run, and not its project."""
    style = Style("s", "", (Rule(label, "#aabbcc", "x", number), Rule("rest", "#000000")))
    read = ET.fromstring(qml(units_style(style, {label: label})))
    assert read.find(".//rule").get("label") == read.find(".//alias").get("name") == in_xml(label)
    literal = ET.fromstring(sld_of(style, "units")).find(".//ogc:Literal", SLD).text
    assert float(literal) == number


def test_units_close_to_one_are_hatched(tables, tmp_path):
    """Over the colour of their zone; a style without such units has no rule for them. Seen to fail: labels of the mark's name, which is no column."""
    for marked in (True, False):
        folder = tmp_path / str(marked)
        folder.mkdir()
        flags = [marked, *[False] * (len(tables.units) - 1)]
        write_tables(replace(tables, units=tables.units.assign(borderline=flags, indicative=False)), folder)  # fmt: skip
        styles = pyogrio.read_dataframe(folder / "units.gpkg", layer="layer_styles").set_index("styleName")  # fmt: skip
        root = ET.fromstring(styles.loc["Zones", "styleQML"])
        hatched = [rule.get("filter") for rule in root.iter("rule") if not re.search("[<>]", rule.get("filter"))]  # fmt: skip
        assert hatched == (['"borderline"'] if marked else [])
        assert root.find(".//text-style").get("fieldName") == "name"


def test_columns_have_names_for_people(stored, directory):
    root = ET.fromstring(stored.loc["Zones", "styleQML"])
    names = {each.get("field"): each.get("name") for each in root.iter("alias")}
    fields = pyogrio.read_info(directory / "units.gpkg", layer="units")["fields"].tolist()
    places = {each.get("field"): int(each.get("index")) for each in root.iter("alias")}
    assert [places[name] - 1 for name in fields] == [*range(len(fields))]  # 0 is the row's number
    assert names["gdp"] == "GDP 地区生产总值, CNY"
    assert names["emission_t"] == "Emissions 碳排放, t CO2e/yr"
    assert names["industry_manufacturing_t"] == "Manufacturing 制造业, t CO2e/yr"


def test_the_grid_has_a_style_beside_it(tables, directory):
    root = ET.parse(directory / "grid_1km.qml").getroot()
    items = root.findall(".//colorrampshader/item")
    ends = [float(item.get("value")) for item in items]
    assert ends == sorted(ends)
    assert ends[0] == 0
    assert ends[-1] == np.inf
    assert all(np.log10(end) % 1 == 0 for end in ends[1:-1])  # powers of ten
    renderer = root.find(".//rasterrenderer")
    most = float(renderer.get("classificationMax"))
    assert most > ends[-2]
    assert most == float(root.find(".//colorrampshader").get("maximumValue"))
    emission = tables.grid_1km["emission"].to_numpy().ravel() / 1e6
    assert most == emission.max()
    found = np.searchsorted(ends, emission)
    assert set(found) >= {1, len(ends) - 1}


@pytest.mark.parametrize("values", [[], [5.0], [3.0, 3.0], [0.02, 4e5], [1e-9, 1.0, 1e9]])
def test_a_grid_of_few_values_has_a_style(tables, tmp_path, values):
    grid = tables.grid_1km.copy(deep=True)
    grams = np.zeros(grid["emission"].shape)
    grams.ravel()[: len(values)] = np.array(values) * 1e6
    grid["emission"] = (grid["emission"].dims, grams)
    write_grid_qml(grid, tmp_path / "grid.qml")
    items = ET.parse(tmp_path / "grid.qml").getroot().findall(".//colorrampshader/item")
    ends = [float(item.get("value")) for item in items]
    assert ends == sorted(set(ends))
    assert 2 <= len(ends) <= 9
    assert items[1].get("label").startswith("> 0")


def test_labels_open_in_rioxarray_with_their_crs(labelled_run):
    with xr.open_zarr(labelled_run / "labels.zarr", consolidated=False) as labels:
        assert labels["parcel"].rio.crs.to_epsg() == 4528
        height, width = labels["unit"].shape
        west, south, east, north = labels["unit"].rio.bounds()
        assert ((east - west) / width, (north - south) / height) == (40.0, 40.0)
