"""Points of interest and residents, put into cells of their parcels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from carbongrid.sources.demo.draws import Draws, Ints
from carbongrid.sources.demo.lattice import Lattice
from carbongrid.sources.demo.parcels import Parcels

HECTARE = 1_000_000
"""In dm2."""

Codes = np.ndarray[tuple[int], np.dtype[np.str_]]

# Land use: POIs per parcel, hectares per further POI, and types with their chances in per cent.
_POIS: dict[str, tuple[int, int, dict[str, int]]] = {
    "0601": (
        1,
        9,
        {"170300": 62, "170204": 16, "170205": 9, "170203": 5, "120100": 4, "170200": 4},
    ),
    "0602": (1, 8, {"170209": 90, "170300": 10}),
    "0809": (1, 14, {"200300": 100}),
    "05H1": (
        2,
        5,
        {"060100": 22, "050100": 30, "060400": 16, "160100": 12, "100100": 8, "120201": 12},
    ),
    "0508": (1, 25, {"070500": 80, "061200": 20}),
    "08H1": (1, 9, {"130100": 60, "130500": 25, "130400": 15}),
    "08H2": (1, 9, {"141200": 50, "090100": 25, "140500": 15, "080100": 10}),
    "0810": (1, 30, {"110101": 80, "200300": 20}),
    "0701": (1, 45, {"120302": 55, "190400": 25, "200300": 20}),
    "0702": (0, 30, {"190400": 100}),
    "1202": (0, 60, {"170400": 100}),
    "1003": (1, 3, {"180300": 30, "180200": 25, "150900": 45}),
    "1004": (1, 2, {"150700": 60, "150900": 40}),
    "1005": (1, 20, {"150400": 50, "150200": 30, "011100": 20}),
    "1001": (0, 20, {"150200": 100}),
    "1101": (0, 40, {"190200": 100}),
    "1102": (0, 300, {"190200": 100}),
}

_STRAY_PERCENT = 8
"""Share of the POIs for which a place just across the border is looked for; about a third have a border beside them."""


@dataclass(frozen=True)
class Points:
    """Points in decimetres from the origin, with the parcel that they are meant for (an index) and a payload.

    Parameters
    ----------
    x, y
        Coordinates.
    parcel
        Index of the parcel.
    stray
        Whether the point lies outside it.
    """

    x: Ints
    y: Ints
    parcel: Ints
    stray: np.ndarray[tuple[int], np.dtype[np.bool_]]


class CellPicker:
    """Finds random places in the cells of parcels.

    Parameters
    ----------
    lattice
        The mesh.
    nodes
        Its nodes as they were drawn, after smoothing.
    parcels
        The parcels.
    """

    def __init__(self, lattice: Lattice, nodes: tuple[Ints, Ints], parcels: Parcels) -> None:
        self._x, self._y = nodes
        self._label = parcels.label
        self._width = parcels.label.shape[1]
        usable = _convex(*nodes) & (parcels.label > 0)
        narrow = (lattice.column_kind >= 0) | (lattice.row_kind >= 0)[:, None]
        # Narrow cells of a broad parcel would put points close to its border.
        ribbon = np.r_[False, parcels.kind < parcels.kind.max()][parcels.label]
        usable &= ~narrow | ribbon
        label = np.where(usable, parcels.label, 0).ravel()
        self._order = np.argsort(label, kind="stable")
        self._count = np.bincount(label, minlength=len(parcels) + 1)
        self._start = np.cumsum(self._count) - self._count

    def pick(self, parcel: Ints, stray: Ints, draws: Draws) -> Points:
        """Return a point for each parcel index that has a usable cell.

        Parameters
        ----------
        parcel
            Indices (from 0), repeated for many points.
        stray
            Where 1, the point is put across a border of the parcel if its cell has one in a direction drawn.
        draws
            The stream.
        """
        has_cell = self._count[parcel + 1] > 0
        parcel, stray = parcel[has_cell], stray[has_cell]
        lot = draws.below(1 << 30, parcel.size)
        cell = self._order[self._start[parcel + 1] + lot % self._count[parcel + 1]]
        row, column = cell // self._width, cell % self._width
        along, up = draws.between(250, 751, parcel.size), draws.between(250, 751, parcel.size)
        direction = draws.below(4, parcel.size)
        to_row = np.clip(row + np.array([0, 1, 0, -1])[direction], 0, self._label.shape[0] - 1)
        to_column = np.clip(column + np.array([1, 0, -1, 0])[direction], 0, self._width - 1)
        away = (stray > 0) & (self._label[to_row, to_column] != parcel + 1)
        row, column = np.where(away, to_row, row), np.where(away, to_column, column)
        along = np.where(away, np.array([300, 500, 700, 500])[direction], along)
        up = np.where(away, np.array([500, 300, 500, 700])[direction], up)
        x = _inside(self._x, row, column, along, up)
        y = _inside(self._y, row, column, along, up)
        return Points(x, y, parcel, away)


def _convex(x: Ints, y: Ints) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    corner_x = (x[:-1, :-1], x[:-1, 1:], x[1:, 1:], x[1:, :-1])
    corner_y = (y[:-1, :-1], y[:-1, 1:], y[1:, 1:], y[1:, :-1])
    convex = np.ones(corner_x[0].shape, dtype=np.bool_)
    for first in range(4):
        second, third = (first + 1) % 4, (first + 2) % 4
        ahead_x, ahead_y = corner_x[second] - corner_x[first], corner_y[second] - corner_y[first]
        side_x, side_y = corner_x[third] - corner_x[second], corner_y[third] - corner_y[second]
        convex &= ahead_x * side_y - ahead_y * side_x >= 0
    return convex


def _inside(node: Ints, row: Ints, column: Ints, along: Ints, up: Ints) -> Ints:
    """Interpolate between the corners of cells, per mille."""
    south = node[row, column] * (1000 - along) + node[row, column + 1] * along
    north = node[row + 1, column] * (1000 - along) + node[row + 1, column + 1] * along
    return np.asarray((south * (1000 - up) + north * up) // 1_000_000)


def place_pois(
    picker: CellPicker, parcels: Parcels, code: Codes, seed: int
) -> tuple[Points, Codes]:
    """Return POIs and their Gaode type codes; a few per cent lie just outside their parcel."""
    points, types = [], []
    for land_use, (base, hectares, lottery) in _POIS.items():
        draws = Draws(seed, f"pois {land_use}")
        parcel = np.flatnonzero(code == land_use)
        # The remainder of the division is a chance: large and small parcels have the same density.
        count = base + (parcels.area[parcel] + draws.below(hectares * HECTARE, parcel.size)) // (
            hectares * HECTARE
        )
        parcel = np.repeat(parcel, np.minimum(count, 60))
        stray = (draws.below(100, parcel.size) < _STRAY_PERCENT).astype(np.int64)
        picked = picker.pick(parcel, stray, draws)
        ends = np.cumsum(list(lottery.values()))
        place = np.searchsorted(ends, draws.below(100, picked.x.size), side="right")
        points.append(picked)
        types.append(np.array(list(lottery))[place])
    return _concatenated(points), np.concatenate(types)


def place_people(
    picker: CellPicker, parcels: Parcels, code: Codes, wanted: tuple[Ints, int], seed: int
) -> tuple[Points, Ints]:
    """Return points of residents and their counts in tenths of a person.

    ``wanted`` is how far each parcel is from the middle of its town, and about how many people there are in all: urban blocks are
    the denser the nearer they lie.
    """
    urban, total = wanted
    draws = Draws(seed, "people")
    homes = np.flatnonzero(np.isin(code, ("0701", "0702")))
    density = np.where(
        code[homes] == "0701", 60 + 30_000 // (150 + np.clip(urban[homes], 0, 1200)), 42
    )
    people = (
        parcels.area[homes] * density // HECTARE * draws.between(75, 126, homes.size) // 100 + 5
    )
    count = 1 + parcels.area[homes] // (5 * HECTARE)
    owner = np.repeat(np.arange(homes.size), count)
    stray = (draws.below(100, owner.size) < 4).astype(np.int64)
    picked = picker.pick(homes[owner], stray, draws)
    place = np.searchsorted(homes, picked.parcel)
    share = draws.between(60, 141, picked.x.size)
    raw = people[place] * share * 1000 // count[place]
    tenths = raw * (total * 10 // 1000) // (int(raw.sum()) // 1000)
    # A few live where no home is: boats, dormitories, errors of the phone data.
    lonely = np.flatnonzero(np.isin(code, ("0101", "0301", "1202")))
    lonely = lonely[draws.below(lonely.size, picked.x.size // 300 + 8)]
    apart = picker.pick(lonely, np.zeros(lonely.size, dtype=np.int64), draws)
    few = draws.between(5, 50, apart.x.size)
    return _concatenated([picked, apart]), np.r_[np.maximum(tenths, 1), few]


def _concatenated(points: list[Points]) -> Points:
    return Points(
        *(
            np.concatenate([getattr(part, name) for part in points])
            for name in ("x", "y", "parcel", "stray")
        )
    )
