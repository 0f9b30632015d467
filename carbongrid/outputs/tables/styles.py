"""Styles for GIS: what QGIS finds inside units.gpkg and beside grid_1km.tif (docs/decisions/0022)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from carbongrid.method.columns import in_tonnes
from carbongrid.method.gas import ALL_GASES, Gas
from carbongrid.outputs.figures.classes import (
    NO_VALUE,
    RELATIVE_IN_LINE,
    ordered_zones,
    powers_of_ten,
)
from carbongrid.outputs.figures.lettering import in_both
from carbongrid.outputs.figures.scales import Scale, scales_of, sequential
from carbongrid.outputs.marks import Flag, flags_of
from carbongrid.outputs.numbers import round_number
from carbongrid.outputs.tables.xml_text import in_xml

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

STYLES_LAYER = "layer_styles"
NOTHING = "#f7f7f4"
UPDATED = datetime(2000, 1, 1, tzinfo=UTC)
"""When a style was changed, by which QGIS sorts the styles of a layer; the same for all, so that a run's files tell no time."""

_GRAMS_PER_TONNE = 1e6
QGIS_VERSION = "3.28.0"  # the oldest whose style format is written here
_CATEGORIES = "Symbology|Labeling|Fields|Forms"
_HATCHES: dict[str, tuple[str, ...]] = {"////": ("45",), "....": ("0", "90")}
"""Angles of the lines that stand for a hatching of the figures."""
_SLD: dict[str, str] = {
    "xmlns": "http://www.opengis.net/sld",
    "xmlns:se": "http://www.opengis.net/se",
    "xmlns:ogc": "http://www.opengis.net/ogc",
    "version": "1.1.0",
}


@dataclass(frozen=True)
class Rule:
    """Features of one colour: from ``low`` to ``high`` of a column, each end in or out; None is open."""

    label: str
    colour: str
    column: str = ""
    low: float | None = None
    high: float | None = None
    low_in: bool = True
    high_in: bool = False

    @property
    def expression(self) -> str:
        """The condition as QGIS reads it; what no other rule takes where there is none."""
        if not self.column:
            return "ELSE"
        tests = []
        if self.low is not None:
            tests.append(f'"{self.column}" {">=" if self.low_in else ">"} {self.low!r}')
        if self.high is not None:
            tests.append(f'"{self.column}" {"<=" if self.high_in else "<"} {self.high!r}')
        return " AND ".join(tests) or f'"{self.column}" IS NOT NULL'


@dataclass(frozen=True)
class Style:
    """A named style of the units: rules, lowest first, and marks that are laid over them."""

    name: str
    description: str
    rules: tuple[Rule, ...]
    default: bool = False
    flags: tuple[Flag, ...] = ()


def styles_of(units: pd.DataFrame, currency: str, gas: Gas) -> list[Style]:
    """Return the styles of the units: zones first, as the default, then each variable; emissions are the default where no unit has a zone.

    Parameters
    ----------
    units
        Content of units.csv.
    currency
        Of GDP.
    gas
        Of the emissions.
    """
    zones = tuple(
        Rule(f"{z.name_en} {z.name_zh}", z.colour, "zone", z.code, z.code, high_in=True)
        for z in ordered_zones()
    )
    about_zones = f"Carbon balance zones 碳平衡分区. {' '.join(RELATIVE_IN_LINE)}"
    flags = tuple(
        flag for flag in flags_of(units) if flag.column in units and flag.marked(units).any()
    )
    zoned = bool((units["zone"] > 0).any())
    styles = [Style("Zones", about_zones, zones, default=zoned, flags=flags)]
    for key, scale in scales_of(units, currency, gas).items():
        name = key.upper() if len(key) == 3 else key.capitalize()
        about = " ".join(
            f"{scale.name[0]} {scale.name[1]}: {scale.unit[0]}. {scale.note[0]}".split()
        )
        default = key == "emission" and not zoned
        styles.append(Style(name, about, tuple(_rules(scale)), default=default))
    return styles


