"""A town for draws: parcels that cross borders, regions, facilities, columns as weights; and a full run of one draw, the long way."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from squares_case import CRS, SOUTH, WEST

from carbongrid.case import Case
from carbongrid.method.draws import Stream, sigma_of_percent
from carbongrid.pipeline import run
from carbongrid.run_store import seal_of

UNITS, PARCELS = 5, 30
SIDE, WIDTH = 2100.0, 350.0
"""Of a unit and of a parcel, m: every parcel whose end is no multiple of 2,100 m lies across a border."""

CATEGORIES = """category,sector,name_en,name_zh,scope,sink,types,weight
industry/manufacturing,,,,,,,field:works
waste/industrial,,,,,,,field:waste
sink/land,,,,,,forest+grassland,field:stand
"""
TOTALS = {
    ("industry/manufacturing", ""): 4e8,
    ("industry/manufacturing", "D1"): 1.5e8,
    ("waste/industrial", ""): 2e8,
    ("sink/land", ""): 3e7,
}
FACILITIES = {
    "works A": ("industry/manufacturing", 3e7, 3),
    "works B": ("waste/industrial", 2e7, 17),
}
"""Category, t, parcel."""

RULES = (
    {"source": "totals", "of": "industry/*", "percent": 20.0},
    {"source": "totals", "of": "waste/*", "percent": 30.0},
    {"source": "totals", "of": "sink/*"},
    {"source": "sinks", "of": "*", "percent": 40.0},
    {"source": "weights", "of": "sink/*", "sigma": 0.4},
    {"source": "weights", "of": "field:*", "sigma": 0.8, "tau": 0.5},
    {"source": "gdp", "of": "unit", "percent": 15.0},
)


def written(folder: Path) -> pd.DataFrame:
    """Write the town but for its totals; return its parcels."""
    rng = np.random.default_rng(11)
    left = WEST + 100 + WIDTH * np.arange(PARCELS)
    shapes = [shapely.box(x, SOUTH, x + WIDTH, SOUTH + 1000) for x in left]
    parcels = gpd.GeoDataFrame(
        {
            "BSM": [f"p{row:02}" for row in range(PARCELS)],
            "DLBM": ["0601", "0601", "0301", "0401"] * (PARCELS // 4) + ["0601"] * (PARCELS % 4),
            "works": np.round(rng.lognormal(0, 1, PARCELS), 3),
            "waste": np.round(rng.lognormal(0, 1, PARCELS), 3),
            "stand": np.round(rng.lognormal(0, 1, PARCELS), 3),
        },
        geometry=shapes,
        crs=CRS,
    )
    parcels.to_file(folder / "parcels.gpkg")
    outlines = [shapely.box(WEST + SIDE * k, SOUTH, WEST + SIDE * (k + 1), SOUTH + 1000) for k in range(UNITS)]  # fmt: skip
    names = {"code": [f"{k + 1:02}" for k in range(UNITS)], "district": ["D1", "D1", "D2", "D2", "D2"]}  # fmt: skip
    gpd.GeoDataFrame(names, geometry=outlines, crs=CRS).to_file(folder / "units.gpkg")
    (folder / "categories.csv").write_text(CATEGORIES, encoding="utf-8")
    return pd.DataFrame(parcels.drop(columns="geometry"))


def case_of(folder: Path, totals, facilities, gdp) -> Case:
    rows = [f"{category},{float(value)!r},t CO2e,{region}" for (category, region), value in totals.items()]  # fmt: skip
    (folder / "totals.csv").write_text("\n".join(["category,value,unit,region", *rows]), encoding="utf-8")  # fmt: skip
    rows = [
        f"{name},{category},{float(value)!r},t CO2e,{WEST + 100 + WIDTH * (parcel + 0.5)},{SOUTH + 500},EPSG:{CRS}"
        for name, (category, value, parcel) in facilities.items()
    ]
    (folder / "facilities.csv").write_text("\n".join(["name,category,value,unit,x,y,crs", *rows]), encoding="utf-8")  # fmt: skip
    rows = [f"{k + 1:02},{value!r}" for k, value in enumerate(gdp)]
    (folder / "gdp.csv").write_text("\n".join(["region,value", *rows]), encoding="utf-8")
    return Case.of(
        {
            "year": 2020,
            "grid": {"crs": f"EPSG:{CRS}", "resolution": 50},
            "parcels": {"path": "parcels.gpkg", "code_system": "tdland3"},
            "units": {"path": "units.gpkg", "parents": ["district"]},
            "categories": {"path": "categories.csv"},
            "totals": {"path": "totals.csv"},
            "facilities": {"path": "facilities.csv"},
            "gdp": {"path": "gdp.csv", "currency": "1e8 CNY"},
            "allow": {"outside": ["industry/manufacturing", "waste/industrial", "sink/land"]},
        },
        folder / "case.toml",
    )


GDP = (30.0, 45.0, 12.0, 60.0, 20.0)


def town(folder: Path, rules=RULES, **told) -> Path:
    """Write and run the town, with these rows of uncertainty in its manifest; return the run."""
    written(folder)
    run(case_of(folder, TOTALS, FACILITIES, GDP), folder / "run")
    tell(folder / "run", rules, **told)
    return folder / "run"


def tell(run_folder: Path, rules, **told) -> None:
    """Say in a run's manifest how uncertain its numbers are."""
    path = run_folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["uncertainty"] = {"rules": list(rules), **told}
    manifest["seal"] = seal_of(manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")


def the_long_way(folder: Path, draw: int, seed: int) -> pd.DataFrame:
    """Return units.csv of a full run of the case as one draw has it: other totals, other claims, other facilities."""
    parcels = written(folder)
    middle = 100 + WIDTH * (np.arange(PARCELS) + 0.5)
    home = np.minimum(middle // SIDE, UNITS).astype(int)
    district = np.array(["D1", "D1", "D2", "D2", "D2", ""])[home]
    factor = {}
    for name, percent in (("industry/manufacturing", 20.0), ("waste/industrial", 30.0)):
        sigma = sigma_of_percent(percent)
        z = float(Stream(seed, "totals", name).normal(range(draw, draw + 1), 1)[0, 0])
        factor[name] = np.exp(sigma * z - sigma**2 / 2)
    sigma = sigma_of_percent(40.0)
    of_type = {
        kind: np.exp(
            sigma * float(Stream(seed, "sinks", kind).normal(range(draw, draw + 1), 1)[0, 0])
            - sigma**2 / 2
        )
        for kind in ("forest", "grassland")
    }

    def drawn_claims(column, name, kinds, sigma, tau):
        claim = parcels[column].to_numpy().copy()
        carrying = np.flatnonzero(
            parcels["DLBM"].isin(kinds)
        )  # in the order of home and id already
        z = (
            Stream(seed, "weights", name)
            .normal(range(draw, draw + 1), carrying.size)[0]
            .astype(float)
        )
        y = (
            Stream(seed, "weights by unit", name)
            .normal(range(draw, draw + 1), UNITS + 1)[0]
            .astype(float)
        )
        claim[carrying] *= np.exp(sigma * z - sigma**2 / 2)
        claim[carrying] *= np.exp(tau * y[home[carrying]] - tau**2 / 2)
        return claim

    stand = drawn_claims("stand", "sink/land", ("0301", "0401"), 0.4, 0.0)
    forest, grass = (parcels["DLBM"].to_numpy() == code for code in ("0301", "0401"))
    kind = np.where(forest, of_type["forest"], np.where(grass, of_type["grassland"], 0.0))
    there = forest | grass
    sink = TOTALS["sink/land", ""] * (stand * kind)[there].sum() / stand[there].sum()
    changed = parcels.assign(
        works=drawn_claims("works", "industry/manufacturing", ("0601",), 0.8, 0.5),
        waste=drawn_claims("waste", "waste/industrial", ("0601",), 0.8, 0.5),
        stand=stand * np.where(there, kind, 1.0),
    )
    whole = gpd.read_file(folder / "parcels.gpkg")
    for column in ("works", "waste", "stand"):
        whole[column] = changed[column].to_numpy()
    (folder / "parcels.gpkg").unlink()
    whole.to_file(folder / "parcels.gpkg")
    totals = {key: value * factor.get(key[0], 1.0) for key, value in TOTALS.items()}
    totals["sink/land", ""] = sink
    facilities = {name: (category, value * factor[category], parcel) for name, (category, value, parcel) in FACILITIES.items()}  # fmt: skip
    assert set(district) == {"D1", "D2"} | ({""} if UNITS in home else set())
    shutil.rmtree(folder / "run", ignore_errors=True)
    run(case_of(folder, totals, facilities, GDP), folder / "run")
    return pd.read_csv(folder / "run" / "units.csv", encoding="utf-8-sig", dtype={"id": str})
