"""Where along a ribbon there is a road, a railway or a ditch, and where the ribbon is just land."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from carbongrid.sources.demo.draws import Draws, Ints, Mask
from carbongrid.sources.demo.landscape import Landscape
from carbongrid.sources.demo.lattice import RIBBON_KINDS, Lattice

NOTHING = len(RIBBON_KINDS)

# Per kind: chance (per cent) in a built-up place, in the fields, in the hills, and how many stretches share one draw.
_CHANCES = {
    "motorway": (100, 100, 100, 100),
    "rail": (100, 100, 100, 100),
    "trunk": (95, 92, 90, 9),
    "primary": (95, 85, 60, 7),
    "secondary": (95, 55, 25, 5),
    "tertiary": (88, 36, 12, 3),
    "residential": (80, 14, 4, 2),
    "canal": (20, 45, 4, 4),
    "lane": (0, 36, 20, 2),
    "ditch": (0, 40, 0, 2),
}


@dataclass(frozen=True)
class Ribbons:
    """Which cells are taken by a ribbon.

    Parameters
    ----------
    kind
        Index into ``RIBBON_KINDS`` per cell, :data:`NOTHING` where the cell is ordinary land.
    along_columns, along_rows
        Kind of the ribbon that runs north-south, or east-west, through the cell, :data:`NOTHING` without one.
    """

    kind: Ints
    along_columns: Ints
    along_rows: Ints

    @property
    def used(self) -> Mask:
        """Cells that a ribbon takes."""
        return np.asarray(self.kind < NOTHING)

    @property
    def crossing(self) -> Mask:
        """Cells where two ribbons cross."""
        return np.asarray((self.along_columns < NOTHING) & (self.along_rows < NOTHING))


def lay_ribbons(lattice: Lattice, land: Landscape, closed: Mask, seed: int) -> Ribbons:
    """Decide stretch by stretch, between two crossings, whether a ribbon is in use.

    Parameters
    ----------
    lattice, land
        The mesh and the map.
    closed
        Cells through which nothing runs, such as an airfield.
    seed
        Of the city.
    """
    surroundings = np.where(land.hill, 2, np.where(land.urban < 900, 0, 1))
    wet = land.lake | land.sea | land.open_water | closed
    north_south = _stretches(
        (lattice.row_kind, lattice.column_kind), surroundings, wet, Draws(seed, "north-south")
    )
    east_west = _stretches(
        (lattice.column_kind, lattice.row_kind), surroundings.T, wet.T, Draws(seed, "east-west")
    ).T
    kind = np.minimum(north_south, east_west)
    # Ditches and field lanes end at the river; roads bridge it.
    small = kind >= RIBBON_KINDS.index("canal")
    return Ribbons(np.where(small & land.river, NOTHING, kind), north_south, east_west)


def _stretches(kinds: tuple[Ints, Ints], surroundings: Ints, wet: Mask, draws: Draws) -> Ints:
    """Return the kind in use per cell, for the ribbons that run along the first axis.

    Parameters
    ----------
    kinds
        Kind of every row, and of every column.
    surroundings
        0 built-up, 1 fields, 2 hills per cell.
    wet
        Cells that no ribbon enters.
    draws
        The stream of this direction.
    """
    across, along = kinds
    in_use = np.full(surroundings.shape, NOTHING)
    ribbons = np.flatnonzero(along >= 0)
    stretch = np.cumsum(across >= 0)
    first = np.searchsorted(stretch, np.arange(int(stretch[-1]) + 1))
    middle = (first + np.r_[first[1:], stretch.size]) // 2
    chances = np.array([_CHANCES[name] for name in RIBBON_KINDS])[along[ribbons]]
    place = surroundings[np.ix_(middle, ribbons)]
    chance = np.take_along_axis(chances.T[:3], place, axis=0)
    block = np.arange(middle.size)[:, None] // chances[:, 3]
    lots = draws.below(100, middle.size * ribbons.size).reshape(middle.size, ribbons.size)
    taken = np.take_along_axis(lots, block, axis=0) < chance
    cells = taken[stretch]
    # A crossing belongs to a ribbon that is in use on either side of it.
    crossing = np.flatnonzero(across >= 0)
    crossing = crossing[crossing > 0]
    cells[crossing] |= taken[stretch[crossing - 1]]
    cells &= ~wet[:, ribbons]
    in_use[:, ribbons] = np.where(cells, along[ribbons], NOTHING)
    return in_use
