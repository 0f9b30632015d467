"""Figures of a run are drawn in matplotlib's own style: one of the notebook that they are drawn in would be in them, and no key of a step knows of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from threading import RLock

from carbongrid.errors import require_extra

_ONE_AT_A_TIME = RLock()
"""The style is the process's: of two threads one would put back what the other has set."""


def in_plain_style[**P, R](draw: Callable[P, R]) -> Callable[P, R]:
    """Return a function that draws in matplotlib's own style, and leaves the caller's as it was."""

    @wraps(draw)
    def drawn(*args: P.args, **named: P.kwargs) -> R:
        require_extra("report", "matplotlib", purpose="drawing figures")
        from matplotlib import style

        with _ONE_AT_A_TIME, style.context("default"):
            return draw(*args, **named)

    return drawn
