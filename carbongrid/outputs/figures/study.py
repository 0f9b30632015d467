"""The figures of the study for any run: location, sectors, parcels and grid, units, CCR, ECC and ESC, zones."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from carbongrid.method.categories import sector_names
from carbongrid.outputs.figures.classes import NO_VALUE
from carbongrid.outputs.figures.framework import framework_page, framework_svg
from carbongrid.outputs.figures.land_charts import matrix, proportions
from carbongrid.outputs.figures.lettering import Language, Lettering
from carbongrid.outputs.figures.location import districts_of, location
from carbongrid.outputs.figures.pages import BELOW, Page, Panel, page_of
from carbongrid.outputs.figures.parcels import (
    GROUND,
    classed_parcels,
    density_of_parcels,
    density_scale,
)
from carbongrid.outputs.figures.scales import Scale, scales_of, signed
from carbongrid.outputs.figures.sheet import SPLIT_GDP, Sheet, legend_entries, sheet_of
from carbongrid.outputs.figures.style import in_plain_style
from carbongrid.outputs.figures.zones_page import zones_page
from carbongrid.outputs.result import cell_side

if TYPE_CHECKING:
    from carbongrid.outputs.result import RunTables

logger = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]

DPI = 300
LOCATION = "fig1-location"
FRAMEWORK = "fig2-framework"
_SPLIT = 0.4
"""Height of the remark on derived GDP and of its hatch, in inches."""


@in_plain_style
def write_study_figures(
    tables: RunTables,
    directory: Path,
    *,
    formats: Sequence[str] = ("png", "pdf"),
    dpi: int = DPI,
    only: Sequence[str] = (),
    language: Language = "both",
    progress: Progress | None = None,
) -> list[Path]:
    """Draw the figures of the study.

    Parameters
    ----------
    tables
        What the run made; without parcels those of parcels are of units.
    directory
        Folder for the figures; made if it is not there.
    formats
        Of png, pdf and svg; in the last two all but parcels and cells is vector, and texts are texts.
    dpi
        Dots per inch of what is not vector.
    only
        Names of figures; all by default.
    language
        ``en``, ``zh``, or ``both``; English alone where no font for Chinese is installed.
    progress
        Called with a phase, the number of figures drawn, and their number.

    Returns
    -------
    list of Path
        fig1-location, fig2-framework, fig3-land, fig4-proportions, fig5-parcels-and-grid, fig6-units, fig7-ccr, fig8-ecc-esc, fig9-zones,
        sectors, in every format.
    """
    from matplotlib import rc_context

    directory.mkdir(parents=True, exist_ok=True)
    chosen = {name: draw for name, draw in _FIGURES.items() if not only or name in only}
    districts = districts_of(tables) if LOCATION in chosen else ()
    sheet, paths = sheet_of(tables, language, districts=districts), []
    for number, (name, draw) in enumerate(chosen.items()):
        if progress is not None:
            progress("drawing figures", number, len(chosen))
        figure = draw(sheet).figure
        for suffix in formats:
            path = directory / f"{name}.{suffix}"
            paths.append(path)
            if suffix == "svg" and name == FRAMEWORK:  # its texts as texts, in light and dark
                side = cell_side(tables.grid_1km) / 1000
                text = framework_svg(sheet.letters.spoken, ties=tables.ties, coarse_km=side)
                path.write_text(text, encoding="utf-8")
                continue
            # No date: the same run gives the same file.
            metadata = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(suffix)
            # Fonts as outlines of their own kind (42), since journals refuse Type 3; in SVG texts stay texts.
            with rc_context({"pdf.fonttype": 42, "svg.fonttype": "none", "svg.hashsalt": name}):
                figure.savefig(path, dpi=dpi, facecolor="white", metadata=metadata)
        logger.info("%s drawn", name)
    if progress is not None:
        progress("drawing figures", len(chosen), len(chosen))
    return paths


def _sectors(sheet: Sheet) -> Page:
    """Draw each sector's density on the parcels that carry it, in classes of about the same area."""
    tables = sheet.tables
    names = sector_names()
    sectors = list(dict.fromkeys(c.sector for c in tables.categories if not c.sink))
    order = [sector for sector in names if sector in sectors]
    order += [sector for sector in sectors if sector not in names]
    order = order or ["industry"]  # a case of sinks alone has a map of nothing
    captions = [names.get(sector, (sector, "")) for sector in order]
    page = page_of(sheet, ("Emissions by sector", "分部门碳排放"), captions)
    for panel, sector in zip(page.panels, order, strict=True):
        members = [c.name for c in tables.categories if c.sector == sector and not c.sink]
        if tables.parcels.empty:
            _density_of_units(panel, members)
        else:
            density_of_parcels(
                panel, tables.parcels[members].sum(axis=1).to_numpy(np.float64), "YlOrRd"
            )
    return page


def _density_of_units(panel: Panel, members: list[str]) -> None:
    units = panel.sheet.tables.units
    grams = units[members].sum(axis=1).to_numpy(np.float64)
    frame, scale = density_scale(grams, units.area.to_numpy(), panel.sheet.tables.gas)
    _units(panel, scale, frame)


