"""What the toolbox offers: each algorithm turns its form into words of the command, and opens what comes of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterFile,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterNumber,
    QgsProcessingParameterString,
    QgsProviderRegistry,
    QgsRasterLayer,
    QgsVectorFileWriter,
    QgsVectorLayer,
)

from .command import run
from .page import AddsPage, take_style
from .words import tr

CODE_SYSTEMS = (
    *("tdland3", "ydyh2023", "gbt21010", "osm", "overture", "corine", "urban-atlas"),
    *("worldcover", "globeland30", "corine-grid", "nlcd", "glc-fcs30"),
)
PARCEL_FORMATS = ("gpkg", "fgb", "parquet")
"""Of the command's; the first, since not every QGIS reads the last, which a run has in any case."""

_FOLDER = QgsProcessingParameterFile.Folder


class _Algorithm(QgsProcessingAlgorithm):
    """Names and texts of an algorithm; each call makes a new one, as QGIS wants it."""

    word, title, help_text = "", "", ""

    def name(self) -> str:
        return self.word

    def displayName(self) -> str:
        return tr(self.title)

    def shortHelpString(self) -> str:
        return tr(self.help_text)

    def createInstance(self) -> QgsProcessingAlgorithm:
        return type(self)()

    def _file(self, name: str, text: str, **more: Any) -> None:
        self.addParameter(QgsProcessingParameterFile(name, tr(text), **more))

    def _writes_a_run(self) -> None:
        self.addParameter(
            QgsProcessingParameterEnum("PARCELS", tr("parcels_as"), list(PARCEL_FORMATS), usesStaticStrings=True, defaultValue=PARCEL_FORMATS[0])
        )  # fmt: skip
        self.addParameter(QgsProcessingParameterFolderDestination("OUT", tr("out")))
        self.addParameter(QgsProcessingParameterBoolean("REPLACE", tr("replace"), False))
        self.addParameter(QgsProcessingParameterBoolean("OPEN", tr("open"), True))

    def _run_into(self, words: list[str], parameters: Any, context: Any, feedback: Any) -> dict[str, Any]:  # fmt: skip
        out = self.parameterAsString(parameters, "OUT", context)
        parcels = self.parameterAsEnumString(parameters, "PARCELS", context)
        words = [*words, "--parcels", parcels, "--out", out]
        if self.parameterAsBool(parameters, "REPLACE", context):
            words.append("--replace")
        run(words, feedback)
        if self.parameterAsBool(parameters, "OPEN", context):
            open_run(Path(out), context, feedback)
        return {"OUT": out}


class CheckCase(_Algorithm):
    """``carbongrid check``."""

    word, title, help_text = "check", "do_check", "help_check"

    def initAlgorithm(self, configuration: Any = None) -> None:
        self._file("CASE", "case", extension="toml")

    def processAlgorithm(self, parameters: Any, context: Any, feedback: Any) -> dict[str, Any]:
        said = run(["check", self.parameterAsFile(parameters, "CASE", context)], feedback)
        for line in said.splitlines():
            feedback.pushInfo(line)
        return {"SAID": said}


class RunCase(_Algorithm):
    """``carbongrid run``."""

    word, title, help_text = "run", "do_run", "help_run"

    def initAlgorithm(self, configuration: Any = None) -> None:
        self._file("CASE", "case", extension="toml")
        self._writes_a_run()

    def processAlgorithm(self, parameters: Any, context: Any, feedback: Any) -> dict[str, Any]:
        case = self.parameterAsFile(parameters, "CASE", context)
        return self._run_into(["run", case], parameters, context, feedback)


