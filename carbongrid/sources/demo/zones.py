"""What the land is in the large: the zone of every cell and the block of the zone that it lies in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from scipy import ndimage

from carbongrid.sources.demo.draws import UNIT, Draws, Ints, Mask, nearest_seed
from carbongrid.sources.demo.landscape import Landscape
from carbongrid.sources.demo.lattice import Lattice
from carbongrid.sources.demo.plan import Plan


class Zone(IntEnum):
    """Kinds of land that are cut into parcels in their own way."""

    FIELD = 1
    HILL = 2
    VILLAGE = 3
    TOWN = 4
    WORKS = 5
    RIVER = 6
    LAKE = 7
    FLATS = 8
    AIRPORT = 9
    PORT = 10
    PIT = 11
    SPOT = 12
    RIBBON = 13


@dataclass(frozen=True)
class Zoning:
    """Zone and block of every cell, shape (rows, columns) each; zone 0 is outside."""

    zone: Ints
    block: Ints


def make_zones(plan: Plan, lattice: Lattice, land: Landscape, seed: int) -> Zoning:
    """Return the zones, later ones painted over earlier ones, and their blocks."""
    wild = land.lake | land.river | land.sea
    built = land.urban + (land.rough - UNIT // 2) * 900 // UNIT < 760
    works = land.works + (land.rough - UNIT // 2) * 700 // UNIT < 800
    village, village_block = _villages(land, Draws(seed, "villages"))
    zone = np.full(lattice.shape, int(Zone.FIELD))
    zone[land.hill] = Zone.HILL
    zone[_shore(land)] = Zone.FLATS
    zone[village & ~land.hill] = Zone.VILLAGE
    zone[works & ~land.hill] = Zone.WORKS
    zone[built] = Zone.TOWN
    zone[_spots(zone, Draws(seed, "spots"))] = Zone.SPOT
    zone[land.river] = Zone.RIVER
    zone[land.lake] = Zone.LAKE
    dry = (land.territory >= 0) & ~wild
    pits = _sites(land, dry & land.hill & (land.urban > 1500), plan.pits, Draws(seed, "pits"))
    bank = dry & ndimage.binary_dilation(land.river | land.sea, iterations=2) & ~land.hill
    ports = _sites(land, bank & (land.urban < 9000), plan.ports, Draws(seed, "ports"))
    airports = _airfields(plan, land, dry & ~built & ~works & ~land.hill, Draws(seed, "airport"))
    block = _blocks(lattice, zone, seed)
    block[zone == Zone.VILLAGE] = village_block[zone == Zone.VILLAGE]
    for sites, kind in ((pits, Zone.PIT), (ports, Zone.PORT), (airports, Zone.AIRPORT)):
        taken = (sites > 0) & ~wild
        zone[taken], block[taken] = kind, sites[taken]
    fringe = ndimage.binary_dilation(land.territory >= 0, iterations=4) & ~land.sea
    zone[~(fringe | land.open_water)] = 0
    return Zoning(zone, block)


def _villages(land: Landscape, draws: Draws) -> tuple[Mask, Ints]:
    """Place at most one village into each square of 2 km; each has a number."""
    pitch = 200
    column, row = land.x // pitch + 2, land.y // pitch + 2
    width = int(column.max()) + 1
    square = row * width + column
    count = int(square.max()) + 1
    radius = np.where(draws.below(100, count) < 78, draws.between(13, 36, count), 0)
    east, north = draws.between(45, 155, count), draws.between(45, 155, count)
    from_middle_x = (
        (land.x - (column - 2) * pitch - east[square]) * (UNIT + land.rough // 2) // UNIT
    )
    from_middle_y = (land.y - (row - 2) * pitch - north[square]) * (UNIT + land.rough // 2) // UNIT
    return from_middle_x**2 + from_middle_y**2 < radius[square] ** 2, square


def _shore(land: Landscape) -> Mask:
    """Find tidal and lake-side flats."""
    near_sea = ndimage.binary_dilation(land.sea, iterations=5) & (land.rough > UNIT // 3)
    near_lake = ndimage.binary_dilation(land.lake, iterations=2) & (land.rough > UNIT * 6 // 10)
    return np.asarray((near_sea | near_lake) & ~land.hill)


def _spots(zone: Ints, draws: Draws) -> Mask:
    """Choose single cells amid fields and hills: ponds, sheds, hamlets."""
    lots = draws.below(10_000, zone.size).reshape(zone.shape)
    return np.asarray(((zone == Zone.FIELD) | (zone == Zone.HILL)) & (lots < 14))


def _sites(land: Landscape, places: Mask, count: int, draws: Draws) -> Ints:
    """Return the number of the chosen place within 330 m of each cell, 0 elsewhere; the places lie far from each other."""
    cells = np.flatnonzero(places)
    cells = cells[draws.below(cells.size, 60 * count)]
    site = np.zeros(places.shape, dtype=np.int64)
    x, y = land.x.ravel()[cells], land.y.ravel()[cells]
    nearest = np.full(cells.size, 1 << 40)
    chosen = 0
    for number in range(count):
        near = (land.x - x[chosen]) ** 2 + (land.y - y[chosen]) ** 2 < 33**2
        site[near] = number + 1
        nearest = np.minimum(nearest, (x - x[chosen]) ** 2 + (y - y[chosen]) ** 2)
        chosen = int(nearest.argmax())
    return site


def _airfields(plan: Plan, land: Landscape, free: Mask, draws: Draws) -> Ints:
    """Return the number of the airfield on each cell: 3.4 km by 1.2 km, on free land not far from the main city."""
    site = np.zeros(free.shape, dtype=np.int64)
    half = (170, 60) if plan.size == "full" else (110, 45)
    roomy = ndimage.uniform_filter(free.astype(np.float64), size=(13, 31)) > 0.97
    away = (land.x - plan.centre[0]) ** 2 + (land.y - plan.centre[1]) ** 2
    cells = np.flatnonzero(roomy if roomy.any() else free)
    cells = cells[draws.below(cells.size, 400)]
    cells = cells[np.argsort(away.ravel()[cells], kind="stable")]
    for number in range(plan.airports):
        middle = cells[number]
        near_x = np.abs(land.x - land.x.ravel()[middle]) < half[0]
        near_y = np.abs(land.y - land.y.ravel()[middle]) < half[1]
        site[near_x & near_y & free] = number + 1
    return site


def _blocks(lattice: Lattice, zone: Ints, seed: int) -> Ints:
    """Cut each zone into blocks of its own size: chequered in towns, jittered in the country."""
    x = np.broadcast_to(lattice.flat_x, lattice.shape)
    y = np.broadcast_to(lattice.flat_y[:, None], lattice.shape)
    block = np.arange(zone.size).reshape(zone.shape)
    pitches = {
        Zone.FIELD: 14_000,
        Zone.HILL: 15_000,
        Zone.RIVER: 24_000,
        Zone.LAKE: 42_000,
        Zone.FLATS: 12_000,
        Zone.RIBBON: 36_000,
    }
    for kind, pitch in pitches.items():
        cells = zone == kind
        if cells.any():
            block[cells] = nearest_seed(x[cells], y[cells], pitch, Draws(seed, f"blocks {kind}"))
    for kind, pitch in ((Zone.TOWN, 9000), (Zone.WORKS, 10_500)):
        cells = zone == kind
        block[cells] = _chequered(x[cells], y[cells], pitch, Draws(seed, f"blocks {kind}"))
    return block


def _chequered(x: Ints, y: Ints, pitch: int, draws: Draws) -> Ints:
    """Return numbers of the blocks of bands of uneven depth, each cut at places of its own."""
    band = _cut(y, pitch, draws)
    shift = draws.below(pitch, int(band.max()) + 1)
    column = _cut(x + shift[band], pitch, draws)
    return band * (int(column.max()) + 1) + column


def _cut(coordinate: Ints, pitch: int, draws: Draws) -> Ints:
    count = int(coordinate.max()) // pitch + 3
    cuts = np.arange(count) * pitch + draws.below(pitch * 6 // 10, count)
    return np.searchsorted(cuts, coordinate, side="right")
