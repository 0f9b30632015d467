"""Overture's land and places as their files come: read, checked, run."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from overture_files import BASE, write_overture
from shapely.geometry import LineString, MultiPolygon, box

import carbongrid as cg
from carbongrid.errors import InputError

STEP = 0.004
"""Side of a square of a made place, in degrees."""

PLACES = {"Vaduz": (9.5, 47.1), "Mombasa": (39.6, -4.1), "Osaka": (135.4, 34.6)}
"""South-western corners."""


def square(place, column, row, width=1.0, height=None):
    """Return a rectangle, by default as high as it is wide."""
    west, south = PLACES[place]
    x, y = west + column * STEP, south + row * STEP
    return box(x, y, x + width * STEP, y + (width if height is None else height) * STEP)


def write_land(folder, place):
    """A town of four squares of land use by two, with a school inside its homes, a reserve around all of it, a wood and a lake."""
    kinds = [("residential", 0, 0), ("industrial", 1, 0), ("retail", 2, 0), ("farmland", 3, 0), ("education", 0, 1), ("pedestrian", 1, 1)]  # fmt: skip
    shapes = [square(place, column, row) for _, column, row in kinds]
    rows = [{"class": kind, "subtype": "developed", "names": {"primary": kind}, "source_tags": {"landuse": kind}} for kind, *_ in kinds]  # fmt: skip
    rows += [{"class": "school", "subtype": "education"}, {"class": "nature_reserve", "subtype": "protected"}]  # fmt: skip
    shapes += [square(place, 0.3, 0.3, 0.3), MultiPolygon([square(place, 0, 0, 4, 2)])]
    write_overture(folder / "land_use.parquet", BASE, shapes, rows)
    wood, ridge = square(place, 2, 1), LineString(square(place, 0, 0, 4, 2).exterior.coords[:3])
    write_overture(folder / "land.parquet", BASE, [wood, ridge], [{"class": "wood", "subtype": "forest"}, {"class": "ridge", "subtype": "physical"}])  # fmt: skip
    write_overture(folder / "water.parquet", BASE, [square(place, 3, 1)], [{"class": "lake", "subtype": "lake"}])  # fmt: skip
    halves = [square(place, 0, 0, 2), square(place, 2, 0, 2)]
    units = gpd.GeoDataFrame({"code": ["1", "2"]}, geometry=halves, crs=4326)
    units.to_file(folder / "units.gpkg", layer="units", engine="pyogrio")


def write_case(folder, parcels="parcels.parquet", more=""):
    (folder / "totals.csv").write_text(
        "category,value,unit\nindustry/manufacturing,90,kt CO2e\nbuildings/public-services,30,kt CO2e\nsink/forest,5,kt CO2e\n"
    )
    (folder / "categories.csv").write_text(
        "category,weight\nindustry/manufacturing,area\n" + ("" if "[pois]" in more else "buildings/public-services,area\n")
    )  # fmt: skip
    (folder / "case.toml").write_text(
        f'year = 2026\n[grid]\nresolution = 20\ncoarse = 200\n[parcels]\npath = "{parcels}"\nid = "id"\nland_use = "class"\n'
        'code_system = "overture"\noverlap = "priority"\n[units]\npath = "units.gpkg"\nid = "code"\n[totals]\npath = "totals.csv"\n'
        f'[categories]\npath = "categories.csv"\n[uncertainty]\ndraws = 20\n{more}'
    )
    return folder / "case.toml"


def put_together(folder):
    """As docs/howto/overture.md does it."""
    kinds = ("land_use", "land", "water")
    files = [gpd.read_parquet(folder / f"{kind}.parquet", columns=["id", "class", "geometry"]) for kind in kinds]  # fmt: skip
    every = pd.concat(files, ignore_index=True)
    every[every.geom_type.isin(["Polygon", "MultiPolygon"])].to_parquet(folder / "parcels.parquet", index=False)  # fmt: skip


@pytest.mark.parametrize(
    "place",
    ["Mombasa", *(pytest.param(name, marks=pytest.mark.thorough) for name in ("Vaduz", "Osaka"))],
)
def test_a_case_of_overtures_land_runs(tmp_path, place):
    """A school inside homes is land of its own, and the reserve around all of it takes nothing from anybody."""
    write_land(tmp_path, place)
    put_together(tmp_path)
    told = cg.check(write_case(tmp_path)).problems
    assert not [each for each in told if each.level == "error" or "not in overture" in each.what]
    result = cg.run(tmp_path / "case.toml", tmp_path / "run")
    assert cg.verify(result.directory).ok
    land = result.parcels.set_index("land_use")
    kinds = land["type"].to_dict()
    assert kinds["school"] == kinds["education"] == "public"
    assert (kinds["wood"], kinds["lake"], kinds["pedestrian"]) == ("forest", "water", "transport")
    assert land.loc["industrial", "industry/manufacturing"] == 90 * 10**9
    schools = land.loc[["school", "education"]]
    assert schools["buildings/public-services"].sum() == 30 * 10**9
    share = schools["area_m2"] / schools["area_m2"].sum()
    np.testing.assert_allclose(schools["buildings/public-services"] / 30e9, share, rtol=1e-6)
    assert land.loc["residential", "area_m2"] == pytest.approx(land.loc["retail", "area_m2"] * 0.91, rel=1e-4)  # fmt: skip


def test_land_use_is_read_as_it_comes(tmp_path):
    """Its structs, maps and lists stand in nobody's way; what is no polygon is refused by its id."""
    write_land(tmp_path, "Vaduz")
    case = write_case(tmp_path, "land_use.parquet", '[allow]\nunallocated = ["sink/forest"]\n')
    parcels = cg.check(case)
    assert not [each for each in parcels.problems if each.level == "error"]
    case = write_case(tmp_path, "land.parquet")
    with pytest.raises(InputError, match=r"1 geometries are not polygons: land-1 \(LineString\)"):
        cg.run(case, tmp_path / "run")
