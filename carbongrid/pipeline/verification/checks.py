"""``verify``: every check of a run directory, in order; damage is told, never raised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from carbongrid.errors import CarbongridError, require_extra, shown
from carbongrid.outputs.reading import folder_of
from carbongrid.pipeline.step import Progress
from carbongrid.pipeline.verification.derived import (
    Derived,
    check_cells,
    check_shares,
    check_units,
    compare_methods,
)
from carbongrid.pipeline.verification.drawn import check_drawn
from carbongrid.pipeline.verification.files import check_digests, check_files, require_run
from carbongrid.pipeline.verification.formats import SHEET, check_formats
from carbongrid.pipeline.verification.labels import check_labels, check_tiles
from carbongrid.pipeline.verification.opened import Opened
from carbongrid.pipeline.verification.sums import check_sums
from carbongrid.pipeline.verification.verdict import RESTORE, Check, with_hint
from carbongrid.pipeline.verification.zones import check_zones
from carbongrid.pipeline.work import silent

if TYPE_CHECKING:
    from carbongrid.outputs.result import Result


@dataclass(frozen=True, repr=False)
class Verification:
    """What was found in a run directory.

    Parameters
    ----------
    checks
        In the order in which they were made.
    """

    checks: tuple[Check, ...]

    def __repr__(self) -> str:
        """Return a line for each check."""
        return "\n".join(shown(str(check)) for check in self.checks)

    @property
    def ok(self) -> bool:
        """Whether the run passed every check."""
        return all(check.ok for check in self.checks)


def verify(out: str | Path | Result, *, sample: int = 4, progress: Progress | None = None) -> Verification:  # fmt: skip
    """Derive a finished run's numbers again from its own files, and compare.

    Parameters
    ----------
    out
        A run directory, or what :func:`carbongrid.open` returned.
    sample
        How many tiles of the labels to burn again with geocube.
    progress
        Called with ``verifying``, the number of checks that are made, and their number.

    Returns
    -------
    Verification
        Checks by name: files (sha256 against the manifest), digests (content), sums (every table added up again),
        formats (other formats of a table, and where the coarse grid lies), labels (every chunk, where a run keeps them), shares, units and cells (derived again from
        parcels and labels), zones (decided again), probability (drawn again), tiles (burnt again), methods (by cells and by area, how far apart).
        Damage is a check that is not ok and says which file is meant; nothing is raised for it.

    Raises
    ------
    InputError
        If ``out`` is no run, is not there or nothing in it is of a run, or if a library that a check of this run needs is not installed;
        no check is left out in silence, and one that was not made says so (``made``).
    """
    run = Opened(folder_of(out))
    require_run(run.folder)
    derived = Derived(run)
    try:
        names = _checks(run, derived, sample)
    except CarbongridError as error:
        return Verification((Check("files", False, str(error)),))
    _require_libraries(run, sample if "tiles" in names else 0)
    tell, found = progress or silent, list[Check]()
    for name, check in names.items():
        tell("verifying", len(found), len(names))
        found.append(_guarded(name, check))
    tell("verifying", len(found), len(names))
    return Verification(tuple(found))


def _checks(run: Opened, derived: Derived, sample: int) -> dict[str, Callable[[], Check]]:
    """Return the checks that suit the run; without a manifest there are none."""
    checks: dict[str, Callable[[], Check]] = {
        "files": lambda: check_files(run),
        "digests": lambda: check_digests(run),
        "sums": lambda: check_sums(run),
        "formats": lambda: check_formats(run),
        "zones": lambda: check_zones(run),
        "probability": lambda: check_drawn(run),
    }
    run.manifest  # noqa: B018  (raises if it cannot be read)
    if run.public:
        return checks
    if run.keeps_labels:
        checks["labels"] = lambda: check_labels(run)
    checks["shares"] = lambda: check_shares(run, derived)
    checks["units"] = lambda: check_units(run, derived)
    checks["cells"] = lambda: check_cells(run, derived)
    # An exact run has labels, too, where they are kept.
    if run.keeps_labels or not run.exact:
        checks["tiles"] = lambda: check_tiles(run, sample)
    checks["methods"] = lambda: compare_methods(run, derived)
    return checks


def _require_libraries(run: Opened, tiles: int) -> None:
    """Raise InputError unless what burns tiles again, and what reads the run's spreadsheet, is installed."""
    if tiles:
        require_extra(
            "verify",
            "geocube",
            purpose="burning tiles again",
            or_else="Or leave the tiles out: --sample 0.",
        )
    if SHEET not in run.left_out:
        require_extra("verify", "openpyxl", purpose=f"comparing {SHEET}")


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except CarbongridError as error:
        return Check(name, False, with_hint(str(error)))
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        text = f"A file of the run does not hold what it should ({reason}). {RESTORE}"
        return Check(name, False, text)
