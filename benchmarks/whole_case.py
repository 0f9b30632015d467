"""A province as a case: a partition into parcels, units, POIs, people, lines and 25 categories' totals, all written as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import landuse
import numpy as np
import pandas as pd
import shapely

if TYPE_CHECKING:
    import carbongrid as cg

ORIGIN = 4_000_000.0, 2_800_000.0
"""South-west corner in EPSG:3035, on land."""

CODES = {
    "0101": 0.34, "0201": 0.08, "0301": 0.14, "0404": 0.04, "1101": 0.09, "0702": 0.08, "0701": 0.05, "0601": 0.03,
    "0602": 0.004, "0809": 0.006, "05H1": 0.02, "0805": 0.02, "1003": 0.05, "1001": 0.004, "1007": 0.001,
    "1008": 0.001, "1202": 0.02, "1206": 0.024,
}  # fmt: skip
"""Land-use codes of the national survey, and about what share of the parcels has each."""

POIS = {
    "industry/mining": "0602", "industry/manufacturing": "0601", "industry/supply": "0809", "buildings/commerce": "05H1",
    "buildings/public-services": "0805", "transport/road": "1003",
}  # fmt: skip
LINES = {"primary": "1003", "rail": "1001", "canal": "1008"}

OWN = """category,sector,name_en,name_zh,scope,sink,types,weight
buildings/heating,buildings,District heating,集中供热,2,false,urban-residential+commercial+public,field:floor_area
buildings/construction,buildings,Building sites,建筑施工,1,false,urban-residential+commercial,area
agriculture/aquaculture,agriculture,Aquaculture,水产养殖,1,false,water,area
waste/sewage,waste,Sewage,污水,1,false,utilities,area
"""

CATEGORIES = (
    "industry/mining", "industry/manufacturing", "industry/supply", "buildings/urban-homes", "buildings/rural-homes",
    "buildings/commerce", "buildings/public-services", "buildings/heating", "buildings/construction", "transport/road",
    "transport/rail", "transport/water", "transport/air", "agriculture/plantation", "agriculture/husbandry",
    "agriculture/land", "agriculture/aquaculture", "waste/industrial", "waste/domestic", "waste/sewage", "sink/forest",
    "sink/grassland", "sink/water", "sink/unused", "sink/crops",
)  # fmt: skip


def write(folder: Path, count: int, side: float, units: int, reduce: str = "cells") -> int:
    """Write a case of about count parcels in a square of side m; return their number."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(count)
    parcels = landuse.partition(count, side)
    codes = random.choice(list(CODES), len(parcels), p=np.array(list(CODES.values())))
    # Each code is there, however small the land.
    codes[: len(CODES)] = list(CODES)
    parcels["code"] = codes
    floors = np.where(
        np.isin(codes, ["0701", "0702", "05H1", "0805"]), random.uniform(0.2, 3, len(codes)), 0
    )
    parcels["floor_area"] = (parcels.area * floors).round(1)
    _moved(parcels).to_parquet(folder / "parcels.parquet", compression="zstd")
    townships = _moved(landuse.townships(units, side))
    townships.to_file(folder / "units.gpkg")
    _write_pois(random, parcels, folder)
    _write_people(random, side, folder)
    _write_lines(parcels, folder)
    gdp = pd.DataFrame(
        {"region": townships["id"], "value": random.uniform(1, 90, len(townships)).round(2)}
    )
    gdp.to_csv(folder / "gdp.csv", index=False)
    (folder / "categories.csv").write_text(OWN, encoding="utf-8")
    write_totals(folder, 1000)
    (folder / "case.toml").write_text(
        f'year = 2020\nelectricity = "both"\nreduce = "{reduce}"\n[grid]\ncrs = "{landuse.CRS}"\nresolution = 10\n[parcels]\npath = "parcels.parquet"\n'
        'id = "id"\nland_use = "code"\ncode_system = "tdland3"\n[units]\npath = "units.gpkg"\nid = "id"\n[pois]\n'
        f'path = "pois.csv"\nx = "x"\ny = "y"\ncrs = "{landuse.CRS}"\ntype = "type"\ncrosswalk = "types.csv"\n[people]\n'
        'path = "people.tif"\n[lines]\npath = "lines.gpkg"\nclass = "class"\n[totals]\npath = "totals.csv"\n[gdp]\npath = "gdp.csv"\n'
        'by = "unit"\ncurrency = "1e8 CNY"\n[categories]\npath = "categories.csv"\n',
        encoding="utf-8",
    )
    return len(parcels)


