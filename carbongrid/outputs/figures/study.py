"""The figures of the study for any run: location, sectors, parcels and grid, units, CCR, ECC and ESC, zones."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from carbongrid.errors import require_extra
from carbongrid.method.categories import sector_names
from carbongrid.outputs.figures.classes import (
    BORDERLINE,
    INDICATIVE,
    NO_VALUE,
    area_quantile,
    mass_scale,
    ordered_zones,
)
from carbongrid.outputs.figures.lettering import Language, Lettering, installed_lettering
from carbongrid.outputs.figures.pages import Page, Panel, compound_paths, graticule, page_of
from carbongrid.outputs.figures.scales import Scale, by_area, decades, scales_of, signed
from carbongrid.outputs.figures.sheet import MAX_NAMES, Entry, Sheet, legend_entries, shortened

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from carbongrid.outputs.result import RunTables

logger = logging.getLogger(__name__)

DPI = 300
FORMATS = ("png", "pdf", "svg")
_PASTEL = (
    "#a6cee3", "#fdbf6f", "#cab2d6", "#b2df8a", "#ffff99", "#fb9a99", "#d9d9d9", "#80b1d3",
    "#8dd3c7", "#bc80bd", "#fccde5", "#ccebc5", "#e5c494", "#b3b3b3", "#fdcdac", "#cbd5e8",
)  # fmt: skip
_GROUND = "#f1f2f4"


def write_study_figures(
    tables: RunTables,
    directory: Path,
    *,
    formats: Sequence[str] = ("png", "pdf"),
    dpi: int = DPI,
    only: Sequence[str] = (),
    language: Language = "both",
) -> list[Path]:
    """Draw the figures of the study.

    Parameters
    ----------
    tables
        What the run made; without parcels those of parcels are of units.
    directory
        Folder for the figures; made if it is not there.
    formats
        Of png, pdf and svg; in the last two all but parcels and cells is vector.
    dpi
        Dots per inch of what is not vector.
    only
        Names of figures; all by default.
    language
        ``en``, ``zh``, or ``both``; English alone where no font for Chinese is installed.

    Returns
    -------
    list of Path
        fig1-location, fig4-sectors, fig5-parcels-and-grid, fig6-units, fig7-ccr, fig8-ecc-esc, fig9-zones, in every format.
    """
    require_extra("report", "matplotlib", purpose="drawing figures")
    from matplotlib import rc_context

    directory.mkdir(parents=True, exist_ok=True)
    sheet = Sheet(tables, installed_lettering(language))
    paths = []
    for name, draw in _FIGURES.items():
        if only and name not in only:
            continue
        figure = draw(sheet).figure
        for suffix in formats:
            path = directory / f"{name}.{suffix}"
            # No date: the same run gives the same file.
            metadata = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(suffix)
            # Fonts as outlines of their own kind (42), since journals refuse Type 3.
            with rc_context({"pdf.fonttype": 42, "svg.hashsalt": name}):
                figure.savefig(path, dpi=dpi, facecolor="white", metadata=metadata)
            paths.append(path)
        logger.info("%s drawn", name)
    return paths


def _location(sheet: Sheet) -> Page:
    page = page_of(sheet, ("Location", "区位图"), [("", "")], framed=True)
    [panel] = page.panels
    units, parents = sheet.tables.units, sheet.tables.parents
    codes = units[parents[0]] if parents else pd.Series("", units.index)
    names = list(dict.fromkeys(codes))
    several = 1 < len(names) <= len(_PASTEL)
    colours = dict(zip(names, _PASTEL, strict=False)) if several else {}
    sheet.paint(panel.axes, [colours.get(code, _PASTEL[0]) for code in codes])
    if several and len(units) > MAX_NAMES:
        sheet.name_parents(panel.axes)
    sheet.name_units(panel.axes)
    graticule(sheet, panel.axes)
    count = codes.value_counts()
    entries: list[Entry] = [
        ({"facecolor": colours[code]}, f"{shortened(code, 24)}  ({count[code]})")
        for code in names
        if several
    ]
    letters, area = sheet.letters, f"{units.area.sum() / 1e6:,.0f} km²"
    by = (f"Units by {parents[0]}", f"按 {parents[0]} 划分") if several else ("Units", "评价单元")
    note = letters.below(f"{len(units)} units, {area}", f"{len(units)} 个单元，{area}")
    panel.legend(letters.beside(*by), entries, note)
    return page


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
            _parcels(panel, tables.parcels[members].sum(axis=1).to_numpy(np.float64), "YlOrRd")
    return page


def _density_of_units(panel: Panel, members: list[str]) -> None:
    units = panel.sheet.tables.units
    grams = units[members].sum(axis=1).to_numpy(np.float64)
    frame, scale = _densities(grams, units.area.to_numpy())
    _units(panel, scale, frame)


def _parcels(panel: Panel, grams: NDArray[np.float64], palette: str) -> None:
    area = panel.sheet.tables.parcels["area_m2"].to_numpy(np.float64)
    frame, scale = _densities(grams, area, palette)
    _paint_parcels(panel, scale, scale.values(frame))


def _densities(
    grams: NDArray[np.float64], area: NDArray[np.float64], palette: str = "YlOrRd"
) -> tuple[pd.DataFrame, Scale]:
    """Return mass over area and its classes of about the same area, in the unit that suits the middle of it."""
    # g per m2 is t per km2. Three digits, as legends show: what differs by the rounding of grams only is one value.
    density = _three_digits(_over(grams, area))
    above = density > 0
    middle = area_quantile(density[above], area[above], 0.5) if above.any() else 0.0
    divisor, unit = _unit_of_density(middle)
    frame = pd.DataFrame({"density": density})
    scale = by_area(frame["density"], area, (unit, ""), palette, divisor=divisor, palest=0.3)
    return frame, scale


def _unit_of_density(density: float) -> tuple[float, str]:
    """Return how many t per km2 the unit has that suits a density, and the unit."""
    grams, unit = mass_scale(density * 1e6)
    return grams / 1e6, f"{unit} CO₂e km⁻² yr⁻¹"


def _over(grams: NDArray[np.float64], area: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return mass over area; nothing on no area is nothing."""
    return np.divide(grams, area, out=np.zeros_like(grams), where=area > 0)


