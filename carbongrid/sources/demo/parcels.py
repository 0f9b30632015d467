"""From zones and ribbons to parcels: which cells make one parcel, and in which township each cell lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from carbongrid.sources.demo.draws import Draws, Ints, Mask, nearest_seed
from carbongrid.sources.demo.landscape import Landscape
from carbongrid.sources.demo.lattice import RIBBON_KINDS, Lattice
from carbongrid.sources.demo.ribbons import NOTHING, Ribbons
from carbongrid.sources.demo.tracing import connected_parts
from carbongrid.sources.demo.zones import Zone, Zoning

STRADDLE_SHARE = 27
"""Per mille of the blocks that straddle; ribbons cut blocks, so of the parcels it is about 20."""

_CRUMB = 1_000_000
"""Land pieces below this area (dm2) join a neighbour: what ribbons cut off is seldom a parcel of its own."""


@dataclass(frozen=True)
class Parcels:
    """Parcels as labels of cells, and what is known of each.

    Parameters
    ----------
    label
        Parcel of every cell, from 1, 0 for none; shape (rows, columns).
    territory
        Township of every cell, -1 for none; a straddling parcel has cells in more than one.
    zone, kind
        Zone, and ribbon kind (or ``NOTHING``), per parcel, shape (parcels,).
    crossing
        Whether the parcel is where two ribbons cross.
    township
        Township that has most of the parcel's cells, -1 if none has any.
    area
        dm2 of its cells.
    x, y
        Middle of its cells, decametres.
    """

    label: Ints
    territory: Ints
    zone: Ints
    kind: Ints
    crossing: Mask
    township: Ints
    area: Ints
    x: Ints
    y: Ints

    def __len__(self) -> int:
        return int(self.zone.size)

    def mean(self, values: Ints) -> Ints:
        """Return the mean over the cells of each parcel, rounded down, shape (parcels,)."""
        label = self.label.ravel()
        total = np.zeros(len(self) + 1, dtype=np.int64)
        np.add.at(total, label, values.ravel())
        return total[1:] // np.bincount(label, minlength=len(self) + 1)[1:]


def make_parcels(
    lattice: Lattice, land: Landscape, zoning: Zoning, ribbons: Ribbons, seed: int
) -> Parcels:
    """Cut the land into parcels.

    Blocks are whole: where a township's border cuts one, the block goes to the township that has most of it, save for chosen ones, which
    straddle. Ribbons then cut the blocks.
    """
    used = ribbons.used & (zoning.zone > 0)
    key = np.where(zoning.zone > 0, zoning.zone * (zoning.block.max() + 1) + zoning.block + 1, 0)
    piece = connected_parts(key)
    territory, straddles = _whole_blocks(piece, land, zoning.zone, Draws(seed, "straddle"))
    territory = _beside_ribbons(territory, lattice)
    outside_too = (land.open_water & (zoning.zone == Zone.LAKE)) | straddles
    inside = (territory >= 0) | (outside_too & ~used)
    zone = np.where(used, int(Zone.RIBBON), zoning.zone) * inside
    block = np.where(used, _ribbon_blocks(lattice, ribbons, seed), piece)
    # Neighbours of one label must agree in all of this; a straddling block does not look at its townships.
    label = _numbered(zone, block, np.where(straddles & ~used, -2, territory))
    label = _joined_crumbs(connected_parts(label), zone, territory, lattice.cell_areas())
    label = _some_multipart(label, zone, piece, territory, Draws(seed, "multipart"))
    return _described(label, zone, territory, ribbons, land, lattice.cell_areas())


def _numbered(zone: Ints, *others: Ints) -> Ints:
    """Return numbers, from 1, of the combinations of values of cells of a zone; cells of no zone stay 0."""
    number = zone
    for other in others:
        number = number * (int(other.max()) + 4) + other + 3
    place = np.unique(number[zone > 0], return_inverse=True)[1]
    result = np.zeros_like(zone)
    result[zone > 0] = place + 1
    return result


def _whole_blocks(piece: Ints, land: Landscape, zone: Ints, draws: Draws) -> tuple[Ints, Mask]:
    """Return the township of every cell after blocks were made whole, and the cells of straddling blocks."""
    count = int(piece.max()) + 1
    towns = int(land.territory.max()) + 2
    pairs, cells = np.unique(piece.ravel() * towns + land.territory.ravel() + 1, return_counts=True)
    owner, town = pairs // towns, pairs % towns - 1
    order = np.lexsort((town, -cells, owner))
    owner, town, cells = owner[order], town[order], cells[order]
    first = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    majority = np.full(count, -1)
    majority[owner[first]] = town[first]
    second = first[np.r_[owner[1:], -1][first] == owner[first]] + 1
    second = second[cells[second] >= 2]
    # The outer edge would have its fill of them: of the blocks there, one in four may straddle it.
    at_edge = (town[second] < 0) | (majority[owner[second]] < 0)
    candidates = owner[second[~at_edge | (draws.below(4, second.size) == 0)]]
    zone_of = np.zeros(count, dtype=np.int64)
    zone_of[piece.ravel()] = zone.ravel()
    candidates = candidates[(candidates > 0) & np.isin(zone_of[candidates], (1, 2, 4, 5, 6, 7, 8))]
    chosen = np.zeros(count, dtype=np.bool_)
    wanted = (count - 1) * STRADDLE_SHARE // 1000
    chosen[candidates[draws.order(candidates.size)[:wanted]]] = True
    # A block partly in no township keeps that part outside.
    whole = np.where(
        (land.territory < 0) | chosen[piece] | (majority[piece] < 0),
        land.territory,
        majority[piece],
    )
    return whole, chosen[piece] & (piece > 0)


def _beside_ribbons(territory: Ints, lattice: Lattice) -> Ints:
    """Give cells of ribbons the township of their neighbour in the west or south, so that none has a spike along a road."""
    territory = territory.copy()
    columns = np.flatnonzero(lattice.column_kind >= 0)
    territory[:, columns] = territory[:, columns - 1]
    rows = np.flatnonzero(lattice.row_kind >= 0)
    territory[rows] = territory[rows - 1]
    return territory


def _ribbon_blocks(lattice: Lattice, ribbons: Ribbons, seed: int) -> Ints:
    """Return numbers of the ribbons' sections: by kind and square of some kilometres; crossings of small ones stand alone."""
    x = np.broadcast_to(lattice.flat_x, lattice.shape)
    y = np.broadcast_to(lattice.flat_y[:, None], lattice.shape)
    block = np.zeros(lattice.shape, dtype=np.int64)
    used = ribbons.used
    block[used] = nearest_seed(x[used], y[used], 52_000, Draws(seed, "sections"))
    tiny = ribbons.crossing & (ribbons.kind >= RIBBON_KINDS.index("lane"))
    return (block * 2 + tiny) * (NOTHING + 1) + ribbons.kind