def _rules(scale: Scale) -> Iterator[Rule]:
    mass = scale.column.endswith("_g")
    column = in_tonnes(scale.column) if mass else scale.column
    divisor = _GRAMS_PER_TONNE if mass else 1.0
    below = scale.at_break == "below"
    ends: list[float | None] = [0.0 if below else None]
    ends += [each / divisor for each in scale.breaks]
    ends.append(None)
    for k, (label, colour) in enumerate(zip(scale.labels, scale.colours, strict=True)):
        text = (
            f"{label} {_measure(scale)}".strip()
            if scale.breaks or label[0].isdigit()
            else in_both(label)
        )
        yield Rule(text, colour, column, ends[k], ends[k + 1], low_in=not below, high_in=below)
    if below and scale.missing == "unknown":  # of residents and GDP nothing is known too
        yield Rule("0", NOTHING, column, 0.0, 0.0, high_in=True)
    yield Rule(in_both(scale.missing), NO_VALUE)


def _measure(scale: Scale) -> str:
    """Return what stands behind each class: the unit of totals, the percent of rates, nothing behind ratios."""
    if scale.at_break == "below":
        return scale.unit[0].splitlines()[0]
    return "%" if scale.unit[0].endswith("%") else ""


def style_table(
    styles: list[Style],
    layer: str,
    aliases: Mapping[str, str],
    label: str = "name",
) -> pd.DataFrame:
    """Return the rows of ``layer_styles``, the table in which QGIS looks for a layer's styles.

    Parameters
    ----------
    styles
        One of them the default.
    layer
        Name of the table.
    aliases
        What the columns are called in tables and forms of QGIS.
    label
        The column that is written beside each polygon; empty for none.

    Notes
    -----
    QGIS orders the styles by ``update_time``, and finds none where that column is missing.
    """
    import pandas as pd

    return pd.DataFrame(
        {
            "f_table_catalog": "",
            "f_table_schema": "",
            "f_table_name": layer,
            "f_geometry_column": "geom",
            "styleName": [style.name for style in styles],
            "styleQML": [qml(units_style(style, aliases, label)) for style in styles],
            "styleSLD": [sld_of(style, layer) for style in styles],
            "useAsDefault": [style.default for style in styles],
            "description": [style.description for style in styles],
            "owner": "",
            "ui": "",
            "update_time": pd.Series([UPDATED] * len(styles)).astype("datetime64[ms, UTC]"),
        }
    )


def units_style(style: Style, aliases: Mapping[str, str], label: str = "name") -> ET.Element:
    """Return a style of the units as QGIS writes it: rules, one symbol each, names of the units as labels, and what columns are called."""
    root = ET.Element("qgis", version=QGIS_VERSION, styleCategories=_CATEGORIES)
    renderer = ET.SubElement(root, "renderer-v2", type="RuleRenderer", symbollevels="0")
    rules = ET.SubElement(renderer, "rules", key="root")
    symbols = ET.SubElement(renderer, "symbols")
    for number, rule in enumerate(style.rules):
        attributes = {"key": f"rule{number}", "symbol": str(number), "filter": rule.expression}
        ET.SubElement(rules, "rule", {**attributes, "label": rule.label})
        _fill(symbols, str(number), rule.colour)
    for number, flag in enumerate(style.flags, start=len(style.rules)):
        name = f"{flag.name_en} {flag.name_zh}"
        attributes = {"key": f"rule{number}", "symbol": str(number), "filter": flag.expression}
        ET.SubElement(rules, "rule", {**attributes, "label": name})
        _lines(symbols, str(number), _HATCHES[flag.hatch])
    _columns(root, aliases)
    if label:
        _labels(root, label)
    ET.SubElement(root, "layerGeometryType").text = "2"
    return root