def _three_digits(values: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):
        step = 10.0 ** (np.floor(np.log10(np.abs(values))) - 2)
        rounded: NDArray[np.float64] = np.where(values == 0, 0.0, np.round(values / step) * step)
    return rounded


def _paint_parcels(panel: Panel, scale: Scale, values: NDArray[np.float64]) -> None:
    from matplotlib.collections import PathCollection

    sheet = panel.sheet
    classes = scale.classes(values)
    geometry = np.asarray(sheet.tables.parcels.geometry.array, dtype=object)
    ground = {"facecolors": _GROUND, "edgecolors": "none"}
    panel.axes.add_collection(PathCollection(sheet.outlines, **ground), autolim=False)
    for number, colour in enumerate(scale.colours):
        shapes = compound_paths(geometry[classes == number])
        # An edge of the same colour, else slivers of parcels vanish between pixels.
        style: dict[str, Any] = {"facecolors": colour, "edgecolors": colour, "linewidths": 0.15}
        panel.axes.add_collection(PathCollection(shapes, rasterized=True, **style), autolim=False)
    sheet.frame(panel.axes)
    entries = legend_entries(scale, classes[classes >= 0], sheet.letters)
    note = sheet.letters.beside("parcels in each class", "括号内为地块数")
    panel.legend(sheet.letters.beside(*scale.unit), entries, note)


def _parcels_and_grid(sheet: Sheet) -> Page:
    tables = sheet.tables
    side = float(tables.grid_1km.attrs["resolution"]) / 1000
    of_grid = (f"Gross emissions, {side:g} km grid", "格网碳排放")
    if tables.parcels.empty:
        page = page_of(sheet, ("Emission intensity", "碳排放强度"), [of_grid])
    else:
        captions = [("Net emissions of parcels", "地块净碳排放"), of_grid]
        page = page_of(sheet, ("Parcels and grid", "地块与格网"), captions)
        parcels = tables.parcels
        grams = (parcels["emission_g"] - parcels["sink_g"]).to_numpy(np.float64)
        area = parcels["area_m2"].to_numpy(np.float64)
        net = _over(grams, area)
        net = np.where(net == 0, np.nan, net)
        scale = signed("net", net, ("", ""), "t CO₂e km⁻² yr⁻¹", area)
        _paint_parcels(page.panels[0], scale, net)
    _grid(page.panels[-1], side)
    return page


