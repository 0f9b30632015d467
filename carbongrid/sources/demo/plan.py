"""What differs between the full city and the small one: extents, counts and where things lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Size = Literal["full", "small"]

CRS = "EPSG:4528"
"""CGCS2000, 3-degree Gauss-Kruger zone 40; eastings such as 40,500,000 m."""

METRE = 10
"""Integer steps (decimetres) in a metre."""

Point = tuple[int, int]


@dataclass(frozen=True)
class Plan:
    """Settings of a city; lengths in decametres, the unit of the landscape's integers, unless said otherwise.

    Parameters
    ----------
    cells
        Columns and rows of the lattice before ribbons are inserted.
    pitch
        Side of a lattice cell, decimetres.
    origin
        South-west corner, decimetres in :data:`CRS`.
    area_km2
        Area that the townships cover together.
    breadth
        Wavelengths of the terrain, per mille of the full city's.
    centre, radius
        The main city.
    lake, lake_radius
        The big lake: an ellipse before it is frayed.
    sea
        Distance of the coast from the middle of the box, towards the north-east.
    hill_share
        Share of the noise range above which there are hills, of 2^16.
    """

    size: Size
    cells: tuple[int, int]
    origin: Point
    area_km2: int
    townships: int
    districts: int
    people: int
    breadth: int
    centre: Point
    radius: int
    lake: Point
    lake_radius: Point
    sea: int
    hill_level: int
    airports: int
    ports: int
    pits: int
    resolution: int
    pitch: int = 1200

    @property
    def extent(self) -> Point:
        """Width and height of the box, without ribbons."""
        return self.cells[0] * self.pitch // 100, self.cells[1] * self.pitch // 100


PLANS: dict[Size, Plan] = {
    "full": Plan(
        size="full",
        cells=(1028, 1028),
        origin=(404_390_000, 34_130_000),
        area_km2=8657,
        townships=97,
        districts=10,
        people=12_748_262,
        breadth=1000,
        centre=(6100, 5900),
        radius=1150,
        lake=(2750, 4450),
        lake_radius=(2100, 1750),
        sea=4950,
        hill_level=44_000,
        airports=1,
        ports=12,
        pits=9,
        resolution=10,
    ),
    "small": Plan(
        size="small",
        cells=(216, 152),
        origin=(404_870_000, 34_660_000),
        area_km2=330,
        townships=6,
        districts=2,
        people=641_530,
        breadth=300,
        centre=(1450, 900),
        radius=260,
        lake=(420, 620),
        lake_radius=(420, 370),
        sea=1010,
        hill_level=42_000,
        airports=1,
        ports=4,
        pits=2,
        resolution=40,
    ),
}
