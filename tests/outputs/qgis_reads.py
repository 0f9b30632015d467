"""Run by QGIS's own Python: what QGIS makes of units.gpkg, parcels.gpkg, grid_1km.tif and city.qgz of a run, as JSON, and a picture of each.

``python3 qgis_reads.py RUN PICTURES``; needs Debian's python3-qgis and no display (QT_QPA_PLATFORM=offscreen).
"""

import json
import sys
from pathlib import Path

from osgeo import ogr  # pyright: ignore[reportMissingImports]
from qgis.core import (  # pyright: ignore[reportMissingImports]
    Qgis,
    QgsApplication,
    QgsLayoutExporter,
    QgsLayoutUtils,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsPointXY,
    QgsProject,
    QgsRasterLayer,
    QgsTextRenderer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize  # pyright: ignore[reportMissingImports]
from qgis.PyQt.QtGui import QColor  # pyright: ignore[reportMissingImports]

_DARK = 100
"""The largest of red, green and blue below which a pixel is of a black line, not of a zone."""


def whole(layer):
    """Tell how a layer is drawn over its whole extent."""
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(layer.crs())
    settings.setExtent(layer.extent())
    settings.setOutputSize(QSize(600, 600))
    settings.setBackgroundColor(QColor("white"))
    return settings


def drawn(settings, path):
    """Draw, and keep the picture."""
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    image.save(str(path))
    return image


def fits(label):
    """Whether a label of a page has room for its text, in lines that are broken."""
    context = QgsLayoutUtils.createRenderContextForLayout(label.layout(), None, 100)
    flags = Qgis.TextRendererFlags(Qgis.TextRendererFlag.WrapLines)
    width, height = (
        context.convertToPainterUnits(each, Qgis.RenderUnit.Millimeters)
        for each in (label.rect().width(), label.rect().height())
    )
    lines = label.text().split("\n")
    needed = QgsTextRenderer.textHeight(context, label.textFormat(), lines, QgsTextRenderer.Rect, None, flags, width)  # fmt: skip
    return needed <= height


def picture(layer, path):
    """Draw a layer over its whole extent."""
    return colours_of(drawn(whole(layer), path))


def hatched(layer, path):
    """Tell, by the code of each unit, how many pixels of it, of every seventh row, are darker than any zone's colour: without names only the lines of hatching are."""
    bare = layer.clone()
    bare.setLabelsEnabled(False)
    settings = whole(bare)
    image, to_map = drawn(settings, path), settings.mapToPixel()
    spots = [
        to_map.toMapCoordinates(x, y)
        for x in range(image.width())
        for y in range(0, image.height(), 7)  # not the step of the lines, which is 6
        if image.pixelColor(x, y).value() < _DARK
    ]
    # Lines end at the border, where a pixel may be of either unit.
    inner = {unit["id"]: unit.geometry().buffer(-2 * settings.mapUnitsPerPixel(), 4) for unit in bare.getFeatures()}  # fmt: skip
    return {code: sum(shape.contains(QgsPointXY(spot)) for spot in spots) for code, shape in inner.items()}  # fmt: skip


def columns_of(layer):
    """Tell what each column of a layer is called, and how it is shown."""
    return {
        field.name(): {
            "alias": field.alias(),
            "type": field.typeName(),
            "numeric": field.isNumeric(),
            "widget": layer.editorWidgetSetup(number).type(),
        }
        for number, field in enumerate(layer.fields())
    }


def zones_of(path):
    """Tell the coded domain of the zones, as GDAL reads it."""
    ogr.UseExceptions()
    file = ogr.Open(str(path))
    definition = file.GetLayer(0).GetLayerDefn()
    column = definition.GetFieldDefn(definition.GetFieldIndex("zone"))
    return file.GetFieldDomain(column.GetDomainName()).GetEnumeration()


def colours_of(image):
    """Count the colours of every third pixel; rare ones are left out."""
    colours = {}
    for x in range(0, image.width(), 3):
        for y in range(0, image.height(), 3):
            name = image.pixelColor(x, y).name()
            colours[name] = colours.get(name, 0) + 1
    return {name: count for name, count in colours.items() if count >= 20}


def vector(run, pictures):
    """Tell of the layer of the units, opened as a double click does."""
    layer = QgsVectorLayer(f"{run / 'units.gpkg'}|layername=units", "units", "ogr")
    renderer = layer.renderer()
    rules = []
    if renderer.type() == "RuleRenderer":
        for rule in renderer.rootRule().children():
            symbols = [s.layerType() for s in rule.symbol().symbolLayers()]
            rules.append([rule.label(), rule.filterExpression(), symbols])
    names_shown = layer.labeling().settings()
    _, ids, names, _, error = layer.listStylesInDatabase()
    styles = dict(zip(ids, names, strict=True))
    return {
        "valid": layer.isValid(),
        "renderer": renderer.type(),
        "rules": rules,
        "fields": columns_of(layer),
        "styles": sorted(styles.values()),
        "domain": zones_of(run / "units.gpkg"),
        "error": error,
        "colours": picture(layer, pictures / "units.png"),
        "hatched": hatched(layer, pictures / "hatching.png"),
        "labels": layer.labelsEnabled(),
        "label_column": label_column(layer),
        "names_from": [names_shown.minimumScale, names_shown.maximumScale],
    }


def parcels(run):
    """Tell of the layer of the parcels, opened as a double click does; None where there is none."""
    if not (run / "parcels.gpkg").is_file():
        return None
    layer = QgsVectorLayer(f"{run / 'parcels.gpkg'}|layername=parcels", "parcels", "ogr")
    return {
        "valid": layer.isValid(),
        "renderer": layer.renderer().type(),
        "fields": columns_of(layer),
        "domain": zones_of(run / "parcels.gpkg"),
    }


def label_column(layer):
    """Tell the column that a layer's labels show."""
    labeling = layer.labeling() if hasattr(layer, "labeling") else None
    return labeling.settings().fieldName if labeling else None


def classes(layer):
    """Tell band and colours of a raster's classes."""
    if not isinstance(layer, QgsRasterLayer):
        return None
    items = layer.renderer().legendSymbologyItems()
    return [*layer.renderer().usesBands(), *(colour.name() for _, colour in items)]


def legend(layer):
    """Tell the texts of a raster's legend."""
    if not isinstance(layer, QgsRasterLayer):
        return None
    return [text for text, _ in layer.renderer().legendSymbologyItems()]


def raster(run, pictures):
    """Tell of the grid, which takes the style beside it."""
    layer = QgsRasterLayer(str(run / "grid_1km.tif"), "grid")
    return {
        "valid": layer.isValid(),
        "renderer": layer.renderer().type(),
        "bands": [layer.bandName(band) for band in range(1, layer.bandCount() + 1)],
        "legend": legend(layer),
        "colours": picture(layer, pictures / "grid.png"),
    }


def project(run, pictures):
    """Tell of the project: its layers from the top, and its page, printed."""
    opened = QgsProject.instance()
    read = opened.read(str(run / "city.qgz"))
    root = opened.layerTreeRoot()
    layers = [
        {
            "name": each.name(),
            "shown": each.isVisible(),
            "valid": each.layer().isValid(),
            "source": each.layer().source(),
            "renderer": each.layer().renderer().type() if each.layer().renderer() else None,
            "crs": each.layer().crs().authid(),
            "label_column": label_column(each.layer()),
            "classes": classes(each.layer()),
            "fields": columns_of(each.layer())
            if isinstance(each.layer(), QgsVectorLayer)
            else None,
            "legend": legend(each.layer()),
        }
        for each in root.findLayers()
    ]
    (page,) = opened.layoutManager().printLayouts()
    image = QgsLayoutExporter(page).renderPageToImage(0, dpi=100)
    image.save(str(pictures / "page.png"))
    for number, each in enumerate(root.findLayers()):
        picture(each.layer(), pictures / f"layer{number}.png")
    return {
        "read": read,
        "title": opened.title(),
        "abstract": opened.metadata().abstract(),
        "crs": opened.crs().authid(),
        "layers": layers,
        "items": sorted(
            type(item).__name__.removeprefix("QgsLayoutItem")
            for item in page.items()
            if hasattr(item, "uuid")
        ),
        "note": page.itemById("note").text(),
        "note_fits": fits(page.itemById("note")),
        "bar_mm": page.itemById("bar").rect().width(),
        "colours": colours_of(image),
    }


def main():
    """Write what QGIS sees."""
    run, pictures = (Path(word) for word in sys.argv[1:3])
    application = QgsApplication([], False)
    application.initQgis()
    told = {"units": vector(run, pictures), "parcels": parcels(run), "grid": raster(run, pictures)}
    json.dump({**told, "project": project(run, pictures)}, sys.stdout)
    application.exitQgis()


if __name__ == "__main__":
    main()
