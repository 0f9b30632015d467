"""The mesh that carries the city: a jittered lattice of integer decimetres, with narrow ribbons let in.

A ribbon is a row or column of cells a few metres wide; a road, a railway or a ditch runs along it. The lattice is
warped by smooth noise, so that ribbons bend. Slopes are kept so low that no cell can turn over (see :func:`_warp`); where
jitter or smoothing turns one over all the same, its nodes go back to where they were.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from carbongrid.sources.demo.draws import Draws, Ints, Mask, wobble
from carbongrid.sources.demo.plan import Plan

RIBBON_WIDTHS = {
    "motorway": 520,
    "rail": 340,
    "trunk": 420,
    "primary": 360,
    "secondary": 280,
    "tertiary": 190,
    "residential": 120,
    "canal": 240,
    "lane": 70,
    "ditch": 60,
}
"""Kinds of ribbons, the first in rank first, and their widths in decimetres."""

RIBBON_KINDS = tuple(RIBBON_WIDTHS)

# In the order in which ribbons follow each other; the first twenty hold every kind, so that a small city has them all.
_SEQUENCE = (
    "tertiary", "secondary", "canal", "primary", "tertiary", "lane", "trunk", "residential",
    "secondary", "rail", "tertiary", "ditch", "motorway", "canal", "tertiary", "primary",
    "secondary", "canal", "residential", "tertiary", "lane", "secondary", "tertiary", "trunk",
    "canal", "residential", "tertiary", "primary", "ditch", "secondary", "tertiary", "canal",
)  # fmt: skip

_JITTER = 170


@dataclass(frozen=True)
class Lattice:
    """Nodes of the mesh and what its rows and columns are.

    Parameters
    ----------
    x, y
        Nodes in decimetres from the city's origin, int64, shape (rows + 1, columns + 1).
    flat_x, flat_y
        Middles of columns and of rows before the warp, decimetres.
    column_kind, row_kind
        Index into :data:`RIBBON_KINDS` per column and row, -1 for ordinary ones.
    """

    x: Ints
    y: Ints
    flat_x: Ints
    flat_y: Ints
    column_kind: Ints
    row_kind: Ints

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of cells."""
        return self.row_kind.size, self.column_kind.size

    def middles(self) -> tuple[Ints, Ints]:
        """Return the middles of all cells in decametres, shape (rows, columns) each."""
        return _mean_of_corners(self.x) // 100, _mean_of_corners(self.y) // 100

    def cell_areas(self) -> Ints:
        """Return the area of every cell in dm2."""
        diagonal_x, diagonal_y = (
            self.x[1:, 1:] - self.x[:-1, :-1],
            self.y[1:, 1:] - self.y[:-1, :-1],
        )
        other_x, other_y = self.x[1:, :-1] - self.x[:-1, 1:], self.y[1:, :-1] - self.y[:-1, 1:]
        return (diagonal_x * other_y - diagonal_y * other_x) // 2


def _mean_of_corners(node: Ints) -> Ints:
    return (node[1:, 1:] + node[1:, :-1] + node[:-1, 1:] + node[:-1, :-1]) // 4


def make_lattice(plan: Plan, seed: int) -> Lattice:
    """Return the mesh of the plan."""
    columns, column_kind = _lines(plan.cells[0], plan.pitch, Draws(seed, "columns"))
    rows, row_kind = _lines(plan.cells[1], plan.pitch, Draws(seed, "rows"))
    flat_x, flat_y = np.broadcast_to(columns, (rows.size, columns.size)), rows[:, None]
    flat_y = np.broadcast_to(flat_y, flat_x.shape)
    warped_x, warped_y = _warp(flat_x, flat_y, plan, seed)
    jitter_x, jitter_y = _jitter(column_kind, row_kind, Draws(seed, "jitter"))
    x, y = repaired((warped_x + jitter_x, warped_y + jitter_y), (warped_x, warped_y))
    return Lattice(
        x, y, (columns[1:] + columns[:-1]) // 2, (rows[1:] + rows[:-1]) // 2, column_kind, row_kind
    )


