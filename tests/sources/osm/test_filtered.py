"""What an extract lacks that every place has, and tags that are known but for a slip."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import box

from carbongrid.sources.osm.filtered import nearly_known, what_is_missing
from carbongrid.sources.osm.writing import _mapped

CRS = "EPSG:32632"


def parcels(kinds: list[str]) -> gpd.GeoDataFrame:
    shapes = [box(x, 0, x + 1, 1) for x in range(len(kinds))]
    return gpd.GeoDataFrame({"type": kinds}, geometry=shapes, crs=CRS)


def lines(*kinds: str) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"class": list(kinds)}, geometry=[box(0, 0, 1, 1).boundary for _ in kinds], crs=CRS)  # fmt: skip


FIELDS = ["cultivated"] * 99


@pytest.mark.parametrize(
    ("kinds", "classes", "points", "lacks"),
    [
        ([*FIELDS, "urban-residential"], ["residential"], 1, []),
        ([*FIELDS, "rural-homestead"], ["service", "rail"], 9, []),
        ([*FIELDS, "settlement"], ["rail"], 9, ["road with traffic"]),
        ([*FIELDS, "settlement"], [], 9, ["road with traffic"]),
        ([*FIELDS, "commercial"], ["primary"], 9, ["land of homes"]),
        ([*FIELDS, "settlement"], ["primary"], 0, ["point with a tag"]),
        (FIELDS, [], 0, []),  # a hamlet
    ],
)
def test_what_every_place_has_is_missed(kinds: list[str], classes: list[str], points: int, lacks: list[str]) -> None:  # fmt: skip
    """Seen without a word: a whole country's roads, whose traffic then lay on car parks."""
    found = what_is_missing(parcels(kinds), lines(*classes), points)
    assert [each.what for each in found] == [f"the extract has 100 parcels in the units and no {what}" for what in lacks]  # fmt: skip
    assert all(each.level == "warning" for each in found)


@pytest.mark.parametrize(
    ("tag", "width", "meant"),
    [
        ("landuse=residental", 2, "landuse=residential"),
        ("landuse=Residential", 2, "landuse=residential"),
        ("landuse=residental", 0.5, ""),
        ("landuse=plateau", 50, ""),
        ("natural=residental", 50, ""),
    ],
)
def test_a_tag_that_is_known_but_for_a_slip_is_told(tag: str, width: float, meant: str) -> None:
    shapes = [box(0, 0, 98, 1000), box(98, 0, 98 + width, 1000)]
    land = gpd.GeoDataFrame({"land_use": ["natural=wood", tag]}, geometry=shapes, crs=CRS)
    found = nearly_known(land, np.array([False, True]), ["landuse=residential", "natural=wood"])
    assert [each.level for each in found] == ["warning"] * bool(meant)
    assert all(f"{tag} (0.0 km2) for {meant}" in each.what for each in found)


def test_of_a_parcel_across_a_border_each_unit_has_its_part() -> None:
    """Seen to fail: a wood over three units was all of the one that holds its middle, and the others were bare."""
    units = gpd.GeoDataFrame(geometry=[box(x, 0, x + 100, 10) for x in (0, 100, 200)], crs=CRS)
    land = gpd.GeoDataFrame(geometry=[box(50, 0, 300, 8), box(0, 0, 50, 10)], crs=CRS)
    mapped = _mapped(cast(Any, SimpleNamespace(parcels=land)), cast(Any, SimpleNamespace(table=units)))  # fmt: skip
    assert mapped.tolist() == [900, 800, 800]