def _parcels_and_grid(sheet: Sheet) -> Page:
    """Draw what each parcel emits less what it takes up, and the same on the coarse grid; below zero land takes up more."""
    tables = sheet.tables
    side = cell_side(tables.grid_1km) / 1000
    of_grid = (f"Net emissions, {side:g} km grid", "格网净碳排放")
    if tables.parcels.empty:
        page = page_of(sheet, ("Net emissions", "净碳排放"), [of_grid])
    else:
        captions = [("Net emissions per parcel", "地块净碳排放"), of_grid]
        page = page_of(sheet, ("Parcels and grid", "地块与格网"), captions)
        parcels = tables.parcels
        grams = (parcels["emission_g"] - parcels["sink_g"]).to_numpy(np.float64)
        net = np.where(grams == 0, np.nan, grams / 1e6)
        classed_parcels(
            page.panels[0], signed("net", net, ("", ""), tables.gas.told("t CO₂e yr⁻¹")), net
        )
    _grid(page.panels[-1], side)
    return page


def _grid(panel: Panel, side: float) -> None:
    from matplotlib.colors import ListedColormap

    sheet = panel.sheet
    grid = sheet.tables.grid_1km
    grams = (grid["emission"] - grid["sink"]).to_numpy()
    there = ((grid["emission"] + grid["sink"]) > 0).to_numpy()
    net = np.where(there, grams / (1e6 * side**2), np.nan)  # g per m2 is t per km2
    scale = signed("net", net.ravel(), ("", ""), sheet.tables.gas.told("t CO₂e km⁻² yr⁻¹"))
    classes = scale.classes(net.ravel())
    land = there | (grid["covered_area"] > 0).to_numpy()
    shown = np.where(classes < 0, len(scale.colours), classes).reshape(net.shape)
    x, y, half = grid["x"].to_numpy(), grid["y"].to_numpy(), side * 500
    panel.axes.set_autoscale_on(False)
    panel.axes.imshow(
        np.ma.masked_where(~land, shown),
        cmap=ListedColormap([*scale.colours, GROUND]),
        vmin=-0.5,
        vmax=len(scale.colours) + 0.5,
        extent=(x[0] - half, x[-1] + half, y[-1] - half, y[0] + half),
        interpolation="nearest",
        aspect="equal",
    )
    sheet.frame(panel.axes)
    # Cells outside of all parcels are not worth a count.
    entries = legend_entries(scale, classes[land.ravel()], sheet.letters, GROUND)
    note = sheet.letters.beside("cells in each class", "括号内为格数")
    panel.legend(sheet.letters.beside(*scale.unit), entries, note)


def _units(panel: Panel, scale: Scale, frame: pd.DataFrame | None = None) -> None:
    sheet = panel.sheet
    values = scale.values(sheet.tables.units if frame is None else frame)
    classes = scale.classes(values)
    sheet.paint(panel.axes, [scale.colours[k] if k >= 0 else NO_VALUE for k in classes])
    split = scale.column == "ecc" and sheet.gdp_is_split
    hatches = sheet.mark_split(panel.axes) if split else []
    sheet.name_units(panel.axes, 6.5 if panel.columns > 1 else 7)
    letters = sheet.letters
    texts = [scale.unit, scale.note, *([SPLIT_GDP] if split else [])]
    # Beside other maps a legend is wide enough for a line in each language.
    lines = [_in_lines(letters, pair) if panel.columns > 1 else letters.below(*pair) for pair in texts]  # fmt: skip
    entries = [*legend_entries(scale, classes, letters), *hatches]
    panel.legend(lines[0], entries, "\n".join(filter(None, lines[1:])))


def _in_lines(letters: Lettering, pair: tuple[str, str]) -> str:
    english, chinese = (part.replace("\n", " ") for part in pair)
    return letters.below(english, chinese)


def _of_units(heading: tuple[str, str], *keys: str) -> Callable[[Sheet], Page]:
    def draw(sheet: Sheet) -> Page:
        scales = scales_of(sheet.tables.units, gas=sheet.tables.gas)
        below = BELOW + _SPLIT if "ecc" in keys and sheet.gdp_is_split else BELOW
        page = page_of(sheet, heading, [scales[key].name for key in keys], below=below)
        for panel, key in zip(page.panels, keys, strict=True):
            _units(panel, scales[key])
        return page

    return draw


_FIGURES: dict[str, Callable[[Sheet], Page]] = {
    LOCATION: location,
    FRAMEWORK: framework_page,
    "fig3-land": matrix,
    "fig4-proportions": proportions,
    "fig5-parcels-and-grid": _parcels_and_grid,
    "fig6-units": _of_units(
        ("Emissions and sinks of the units", "各单元碳排放与碳汇"), "emission", "sink"
    ),
    "fig7-ccr": _of_units(("Carbon compensation rate (CCR)", "碳补偿率"), "ccr"),
    "fig8-ecc-esc": _of_units(
        ("Economic and ecological coefficients", "经济贡献系数与生态承载系数"), "ecc", "esc"
    ),
    "fig9-zones": zones_page,
    "sectors": _sectors,
}
"""By the name of its file; numbers are those of the study's figures."""
