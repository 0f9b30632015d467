"""What a check says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

RESTORE = "Take it from a copy, or run the case again with --replace."
RESTORE_MANIFEST = "Take it from a copy, or remove the directory and run the case again: without its manifest a run is not replaced."
_LISTED = 5


@dataclass(frozen=True)
class Check:
    """One check of a run directory.

    Parameters
    ----------
    name
        A word.
    ok
        Whether the run passed it.
    text
        What was compared or, if it failed, what is wrong in which file and what to do.
    made
        Whether anything was looked at; what was not asked for, or cannot be, is no fault of the run.
    """

    name: str
    ok: bool
    text: str
    made: bool = True

    def __str__(self) -> str:
        """Return the verdict, what was looked at and what was found."""
        verdict = "FAIL" if not self.ok else "ok  " if self.made else "--  "
        return f"{verdict} {self.name}: {self.text}"


def check_of(name: str, faults: Sequence[str], success: str, hint: str = RESTORE) -> Check:
    """Return a check that is ok if there is no fault; five faults are listed."""
    if not faults:
        return Check(name, True, success)
    listed = [f"{fault.rstrip('.')}." for fault in faults[:_LISTED]]
    if len(faults) > _LISTED:
        listed.append(f"And {len(faults) - _LISTED} more.")
    return Check(name, False, " ".join([*listed, hint]))


def with_hint(text: str) -> str:
    """Return what is wrong and what to do, which the text may have said already."""
    return text if text.endswith((RESTORE, RESTORE_MANIFEST)) else f"{text.rstrip('.')}. {RESTORE}"
