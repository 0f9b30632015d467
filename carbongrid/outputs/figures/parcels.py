"""Parcels on a map: in classes of a value, or in the colours of their land, raster inside vector files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from carbongrid.outputs.figures.classes import area_quantile
from carbongrid.outputs.figures.pages import Panel, compound_paths
from carbongrid.outputs.figures.scales import Scale, by_area
from carbongrid.outputs.figures.sheet import Entry, legend_entries
from carbongrid.outputs.numbers import mass_scale
from carbongrid.raster.polygons.outlines import geometries_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from carbongrid.method.gas import Gas

GROUND = "#f1f2f4"
"""Of land without a class."""


def density_of_parcels(panel: Panel, grams: NDArray[np.float64], palette: str) -> None:
    """Draw a mass over the area of each parcel, in classes of about the same area."""
    tables = panel.sheet.tables
    area = tables.parcels["area_m2"].to_numpy(np.float64)
    frame, scale = density_scale(grams, area, tables.gas, palette)
    classed_parcels(panel, scale, scale.values(frame))


def density_scale(
    grams: NDArray[np.float64], area: NDArray[np.float64], gas: Gas, palette: str = "YlOrRd"
) -> tuple[pd.DataFrame, Scale]:
    """Return mass over area and its classes of about the same area, in the unit that suits the middle of it."""
    # g per m2 is t per km2. Three digits, as legends show: what differs by the rounding of grams only is one value.
    density = three_digits(_over(grams, area))
    above = density > 0
    middle = area_quantile(density[above], area[above], 0.5) if above.any() else 0.0
    divisor, unit = _unit_of_density(middle)
    unit = gas.told(unit)
    frame = pd.DataFrame({"density": density})
    scale = by_area(frame["density"], area, (unit, ""), palette, divisor=divisor, palest=0.3)
    return frame, scale


def classed_parcels(panel: Panel, scale: Scale, values: NDArray[np.float64]) -> None:
    """Draw parcels in the classes of a scale, with their counts."""
    sheet = panel.sheet
    classes = scale.classes(values)
    paint_parcels(panel, classes, scale.colours)
    entries = legend_entries(scale, classes, sheet.letters, GROUND)
    note = sheet.letters.beside("parcels in each class", "括号内为地块数")
    panel.legend(sheet.letters.beside(*scale.unit), entries, note)


def paint_parcels(panel: Panel, classes: NDArray[np.int64], colours: Sequence[str]) -> None:
    """Fill the parcels of each class with its colour; those of class -1 are ground."""
    from matplotlib.collections import PathCollection

    sheet = panel.sheet
    ground = {"facecolors": GROUND, "edgecolors": "none"}
    panel.axes.add_collection(PathCollection(sheet.outlines, **ground), autolim=False)
    for number, colour in enumerate(colours):
        shapes = compound_paths(geometries_of(sheet.tables.parcels, classes == number))
        # An edge of the same colour, else slivers of parcels vanish between pixels.
        style: dict[str, Any] = {"facecolors": colour, "edgecolors": colour, "linewidths": 0.15}
        panel.axes.add_collection(PathCollection(shapes, rasterized=True, **style), autolim=False)
    sheet.frame(panel.axes)


def counted_entries(
    names: Sequence[str], colours: Sequence[str], classes: NDArray[np.int64]
) -> list[Entry]:
    """Return the entries of a legend of kinds, each with the number of its parcels."""
    counts = np.bincount(classes[classes >= 0], minlength=len(names))
    return [
        ({"facecolor": colour}, f"{name}  ({count:,})")
        for name, colour, count in zip(names, colours, counts, strict=True)
    ]


def three_digits(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values rounded to three significant digits."""
    with np.errstate(divide="ignore", invalid="ignore"):
        step = 10.0 ** (np.floor(np.log10(np.abs(values))) - 2)
        rounded: NDArray[np.float64] = np.where(values == 0, 0.0, np.round(values / step) * step)
    return rounded


def _unit_of_density(density: float) -> tuple[float, str]:
    """Return how many t per km2 the unit has that suits a density, and the unit."""
    grams, unit = mass_scale(density * 1e6)
    return grams / 1e6, f"{unit} CO₂e km⁻² yr⁻¹"


def _over(grams: NDArray[np.float64], area: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return mass over area; nothing on no area is nothing."""
    return np.divide(grams, area, out=np.zeros_like(grams), where=area > 0)
