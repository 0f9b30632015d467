"""A QGIS project of a run: its layers with their styles, and a page to print."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import NAMESPACE_OID, uuid5
from xml.etree import ElementTree as ET

from carbongrid.outputs.figures.classes import RELATIVE_IN_LINE, round_length
from carbongrid.outputs.marks import why_indicative
from carbongrid.outputs.result import cell_side
from carbongrid.outputs.tables.headings import about_run, headings_of
from carbongrid.outputs.tables.layers import UNITS_LAYER
from carbongrid.outputs.tables.parcel_layer import parcel_aliases, parcel_frame, style_of_density
from carbongrid.outputs.tables.styles import QGIS_VERSION, grid_style, qml, styles_of, units_style
from carbongrid.raster.opening.crs import authority_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pyproj import CRS

    from carbongrid.outputs.result import RunTables
    from carbongrid.outputs.tables.content import Content
    from carbongrid.outputs.tables.styles import Style

PROJECT = "city.qgz"
_FIRST = (1980, 1, 1, 0, 0, 0)
"""What every file of the archive is dated, so that a run's files tell no time."""

_SHOWN = {
    "Zones": ("Zones 碳平衡分区", "carbon balance zones 碳平衡分区"),
    "Emission": ("Emissions of the units 各单元碳排放", "emissions of the units 各单元碳排放"),
}
"""By the style in which the units open: what the layer and the page are called."""
_PAGE = (297, 210)  # mm, A4 landscape
_MAP = (10, 24, 186, 176)  # left, top, width, height
_LEGEND = (200, 24, 90, 120)
_NOTE = (202, 112, 85, 66)
_BAR = (202, 182, 80, 14)
_TYPES = {
    "page": "65638",
    "map": "65639",
    "label": "65641",
    "note": "65641",
    "legend": "65642",
    "bar": "65646",
}
"""Numbers by which QGIS knows the items of a page."""


@dataclass(frozen=True)
class _Layer:
    """One layer: its id, its name for people, where it lies, and the elements that draw it."""

    id: str
    name: str
    source: str
    provider: str
    kind: str
    elements: tuple[ET.Element, ...]
    shown: bool = True


def write_project(content: Content, tables: RunTables, path: Path) -> None:
    """Write ``city.qgz``: units by zone, or by emission where none has one, emissions and sinks of the coarse grid, with their styles, and a layout "A4" to print.

    Parameters
    ----------
    content, tables
        The run's.
    path
        The file; what it shows lies beside it, and is named by names alone, so that a folder can be moved.

    Notes
    -----
    Opens in any QGIS from 3.28. The same run gives the same bytes.
    """
    root = ET.Element("qgis", version=QGIS_VERSION, projectname=tables.title)
    ET.SubElement(root, "title").text = f"{tables.title}, {tables.year}"
    said = ET.SubElement(root, "projectMetadata")
    ET.SubElement(said, "title").text = f"{tables.title}, {tables.year}"
    ET.SubElement(said, "abstract").text = about_run(tables)
    crs = tables.units.crs
    _reference_system(ET.SubElement(root, "projectCrs"), crs)
    default = next(
        each for each in styles_of(content.units.frame, tables.currency, tables.gas) if each.default
    )
    named, page = _SHOWN[default.name]
    layers = _layers(content, tables, named, default)
    _tree(ET.SubElement(root, "layer-tree-group"), layers)
    extent = _extent(tables, _MAP[2] / _MAP[3])
    canvas = ET.SubElement(root, "mapcanvas", name="theMapCanvas")
    ET.SubElement(canvas, "units").text = "meters"
    _bounds(ET.SubElement(canvas, "extent"), extent)
    _reference_system(ET.SubElement(canvas, "destinationsrs"), crs)
    listed = ET.SubElement(root, "projectlayers")
    for layer in layers:
        _map_layer(listed, layer, crs)
    order = ET.SubElement(root, "layerorder")
    for layer in layers:
        ET.SubElement(order, "layer", id=layer.id)
    properties = ET.SubElement(root, "properties")
    paths = ET.SubElement(properties, "Paths")
    ET.SubElement(paths, "Absolute", type="bool").text = "false"
    # Without it QGIS takes no reference system for the project, and a bar of scale has no length.
    system = ET.SubElement(properties, "SpatialRefSys")
    ET.SubElement(system, "ProjectionsEnabled", type="int").text = "1"
    title = f"{tables.title}, {tables.year}: {page}"
    _layout(ET.SubElement(root, "Layouts"), (title, _note(default, tables)), layers, extent)
    packed, name = BytesIO(), zipfile.ZipInfo(f"{path.stem}.qgs", _FIRST)
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, qml(root), zipfile.ZIP_DEFLATED)
    path.write_bytes(packed.getvalue())


