"""The land-use code of every parcel, by zone, place and lot; codes of the Chinese national land survey."""

from __future__ import annotations

import numpy as np

from carbongrid.sources.demo.draws import UNIT, Draws, Ints, Mask, noise
from carbongrid.sources.demo.landscape import Landscape
from carbongrid.sources.demo.lattice import RIBBON_KINDS
from carbongrid.sources.demo.parcels import Parcels
from carbongrid.sources.demo.ribbons import NOTHING
from carbongrid.sources.demo.zones import Zone

Lottery = dict[str, int]
"""Code and its chance, per mille; the rest goes to the first code."""

_FIELD: Lottery = {
    "0101": 560, "0103": 130, "0102": 40, "0201": 60, "0307": 60, "1104": 50, "0404": 25, "1202": 24,
    "0702": 30, "0305": 9, "1206": 8, "1201": 4,
}  # fmt: skip
_WET_FIELD: Lottery = {"1104": 470, "0101": 330, "1104A": 90, "0404": 30, "1202": 40, "0702": 40}
_ORCHARD: Lottery = {
    "0201": 430,
    "0101": 230,
    "0103": 160,
    "0202": 60,
    "0307": 80,
    "1202": 20,
    "0702": 20,
}
_HILL: Lottery = {
    "0301": 700, "0302": 90, "0307": 60, "0305": 30, "0202": 45, "0201": 35, "0404": 25, "1103": 8, "1206": 7,
}  # fmt: skip
_VILLAGE: Lottery = {"0702": 850, "0601": 45, "1202": 35, "08H2": 35, "08H1": 35}
_CORE: Lottery = {
    "0701": 380,
    "05H1": 280,
    "08H2": 120,
    "08H1": 100,
    "0810": 80,
    "0809": 20,
    "0508": 20,
}
_TOWN: Lottery = {
    "0701": 540, "05H1": 100, "08H2": 110, "0810": 90, "0601": 60, "08H1": 35, "0809": 22, "0508": 20,
    "1005": 13, "1104": 10,
}  # fmt: skip
_OUTSKIRTS: Lottery = {
    "0701": 400, "0601": 200, "05H1": 65, "08H2": 70, "0810": 60, "0508": 35, "0809": 30, "1005": 10,
    "0101": 70, "0702": 60,
}  # fmt: skip
_WORKS: Lottery = {
    "0601": 730,
    "0508": 90,
    "0701": 55,
    "0809": 45,
    "0101": 40,
    "05H1": 25,
    "1005": 15,
}
_SPOT: Lottery = {"1104": 460, "1202": 260, "0702": 190, "0809": 50, "1201": 40}
_CLEARING: Lottery = {"1104": 400, "1103": 150, "0404": 200, "0702": 150, "0103": 100}

_RIBBON = {
    "motorway": "1003", "rail": "1001", "trunk": "1003", "primary": "1003", "secondary": "1003",
    "tertiary": "1003", "residential": "1004", "canal": "1107", "lane": "1006", "ditch": "1107",
}  # fmt: skip

NEEDED = ("0601", "0809", "05H1", "08H1", "08H2", "0701")
"""Codes that every district has, so that each of its categories has land."""


