"""Lines of the map cut to the units."""

from __future__ import annotations

import geopandas as gpd
import shapely

from carbongrid.sources.osm.networks import lines_within


def test_a_line_that_touches_the_border_once_more_is_kept():
    """Cut to a line and a point. Seen to fail: the road was gone, and nobody was told."""
    units = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 10, 10)], crs=4549)
    road = shapely.LineString([(5, 5), (10, 5), (12, 6), (10, 8), (12, 9)])
    twice = shapely.LineString([(5, 2), (12, 2), (12, 3), (5, 3), (5, 4), (12, 4), (10, 4.5), (12, 5)])  # fmt: skip
    away = shapely.LineString([(20, 20), (30, 20)])
    corner = shapely.LineString([(10, 10), (20, 20)])
    lines = gpd.GeoDataFrame({"osm_id": list("abcd")}, geometry=[road, twice, away, corner], crs=4549)  # fmt: skip
    cut = lines_within(lines, units)
    assert cut["osm_id"].tolist() == ["a", "b"]
    assert [round(length, 9) for length in cut.length] == [5, 16]
    assert set(cut.geom_type) <= {"LineString", "MultiLineString"}
