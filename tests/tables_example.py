"""A tiny finished run, made by hand: six townships, twelve parcels, four categories.

Everything adds up to the gram, as docs/decisions/0007 and 0008 demand; made with plain Python integers
and without the package's own method, so that writers and checks can be tested on it.
Everything awkward is in: leading zeros, a name that is a formula, unknown GDP, a township without emission,
a parcel that no cell centre hits, one that straddles a border, one partly outside every unit, an empty 1 km cell.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import rioxarray  # noqa: F401  (registers .rio)
import xarray as xr
from shapely.geometry import box

from carbongrid.method.categories import Category
from carbongrid.method.evidence import EvidenceRow
from carbongrid.method.ledger import LedgerRow
from carbongrid.outputs.result import Benchmark, RunTables
from carbongrid.raster.grid import Grid

CRS = "EPSG:4528"
WEST, SOUTH = 40_500_000.0, 3_450_000.0
COLUMNS, ROWS, CELL, COARSE = 500, 300, 10.0, 1000.0
SECTORS = ("industry", "buildings", "transport", "agriculture", "waste")
Rectangle = tuple[int, int, int, int]

CATEGORIES = (
    Category("buildings/urban-homes", "buildings", "Urban homes", "城镇住宅", 1, False, ("urban-residential",), "people"),
    Category("industry/manufacturing", "industry", "Manufacturing", "制造业", 1, False, ("industrial",), "pois"),
    Category("sink/crops", "sink", "Crops", "农作物", 1, True, ("cultivated",), "area"),
    Category("sink/forest", "sink", "Forest", "林地", 1, True, ("forest",), "area"),
)  # fmt: skip

# (west, south, east, north) in cells of 10 m from the south-west corner: townships of 1.5 km x 1 km.
UNITS: dict[str, tuple[str, str, str, Rectangle, float, int | None]] = {
    "0101": ("东山镇", "Dongshan", "01", (0, 0, 150, 100), 52_000.0, 9_000_000_000),
    "0102": ("=HYPERLINK(\"x\")", "<script>alert(1)</script>", "01", (150, 0, 300, 100), 31_000.5, 3_200_000_000),
    "0103": ("西渚, 镇", "Xizhu", "01", (0, 100, 150, 200), 7.5, 100_000_000),
    "0201": ("南湖街道", "Nanhu", "02", (150, 100, 300, 200), 18_000.25, 100_000_000),
    "0202": ("北塘镇", "Beitang", "02", (0, 200, 150, 300), 0.0, None),
    "0203": ("中沙镇", "Zhongsha", "02", (150, 200, 300, 300), 0.0, 700_000_000),
}  # fmt: skip

PARCELS: dict[str, tuple[str, str, Rectangle]] = {
    "001": ("0701", "urban-residential", (5, 5, 60, 40)),
    "002": ("0601", "industrial", (70, 5, 120, 60)),
    "003": ("0101", "cultivated", (5, 50, 60, 95)),
    "004": ("0301", "forest", (155, 5, 200, 50)),
    "005": ("0601", "industrial", (210, 10, 280, 90)),
    "006": ("0701", "urban-residential", (130, 62, 190, 98)),
    "007": ("0101", "cultivated", (10, 110, 140, 190)),
    "008": ("0701", "urban-residential", (142, 120, 142, 120)),
    "009": ("0701", "urban-residential", (160, 110, 200, 150)),
    "010": ("0301", "forest", (210, 110, 290, 190)),
    "011": ("0101", "cultivated", (5, 205, 145, 295)),
    "012": ("0301", "forest", (250, 205, 370, 290)),
}

# total, facilities by parcel, integer weights by parcel; what is left unallocated.
TOTALS: dict[str, tuple[int, dict[str, int], dict[str, int], int]] = {
    "industry/manufacturing": (123_456_789_012_345, {"002": 40_000_000_000_001}, {"002": 7, "005": 4}, 0),
    "buildings/urban-homes": (7_670_600_000_001, {}, {"001": 52_000_000, "006": 31_000_500, "008": 7_500, "009": 18_000_250}, 1_000_003),
    "sink/crops": (719_600_000_007, {}, {"003": 2475, "007": 10_400, "011": 12_600}, 0),
    "sink/forest": (1_799_000_000_011, {}, {"004": 2025, "010": 6400, "012": 10_200}, 0),
}  # fmt: skip


def split(total: int, weights: list[int]) -> list[int]:
    """Telescoped parts, in Python integers."""
    whole, running, parts = sum(weights), 0, []
    for weight in weights:
        before = total * running // whole
        running += weight
        parts.append(total * running // whole - before)
    return parts


def common(a: Rectangle, b: Rectangle) -> int:
    """Cells that two rectangles share."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return max(width, 0) * max(height, 0)


