"""A wheel of one platform, where ``CARBONGRID_KERNELS`` names a folder of kernels compiled for it (``tools/platform_wheel.py``); else a wheel for all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Kernels(BuildHookInterface):
    """Put compiled kernels and the tag of their platform into a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the folder's ``compiled``, under the tag in its file ``TAG``; an editable install runs its source."""
        given = os.environ.get("CARBONGRID_KERNELS")
        if not given or version == "editable":
            return
        build_data["tag"] = Path(given, "TAG").read_text(encoding="utf-8").strip()
        build_data["pure_python"] = False
        kernels = str(Path(given, "compiled"))
        build_data["force_include"][kernels] = "carbongrid/raster/kernels/compiled"
