"""A town of five units with a factory each, of which one has no forest and of one nobody knows the GDP."""

from __future__ import annotations

from pathlib import Path

from town import square, write_town

import carbongrid as cg

FACTORY = {"01": 0.2, "02": 0.4, "03": 0.6, "04": 0.8, "05": 1.0}
FOREST = {"01": 0.5, "02": 1.0, "03": 0.6, "04": 0.0, "05": 0.5}
"""Widths, km; 04 has a field of 0.5 in place of a forest."""
GDP = {"01": 10**16 + 1, "02": 11 * 10**15 + 3, "03": 12 * 10**15 + 7, "04": 13 * 10**15 + 9}
"""Currency units, beyond 2^53; that of 05 is blank."""


def barren_run(folder: Path, *, gdp: bool = True, sinks: bool = True) -> cg.Result:
    """Write the town, with GDP and sinks or without, and run it: zones 1, 1, 3, 4 and, of 05, none, whose ESC is 0.58; without either nobody has a zone."""
    parcels, units = [], []
    for south, code in enumerate(FACTORY):
        widths = [
            ("0601", FACTORY[code]),
            ("0301", FOREST[code]) if FOREST[code] else ("0103", 0.5),
        ]
        west = 0.0
        for number, (use, width) in enumerate(widths):
            parcels.append((f"{code}-{number}", use, square(west, south, width, 1)))
            west += width
        units.append((code, "D1", square(0, south, west, 1)))
    sink = "sink/land,700,t CO2e\n" if sinks else ""
    tables = {"totals.csv": f"category,value,unit\nwaste/industrial,7000,t CO2e\n{sink}"}
    more = ""
    if gdp:
        rows = [f"{code},{GDP.get(code, '')}\n" for code in FACTORY]
        tables["gdp.csv"] = "region,value\n" + "".join(rows)
        more = '[gdp]\npath = "gdp.csv"\ncurrency = "1 VND"\n'
    return cg.run(write_town(folder, parcels, units, tables, more), folder / "run")
