"""The report of a finished run: one HTML file that loads nothing."""

from __future__ import annotations

from carbongrid.outputs.report.page import write_report

__all__ = ["write_report"]
