"""What the tables of a case from OpenStreetMap say."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import CRS

from carbongrid.case.readers.coordinates import project_points
from carbongrid.sources.osm.carriers import MIN_POIS, carried_rows

PLANE = CRS.from_epsg(32632)
EAST, NORTH = 540_000.0, 5_220_000.0


@pytest.mark.parametrize(
    ("on_land", "of_all", "weight"),
    [(MIN_POIS - 1, 15, "area"), (MIN_POIS, 15, "pois"), (15, 30, "pois"), (15, 31, "area")],
)
def test_points_count_where_they_are_placed(on_land: int, of_all: int, weight: str) -> None:
    """Seen to fail when all of the map counted, of which many stand far from any shop's land."""
    parcels = gpd.GeoDataFrame(
        {"id": ["1"], "type": ["commercial"], "mode": [""]},
        geometry=[shapely.box(EAST, NORTH, EAST + 100, NORTH + 100)],
        crs=PLANE,
    )
    # The first lie inside and up to 99 m beside, the others 200 m and more away.
    x = EAST + np.r_[np.linspace(50, 199, on_land), np.linspace(300, 900, of_all - on_land)]
    lon, lat = project_points(x, np.full(of_all, NORTH + 50), PLANE, CRS.from_epsg(4326))
    pois = pd.DataFrame({"lon": lon, "lat": lat, "type": "shop=bakery", "weight": 1.0})
    rows = carried_rows(parcels, pois, gpd.GeoDataFrame(geometry=[], crs=PLANE))
    own = rows.categories.set_index("category")["weight"]
    assert own.get("buildings/commerce", "pois") == weight
    (source,) = rows.totals.loc[rows.totals["category"] == "buildings/commerce", "source"]
    assert (f"only {on_land} of {of_all} points of interest reach its land" in source) == (
        weight == "area"
    )