def _note(style: Style, tables: RunTables) -> str:
    """Return what a page says of what it shows: that zones are relative, and what the marks on them mean, or rest on."""
    if style.name != "Zones":
        return ""
    marks = []
    # QGIS breaks lines at spaces alone.
    for flag in style.flags:
        if flag.marked(tables.units).any():
            english, chinese = zip(*([flag.meaning] if flag.meaning[0] else why_indicative(tables)), strict=True)  # fmt: skip
            marks.append(
                f"{flag.name_en}: {'; '.join(english)}\n{flag.name_zh}：{'；\n'.join(chinese)}"
            )
    return "\n\n".join(("\n".join(RELATIVE_IN_LINE), *marks))


def _layers(content: Content, tables: RunTables, name: str, default: Style) -> list[_Layer]:
    """Return the layers from the top: units by that name in their default style, emissions and sinks of the coarse grid, parcels where a file of them is there that any QGIS opens."""
    aliases = {name: each.text for name, each in headings_of(content.units, tables).items()}
    side = cell_side(content.grid_1km) / 1000
    layers = [
        _Layer(_id("units"), name, f"./units.gpkg|layername={UNITS_LAYER}", "ogr", "vector", tuple(units_style(default, aliases))),
        *(
            _Layer(_id(id_), f"{english}, {side:g} km grid {chinese}网格", "./grid_1km.tif", "gdal", "raster", tuple(grid_style(content.grid_1km, field, tables.gas)), shown=False)
            for id_, field, english, chinese in (("grid", "emission", "Emissions", "碳排放"), ("sinks", "sink", "Sinks", "碳汇"))
        ),
    ]  # fmt: skip
    if (
        content.layer is not None and content.layer.format != "pmtiles"
    ):  # whose parcels are cut at tiles
        frame = parcel_frame(tables, content.layer.unit)
        style = units_style(
            style_of_density(frame, tables.gas), parcel_aliases(frame, tables), label=""
        )
        layers.append(_Layer(_id("parcels"), "Emissions of parcels by area 地块碳排放密度", f"./{content.layer.file}", "ogr", "vector", tuple(style), shown=False))  # fmt: skip
    return layers


def _tree(parent: ET.Element, layers: Iterable[_Layer]) -> None:
    """Add layers as a panel or a legend lists them."""
    for layer in layers:
        checked, open_ = ("Qt::Checked", "1") if layer.shown else ("Qt::Unchecked", "0")
        told = {"id": layer.id, "name": layer.name, "source": layer.source, "providerKey": layer.provider}  # fmt: skip
        ET.SubElement(parent, "layer-tree-layer", {**told, "checked": checked, "expanded": open_})


def _id(name: str) -> str:
    """Return a layer's id: QGIS replaces those that do not end with a UUID, and then finds no layer of its tree."""
    return f"{name}_{str(uuid5(NAMESPACE_OID, name)).replace('-', '_')}"


def _map_layer(parent: ET.Element, layer: _Layer, crs: CRS) -> None:
    kind = {"type": layer.kind, "geometry": "Polygon"} if layer.kind == "vector" else {"type": layer.kind}  # fmt: skip
    element = ET.SubElement(parent, "maplayer", kind)
    ET.SubElement(element, "id").text = layer.id
    ET.SubElement(element, "datasource").text = layer.source
    ET.SubElement(element, "layername").text = layer.name
    _reference_system(ET.SubElement(element, "srs"), crs)
    encoding = {"encoding": "UTF-8"} if layer.provider == "ogr" else {}
    ET.SubElement(element, "provider", encoding).text = layer.provider
    element.extend(layer.elements)


