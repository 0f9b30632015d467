"""Read where people live: points with a count, or a raster of people per cell."""

from __future__ import annotations

import re
import unicodedata
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS

from carbongrid.case import Case
from carbongrid.case.readers.copies import OF_POINTS, copy_problems
from carbongrid.case.readers.grid_crs import (
    Bounds,
    crs_problems,
    fits_in_degrees,
    shift_problems,
    transformer_between,
)
from carbongrid.case.readers.located import PER_ONE, read_located
from carbongrid.case.readers.rounding import MAX_ROUNDED
from carbongrid.case.table_formats import MAX_PEOPLE, PEOPLE
from carbongrid.errors import InputError, Problem, listed
from carbongrid.method.tonnes import counted
from carbongrid.raster.crs_units import crs_text, full_turn
from carbongrid.raster.plane_files import PlaneFile, open_plane

AROUND = 1000.0
"""Width of the rim around the city that is read of a raster, in m: more than the 500 m by which people are moved."""

UNKNOWN = -1
"""Value of a cell whose people are unknown: suppressed, or without data."""

_PER_CELL = re.compile(
    r"(?:/|\bper\b)[\s_-]*(?:(?:[\d.]+|sq|square|ha|hectare|(?:k|kilo)?m(?:et\w+)?[2²]?)[\s.(x×-]+)*(?:grid|cell|pixel)",
    re.IGNORECASE,
)
"""Of a count, whatever size of the cell it tells: ``people/cell``, ``per km2 cell``, ``per hectare (100 m grid)``."""
_NO_COUNT = re.compile(
    r"/|\bper\b|\b(k?m|ha)\s*(\^|\*\*)?\s*-?[12]\b|^\s*(10|1e)\d*\b",
    re.IGNORECASE,
)
"""Units of a density, or of thousands of people."""
_OF_SOMETHING_ELSE = re.compile(
    r"%|pct|percent(age)?|(thousands?|hundreds?|millions?)\b.*|[万千百].*|[kmu]?g|grams?|kilograms?|[kmg]?t(\s?co2e?)?|tons?|tonnes?"
    r"|s|min|minutes?|h|hours?|days?|months?|years?|yr|k|kelvin|°?c|celsius|deg.*|j|[kmg]?wh?|watts?|ha|hectares?",
    re.IGNORECASE,
)
"""Units, whole, that neither people nor a plain count have."""
_DENSITY = re.compile(
    r"density(?![a-z-])|密度|(?:/|\bper\b)\s*(?:sq|square|k?m\s*(?:\^|\*\*)?[2²]|ha\b|hectare|平方)",
    re.IGNORECASE,
)
"""In words: a name may have a slash or begin with a number, which a unit of counts does not."""

_MAX_DENSITY = 100_000
"""People per km2. Manila, the densest city, has 74,000 by its census of 2020 (recalled); a window has a margin around the place."""
_MAX_AT_HOME, _MIN_CELL = 200_000, 0.009
"""People per km2 where the median person lives, and the km2 of cells from which on this is of more than a few towers: in the densest cities, by cells of 100 m, half of that (recalled)."""
_NEAR_THE_TOP, _MIN_CELLS = 17, 20

_MAX_CELLS = 400_000_000

_PER_CELL_HINT = "Check that the values are people per cell, and no density."

_WARP = "Warp it to a CRS in which they are in one piece, such as their own: gdalwarp -t_srs CRS -r sum IN OUT"


@dataclass(frozen=True)
class PeopleGrid:
    """People per cell of a raster.

    Parameters
    ----------
    values
        Thousandths of a person per cell, int64 [row, column], -1 where unknown.
    crs
        The raster's own CRS.
    transform
        From (column, row) to (x, y) in that CRS.
    """

    values: NDArray[np.int64]
    crs: CRS
    transform: Affine


