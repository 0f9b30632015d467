"""Run by QGIS's own Python: what the plugin's algorithms do in it, without a window, as JSON.

``python3 qgis_drives.py SCRATCH RUNS...``. The command is a script in SCRATCH that notes its words, and when it is ended.
"""

import json
import os
import sys
from pathlib import Path

from qgis.core import (  # pyright: ignore[reportMissingImports]
    QgsApplication,
    QgsLayoutExporter,
    QgsLayoutItemLegend,
    QgsLayoutItemMap,
    QgsLayoutItemScaleBar,
    QgsPrintLayout,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProject,
    QgsVectorLayer,
)

COMMAND = """#!/bin/sh
cd "$(dirname "$0")"
printf '%s\\n' "$@" > words.txt
[ "$1" = run ] || exit 0
trap 'echo yes > ended.txt; exit 143' TERM
for step in "1/4 reading" "2/4 reading" "4/4 reading" "3/8 rasterizing"; do echo "progress $step" >&2; done
while :; do sleep 0.05; done
"""


def helped(algorithms):
    """Tell each one's help in both languages."""
    found = {}
    for language in ("en", "zh_CN"):
        os.environ["CARBONGRID_LANGUAGE"] = language
        found[language] = {name: each.create().shortHelpString() for name, each in algorithms.items()}  # fmt: skip
    os.environ["CARBONGRID_LANGUAGE"] = "en"
    return found


def opened(algorithm, run):
    """Tell of the layers and the page that a run is opened as, in a project that has a layer already, and of what is logged."""
    project = QgsProject.instance()
    project.clear()
    project.addMapLayer(QgsVectorLayer("Polygon?crs=EPSG:4326", "mine", "memory"))
    ok, log = added(algorithm, run)
    order = [layer.name() for layer in project.layerTreeRoot().layerOrder()]
    layers = {
        Path(layer.source().partition("|")[0]).name: [layer.isValid(), layer.renderer().type()]
        for layer in project.mapLayers().values()
        if layer.name() != "mine"
    }
    aliases = [
        field.alias()
        for layer in project.mapLayers().values()
        if Path(layer.source().partition("|")[0]).stem == "parcels"
        for field in layer.fields()
        if field.name() != "fid"
    ]
    pages = [paged(page) for page in project.layoutManager().layouts()]
    told = {"layers": layers, "order": order, "aliases": aliases, "pages": pages}
    return {"ok": ok, "log": log, **told}


def opened_together(algorithm, runs, twice):
    """Tell the names of the pages of runs in one project, one of them opened twice, that has a page of its own by the name of the first."""
    project, own = QgsProject.instance(), []
    for has_own in (False, True):
        project.clear()
        if has_own:
            mine = QgsPrintLayout(project)
            mine.setName(own[0][0])
            project.layoutManager().addLayout(mine)
        for run in (*runs, twice):
            added(algorithm, run)
        own.append([page.name() for page in project.layoutManager().layouts()])
    return own


def added(algorithm, run):
    """Open a run as the toolbox does in its window; return whether that went well, and the log."""
    from processing.gui.Postprocessing import handleAlgorithmResults

    context, feedback = QgsProcessingContext(), QgsProcessingFeedback()
    context.setProject(QgsProject.instance())
    _, ok = algorithm.run({"RUN": str(run)}, context, feedback)
    loaded = handleAlgorithmResults(algorithm, context, feedback, {})
    return ok and loaded, feedback.textLog()


def paged(page):
    """Tell what a page shows, and how many colours there are in its picture."""
    items = {type(item): item for item in page.items()}
    land, legend = items[QgsLayoutItemMap], items[QgsLayoutItemLegend]
    picture = QgsLayoutExporter(page).renderPageToImage(0, dpi=50)
    colours = {picture.pixel(x, y) for x in range(0, picture.width(), 3) for y in range(0, picture.height(), 3)}  # fmt: skip
    return {
        "name": page.name(),
        "title": page.itemById("label").text(),
        "map": [layer.name() for layer in land.layers()],
        "legend": [each.name() for each in legend.model().rootGroup().findLayers()],
        "bar": items[QgsLayoutItemScaleBar].unitsPerSegment(),
        "colours": len(colours),
    }