def _reference_system(parent: ET.Element, crs: CRS) -> None:
    system = ET.SubElement(parent, "spatialrefsys", nativeFormat="Wkt")
    ET.SubElement(system, "wkt").text = crs.to_wkt("WKT2_2019")
    if code := authority_code(crs, 20):
        ET.SubElement(system, "authid").text = code


def _extent(tables: RunTables, shape: float) -> tuple[float, float, float, float]:
    """Return the units' bounds with a margin, as wide for their height as the map on the page."""
    west, south, east, north = tables.units.total_bounds.tolist()
    width, height = max((east - west) * 1.06, 1.0), max((north - south) * 1.06, 1.0)
    width, height = max(width, height * shape), max(height, width / shape)
    x, y = (west + east) / 2, (south + north) / 2
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _bounds(parent: ET.Element, extent: tuple[float, float, float, float]) -> None:
    for name, value in zip(("xmin", "ymin", "xmax", "ymax"), extent, strict=True):
        ET.SubElement(parent, name).text = repr(value)


def _layout(
    parent: ET.Element, texts: tuple[str, str], layers: Sequence[_Layer], extent: tuple[float, float, float, float]
) -> None:  # fmt: skip
    """Add a page with title, map, legend, note and a bar of scale."""
    layout = ET.SubElement(parent, "Layout", name="A4", units="mm", printResolution="300")
    pages = ET.SubElement(layout, "PageCollection")
    _item(pages, "page", (0, 0, *_PAGE), {})
    land = _item(layout, "map", _MAP, {"frame": "true", "followPreset": "false", "mapRotation": "0", "keepLayerSet": "false", "drawCanvasItems": "true"})  # fmt: skip
    ET.SubElement(land, "Extent", dict(zip(("xmin", "ymin", "xmax", "ymax"), map(repr, extent), strict=True)))  # fmt: skip
    for kind, box, text, middle in zip(("label", "note"), ((10, 8, 277, 12), _NOTE), texts, ("128", "64"), strict=True):  # fmt: skip
        if text:
            _item(layout, kind, box, {"labelText": text, "halign": "1", "valign": middle})
    legend = _item(layout, "legend", _LEGEND, {"map_uuid": "map", "title": "", "columnCount": "1", "symbolWidth": "6", "symbolHeight": "4", "resizeToContents": "1", "legendFilterByAtlas": "0", "wrapChar": ""})  # fmt: skip
    _tree(ET.SubElement(legend, "layer-tree-group"), [layer for layer in layers if layer.shown])
    _scale_bar(layout, (extent[2] - extent[0]) / _MAP[2])


def _scale_bar(layout: ET.Element, metres_per_mm: float) -> None:
    length = round_length(50 * metres_per_mm)
    unit, word, per = ("km", "km", 1000.0) if length >= 1000 else ("meters", "m", 1.0)
    settings = {
        "mapUuid": "map", "style": "Single Box", "unitType": unit, "unitLabel": word, "numUnitsPerSegment": repr(length / per / 2),
        "numSegments": "2", "numSegmentsLeft": "0", "numMapUnitsPerScaleBarUnit": "1", "segmentSizeMode": "0", "height": "2.5",
        "labelBarSpace": "2", "boxContentSpace": "1", "minBarWidth": "20", "maxBarWidth": "70", "outlineWidth": "0.3",
    }  # fmt: skip
    _item(layout, "bar", _BAR, settings)


def _item(parent: ET.Element, kind: str, box: tuple[int, int, int, int], settings: Mapping[str, str]) -> ET.Element:  # fmt: skip
    left, top, width, height = box
    place = {
        "type": _TYPES[kind], "uuid": kind, "templateUuid": kind, "id": kind if kind != "page" else "", "visibility": "1", "opacity": "1",
        "position": f"{left},{top},mm", "positionOnPage": f"{left},{top},mm", "size": f"{width},{height},mm", "referencePoint": "0",
        "background": "true" if kind in ("page", "map") else "false", "frame": "false", "excludeFromExports": "0", "zValue": "0" if kind == "page" else "1",
    }  # fmt: skip
    return ET.SubElement(parent, "LayoutItem", {**place, **settings})
