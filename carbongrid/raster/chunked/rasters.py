"""Weight rasters: values in fine cells, as whole numbers of a few powers of two (docs/decisions/0007, 0042, 0135)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.errors
from numpy.typing import NDArray
from rasterio.warp import transform_bounds
from rasterio.windows import Window

from carbongrid.errors import InputError, Problem
from carbongrid.raster.crs_units import crs_text, full_turn
from carbongrid.raster.grid import Grid
from carbongrid.raster.opening.crs import crs_of, way_between
from carbongrid.raster.plane_files import PlaneFile, open_plane
from carbongrid.raster.spans import Amounts

# Sums of one place over the whole grid stay below 2^55, so that they are exact in any order.
_SUM_BITS = 55
# No weight is as much: ends of float32 stand for no data, and one such cell would have all of a category.
_MOST = 1e38
# Values are exact to this many bits below the largest around the grid: one cell of 5e12 leaves 57 of them to a cell of 1.
_BITS = 100
_ROWS_AT_ONCE = 256
# Cells of a raster that are read at once, 32 MB as float64.
_CELLS_AT_ONCE = 2**22
# Cells of a finer raster that are placed at once, each with a dozen numbers: 60 MB.
_PLACED_AT_ONCE = 2**19
# Bytes of a block, which GDAL unpacks whole whatever part of it is read.
_MAX_BLOCK = 2**28
# So many cells of one number are no few that a sensor could not tell from more.
_CELLS_AT_TOP = 10
# So many cells along each side of a fine one are added up: each fine cell then holds the centre of one at least.
_CELLS_ALONG = 2
# So many parts of cells along each side of a fine one, or more, are added up: one more or less is a quarter of its sum at most.
_PARTS_ALONG = 8
# Of so many cells under a fine one only the one at its centre is read, before that is told.
_CELLS_UNDER_ONE = 2
# Sides that are a multiple of each other but for their last digits are so.
_ROUNDED = 1e-9
# What is scanned for the largest value reaches this much further than the grid, in shares of its sides.
_MARGIN = 0.05


@dataclass(frozen=True)
class WeightRaster:
    """A raster of densities or counts, and the powers of two whose whole numbers its values are written in.

    A value is written in a few places, as digits are: one cell that holds a million times more than all others together must
    take no bit from them.

    Parameters
    ----------
    path
        A GeoTIFF of one band, or a NetCDF file or Zarr store of one raster, scaled as it says.
    exponents
        Of the places, the highest first: a whole number n in a place stands for n * 2^-exponent. What is left below the last
        place is rounded, half even.
    largest
        The largest value around the grid.
    parts
        Into how many parts along each side its cells are cut that are added up in fine ones, each with as much of the value as of the cell, where two
        of its cells or more lie along each side of a fine one. A fine cell then has the sum of the parts whose centres lie in it, as of
        buildings that are counted; else, for 0, the value under its centre.
    """

    path: Path
    exponents: tuple[int, ...]
    largest: float
    parts: int = 0

    @property
    def is_finer(self) -> bool:
        """Whether its cells are added up in fine ones."""
        return self.parts > 0

    @classmethod
    def around(cls, path: Path, grid: Grid) -> WeightRaster:
        """Scan the raster where the grid lies, band by band, for its largest value.

        Raises
        ------
        InputError
            If the raster has no CRS, does not touch the grid, has a negative or infinite value there, or is stored in huge blocks.
        """
        try:
            with open_plane(path) as source:
                problems = [*source.problems(str(path)), *_block_problems(source, path)]
                if problems:
                    raise InputError(problems)
                windows = _windows_around(source, path, grid)
                smallest, largest = _extremes(source, windows)
                parts = _parts_of_cells(source, grid)
        except rasterio.errors.RasterioError as error:
            hint = "Open it in QGIS, or write it again with gdal_translate."
            raise InputError(f"the raster cannot be read: {error}", str(path), hint) from error
        if smallest < 0 or largest > _MOST:
            told = smallest if smallest < 0 else largest
            raise InputError(
                f"a value is {'infinite' if math.isinf(told) else f'{told:g}'}; weights are >= 0, and less than {_MOST:g}",
                str(path),
                "Mark what is unknown as nodata.",
            )
        cells = grid.shape[0] * grid.shape[1]
        if parts:
            cells = max(cells, sum(window.width * window.height for window in windows))
        bits = _SUM_BITS - cells.bit_length()
        first = bits - math.frexp(largest)[1] if largest else 0
        exponents = tuple(first + bits * place for place in range(-(-_BITS // bits)))
        return cls(path, exponents, largest, parts)

    def sample(
        self, grid: Grid, corner: tuple[int, int], needed: NDArray[np.bool_]
    ) -> list[NDArray[np.int64]]:
        """Return the values in the needed cells of a window, place by place, and 1 where there is a value.

        Of a raster with finer cells the parts are added up whose centres lie in a cell; of any other the one that holds the cell's centre gives the value. Where
        they are unknown (nodata, NaN, off the raster, too small beside the largest) or the cell is not needed, all are 0. Every centre is
        transformed by itself, so the answer does not depend on the window.
        """
        places = [np.zeros(needed.size, np.int64) for _ in self.exponents]
        known = np.zeros(needed.size, np.int64)
        with open_plane(self.path, checked=True) as source:  # where it was scanned
            found = _values_inside(source, grid, corner, needed, self.parts) if self.parts else _values_under_centres(source, grid, corner, needed)  # fmt: skip
            for cells, values in found:
                written = [*self._written(np.nan_to_num(values, nan=0.0))]
                # What is too small for the last place is not zero: nobody knows its share.
                known[cells[(values == 0) | (np.sum(written, axis=0) > 0)]] = 1
                for place, numbers in zip(places, written, strict=True):
                    np.add.at(place, cells, numbers)
        return [each.reshape(needed.shape) for each in (*places, known)]

    def sums(self, places: Sequence[Amounts]) -> tuple[NDArray[np.uint64], NDArray[Any]]:
        """Return sums of pairs of labels from those of the places: sorted keys, and Python integers in the last place."""
        keys = np.unique(np.concatenate([each for each, _ in places]))
        whole = np.zeros(keys.size, object)
        width = self.exponents[1] - self.exponents[0]
        for own, amounts in places:
            here = np.zeros(keys.size, np.int64)
            here[np.searchsorted(keys, own)] = amounts
            whole = (whole << width) + here
        return keys, whole

    def as_floats(self, whole: NDArray[Any]) -> NDArray[np.float64]:
        """Return integers in the last place as what they stand for, each rounded once."""
        last = self.exponents[-1]
        return np.array([math.ldexp(float(number), -last) for number in whole], np.float64)

    def _written(self, values: NDArray[np.float64]) -> Iterator[NDArray[np.int64]]:
        if values.size and values.max() > self.largest:
            raise InputError(
                f"a value of {values.max():g} lies outside of what was scanned around the grid",
                str(self.path),
                "Reproject the raster to the grid's CRS.",
            )
        # Whole parts and what they leave are exact: each is a few of the bits of the value.
        for exponent in self.exponents[:-1]:
            numbers = np.floor(np.ldexp(values, exponent))
            values = values - np.ldexp(numbers, -exponent)
            yield numbers.astype(np.int64)
        yield np.rint(np.ldexp(values, self.exponents[-1])).astype(np.int64)


def problems_of_top(raster: WeightRaster, grid: Grid) -> Iterator[Problem]:
    """Yield a warning where many cells around the grid hold the largest number of their type, nothing marks it as unknown, and all others are half of it or less.

    Parameters
    ----------
    raster
        As it was scanned around the grid.
    grid
        That grid.
    """
    path = raster.path
    with open_plane(path, checked=True) as source:
        # Whoever has no cell at the top was read in full once already.
        if source.top is None or raster.largest < source.top:
            return
        cells, others, below, least = 0, 0.0, 0.0, math.inf
        windows = _windows_around(source, path, grid)
        for piece in chain.from_iterable(
            _pieces(source, window, _CELLS_AT_ONCE) for window in windows
        ):
            values = _known(source, piece)
            rest = values[values < source.top]
            cells += values.size - rest.size
            others += float(rest.sum())
            below = max(below, float(rest.max(initial=0.0)))
            if below > source.top / 2:
                return
            least = min(least, float(rest[rest > 0].min(initial=math.inf)))
        # One number beside the top is a mask, as of 0 and 255, or its half.
        if cells >= _CELLS_AT_TOP and least < below:
            share = cells * source.top / (cells * source.top + others)
            yield Problem(
                f"{cells:,} cells around the grid hold {source.top}, the largest number of their type, and all others {below:g} or less; they are {math.floor(1000 * share) / 10} % of the sum of weights there, on parcels and off them",
                path.name,
                f"If {source.top} means no data, declare it: gdal_edit.py -a_nodata {source.top} FILE, in NetCDF and Zarr by its attribute _FillValue",
                level="warning",
            )


def problems_of_finer_cells(raster: WeightRaster, grid: Grid) -> Iterator[Problem]:
    """Yield a warning where several cells of a raster lie under a fine one and are not added up: the one at its centre is no sum of the others.

    Parameters
    ----------
    raster
        As it was scanned around the grid.
    grid
        That grid.
    """
    with open_plane(raster.path, checked=True) as source:
        width, height, area = _cell_on(source, grid)
    if raster.is_finer or grid.resolution**2 / area < _CELLS_UNDER_ONE:
        return
    side = f"{grid.resolution:g}"
    yield Problem(
        f"of its cells, about {width:.3g} x {height:.3g} m, only the one at the centre of each of the grid's of {side} m is read, about 1 in {grid.resolution**2 / area:.1f}: if they are counts, what the others hold has no weight",
        raster.path.name,
        f"Take a grid.resolution of {_outward(max(width, height) * _CELLS_ALONG, math.ceil)} m or more, whose cells add them up, or of {_outward(min(width, height), math.floor)} m or less; grid.coarse is a multiple of it.",
        level="warning",
    )


def _outward(metres: float, rounded: Callable[[float], int]) -> str:
    """Return a length in three digits, rounded to the side on which it is still enough."""
    unit = 10.0 ** (math.floor(math.log10(metres)) - 2)
    # Whole multiples that lie a hair beside one are that one.
    whole = round(metres / unit) if _is_whole(metres / unit) else rounded(metres / unit)
    return f"{whole * unit:,.10g}"


def _cell_on(source: PlaneFile, grid: Grid) -> tuple[float, float, float]:
    """Return how far a raster's cell reaches along the sides of the grid's, and its area, at the grid's centre; infinite where that has no place on the raster's plane."""
    assert source.crs is not None, "a raster without a CRS is refused"
    own, wanted, transform = crs_of(source.crs), crs_of(grid.crs), source.transform
    west, south, east, north = grid.bounds
    there, back = way_between(wanted, own), way_between(own, wanted)
    column, row = ~transform @ there.transform((west + east) / 2, (south + north) / 2)
    corners = [transform @ (column + x, row + y) for x, y in ((0, 0), (1, 0), (0, 1))]
    (x, y), along, down = (back.transform(*corner) for corner in corners)
    sides = along[0] - x, down[0] - x, along[1] - y, down[1] - y
    area = abs(sides[0] * sides[3] - sides[1] * sides[2])
    if not 0 < area < math.inf:
        return math.inf, math.inf, math.inf
    return abs(sides[0]) + abs(sides[1]), abs(sides[2]) + abs(sides[3]), area


def _parts_of_cells(source: PlaneFile, grid: Grid) -> int:
    """Return into how many parts along each side a raster's cells are cut, 0 where they are not finer: of a density fine cells that hold two and three cells in turn would be uneven by more than twice."""
    along = grid.resolution / max(_cell_on(source, grid)[:2])
    if along * (1 + _ROUNDED) < _CELLS_ALONG:
        return 0
    # Where the sides are whole multiples every fine cell holds as many centres.
    transform = source.transform
    if source.crs == crs_of(grid.crs) and not transform.b and not transform.d and all(_is_whole(grid.resolution / abs(side)) for side in (transform.a, transform.e)):  # fmt: skip
        return 1
    # Powers of two, by whose squares values are divided exactly.
    return 1 << max(math.ceil(math.log2(_PARTS_ALONG / along)), 0)


