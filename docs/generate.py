"""Make the generated parts of docs/ again: ``nox -s docs``."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from carbongrid.case import case_reference
from carbongrid.demo import run_demo

DOCS = Path(__file__).resolve().parent


def main() -> None:
    """Write docs/case.md from the models and docs/images from a run of the full demo."""
    (DOCS / "case.md").write_text(case_reference(), encoding="utf-8")
    (DOCS / "images").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        outcome = run_demo(Path(folder) / "demo")
        for figure in ("zones", "grid_emission"):
            source = outcome.result.directory / "figures" / f"{figure}.png"
            if source.exists():
                shutil.copy2(source, DOCS / "images" / source.name)


if __name__ == "__main__":
    main()
