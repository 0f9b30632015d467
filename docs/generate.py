"""Make the generated parts of docs/ again: ``nox -s docs``."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from pathlib import Path
from types import ModuleType

import columns_table
import factors_table
import framework
import how_sure
import rooms
from PIL import Image

from carbongrid.case import case_reference
from carbongrid.outputs.figures import write_study_figures
from carbongrid.outputs.reading import read_tables
from carbongrid.pipeline import run
from carbongrid.sources.demo import run_demo

DOCS = Path(__file__).resolve().parent
GALLERY = DOCS / "images" / "gallery"
DPI = 110

FIGURES = {
    "fig1-location": "Study area: units by their district, and what their land is used for, degrees around",
    "fig2-framework": "Framework: from activity data to zones",
    "fig3-land": "Which land carries which emissions: categories on territorial types, as land_types.csv has them",
    "fig4-proportions": "Proportions of emissions by department and by land use",
    "fig5-parcels-and-grid": "Net emissions of parcels and of the cells of the 1 km grid; teal land takes up more than it emits",
    "fig6-units": "Emissions and sinks of the units",
    "fig7-ccr": "Carbon compensation rate",
    "fig8-ecc-esc": "Economic and ecological coefficients",
    "fig9-zones": "Carbon balance zones, and what part each has in units, area, emissions and GDP",
    "sectors": "Emissions by sector, on the parcels that carry them",
}

HEAD = """\
# Gallery

The study's figures for two places, as `carbongrid figures RUN` draws them (there at 300 dpi, and as PDF); `--language en` or `zh` draws them in one language. This page and its pictures are made by `nox -s docs`.
"""

PLACES = {
    "demo": (
        "The demo's synthetic city",
        "97 townships, 20,000 parcels; no place on earth. `carbongrid demo out && carbongrid figures out/run`",
    ),
    "liechtenstein": (
        "Liechtenstein, 2019",
        "The national inventory on OpenStreetMap's land (`examples/liechtenstein.py`). GDP per municipality is not published, so ECC is unknown and no zone can be given. © OpenStreetMap contributors, ODbL 1.0; inventory LIE-CRT-2026, tidied by W. F. Lamb (CC-BY); residents: Amt für Statistik.",
    ),
}


def main() -> None:
    """Write docs/case.md from the models, docs/columns.md and docs/factors.md from the tables, docs/images, docs/gallery.md and what is said of the demo from runs."""
    rooms.main()
    framework.main()
    (DOCS / "case.md").write_text(case_reference(), encoding="utf-8")
    (DOCS / "columns.md").write_text(columns_table.page(), encoding="utf-8")
    (DOCS / "factors.md").write_text(factors_table.page(), encoding="utf-8")
    GALLERY.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        demo = run_demo(Path(folder) / "demo").result.directory
        for figure in ("zones", "grid_emission"):
            shutil.copy2(demo / "figures" / f"{figure}.png", DOCS / "images" / f"{figure}.png")
        draw(demo, "demo")
        how_sure.main(demo)
        example = liechtenstein()
        if example is not None:
            case = example.write_case(Path(folder) / "liechtenstein")
            draw(run(case, Path(folder) / "run").directory, "liechtenstein")
    (DOCS / "gallery.md").write_text(gallery(), encoding="utf-8")


def draw(directory: Path, place: str) -> None:
    """Draw the figures of a run, small enough for a page."""
    with tempfile.TemporaryDirectory() as folder:
        tables = read_tables(directory)
        for path in write_study_figures(tables, Path(folder), formats=["png"], dpi=DPI):
            with Image.open(path) as image:
                # No palette: a reduced one changes the very colours that the legend tells apart.
                image.convert("RGB").save(GALLERY / f"{place}-{path.name}", optimize=True)


def liechtenstein() -> ModuleType | None:
    """Return the example, or None where its data are not there; then its pictures stay as they are."""
    root = DOCS.parent
    named = os.environ.get("CARBONGRID_DATA")
    data = Path(named) if named else root.parent / "shared" / "data"
    if not (data / "liechtenstein").is_dir():
        return None
    path = root / "examples" / "liechtenstein.py"
    spec = importlib.util.spec_from_file_location("liechtenstein", path)
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def gallery() -> str:
    """Return the page."""
    parts = [HEAD]
    for place, (title, words) in PLACES.items():
        parts.append(f"## {title}\n\n{words}\n")
        for figure, caption in FIGURES.items():
            parts.append(f"![{caption}](images/gallery/{place}-{figure}.png)\n\n*{caption}.*\n")
    return "\n".join(parts)


if __name__ == "__main__":
    main()
