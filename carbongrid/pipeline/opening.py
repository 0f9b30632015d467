"""Opening a finished run, so that it can be asked what would be otherwise."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carbongrid.outputs.reading import of_run, read_result

if TYPE_CHECKING:
    from carbongrid.outputs.result import Result
    from carbongrid.pipeline.live import LiveResult


def open_run(directory: str | Path) -> Result:
    """Open a finished run directory.

    Parameters
    ----------
    directory
        What ``carbongrid run`` made.

    Returns
    -------
    Result
        Tables in memory, mass of units, inventory, ledger, evidence and land types in tonnes (float64) under the files' column names;
        the coarse grid, the parcels and the labels when they are asked for. A public run has no parcels.

    Raises
    ------
    InputError
        If the directory is not a finished run.
    VerificationError
        If its manifest or one of the tables that are read is missing, unreadable or not what the run wrote, or another run takes its place while it is opened.
    """
    return dataclasses.replace(read_result(Path(directory)), prepare=_prepared)


def open_same_run(directory: Path, manifest: Mapping[str, Any]) -> Result:
    """Open the run that had this manifest; raises as :func:`open_run`, and :class:`VerificationError` if another has taken its place."""
    with of_run(directory, manifest):
        return open_run(directory)


def _prepared(result: Result) -> LiveResult:
    from carbongrid.pipeline.live import LiveResult
    from carbongrid.pipeline.prepared import PreparedRun

    return LiveResult.of(PreparedRun(result))