def _labels(root: ET.Element, column: str) -> None:
    """Write a column beside its polygon."""
    labels = ET.SubElement(root, "labeling", type="simple")
    settings = ET.SubElement(labels, "settings", calloutType="simple")
    text = ET.SubElement(settings, "text-style", fieldName=column, fontSize="8", textColor="34,39,46,255")  # fmt: skip
    ET.SubElement(text, "text-buffer", bufferDraw="1", bufferSize="0.7", bufferSizeUnits="MM", bufferColor="255,255,255,210")  # fmt: skip
    # scaleMax is the scale from which names are drawn: beyond it they would lie on each other.
    ET.SubElement(settings, "rendering", scaleVisibility="1", scaleMin="0", scaleMax="1000000")


def _fill(symbols: ET.Element, name: str, colour: str) -> None:
    symbol = ET.SubElement(symbols, "symbol", type="fill", name=name, alpha="1")
    layer = ET.SubElement(symbol, "layer", {"class": "SimpleFill", "enabled": "1", "pass": "0"})
    options = ET.SubElement(layer, "Option", type="Map")
    for key, value in {
        "color": _rgba(colour),
        "style": "solid",
        "outline_color": "255,255,255,255",
        "outline_style": "solid",
        "outline_width": "0.2",
        "outline_width_unit": "MM",
    }.items():
        ET.SubElement(options, "Option", type="QString", name=key, value=value)


def _lines(symbols: ET.Element, name: str, angles: tuple[str, ...]) -> None:
    """Add lines that are laid over the colour of a zone."""
    symbol = ET.SubElement(symbols, "symbol", type="fill", name=name, alpha="1")
    for angle in angles:
        layer = ET.SubElement(symbol, "layer", {"class": "LinePatternFill", "enabled": "1", "pass": "0"})  # fmt: skip
        options = ET.SubElement(layer, "Option", type="Map")
        for key, value in {"angle": angle, "distance": "1.6", "distance_unit": "MM", "color": "0,0,0,255", "line_width": "0.26"}.items():  # fmt: skip
            ET.SubElement(options, "Option", type="QString", name=key, value=value)


def _columns(root: ET.Element, aliases: Mapping[str, str]) -> None:
    """Say what columns are called, and what the numbers of zones mean."""
    names = ET.SubElement(root, "aliases")
    for number, (column, alias) in enumerate(aliases.items(), start=1):  # the row's number is 0
        ET.SubElement(names, "alias", field=column, index=str(number), name=alias)
    configuration = ET.SubElement(root, "fieldConfiguration")
    field = ET.SubElement(configuration, "field", name="zone", configurationFlags="NoFlag")
    widget = ET.SubElement(ET.SubElement(field, "editWidget", type="ValueMap"), "config")
    config = ET.SubElement(widget, "Option", type="Map")
    values = ET.SubElement(config, "Option", type="List", name="map")
    for zone in ordered_zones():
        one = ET.SubElement(values, "Option", type="Map")
        text = f"{zone.name_en} {zone.name_zh}"
        ET.SubElement(one, "Option", type="QString", name=text, value=str(zone.code))


def sld_of(style: Style, layer: str) -> str:
    """Return a style as SLD 1.1, which GeoServer and others read."""
    root = ET.Element("StyledLayerDescriptor", _SLD)
    named = ET.SubElement(root, "NamedLayer")
    ET.SubElement(named, "se:Name").text = layer
    user = ET.SubElement(named, "UserStyle")
    ET.SubElement(user, "se:Name").text = style.name
    features = ET.SubElement(user, "se:FeatureTypeStyle")
    for rule in style.rules:
        element = ET.SubElement(features, "se:Rule")
        ET.SubElement(element, "se:Name").text = rule.label
        if rule.column:
            _condition(ET.SubElement(element, "ogc:Filter"), rule)
        else:
            ET.SubElement(element, "se:ElseFilter")
        symbol = ET.SubElement(element, "se:PolygonSymbolizer")
        fill = ET.SubElement(symbol, "se:Fill")
        ET.SubElement(fill, "se:SvgParameter", name="fill").text = rule.colour
        stroke = ET.SubElement(symbol, "se:Stroke")
        ET.SubElement(stroke, "se:SvgParameter", name="stroke").text = "#ffffff"
        ET.SubElement(stroke, "se:SvgParameter", {"name": "stroke-width"}).text = "0.7"
    return _text(root)


