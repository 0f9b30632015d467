"""Where the real input lies that some tests run on; it is not part of the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def data_folder() -> Path:
    """Return CARBONGRID_DATA or ../shared/data beside the checkout; skip where there is neither."""
    named = os.environ.get("CARBONGRID_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no real data: set CARBONGRID_DATA, or lay shared/data beside the checkout")
    return folder
