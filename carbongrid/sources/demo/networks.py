"""Roads, railways and harbour channels, as lines along the ribbons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from carbongrid.sources.demo.draws import Draws, Ints, Mask
from carbongrid.sources.demo.landscape import Landscape
from carbongrid.sources.demo.lattice import RIBBON_KINDS, Lattice
from carbongrid.sources.demo.parcels import Parcels
from carbongrid.sources.demo.ribbons import NOTHING, Ribbons
from carbongrid.sources.demo.zones import Zone

_CLASSES = {
    "motorway": "motorway", "rail": "rail", "trunk": "trunk", "primary": "primary", "secondary": "secondary",
    "tertiary": "tertiary", "residential": "residential", "lane": "unclassified",
}  # fmt: skip
_DUAL = ("motorway", "trunk")
_LONGEST = 70
"""Cells after which a line is cut."""


@dataclass(frozen=True)
class Line:
    """A polyline in decimetres from the origin.

    Parameters
    ----------
    kind
        Class of the road, ``rail`` or ``waterway``.
    dual
        Whether it is one carriageway of two.
    x, y
        Vertices.
    """

    kind: str
    dual: bool
    x: Ints
    y: Ints


@dataclass(frozen=True)
class _Direction:
    """Ribbons that run along the first axis: nodes, kinds in use per cell, and the land's cells."""

    x: Ints
    y: Ints
    in_use: Ints
    ribbons: Ints
    inside: Mask


def lay_lines(
    lattice: Lattice, nodes: tuple[Ints, Ints], ribbons: Ribbons, parcels: Parcels, seed: int
) -> list[Line]:
    """Return the lines along all ribbons that carry traffic; some reach a little beyond their land."""
    inside = parcels.label > 0
    x, y = nodes
    north_south = _Direction(
        x, y, ribbons.along_columns, np.flatnonzero(lattice.column_kind >= 0), inside
    )
    east_west = _Direction(
        x.T, y.T, ribbons.along_rows.T, np.flatnonzero(lattice.row_kind >= 0), inside.T
    )
    lines: list[Line] = []
    for number, direction in enumerate((north_south, east_west)):
        draws = Draws(seed, f"lines {number}")
        for ribbon in direction.ribbons:
            lines += _along(direction, int(ribbon), draws)
        lines += _stubs(direction, draws)
    return lines


def _along(direction: _Direction, ribbon: int, draws: Draws) -> list[Line]:
    kinds = direction.in_use[:, ribbon]
    name = RIBBON_KINDS[int(kinds.min())] if kinds.min() < NOTHING else ""
    if name not in _CLASSES:
        return []
    used = np.r_[False, (kinds < NOTHING) & direction.inside[:, ribbon], False].astype(np.int64)
    starts, ends = np.flatnonzero(np.diff(used) == 1), np.flatnonzero(np.diff(used) == -1)
    last = direction.x.shape[0] - 1
    lines = []
    for start, end in zip(starts, ends, strict=True):
        cuts = [*range(int(start), int(end), _LONGEST), int(end)]
        beyond = draws.below(100, len(cuts))
        for first, until, lot in zip(cuts[:-1], cuts[1:], beyond, strict=False):
            # One in five does not end with its land.
            reach = 1 if lot < 20 and until == end else 0
            rows = slice(first, min(until + reach, last) + 1)
            lines += _across(direction, ribbon, rows, name)
    return lines


def _across(direction: _Direction, ribbon: int, rows: slice, name: str) -> list[Line]:
    """Return the axis of a ribbon, or its two carriageways."""
    weights = ((3, 1), (1, 3)) if name in _DUAL else ((2, 2),)
    return [
        Line(
            _CLASSES[name],
            name in _DUAL,
            (direction.x[rows, ribbon] * left + direction.x[rows, ribbon + 1] * right) // 4,
            (direction.y[rows, ribbon] * left + direction.y[rows, ribbon + 1] * right) // 4,
        )
        for left, right in weights
    ]


def _stubs(direction: _Direction, draws: Draws) -> list[Line]:
    """Return short streets that leave a road sideways and end in a block, 40 m outside transport land."""
    streets = [RIBBON_KINDS.index(name) for name in ("secondary", "tertiary", "residential")]
    cells = np.isin(direction.in_use, streets) & direction.inside
    row, column = np.nonzero(cells)
    chosen = draws.below(row.size, row.size // 60) if row.size else np.zeros(0, dtype=np.int64)
    lines = []
    for r, c in zip(row[chosen], column[chosen], strict=True):
        if c + 2 >= direction.x.shape[1]:
            continue
        x, y = _rung(direction.x, int(r), int(c)), _rung(direction.y, int(r), int(c))
        lines.append(Line("residential", False, x, y))
    return lines


def _rung(node: Ints, row: int, column: int) -> Ints:
    """Return two points: the middle of a ribbon's cell, and 35 % into the cell beside it."""
    west, near, far = node[row : row + 2, column : column + 3].sum(axis=0)
    return np.array([(west + near) // 4, (near * 65 + far * 35) // 200])


def harbour_channels(nodes: tuple[Ints, Ints], parcels: Parcels, land: Landscape) -> list[Line]:
    """Return one channel per port: from its far end over its middle to the water."""
    x, y = (node[1:, 1:] + node[1:, :-1] + node[:-1, 1:] + node[:-1, :-1] for node in nodes)
    x, y = x // 4, y // 4
    water_row, water_column = np.nonzero(land.river | land.sea)
    lines = []
    for port in np.flatnonzero(parcels.zone == Zone.PORT):
        row, column = np.nonzero(parcels.label == port + 1)
        middle_x, middle_y = parcels.x[port] * 100, parcels.y[port] * 100
        near = (x[water_row, water_column] - middle_x) ** 2 + (
            y[water_row, water_column] - middle_y
        ) ** 2
        quay = int(near.argmin())
        quay_x = int(x[water_row[quay], water_column[quay]])
        quay_y = int(y[water_row[quay], water_column[quay]])
        away = int(((x[row, column] - quay_x) ** 2 + (y[row, column] - quay_y) ** 2).argmax())
        far = (int(row[away]), int(column[away]))
        lines.append(
            Line(
                "waterway",
                False,
                np.array([x[far], middle_x, quay_x]),
                np.array([y[far], middle_y, quay_y]),
            )
        )
    return lines
