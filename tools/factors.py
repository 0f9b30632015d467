"""Make carbongrid/data/factors anew from a folder of facts: ``python tools/factors.py FOLDER``.

Value, unit, gas, bounds, source and status are taken over as they are. Added are what the facts say in words only:
region, tier, whether a factor holds what happens upstream, and a distribution where the note tells one.
"""

from __future__ import annotations

import csv
import re
import sys
from pathlib import Path

TARGET = Path(__file__).resolve().parents[1] / "carbongrid" / "data" / "factors"
TABLES = (
    "agriculture_inputs",
    "combustion_cn",
    "combustion_ipcc",
    "crops",
    "grid_electricity",
    "gwp100",
    "livestock",
    "process",
    "sinks_landuse",
    "transport",
    "waste",
)
COLUMNS = (
    "key",
    "name",
    "value",
    "unit",
    "gas",
    "low",
    "high",
    "distribution",
    "source",
    "source_table",
    "year",
    "region",
    "tier",
    "upstream",
    "status",
    "note",
)

_REGIONS = (
    (r"cn\.grid\.(?:province|region)\.(?P<place>[a-z]+)\.", "CN/{place}"),
    (r"cn\.grid\.cdm_om_(?P<place>east)", "CN/{place}"),
    (r"gbt32151_22\.manure_\w+\.(?P<place>[a-z]+)\.", "CN/{place}"),
    (r"gd_lulucf2018\.", "CN/guangdong"),
    (
        r"(?:cn|cn2025|gbt32151_22|prov|prov2025|crop|wu2017|sci_rep_2025|xie_variant|literature)\.",
        "CN",
    ),
    (r"derived\.bus_diesel", "CN"),
    (r"uk\.", "GB"),
    (r"us\.", "US"),
    (r"ce_delft_2014\.", "NL"),
    (r".", "world"),
)
_UPSTREAM = ("cn.agri.", "lal2004.", "cn.cpcd2023.")
_NO_TIER = ("gwp.", "gcam.", "cn.density.", "us.bus")


def main(folder: Path) -> None:
    """Write every table."""
    TARGET.mkdir(parents=True, exist_ok=True)
    for table in TABLES:
        with (folder / f"{table}.csv").open(encoding="utf-8", newline="") as stream:
            rows = [_row(row) for row in csv.DictReader(stream) if not _is_arithmetic(row)]
        with (TARGET / f"{table}.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def _is_arithmetic(fact: dict[str, str]) -> bool:
    """Whether this is a bridge between units, which carbongrid.inventory.factors.units knows by itself."""
    return fact["key"].startswith("conv.")


def _row(fact: dict[str, str]) -> dict[str, str]:
    key = fact["key"]
    return {
        **{column: fact.get(column, "") for column in COLUMNS},
        "distribution": "lognormal x3" if "factor of 3 either way" in fact["note"] else "",
        "region": _region(fact),
        "tier": "" if key.startswith(_NO_TIER) else "1" if key.startswith("ipcc") else "2",
        "upstream": "true" if key.startswith(_UPSTREAM) else "false",
    }


def _region(fact: dict[str, str]) -> str:
    words = f"{fact['name']} {fact['note']}"
    if fact["key"].startswith("ipcc.") and re.search(r"\b(?:Eastern )?Asia\b", words):
        return "Asia"
    if fact["key"].startswith("prov.") and "East China" in words:
        return "CN/east"
    for pattern, region in _REGIONS:
        match = re.match(pattern, fact["key"])
        if match:
            return region.format(**match.groupdict())
    raise ValueError(fact["key"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
