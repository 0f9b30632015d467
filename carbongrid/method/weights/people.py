"""Resident people as integer weights: points or a grid, scaled to a census (docs/decisions/0003)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from carbongrid.errors import InputError
from carbongrid.method.tonnes import counted
from carbongrid.method.weights.cell_shares import CellShares, cells_over_units
from carbongrid.method.weights.points import locate, points_in_parcels
from carbongrid.raster.crs_units import crs_text
from carbongrid.raster.grid import Grid
from carbongrid.raster.opening.crs import crs_of, way_between
from carbongrid.raster.overlaps import cell_shares
from carbongrid.raster.polygon_coverage import areas_in_common, areas_of
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.polygons.outlines import geometries_of, outlines_of

PEOPLE_REACH = 500.0
"""Farthest that people come to a residential parcel, in m (D16)."""

_SLIVER = 1e-6
"""Share of a parcel beyond a grid that ends where it does, by rounding."""

THOUSANDTHS = 1000
"""Quanta of one person."""


class PeopleRaster(Protocol):
    """A grid of people: what case/readers/people.py reads.

    Attributes
    ----------
    values : int64, shape (rows, columns)
        Thousandths of a person per cell; -1 where unknown.
    crs
        CRS of the transform, anything that pyproj reads.
    transform
        Affine transform from (column, row) to (x, y).
    """

    @property
    def values(self) -> NDArray[np.int64]:
        """Thousandths of a person per cell."""

    @property
    def crs(self) -> Any:
        """CRS of the transform."""

    @property
    def transform(self) -> Any:
        """Affine transform from (column, row)."""


@dataclass(frozen=True)
class Census:
    """People per region that the points or cells are scaled to.

    Parameters
    ----------
    units : geometries, shape (units,)
        In id order, in the grid's CRS.
    region_of_unit : int64, shape (units,)
        Row of the census that holds for the unit; -1 for none.
    thousandths : int64, shape (regions,)
        People of each region, in thousandths.
    codes
        Code of each region, for notes.
    """

    units: NDArray[Any]
    region_of_unit: NDArray[np.int64]
    thousandths: NDArray[np.int64]
    codes: Sequence[str] = ()

    def region_of(self, unit: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the region of each point by its unit, -1 for none of either, shape (points,)."""
        return np.where(unit >= 0, np.append(self.region_of_unit, -1)[unit], -1)


@dataclass(frozen=True)
class Residents:
    """People per residential parcel, int64 thousandths.

    Parameters
    ----------
    inside, snapped : int64, shape (parcels,)
        People in the parcel; people from outside every residential parcel that came to it.
    unplaced
        Thousandths that reached no parcel; of a grid, those inside the parcels' bounds.
    note
        What is odd, in words; else empty.
    counted
        Thousandths that there were, but those beyond the parcels' bounds who reached none; None: those of the other counts.
    known : float64, shape (parcels,)
        Share of each residential parcel in which the grid has a value, 1 of all others; None of points.
    reached : float64, shape (parcels,)
        Likewise that lies on the grid, whatever its cells say.
    """

    inside: NDArray[np.int64]
    snapped: NDArray[np.int64]
    unplaced: int
    note: str = ""
    counted: int | None = None
    known: NDArray[np.float64] | None = None
    reached: NDArray[np.float64] | None = None

    @property
    def placed(self) -> int:
        """Thousandths that reached a residential parcel."""
        return int(self.inside.sum()) + int(self.snapped.sum())

    @property
    def given(self) -> int:
        """Thousandths that could reach one."""
        return self.placed + self.unplaced if self.counted is None else self.counted