def read_people(
    case: Case, crs: CRS, bounds: Bounds | None = None
) -> tuple[pd.DataFrame | PeopleGrid, list[Problem]]:
    """Return the people and what is worth saying of them.

    Parameters
    ----------
    case
        A :class:`carbongrid.case.Case`: its ``people`` are read.
    crs
        The grid's CRS.
    bounds
        Of parcels and units, in the grid's CRS; a raster is read only here and :data:`AROUND` it.

    Returns
    -------
    DataFrame or PeopleGrid
        Points with columns x, y (grid's CRS) and thousandths (of a person, int64), sorted by all
        three; or a grid.
    list of Problem
        Points and cells whose count is unknown, cells that were not read.

    Raises
    ------
    InputError
        With rows of impossible coordinates or counts.
    """
    section = case.people
    assert section is not None, "the case names no people"
    if section.is_raster:
        return read_people_grid(case.resolve(section.path), section.path, crs, bounds)
    points = read_located(case, section, [section.count])
    thousandths, exact, known = points.thousandths(section.count, PEOPLE.column("residents"))
    x, y = points.projected(crs)
    table = pd.DataFrame({"x": x, "y": y, "thousandths": thousandths})[known]
    table = table.sort_values(["x", "y", "thousandths"], kind="stable", ignore_index=True)
    notes = [*points.notes, *points.shift_problems(crs), *_notes_on_faint(exact, thousandths, points.where)]  # fmt: skip
    notes += points.thousands_problems(section.count, PEOPLE.column("residents"))
    notes += copy_problems([table[name].to_numpy() for name in table], points.where, OF_POINTS)
    if not known.all():
        blank = listed(points.names[row] for row in np.flatnonzero(~known))
        what = f"{counted(int((~known).sum()), 'point has no count and is', 'points have no count and are')} left out: {blank}"
        notes.append(Problem(what, points.where, "Write 0 where nobody lives.", "warning"))
    return table, notes


def read_people_grid(
    path: Path, where: str, crs: CRS, bounds: Bounds | None
) -> tuple[PeopleGrid, list[Problem]]:
    """Return the people of a raster around a place, and what is worth saying of them.

    Parameters
    ----------
    path, where
        The file, and its name for messages.
    crs, bounds
        As :func:`read_people` takes them.

    Raises
    ------
    InputError
        If it cannot be read, lies elsewhere, or holds what are no people.
    """
    from rasterio.errors import RasterioError
    from rasterio.transform import array_bounds
    from rasterio.windows import transform as window_transform

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is odd is told by the checks here
            with open_plane(path) as raster:
                own = crs_of_people(raster, where)
                window = window_of_people(raster, own, crs, bounds, where)
                people = raster.known(window)
                transform = window_transform(window, raster.transform)
                notes = [*raster.remarks(), *notes_on_description(raster, where)]
                raster_top = raster.top
                unread = raster.width * raster.height - people.size
    except RasterioError as error:
        hint = "It may be damaged or cut off: copy it again."
        raise InputError(f"the raster cannot be read: {error}", where, hint) from None
    known = ~np.isnan(people)
    wrong = known & ~((people >= 0) & (people <= MAX_PEOPLE))
    if wrong.any():
        raise InputError(
            f"{counted(int(wrong.sum()), 'cell holds', 'cells hold')} negative, infinite or impossibly many people, the first "
            f"{people[wrong][0]:g}",
            where,
            "If this value means no data, declare it: gdal_edit.py -a_nodata VALUE FILE",
        )
    bounds_read = array_bounds(*people.shape, transform)
    notes += _notes_on_crowds(people, raster_top, own, bounds_read, where)
    thousandths = np.full(people.shape, UNKNOWN, dtype=np.int64)
    thousandths[known] = np.rint(people[known] * PER_ONE).astype(np.int64)
    notes += shift_problems(own, crs, bounds_read, where)
    notes += _notes_on_faint(people[known], thousandths[known], where)
    if not known.all():
        what = (
            f"{int((~known).sum())} of {known.size} cells are without data: nobody is counted there"
        )
        notes.append(Problem(what, where, level="note"))
    if unread:
        what = (
            f"{unread:,} of the raster's {unread + known.size:,} cells lie more than {AROUND:g} m outside the bounds of "
            "parcels and units: they are not read, and nobody in them counts as unplaced"
        )
        notes.append(Problem(what, where, level="note"))
    return PeopleGrid(thousandths, own, transform), notes


