"""Land that lies far from all other: told, with what it costs."""

from __future__ import annotations

import pytest
import shapely
from town import square, write_town

from carbongrid.outputs.report.notes import note_in_chinese
from carbongrid.pipeline import check

TOTALS = {"totals.csv": "category,value,unit\nbuildings/commerce,5,t CO2e\n"}
ROW = [square(x, 0) for x in range(3)]
SPIKE = shapely.Polygon([*square(2, 0).exterior.coords[:1], (square(2, 0).bounds[2] + 5e4, square(2, 0).bounds[3]), *square(2, 0).exterior.coords[2:]])  # fmt: skip


def told(folder, parcels, units):
    """Return the file and words of each warning of land far away; each has Chinese."""
    land = [(f"p{n}", "05", each) for n, each in enumerate(parcels)]
    around = [(f"u{n}", "d", each) for n, each in enumerate(units)]
    found = [each for each in check(write_town(folder, land, around, TOTALS)).problems if "far from all other" in each.what]  # fmt: skip
    assert all(each.level == "warning" and note_in_chinese(str(each)) for each in found)
    return [(each.where, each.what) for each in found]


@pytest.mark.parametrize(
    ("parcels", "units", "words"),
    [
        (ROW, ROW, []),
        (ROW, [*ROW[:2], SPIKE], [("units.gpkg", "1 of 3 units", "3 km across: u2 (50 km)")]),
        (ROW, [*ROW, square(0, -40)], [("units.gpkg", "1 of 4 units", "3 km across: u3 (40 km)")]),
        (ROW, [*ROW, square(0, 9)], []),  # a bay is wide
        ([*ROW, square(0, 40)], [*ROW, square(0, 40)], []),  # an island
        (ROW, [*ROW, square(90, 0), square(0, 60)], [("units.gpkg", "2 of 5 units", "u3 (88 km), u4 (60 km)")]),
    ],
)  # fmt: skip
def test_units_far_from_all_land_are_told(tmp_path, parcels, units, words):
    """Seen without a word: one corner 50 degrees off made 4,310 million cells of 0.4."""
    found = told(tmp_path, parcels, units)
    assert len(found) == len(words)
    for (where, what), (file, *parts) in zip(found, words, strict=True):
        assert where == file
        assert all(part in what for part in parts)


def test_of_few_parcels_one_far_away_is_told(tmp_path):
    """Seen to fail: of up to two hundred the middle was all of them."""
    land = [*(square(x / 5, 0, 0.2) for x in range(24)), square(300, 0)]
    [(where, what)] = told(tmp_path, land, [square(0, 0, 5)])
    assert where == "parcels.gpkg"
    assert "1 of 25 parcels" in what


def test_parcels_in_no_unit_far_from_the_others_are_told(tmp_path):
    """One among many, whose corner was typed wrong; one that lies as far in a unit of its own is an island. The units do not reach as far and are not told."""
    many = [square(x / 20, y / 20, 0.05, 0.05) for x in range(20) for y in range(20)]
    island = square(-30, 0, 0.05, 0.05)
    [(where, what)] = told(tmp_path, [*many, island, square(300, 0, 0.05, 0.05)], [square(0, 0), island])  # fmt: skip
    assert where == "parcels.gpkg"
    assert "1 of 402 parcels" in what
    assert "31 km across: p401 (299 km)" in what
    assert "the fine grid has about 33,005 cells, and would have 3,100" in what
