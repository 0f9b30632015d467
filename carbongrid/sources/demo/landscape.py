"""Sea, lake, river, hills, towns and the territory of the townships, cell by cell; lengths in decametres."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from carbongrid.sources.demo.draws import UNIT, Draws, Ints, Mask, noise, wobble
from carbongrid.sources.demo.lattice import Lattice
from carbongrid.sources.demo.plan import Plan

NEVER = 1 << 40


@dataclass(frozen=True)
class Towns:
    """The centres of the townships, the main city's first.

    Parameters
    ----------
    x, y, radius
        Centre and reach of the built-up land of each, shape (townships,).
    district
        Index of its district.
    seat
        Whether it is its district's seat.
    """

    x: Ints
    y: Ints
    radius: Ints
    district: Ints
    seat: Mask


@dataclass(frozen=True)
class Landscape:
    """The natural map and the towns; all arrays have one value per cell.

    Parameters
    ----------
    x, y
        Middle of the cell.
    sea, lake, river, pond, hill
        What covers it; a cell is at most one of them, save that hills may hold ponds.
    open_water
        The middle of the lake, in no township.
    territory
        Index of the township, -1 for none.
    urban, works
        Squared distance from the nearest town, and from the nearest works estate, per mille of its squared reach.
    rough
        Noise of short wavelength in [0, 2^16).
    towns
        The centres.
    """

    x: Ints
    y: Ints
    sea: Mask
    lake: Mask
    river: Mask
    hill: Mask
    open_water: Mask
    territory: Ints
    urban: Ints
    works: Ints
    rough: Ints
    towns: Towns


def make_landscape(plan: Plan, lattice: Lattice, seed: int) -> Landscape:
    """Return the natural map of the plan, with its towns and townships."""
    x, y = lattice.middles()

    def reach(length: int) -> int:
        return max(length * plan.breadth // 1000, 40)

    rough = noise(x, y, 60, Draws(seed, "rough"))
    frayed_x = x + wobble(x, y, reach(900), reach(260), Draws(seed, "fray x"))
    frayed_y = y + wobble(x, y, reach(900), reach(260), Draws(seed, "fray y"))
    frayed_x += wobble(x, y, 150, 45, Draws(seed, "fine x"))
    frayed_y += wobble(x, y, 150, 45, Draws(seed, "fine y"))
    lake, depth = _lake(plan, frayed_x, frayed_y, (x, y, seed))
    sea, from_coast = _sea(plan, frayed_x, frayed_y, seed)
    lake &= ~sea
    hill = _hills(plan, (x, y), depth, seed) & ~lake & ~sea & (from_coast < -reach(700))
    river = _rivers(plan, x, y, seed) & ~lake & ~sea
    hill &= ~ndimage.binary_dilation(river, iterations=3)
    score = _remoteness(plan, frayed_x, frayed_y)
    open_water = lake & (depth < 560)
    cell_areas = lattice.cell_areas()
    inside = _region(plan, np.where(sea | open_water, NEVER, score), cell_areas)
    towns = _towns(plan, (x, y), _depth_classes(plan, inside, lake | river | hill), seed)
    territory, urban = _nearest_town(towns, (frayed_x + x) // 2, (frayed_y + y) // 2)
    territory = np.where(inside, territory, -1)
    works = _works(towns, (frayed_x + x) // 2, (frayed_y + y) // 2, seed)
    return Landscape(
        x, y, sea, lake, river, hill, open_water, territory, urban, works, rough, towns
    )  # fmt: skip


def _lake(plan: Plan, x: Ints, y: Ints, where: tuple[Ints, Ints, int]) -> tuple[Mask, Ints]:
    """Return the lakes' cells and the big lake's depth: 1000 at the shore, 0 in the middle."""
    at_x, at_y, seed = where
    width, height = plan.lake_radius
    depth = ((x - plan.lake[0]) ** 2 * 1000) // width**2 + (
        (y - plan.lake[1]) ** 2 * 1000
    ) // height**2
    bays = noise(at_x, at_y, max(500 * plan.breadth // 1000, 90), Draws(seed, "bays"))
    depth = depth + (bays - UNIT // 2) * 400 // UNIT
    smaller = noise(at_x, at_y, max(420 * plan.breadth // 1000, 130), Draws(seed, "lakes"))
    islands = (
        noise(at_x, at_y, max(260 * plan.breadth // 1000, 80), Draws(seed, "islands")) > 57_500
    )
    lake = (depth < 1000) & ~(islands & (depth > 620))
    return lake | ((smaller > 59_000) & (depth > 1300) & (depth < 9000)), depth


def _sea(plan: Plan, x: Ints, y: Ints, seed: int) -> tuple[Mask, Ints]:
    middle_x, middle_y = plan.extent[0] // 2, plan.extent[1] // 2
    from_coast = ((x - middle_x) * 5 + (y - middle_y) * 9) // 10 - plan.sea
    for wave, height in ((600, 330), (220, 110), (80, 40)):
        pitch, reach = max(wave * plan.breadth // 1000, 40), max(height * plan.breadth // 1000, 20)
        from_coast = from_coast + wobble(x, y, pitch, reach, Draws(seed, f"coast {wave}"))
    return from_coast > 0, from_coast


def _hills(plan: Plan, at: tuple[Ints, Ints], depth: Ints, seed: int) -> Mask:
    """Find hills: more of them around the big lake."""
    x, y = at
    height = 3 * noise(x, y, max(1100 * plan.breadth // 1000, 200), Draws(seed, "hills"))
    height += noise(x, y, max(300 * plan.breadth // 1000, 80), Draws(seed, "ridges"))
    near_lake = np.clip(3200 - depth, 0, 3200) * 5
    return np.asarray(height // 4 + near_lake > plan.hill_level + 4000)


def _rivers(plan: Plan, x: Ints, y: Ints, seed: int) -> Mask:
    """Find the river, from the lake to the sea, and the old canal, from south to north."""
    nothing = np.zeros_like(x)
    swing = max(plan.breadth, 350)
    middle = plan.lake[1] + (x - plan.lake[0]) * 3 // 10
    middle += wobble(x, nothing, 1500 * swing // 1000, 600 * swing // 1000, Draws(seed, "river"))
    middle += wobble(x, nothing, 400 * swing // 1000, 110 * swing // 1000, Draws(seed, "bends"))
    river = (np.abs(y - middle) < 20 + x * 12 // plan.extent[0]) & (x > plan.lake[0])
    swings = wobble(y, nothing, 1300 * swing // 1000, 500 * swing // 1000, Draws(seed, "canal"))
    canal = np.abs(x - plan.centre[0] - 400 * swing // 1000 - swings) < 10
    return np.asarray(river | canal)


def _remoteness(plan: Plan, x: Ints, y: Ints) -> Ints:
    """Score how far from the middle a cell lies; the territory takes the nearest."""
    middle_x, middle_y = plan.extent[0] // 2, plan.extent[1] // 2
    away_x, away_y = (
        np.abs(x - middle_x) * 1000 // middle_x,
        np.abs(y - middle_y) * 1000 // middle_y,
    )
    return np.asarray(away_x**2 + away_y**2 + (away_x * away_y) // 3)


def _region(plan: Plan, score: Ints, areas: Ints) -> Mask:
    """Find the cells of lowest score that hang together and add up to the plan's area."""
    wanted = plan.area_km2 * 100_000_000
    low, high = 0, 4_000_000
    inside = np.zeros(score.shape, dtype=np.bool_)
    while high - low > 1:
        middle = (low + high) // 2
        candidate = _without_crumbs(score < middle, areas)
        if int(areas[candidate].sum()) < wanted:
            low, inside = middle, candidate
        else:
            high = middle
    return inside


