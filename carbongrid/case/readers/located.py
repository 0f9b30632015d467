"""Points as they stand in a file: a table with coordinates, or a vector layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from carbongrid.case import Case
from carbongrid.case.fields import keys_of_columns
from carbongrid.case.readers.coordinates import SHIFTED, in_china, project_points
from carbongrid.case.readers.declared import cell
from carbongrid.case.readers.geometry import missing_problems
from carbongrid.case.readers.grid_crs import (
    Bounds,
    crs_problems,
    decimals_of,
    fits,
    shift_problems,
    turned_problems,
)
from carbongrid.case.readers.tables import (
    DOUBTS,
    Faults,
    on_thousands,
    read_table,
    require_columns,
)
from carbongrid.case.readers.vector import read_vector
from carbongrid.case.table_formats import PERSONS, Column
from carbongrid.case.values import is_table
from carbongrid.errors import InputError, Problem, listed
from carbongrid.method.tonnes import counted
from carbongrid.raster.opening.crs import crs_of, same_crs

PER_ONE = 1000
"""Counts of people and weights of POIs are kept in thousandths."""


@dataclass(frozen=True)
class LocatedPoints:
    """Points of a file in its own order and its own coordinates.

    Parameters
    ----------
    table
        The columns asked for.
    x, y
        Longitude and latitude, or easting and northing, shape (n,).
    names
        How to call each row in a message: ``row 5``.
    system
        ``gcj02``, ``bd09``, or a CRS.
    where
        The file.
    """

    table: pd.DataFrame
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    names: NDArray[np.object_]
    system: str | CRS
    where: str

    def projected(self, crs: CRS) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return x and y in another CRS."""
        return project_points(self.x, self.y, self.system, crs)

    def shift_problems(self, crs: CRS) -> list[Problem]:
        """Return a warning if nothing is known of how far the points' system lies from another CRS (:func:`carbongrid.case.readers.grid_crs.shift_problems`)."""
        if isinstance(self.system, str) or not len(self.x):
            return []
        bounds = float(self.x.min()), float(self.y.min()), float(self.x.max()), float(self.y.max())
        return shift_problems(self.system, crs, bounds, self.where)

    def thousandths(
        self, name: str, column: Column
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
        """Return numbers in thousandths, half to even, the numbers, and which are known; each of shape (n,).

        Parameters
        ----------
        name
            Of the column in the file.
        column
            Its declaration.

        Raises
        ------
        InputError
            With every wrong cell.
        """
        named, faults = replace(column, name=name), Faults(self.where)
        size = len(self.table)
        whole, exact = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.float64)
        known = np.zeros(size, dtype=bool)
        for position, value in enumerate(self.table[name]):
            text = "" if pd.isna(value) else str(value).strip()
            number = cell(named, text, self.names[position].split()[-1], faults)
            if number is not None:
                whole[position] = round(number * PER_ONE)
                exact[position], known[position] = float(number), True
        faults.raise_any()
        return whole, exact, known

    def thousands_problems(self, name: str, column: Column) -> list[Problem]:
        """Return what is said of points between thousands in a column of text."""
        return on_thousands(self.table, name, self.where, whole=column.unit == PERSONS)

    @property
    def notes(self) -> list[Problem]:
        """Warnings of how the file was read, of longitudes that are far from all others, and one if the points are declared GCJ-02 or BD-09, and most lie outside China."""
        crs = self.system if isinstance(self.system, CRS) else CRS.from_epsg(4326)
        turned = turned_problems(crs, self.x, self.names, self.where, "points")
        doubts: list[Problem] = [*self.table.attrs.get(DOUBTS, ()), *turned]
        if isinstance(self.system, CRS) or not len(self.x):
            return doubts
        outside = 1 - in_china(self.x, self.y).mean()
        if outside < 0.5:
            return doubts
        what = f"{outside:.0%} of the points lie outside China, where {self.system} shifts nothing"
        return [*doubts, Problem(what, self.where, "Check crs.", "warning")]


def read_located(
    case: Case,
    section: Any,
    columns: Sequence[str],
    codes: Sequence[str] = (),
    optional: Sequence[str] = (),
) -> LocatedPoints:
    """Return the points that a section of the case names.

    Parameters
    ----------
    case
        For ``resolve``.
    section
        With path, layer, x, y, crs and encoding.
    columns
        Other columns to read.
    codes
        Those of them that hold codes.
    optional
        Columns to read if they are there.

    Raises
    ------
    InputError
        If a coordinate is missing or impossible (with its row), or the CRS does not fit.
    """
    path, where = case.resolve(section.path), section.path
    if is_table(section.path):
        read = [section.x, section.y, *columns, *optional]
        table = read_table(path, encoding=section.encoding, codes=codes, columns=read)
        keys = keys_of_columns(case, section)
        require_columns(table, where, [section.x, section.y, *columns], keys)
        there = list(table.columns)
        names = np.array([f"row {row}" for row in table.index], dtype=object)
        problems: list[Problem] = []
        x = _coordinates(table, section.x, names, where, problems)
        y = _coordinates(table, section.y, names, where, problems)
        if problems:
            raise InputError(problems)
        system = _system(section.crs, None, where)
    else:
        layer = read_vector(path, section.layer, section.encoding, lambda known: [*columns, *(each for each in optional if each in known)])  # fmt: skip
        there = list(layer.columns)
        names = np.array([f"feature {row + 1}" for row in range(len(layer))], dtype=object)
        x, y = _positions(np.asarray(layer.geometry.array, dtype=object), names, where)
        table = pd.DataFrame(layer.drop(columns="geometry"))
        system = _system(section.crs, layer.crs, where)
    if not len(table):
        raise InputError(
            "there are no points", where, "Fill the table, or leave its section out of the case."
        )
    problems = place_problems(x, y, names, system, where)
    if problems:
        raise InputError(problems)
    # A File Geodatabase stores scaled integers: rounding gives the same floats from every format.
    decimals = decimals_of(crs_of("EPSG:4326") if isinstance(system, str) else system)
    more = [column for column in optional if column in there and column not in columns]
    table = table[[*columns, *more]].reset_index(drop=True)
    return LocatedPoints(table, np.round(x, decimals), np.round(y, decimals), names, system, where)


