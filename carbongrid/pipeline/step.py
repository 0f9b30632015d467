"""What a step is: values in, one value out, and the files by which a later run takes it over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carbongrid.outputs.tables.parcel_layer import ParcelFormat

SAVES = (
    *("geopandas.io.arrow", "geopandas.io._geoarrow"),
    *("pandas.io.parquet", "pandas.core.arrays.arrow.extension_types", "pyarrow.parquet"),
)
"""Modules with which Parquet is written."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class RunOptions:
    """How a run works, as :func:`carbongrid.run` is told; none of it changes a number."""

    scheduler: Any
    chunks: int
    progress: Progress
    public: bool = False
    parcels: ParcelFormat = "parquet"


def _nothing(*_: Any) -> Any:
    return ()


@dataclass(frozen=True)
class Kept:
    """The files of a step. Its functions are called with the values that the step's ``make`` is called with.

    Parameters
    ----------
    files
        Returns the paths of the files, relative to the run's folder; none where nothing is kept.
    load
        Reads back what the steps to come need; called with the folder first.
    save
        Writes what ``make`` returned; called with the folder and that. None where ``make`` writes the files itself, is given the
        folder first, and is called only if they cannot be taken over.
    decided_by
        Returns what decides the files, beside what is listed here, the package and its libraries.
    sources
        Returns the names of the case's files that are read.
    after
        Steps whose keys are part of this one's.
    scratch
        What ``make`` writes on the way; removed when it is done.
    """

    files: Callable[..., Sequence[str]]
    load: Callable[..., Any]
    save: Callable[[Path, Any], None] | None = None
    decided_by: Callable[..., Any] = _nothing
    sources: Callable[..., Sequence[str]] = _nothing
    after: tuple[str, ...] = ()
    scratch: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """One step of the method.

    Parameters
    ----------
    name
        By it other steps name what it makes, and the manifest lists it.
    make
        Makes a frozen value from the values of ``needs``, in their order.
    needs
        Steps, and what is given at the start.
    kept
        What of it a later run takes over; None: it is made anew each time.
    phase
        What a user is told that goes on; empty of a step that tells it itself, or is done at once.
    beside
        Whether its value is its files alone, and it may write them while other such steps write theirs.
    meanwhile
        Whether a thread does it while steps are done that do not need it: only of a step that is not kept, whose value the first step waits for that needs it, or that writes its
        files itself and has no other value, which is waited for where the store closes.
    imports
        Modules that ``make`` imports, if they are there; where it works in a thread these are imported before (:class:`carbongrid.run_store.Making`).
    """

    name: str
    make: Callable[..., Any]
    needs: tuple[str, ...]
    kept: Kept | None = None
    phase: str = ""
    beside: bool = False
    meanwhile: bool = False
    imports: tuple[str, ...] = ()

    @property
    def writes_itself(self) -> bool:
        """Whether ``make`` works in the folder of a run."""
        return self.kept is not None and self.kept.save is None
