"""Tables of sources in the layouts of Climate TRACE's releases."""

from __future__ import annotations

import csv
from pathlib import Path

NEW = (
    "source_id", "source_name", "source_type", "iso3_country", "sector", "subsector", "start_time", "end_time", "lat", "lon",
    "geometry_ref", "gas", "emissions_quantity", "temporal_granularity", "activity", "activity_units", "emissions_factor",
    "emissions_factor_units", "capacity", "capacity_units", "capacity_factor", "other1", "other1_def", "created_date", "modified_date",
)  # fmt: skip
OF_2023 = (
    "source_id", "iso3_country", "original_inventory_sector", "start_time", "end_time", "temporal_granularity", "gas",
    "emissions_quantity", "emissions_factor", "emissions_factor_units", "capacity", "capacity_units", "capacity_factor", "activity",
    "activity_units", "created_date", "modified_date", "source_name", "source_type", "lat", "lon", "other1", "other1_def", "geometry_ref",
)  # fmt: skip
OF_2022 = (
    "asset_id", "iso3_country", "original_inventory_sector", "start_time", "end_time", "temporal_granularity", "gas",
    "emissions_quantity", "emissions_factor", "emissions_factor_units", "capacity", "capacity_units", "capacity_factor", "activity",
    "activity_units", "created_date", "modified_date", "asset_name", "asset_type", "st_astext",
)  # fmt: skip


def row(number: object = 1, gas: str = "co2", tonnes: object = 10, **more: object) -> dict[str, object]:  # fmt: skip
    """A power plant's year, by what columns hold in every layout."""
    place = {"x": "120.5", "y": "31.5", "boundary": ""}
    time = {"start": "2023-01-01 00:00:00", "end": "2023-12-31 00:00:00", "every": "annual"}
    of = {"subsector": "electricity-generation", "name": f"Plant {number}", "type": "coal"}
    return {"id": number, "gas": gas, "tonnes": tonnes, **of, **place, **time, **more}


def published(path: Path, rows: list[dict[str, object]], header: tuple[str, ...] = NEW) -> Path:
    """Write rows as a release has them."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        for each in rows:
            cells = {
                **dict.fromkeys(("source_id", "asset_id"), each["id"]),
                **dict.fromkeys(("source_name", "asset_name"), each["name"]),
                **dict.fromkeys(("source_type", "asset_type"), each["type"]),
                **dict.fromkeys(("subsector", "original_inventory_sector"), each["subsector"]),
                "iso3_country": "CHN",
                "start_time": each["start"],
                "end_time": each["end"],
                "lat": each["y"],
                "lon": each["x"],
                "st_astext": f"POINT({each['x']} {each['y']})" if each["x"] else "",
                "geometry_ref": each["boundary"],
                "gas": each["gas"],
                "emissions_quantity": each["tonnes"],
                "temporal_granularity": each["every"],
                "other1_def": "a text,\nof two lines",
            }
            writer.writerow([cells.get(name, "") for name in header])
    return path
