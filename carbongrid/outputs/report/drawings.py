"""Shapes of the report's two drawings, in drawing units; the template turns them into SVG."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from carbongrid.outputs.figures.classes import round_length

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

WIDTH = 2000
MARGIN = 20
_BAR = 140
_VERTICES = 60_000  # of all outlines together: about 0.4 MB of path data
_CROWD = 300  # units whose circles still leave room between them
_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)


@dataclass(frozen=True)
class ZoneMap:
    """Outlines of the units and borders of their parents as SVG path data, a point inside each unit, a scale bar.

    ``metres`` is the length on the ground of one drawing unit: what a bar of any length is made by when the map is zoomed.
    ``west`` and ``north`` are the plane's coordinates of the drawing's origin.
    ``matched`` is whether neighbours share the points of their borders and none lies on another; None of a run of an earlier version, which kept no word of it.
    """

    width: int
    height: int
    units: tuple[str, ...]
    borders: tuple[str, ...]
    places: tuple[tuple[int, int] | None, ...]
    bar: int
    bar_text: str
    metres: float
    west: float
    north: float
    matched: bool | None = None

    @property
    def frame(self) -> tuple[int, int]:
        """Width and height of what is shown: the outlines, a margin, and below them room for the bar."""
        return self.width + 2 * MARGIN, self.height + 2 * MARGIN + _BAR


def zone_map(units: gpd.GeoDataFrame, parent: str | None) -> ZoneMap:
    """Return the outlines of the units, simplified without tearing common borders apart.

    Parameters
    ----------
    units
        In a projected CRS, north up.
    parent
        Column whose equal codes share a border line; None draws none.
    """
    west, south, east, north = units.total_bounds
    side = max(east - west, (north - south) * 0.8)
    scale = WIDTH / side if side > 0 else 1.0
    shapes = np.array([shape or shapely.Polygon() for shape in units.geometry], dtype=object)
    matched = bool(shapely.coverage_is_valid(shapes))
    shapes = simplified(shapes, 1.2 / scale, matched)
    if parent is None:
        groups: list[Any] = []
    else:
        groups = list(units.reset_index(drop=True).groupby(parent, sort=True).groups.values())
    union = shapely.coverage_union_all if matched else shapely.union_all
    borders = [union(shapes[np.asarray(rows)]) for rows in groups]
    offset = np.array([west, north])
    length = round_length(side * 0.25) if side > 0 else 1.0
    return ZoneMap(
        width=max(math.ceil((east - west) * scale), 1),
        height=max(math.ceil((north - south) * scale), 1),
        units=paths_of(shapes, offset, scale),
        borders=paths_of(np.array(borders, object), offset, scale),
        places=_places_inside(shapes, offset, scale),
        bar=round(length * scale),
        bar_text=length_in_words(length),
        metres=1 / scale,
        west=float(west),
        north=float(north),
        matched=matched,
    )


def length_in_words(length: float) -> str:
    """Return metres as people say them."""
    return f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"


def _places_inside(
    shapes: NDArray[Any], offset: NDArray[np.float64], scale: float
) -> tuple[tuple[int, int] | None, ...]:
    """Return a point inside each shape, in whole drawing units; None of an empty one."""
    found: list[tuple[int, int] | None] = []
    for shape in shapes:
        if shape.is_empty:
            found.append(None)
            continue
        x, y = (shapely.get_coordinates(shape.representative_point())[0] - offset) * scale
        found.append((round(x), round(-y)))
    return tuple(found)


def simplified(
    shapes: NDArray[Any], tolerance: float, coverage: bool, most: int = _VERTICES
) -> NDArray[Any]:
    """Simplify until no more vertices than ``most`` are left, or as far as it goes; a shape that would vanish stays as it is."""
    for _ in range(8):
        if coverage:
            simple = shapely.coverage_simplify(shapes, tolerance)
        else:
            simple = shapely.simplify(shapes, tolerance, preserve_topology=True)
        simple = np.where(shapely.is_empty(simple), shapes, simple)
        if shapely.get_num_coordinates(simple).sum() <= most:
            break
        tolerance *= 2
    return simple


def paths_of(
    shapes: NDArray[np.object_], offset: NDArray[np.float64], scale: float
) -> tuple[str, ...]:
    """Return each polygon's rings as SVG path data in whole drawing units, relative and short.

    All are taken apart at once: a call for each of 3,000 outlines took four times as long.
    """
    parts, shape_of_part = shapely.get_parts(shapes, return_index=True)
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    points, ring_of = shapely.get_coordinates(rings, return_index=True)
    whole = np.rint((points - offset) * (scale, -scale)).astype(np.int64)
    steps, ring_of = np.diff(whole, axis=0), ring_of[1:]
    begins = np.append(0, np.cumsum(shapely.get_num_coordinates(rings)))[:-1]
    moved = steps.any(axis=1)
    # What leads from one ring to the next is none of either's.
    moved[begins[1:] - 1] = False
    steps, ring_of = steps[moved], ring_of[moved]
    # The last step of a ring is its closing.
    inner = ring_of[1:] == ring_of[:-1]
    number = np.bincount(ring_of[:-1][inner], minlength=len(rings))
    moves = [f"{dx}{'' if dy < 0 else ' '}{dy} " for dx, dy in steps[:-1][inner].tolist()]
    pieces: list[list[str]] = [[] for _ in shapes]
    for shape, (x, y), end, count in zip(shape_of_part[part_of_ring].tolist(), whole[begins].tolist(), np.cumsum(number).tolist(), number.tolist(), strict=True):  # fmt: skip
        if count >= 2:
            pieces[shape].append(f"M{x} {y}l{''.join(moves[end - count : end]).rstrip()}z")
    return tuple(map("".join, pieces))


@dataclass(frozen=True)
class Plane:
    """The plane of ECC (x) and ESC (y) on logarithmic axes, in drawing units from the top left."""

    side: int
    x_ends: tuple[float, float]
    y_ends: tuple[float, float]
    one_x: float
    one_y: float
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    points: tuple[tuple[int, float, float, float, bool], ...]
    missing: int

    @property
    def axes(self) -> dict[str, Any]:
        """The side and the values at the ends of both axes, for the brush."""
        return {"side": self.side, "x": self.x_ends, "y": self.y_ends}

    @property
    def quadrants(self) -> tuple[tuple[int, float, float, float, float], ...]:
        """Code of the zone, x, y, width and height of its quadrant."""
        right, below = round(self.side - self.one_x, 1), round(self.side - self.one_y, 1)
        return (
            (1, self.one_x, 0.0, right, self.one_y),
            (2, self.one_x, self.one_y, right, below),
            (3, 0.0, 0.0, self.one_x, self.one_y),
            (4, 0.0, self.one_y, self.one_x, below),
        )

    @property
    def corners(self) -> tuple[tuple[int, float, float, str], ...]:
        """Code of the zone, and where its name stands, in the outer corner of its quadrant."""
        near, far = 10, self.side - 10
        return (
            (1, far, 22, "end"),
            (2, far, far, "end"),
            (3, near, 22, "start"),
            (4, near, far, "start"),
        )


def plane(units: gpd.GeoDataFrame, side: int = 600) -> Plane:
    """Return where each unit lies between the four zones.

    A point is (row, x, y, radius, beyond): the area follows the emission, and ``beyond`` tells that the true place is
    off the axes (an index of 0 or infinity, or outside 0.01 to 100), so the point stands on the edge.
    Units without ECC or ESC are counted in ``missing``.
    """
    ecc, esc = (units[name].to_numpy(dtype=np.float64) for name in ("ecc", "esc"))
    known = ~(np.isnan(ecc) | np.isnan(esc))
    x_range, y_range = _axis(ecc[known]), _axis(esc[known])
    x, x_beyond = _places(ecc, x_range, side)
    y, y_beyond = _places(esc, y_range, side)
    emission = units["emission_g"].to_numpy(dtype=np.float64)
    # Circles of thousands of units would hide each other, and the axes.
    crowded = max(math.sqrt(len(units) / _CROWD), 1.0)
    radius = (4 + 14 * np.sqrt(emission / max(float(emission.max(initial=0.0)), 1.0))) / crowded
    rows = sorted(np.flatnonzero(known).tolist(), key=lambda row: (-radius[row], row))
    return Plane(
        side=side,
        x_ends=x_range,
        y_ends=y_range,
        one_x=_place(1.0, x_range, side),
        one_y=side - _place(1.0, y_range, side),
        x_ticks=_ticks(x_range, side, flip=False),
        y_ticks=_ticks(y_range, side, flip=True),
        points=tuple(
            (
                row,
                round(float(x[row]), 1),
                round(side - float(y[row]), 1),
                round(float(radius[row]), 1),
                bool(x_beyond[row] or y_beyond[row]),
            )
            for row in rows
        ),
        missing=int((~known).sum()),
    )


def _axis(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the ends of an axis that holds the values and 1, within 0.01 and 100."""
    inside = values[np.isfinite(values) & (values >= _TICKS[0]) & (values <= _TICKS[-1])]
    low, high = float(inside.min(initial=0.5)), float(inside.max(initial=2.0))
    return low / 1.25, high * 1.25


def _place(value: float, ends: tuple[float, float], side: int) -> float:
    low, high = (math.log(end) for end in ends)
    return round((math.log(value) - low) / (high - low) * side, 1)


def _places(
    values: NDArray[np.float64], ends: tuple[float, float], side: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    beyond = (values < ends[0]) | (values > ends[1])
    low, high = np.log(ends)
    with np.errstate(invalid="ignore"):
        return (np.log(np.clip(values, *ends)) - low) / (high - low) * side, beyond


def _ticks(ends: tuple[float, float], side: int, *, flip: bool) -> tuple[tuple[float, str], ...]:
    inside = [value for value in _TICKS if ends[0] <= value <= ends[1]]
    places = [(_place(value, ends, side), f"{value:g}") for value in inside]
    return tuple((round(side - place, 1) if flip else place, text) for place, text in places)
