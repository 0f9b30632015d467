"""What QGIS starts and stops."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsApplication

from .provider import CarbongridProvider


class CarbongridPlugin:
    """Adds the provider to Processing: its toolbox is the only place in the window that the plugin takes."""

    def __init__(self, iface: Any) -> None:
        self.provider: CarbongridProvider | None = None

    def initProcessing(self) -> None:
        """Add the provider; called alone where there is no window."""
        self.provider = CarbongridProvider()
        QgsApplication.processingRegistry().addProvider(self.provider)

    def initGui(self) -> None:
        """Add the provider."""
        self.initProcessing()

    def unload(self) -> None:
        """Take it away."""
        if self.provider is not None:
            QgsApplication.processingRegistry().removeProvider(self.provider)
            self.provider = None