def _is_whole(number: float) -> bool:
    return abs(number - round(number)) <= _ROUNDED * number


def _extremes(source: PlaneFile, windows: Sequence[Window]) -> tuple[float, float]:
    """Return the smallest and the largest value of windows, at most and at least 0."""
    smallest = largest = 0.0
    for piece in chain.from_iterable(_pieces(source, window, _CELLS_AT_ONCE) for window in windows):
        values = _known(source, piece)
        smallest = min(smallest, float(values.min(initial=0.0)))
        largest = max(largest, float(values.max(initial=0.0)))
    return smallest, largest


def _pieces(source: PlaneFile, window: Window, most: int) -> Iterator[Window]:
    """Yield a window in pieces of so many cells at most, along the file's own blocks: rows of strips, squares of tiles."""
    rows, columns = _sides_at_once(source, most)
    bottom, right = window.row_off + window.height, window.col_off + window.width
    for top in range(window.row_off - window.row_off % rows, bottom, rows):
        for left in range(window.col_off - window.col_off % columns, right, columns):
            row, column = max(top, window.row_off), max(left, window.col_off)
            height, width = min(top + rows, bottom) - row, min(left + columns, right) - column
            yield Window(column, row, width, height)


def _block_problems(source: PlaneFile, path: Path) -> Iterator[Problem]:
    (rows, columns), size = source.block_shape, source.block_bytes
    if size > _MAX_BLOCK:
        yield Problem(
            f"the raster is stored in blocks of {rows:,} x {columns:,} cells, {size / 1e9:.2f} GB each, and a block is unpacked whole",
            str(path),
            "Write it again in tiles: gdal_translate -co TILED=YES -co COMPRESS=DEFLATE FILE TILED.tif",
        )


