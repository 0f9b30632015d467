"""A town of which some totals are first guesses: of a whole, of regions, of the whole beside a region."""

from __future__ import annotations

from pathlib import Path

from town import square, write_town

PARCELS = [(f"{kind}{k}", code, square(k, row)) for row, (kind, code) in enumerate([("f", "0101"), ("w", "0601"), ("t", "0301")]) for k in range(3)]  # fmt: skip
UNITS = [("a", "x", square(0, 0, 1, 3)), ("b", "x", square(1, 0, 1, 3)), ("c", "y", square(2, 0, 1, 3))]  # fmt: skip
TOTALS = """category,value,unit,region,basis,uncertainty
agriculture/plantation,1000,t CO2e,,guess,200
agriculture/plantation,300,t CO2e,a,guess,200
waste/industrial,50,t CO2e,x,guess,200
waste/industrial,150,t CO2e,y,,5
industry/manufacturing,400,t CO2e,,guess,200
transport/road,600,t CO2e,,,10
sink/land,70,t CO2e,,guess,
sink/land,20,t CO2e,y,,
"""
NAMES = ["agriculture/plantation", "waste/industrial", "industry/manufacturing", "transport/road", "sink/land"]  # fmt: skip
REGIONS = {"agriculture/plantation": ["", "a"], "waste/industrial": ["x", "y"], "sink/land": ["", "y"]}  # fmt: skip


def write_guessed_town(folder: Path) -> Path:
    """Write it; return the case file."""
    gdp = "region,value\na,1\nb,2\nc,3\n"
    own = "".join(f"{name},{name.partition('/')[0]},x,x,1,{str(name.startswith('sink')).lower()},{types},area\n" for name, types in zip(NAMES, ["cultivated+paddy", "industrial", "industrial", "industrial", "forest"], strict=True))  # fmt: skip
    tables = {"totals.csv": TOTALS, "gdp.csv": gdp, "categories.csv": f"category,sector,name_en,name_zh,scope,sink,types,weight\n{own}"}  # fmt: skip
    more = '[gdp]\npath = "gdp.csv"\n[categories]\npath = "categories.csv"\n'
    return write_town(folder, PARCELS, UNITS, tables, more)


def given(name: str, total: str = "800 t CO2e") -> dict[str, str]:
    """Return an action that gives a total."""
    return {"do": "scale", "category": name, "total": total}
