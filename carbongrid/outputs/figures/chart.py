"""A page of bars, tiles and words, placed in inches from its upper left corner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from carbongrid.outputs.figures.pages import blank_page
from carbongrid.outputs.figures.sheet import INK, Sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

_RAIL = "#eef0f2"


@dataclass(frozen=True)
class Chart:
    """What is drawn on, and the sheet that it is lettered by."""

    sheet: Sheet
    figure: Figure
    axes: Axes

    @classmethod
    def over(cls, sheet: Sheet, figure: Figure) -> Chart:
        """Return a chart over the whole of a page."""
        width, height = figure.get_size_inches()
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)
        axes.set_axis_off()
        return cls(sheet, figure, axes)

    @classmethod
    def of(cls, sheet: Sheet, heading: tuple[str, str], size: tuple[float, float]) -> Chart:
        """Return a chart on a page of its own."""
        return cls.over(sheet, blank_page(sheet, heading, size))

    def write(self, x: float, y: float, text: str, size: float = 7.5, **options: Any) -> Text:
        """Write a text whose middle is at the height y."""
        return self.sheet.write(self.axes, x, y, text, size, **({"va": "center"} | options))

    def box(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Fill a rectangle."""
        from matplotlib.patches import Rectangle

        self.axes.add_patch(Rectangle((x, y), width, height, facecolor=colour, edgecolor="none"))

    def bar(
        self, x: float, y: float, size: tuple[float, float], parts: list[tuple[float, str]]
    ) -> None:
        """Draw a bar on its rail: shares of the rail and their colours, one after the other."""
        width, height = size
        self.box(x, y, width, height, _RAIL)
        for share, colour in parts:
            self.box(x, y, share * width, height, colour)
            x += share * width

    def rule(self, x: float, y: float, width: float) -> None:
        """Draw a thin line."""
        self.axes.plot([x, x + width], [y, y], color=INK, linewidth=0.5, solid_capstyle="butt")