def planned(algorithm, scratch, **more):
    """Tell the words that a scenario's form becomes."""
    form = {"RUN": "a run", "PLAN": "plan.toml", "OUT": str(scratch / "out"), "REPLACE": True, "OPEN": False, **more}  # fmt: skip
    _, ok = algorithm.run(form, QgsProcessingContext(), QgsProcessingFeedback())
    return {"ok": ok, "words": (scratch / "words.txt").read_text(encoding="utf-8").splitlines()}


def refused(algorithms, scratch):
    """Tell what is said where the command is not there, not on the path, and of a folder that is no run."""
    case = scratch / "none.toml"
    case.write_text("year = 2020\n", encoding="utf-8")
    form = {"CASE": str(case), "OUT": str(scratch / "refused")}
    own, found = {name: os.environ[name] for name in ("CARBONGRID_COMMAND", "PATH")}, []
    for command, path in ((str(scratch / "nowhere"), own["PATH"]), ("", "/usr/bin:/bin")):
        os.environ |= {"CARBONGRID_COMMAND": command, "PATH": path}
        found.append(said(algorithms["run"], form))
    os.environ |= own
    return [*found, said(algorithms["open"], {"RUN": str(scratch)})]


def said(algorithm, form):
    """Tell whether an algorithm went well, and all that it logged."""
    feedback = QgsProcessingFeedback()
    _, ok = algorithm.run(form, QgsProcessingContext(), feedback)
    return {"ok": ok, "log": feedback.textLog()}


class Cancels(QgsProcessingFeedback):
    """A user who watches the bar, and cancels at the second step."""

    def __init__(self):
        super().__init__()
        self.bar = []

    def setProgress(self, percent):  # noqa: N802
        """Note it."""
        self.bar.append(percent)

    def setProgressText(self, text):  # noqa: N802
        """Cancel."""
        if text == "rasterizing":
            self.cancel()


def canceled(run):
    """Tell what a run that is canceled says, and how far its bar went."""
    feedback = Cancels()
    try:
        run(["run", "case.toml"], feedback)
    except QgsProcessingException as error:
        return {"said": str(error), "bar": feedback.bar}
    return {"said": "", "bar": feedback.bar}


def main():
    """Write what the plugin does."""
    scratch, *runs = (Path(word) for word in sys.argv[1:])
    command = scratch / "command"
    command.write_text(COMMAND, encoding="utf-8")
    command.chmod(0o755)
    os.environ["CARBONGRID_COMMAND"] = str(command)
    sys.path.insert(0, str(Path(__file__).parents[1] / "qgis"))
    application = QgsApplication([], False)
    application.initQgis()
    sys.path.append(f"{QgsApplication.pkgDataPath()}/python/plugins")
    from carbongrid_qgis.command import run as run_command
    from carbongrid_qgis.provider import CarbongridProvider

    provider = CarbongridProvider()
    QgsApplication.processingRegistry().addProvider(provider)
    algorithms = {each.name(): each for each in provider.algorithms()}
    told = {
        "help": helped(algorithms),
        "opened": [opened(algorithms["open"], each) for each in runs],
        "together": opened_together(algorithms["open"], runs, twice=runs[0]),
        "scenario": planned(algorithms["scenario"], scratch),
        "parcels": [
            planned(algorithms["scenario"], scratch, PARCELS=each) for each in ("fgb", "parquet")
        ],
        "refused": refused(algorithms, scratch),
        "canceled": canceled(run_command),
    }
    told["canceled"]["ended"] = (scratch / "ended.txt").is_file()
    json.dump(told, sys.stdout)
    sys.stdout.flush()
    os._exit(0)  # QGIS and Python would each take the provider away


if __name__ == "__main__":
    main()
