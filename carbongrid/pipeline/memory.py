"""The door for input that would not fit: what a case would take, from headers and sizes alone."""

from __future__ import annotations

import re

from carbongrid.case import Case
from carbongrid.errors import InputError
from carbongrid.io.fingerprints import files_behind
from carbongrid.io.vector import count_features
from carbongrid.pipeline.outlook import BASE_MEMORY, MEMORY_PER_PARCEL

COPIES = 6
"""Coordinates are held about so often at once: as read, normalized, reprojected, as arrays, and two temporaries."""

_PREFIXES = ("", "K", "M", "G", "T")
_MEMORY = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B?\s*", re.IGNORECASE)


def bytes_of(memory: str) -> int:
    """Return a text such as ``4GB`` or ``512 MiB`` as bytes.

    Raises
    ------
    InputError
        If it is none.
    """
    match = _MEMORY.fullmatch(memory)
    if match is None:
        raise InputError(f"{memory!r} is no amount of memory", "memory", "Write for example 4GB.")
    step = 1024 if match[3] else 1000
    return int(float(match[1]) * step ** _PREFIXES.index(match[2].upper()))


def estimated_memory(case: Case) -> int:
    """Return about how many bytes a run of this case would take in this process, from headers and file sizes."""
    path = case.resolve(case.parcels.path)
    parcels = count_features(path, case.parcels.layer, case.parcels.encoding)
    layers = [case.parcels.path, case.units.path, *([case.lines.path] if case.lines else [])]
    size = sum(file.stat().st_size for name in layers for file in files_behind(case.resolve(name)))
    return int(BASE_MEMORY * 1e9 + max(MEMORY_PER_PARCEL * 1e9 * parcels, COPIES * size))


def require_memory(case: Case, memory: str) -> None:
    """Raise InputError if a run of the case would take more than it may.

    Raises
    ------
    InputError
        With both numbers; also if the parcels cannot be opened.
    """
    limit, needed = bytes_of(memory), estimated_memory(case)
    if needed > limit:
        raise InputError(
            f"the case would take about {needed / 1e9:.1f} GB of memory, more than the {limit / 1e9:.1f} GB that it may",
            case.path.name,
            "Allow more with --memory, take a part of the region, or a larger machine.",
        )
