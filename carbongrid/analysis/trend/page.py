"""The page of a trend: zones of each year, what changed and through what, from zone to zone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np

from carbongrid.analysis.run_page import write_run_page
from carbongrid.analysis.trend.decomposition import EFFECTS, TAPIO_ZH
from carbongrid.method.tonnes import counted
from carbongrid.outputs.numbers import change_in_percent, short_number, whole_percent
from carbongrid.outputs.report.analysis_page import (
    Card,
    Cell,
    Column,
    Map,
    Rows,
    Words,
    change_cell,
    map_of_changes,
    map_of_zones,
    mass_is,
    unit_cell,
    unit_in_text,
    zone_cell,
)
from carbongrid.outputs.report.zone_flows import ZoneFlow, zone_flow

if TYPE_CHECKING:
    from pathlib import Path

    from carbongrid.analysis.trend.trend import Trend

_EFFECTS = (
    Column(Words("through population", "人口效应")),
    Column(Words("GDP per head", "人均 GDP 效应")),
    Column(Words("both: GDP", "两者合计：GDP 效应")),
    Column(Words("emission per GDP", "排放强度效应")),
)


def write_trend_page(found: Trend, path: Path) -> Path:
    """Write ``trend.html``."""
    last, region = found.runs[-1], found.region.to_dict("records")
    mass = mass_is(*(run.gas for run in found.runs))
    ids = found.units["unit"][found.units["period"] == len(found.years) - 1].tolist()
    at = {code: row for row, code in enumerate(last.units["id"])}
    outlines = gpd.GeoDataFrame(geometry=last.outlines).iloc[[at[code] for code in ids]].reset_index(drop=True)  # fmt: skip
    whole = sum(int(row["change_g"]) for row in region)
    span = f"{found.years[0]} – {found.years[-1]}"
    cards = [
        Card(Words("Change of emission", "排放变化"), change_cell(whole), Words(span, span)),
        *(
            Card(
                Words(f"{row['from_year']} to {row['to_year']}", f"{row['from_year']} 至 {row['to_year']}"),
                str(row["turned"]),
                Words(f"of {counted(row['units'], 'unit')} in another zone; {row['turned_frozen']} with the region of {found.years[0]} kept", f"个单元分区改变（共 {row['units']} 个）；若以 {found.years[0]} 年区域为准则为 {row['turned_frozen']} 个"),
            )
            for row in region
        ),
    ]  # fmt: skip
    return write_run_page(
        last,
        path,
        kicker=Words("What changed over the years", "历年变化"),
        title=last.manifest["title"],
        sub=Words(f"{', '.join(map(str, found.years))} · {counted(len(ids), 'unit')} · {mass.en}", f"{'、'.join(map(str, found.years))} · {len(ids):,} 个单元 · {mass.zh}"),
        cards=cards,
        outlines=outlines,
        tips=[unit_in_text(name, code) for code, name in zip(ids, found.units["name"][: len(ids)], strict=True)],
        maps=list(_maps(found)),
        flow=flow_of(found),
        tables=[_region(region), *_matrices(found), _units(found)],
        notes=found.notes,
    )  # fmt: skip


def _maps(found: Trend) -> list[Map]:
    """Return the zones of each year, small, then the change from the first to the last."""
    maps = []

    def heavy(position: int) -> Words:
        before = found.years[position - 1]  # by one year or by several; plans have the same
        return Words(f"Heavy outlines: another zone than in the run before, of {before}.", f"粗线：与前一次运算（{before} 年）分区不同。")  # fmt: skip

    for position, year in enumerate(found.years):
        first = position == 0
        rows = found.units[found.units["period"] == max(position, 1)]
        zones = rows["zone_from" if first else "zone_to"].tolist()
        turned = [] if first else np.flatnonzero((rows["zone_from"] != rows["zone_to"]).to_numpy()).tolist()  # fmt: skip
        maps.append(
            map_of_zones(
                zones, Words(str(year), f"{year} 年"), turned, heavy(position) if turned else None
            )
        )
    base = found.years[0]
    for position, year in enumerate(found.years[1:], start=1):
        rows = found.units[found.units["period"] == position]
        turned = np.flatnonzero((rows["zone_frozen_from"] != rows["zone_frozen_to"]).to_numpy()).tolist()  # fmt: skip
        maps.append(map_of_zones(rows["zone_frozen_to"].tolist(), Words(f"{year}, region of {base}", f"{year} 年（{base} 年区域）"), turned, heavy(position) if turned else None))  # fmt: skip
    change = found.units.groupby("unit", sort=False)["change_g"].sum().to_numpy(np.int64)
    span = f"{found.years[0]} – {found.years[-1]}"
    maps.append(map_of_changes(change, Words(f"Change of emission, {span}", f"排放变化，{span}")))  # fmt: skip
    return maps


def flow_of(found: Trend) -> ZoneFlow:
    """Return the drawing of units from zone to zone, each run against its own region."""
    own = found.matrices[found.matrices["reference"] == "own"]
    counts = [
        {(int(row["zone_from"]), int(row["zone_to"])): int(row["units"]) for row in rows.to_dict("records")}
        for _, rows in own.groupby("period", sort=True)
    ]  # fmt: skip
    return zone_flow([str(year) for year in found.years], counts)


def _effect_cells(row: dict[Any, Any]) -> list[Cell | str]:
    values = [row[f"{name}_effect"] for name in EFFECTS]
    return ["–" if math.isnan(value) else change_cell(round(value)) for value in values]


def _elasticity(value: float) -> str:
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return "–" if math.isnan(value) else short_number(value)


def _class(row: dict[Any, Any]) -> Cell:
    return Cell(row["tapio"], TAPIO_ZH[row["tapio"]])


def _region(region: list[dict[Any, Any]]) -> Rows:
    rows: list[list[Cell | str]] = [
        [f"{row['from_year']} – {row['to_year']}", change_cell(int(row["change_g"])), change_in_percent(int(row["emission_from_g"]), int(row["change_g"])), *_effect_cells(row), _class(row), _elasticity(row["elasticity"])]
        for row in region
    ]  # fmt: skip
    columns = [
        Column(Words("years", "年份"), False),
        Column(Words("change of emission", "排放变化")),
        Column(Words("%", "%")),
        *_EFFECTS,
        Column(Words("decoupling", "脱钩类型"), False),
        Column(Words("elasticity", "弹性")),
    ]
    told = Words("All units together; effects by LMDI-I: that of GDP, which is those of population and GDP per head together, and that of emission per GDP add up to the change.", "全部单元合计；按 LMDI-I，GDP 效应（人口与人均 GDP 效应之和）与排放强度效应之和即为变化量。")  # fmt: skip
    return Rows("region", Words("Through what", "变化来源"), told, columns, rows)


def _matrices(found: Trend) -> list[Rows]:
    tables = []
    for reference, name in (("own", Words("Zones, each year's region", "分区转移（当年区域）")), ("first", Words(f"Zones, region of {found.years[0]}", f"分区转移（{found.years[0]} 年区域）"))):  # fmt: skip
        inside = found.matrices[found.matrices["reference"] == reference]
        rows: list[list[Cell | str]] = [
            [f"{row['from_year']} – {row['to_year']}", zone_cell(int(row["zone_from"])), zone_cell(int(row["zone_to"])), str(row["units"]), whole_percent(row["share"])]
            for row in inside.to_dict("records")
        ]  # fmt: skip
        columns = [
            Column(Words("years", "年份"), False),
            Column(Words("from", "原分区"), False),
            Column(Words("to", "现分区"), False),
            Column(Words("units", "单元")),
            Column(Words("of the zone", "占原分区")),
        ]
        tables.append(Rows(f"zones-{reference}", name, None, columns, rows))
    return tables


def _units(found: Trend) -> Rows:
    rows: list[list[Cell | str]] = [
        [unit_cell(row["name"], row["unit"]), f"{row['from_year']} – {row['to_year']}", _from_to(row["zone_from"], row["zone_to"]), _from_to(row["zone_frozen_from"], row["zone_frozen_to"]), change_cell(int(row["change_g"])), *_effect_cells(row), _class(row)]
        for row in found.units.to_dict("records")
    ]  # fmt: skip
    columns = [
        Column(Words("unit", "单元"), False),
        Column(Words("years", "年份"), False),
        Column(Words("zone", "分区"), False),
        Column(
            Words(f"region of {found.years[0]} kept", f"{found.years[0]} 年区域下的分区"), False
        ),
        Column(Words("change of emission", "排放变化")),
        *_EFFECTS,
        Column(Words("decoupling", "脱钩类型"), False),
    ]
    return Rows("units", Words("Units", "单元"), None, columns, rows)


def _from_to(before: int, after: int) -> Cell:
    """Return a zone, and the one that it became, with the colour of that."""
    start, end = zone_cell(before), zone_cell(after)
    return end if before == after else Cell(f"{start.en} → {end.en}", f"{start.zh} → {end.zh}", end.colour)  # fmt: skip
