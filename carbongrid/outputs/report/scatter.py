"""A scatter of a run's values against published or known ones, drawn for a page: both axes logarithmic and alike."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from carbongrid.outputs.numbers import short_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

SIDE = 300
ACROSS, UP = "published 发布值, t", "run 本次, t"


class Point(NamedTuple):
    """A value: its place, the ends of its interval, and what is shown where it is pointed at."""

    x: float
    y: float
    low: float
    high: float
    tip: str


@dataclass(frozen=True)
class Scatter:
    """Points in a square of ``SIDE``, y downwards.

    Parameters
    ----------
    name
        The quantity.
    points
        Values above 0 on both sides.
    ticks
        Places along either axis, with their text.
    left_out
        Values that are 0 on one side or both, and so on no logarithmic axis.
    across, up
        Names of the axes.
    """

    name: str
    points: Sequence[Point]
    ticks: Sequence[tuple[float, str]]
    left_out: int
    across: str = ACROSS
    up: str = UP
    side: int = SIDE


def scatter(of: str, values: pd.DataFrame, across: str = ACROSS, up: str = UP) -> Scatter:
    """Return the scatter of a quantity.

    Parameters
    ----------
    of
        Its name.
    values
        region, ours_t, published_t, low_t, high_t.
    across, up
        Names of the axes.
    """
    shown = values[(values["ours_t"] > 0) & (values["published_t"] > 0)]
    if shown.empty:
        return Scatter(of, (), (), len(values), across, up)
    logs = np.log10(shown[["ours_t", "published_t"]].to_numpy(np.float64))
    least, most = math.floor(logs.min()), math.ceil(logs.max() + 1e-9)
    span = max(most - least, 1)

    def place(tonnes: float) -> float:
        log = math.log10(max(tonnes, 10.0**least))
        return float(round(SIDE * min(log - least, span) / span, 1))

    points = [
        Point(
            place(row["published_t"]),
            SIDE - place(row["ours_t"]),
            SIDE - place(row["low_t"]),
            SIDE - place(row["high_t"]),
            f"{row['region']}: {short_number(row['ours_t'])} t / {short_number(row['published_t'])} t",
        )
        for row in shown.to_dict("records")
    ]
    step = math.ceil(span / 4)
    ticks = [(round(SIDE * k / span, 1), _power(least + k)) for k in range(0, span + 1, step)]
    return Scatter(of, points, ticks, len(values) - len(shown), across, up)


def _power(exponent: int) -> str:
    for large, unit in ((9, "Gt"), (6, "Mt"), (3, "kt")):
        if exponent >= large:
            return f"{10 ** (exponent - large)} {unit}"
    return f"{10.0**exponent:g} t"