def _coordinates(
    table: pd.DataFrame,
    column: str,
    names: NDArray[np.object_],
    where: str,
    problems: list[Problem],
) -> NDArray[np.float64]:
    numbers = pd.to_numeric(table[column], errors="coerce").to_numpy(dtype=np.float64)
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if len(wrong):
        told = listed(f"{names[row]} ({table[column].iloc[row] or 'blank'})" for row in wrong)
        what = f"column {column!r} must hold coordinates; {counted(len(wrong), 'row does', 'rows do')} not: {told}"
        problems.append(Problem(what, where, "Write degrees or metres with a point."))
    return numbers


def _positions(
    geometry: NDArray[np.object_], names: NDArray[np.object_], where: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    problems = missing_problems(geometry, names, where)
    if problems:
        raise InputError(problems)
    single = (shapely.get_type_id(geometry) == 4) & (shapely.get_num_geometries(geometry) == 1)
    points = np.where(single, shapely.get_geometry(geometry, 0), geometry)
    other = np.flatnonzero(shapely.get_type_id(points) != 0)
    if len(other):
        kinds = listed(f"{names[row]} ({points[row].geom_type})" for row in other)
        hint = "Put a point inside each, in QGIS by Point on surface; people that are known by area may be a raster, too."
        raise InputError(
            f"{counted(len(other), 'geometry is no point', 'geometries are not points')}: {kinds}",
            where,
            hint,
        )
    return shapely.get_x(points), shapely.get_y(points)


def _system(declared: str | None, stored: Any, where: str) -> str | CRS:
    """Return the system of the coordinates: what the case says, if the file does not contradict; the file's own where the case says nothing."""
    crs = None if stored is None else crs_of(stored)
    if declared is None:
        if crs is None:
            what = "neither the case nor the file says which coordinate system the points are in"
            raise InputError(what, where, 'Write crs = "EPSG:4490", or which it is, in the case.')
        return crs
    if declared in SHIFTED:
        if crs is not None and not crs.is_geographic:
            raise InputError(
                f"the case says {declared}, which is degrees, but the file says {crs.name}",
                where,
                "Correct crs, or the file.",
            )
        return declared
    named = crs_of(declared)
    if crs is not None and not same_crs(crs, named):
        raise InputError(
            f"the case says {named.name}, but the file says {crs.name}",
            where,
            "Correct one of them.",
        )
    return named


def place_problems(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    names: NDArray[np.object_],
    system: str | CRS,
    where: str,
) -> list[Problem]:
    """Return what is wrong with coordinates, seen from the system that they are said to be in.

    Parameters
    ----------
    x, y
        Longitude and latitude, or easting and northing, shape (n,).
    names
        How to call each point in a message, shape (n,).
    system
        ``gcj02``, ``bd09``, or a CRS.
    where
        The file.
    """
    infinite = np.flatnonzero(~(np.isfinite(x) & np.isfinite(y)))
    if len(infinite):
        told = listed(names[row] for row in infinite)
        return [
            Problem(
                f"{counted(len(infinite), 'point has', 'points have')} no finite coordinates: {told}",
                where,
            )
        ]
    crs = system if isinstance(system, CRS) else CRS.from_epsg(4326)
    if crs.is_geographic:
        outside = np.flatnonzero((np.abs(x) > 360) | (np.abs(y) > 90))
        if len(outside):
            told = listed(f"{names[row]} ({x[row]:g}, {y[row]:g})" for row in outside)
            hint = "Check which columns x and y are, and crs."
            if fits(crs, (float(y.min()), float(x.min()), float(y.max()), float(x.max()))):
                hint = "x and y seem swapped: x is the longitude."
            what = f"{counted(len(outside), 'point is', 'points are')} not at a longitude and latitude: {told}"
            return [Problem(what, where, hint)]
    bounds: Bounds = (float(x.min()), float(y.min()), float(x.max()), float(y.max()))
    return crs_problems(crs, bounds, where, (np.column_stack([x, y, x, y]), names))