def area(a: Rectangle) -> int:
    return (a[2] - a[0]) * (a[3] - a[1])


def targets(parcel: Rectangle, others: list[Rectangle]) -> list[int]:
    """Cells in common with each of the others, then outside; a parcel without cells has one target."""
    if area(parcel) == 0:
        column, row = parcel[:2]
        return [int(o[0] <= column < o[2] and o[1] <= row < o[3]) for o in others] + [0]
    shared = [common(parcel, other) for other in others]
    return [*shared, area(parcel) - sum(shared)]


def polygon(a: Rectangle):
    west, south = WEST + a[0] * CELL, SOUTH + a[1] * CELL
    if area(a) == 0:  # a parcel of 3 m, between the cell centres
        return box(west + 6, south + 6, west + 9, south + 9)
    return box(west, south, WEST + a[2] * CELL, SOUTH + a[3] * CELL)


def parcels() -> gpd.GeoDataFrame:
    ids = list(PARCELS)
    columns: dict[str, object] = {
        "id": ids,
        "land_use": [PARCELS[i][0] for i in ids],
        "type": [PARCELS[i][1] for i in ids],
        "mode": [""] * len(ids),
        "area_m2": [polygon(PARCELS[i][2]).area * 1.0003 for i in ids],
    }
    for category in CATEGORIES:
        total, facilities, weights, left = TOTALS[category.name]
        spread = total - left - sum(facilities.values())
        mass = dict(zip(weights, split(spread, list(weights.values())), strict=True))
        columns[category.name] = [mass.get(i, 0) + facilities.get(i, 0) for i in ids]
    frame = gpd.GeoDataFrame(columns, geometry=[polygon(PARCELS[i][2]) for i in ids], crs=CRS)
    emission = [category.name for category in CATEGORIES if not category.sink]
    frame["emission_g"] = frame[emission].sum(axis=1)
    frame["sink_g"] = frame[[c.name for c in CATEGORIES if c.sink]].sum(axis=1)
    frame["cells"] = np.array([area(PARCELS[i][2]) for i in ids], dtype=np.int64)
    return frame


def shared_out(mass: pd.Series, rectangles: list[Rectangle]) -> np.ndarray:
    """Mass per rectangle, and outside of them all as the last, from mass per parcel."""
    sums = np.zeros(len(rectangles) + 1, dtype=np.int64)
    for parcel, grams in zip(PARCELS.values(), mass, strict=True):
        sums += split(int(grams), targets(parcel[2], rectangles))
    return sums


def units(parcel_table: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, dict[str, int]]:
    rectangles = [row[3] for row in UNITS.values()]
    frame = gpd.GeoDataFrame(
        {
            "id": list(UNITS),
            "name": [row[0] for row in UNITS.values()],
            "name_en": [row[1] for row in UNITS.values()],
            "district": [row[2] for row in UNITS.values()],
        },
        geometry=[polygon(rectangle) for rectangle in rectangles],
        crs=CRS,
    )
    outside: dict[str, int] = {}
    for category in CATEGORIES:
        sums = shared_out(parcel_table[category.name], rectangles)
        frame[category.name], outside[category.name] = sums[:-1], int(sums[-1])
    for sector in SECTORS:
        names = [c.name for c in CATEGORIES if c.sector == sector]
        frame[f"{sector}_g"] = frame[names].sum(axis=1).astype(np.int64)
    frame["emission_g"] = frame[[f"{sector}_g" for sector in SECTORS]].sum(axis=1)
    frame["sink_g"] = frame[[c.name for c in CATEGORIES if c.sink]].sum(axis=1)
    frame["residents"] = [row[4] for row in UNITS.values()]
    for name in ("gdp", "gdp_low", "gdp_high"):
        frame[name] = pd.array([row[5] for row in UNITS.values()], dtype="Int64")
    return frame.assign(**zoned(frame), **leaving(frame)), outside


def leaving(frame: gpd.GeoDataFrame) -> dict[str, object]:
    """What would move each unit: the next whole number at which its zone is another, found by halving."""
    columns = {"emission_to_leave_zone_g": 0, "sink_to_leave_zone_g": 1, "gdp_to_leave_zone": 2}
    rows = list(zip(frame.emission_g.tolist(), frame.sink_g.tolist(), [row[5] for row in UNITS.values()], strict=True))  # fmt: skip
    out: dict[str, object] = {}
    for name, place in columns.items():
        changes = [least_change(rows, unit, place) for unit in range(len(rows))]
        out[name] = pd.array(changes, dtype="Int64")
    return out


