"""Rows that stand in a file more than once count, and are told."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from squares_case import CRS, SOUTH, WEST, squares_case

from carbongrid.case.readers.copies import OF_LINES, copy_problems
from carbongrid.pipeline import check


@pytest.mark.parametrize(("again", "told"), [(0, 0), (1, 0), (2, 0), (3, 1), (100, 1)])
def test_more_than_a_hundredth_is_told(again: int, told: int) -> None:
    values = np.sort(np.r_[np.arange(200 - again), np.arange(again)])
    problems = copy_problems([values, np.zeros(values.size)], "pois.csv", OF_LINES)
    assert len(problems) == told
    assert all(f"{again:,} of 200 rows ({again / 2:.1f}%)" in each.what for each in problems)


def test_nothing_is_a_copy_of_nothing() -> None:
    assert copy_problems([np.zeros(0)], "pois.csv", OF_LINES) == []
    assert copy_problems([np.zeros(1)], "pois.csv", OF_LINES) == []


def test_points_people_and_lines_that_overlap_are_told(tmp_path: Path) -> None:
    """Two crawls whose tiles overlap. Seen to fail: the half that stands twice counted twice, and nobody was told."""
    point = f"{WEST + 500},{SOUTH + 500}"
    rows = [f"{point},{kind}" for kind in ("060400", "060400", "050100")]
    people = [f"{point},10", f"{point},10", f"{WEST + 1500},{SOUTH + 500},10"]
    tables = {
        "totals.csv": "category,value,unit\nindustry/manufacturing,5,t CO2e\n",
        "pois.csv": "\n".join(["lon,lat,typecode", *rows]),
        "people.csv": "\n".join(["lon,lat,residents", *people]),
    }
    road = shapely.LineString([(WEST, SOUTH + 500), (WEST + 2000, SOUTH + 500)])
    gpd.GeoDataFrame({"class": ["primary"] * 3}, geometry=[road, road, shapely.LineString([(WEST, SOUTH + 500), (WEST, SOUTH + 900)])], crs=CRS).to_file(tmp_path / "lines.gpkg")  # fmt: skip
    case = squares_case(
        tmp_path, ["0601", "0701"], tables,
        pois={"path": "pois.csv", "crs": f"EPSG:{CRS}", "type": "typecode"},
        people={"path": "people.csv", "crs": f"EPSG:{CRS}"},
        lines={"path": "lines.gpkg", "class": "class"},
    )  # fmt: skip
    told = [
        str(each) for each in check(case).problems if "agree with another one in place" in each.what
    ]
    assert sorted(text.partition(":")[0] for text in told) == ["lines.gpkg", "people.csv", "pois.csv"]  # fmt: skip
    assert all("1 of 3 " in text for text in told)