def _grid(panel: Panel, side: float) -> None:
    from matplotlib.colors import ListedColormap

    sheet = panel.sheet
    field = sheet.tables.grid_1km["emission"]
    grams = field.to_numpy().astype(np.float64)
    density = grams.ravel() / (1e6 * side**2)  # g per m2 is t per km2
    scale = decades("density", density, ("", ""), "t CO₂e km⁻² yr⁻¹", "YlOrRd")
    classes = scale.classes(np.where(density > 0, density, np.nan))
    x, y, half = field["x"].to_numpy(), field["y"].to_numpy(), side * 500
    panel.axes.set_autoscale_on(False)
    panel.axes.imshow(
        np.ma.masked_less(classes.reshape(grams.shape), 0),
        cmap=ListedColormap(list(scale.colours)),
        vmin=-0.5,
        vmax=len(scale.colours) - 0.5,
        extent=(x[0] - half, x[-1] + half, y[-1] - half, y[0] + half),
        interpolation="nearest",
        aspect="equal",
    )
    sheet.frame(panel.axes)
    # Cells outside of all parcels are not worth a count.
    entries = legend_entries(scale, classes[classes >= 0], sheet.letters)
    note = sheet.letters.beside("cells in each class", "括号内为格数")
    panel.legend(sheet.letters.beside(*scale.unit), entries, note)


def _units(panel: Panel, scale: Scale, frame: pd.DataFrame | None = None) -> None:
    sheet = panel.sheet
    values = scale.values(sheet.tables.units if frame is None else frame)
    classes = scale.classes(values)
    sheet.paint(panel.axes, [scale.colours[k] if k >= 0 else NO_VALUE for k in classes])
    sheet.name_units(panel.axes, 6.5 if panel.columns > 1 else 7)
    letters = sheet.letters
    title, note = letters.below(*scale.unit), letters.below(*scale.note)
    if panel.columns > 1:  # wide enough for a line in each language
        title, note = (_in_lines(letters, pair) for pair in (scale.unit, scale.note))
    panel.legend(title, legend_entries(scale, classes, letters), note)


def _in_lines(letters: Lettering, pair: tuple[str, str]) -> str:
    english, chinese = (part.replace("\n", " ") for part in pair)
    return letters.below(english, chinese)


def _of_units(heading: tuple[str, str], *keys: str) -> Callable[[Sheet], Page]:
    def draw(sheet: Sheet) -> Page:
        scales = scales_of(sheet.tables.units, sheet.tables.reference)
        page = page_of(sheet, heading, [scales[key].name for key in keys])
        for panel, key in zip(page.panels, keys, strict=True):
            _units(panel, scales[key])
        return page

    return draw


def _zones(sheet: Sheet) -> Page:
    from matplotlib.collections import PathCollection

    page = page_of(sheet, ("Carbon balance zones", "碳平衡分区"), [("", "")])
    [panel] = page.panels
    units = sheet.tables.units
    colours = {zone.code: zone.colour for zone in ordered_zones()}
    sheet.paint(panel.axes, [colours[int(code)] for code in units["zone"]])
    counts = units["zone"].value_counts()
    entries: list[Entry] = []
    for zone in ordered_zones():
        count = counts.get(zone.code, 0)
        if zone.code or count:
            text = f"{sheet.letters.below(zone.name_en, zone.name_zh)}  ({count})"
            entries.append(({"facecolor": zone.colour}, text))
    for column, hatch, names in (("borderline", "////", BORDERLINE), ("indicative", "....", INDICATIVE)):  # fmt: skip
        marked = np.flatnonzero(units[column].to_numpy(dtype=bool))
        if marked.size:
            style: dict[str, Any] = {"facecolor": "none", "edgecolor": "#00000088", "hatch": hatch, "linewidth": 0.0}  # fmt: skip
            plural = {key if key == "hatch" else f"{key}s": value for key, value in style.items()}
            shapes = [sheet.outlines[row] for row in marked]
            panel.axes.add_collection(PathCollection(shapes, **plural), autolim=False)
            entries.append((style, f"{sheet.letters.beside(*names)}  ({marked.size})"))
    sheet.name_units(panel.axes)
    panel.legend(sheet.letters.beside("Zone (units)", "分区（单元数）"), entries)
    return page


_FIGURES: dict[str, Callable[[Sheet], Page]] = {
    "fig1-location": _location,
    "fig4-sectors": _sectors,
    "fig5-parcels-and-grid": _parcels_and_grid,
    "fig6-units": _of_units(
        ("Emissions and sinks of the units", "各单元碳排放与碳汇"), "emission", "sink"
    ),
    "fig7-ccr": _of_units(("Carbon compensation rate (CCR)", "碳补偿率"), "ccr"),
    "fig8-ecc-esc": _of_units(
        ("Economic and ecological coefficients", "经济贡献系数与生态承载系数"), "ecc", "esc"
    ),
    "fig9-zones": _zones,
}
"""By the name of its file; numbers are those of the study's figures."""
