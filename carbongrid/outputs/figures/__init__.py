"""Figures of a finished run, and the classes and colours that figures and report share."""

from __future__ import annotations

from carbongrid.outputs.figures.figures import write_figures
from carbongrid.outputs.figures.study import write_study_figures

__all__ = ["write_figures", "write_study_figures"]
