"""On any grid: what a run writes passes verify, and a parcel smaller than a cell lies in the unit that holds it."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from carbongrid.case import Case
from carbongrid.pipeline import run
from carbongrid.pipeline.verification import verify

EXAMPLES = int(os.environ.get("CARBONGRID_EXAMPLES", "2"))
CRS, EAST, NORTH = "EPSG:32650", 500_000, 3_400_000
TOTALS = {"agriculture/plantation": 10**13 + 7, "waste/industrial": 10**12 + 1}


@dataclass(frozen=True)
class Strip:
    """A strip of land in whole coarse cells: sides in fine cells, offsets in coarse ones.

    Units meet at ``borders``, seven tenths into a cell. Specks lie right of each border, and inside the west rim, in cells whose
    centres lie in the unit beside theirs, or in none.
    """

    resolution: str
    factor: int
    columns: int
    offset: tuple[int, int]
    borders: tuple[int, ...]
    reduce: str = "cells"

    @property
    def side(self) -> float:
        return float(self.resolution)

    @property
    def coarse(self) -> float:
        return float(Decimal(self.resolution) * self.factor)

    @property
    def corner(self) -> tuple[float, float]:
        """The west and south rim of the grid."""
        west, south = (
            (round(place / self.coarse) + more) * self.coarse
            for place, more in zip((EAST, NORTH), self.offset, strict=True)
        )
        return west, south

    def box(self, left: float, bottom: float, right: float, top: float) -> shapely.Polygon:
        """Return a box whose sides are given in fine cells from the corner."""
        west, south = self.corner
        return shapely.box(
            west + left * self.side,
            south + bottom * self.side,
            west + right * self.side,
            south + top * self.side,
        )

    @property
    def units(self) -> np.ndarray:
        places = [0.6, *(border + 0.7 for border in self.borders), self.columns - 0.3]
        boxes = [self.box(left, 0.2, right, self.factor - 0.2) for left, right in pairwise(places)]
        return np.array(boxes)

    @property
    def specks(self) -> np.ndarray:
        lefts = [0.65, *(border + 0.75 for border in self.borders)]
        return np.array([self.box(left, 0.3, left + 0.15, 0.45) for left in lefts])

    def case(self, folder: Path) -> Case:
        """Write land that the units cover, cut elsewhere than they are."""
        ends = np.linspace(0.6, self.columns - 0.3, 5)
        fields = [self.box(left, 0.2, right, self.factor - 0.2) for left, right in pairwise(ends)]
        land = [*shapely.difference(fields, shapely.union_all(self.specks)), *self.specks]
        codes = ["0101"] * len(fields) + ["0601"] * len(self.specks)
        names = [f"p{row:02}" for row in range(len(land))]
        parcels = gpd.GeoDataFrame({"id": names, "code": codes}, geometry=land, crs=CRS)
        parcels.to_file(folder / "parcels.gpkg")
        units = [f"u{row}" for row in range(len(self.units))]
        gpd.GeoDataFrame({"id": units}, geometry=self.units, crs=CRS).to_file(folder / "units.gpkg")
        rows = [f"{name},{grams},g CO2e" for name, grams in TOTALS.items()]
        (folder / "totals.csv").write_text(
            "\n".join(["category,value,unit", *rows]), encoding="utf-8"
        )
        values = {
            "year": 2020,
            "reduce": self.reduce,
            "grid": {"crs": CRS, "resolution": self.side, "coarse": self.coarse},
            "parcels": {
                "path": "parcels.gpkg",
                "id": "id",
                "land_use": "code",
                "code_system": "tdland3",
            },
            "units": {"path": "units.gpkg", "id": "id"},
            "totals": {"path": "totals.csv"},
        }
        return Case.of(values, folder / "case.toml")


@st.composite
def strips(draw: st.DrawFn) -> Strip:
    """Strips as wide as whole tiles, one column more or less, or narrow."""
    columns = draw(st.sampled_from([1023, 1024, 1025, 2047, 2048, 2049, 66, 35]))
    factor = draw(st.sampled_from([n for n in range(2, 100) if columns % n == 0]))
    return Strip(
        draw(st.sampled_from(["1", "0.7", "10", "33.33", "30.19", "2.5"])),
        factor,
        columns,
        (draw(st.integers(0, 40)), draw(st.integers(0, 40))),
        tuple(sorted(draw(st.sets(st.integers(3, columns - 4), min_size=1, max_size=3)))),
        draw(st.sampled_from(["cells", "cells", "exact"])),
    )


def grams(folder: Path, table: str, column: str) -> list[int]:
    """Tonnes as they are written, with six decimals."""
    cells = pd.read_csv(folder / f"{table}.csv", dtype=str, encoding="utf-8-sig")[column]
    return [int(cell.replace(".", "")) for cell in cells]


@settings(max_examples=EXAMPLES, derandomize=True, phases=[Phase.explicit, Phase.generate], deadline=None)  # fmt: skip
@given(strips())
@example(Strip("1", 41, 1025, (0, 0), (300,)))
def test_a_run_on_any_grid_passes_verify(strip: Strip) -> None:
    """Seen to fail on a tile of one column, whose labels geocube burnt as something else, and on specks given to the unit of their cell."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        result = run(strip.case(folder), folder / "run")
        found = verify(folder / "run")
        assert found.ok, [check for check in found.checks if not check.ok]
        assert result.grid_1km["emission"].shape == (1, strip.columns // strip.factor)
        on_specks = result.parcels["waste/industrial"].to_numpy()[-len(strip.specks) :]
        assert on_specks.sum() == TOTALS["waste/industrial"]
        assert grams(folder / "run", "units", "waste_industrial_t") == on_specks.tolist()
        ledger = pd.read_csv(folder / "run" / "ledger.csv")
        outside = ledger.set_index("category")["outside_units_t"]
        assert outside["waste/industrial"] == 0
        in_units = grams(folder / "run", "units", "agriculture_plantation_t")
        assert sum(in_units) + round(outside["agriculture/plantation"] * 1e6) == sum(TOTALS.values()) - on_specks.sum()  # fmt: skip