class FromOsm(_Algorithm):
    """``carbongrid from-osm``."""

    word, title, help_text = "fromosm", "do_osm", "help_osm"

    def initAlgorithm(self, configuration: Any = None) -> None:
        self._file("EXTRACT", "extract", fileFilter="OpenStreetMap (*.osm.pbf *.pbf)")
        level = QgsProcessingParameterNumber("LEVEL", tr("level"), optional=True, minValue=2, maxValue=11)  # fmt: skip
        self.addParameter(level)
        self._file("LAND_COVER", "land_cover", optional=True, fileFilter="GeoTIFF (*.tif *.tiff)")
        self.addParameter(QgsProcessingParameterString("CODES", tr("codes"), optional=True))
        self._file("PEOPLE", "people", optional=True, fileFilter="GeoTIFF (*.tif *.tiff)")
        self.addParameter(QgsProcessingParameterBoolean("GUESS", tr("guess"), defaultValue=False))
        self.addParameter(QgsProcessingParameterFolderDestination("FOLDER", tr("folder")))

    def processAlgorithm(self, parameters: Any, context: Any, feedback: Any) -> dict[str, Any]:
        folder = self.parameterAsString(parameters, "FOLDER", context)
        words = ["from-osm", self.parameterAsFile(parameters, "EXTRACT", context), folder]
        if parameters.get("LEVEL") is not None:
            words += ["--units", str(self.parameterAsInt(parameters, "LEVEL", context))]
        for name, option in (("LAND_COVER", "--land-cover"), ("CODES", "--codes"), ("PEOPLE", "--people")):  # fmt: skip
            if parameters.get(name):
                words += [option, self.parameterAsString(parameters, name, context)]
        if self.parameterAsBool(parameters, "GUESS", context):
            words.append("--guess")
        for line in run(words, feedback).splitlines():
            feedback.pushInfo(line)
        return {"FOLDER": folder, "CASE": str(Path(folder) / "case.toml")}


class RunScenario(_Algorithm):
    """``carbongrid scenario``."""

    word, title, help_text = "scenario", "do_scenario", "help_scenario"

    def initAlgorithm(self, configuration: Any = None) -> None:
        self._file("RUN", "run", behavior=_FOLDER)
        self._file("PLAN", "plan", extension="toml")
        self._writes_a_run()

    def processAlgorithm(self, parameters: Any, context: Any, feedback: Any) -> dict[str, Any]:
        words = [self.parameterAsFile(parameters, name, context) for name in ("RUN", "PLAN")]
        return self._run_into(["scenario", *words], parameters, context, feedback)


class OpenResults(_Algorithm):
    """Layers of a finished run, in their styles."""

    word, title, help_text = "open", "do_open", "help_open"

    def initAlgorithm(self, configuration: Any = None) -> None:
        self._file("RUN", "run", behavior=_FOLDER)

    def processAlgorithm(self, parameters: Any, context: Any, feedback: Any) -> dict[str, Any]:
        folder = Path(self.parameterAsFile(parameters, "RUN", context))
        return {"LAYERS": open_run(folder, context, feedback)}


class CaseForm(_Algorithm):
    """A form for the case: layers of the project and tables become a folder that the command reads."""

    word, title, help_text = "form", "do_form", "help_form"

    def initAlgorithm(self, configuration: Any = None) -> None:
        polygons = [QgsProcessing.TypeVectorPolygon]
        for parameter in (
            QgsProcessingParameterString("TITLE", tr("title"), optional=True),
            QgsProcessingParameterNumber("YEAR", tr("year"), minValue=1900, maxValue=2200, defaultValue=2020),
            QgsProcessingParameterFeatureSource("PARCELS", tr("parcels"), polygons),
            QgsProcessingParameterField("PARCEL_ID", tr("parcel_id"), parentLayerParameterName="PARCELS"),
            QgsProcessingParameterField("LAND_USE", tr("land_use"), parentLayerParameterName="PARCELS"),
            QgsProcessingParameterEnum("CODE_SYSTEM", tr("code_system"), list(CODE_SYSTEMS), usesStaticStrings=True, defaultValue=CODE_SYSTEMS[0]),
            QgsProcessingParameterFeatureSource("UNITS", tr("units"), polygons),
            QgsProcessingParameterField("UNIT_ID", tr("unit_id"), parentLayerParameterName="UNITS"),
            QgsProcessingParameterField("UNIT_NAME", tr("unit_name"), parentLayerParameterName="UNITS", optional=True),
            QgsProcessingParameterFile("TOTALS", tr("totals")),
            QgsProcessingParameterFile("GDP", tr("gdp"), optional=True),
            QgsProcessingParameterFolderDestination("FOLDER", tr("folder")),
        ):  # fmt: skip
            self.addParameter(parameter)

    def processAlgorithm(self, parameters: Any, context: Any, feedback: Any) -> dict[str, Any]:
        folder = Path(self.parameterAsString(parameters, "FOLDER", context))
        case = folder / "case.toml"
        if case.exists():
            raise QgsProcessingException(tr("exists").format(case))
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("PARCELS", "UNITS"):
            source = self.parameterAsSource(parameters, name, context)
            write_layer(source, folder / f"{name.lower()}.gpkg", context)
        tables = {}
        for name in ("TOTALS", "GDP"):
            table = self.parameterAsFile(parameters, name, context)
            if table:
                tables[name] = f"{name.lower()}{Path(table).suffix}"
                shutil.copyfile(table, folder / tables[name])
        field = {name: self.parameterAsString(parameters, name, context) for name in ("TITLE", "PARCEL_ID", "LAND_USE", "CODE_SYSTEM", "UNIT_ID", "UNIT_NAME")}  # fmt: skip
        year = self.parameterAsInt(parameters, "YEAR", context)
        case.write_text(case_text(field, year, tables), encoding="utf-8")
        return {"FOLDER": str(folder), "CASE": str(case)}