def _neighbours(label: Ints) -> tuple[Ints, Ints]:
    """Return the labels on either side of every edge between different ones, both ways round."""
    pairs = [
        (label[:, :-1], label[:, 1:]),
        (label[:-1], label[1:]),
    ]
    one = np.concatenate([a[a != b] for a, b in pairs])
    other = np.concatenate([b[a != b] for a, b in pairs])
    return np.r_[one, other], np.r_[other, one]


def _joined_crumbs(label: Ints, zone: Ints, territory: Ints, areas: Ints) -> Ints:
    """Join small pieces of land to the neighbour of the same township with which they share most edges."""
    for _ in range(2):
        count = int(label.max()) + 1
        area = np.zeros(count, dtype=np.int64)
        np.add.at(area, label.ravel(), areas.ravel())
        zone_of, town_of = np.zeros(count, dtype=np.int64), np.full(count, -9)
        zone_of[label.ravel()], town_of[label.ravel()] = zone.ravel(), territory.ravel()
        fixed = np.isin(zone_of, (0, Zone.RIBBON, Zone.LAKE, Zone.SPOT, Zone.RIVER))
        crumb = ~fixed & (area < _CRUMB)
        one, other = _neighbours(label)
        fits = crumb[one] & ~fixed[other] & ~crumb[other] & (town_of[one] == town_of[other])
        pairs, edges = np.unique(one[fits] * count + other[fits], return_counts=True)
        order = np.lexsort((pairs, -edges, pairs // count))
        pairs = pairs[order]
        first = np.flatnonzero(np.r_[True, pairs[1:] // count != pairs[:-1] // count])[: pairs.size]
        joins = np.arange(count)
        joins[pairs[first] // count] = pairs[first] % count
        label = joins[label]
    return label


def _some_multipart(label: Ints, zone: Ints, piece: Ints, territory: Ints, draws: Draws) -> Ints:
    """Make one parcel of some blocks that a ribbon cut in two."""
    cells = np.flatnonzero(np.isin(zone, (Zone.FIELD, Zone.HILL, Zone.VILLAGE)))
    count, towns = int(label.max()) + 1, int(territory.max()) + 2
    block = piece.ravel()[cells] * towns + territory.ravel()[cells] + 1
    parts, at = np.unique(label.ravel()[cells], return_index=True)
    block = block[at]
    blocks, first, size = np.unique(block, return_index=True, return_counts=True)
    lucky = (size > 1) & (draws.below(100, blocks.size) < 7)
    where = np.searchsorted(blocks, block)
    joins = np.arange(count)
    joins[parts] = np.where(lucky[where], parts[first[where]], parts)
    return joins[label]


def _described(
    label: Ints, zone: Ints, territory: Ints, ribbons: Ribbons, land: Landscape, areas: Ints
) -> Parcels:
    """Return the parcels, numbered by township and from the south-west, with what is known of each."""
    flat = label.ravel()
    count = int(flat.max()) + 1
    towns = int(territory.max()) + 2
    cells = np.bincount(flat * towns + territory.ravel() + 1, minlength=count * towns)
    shares = cells.reshape(count, towns)
    township = np.where(shares[:, 1:].any(axis=1), shares[:, 1:].argmax(axis=1), -1)
    present, first = np.unique(flat, return_index=True)
    # What a ribbon cut off outside the territory is dropped; the lake stays.
    wanted = (present > 0) & ((township[present] >= 0) | (zone.ravel()[first] == Zone.LAKE))
    present, first = present[wanted], first[wanted]
    order = np.lexsort((first, np.where(township[present] < 0, towns, township[present])))
    present, first = present[order], first[order]
    number = np.zeros(count, dtype=np.int64)
    number[present] = np.arange(present.size) + 1
    label = number[label]
    sums = [np.zeros(present.size + 1, dtype=np.int64) for _ in range(3)]
    for total, values in zip(sums, (areas, areas * land.x, areas * land.y), strict=True):
        np.add.at(total, label.ravel(), values.ravel())
    area = sums[0][1:]
    return Parcels(
        label=label,
        territory=territory,
        zone=zone.ravel()[first],
        kind=np.where(zone == Zone.RIBBON, ribbons.kind, NOTHING).ravel()[first],
        crossing=((zone == Zone.RIBBON) & ribbons.crossing).ravel()[first]
        & (np.bincount(label.ravel())[1:] == 1),
        township=township[present],
        area=area,
        x=sums[1][1:] // area,
        y=sums[2][1:] // area,
    )