def _condition(parent: ET.Element, rule: Rule) -> None:
    tests = []
    if rule.low is not None:
        word = "GreaterThanOrEqualTo" if rule.low_in else "GreaterThan"
        tests.append((f"ogc:PropertyIs{word}", rule.low))
    if rule.high is not None:
        word = "LessThanOrEqualTo" if rule.high_in else "LessThan"
        tests.append((f"ogc:PropertyIs{word}", rule.high))
    if not tests:
        test = ET.SubElement(ET.SubElement(parent, "ogc:Not"), "ogc:PropertyIsNull")
        ET.SubElement(test, "ogc:PropertyName").text = rule.column
        return
    holder = ET.SubElement(parent, "ogc:And") if len(tests) > 1 else parent
    for name, value in tests:
        test = ET.SubElement(holder, name)
        ET.SubElement(test, "ogc:PropertyName").text = rule.column
        ET.SubElement(test, "ogc:Literal").text = repr(value)


def write_grid_qml(grid: xr.Dataset, path: Path, gas: Gas = ALL_GASES) -> None:
    """Write the style that QGIS takes for grid_1km.tif."""
    path.write_text(qml(grid_style(grid, "emission", gas)), encoding="utf-8")


_OF_GRID = {"emission": ("1", "YlOrRd"), "sink": ("2", "YlGn")}
"""The band of a field in grid_1km.tif, and its palette."""


def grid_style(grid: xr.Dataset, field: str, gas: Gas) -> ET.Element:
    """Return a style of grid_1km.tif: emissions or sinks by powers of ten.

    Notes
    -----
    A TIFF keeps a colour table for 8 and 16 bits only, and mass is float64. Natural classes put nine cells of ten in the
    lowest: a works emits what a thousand cells of homes do.
    """
    band, palette = _OF_GRID[field]
    tonnes = grid[field].to_numpy().ravel() / _GRAMS_PER_TONNE
    bounds = powers_of_ten(tonnes[tonnes > 0])
    most = repr(float(tonnes.max(initial=0.0)))
    root = ET.Element("qgis", version=QGIS_VERSION, styleCategories="Symbology")
    pipe = ET.SubElement(root, "pipe")
    kind = {"type": "singlebandpseudocolor", "band": band, "opacity": "1", "alphaBand": "-1"}
    ends = {"classificationMin": "0", "classificationMax": most}
    renderer = ET.SubElement(pipe, "rasterrenderer", {**kind, **ends})
    shader = ET.SubElement(renderer, "rastershader")
    ramp = ET.SubElement(shader, "colorrampshader", colorRampType="DISCRETE", clip="0", minimumValue="0", maximumValue=most, classificationMode="1")  # fmt: skip
    ET.SubElement(ramp, "item", value="0", label="0", color="#ffffff", alpha="255")
    low = ""
    # QGIS takes a value for the class of the first bound that it is not above; the last is open.
    for bound, colour in zip((*bounds, math.inf), sequential(palette, len(bounds) + 1), strict=True):  # fmt: skip
        label = f"{low or '> 0'} – {round_number(bound)}" if bound < math.inf else f"> {low or 0}"
        ET.SubElement(ramp, "item", value=repr(bound), label=gas.told(f"{label} t CO₂e per cell and year"), color=colour, alpha="255")  # fmt: skip
        low = round_number(bound)
    return root


def _rgba(colour: str) -> str:
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return f"{red},{green},{blue},255"


def qml(root: ET.Element) -> str:
    """Return a style, or a project, as the text of a file of QGIS."""
    return "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n" + _text(root)


def _text(root: ET.Element) -> str:
    ET.indent(root)
    # Characters that are no XML are written as they are: one of them, in a title or a heading, and nothing reads the file.
    return in_xml(ET.tostring(root, encoding="unicode"))
