"""The report of a finished run: one HTML file that loads nothing."""

from __future__ import annotations

from carbongrid.outputs.report.base_map import BaseMap, ParcelDots, draw_base_map
from carbongrid.outputs.report.drawings import ZoneMap
from carbongrid.outputs.report.ground import shown_land
from carbongrid.outputs.report.page import write_report

__all__ = ["BaseMap", "ParcelDots", "ZoneMap", "draw_base_map", "shown_land", "write_report"]
