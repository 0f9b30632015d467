"""What a wheel brings beside the package: the pages of ``docs``, and compiled kernels where ``CARBONGRID_KERNELS`` names a folder of them (``tools/platform_wheel.py``), which make it a wheel of one platform."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PagesAndKernels(BuildHookInterface):
    """Put the pages that messages name into a wheel, and compiled kernels with the tag of their platform."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the pages, and the folder's ``compiled`` under the tag in its file ``TAG``; an editable install runs its source and has its pages beside it."""
        if version == "editable":
            return
        docs = Path(self.root, "docs")
        for page in docs.rglob("*.md"):
            build_data["force_include"][str(page)] = f"carbongrid/{page.relative_to(docs.parent)}"
        given = os.environ.get("CARBONGRID_KERNELS")
        if not given:
            return
        build_data["tag"] = Path(given, "TAG").read_text(encoding="utf-8").strip()
        build_data["pure_python"] = False
        kernels = str(Path(given, "compiled"))
        build_data["force_include"][kernels] = "carbongrid/raster/kernels/compiled"
