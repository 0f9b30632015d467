"""The page of skill: what is known, held out and predicted by the rest."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from carbongrid.analysis.run_page import write_run_page
from carbongrid.analysis.skill.skill import CANNOT_TELL, baselines_of, without_skill
from carbongrid.method.categories import Category
from carbongrid.outputs.numbers import whole_percent
from carbongrid.outputs.report.analysis_page import (
    Card,
    Cell,
    Column,
    Map,
    Rows,
    Words,
    category_cell,
    map_of_classes,
    map_of_ratios,
    mass_cell,
)
from carbongrid.outputs.report.scatter import Scatter, scatter

if TYPE_CHECKING:
    import pandas as pd

    from carbongrid.analysis.skill.skill import Skill
    from carbongrid.outputs.result import Result

type _Names = Callable[[str], Cell]
"""Names a category, or GDP."""

_GDP = Cell("GDP", "地区生产总值")
_MOST = 4
_RULES = {"pois": "兴趣点", "people": "人口", "roads": "修正道路长度", "area": "面积"}
_HELD = {"facilities": "设施", "regions": "区域", "units": "单元"}


def write_skill_page(found: Skill, result: Result, path: Path) -> Path:
    """Write ``skill.html``; raises as :func:`carbongrid.analysis.run_page.write_run_page`."""
    categories = {each["name"]: Category.of(each) for each in result.manifest["categories"]}

    def names(of: str) -> Cell:
        return _GDP if of == "gdp" else category_cell(of, categories)

    return write_run_page(
        result,
        path,
        kicker=Words("How well would the proxies have placed what is known?", "替代指标能否还原已知分布？"),
        sub=Words(f"{int(found.measures['count'].sum())} numbers held out and predicted by the rest", f"{int(found.measures['count'].sum())} 个已知量逐一留出，由其余数据预测"),
        cards=[_card(row, names) for row in found.measures.head(_MOST).to_dict("records") if row["count"]],
        maps=list(_maps(found, result)),
        tables=[_measures(found.measures, names), *_spreads(found.spreads), *_facilities(found.facilities, names), *_regions(found.regions, names)],
        notes=[*without_skill(found.measures), CANNOT_TELL],
        plots=list(_plots(found, names)),
        plots_name=Words("Predicted against known", "预测与已知"),
        plots_told=Words("Both axes are logarithmic and alike; on the diagonal both are equal.", "两轴均为对数坐标且范围相同；对角线上两者相等。"),
    )  # fmt: skip


def _card(row: dict[Any, Any], names: _Names) -> Card:
    others = [(*words, whole_percent(row[name])) for name, words in baselines_of(row).items()]
    alone = ", ".join(f"{english} alone {percent}" for english, _, percent in others)
    alone_zh = "、".join(f"仅按{chinese}为 {percent}" for _, chinese, percent in others)
    held, name = f"{row['count']} {row['held']}", names(row["of"])
    return Card(
        Words(f"{name.en}: misplaced", f"{name.zh or name.en}：错置"),
        whole_percent(row["misplaced"]),
        Words(f"of {held} by {row['rule']}; {alone}", f"（{row['count']} 个{_HELD[row['held']]}，按{_rules(row['rule'])}）；{alone_zh}"),
    )  # fmt: skip


def _maps(found: Skill, result: Result) -> Iterator[Map]:
    codes = result.units["id"].tolist()
    if len(found.facilities):
        held = found.facilities.groupby("unit")["mass_t"].sum().reindex(codes).to_numpy(np.float64)
        yield map_of_classes(held / 1e6, Words("Facilities that are held out, Mt", "留出的设施，Mt"), Words("no facility", "无设施"))  # fmt: skip
    if len(found.gdp) and found.gdp["predicted"].notna().any():
        logs = -found.gdp.set_index("unit")["log_ratio"].reindex(codes).to_numpy(np.float64)
        ratios = map_of_ratios("gdp", logs / math.log(2.0))
        name = Words("GDP: predicted by land over known", "地区生产总值：按用地预测与已知之比")
        yield Map(name, ratios.colours, ratios.entries, ratios.marked, ratios.note)


def _plots(found: Skill, names: _Names) -> Iterator[Scatter]:
    tables = (
        (found.facilities, ["name", "mass_t", "proxy_t"]),
        (found.regions, ["region", "total_t", "predicted_t"]),
    )
    for table, columns in tables:
        for category, rows in table.groupby("category", sort=False) if len(table) else ():
            values = rows[columns].set_axis(["region", "published_t", "ours_t"], axis=1)
            values = values.assign(low_t=values["ours_t"], high_t=values["ours_t"])
            name = names(str(category))
            yield scatter(
                " ".join(filter(None, (name.en, name.zh))),
                values,
                "known 已知, t",
                "predicted 预测, t",
            )


def _number(value: float, form: str = ".3f") -> str:
    return format(value, form).replace("-", "−") if math.isfinite(value) else "–"


def _with_error(value: float, error: float) -> str:
    told = _number(value, ".2f")
    return f"{told} ± {_number(error, '.2f')}" if math.isfinite(error) else told


def _rules(named: str) -> str:
    """Return weight rules in Chinese."""
    return "、".join(_RULES.get(rule, rule) for rule in named.split(" and "))


def _rule(rule: str) -> Cell:
    return Cell(rule, _rules(rule))


def _measures(table: pd.DataFrame, names: _Names) -> Rows:
    rows: list[list[Cell | str]] = [
        [
            names(row["of"]),
            _rule(row["rule"]),
            Cell(f"{row['count']} {row['held']}", f"{row['count']} 个{_HELD[row['held']]}"),
            *(_number(row[name]) for name in ("misplaced", "by_area", "by_people")),
            _number(row["skill"], ".2f"),
            whole_percent(row["without_claim"]),
        ]
        for row in table.to_dict("records")
    ]
    columns = [
        Column(Words("of", "对象"), False),
        Column(Words("by", "依据"), False),
        Column(Words("held out", "留出"), False),
        Column(Words("misplaced", "错置比例")),
        Column(Words("by area alone", "仅按面积")),
        Column(Words("by people alone", "仅按人口")),
        Column(Words("skill", "技巧")),
        Column(Words("where the proxy has nothing", "指标为零处占比")),
    ]
    told = Words("Misplaced is the share of the mass that would lie in other units. Skill is 1 less misplaced over the least that area or people misplace: 1 is perfect, 0 no better than these.", "错置为落入其他单元的比例。技巧等于 1 减去错置与面积、人口中较小者之比：1 为完全还原，0 为不优于两者。")  # fmt: skip
    return Rows("measures", Words("Skill", "技巧"), told, columns, rows)


def _spreads(table: pd.DataFrame) -> list[Rows]:
    if table.empty:
        return []
    rows: list[list[Cell | str]] = [
        [
            _rule(row["rule"]),
            Cell(f"{row['count']} {row['held']}", f"{row['count']} 个{_HELD[row['held']]}"),
            *(_with_error(row[name], row[f"{name}_error"]) for name in ("sigma", "tau")),
            _number(row["both"], ".2f"),
            Cell("yes", "是") if row["told"] else Cell("no", "否"),
            f"{row['assumed_sigma']:g}, {row['assumed_tau']:g}",
        ]
        for row in table.to_dict("records")
    ]  # fmt: skip
    columns = [
        Column(Words("weight rule", "权重规则"), False),
        Column(Words("from", "来自"), False),
        Column(Words("sigma", "sigma")),
        Column(Words("tau", "tau")),
        Column(Words("both together", "两者合计")),
        Column(Words("told apart", "可区分"), False),
        Column(Words("assumed sigma, tau", "假定的 sigma、tau")),
    ]
    told = Words("Standard deviations of the logarithm: sigma of what parcels differ by themselves, tau of what those of a unit share.", "对数标准差：sigma 为地块各自的差异，tau 为同一单元共有的差异。")  # fmt: skip
    return [Rows("spreads", Words("How far a proxy is off", "指标的离散"), told, columns, rows)]


def _facilities(table: pd.DataFrame, names: _Names) -> list[Rows]:
    if table.empty:
        return []
    rows: list[list[Cell | str]] = [
        [row["name"], names(row["category"]), str(row["unit"]), mass_cell(round(row["mass_t"] * 1e6)), mass_cell(round(row["proxy_t"] * 1e6)), whole_percent(row["in_own_unit"])]
        for row in table.sort_values("mass_t", ascending=False, kind="stable").to_dict("records")
    ]  # fmt: skip
    columns = [
        Column(Words("facility", "设施"), False),
        Column(Words("category", "核算类别"), False),
        Column(Words("unit", "单元"), False),
        Column(Words("known", "已知")),
        Column(Words("its parcel by the proxy", "其地块按指标")),
        Column(Words("of it in its unit by the proxy", "按指标落入该单元")),
    ]
    return [Rows("facilities", Words("Facilities", "设施"), None, columns, rows)]


def _regions(table: pd.DataFrame, names: _Names) -> list[Rows]:
    if table.empty:
        return []
    rows: list[list[Cell | str]] = [
        [names(row["category"]), str(row["region"]), mass_cell(round(row["total_t"] * 1e6)), mass_cell(round(row["predicted_t"] * 1e6)) if math.isfinite(row["predicted_t"]) else "–"]
        for row in table.to_dict("records")
    ]  # fmt: skip
    columns = [
        Column(Words("category", "核算类别"), False),
        Column(Words("region", "区域"), False),
        Column(Words("its own total", "自身总量")),
        Column(Words("by the others' total per claim", "按其他区域单位权重")),
    ]
    return [Rows("regions", Words("Regions", "区域"), None, columns, rows)]