def write_totals(folder: Path, first: int) -> None:
    """Write totals that grow with ``first``: another year's are another number."""
    rows = [f"{name},{first + 37 * i},kt CO2e" for i, name in enumerate(CATEGORIES)]
    (folder / "totals.csv").write_text("\n".join(["category,value,unit", *rows]), encoding="utf-8")


def plan(run: cg.Result) -> list[dict[str, Any]]:
    """Return a plan that any run takes: less of a total, land of another use in a tenth of the units, more GDP in one, less on land."""
    units, codes = run.units["id"].tolist(), run.live.prepared.parcels["land_use"]
    fields = codes[codes.str.startswith("01")].iloc[0]
    return [
        {"do": "scale", "category": "industry/manufacturing", "factor": 0.9},
        {"do": "convert", "units": units[::10], "code": fields, "to": "0301"},
        {"do": "gdp", "units": units[:1], "factor": 1.05},
        {"do": "scale", "category": "transport/road", "units": units[1:2], "factor": 0.8},
    ]


def _moved(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return frame.set_geometry(
        shapely.transform(frame.geometry.to_numpy(), lambda xy: xy + ORIGIN), crs=frame.crs
    )


def _write_pois(random: np.random.Generator, parcels: gpd.GeoDataFrame, folder: Path) -> None:
    """Write a POI or two for each parcel of the POIs' land, inside it."""
    tables = []
    for kind, code in POIS.items():
        land = parcels.geometry[parcels["code"] == code].sample(
            frac=1.5, replace=True, random_state=1
        )
        xy = shapely.get_coordinates(land.representative_point().to_numpy())
        xy += random.normal(0, 3, xy.shape) + ORIGIN
        tables.append(pd.DataFrame({"x": xy[:, 0].round(2), "y": xy[:, 1].round(2), "type": kind}))
    pd.concat(tables).to_csv(folder / "pois.csv", index=False)
    (folder / "types.csv").write_text(
        "\n".join(["poi_type,category", *(f"{kind},{kind}" for kind in POIS)]), encoding="utf-8"
    )


def _write_people(random: np.random.Generator, side: float, folder: Path) -> None:
    """Write residents per square kilometre."""
    import rasterio
    from affine import Affine

    cells = max(round(side / 1000), 1)
    people = random.gamma(0.5, 900, (cells, cells)).astype(np.float32)
    transform = Affine(1000, 0, ORIGIN[0], 0, -1000, ORIGIN[1] + cells * 1000)
    shape = {"height": cells, "width": cells, "count": 1, "dtype": "float32"}
    with rasterio.open(
        folder / "people.tif", "w", "GTiff", crs=landuse.CRS, transform=transform, **shape
    ) as raster:
        raster.write(people, 1)


def _write_lines(parcels: gpd.GeoDataFrame, folder: Path) -> None:
    """Write a chord across each parcel of roads, railways and harbours."""
    tables = []
    for kind, code in LINES.items():
        land = parcels.geometry[parcels["code"] == code].to_numpy()
        ring = shapely.get_exterior_ring(land)
        ends = [shapely.get_point(ring, at) for at in (0, shapely.get_num_points(ring) // 2)]
        xy = np.stack([shapely.get_coordinates(end) for end in ends], axis=1) + ORIGIN
        tables.append(
            gpd.GeoDataFrame(
                {"class": kind}, index=range(len(xy)), geometry=shapely.linestrings(xy)
            )
        )
    pd.concat(tables).set_crs(landuse.CRS, allow_override=True).to_file(folder / "lines.gpkg")
