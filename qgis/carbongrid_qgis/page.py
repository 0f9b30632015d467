"""What a run's ``city.qgz`` holds for the project that is open: the page to print, and the style of a layer whose file has none."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsLayoutItemLegend,
    QgsLayoutItemMap,
    QgsMapLayer,
    QgsPrintLayout,
    QgsProcessingLayerPostProcessorInterface,
    QgsProject,
    QgsReadWriteContext,
)
from qgis.PyQt.QtXml import QDomDocument

from .words import tr

_RUN = "carbongrid/run"
"""What a page remembers: the folder of the run that it shows."""


class AddsPage(QgsProcessingLayerPostProcessorInterface):
    """Adds the page when QGIS has taken the units into its project: a map that it may show is there only then."""

    kept: list[AddsPage] = []  # noqa: RUF012  (QGIS does not own it, and Python would take it away before its turn)

    def __init__(self, project_file: Path, name: str) -> None:
        """Remember where the page is, and what it shall be called."""
        super().__init__()
        self.project_file, self.page_name = project_file, name
        self.kept.append(self)

    def postProcessLayer(self, layer: QgsMapLayer, context: Any, feedback: Any) -> None:
        """Add the page, which shows this layer, and say what it is called."""
        name = add_page(context.project(), self.project_file, self.page_name, layer)
        feedback.pushInfo(tr("page").format(name) if name else tr("no_page").format(self.project_file))  # fmt: skip
        self.kept.remove(self)


def add_page(project: QgsProject, project_file: Path, name: str, layer: QgsMapLayer) -> str:
    """Add the first layout of a project file to a project: its map and its legend are of one layer.

    A page that this run has there already is replaced; one that the user made, or another run has, stays.

    Parameters
    ----------
    project
        What is open.
    project_file
        A ``.qgz`` that holds a layout.
    name
        What the page is called; where that is taken, the folder's name stands behind it.
    layer
        What the map shows, whatever else the project has.

    Returns
    -------
    str
        What it is called; empty if the file has no layout.
    """
    document = _document(project_file)
    element = document.documentElement().firstChildElement("Layouts").firstChildElement("Layout")
    page = QgsPrintLayout(project)
    if element.isNull() or not page.readLayoutXml(element, document, QgsReadWriteContext()):
        return ""
    folder, manager = str(project_file.parent.absolute()), project.layoutManager()
    for there in manager.layouts():
        if there.customProperty(_RUN) == folder:
            manager.removeLayout(there)
    page.setCustomProperty(_RUN, folder)
    names = (name, f"{name} ({project_file.parent.name})", f"{name} ({folder})")
    page.setName(next((each for each in names if manager.layoutByName(each) is None), folder))
    for item in page.items():
        if isinstance(item, QgsLayoutItemMap):
            item.setCrs(layer.crs())
            item.setLayers([layer])
            item.setKeepLayerSet(True)
        elif isinstance(item, QgsLayoutItemLegend):
            item.setAutoUpdateModel(False)
            tree = item.model().rootGroup()
            tree.clear()
            tree.addLayer(layer)
    told: str = page.name()
    return told if manager.addLayout(page) else ""


def take_style(layer: QgsMapLayer, project_file: Path) -> None:
    """Give a layer the style, and the names of columns, that a project file has for its file; none where it has no such layer."""
    file = Path(layer.source()).name
    found = _document(project_file).documentElement().firstChildElement("projectlayers")
    element = found.firstChildElement("maplayer")
    while not element.isNull():
        source = element.firstChildElement("datasource").text()
        if Path(source.partition("|")[0]).name == file:
            layer.readSymbology(element, "", QgsReadWriteContext())
        element = element.nextSiblingElement("maplayer")


def _document(project_file: Path) -> QDomDocument:
    document = QDomDocument()
    with zipfile.ZipFile(project_file) as archive:
        document.setContent(archive.read(f"{project_file.stem}.qgs"))
    return document
