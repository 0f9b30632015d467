"""The algorithms in Processing's toolbox."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from .algorithms import CaseForm, CheckCase, FromOsm, OpenResults, RunCase, RunScenario


class CarbongridProvider(QgsProcessingProvider):
    """``carbongrid:form``, ``check``, ``run``, ``fromosm``, ``scenario`` and ``open``."""

    def loadAlgorithms(self) -> None:
        """Add each algorithm."""
        for algorithm in (CaseForm, CheckCase, RunCase, FromOsm, RunScenario, OpenResults):
            self.addAlgorithm(algorithm())

    def id(self) -> str:
        """Return what stands before the colon."""
        return "carbongrid"

    def name(self) -> str:
        """Return the name in the toolbox."""
        return "carbongrid"

    def icon(self) -> QIcon:
        """Return the four zones."""
        return QIcon(str(Path(__file__).with_name("icon.svg")))
