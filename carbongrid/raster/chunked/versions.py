"""Whether two processes can work on one result."""

from __future__ import annotations

import functools
import platform
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

from carbongrid.errors import RunError
from carbongrid.raster.software import OWN_FILES, versions

HINT = "Make its environment from the same constraints.txt, with the same carbongrid and its optional parts."


_OF_ARRAYS = ("carbongrid", OWN_FILES, "numpy", "numba", "llvmlite")
"""What decides a block's result: workers that compute arrays need no parts of runs."""


class OfOneRelease[**P, R]:
    """A function of Dask's tasks that works only where the versions are those of the process that sent it.

    They are asked for when it is pickled, which threads never do; a scheduler that pickles it again hands them on.
    """

    def __init__(self, function: Callable[P, R], theirs: Mapping[str, str] | None = None) -> None:
        self._function, self._theirs = function, theirs
        self.__name__ = _name_of(function)

    def __call__(self, *blocks: P.args, **known: P.kwargs) -> R:
        """Return what the function makes of blocks; raises as :func:`require_same`."""
        if self._theirs is not None:
            require_same(self._theirs)
        return self._function(*blocks, **known)

    def __reduce__(self) -> tuple[Any, ...]:
        found = versions() if self._theirs is None else self._theirs
        return type(self), (self._function, {name: found[name] for name in _OF_ARRAYS})

    def __dask_tokenize__(self) -> Any:
        from dask.tokenize import normalize_token

        return normalize_token(self._function)


def _name_of(function: Any) -> str:
    """Return what a task is called: after its function, or the innermost that was given to be wrapped."""
    while isinstance(function, functools.partial):
        given = next(iter(function.args), None)
        wraps = isinstance(given, functools.partial | FunctionType)
        function = given if wraps else function.func
    return str(function.__name__)


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
