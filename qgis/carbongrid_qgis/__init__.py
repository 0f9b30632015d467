"""A Processing provider that calls the installed ``carbongrid`` command; nothing is computed in QGIS."""

from typing import Any


def classFactory(iface: Any) -> Any:
    """Return the plugin; QGIS calls it, with None where there is no window."""
    from .plugin import CarbongridPlugin

    return CarbongridPlugin(iface)
