"""What a raster shows of its legend beside its numbers, which mean other land in other legends: its name, its cells, numbers that are no classes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from typing import Any

from carbongrid.errors import Problem

_NAMES = {
    "worldcover": re.compile("world_?cover", re.IGNORECASE),
    "globeland30": re.compile("globe_?land(?!sat)|(?<![a-z])lc030", re.IGNORECASE),
    "corine-grid": re.compile(r"corine|(?<![a-z])(u[0-9]{4}_)?clc_?[0-9]{4}", re.IGNORECASE),
    "nlcd": re.compile("nlcd", re.IGNORECASE),
    "glc-fcs30": re.compile("glc_?fcs", re.IGNORECASE),
}
"""How publishers call their files (recalled)."""

_WORLDCOVER_STEP = 1 / 12_000
"""Degrees; tiles of 3 by 3 degrees have 36,000 rows."""

_FILLS = frozenset({"0", "127", "128", "250", "254", "255", "-1", "-128", "-9999", "32767", "-32768", "65535"})  # fmt: skip


def legend_problems(source: Any, codes: str, where: str) -> Iterator[Problem]:
    """Yield a warning where the file's name, or the grid of its cells, is that of another packaged legend than the named one.

    Parameters
    ----------
    source
        An open rasterio dataset.
    codes
        The code system that is named; of a user's own nothing is said.
    where
        The file's name.
    """
    if codes not in _NAMES or _NAMES[codes].search(where):
        return
    hint = "The same numbers mean other land in other legends: docs/howto/land-cover.md."
    others = [name for name, pattern in _NAMES.items() if pattern.search(where)]
    if len(others) == 1:
        what = f"the file is called as those of {others[0]} are, and its codes are read as those of {codes}"
        yield Problem(what, where, f"Is it --codes {others[0]}? {hint}", "warning")
    elif codes != "worldcover" and _has_cells_of_worldcover(source):
        what = f"the cells are those of worldcover, 1/12,000 of a degree, and their codes are read as those of {codes}"
        yield Problem(what, where, f"Is it --codes worldcover? {hint}", "warning")


def way_out_of_unknown(codes: Iterable[str], marked: float | None) -> str:
    """Return what to do about numbers that a legend lacks; those that stand for no data are marked as such, in a file that may mark one number as that already."""
    hint = "Is it another code system? Else write a CSV of your own, and name that."
    fills = [code for code in codes if code in _FILLS]
    if not fills:
        return hint
    if marked is None and len(fills) == 1:
        return f"Where {fills[0]} stands for no data, say so: gdal_translate -a_nodata {fills[0]} IN.tif OUT.tif. {hint}"
    one = fills[0] if marked is None else f"{marked:.0f}"
    others = [code for code in fills if code != one]
    where = " | ".join(f"(A=={code})" for code in others)
    stand = (
        f"{' or '.join(others)} stands" if marked is not None else f"{', '.join(fills)} all stand"
    )
    return f"Where {stand} for no data, write {one}, since a file marks one number so: gdal_calc.py -A IN.tif --outfile=OUT.tif --NoDataValue={one} --calc='numpy.where({where}, {one}, A)'. {hint}"


def _has_cells_of_worldcover(source: Any) -> bool:
    sides = source.transform.a, -source.transform.e
    return bool(source.crs.is_geographic) and all(
        math.isclose(side, _WORLDCOVER_STEP, rel_tol=1e-4) for side in sides
    )