def zone_of(rows: list, unit: int) -> int:
    c, ca, g = rows[unit]
    if g is None or not (c or ca):
        return 0
    C, CA = sum(row[0] for row in rows), sum(row[1] for row in rows)
    known = [row for row in rows if row[2] is not None]
    C_known, G = sum(row[0] for row in known), sum(row[2] for row in known)
    economy = g * C_known >= G * c if c else g > 0
    ecology = ca * C >= CA * c if c else ca > 0
    return 1 + 2 * (not economy) + (not ecology)


def least_change(rows: list, unit: int, place: int) -> int | None:
    now = rows[unit][place]
    if not zone_of(rows, unit):
        return None

    def moved(change: int) -> bool:
        if now + change < 0:
            return False
        own = tuple(now + change if k == place else v for k, v in enumerate(rows[unit]))
        return zone_of([*rows[:unit], own, *rows[unit + 1 :]], unit) not in (0, zone_of(rows, unit))

    found = []
    for sign, most in ((1, 2**63 - 1), (-1, now)):
        if most and moved(sign * most):
            below, above = 0, most
            while above - below > 1:
                middle = (below + above) // 2
                below, above = (below, middle) if moved(sign * middle) else (middle, above)
            found.append(sign * above)
    return min(found, key=abs, default=None)


def zoned(frame: gpd.GeoDataFrame) -> dict[str, object]:
    """D2 to D6 in plain Python, over all units."""
    names = (
        ("unclassified", "未分区"),
        ("low-carbon economic", "低碳经济区"),
        ("carbon-source control", "碳源控制区"),
        ("carbon-sink functional", "碳汇功能区"),
        ("high-carbon optimization", "高碳优化区"),
    )
    rows = list(
        zip(
            frame.emission_g.tolist(),
            frame.sink_g.tolist(),
            [row[5] for row in UNITS.values()],
            strict=True,
        )
    )
    C, CA = sum(row[0] for row in rows), sum(row[1] for row in rows)
    known = [row for row in rows if row[2] is not None]
    C_known, G = sum(row[0] for row in known), sum(row[2] for row in known)
    out: dict[str, list] = {
        k: []
        for k in (
            "ccr",
            "ecc",
            "ecc_low",
            "ecc_high",
            "esc",
            "zone",
            "zone_name",
            "zone_name_zh",
            "borderline",
            "balance",
            "indicative",
            "reason",
        )
    }
    for c, ca, g in rows:
        high_ecc = g is not None and (g * C_known >= G * c if c else g > 0)
        high_esc = ca * C >= CA * c if c else ca > 0
        reason = (
            "no emission and no sink" if not c and not ca else "GDP unknown" if g is None else ""
        )
        zone = 0 if reason else 1 + 2 * (not high_ecc) + (not high_esc)
        out["ccr"].append(ca / c if c else (np.inf if ca else np.nan))
        ecc = np.nan if g is None else (g / G) / (c / C_known) if c else (np.inf if g else np.nan)
        for name in ("ecc", "ecc_low", "ecc_high"):
            out[name].append(ecc)
        out["esc"].append((ca / CA) / (c / C) if c else (np.inf if ca else np.nan))
        near_ecc = g is not None and c > 0 and 20 * abs(g * C_known - G * c) <= G * c
        near_esc = c > 0 and 20 * abs(ca * C - CA * c) <= CA * c
        out["zone"].append(zone)
        out["zone_name"].append(names[zone][0])
        out["zone_name_zh"].append(names[zone][1])
        out["borderline"].append(bool(near_ecc or near_esc))
        out["balance"].append(
            "balanced" if 20 * abs(ca - c) <= c else "source" if ca < c else "sink"
        )
        out["indicative"].append(False)
        out["reason"].append(reason)
    return {**out, "zone": np.array(out["zone"], dtype=np.int8)}  # fmt: skip


