"""The page of targets: what each unit would need by itself, and the joint plan that lifts all of them within limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from carbongrid.analysis.run_page import write_run_page
from carbongrid.method.landuse import TERRITORIAL_TYPES
from carbongrid.method.tonnes import at_decimals
from carbongrid.outputs.numbers import change_in_percent, short_number
from carbongrid.outputs.report.analysis_page import (
    Card,
    Cell,
    Column,
    Map,
    Rows,
    Words,
    category_cell,
    change_cell,
    map_of_changes,
    map_of_zones,
    mass_cell,
    mass_is,
    unit_cell,
    zone_cell,
)
from carbongrid.outputs.report.notes import note_in_chinese

if TYPE_CHECKING:
    from pathlib import Path

    from carbongrid.analysis.targets.plan import TargetPlan
    from carbongrid.analysis.targets.targets import Targets

_AIMS = {
    1: Words("both indices at 1 or more", "两项指数均不低于 1"),
    2: Words("ECC at 1 or more", "ECC 不低于 1"),
    3: Words("ESC at 1 or more", "ESC 不低于 1"),
}
_DO = {"cut": Words("cut", "减排"), "convert": Words("convert", "转换"), "gdp": Words("GDP", "地区生产总值")}  # fmt: skip
_LISTED = 300
_SHOWN = 10**6
"""Grams: where only the rounding of split parcels moved something, no row is shown; the tables have it."""


def write_targets_page(found: Targets, plan: TargetPlan | None, path: Path) -> Path:
    """Write ``targets.html``."""
    run = found.run
    aim, mass = _AIMS[found.zone], mass_is(run.gas)
    maps, tables = [map_of_zones(run.units["zone"].astype(int).tolist(), Words("Zones now", "当前分区"))], []  # fmt: skip
    if plan is not None:
        maps += _maps(plan)
        tables += [*_steps(plan), *_short(plan), *_limits(plan), *_units(plan)]
    # Units without a zone are named by both.
    notes = list(dict.fromkeys([*(plan.notes if plan is not None else ()), *found.notes]))
    return write_run_page(
        run,
        path,
        kicker=Words("Targets", "目标"),
        sub=Words(f"{aim.en}; {mass.en}", f"{aim.zh}；{mass.zh}"),
        cards=list(_cards(found, plan)),
        maps=maps,
        tables=[*tables, _needed(found)],
        notes=notes,
    )  # fmt: skip


def _cards(found: Targets, plan: TargetPlan | None) -> Iterator[Card]:
    below = found.table["unit"].nunique()
    yield Card(Words("Units to be lifted", "待提升单元"), str(below), Words(f"of {len(found.run.units)} units", f"共 {len(found.run.units)} 个单元"))  # fmt: skip
    if plan is None:
        return
    if not plan.feasible:
        yield Card(Words("A joint plan", "联合方案"), "–", Words("none within the limits: see what is in the way", "限值内无可行方案：见阻碍因素"))  # fmt: skip
        return
    units = plan.units
    yield Card(Words("Change of emission", "排放变化"), change_cell(int(units["emission_change_g"].sum())), Words("in all units, by the plan", "方案下全部单元合计"))  # fmt: skip
    yield Card(Words("Gain of sink", "碳汇增量"), change_cell(int(units["sink_change_g"].sum())), Words("in all units, by the plan", "方案下全部单元合计"))  # fmt: skip
    hectares = float(plan.steps["hectares"].fillna(0).astype(float).sum())
    yield Card(
        Words("Land converted", "转换土地"), short_number(hectares), Words("hectares", "公顷")
    )
    if plan.cost is not None:
        yield Card(Words("Cost", "成本"), short_number(plan.cost), Words("as the table of limits counts it", "按限值表计"))  # fmt: skip
    yield Card(Words("Targets reached", "达标单元"), str(int(units["target"].sum())), Words("when the plan was applied, to the gram", "方案实际执行后，精确到克"))  # fmt: skip


def _maps(plan: TargetPlan) -> Iterator[Map]:
    if not plan.feasible:
        return
    units = plan.units
    for column, words in (
        ("zone_frozen", Words("With the plan, region as it was", "方案之后（原区域）")),
        ("zone_floating", Words("With the plan, region following", "方案之后（区域随之变化）")),
    ):
        turned = np.flatnonzero((units[column] != units["zone"]).to_numpy(bool)).tolist()
        yield map_of_zones(units[column].astype(int).tolist(), words, turned)
    yield map_of_changes(units["emission_change_g"].to_numpy(np.int64), Words("Change of emission", "排放变化"), (), Words("Heavy outlines in the other maps: another zone than now.", "其他地图中的粗线：分区与当前不同。"))  # fmt: skip


def _steps(plan: TargetPlan) -> Iterator[Rows]:
    if plan.steps.empty:
        return
    currency = plan.run.manifest["currency"] or ""
    rows: list[list[Cell | str]] = []
    for row in plan.steps.to_dict("records"):
        what = _categories(row["category"] or "", plan)
        if row["do"] == "convert":
            names = [_land(row[f"{end}_type"]) for end in ("from", "to")]
            what = Cell(*(" → ".join(f"{row[end]} {name[side]}" for end, name in zip(("from", "to"), names, strict=True)) for side in (0, 1)))  # fmt: skip
        rows.append(
            [
                unit_cell(row["name"], row["unit"]),
                Cell(*_DO[row["do"]]),
                what,
                "" if row["cut_g"] is None else mass_cell(row["cut_g"]),
                "" if row["hectares"] is None else at_decimals(row["hectares"], 1),
                "" if row["parcels"] is None else str(row["parcels"]),
                "" if row["gdp"] is None else f"{row['gdp']:,}",
                short_number(row["cost"]),
            ]
        )
    columns = [
        Column(Words("unit", "单元"), False),
        Column(Words("action", "措施"), False),
        Column(Words("of", "对象"), False),
        Column(Words("cut", "减排量")),
        Column(Words("hectares", "公顷")),
        Column(Words("parcels", "地块")),
        Column(Words(f"GDP, {currency}".rstrip(", "), f"地区生产总值，{currency}".rstrip("，"))),
        Column(Words("cost", "成本")),
    ]
    told = Words("targets_plan.toml has the same as a plan, which carbongrid scenario takes", "targets_plan.toml 为同一方案，可供 carbongrid scenario 使用")  # fmt: skip
    yield Rows("plan", Words("Plan", "方案"), told, columns, rows)


def _categories(names: str, plan: TargetPlan) -> Cell:
    cells = [category_cell(name, plan.run.categories) for name in names.split(" + ")]
    return Cell(" + ".join(cell.en for cell in cells), "、".join(cell.zh or cell.en for cell in cells))  # fmt: skip


def _land(kind: str) -> tuple[str, str]:
    known = {row["type"]: (row["name_en"], row["name_zh"]) for row in TERRITORIAL_TYPES.to_dict("records")}  # fmt: skip
    return known.get(kind, (kind, kind))


def _short(plan: TargetPlan) -> Iterator[Rows]:
    if plan.short.empty:
        return
    rows: list[list[Cell | str]] = [
        [unit_cell(row["name"], row["unit"]), row["index"].upper(), _none(row["remark"]) if row["remark"] else mass_cell(row["missing_g"])]
        for row in plan.short.to_dict("records")
    ]  # fmt: skip
    columns = [Column(Words("unit", "单元"), False), Column(Words("index", "指数"), False), Column(Words("emission beyond the target", "超出目标的排放"))]  # fmt: skip
    told = Words("What is left by the plan that comes nearest", "最接近目标的方案仍存在的差距")
    if plan.short["remark"].all():
        told = Words("Left out of the plan, since nothing that is allowed lifts them", "未纳入方案，因为没有任何允许的措施可使其提升")  # fmt: skip
    yield Rows("short", Words("What is missing", "差距"), told, columns, rows)


def _limits(plan: TargetPlan) -> Iterator[Rows]:
    if plan.limits.empty or plan.limits["row"].max() == 0:
        return
    names = dict(zip(plan.units["unit"], plan.units["name"], strict=True))
    shown = plan.limits if len(plan.limits) <= _LISTED else plan.limits[plan.limits["binds"]]
    rows: list[list[Cell | str]] = []
    for row in shown.to_dict("records"):
        together = Cell("all together", "合计")
        where = together if not row["unit"] else unit_cell(names.get(row["unit"], ""), row["unit"])
        most = "–" if pd.isna(row["most"]) else f"{row['most']:,.10g} {row['measured_in']}"
        used = "–" if pd.isna(row["used"]) else f"{short_number(row['used'])} {row['measured_in']}"
        rows.append([str(row["row"]), Cell(*_DO[row["do"]]), row["what"], where, most, used, Cell("binds", "起约束作用") if row["binds"] else ""])  # fmt: skip
    columns = [
        Column(Words("row", "行"), False),
        Column(Words("action", "措施"), False),
        Column(Words("of", "对象"), False),
        Column(Words("unit", "单元"), False),
        Column(Words("at most", "上限")),
        Column(Words("used", "已用")),
        Column(Words("binds", "约束"), False),
    ]
    told = Words("The table's rows; one binds where more of it would make the plan cost less, or possible: by its own cap, or since no more land is free", "限值表各行；增加其可用量可降低成本或使方案可行者为起约束作用：或因自身上限，或因已无可用土地")  # fmt: skip
    yield Rows("limits", Words("Limits", "限值"), told, columns, rows)


def _units(plan: TargetPlan) -> Iterator[Rows]:
    if not plan.feasible:
        return
    rows: list[list[Cell | str]] = []
    for row in plan.units.to_dict("records"):
        moved = max(abs(int(row[f"{name}_change_g"])) for name in ("emission", "sink"))
        if not row["target"] and moved < _SHOWN:
            continue
        cells: list[Cell | str] = [unit_cell(row["name"], row["unit"]), zone_cell(row["zone"]), zone_cell(row["zone_frozen"]), zone_cell(row["zone_floating"])]  # fmt: skip
        for name in ("emission", "sink"):
            change = int(row[f"{name}_change_g"])
            cells += [change_cell(change) if change else "", change_in_percent(int(row[f"{name}_g"]), change) if abs(change) >= _SHOWN else ""]  # fmt: skip
        cells += ["–" if row[f"to_spare_{index}_g"] is None else change_cell(int(row[f"to_spare_{index}_g"])) for index in ("ecc", "esc")]  # fmt: skip
        rows.append(cells)
    columns = [
        Column(Words("unit", "单元"), False),
        Column(Words("zone now", "当前分区"), False),
        Column(Words("with the plan, region as it was", "方案之后（原区域）"), False),
        Column(Words("region following", "区域随之变化"), False),
        Column(Words("emission", "排放变化")),
        Column(Words("%", "%")),
        Column(Words("sink", "碳汇变化")),
        Column(Words("%", "%")),
        Column(Words("to spare, ECC", "ECC 余量")),
        Column(Words("to spare, ESC", "ESC 余量")),
    ]
    told = Words("To spare: how much more the unit might emit with the index just at 1, region as it was", "余量：在原区域下指数仍恰为 1 时单元还可增加的排放")  # fmt: skip
    yield Rows("units", Words("Units", "单元"), told, columns, rows)


def _needed(found: Targets) -> Rows:
    """Return what each unit would need by itself, with the region as it is."""
    frozen = found.table[found.table["reference"] == "frozen"]
    kinds = [kind for kind, _ in sorted(found.rates.items(), key=lambda each: -each[1])][:3]
    by: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in frozen.to_dict("records"):
        by.setdefault((row["unit"], row["name"], row["index"]), {})[row["quantity"]] = row
    rows: list[list[Cell | str]] = []
    for (unit, name, index), needs in by.items():
        cells: list[Cell | str] = [unit_cell(name, unit), zone_cell(next(iter(needs.values()))["zone"]), index.upper()]  # fmt: skip
        cells += [_amount(needs.get(quantity)) for quantity in ("emission", "sink", "gdp")]
        sink = needs.get("sink", {})
        cells += ["" if pd.isna(sink.get(f"hectares_{kind}")) else at_decimals(sink[f"hectares_{kind}"], 0) for kind in kinds]  # fmt: skip
        rows.append(cells)
    currency = found.run.manifest["currency"] or ""
    columns = [
        Column(Words("unit", "单元"), False),
        Column(Words("zone", "分区"), False),
        Column(Words("index", "指数"), False),
        Column(Words("emission", "排放")),
        Column(Words("or sink", "或碳汇")),
        Column(
            Words(f"or GDP, {currency}".rstrip(", "), f"或地区生产总值，{currency}".rstrip("，"))
        ),
        *(
            Column(Words(f"ha of {english.lower()} for it", f"相应{chinese}公顷数"))
            for english, chinese in map(_land, kinds)
        ),
    ]
    told = Words("The least change that lifts the index, one alone, with the region as it is", "在区域不变时，单独提升该指数所需的最小变化")  # fmt: skip
    return Rows("needed", Words("Each by itself", "单项所需"), told, columns, rows)


def _amount(row: dict[str, Any] | None) -> Cell | str:
    if row is None:
        return ""
    if row["needed"] is None:
        return _none(row["remark"])
    part = (
        f" ({change_in_percent(row['now'], row['needed'])})" if row["now"] and row["needed"] else ""
    )
    if row["quantity"] == "gdp":
        return f"{row['needed']:+,}{part}".replace("-", "−")
    return change_cell(row["needed"], part)


def _none(remark: str) -> Cell:
    return Cell(f"none: {remark}", f"无：{note_in_chinese(remark)}")