def _sides_at_once(source: PlaneFile, most: int) -> tuple[int, int]:
    """Return rows and columns of a piece of so many cells at most: whole blocks of the file, as nearly square as they allow."""
    rows, columns = source.block_shape
    columns = min(columns, most)
    columns *= max(math.isqrt(most) // columns, 1)
    rows = min(rows, most // columns)
    return rows * (most // columns // rows), columns


def _windows_around(source: PlaneFile, path: Path, grid: Grid) -> list[Window]:
    """Return where the grid lies on a raster, with a margin."""
    if source.crs is None:
        raise InputError(
            "the raster has no CRS", str(path), "Set it, for example with gdal_edit.py -a_srs."
        )
    west, south, east, north = grid.bounds
    wide, high = (east - west) * _MARGIN, (north - south) * _MARGIN
    bounds = (west - wide, south - high, east + wide, north + high)
    windows = _windows_of(source, grid, bounds)
    if not windows:
        raise InputError("the raster does not touch the grid", str(path), "Check its CRS.")
    return windows


def _windows_of(
    source: PlaneFile, grid: Grid, bounds: tuple[float, float, float, float]
) -> list[Window]:
    """Return where bounds in the grid's CRS lie on a raster: at both its ends, if it begins at a meridian of theirs, and not on what is between them."""
    assert source.crs is not None, "a raster without a CRS is refused"
    left, bottom, right, top = transform_bounds(grid.crs, source.crs, *bounds, densify_pts=51)
    turn = full_turn(crs_text(source.crs)) or 0.0
    if right < left:
        right += turn
    windows = []
    for shift in sorted({-turn, 0.0, turn}):
        corners = [~source.transform @ (x + shift, y) for x in (left, right) for y in (bottom, top)]
        columns, rows = [column for column, _ in corners], [row for _, row in corners]
        first_column, last_column = (
            max(math.floor(min(columns)) - 1, 0),
            min(math.ceil(max(columns)) + 1, source.width),
        )
        first_row, last_row = (
            max(math.floor(min(rows)) - 1, 0),
            min(math.ceil(max(rows)) + 1, source.height),
        )
        if first_column < last_column and first_row < last_row:
            windows.append(Window(first_column, first_row, last_column - first_column, last_row - first_row))  # fmt: skip
    return windows


def _on_the_raster(source: PlaneFile, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return longitudes that lie off a raster moved by whole turns to where it may be: one from 0 to 360 has the west beyond 180."""
    assert source.crs is not None, "a raster without a CRS is refused"
    turn = full_turn(crs_text(source.crs))
    if turn is None:
        return x
    west, east = _west_and_east(source)
    # Twice, since a hair west of the edge the remainder is rounded to a whole turn.
    return np.where((x < west) | (x >= east), west + (x - west) % turn % turn, x)


def _is_of_one_turn(source: PlaneFile, x: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether longitudes on a raster are less than a turn from its west: what lies beyond is there twice."""
    assert source.crs is not None, "a raster without a CRS is refused"
    turn = full_turn(crs_text(source.crs))
    return np.ones(x.shape, bool) if turn is None else x - _west_and_east(source)[0] < turn


def _west_and_east(source: PlaneFile) -> tuple[float, float]:
    corners = [source.transform @ (column, row) for column in (0, source.width) for row in (0, source.height)]  # fmt: skip
    return min(x for x, _ in corners), max(x for x, _ in corners)


def _known(source: PlaneFile, window: Window) -> NDArray[np.float64]:
    values = source.known(window)
    return values[~np.isnan(values)]


def _values_under_centres(
    source: PlaneFile, grid: Grid, corner: tuple[int, int], needed: NDArray[np.bool_]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Yield the needed cells of a window, by number, and the values under their centres."""
    assert source.crs is not None, "a raster without a CRS is refused"
    way = None if source.crs == crs_of(grid.crs) else way_between(crs_of(grid.crs), crs_of(source.crs))  # fmt: skip
    for first in range(0, needed.shape[0], _ROWS_AT_ONCE):
        rows, columns = np.nonzero(needed[first : first + _ROWS_AT_ONCE])
        if rows.size:
            x, y = grid.x[corner[1] + columns], grid.y[corner[0] + first + rows]
            if way is not None:
                x, y = way.transform(x, y)
            yield (first + rows) * needed.shape[1] + columns, _values_at(source, x, y)


def _values_inside(
    source: PlaneFile, grid: Grid, corner: tuple[int, int], needed: NDArray[np.bool_], parts: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Yield what parts of cells whose centres lie in needed cells of a window have of the values, and those cells, by number: each as often as there are parts in it."""
    assert source.crs is not None, "a raster without a CRS is refused"
    way = None if source.crs == crs_of(grid.crs) else way_between(crs_of(source.crs), crs_of(grid.crs))  # fmt: skip
    side, (west, _, _, north) = grid.resolution, grid.bounds
    for first in range(0, needed.shape[0], _ROWS_AT_ONCE):
        rows, columns = np.nonzero(needed[first : first + _ROWS_AT_ONCE])
        if not rows.size:
            continue
        # A cell more on each side, beyond which no outline bends between the points at which it is transformed.
        top, bottom = corner[0] + first + rows.min() - 1, corner[0] + first + rows.max() + 2
        left, right = corner[1] + columns.min() - 1, corner[1] + columns.max() + 2
        bounds = (west + left * side, north - bottom * side, west + right * side, north - top * side)  # fmt: skip
        for piece in chain.from_iterable(_pieces(source, each, _PLACED_AT_ONCE) for each in _windows_of(source, grid, bounds)):  # fmt: skip
            values = source.known(piece).ravel() / parts**2
            for part in np.ndindex(parts, parts):
                x, y = _centres(source, piece, *((place + 0.5) / parts for place in part))
                once = _is_of_one_turn(source, x)
                if way is not None:
                    x, y = way.transform(x, y)
                row = np.floor((north - y) / side) - corner[0]
                column = np.floor((x - west) / side) - corner[1]
                inside = (row >= first) & (row < min(first + _ROWS_AT_ONCE, needed.shape[0]))
                inside &= (column >= 0) & (column < needed.shape[1]) & once
                cells = row[inside].astype(np.int64) * needed.shape[1] + column[inside].astype(np.int64)  # fmt: skip
                counted = needed.ravel()[cells]
                yield cells[counted], values[inside][counted]


def _centres(source: PlaneFile, piece: Window, across: float, down: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """Return the points so far across and down each cell of a piece."""
    columns = piece.col_off + np.arange(piece.width) + across
    rows = (piece.row_off + np.arange(piece.height) + down)[:, None]
    transform = source.transform
    x = transform.a * columns + transform.b * rows + transform.c
    y = transform.d * columns + transform.e * rows + transform.f
    return x.ravel(), y.ravel()


def _values_at(
    source: PlaneFile, x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.float64]:
    inverse = ~source.transform
    x = _on_the_raster(source, x)
    column = np.floor(inverse.a * x + inverse.b * y + inverse.c)
    row = np.floor(inverse.d * x + inverse.e * y + inverse.f)
    inside = (row >= 0) & (row < source.height) & (column >= 0) & (column < source.width)
    values = np.full(x.size, np.nan)
    if not inside.any():
        return values
    rows, columns = row[inside].astype(np.int64), column[inside].astype(np.int64)
    values[inside] = _values_of(source, rows, columns)
    return values


def _values_of(
    source: PlaneFile, rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the values of some cells, read piece by piece."""
    high, wide = _sides_at_once(source, _CELLS_AT_ONCE)
    across = -(-source.width // wide)
    piece = rows // high * across + columns // wide
    order = np.argsort(piece, kind="stable")
    starts = np.flatnonzero(np.diff(piece[order], prepend=-1))
    values = np.empty(rows.size, np.float64)
    for members in np.split(order, starts[1:]):
        own_rows, own_columns = rows[members], columns[members]
        top, left = int(own_rows.min()), int(own_columns.min())
        size = int(own_columns.max()) - left + 1, int(own_rows.max()) - top + 1
        read = source.known(Window(left, top, *size))
        values[members] = read[own_rows - top, own_columns - left]
    return values
