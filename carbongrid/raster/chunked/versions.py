"""Whether two processes can work on one result."""

from __future__ import annotations

import platform
from collections.abc import Mapping

from carbongrid.errors import RunError
from carbongrid.raster.software import versions

HINT = "Make its environment from the same constraints.txt, with the same carbongrid and its optional parts."


def differences(found: Mapping[str, str], wanted: Mapping[str, str], whose: str) -> list[str]:
    """Return in words which versions are not those that are wanted; ``whose`` stands before these."""
    return [
        f"{name} {found.get(name, 'missing')}, {whose} {version}"
        for name, version in wanted.items()
        if found.get(name) != version
    ]


def require_same(theirs: Mapping[str, str]) -> None:
    """Raise RunError unless this process has the versions of the one that sent the work."""
    differ = differences(versions(), theirs, "there")
    if differ:
        raise RunError(
            f"a worker on {platform.node()} has other versions than the process of the run: {'; '.join(differ)}. "
            f"{HINT}"
        )
