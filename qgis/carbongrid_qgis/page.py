"""The page to print of a run, out of its ``city.qgz`` into the project that is open."""

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


class AddsPage(QgsProcessingLayerPostProcessorInterface):
    """Adds the page when QGIS has taken the units into its project: a map that it may show is there only then."""

    kept: list[AddsPage] = []  # noqa: RUF012  (QGIS does not own it, and Python would take it away before its turn)

    def __init__(self, project_file: Path, name: str) -> None:
        """Remember where the page is, and what it shall be called."""
        super().__init__()
        self.project_file, self.page_name = project_file, name
        self.kept.append(self)

    def postProcessLayer(self, layer: QgsMapLayer, context: Any, feedback: Any) -> None:
        """Add the page, which shows this layer."""
        add_page(context.project(), self.project_file, self.page_name, layer)


def add_page(project: QgsProject, project_file: Path, name: str, layer: QgsMapLayer) -> None:
    """Add the first layout of a project file to a project: its map and its legend are of one layer.

    Parameters
    ----------
    project
        What is open.
    project_file
        A ``.qgz`` that holds a layout.
    name
        What the page is called; one of that name is replaced, so that opening a run twice leaves one page.
    layer
        What the map shows, whatever else the project has.
    """
    document = QDomDocument()
    with zipfile.ZipFile(project_file) as archive:
        document.setContent(archive.read(f"{project_file.stem}.qgs"))
    element = document.documentElement().firstChildElement("Layouts").firstChildElement("Layout")
    page = QgsPrintLayout(project)
    page.readLayoutXml(element, document, QgsReadWriteContext())
    page.setName(name)
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
    manager = project.layoutManager()
    if (there := manager.layoutByName(name)) is not None:
        manager.removeLayout(there)
    manager.addLayout(page)
