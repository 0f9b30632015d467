"""Shapes of case drawn by lot, each by its seed: parcels, vertices, holes, categories, a weight raster finer than the grid."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

CRS = "EPSG:3035"
WEST, SOUTH = 4_000_000.0, 2_800_000.0
SIDE = 12_000.0
"""Of the square of parcels, and of the one polygon with holes east of it, in m."""
CODES = ("0101", "0301", "0601", "0701", "0702", "05H1", "0404")
TYPES = ("paddy", "forest", "industrial", "urban-residential", "commercial")


@dataclass(frozen=True)
class Shape:
    """What decides how much memory a case takes.

    Parameters
    ----------
    parcels, vertices
        How many, and of each how many vertices on a side.
    holes
        Of one polygon more.
    categories
        How many.
    resolution
        Side of a fine cell in m.
    ratio
        Cells of the weight raster on the side of a fine cell; 0 where there is no raster.
    reduce
        ``cells`` or ``exact``.
    """

    parcels: int
    vertices: int = 2
    holes: int = 0
    categories: int = 5
    resolution: int = 10
    ratio: int = 0
    reduce: str = "cells"

    @classmethod
    def drawn(cls, seed: int) -> Shape:
        """Draw one; small and large alike are likely."""
        random = np.random.default_rng(seed)

        def about(least: float, most: float) -> int:
            return round(float(np.exp(random.uniform(np.log(least), np.log(most)))))

        ratio = int(random.choice([0, 1, 5, 20]))
        return cls(
            parcels=about(500, 20_000),
            vertices=about(2, 60),
            holes=about(1, 100_000),
            categories=about(3, 300),
            resolution=int(random.choice([10, 25, 50])),
            ratio=ratio,
            reduce=str(random.choice(["cells", "exact"])),
        )


def write(folder: Path, shape: Shape) -> Path:
    """Write the case; return its file."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_land(folder, shape)
    names = [f"waste/c{number:03d}" for number in range(shape.categories)]
    rules = ["area"] * len(names)
    if shape.ratio:
        _write_raster(folder, shape)
        rules[0] = "raster:weights.tif"
    rows = [
        f"{name},waste,Category {name[-3:]},类,1,false,{TYPES[number % len(TYPES)]},{rule}"
        for number, (name, rule) in enumerate(zip(names, rules, strict=True))
    ]
    head = "category,sector,name_en,name_zh,scope,sink,types,weight"
    (folder / "categories.csv").write_text("\n".join([head, *rows]), encoding="utf-8")
    totals = [f"{name},{number + 1},kt CO2e" for number, name in enumerate(names)]
    (folder / "totals.csv").write_text(
        "\n".join(["category,value,unit", *totals]), encoding="utf-8"
    )
    (folder / "case.toml").write_text(
        f'year = 2020\nelectricity = "both"\nreduce = "{shape.reduce}"\n[grid]\ncrs = "{CRS}"\nresolution = {shape.resolution}\n'
        '[parcels]\npath = "parcels.parquet"\nid = "id"\nland_use = "code"\ncode_system = "tdland3"\n[units]\npath = "units.gpkg"\n'
        'id = "id"\n[totals]\npath = "totals.csv"\n[gdp]\npath = "gdp.csv"\nby = "unit"\ncurrency = "1e8 CNY"\n'
        '[categories]\npath = "categories.csv"\n',
        encoding="utf-8",
    )
    return folder / "case.toml"


def _write_land(folder: Path, shape: Shape) -> None:
    across = max(round(shape.parcels**0.5), 3)
    row, column = np.divmod(np.arange(across * across), across)
    step = SIDE / across
    west, south = WEST + column * step, SOUTH + row * step
    squares = shapely.segmentize(
        shapely.box(west, south, west + step, south + step), step / max(shape.vertices - 1, 1)
    )
    polygons = [*squares, _holed(shape.holes)]
    codes = np.resize(CODES, len(polygons))
    land = {"id": [f"{place:06d}" for place in range(len(polygons))], "code": codes}
    gpd.GeoDataFrame(land, geometry=polygons, crs=CRS).to_parquet(
        folder / "parcels.parquet", compression="zstd"
    )
    # Their borders cut parcels and the polygon with holes alike.
    edges = WEST + np.array([0.0, 5_010.0, 13_010.0, 18_010.0, 2 * SIDE])
    units = shapely.box(edges[:-1], SOUTH, edges[1:], SOUTH + SIDE)
    names = [f"u{place}" for place in range(len(units))]
    gpd.GeoDataFrame({"id": names}, geometry=units, crs=CRS).to_file(folder / "units.gpkg")
    pd.DataFrame({"region": names, "value": range(1, len(names) + 1)}).to_csv(
        folder / "gdp.csv", index=False
    )


def _holed(holes: int) -> shapely.Polygon:
    """Return a square with so many square holes."""
    across = max(int(np.ceil(holes**0.5)), 1)
    row, column = np.divmod(np.arange(holes), across)
    step = SIDE / across
    west, south = WEST + SIDE + (column + 0.25) * step, SOUTH + (row + 0.25) * step
    rings = shapely.get_exterior_ring(
        shapely.box(west, south, west + step / 2, south + step / 2, ccw=False)
    )
    shell = shapely.box(WEST + SIDE, SOUTH, WEST + 2 * SIDE, SOUTH + SIDE)
    return shapely.Polygon(shell.exterior, rings)


def _write_raster(folder: Path, shape: Shape) -> None:
    """Write a tiled raster over all land, band by band."""
    import rasterio
    from rasterio.transform import from_origin
    from rasterio.windows import Window

    cell = shape.resolution / shape.ratio
    width, height = round(2 * SIDE / cell), round(SIDE / cell)
    random = np.random.default_rng(shape.parcels)
    with rasterio.open(
        folder / "weights.tif", "w", driver="GTiff", width=width, height=height, count=1, dtype="uint8", crs=CRS, tiled=True,
        transform=from_origin(WEST, SOUTH + SIDE, cell, cell), compress="deflate", zlevel=1,
    ) as raster:  # fmt: skip
        for top in range(0, height, 256):
            rows = min(256, height - top)
            line = random.integers(0, 200, width, dtype=np.uint8)
            raster.write(np.tile(line, (rows, 1)), 1, window=Window(0, top, width, rows))