def _lines(cells: int, pitch: int, draws: Draws) -> tuple[Ints, Ints]:
    """Return positions of the lattice lines and the kind of each gap between them."""
    steps = draws.between(9, 20, cells // 9 + 1)
    after = np.cumsum(steps)
    after = after[after < cells - 4]
    sequence = [_SEQUENCE[number % len(_SEQUENCE)] for number in range(after.size)]
    kinds = np.array([RIBBON_KINDS.index(name) for name in sequence])
    gaps = np.insert(np.full(cells, pitch), after, [RIBBON_WIDTHS[name] for name in sequence])
    kind = np.insert(np.full(cells, -1), after, kinds)
    return np.r_[0, np.cumsum(gaps)], kind


def _warp(x: Ints, y: Ints, plan: Plan, seed: int) -> tuple[Ints, Ints]:
    """Bend the plane by two octaves of noise.

    With slopes a, b, c, d of the displacement all within g, a corner of a cell keeps the sign of
    (1 + a)(1 + d) - bc >= (1 - g)^2 - g^2 = 1 - 2g. Noise of reach r and pitch p has slopes within 3r/p: here
    0.3 + 0.14 < 1/2.
    """
    warped = []
    for axis, coordinate in (("x", x), ("y", y)):
        far = wobble(x, y, 200 * plan.breadth, 20 * plan.breadth, Draws(seed, f"warp far {axis}"))
        near = wobble(x, y, 60_000, 2_800, Draws(seed, f"warp near {axis}"))
        warped.append(coordinate + far + near)
    return warped[0], warped[1]


def _jitter(column_kind: Ints, row_kind: Ints, draws: Draws) -> tuple[Ints, Ints]:
    """Return random displacements of the nodes; both sides of a ribbon move alike, so it keeps its width."""
    group_x = np.r_[0, np.cumsum(column_kind < 0)]
    group_y = np.r_[0, np.cumsum(row_kind < 0)]
    shape = (int(group_y[-1]) + 1, int(group_x[-1]) + 1)
    take = np.ix_(group_y, group_x)
    jitter_x, jitter_y = (
        draws.between(-_JITTER, _JITTER + 1, shape[0] * shape[1]).reshape(shape)[take] for _ in "xy"
    )
    return jitter_x, jitter_y


def repaired(nodes: tuple[Ints, Ints], safe: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    """Return the nodes, with those of cells that turned over back at their safe places."""
    x, y = nodes
    while True:
        bad = _turned_over(x, y)
        if not bad.any():
            return x, y
        at = np.zeros(x.shape, dtype=np.bool_)
        for rows in (slice(None, -1), slice(1, None)):
            for columns in (slice(None, -1), slice(1, None)):
                at[rows, columns] |= bad
        if not ((x != safe[0]) | (y != safe[1]))[at].any():
            raise AssertionError("a cell of the safe mesh is turned over")
        x, y = np.where(at, safe[0], x), np.where(at, safe[1], y)


def _turned_over(x: Ints, y: Ints) -> Mask:
    """Find cells that are not simple and anticlockwise: no diagonal cuts them into two anticlockwise triangles."""
    corner_x = (x[:-1, :-1], x[:-1, 1:], x[1:, 1:], x[1:, :-1])
    corner_y = (y[:-1, :-1], y[:-1, 1:], y[1:, 1:], y[1:, :-1])

    def positive(first: int, second: int, third: int) -> Mask:
        ahead_x, ahead_y = corner_x[second] - corner_x[first], corner_y[second] - corner_y[first]
        side_x, side_y = corner_x[third] - corner_x[first], corner_y[third] - corner_y[first]
        return np.asarray(ahead_x * side_y - ahead_y * side_x > 0)

    return np.asarray(
        ~((positive(0, 1, 2) & positive(0, 2, 3)) | (positive(1, 2, 3) & positive(1, 3, 0)))
    )


def smoothed(
    lattice: Lattice, border_east: Mask, border_north: Mask, rounds: int
) -> tuple[Ints, Ints]:
    """Return nodes with the borders' corners cut: a node amid one border moves towards its two neighbours there.

    Parameters
    ----------
    lattice
        The mesh.
    border_east, border_north
        Whether the mesh edge from a node to the next one east (shape of nodes less one column) or north is a border.
    rounds
        How often.
    """
    shape = lattice.x.shape
    edges = np.zeros((4, *shape), dtype=np.bool_)
    edges[0][:, :-1], edges[2][:, 1:] = border_east, border_east
    edges[1][:-1], edges[3][1:] = border_north, border_north
    on_column = np.r_[False, lattice.column_kind >= 0] | np.r_[lattice.column_kind >= 0, False]
    on_row = np.r_[False, lattice.row_kind >= 0] | np.r_[lattice.row_kind >= 0, False]
    free = (edges.sum(axis=0) == 2) & ~on_column & ~on_row[:, None]
    row, column = np.nonzero(free)
    steps = ((0, 1), (1, 0), (0, -1), (-1, 0))
    x, y = lattice.x, lattice.y
    for _ in range(rounds):
        moved = []
        for node in (x, y):
            total = 2 * node[row, column]
            for edge, (north, east) in zip(edges, steps, strict=True):
                # Clipping only touches nodes without an edge there.
                neighbour = node[
                    np.clip(row + north, 0, shape[0] - 1), np.clip(column + east, 0, shape[1] - 1)
                ]
                total = total + np.where(edge[row, column], neighbour, 0)
            new = node.copy()
            new[row, column] = total // 4
            moved.append(new)
        x, y = moved[0], moved[1]
    return repaired((x, y), (lattice.x, lattice.y))
