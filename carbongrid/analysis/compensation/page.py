"""The page of a compensation: who is above its part, who pays whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from carbongrid.analysis.compensation.transfers import money_column, plain_price
from carbongrid.analysis.run_page import write_run_page
from carbongrid.method.tonnes import counted
from carbongrid.outputs.numbers import short_number, whole_percent
from carbongrid.outputs.report.analysis_page import (
    Card,
    Cell,
    Column,
    Rows,
    Words,
    change_cell,
    map_of_changes,
    map_of_zones,
    mass_cell,
    name_of_gas,
    unit_cell,
    unit_in_text,
    zone_cell,
)

if TYPE_CHECKING:
    from pathlib import Path

    from carbongrid.analysis.compensation.compensation import Compensation

_LISTED = 200
_BY = {
    "sink": Words("sinks", "碳汇"),
    "gdp": Words("GDP", "地区生产总值"),
    "people": Words("residents", "人口"),
    "cap": Words("caps", "配额"),
}


def write_compensation_page(found: Compensation, path: Path) -> Path:
    """Write ``compensation.html``."""
    units, run = found.units, found.run
    names, gas = dict(zip(units["unit"], units["name"], strict=True)), name_of_gas(run.gas)
    by = _BY[found.allowance]
    moved = int(found.flows["mass_g"].sum())
    payers = int((units["balance_g"] < 0).sum())
    currency = run.manifest["currency"] or ""
    money = [money_column(price, currency) for price in found.prices]
    cards = [
        Card(Words("Moved", "转移量"), mass_cell(moved), Words(f"{gas.en} per year; all balances add up to 0", f"每年 {gas.zh}；各单元差额合计为 0")),
        Card(Words("Units that pay", "支付单元"), f"{payers:,}", Words(f"of {counted(len(units), 'unit')}", f"共 {len(units):,} 个单元")),
        *_of_few_sinks(found, moved),
        *(
            Card(Words(f"Money, {currency}".rstrip(", "), f"金额，{currency}".rstrip("，")), short_number(float(found.flows[name].sum())), Words(f"at {plain_price(price)} {currency} per t".replace("  ", " "), f"单价 {plain_price(price)} {currency}".rstrip() + "/t"))
            for name, price in zip(money, found.prices, strict=True)
        ),
    ]  # fmt: skip
    return write_run_page(
        run,
        path,
        kicker=Words("Compensation between units", "单元间补偿"),
        sub=Words(f"Shared out by {by.en}: a transfer between units, never an offset against the atmosphere", f"按{by.zh}分摊：仅为单元之间的转移，并非对大气的抵消"),
        cards=cards,
        tips=[_tip(row) for row in units.to_dict("records")],
        maps=[
            map_of_changes(units["balance_g"].to_numpy(np.int64), Words("Balance: above 0 is paid", "差额：正值为受偿"), (), Words("Below 0 pays.", "负值为支付。"), rise_is_good=True),
            map_of_zones(units["zone"].tolist(), Words("Zones", "分区")),
        ],
        tables=[_zones(found), _flows(found, names, money), _units(found, money)],
        notes=found.notes,
    )  # fmt: skip


def _of_few_sinks(found: Compensation, moved: int) -> Iterator[Card]:
    """Yield what share rests on sinks that are too small to rank units by, beside what is moved and paid."""
    noise = int(found.flows["mass_g"][found.flows["sinks_below_floor"]].sum())
    if noise and found.allowance == "sink":
        yield Card(Words("Indicative", "仅供参考"), whole_percent(noise / moved), Words("of the mass moved rests on sinks below the floor: see the notes", "的转移量所依据的碳汇低于下限：见说明"))  # fmt: skip


def _tip(row: dict[Any, Any]) -> str:
    balance = change_cell(int(row["balance_g"]))
    return f"{unit_in_text(row['name'], row['unit'])}: {balance.en} {balance.zh}"


def _zones(found: Compensation) -> Rows:
    rows: list[list[Cell | str]] = [
        [
            zone_cell(int(row["payers"])),
            zone_cell(int(row["receivers"])),
            mass_cell(int(row["mass_g"])),
        ]
        for row in found.zones.to_dict("records")
    ]
    columns = [Column(Words("zone that pays", "支付方分区"), False), Column(Words("zone that is paid", "受偿方分区"), False), Column(Words(*map(found.run.gas.told, ("CO₂e", "CO₂ 当量"))))]  # fmt: skip
    return Rows("zones", Words("From zone to zone", "分区之间"), None, columns, rows)


def _flows(found: Compensation, names: dict[str, str], money: list[str]) -> Rows:
    largest = found.flows.sort_values("mass_g", ascending=False, kind="stable").head(_LISTED)
    rows: list[list[Cell | str]] = []
    for row in largest.to_dict("records"):
        ends = [unit_cell(names[row[end]], row[end]) for end in ("payer", "receiver")]
        rows.append([*ends, mass_cell(int(row["mass_g"])), f"{row['distance_km']:.1f}", *(short_number(row[name]) for name in money)])  # fmt: skip
    columns = [
        Column(Words("pays", "支付"), False),
        Column(Words("is paid", "受偿"), False),
        Column(Words(*map(found.run.gas.told, ("CO₂e", "CO₂ 当量")))),
        Column(Words("km", "公里")),
        *_money_columns(found),
    ]
    which = Words("The largest first", "由大到小")
    if len(found.flows) > _LISTED:
        which = Words(f"The {_LISTED} largest of {len(found.flows):,}", f"共 {len(found.flows):,} 笔，列出最大的 {_LISTED} 笔")  # fmt: skip
    told = Words(f"{which.en}; over the least sum of mass times distance", f"{which.zh}；使质量与距离乘积之和最小")  # fmt: skip
    return Rows("flows", Words("Who pays whom", "支付关系"), told, columns, rows)


def _money_columns(found: Compensation) -> list[Column]:
    currency = found.run.manifest["currency"] or ""
    return [
        Column(Words(f"{currency} at {plain_price(price)} per t".strip(), f"{currency} 单价 {plain_price(price)}/t".strip()))
        for price in found.prices
    ]  # fmt: skip


def _units(found: Compensation, money: list[str]) -> Rows:
    rows: list[list[Cell | str]] = [
        [unit_cell(row["name"], row["unit"]), zone_cell(int(row["zone"])), mass_cell(int(row["emission_g"])), mass_cell(int(row["sink_g"])), change_cell(int(row["balance_g"])), *(short_number(row[name]) for name in money)]
        for row in found.units.sort_values("balance_g", kind="stable").to_dict("records")
    ]  # fmt: skip
    columns = [
        Column(Words("unit", "单元"), False),
        Column(Words("zone", "分区"), False),
        Column(Words("emission", "排放")),
        Column(Words("sink", "碳汇")),
        Column(Words("balance", "差额")),
        *_money_columns(found),
    ]
    told = Words("Below 0 it pays, above 0 it is paid", "负值为支付，正值为受偿")
    return Rows("units", Words("Units", "单元"), told, columns, rows)