@dataclass(frozen=True)
class PeoplePoints:
    """People where they are told to live: at points, or at the centres of the cells that have any; by exact shares, at those of pieces of cells.

    Parameters
    ----------
    x, y : float64, shape (points,)
        In the grid's CRS.
    thousandths : int64, shape (points,)
        People, scaled to the census where there is one.
    cell : int64, shape (points,)
        Flat position in the grid of people, ascending; empty for points.
    unit : int64, shape (points,)
        By exact shares, the unit that each piece of a cell lies in, -1 for none; else None.
    note
        What is odd, in words; else empty.
    missing
        Thousandths that the census counts and no point or cell has, all regions together.
    scaled
        By the code of each region of the census, by what its people were multiplied.
    emptied
        By the code of each region in which the census counts nobody, the thousandths that points or cells have there.
    unscaled : int64, shape (units,)
        Thousandths in each unit of which the census says nothing, 0 in all others; None without a census.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    thousandths: NDArray[np.int64]
    cell: NDArray[np.int64]
    note: str = ""
    missing: int = 0
    unit: NDArray[np.int64] | None = None
    scaled: Mapping[str, float] = field(default_factory=dict)
    emptied: Mapping[str, int] = field(default_factory=dict)
    unscaled: NDArray[np.int64] | None = None


def people_points(
    people: pd.DataFrame | PeopleRaster,
    crs: Any,
    census: Census | None = None,
    units: gpd.GeoSeries | None = None,
) -> PeoplePoints:
    """Return the people as points, scaled to the census: what all that counts people counts.

    Parameters
    ----------
    people
        Points with columns x, y (in the CRS) and thousandths; or a grid.
    crs
        Of the points returned.
    census
        Regions to scale to; None keeps the counts.
    units
        Those that a cell on a border is shared out over, by the exact share that lies in each; None leaves it to the unit of its centre.
        Of points nothing is shared out.
    """
    unit = None
    if isinstance(people, pd.DataFrame):
        x, y = people["x"].to_numpy(np.float64), people["y"].to_numpy(np.float64)
        cell, found = np.zeros(0, np.int64), people["thousandths"].to_numpy(np.int64)
    else:
        values = np.asarray(people.values, np.int64)
        cell = np.flatnonzero(values > 0)
        x, y = _centres(people, cell, crs)
        found = values.ravel()[cell]
        if units is not None:
            pieces = cells_over_units(people, cell, units)
            found, unit = pieces.split(found), pieces.target
            x, y, cell = x[pieces.cell], y[pieces.cell], cell[pieces.cell]
    if census is None:
        return PeoplePoints(x, y, found, cell, unit=unit)
    lies_in = locate(x, y, census.units) if unit is None else unit
    region = census.region_of(lies_in)
    counts, note, missing = _scaled(found, region, census)
    scaled, emptied = _factors(found, region, census)
    untold = (region < 0) & (lies_in >= 0)
    unscaled = np.zeros(len(census.units), np.int64)
    np.add.at(unscaled, lies_in[untold], found[untold])
    return PeoplePoints(x, y, counts, cell, note, missing, unit, scaled, emptied, unscaled)


def scale_to_census(
    quanta: NDArray[np.int64], region: NDArray[np.int64], thousandths: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Scale counts so that each region's people are those of the census.

    Parameters
    ----------
    quanta : int64, shape (n,)
        Thousandths of a person, >= 0.
    region : int64, shape (n,)
        Row of the census; -1 keeps the count as it is.
    thousandths : int64, shape (regions,)
        The census.

    Returns
    -------
    int64, shape (n,)

    Notes
    -----
    With q the count, N the census and S the sum of q over the region: floor((2*q*N + S) / (2*S)), in integers.
    """
    known = np.flatnonzero(region >= 0)
    sums = np.zeros(len(thousandths), np.int64)
    np.add.at(sums, region[known], quanta[known])
    known = known[sums[region[known]] > 0]
    there = region[known]
    counts, wanted, whole = quanta[known], thousandths[there], sums[there]
    if known.size and 2.0 * counts.max() * wanted.max() + whole.max() > 2.0**62:
        # 2*q*N passes int64 where a cell holds millions; Python's integers are exact at any size.
        counts, wanted, whole = (array.astype(object) for array in (counts, wanted, whole))
    scaled = quanta.copy()
    scaled[known] = ((2 * counts * wanted + whole) // (2 * whole)).astype(np.int64)
    return scaled


def people_by_parcel(
    people: pd.DataFrame | PeopleRaster,
    parcels: gpd.GeoDataFrame,
    residential: NDArray[np.bool_],
    census: Census | None = None,
    units: gpd.GeoSeries | None = None,
) -> Residents:
    """Sum people over the residential parcels: one person, one parcel.

    Parameters
    ----------
    people
        Points with columns x, y (the parcels' CRS) and thousandths; or a grid.
    parcels
        In id order: geometry, and floor_area (m2) if it is known.
    residential : bool, shape (parcels,)
        Parcels that are eligible for any category whose weight is people.
    census
        Regions to scale to; None keeps the counts.
    units
        As for :func:`people_points`. Over parcels a cell is shared out by area, with units or without.

    Raises
    ------
    InputError
        If floor_area is negative or infinite in a residential parcel; the parcels are named.
    """
    geometry = parcels.geometry.array
    told = people_points(people, parcels.crs, census, units)
    x, y, counts, cell = told.x, told.y, told.thousandths, told.cell
    if told.unit is not None and cell.size:
        # The pieces of a cell are its people again.
        first = np.flatnonzero(np.r_[True, cell[1:] != cell[:-1]])
        x, y, cell, counts = x[first], y[first], cell[first], np.add.reduceat(counts, first)
    # Whom the census counts where there is no point came in, and reached nobody's parcel.
    given, missing = int(counts.sum()) + told.missing, told.missing
    if isinstance(people, pd.DataFrame):
        claims = points_in_parcels(x, y, counts, geometry, residential, PEOPLE_REACH)
        of_points = claims.inside, claims.snapped, claims.unplaced + missing
        return Residents(*of_points, note=told.note, counted=given)

    homes = np.flatnonzero(residential)
    polygons = polygons_in(parcels, people.crs, homes)
    known = np.ones(len(parcels))
    reached = np.ones(len(parcels))
    known[homes], reached[homes] = shares_known(people, polygons)
    pairs = _cells_in_parcels(people, cell, parcels, homes, polygons)
    inside = np.zeros(len(parcels), np.int64)
    np.add.at(inside, pairs.target, pairs.split(counts))
    rest = np.setdiff1d(np.arange(cell.size), pairs.cell)
    west, south, east, north = geometry.total_bounds
    near = (x[rest] >= west) & (x[rest] <= east) & (y[rest] >= south) & (y[rest] <= north)
    claims, beyond = (
        points_in_parcels(x[part], y[part], counts[part], geometry, residential, PEOPLE_REACH)
        for part in (rest[near], rest[~near])
    )
    # A raster may be the whole country's: who lives outside the city's bounds is not lost there.
    return Residents(
        inside + claims.inside + beyond.inside,
        claims.snapped + beyond.snapped,
        claims.unplaced + missing,
        told.note,
        given - beyond.unplaced,
        known,
        reached,
    )


def _scaled(
    counts: NDArray[np.int64], region: NDArray[np.int64], census: Census
) -> tuple[NDArray[np.int64], str, int]:
    """Return the counts scaled to the census, what is odd in words, and whom of the census no point has."""
    found = np.zeros(len(census.thousandths), np.int64)
    np.add.at(found, region[region >= 0], counts[region >= 0])
    empty = np.flatnonzero((found == 0) & (census.thousandths > 0))
    note = ""
    if empty.size:
        names = ", ".join(
            str(census.codes[row]) if census.codes else str(row) for row in empty[:10]
        )
        note = f"the census counts people in {counted(empty.size, 'region')} without any people point or cell: {names}"
    scaled = scale_to_census(counts, region, census.thousandths)
    reached = np.zeros(len(census.thousandths), np.int64)
    np.add.at(reached, region[region >= 0], scaled[region >= 0])
    # Without the census a region keeps its count; with it, what rounding takes from tiny counts is missing as well.
    missing = np.maximum(census.thousandths - reached, 0)
    return scaled, note, int(missing.sum())


def _factors(
    counts: NDArray[np.int64], region: NDArray[np.int64], census: Census
) -> tuple[dict[str, float], dict[str, int]]:
    """Return by what each region's people are multiplied, where there are any on both sides, and the people of points where the census counts nobody."""
    found = np.zeros(len(census.thousandths), np.int64)
    np.add.at(found, region[region >= 0], counts[region >= 0])
    scaled: dict[str, float] = {}
    emptied: dict[str, int] = {}
    for row in np.flatnonzero(found > 0).tolist():
        name = str(census.codes[row]) if census.codes else str(row)
        people, counted = int(found[row]), int(census.thousandths[row])
        if counted:
            scaled[name] = counted / people
        else:
            emptied[name] = people
    return scaled, emptied


def _cells_in_parcels(
    people: PeopleRaster,
    cell: NDArray[np.int64],
    parcels: gpd.GeoDataFrame,
    rows: NDArray[np.int64],
    polygons: Polygons,
) -> CellShares:
    in_cells = areas_in_common(polygons, _squares(people, cell)).tocsc()
    square = np.repeat(np.arange(cell.size), np.diff(in_cells.indptr))
    polygon, area = in_cells.indices.astype(np.int64), in_cells.data
    claim = area
    if "floor_area" in parcels:
        floor = _floor_area(parcels, rows)[polygon]
        claim = _by_floor_area(area, floor / areas_of(polygons)[polygon], square)
    return CellShares(square, rows[polygon], claim)


def shares_known(
    people: PeopleRaster, polygons: Polygons
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the share of each polygon that lies in cells of a grid that have a value, 0 being one, and that lies in cells at all.

    Parameters
    ----------
    people
        A grid.
    polygons
        In its CRS, in the order in which they are stored. What is flat there counts as known.
    """
    known = np.asarray(people.values) >= 0
    column, row = _place(~people.transform, polygons.x, polygons.y)
    starts, crs = (polygons.ring_start, polygons.part_start, polygons.row_start), crs_text(people.crs)  # fmt: skip
    in_cells = Polygons.of_rings(np.column_stack([column, -row]), starts, crs, None)
    found = cell_shares(in_cells, Grid.of_corner(crs, 1.0, (0.0, 0.0), known.shape))
    before = np.zeros((known.shape[0], known.shape[1] + 1), np.int32)
    np.cumsum(known, axis=1, out=before[:, 1:])
    owner, size = np.arange(len(polygons)), len(polygons)
    of_spans, span_row, first, end = found.spans
    of_edges, edge_row, edge_column, part = found.edges
    spanned, edged = np.repeat(owner, np.diff(of_spans)), np.repeat(owner, np.diff(of_edges))

    def share(runs: NDArray[Any], parts: NDArray[Any]) -> NDArray[np.float64]:
        cells = np.bincount(spanned, runs, size) + np.bincount(edged, parts, size)
        shares = np.divide(cells, found.areas, out=np.ones(size), where=found.areas > 0)
        return np.where(shares > 1 - _SLIVER, 1.0, shares)

    of_parts = part * known[edge_row, edge_column]
    of_runs = before[span_row, end] - before[span_row, first]
    return share(of_runs, of_parts), share(end - first, part)


def _by_floor_area(
    area: NDArray[np.float64], density: NDArray[np.float64], square: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Floor area in the cell; plain area in a cell where a floor area is unknown or all are zero."""
    size = int(square.max()) + 1 if square.size else 0
    floor = area * density
    known = np.bincount(square, np.isnan(floor), size) == 0
    some = np.bincount(square, np.nan_to_num(floor), size) > 0
    return np.where((known & some)[square], floor, area)


def _floor_area(parcels: gpd.GeoDataFrame, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    floor: NDArray[np.float64] = parcels["floor_area"].to_numpy(np.float64)[rows]
    bad = rows[(floor < 0) | np.isinf(floor)]
    if bad.size:
        ids = ", ".join(str(name) for name in parcels["id"].to_numpy()[bad[:10]])
        raise InputError(
            f"floor_area is negative or infinite in {counted(bad.size, 'parcel')}: {ids}",
            "parcels",
            "Leave it blank where it is unknown.",
        )
    return floor


def polygons_in(parcels: gpd.GeoDataFrame, crs: Any, rows: NDArray[np.int64]) -> Polygons:
    """Return the rows' polygons in another CRS; what bends into a crossing there is mended."""
    if crs_of(crs) == crs_of(parcels.crs):
        held = outlines_of(parcels)
        return (
            Polygons.of(geometries_of(parcels, rows)) if held is None else held.take(rows).polygons
        )
    polygons: NDArray[Any] = parcels.geometry.iloc[rows].to_crs(crs).to_numpy()
    bent = ~shapely.is_valid(polygons)
    polygons[bent] = shapely.make_valid(polygons[bent], method="structure", keep_collapsed=False)
    return Polygons.of(polygons)


def _squares(people: PeopleRaster, cell: NDArray[np.int64]) -> Polygons:
    row, column = np.divmod(cell, np.shape(people.values)[1])
    corners = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]
    ring = [_place(people.transform, column + right, row + down) for right, down in corners]
    points = np.transpose(np.array(ring), (2, 0, 1)).reshape(-1, 2)
    each = np.arange(cell.size + 1)
    starts = (len(corners) * each, each, each)
    return Polygons.of_rings(points, starts, crs_text(people.crs), None)


def _centres(
    people: PeopleRaster, cell: NDArray[np.int64], crs: Any
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    row, column = np.divmod(cell, np.shape(people.values)[1])
    x, y = _place(people.transform, column + 0.5, row + 0.5)
    if crs_of(people.crs) != crs_of(crs):
        x, y = way_between(crs_of(people.crs), crs_of(crs)).transform(x, y)
    return np.asarray(x, np.float64), np.asarray(y, np.float64)


def _place(
    transform: Any, column: NDArray[Any], row: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    # Written out: affine 2 has no @ for arrays, affine 3 warns of *.
    x = transform.a * column + transform.b * row + transform.c
    y = transform.d * column + transform.e * row + transform.f
    return x, y
