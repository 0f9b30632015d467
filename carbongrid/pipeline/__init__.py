"""The method in its order: read, weigh, allocate, rasterize, reduce, index, zone, write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from carbongrid.pipeline.starting import run

if TYPE_CHECKING:
    from carbongrid.pipeline.check_report import CheckReport as CheckReport
    from carbongrid.pipeline.check_report import check as check

__all__ = ["CheckReport", "check", "run"]


def __getattr__(name: str) -> Any:
    # Libraries are not imported before somebody asks: of a run they are while it hashes.
    if name not in __all__:
        raise AttributeError(f"module 'carbongrid.pipeline' has no attribute {name!r}")
    from carbongrid.pipeline import check_report

    return getattr(check_report, name)
