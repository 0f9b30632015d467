"""The method in its order: read, weigh, allocate, rasterize, reduce, index, zone, write."""

from carbongrid.pipeline.check_report import CheckReport, check
from carbongrid.pipeline.running import run

__all__ = ["CheckReport", "check", "run"]