def land_use_codes(
    parcels: Parcels, land: Landscape, seed: int
) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    """Return the code (DLBM) of every parcel."""
    lots = Draws(seed, "codes").below(1000, len(parcels))
    # Ponds and orchards lie in belts.
    wet = noise(parcels.x, parcels.y, 900, Draws(seed, "wet"))
    mild = noise(parcels.x, parcels.y, 1100, Draws(seed, "mild"))
    urban, hilly = parcels.mean(land.urban), parcels.mean(land.hill.astype(np.int64) * 100) > 50
    zone = parcels.zone
    code = np.full(len(parcels), "0000", dtype="<U5")

    def fill(where: Mask, lottery: Lottery) -> None:
        code[where] = _drawn(lots[where], lottery)

    field = zone == Zone.FIELD
    fill(field, _FIELD)
    fill(field & (mild > UNIT * 74 // 100), _ORCHARD)
    fill(field & (wet > UNIT * 72 // 100), _WET_FIELD)
    fill(zone == Zone.HILL, _HILL)
    fill(zone == Zone.VILLAGE, _VILLAGE)
    fill(zone == Zone.TOWN, _TOWN)
    fill((zone == Zone.TOWN) & (urban < 160), _CORE)
    fill((zone == Zone.TOWN) & (urban > 520), _OUTSKIRTS)
    fill(zone == Zone.WORKS, _WORKS)
    fill((zone == Zone.SPOT) & ~hilly, _SPOT)
    fill((zone == Zone.SPOT) & hilly, _CLEARING)
    near_sea = parcels.mean(_distance_class(land)) > 50
    code[zone == Zone.FLATS] = np.where(near_sea, "1105", "1106")[zone == Zone.FLATS]
    for kind, fixed in (
        (Zone.RIVER, "1101"),
        (Zone.LAKE, "1102"),
        (Zone.AIRPORT, "1007"),
        (Zone.PORT, "1008"),
        (Zone.PIT, "0602"),
    ):
        code[zone == kind] = fixed
    _along_ribbons(code, parcels, urban)
    _needed_in_districts(code, parcels, land.towns.district)
    return code


def _drawn(lots: Ints, lottery: Lottery) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    codes = np.array(list(lottery))
    ends = np.cumsum(list(lottery.values()))
    place = np.searchsorted(ends, lots, side="right")
    return codes[np.where(place < codes.size, place, 0)]


def _distance_class(land: Landscape) -> Ints:
    """Return 100 within a kilometre of the sea, else 0."""
    from scipy import ndimage

    return ndimage.binary_dilation(land.sea, iterations=8).astype(np.int64) * 100


def _along_ribbons(
    code: np.ndarray[tuple[int], np.dtype[np.str_]], parcels: Parcels, urban: Ints
) -> None:
    for number, name in enumerate(RIBBON_KINDS):
        code[parcels.kind == number] = _RIBBON[name]
    street = np.isin(parcels.kind, [RIBBON_KINDS.index(name) for name in ("secondary", "tertiary")])
    code[street & (urban < 900)] = "1004"
    metro = (parcels.kind == RIBBON_KINDS.index("rail")) & (urban < 250)
    code[metro] = "1002"
    # Where a ditch and a lane cross there is a sluice.
    sluice = (
        parcels.crossing & (parcels.kind >= RIBBON_KINDS.index("lane")) & (parcels.kind < NOTHING)
    )
    code[sluice] = "1109"


def _needed_in_districts(
    code: np.ndarray[tuple[int], np.dtype[np.str_]], parcels: Parcels, district: Ints
) -> None:
    """Recode a block in the towns of a district that lacks a code which its categories need."""
    of_parcel = np.where(parcels.township >= 0, district[parcels.township], -1)
    # Blocks in towns first, then works, villages and fields.
    fitness = np.select(
        [parcels.zone == kind for kind in (Zone.TOWN, Zone.WORKS, Zone.VILLAGE, Zone.FIELD)],
        [0, 1, 2, 3],
        9,
    )
    for number in range(int(district.max()) + 1):
        blocks = np.flatnonzero((of_parcel == number) & (fitness < 9))
        blocks = blocks[np.argsort(fitness[blocks], kind="stable")]
        for needed in NEEDED:
            if not (code[blocks] == needed).any():
                spare = [block for block in blocks.tolist() if _spare(code, blocks, block)]
                code[spare[0]] = needed


def _spare(code: np.ndarray[tuple[int], np.dtype[np.str_]], blocks: Ints, block: int) -> bool:
    """Tell whether a block is not the only one of a needed code."""
    own = code[block]
    return bool(own not in NEEDED or (code[blocks] == own).sum() > 1)
