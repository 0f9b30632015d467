"""How much memory there is: the machine's, or what a control group leaves of it."""

from __future__ import annotations

from pathlib import Path

from carbongrid.errors import InputError
from carbongrid.raster.opening.files import read_text
from carbongrid.raster.portable import physical_memory

_GROUPS = Path("/proc/self/cgroup")
_MOUNT = Path("/sys/fs/cgroup")


def memory_limit() -> int:
    """Return bytes: the least of physical memory and the limits of the control groups (versions 1 and 2) around the process."""
    limits = [physical_memory()]
    for line in _lines(_GROUPS):
        _, kinds, path = line.split(":", 2)
        if kinds and "memory" not in kinds.split(","):
            continue
        root, name = (
            (_MOUNT / "memory", "memory.limit_in_bytes") if kinds else (_MOUNT, "memory.max")
        )
        folder = root / path.strip("/")
        # A container sees its own group as the root, so a path that is not there means no more than that.
        for group in (folder, *folder.parents):
            limits += [int(text) for text in _lines(group / name) if text.isdigit()]
            if group == root:
                break
    return min(limits)


def require_room(size: int, what: str, hint: str) -> None:
    """Raise unless something of so many bytes fits into memory.

    Parameters
    ----------
    size
        Bytes.
    what, hint
        What needs them, and what to do if they are not there.

    Raises
    ------
    InputError
        If it does not fit.
    """
    limit = memory_limit()
    if size > limit:
        raise InputError(
            f"{what} need {size / 1e9:,.1f} GB of memory, there are {limit / 1e9:,.1f}",
            hint=hint,
        )


def _lines(path: Path) -> list[str]:
    try:
        return read_text(path, encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []
