"""The page of inequality: Gini and Theil, and maps of clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carbongrid.analysis.inequality.clusters import KINDS
from carbongrid.analysis.run_page import write_run_page
from carbongrid.method.tonnes import counted
from carbongrid.outputs.numbers import coefficient, gini_number, plain_number
from carbongrid.outputs.report.analysis_page import (
    Card,
    Cell,
    Column,
    Map,
    Rows,
    Words,
    unit_cell,
)
from carbongrid.outputs.report.layers import Entry

if TYPE_CHECKING:
    from pathlib import Path

    from carbongrid.analysis.inequality.inequality import Inequality

_ZH = {"emission": "排放", "sink": "碳汇", "units": "单元", "residents": "人口", "gdp": "地区生产总值", "area": "面积"}  # fmt: skip
_EN = {"gdp": "GDP"}
_LISTED = 200
"""Rows of the table of clusters; inequality_units.csv has all."""
_HOW = Words("Local Moran's I, conditional permutations, false discovery rate 5 %. High and low are above and below the mean of the units.", "局部莫兰指数，条件置换，错误发现率 5 %。高、低相对于各单元的平均值。")  # fmt: skip
_KINDS = dict(
    zip(
        KINDS,
        (("#e9e8e2", "不显著"), ("#b2402e", "高—高"), ("#8fb7d9", "低—高"), ("#2f6b9a", "低—低"), ("#eaa58f", "高—低")),
        strict=True,
    )
)  # fmt: skip


def write_inequality_page(found: Inequality, path: Path) -> Path:
    """Write ``inequality.html``."""
    run, ginis = found.run, found.table.set_index(["of", "by"])["gini"]
    cards = [
        Card(
            Words(f"Gini of {of} by {_EN.get(by, by)}", f"{_ZH[of]}基尼系数（按{_ZH[by]}）"),
            gini_number(float(ginis[of, by])),
            Words("0: all alike; towards 1: few hold all", "0 为均等；趋近 1 为少数占有"),
        )
        for of in ("emission", "sink")
        for by in ("residents", "area")
    ]
    return write_run_page(
        run,
        path,
        kicker=Words("Inequality and clusters", "不均等与集聚"),
        sub=Words(counted(len(run.units), "unit"), f"{len(run.units):,} 个单元"),
        cards=cards,
        maps=_maps(found),
        tables=[_table(found), *_moran(found), *_clusters(found)],
        notes=found.notes,
    )  # fmt: skip


def _maps(found: Inequality) -> list[Map]:
    if found.units is None:
        return []
    maps = []
    for of, english in (("emission", "Emission per km²"), ("sink", "Sink per km²")):
        if f"{of}_kind" not in found.units:
            continue
        kinds = found.units[f"{of}_kind"].tolist()
        entries = [Entry(_KINDS[kind][0], kind, _KINDS[kind][1], kinds.count(kind)) for kind in KINDS]  # fmt: skip
        maps.append(
            Map(
                Words(f"{english}: clusters", f"单位面积{_ZH[of]}：集聚"),
                [_KINDS[kind][0] for kind in kinds],
                entries,
                (),
                _HOW,
            )
        )
    return maps


def _table(found: Inequality) -> Rows:
    measures = [str(name) for name in found.table if name not in ("of", "by")]
    words = {
        "gini": Words("Gini", "基尼系数"),
        "theil": Words("Theil", "泰尔指数"),
        "between_parents": Words("between parents", "上级区域间"),
        "within_parents": Words("within them", "上级区域内"),
        "between_zones": Words("between zones", "分区间"),
        "within_zones": Words("within them", "分区内"),
    }
    rows: list[list[Cell | str]] = [
        [Cell(row["of"], _ZH[row["of"]]), Cell(_EN.get(row["by"], row["by"]), _ZH[row["by"]]), *(gini_number(row[name]) for name in measures)]
        for row in found.table.to_dict("records")
    ]  # fmt: skip
    columns = [Column(Words("of", "对象"), False), Column(Words("by", "按"), False), *(Column(words[name]) for name in measures)]  # fmt: skip
    told = Words(
        "Theil is the sum of what lies between groups and within them", "泰尔指数等于组间与组内之和"
    )
    return Rows("measures", Words("Measures", "指标"), told, columns, rows)


def _moran(found: Inequality) -> list[Rows]:
    if found.moran is None:
        return []
    rows: list[list[Cell | str]] = [
        [_per_km2(row["of"].partition(" ")[0]), coefficient(row["i"], 3), coefficient(row["expected"], 3), plain_number(row["p"]), coefficient(row["by_proxies_alone"], 3)]
        for row in found.moran.to_dict("records")
    ]  # fmt: skip
    columns = [Column(Words("of", "对象"), False), Column(Words("Moran's I", "莫兰指数")), Column(Words("by chance", "随机期望")), Column(Words("p", "p")), Column(Words("by the proxies alone", "仅由替代指标"))]  # fmt: skip
    told = Words("By the proxies alone: one whole total of each category spread by the same weights, no facility named. As high as Moran's I, it is the proxies that lie side by side", "仅由替代指标：各类别以单一总量按相同权重分配，不计重点设施；若与莫兰指数相近，则集聚来自替代指标本身")  # fmt: skip
    return [Rows("moran", Words("Side by side", "空间自相关"), told, columns, rows)]


def _per_km2(of: str) -> Cell:
    return Cell(f"{of} per km²", f"单位面积{_ZH[of]}")


def _clusters(found: Inequality) -> list[Rows]:
    """Return the units that the maps colour, in words: a colour alone does not reach everybody."""
    if found.units is None:
        return []
    by_p: list[tuple[float, list[Cell | str]]] = []
    for of in ("emission", "sink"):
        if f"{of}_kind" not in found.units:
            continue
        for row in found.units[found.units[f"{of}_kind"] != KINDS[0]].to_dict("records"):
            kind = row[f"{of}_kind"]
            colour, chinese = _KINDS[kind]
            by_p.append((row[f"{of}_p"], [unit_cell(row["name"], row["unit"]), _per_km2(of), Cell(kind, chinese, colour), coefficient(row[f"{of}_local_i"], 3), plain_number(row[f"{of}_p"])]))  # fmt: skip
    by_p.sort(key=lambda each: each[0])
    rows, count = [row for _, row in by_p[:_LISTED]], len(by_p)
    told = Words(f"The {_LISTED} of {count:,} with the smallest p; inequality_units.csv has all", f"共 {count:,} 个，列出 p 值最小的 {_LISTED} 个；全部见 inequality_units.csv") if count > _LISTED else None  # fmt: skip
    columns = [Column(Words("unit", "单元"), False), Column(Words("of", "对象"), False), Column(Words("cluster", "集聚类型"), False), Column(Words("local Moran's I", "局部莫兰指数")), Column(Words("p", "p"))]  # fmt: skip
    return [Rows("clusters", Words("Clusters", "集聚单元"), told, columns, rows)] if rows else []