def ledger(outside: dict[str, int], unit_table: gpd.GeoDataFrame) -> tuple[LedgerRow, ...]:
    rows = []
    for category in CATEGORIES:
        total, facilities, weights, left = TOTALS[category.name]
        known = sum(facilities.values())
        snapped = int(parcels().set_index("id").loc["008", category.name])
        rows.append(
            LedgerRow(
                category=category.name, region="", total=total, facilities=known,
                by_rule=total - known - left, by_area=0, by_parent=0, unallocated=left,
                rule=category.weight, weight_unit={"pois": "POI", "people": "0.001 person"}.get(category.weight, "m2"),
                weight_placed=sum(weights.values()), elsewhere=5_000_000 if category.weight == "pois" else 0,
                reason="=1+1 is a reason, not a formula" if left else "",
                units=int(unit_table[category.name].sum()), outside_units=outside[category.name], snapped=snapped,
            )
        )  # fmt: skip
    return tuple(rows)


def evidence(parcel_table: gpd.GeoDataFrame) -> tuple[EvidenceRow, ...]:
    rows = []
    for category in CATEGORIES:
        _, facilities, weights, _ = TOTALS[category.name]
        carriers = parcel_table[parcel_table["type"].isin(category.types)].set_index("id")
        mass = {
            i: int(grams) - facilities.get(i, 0) for i, grams in carriers[category.name].items()
        }
        used, whole = sum(weights.values()), sum(mass.values())
        unit, per_unit, lost = {"pois": ("POI", 1, 2), "people": ("person", 1000, 3_437)}.get(category.weight, ("m2", 1, 0))  # fmt: skip
        dense = max(grams / carriers.at[i, "area_m2"] for i, grams in mass.items())
        rows.append(
            EvidenceRow(
                category.name, category.weight, unit, used + lost, used, lost, per_unit,
                len(carriers), len(weights), whole, max(mass.values()) / whole, dense,
            )
        )  # fmt: skip
    return tuple(rows)


def grid_1km(parcel_table: gpd.GeoDataFrame) -> xr.Dataset:
    bounds = (WEST, SOUTH, WEST + COLUMNS * CELL, SOUTH + ROWS * CELL)
    grid = Grid(CRS, COARSE, bounds)
    height, width = grid.shape
    step = int(COARSE / CELL)
    squares = [
        (column * step, ROWS - (row + 1) * step, (column + 1) * step, ROWS - row * step)
        for row in range(height)
        for column in range(width)
    ]
    covered = [sum(common(square, parcel[2]) for parcel in PARCELS.values()) for square in squares]
    fields = {
        "emission": shared_out(parcel_table["emission_g"], squares)[:-1],
        "sink": shared_out(parcel_table["sink_g"], squares)[:-1],
        "covered_area": np.array(covered, dtype=np.float64) * CELL * CELL,
    }
    dataset = xr.Dataset(
        {name: (("y", "x"), values.reshape(grid.shape)) for name, values in fields.items()},
        coords={"y": grid.y, "x": grid.x},
        attrs={"resolution": COARSE},
    )
    return dataset.rio.write_crs(CRS).rio.write_transform(grid.transform)


SHARES = {
    0.9996: "100 %", 0.09996: "10.0 %", 0.0099996: "1.00 %", 0.99949: "99.9 %", 1.0: "100 %", 9.996: "1,000 %", 12.344: "1,230 %",
    0.5: "50.0 %", 0.000_099_96: "0.0100 %", 0.000_012_34: "0.00123 %", 0.000_009_9: "< 0.001 %", 0.0: "0 %",
}  # fmt: skip
"""Shares and how report and page write them, those first whose digits rounding makes fewer."""


def example_tables() -> RunTables:
    """Return the run's tables; equal to the bit at every call."""
    parcel_table = parcels()
    unit_table, outside = units(parcel_table)
    inventory = pd.DataFrame(
        [(c.name, "", "here", "CO2e", TOTALS[c.name][0], 2020, "made up") for c in CATEGORIES]
        + [("industry/manufacturing", "", "elsewhere", "CO2e", 5_000_000, 2020, "made up")],
        columns=["category", "region", "place", "gas", "grams", "year", "source"],
    )
    return RunTables(
        title="Six townships",
        year=2020,
        currency="CNY",
        categories=CATEGORIES,
        inventory=inventory,
        parcels=parcel_table,
        units=unit_table,
        parents=("district",),
        ledger=ledger(outside, unit_table),
        evidence=evidence(parcel_table),
        grid_1km=grid_1km(parcel_table),
        assumptions=(("note", "GDP of 1 unit is unknown."), ("warning", "Facilities are made up.")),
        benchmark=Benchmark(
            "CEADs 2019", "231.2 Mt CO2", 231_200_000_000_000, "CO2", 2019, "a table", "no N2O"
        ),
        inputs=(("parcels.gpkg", "0" * 64), ("totals.csv", "a" * 64)),
    )