def _without_crumbs(mask: Mask, areas: Ints) -> Mask:
    """Keep the largest connected piece."""
    pieces, _ = ndimage.label(mask)
    size = np.zeros(int(pieces.max()) + 1, dtype=np.int64)
    np.add.at(size, pieces[::1], areas)
    size[0] = 0
    return np.asarray((pieces == int(size.argmax())) & mask)


def _depth_classes(plan: Plan, inside: Mask, wild: Mask) -> Ints:
    """Class cells: 1 where a town may lie, 2 deep inside the territory where a district's seat may, else 0."""
    rim = max(20 * plan.breadth // 1000, 7)
    shallow = ndimage.binary_erosion(inside, iterations=rim)
    deep = ndimage.binary_erosion(shallow, iterations=2 * rim)
    return np.where(wild, 0, shallow.astype(np.int64) + deep)


def _towns(plan: Plan, at: tuple[Ints, Ints], places: Ints, seed: int) -> Towns:
    """Place centres far from each other, closer together near the main city; group them into districts."""
    draws = Draws(seed, "towns")
    cells = np.flatnonzero(places)
    cells = cells[draws.below(cells.size, 4000)]
    x, y = at[0].ravel()[cells], at[1].ravel()[cells]
    from_main = (x - plan.centre[0]) ** 2 + (y - plan.centre[1]) ** 2
    crowding = 1000 + np.minimum(from_main * 3000 // (plan.radius * 2) ** 2, 3000)
    chosen = _spread_out(from_main, (x, y), crowding, plan.townships)
    x, y, from_main, crowding = x[chosen], y[chosen], from_main[chosen], crowding[chosen]
    at_rim = places.ravel()[cells][chosen] < 2
    seats = _spread_out(from_main, (x, y), np.where(at_rim, 8, 1) * crowding, plan.districts)
    district = _districts((x, y), seats)
    seat = np.zeros(x.size, dtype=np.bool_)
    seat[seats] = True
    small = max(plan.radius // 8, 60)
    radius = small + draws.below(small, x.size)
    radius[seats] = plan.radius * 4 // 10 + draws.below(plan.radius // 5, seats.size)
    radius[0] = plan.radius
    return Towns(x, y, radius, district, seat)


def _districts(at: tuple[Ints, Ints], seats: Ints) -> Ints:
    """Return the district of every town: that of the nearest seat, but none has fewer than two towns."""
    x, y = at
    distance = (x[:, None] - x[seats]) ** 2 + (y[:, None] - y[seats]) ** 2
    # The main city's district is the most crowded one; it ends earlier.
    distance[:, 0] = distance[:, 0] * 3 // 2
    distance[seats] = NEVER
    distance[seats, np.arange(seats.size)] = 0
    district = distance.argmin(axis=1)
    for number in range(seats.size):
        size = np.bincount(district, minlength=seats.size)
        if size[number] < 2:
            movable = (size[district] > 2) & (distance[np.arange(x.size), district] > 0)
            district[np.where(movable, distance[:, number], NEVER).argmin()] = number
    return np.asarray(district)


def _spread_out(first: Ints, at: tuple[Ints, Ints], crowding: Ints, count: int) -> Ints:
    """Choose points one by one, each the farthest from those before; the first is the lowest of ``first``."""
    x, y = at
    chosen = [int(first.argmin())]
    nearest = np.full(x.size, NEVER)
    while len(chosen) < count:
        last = chosen[-1]
        nearest = np.minimum(nearest, (x - x[last]) ** 2 + (y - y[last]) ** 2)
        chosen.append(int((nearest * 1000 // crowding).argmax()))
    return np.array(chosen)


def _works(towns: Towns, x: Ints, y: Ints, seed: int) -> Ints:
    """Return how near a works estate is: two beside every town, in random directions."""
    draws = Draws(seed, "works")
    count = towns.x.size
    nearness = []
    for _ in range(2):
        direction = draws.below(8, count)
        away = towns.radius * 9 // 10
        step_x = np.array([10, 7, 0, -7, -10, -7, 0, 7])[direction] * away // 10
        step_y = np.array([0, 7, 10, 7, 0, -7, -10, -7])[direction] * away // 10
        radius = towns.radius * draws.between(35, 65, count) // 100
        estates = replace(towns, x=towns.x + step_x, y=towns.y + step_y, radius=radius)
        nearness.append(_nearest_town(estates, x, y)[1])
    return np.minimum(nearness[0], nearness[1])


def _nearest_town(towns: Towns, x: Ints, y: Ints) -> tuple[Ints, Ints]:
    """Return the nearest town, and how near one is per mille of its reach, per cell."""
    # Squared lengths stay below 2^31: half the memory traffic.
    x, y = x.astype(np.int32), y.astype(np.int32)
    best = np.full(x.shape, np.iinfo(np.int32).max, dtype=np.int32)
    owner = np.zeros(x.shape, dtype=np.int64)
    urban = np.full(x.shape, np.iinfo(np.int32).max, dtype=np.int32)
    for town in range(towns.x.size):
        distance = (x - np.int32(towns.x[town])) ** 2 + (y - np.int32(towns.y[town])) ** 2
        closer = distance < best
        best = np.where(closer, distance, best)
        owner[closer] = town
        urban = np.minimum(urban, distance // np.int32(max(towns.radius[town] ** 2 // 1000, 1)))
    return owner, urban.astype(np.int64)