def _notes_on_crowds(
    people: NDArray[np.float64], top: int | None, own: CRS, bounds: Bounds, where: str
) -> list[Problem]:
    """Return what is said of people who are more than any city has, and of a number that seems to stand for no data."""
    found = []
    area = _km2(own, bounds)
    density, cell = float(np.nansum(people)) / area, area / people.size
    if density > _MAX_DENSITY:
        what = f"there are {density:,.0f} people per km2 of the land that is read, more than in any city (Manila has the most, below 80,000)"
        found.append(Problem(what, where, _PER_CELL_HINT, "warning"))
    elif (crowd := _at_home(people) / cell) > _MAX_AT_HOME and cell >= _MIN_CELL:
        what = f"half of the people live where there are {crowd:,.0f} of them per km2 or more, by cells of {cell:.3g} km2: more than in any city"
        found.append(Problem(what, where, _PER_CELL_HINT, "warning"))
    if top is not None:
        below = [int(np.count_nonzero(people == top - less)) for less in range(_NEAR_THE_TOP)]
        if below[0] >= _MIN_CELLS and below[0] > 2 * max(below[1:]):
            what = f"{below[0]:,} cells hold {top:,}, the largest number of their type, more than twice as many as any number just below"
            found.append(Problem(what, where, "If it means no data, declare it: gdal_edit.py -a_nodata VALUE FILE", "note"))  # fmt: skip
    return found


def _km2(own: CRS, bounds: Bounds) -> float:
    """Return the area of bounds on the ground."""
    equal = transformer_between(own, CRS.from_epsg(6933))
    west, south, east, north = equal.transform_bounds(*bounds)
    return float((east - west) * (north - south) / 1e6)


def km2_of_cell(grid: PeopleGrid) -> float:
    """Return the mean area of the cells of a raster of people."""
    from rasterio.transform import array_bounds

    return _km2(grid.crs, array_bounds(*grid.values.shape, grid.transform)) / grid.values.size


def _at_home(people: NDArray[np.float64]) -> float:
    """Return how many the cell of the median person holds; 0 where nobody lives."""
    told = np.sort(people[people > 0])
    return float(told[np.searchsorted(np.cumsum(told), told.sum() / 2)]) if told.size else 0.0


def _notes_on_faint(
    people: NDArray[np.float64], thousandths: NDArray[np.int64], where: str
) -> list[Problem]:
    """Return a note on counts that are less than half a thousandth of a person, which count as none.

    Raises
    ------
    InputError
        If more than 1 % of the people come or go as counts are rounded to thousandths.
    """
    given, kept = float(people.sum()), float(thousandths.sum()) / PER_ONE
    if abs(given - kept) * MAX_ROUNDED > given:
        raise InputError(
            f"{given:,.6g} people stand in such small counts that they are {kept:,.6g} in thousandths of a person",
            where,
            "Give them in fewer and larger counts; of a raster, in larger cells: gdalwarp -r sum -tr 100 100 IN OUT",
        )
    faint = (people > 0) & (thousandths == 0)
    if not faint.any():
        return []
    told = f"counts of less than 0.0005 people are taken for none: {int(faint.sum())} of {len(people)}, {people[faint].sum():.4g} people together"
    return [Problem(told, where, level="note")]


def crs_of_people(raster: PlaneFile, where: str) -> CRS:
    """Return the CRS of an open raster of people.

    Raises
    ------
    InputError
        If it has none or a wrong one, is not north-up, or does not hold real numbers alone.
    """
    problems = [*raster.problems(where)]
    transform = raster.transform
    if transform.b or transform.d or transform.a <= 0 or transform.e >= 0:
        problems.append(Problem("the raster is not north-up", where, "Warp it with gdalwarp."))
    crs = raster.crs
    if crs is None or not _reaches_off_the_earth(crs, raster.bounds):
        problems += crs_problems(crs, raster.bounds, where)
    unit = _PER_CELL.sub("", unicodedata.normalize("NFKC", raster.unit))
    if _NO_COUNT.search(unit) or _DENSITY.search(unit):
        what = f"the raster says that its values are {raster.unit!r}, expected people per cell"
        problems.append(Problem(what, where, "Multiply by the area of the cells, or take the file of counts.", "error"))  # fmt: skip
    elif _OF_SOMETHING_ELSE.fullmatch(unit.strip()):
        what = f"the raster says that its values are {raster.unit!r}, expected people per cell"
        problems.append(Problem(what, where, "Is it the right variable? Bring it to people, and name its unit so."))  # fmt: skip
    if crs is None or problems:
        raise InputError(problems)
    return crs


def notes_on_description(raster: PlaneFile, where: str) -> list[Problem]:
    """Return a warning where the words for an open raster's values are those of a density: words for a count may be so too, a unit may not."""
    if not _DENSITY.search(_PER_CELL.sub("", raster.described)):
        return []
    what = f"the raster describes its values as {raster.described!r}, which may be a density"
    return [Problem(what, where, "Check that they are people per cell.", "warning")]


