"""Whether runs of the suite draw their report and figures: both are made from the tables, and take longer than they do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def drawing(wanted: bool) -> Iterator[None]:
    """Draw the report and the figures of runs in this process, or leave both out."""
    from carbongrid.outputs.figures import write_figures
    from carbongrid.outputs.report import write_report
    from carbongrid.pipeline import writing

    def touch_report(_tables: object, folder: Path, _base: object) -> None:
        (folder / "report.html").touch()

    def make_folder(_tables: object, folder: Path, _matched: object) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "zones.png").touch()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "write_report", write_report if wanted else touch_report)
        patch.setattr(writing, "write_figures", write_figures if wanted else make_folder)
        yield
