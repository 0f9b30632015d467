"""Whether runs of the suite draw their report and figures: both are made from the tables, and take longer than they do.

Those that do not draw a tenth of the worlds too, where their case does not say how many: a tenth of the time of a small run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def drawing(wanted: bool) -> Iterator[None]:
    """Draw the report, the figures and as many worlds as users have of runs in this process, or leave both out and draw fewer."""
    from carbongrid.method.probability.zone_probability import DRAWS
    from carbongrid.outputs.figures import write_figures
    from carbongrid.outputs.report import write_report
    from carbongrid.pipeline import probability, writing

    def touch_report(_tables: object, folder: Path, _base: object) -> None:
        (folder / "report.html").touch()

    def make_folder(_tables: object, folder: Path, _matched: object) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "zones.png").touch()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "write_report", write_report if wanted else touch_report)
        patch.setattr(writing, "write_figures", write_figures if wanted else make_folder)
        patch.setattr(probability, "DRAWS", DRAWS if wanted else DRAWS // 10)
        yield