def _reaches_off_the_earth(crs: CRS, bounds: Bounds) -> bool:
    """Whether a part of a raster is of the earth, where its CRS is made for, and a part is not: beside an oval map of the whole of it, as Mollweide's, the corners are of nothing."""
    west, south, east, north = bounds
    x, y = np.meshgrid(np.linspace(west, east, 33), np.linspace(south, north, 33))
    places = transformer_between(crs, CRS.from_epsg(4326)).transform(x.ravel(), y.ravel())
    known = np.isfinite(places[0])
    if known.all() or not known.any():
        return False
    longitude, latitude = (each[known] for each in places)
    west, south, east, north = longitude.min(), latitude.min(), longitude.max(), latitude.max()
    return fits_in_degrees(crs, (west, south, east, north))


def _is_torn(crs: CRS, own: CRS, bounds: Bounds) -> bool:
    """Whether what is in one piece in a CRS is in two in another: on the way around it there is a leap then."""
    west, south, east, north = bounds
    along, up = np.linspace(west, east, 33), np.linspace(south, north, 33)
    x = np.concatenate([along, np.full(33, east), along[::-1], np.full(33, west)])
    y = np.concatenate([np.full(33, south), up, np.full(33, north), up[::-1]])
    there, _ = transformer_between(crs, own).transform(x, y)
    known = np.isfinite(there).all()
    return bool(known and np.abs(np.diff(there)).max() > np.ptp(there) / 2)


def _turn_away(raster: PlaneFile, own: CRS, there: Bounds, where: str) -> Problem | None:
    """Return what is wrong where land that lies west of a raster is on it a whole turn further, at its other end or altogether."""
    turn = full_turn(crs_text(own))
    west, _, east, _ = raster.bounds
    if turn is None or not (there[0] < west and there[0] + turn < east):
        return None
    half = f"{turn / 2:g}"
    what = f"the raster's longitudes run from {west:,.6g} to {east:,.6g}, beyond {half}, and there lie parcels, or what is within {AROUND:g} m of them, a whole turn away"
    hint = f"Turn it, in rioxarray: raster.assign_coords(x=(raster.x + {half}) % {turn:g} - {half}).sortby('x')"
    if west < turn / 2 and east - west < turn:
        hint = _WARP
    return Problem(what, where, hint)


def window_of_people(
    raster: PlaneFile, own: CRS, crs: CRS, bounds: Bounds | None, where: str
) -> Any:
    """Return the window of an open raster that is read: bounds in a CRS, and :data:`AROUND` them.

    Raises
    ------
    InputError
        If the raster lies elsewhere, at both ends of its map, or has too many cells there.
    """
    from rasterio.windows import Window, from_bounds

    whole = Window(0, 0, raster.width, raster.height)
    window = whole
    if bounds is not None:
        west, south, east, north = bounds
        wider = (west - AROUND, south - AROUND, east + AROUND, north + AROUND)
        if _is_torn(crs, own, wider):
            raise InputError(
                f"the parcels, or what is within {AROUND:g} m of them, lie at both ends of the raster's map, on both sides of 180 degrees",
                where,
                _WARP,
            )
        there = transformer_between(crs, own).transform_bounds(*wider)
        if problem := _turn_away(raster, own, there, where):
            raise InputError([problem])
        elsewhere = InputError(
            f"the raster lies elsewhere, {tuple(raster.bounds)}: it covers none of the parcels",
            where,
            "Check which place it is of, and its CRS.",
        )
        if not np.isfinite(there).all():
            raise elsewhere
        part = from_bounds(*there, transform=raster.transform)
        left, top = int(np.floor(part.col_off)), int(np.floor(part.row_off))
        right = int(np.ceil(part.col_off + part.width))
        bottom = int(np.ceil(part.row_off + part.height))
        left, right = max(left, 0), min(right, raster.width)
        top, bottom = max(top, 0), min(bottom, raster.height)
        if left >= right or top >= bottom:
            raise elsewhere
        window = Window(left, top, right - left, bottom - top)
    if window.width * window.height > _MAX_CELLS:
        raise InputError(
            f"the raster has {window.width * window.height:,} cells, more than {_MAX_CELLS:,}",
            where,
            "Cut it to the parcels with gdalwarp -te.",
        )
    return window