def case_text(field: dict[str, str], year: int, tables: dict[str, str]) -> str:
    """Return the case file of a form: TOML, whose texts are those of JSON."""
    quoted = {name: json.dumps(value, ensure_ascii=False) for name, value in field.items()}
    lines = [f"title = {quoted['TITLE']}"] if field["TITLE"] else []
    lines += [f"year = {year}", "", "[parcels]", 'path = "parcels.gpkg"']
    lines += [f"id = {quoted['PARCEL_ID']}", f"land_use = {quoted['LAND_USE']}", f"code_system = {quoted['CODE_SYSTEM']}"]  # fmt: skip
    lines += ["", "[units]", 'path = "units.gpkg"', f"id = {quoted['UNIT_ID']}"]
    lines += [f"name = {quoted['UNIT_NAME']}"] if field["UNIT_NAME"] else []
    for name, file in tables.items():
        lines += ["", f"[{name.lower()}]", f"path = {json.dumps(file)}"]
    return "\n".join([*lines, ""])


def write_layer(source: Any, path: Path, context: QgsProcessingContext) -> None:
    """Write a layer's features as a GeoPackage of one layer.

    Raises
    ------
    QgsProcessingException
        If it cannot be written.
    """
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName, options.layerName = "GPKG", path.stem
    writer = QgsVectorFileWriter.create(
        str(path), source.fields(), source.wkbType(), source.sourceCrs(), context.transformContext(), options
    )  # fmt: skip
    for feature in source.getFeatures():
        if not writer.addFeature(feature):
            break
    fault = writer.errorMessage() if writer.hasError() else ""
    del writer
    if fault:
        raise QgsProcessingException(tr("not_written").format(path, fault))


def open_run(folder: Path, context: QgsProcessingContext, feedback: Any) -> list[str]:
    """Add a run's layers and its page to print to the project when the algorithm has ended; return where the layers are.

    Raises
    ------
    QgsProcessingException
        If the folder is not a finished run.
    """
    for name in ("manifest.json", "units.gpkg", "grid_1km.tif"):
        if not (folder / name).is_file():
            raise QgsProcessingException(tr("no_run").format(folder, name))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    title = f"{manifest.get('title') or folder.name}, {manifest['year']}"
    units = QgsVectorLayer(f"{folder / 'units.gpkg'}|layername=units", f"{title}: {tr('units_layer')}", "ogr")  # fmt: skip
    below = [
        QgsVectorLayer(str(path), f"{title}: {tr('parcels_layer')}", "ogr")
        for path in parcels_of(folder, feedback)
    ]
    layers = [QgsRasterLayer(str(folder / "grid_1km.tif"), f"{title}: {tr('grid')}"), *below, units]
    project_file = folder / "city.qgz"
    if project_file.is_file():
        for layer in below:
            if layer.source().endswith(".fgb"):  # which holds no style
                take_style(layer, project_file)
    for place, layer in enumerate(layers):
        context.temporaryLayerStore().addMapLayer(layer)
        details = QgsProcessingContext.LayerDetails(layer.name(), context.project(), layer.name())
        # Else QGIS may call them by their files, whose names are those of every run.
        details.forceName = True
        # The units on top; QGIS before 3.32 has no such key and takes no harm.
        details.layerSortKey = place
        if layer is units and project_file.is_file():
            details.setPostProcessor(AddsPage(project_file, title))
        context.addLayerToLoadOnCompletion(layer.id(), details)
    return [layer.source() for layer in layers]


def parcels_of(folder: Path, feedback: Any) -> list[Path]:
    """Return the first file of a run's parcels that this QGIS reads; none where there is none, as in a published run."""
    there = [path for kind in ("gpkg", "fgb", "parquet") if (path := folder / f"parcels.{kind}").is_file()]  # fmt: skip
    with_parquet = "parquet" in QgsProviderRegistry.instance().fileVectorFilters().lower()
    read = [path for path in there if with_parquet or path.suffix != ".parquet"]
    if there and not read:
        feedback.pushInfo(tr("no_parquet"))
    return read[:1]
