"""The page of an agreement: maps of ratios, a scatter for each quantity, measures, zones and the table's own sums."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from carbongrid.analysis.validation.cells import centres_written
from carbongrid.analysis.validation.validation import BASELINES, placed_as_well_by, why_no_skill
from carbongrid.errors import Problem
from carbongrid.method.tonnes import at_decimals, counted
from carbongrid.outputs.numbers import coefficient, short_number, whole_percent
from carbongrid.outputs.report.analysis_page import (
    AnalysisPage,
    Card,
    Cell,
    Column,
    Map,
    Rows,
    Words,
    map_of_ratios,
    map_of_zones,
    mass_is,
    unit_cell,
    unit_in_text,
    write_analysis_page,
    zone_cell,
)
from carbongrid.outputs.report.scatter import scatter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pandas as pd

    from carbongrid.analysis.validation.validation import Validation

_MAX_MAPS, _MAX_PLOTS = 6, 12
_CANNOT = (
    (
        "Agreement is not truth: published values have errors of their own, and tables made with the same proxies agree for that reason.",
        "一致不等于真实：已发布的数值自身亦有误差；使用相同替代指标的两份表格会因此一致。",
    ),
    (
        "A value in the 90 % interval says that the interval is as wide as the difference is, not that either is right.",
        "数值落在 90 % 区间内，仅说明区间宽度与差异相当，并不说明任何一方正确。",
    ),
)


def write_validation_page(found: Validation, path: Path) -> Path:
    """Write ``validation.html``; raises as :func:`carbongrid.outputs.report.analysis_page.write_analysis_page`."""
    return write_analysis_page(_page(found), path)


def _page(found: Validation) -> AnalysisPage:
    mass = mass_is(found.gas)
    quantities = found.measures["of"].tolist()
    values = {of: rows.set_index("region") for of, rows in found.values.groupby("of", sort=False)}
    codes = found.outlines["region"]
    maps = [
        map_of_ratios(
            of,
            codes.map(values[of]["log2_ratio"]).to_numpy(np.float64),
            codes.isin(values[of].index).to_numpy(),
        )
        for of in quantities[:_MAX_MAPS]
    ]
    if found.zones:
        maps += _maps_of_zones(found)
    return AnalysisPage(
        kicker=Words("Agreement with published values", "与已发布数值的一致性"),
        title=found.title,
        sub=Words(
            f"Against {found.table} · ratios are the run's value over the published one, {mass.en}",
            f"对照 {found.table} · 比值为本次运算值与发布值之比，{mass.zh}",
        ),
        cards=list(_cards(found)),
        outlines=found.outlines[["geometry"]],
        tips=list(_tips(found, values, quantities)),
        maps=maps,
        plots=[scatter(of, values[of].reset_index()) for of in quantities[:_MAX_PLOTS]],
        tables=[
            _measures(found.measures),
            *_cells(found),
            *_zones(found),
            _worst(found.worst),
            *_sums(found.sums),
        ],
        notes=[
            *_notes(found),
            *found.remarks,
            *((Problem(en, level="note"), zh) for en, zh in _CANNOT),
        ],
        attribution=found.attribution,
    )


def _cards(found: Validation) -> Iterator[Card]:
    for row in found.measures.head(3).to_dict("records"):
        best = _best_baseline(row)
        yield Card(
            Words("Misplaced", "错置比例"),
            whole_percent(row["misplaced_scaled"]),
            Words(f"{row['of']}: {best.en}", f"{row['of']}：{best.zh}"),
        )
    if found.zones:
        zones = found.zones
        told = f"with the published values scaled to the run's totals {whole_percent(zones['agreement_by_published'])}, by area {whole_percent(zones['agreement_by_area'])}"
        zh = f"发布值缩放至本次总量时为 {whole_percent(zones['agreement_by_published'])}，按面积为 {whole_percent(zones['agreement_by_area'])}"
        yield Card(
            Words("Zones agree", "分区一致"), whole_percent(zones["agreement"]), Words(told, zh)
        )


def _best_baseline(row: Mapping[Any, Any]) -> Words:
    """Return what the best of the baselines that are known would misplace."""
    known = {name: row[name] for name in BASELINES if not math.isnan(row[name])}
    if not known:
        return Words("nothing to misplace", "无可错置")
    best = whole_percent(min(known.values()))
    names = [Words(*BASELINES[name]) for name in known]
    if len(names) == 1:
        return Words(
            f"{names[0].en} alone would misplace {best}", f"仅按{names[0].zh}会错置 {best}"
        )
    english = " and ".join((", ".join(each.en for each in names[:-1]), names[-1].en))
    return Words(f"the best of {english} would misplace {best}", f"{'、'.join(each.zh for each in names)}中最好者错置 {best}")  # fmt: skip


def _tips(
    found: Validation, values: Mapping[Any, pd.DataFrame], quantities: list[str]
) -> Iterator[str]:
    for code, name in zip(found.outlines["region"], found.outlines["name"], strict=True):
        parts = [
            f"{of} {short_number(float(2.0 ** values[of]['log2_ratio'][code]))}"
            for of in quantities[:_MAX_MAPS]
            if code in values[of].index
        ]
        yield f"{unit_in_text(name, code)}: {', '.join(parts) or 'not in the table 未列出'}"


def _maps_of_zones(found: Validation) -> Iterator[Map]:
    table = found.unit_zones.set_index("unit")
    codes = found.outlines["region"]
    ours = codes.map(table["zone"]).fillna(0).astype(int)
    theirs = codes.map(table["zone_published"]).fillna(0).astype(int)
    differs = np.flatnonzero((ours != theirs).to_numpy()).tolist()
    yield map_of_zones(ours.tolist(), Words("Zones of the run", "本次运算的分区"))
    heavy = Words("Heavy outlines: another zone than the run's.", "粗线：与本次运算的分区不同。")
    name = Words("Zones with the published emission", "采用发布排放的分区")
    yield map_of_zones(theirs.tolist(), name, differs, heavy if differs else None)


def _measures(measures: pd.DataFrame) -> Rows:
    names = (
        ("bias", "bias", "偏差", short_number),
        ("spearman", "rank correlation", "秩相关", coefficient),
        ("spearman_per_head", "per head", "人均秩相关", coefficient),
        ("misplaced_scaled", "misplaced", "错置", whole_percent),
        ("by_area", "by area", "按面积", whole_percent),
        ("by_people", "by people", "按人口", whole_percent),
        ("by_one_total", "by one total", "按单一总量", whole_percent),
        ("skill", "skill", "技巧", coefficient),
        ("median_log2_ratio", "median |log₂ ratio|", "|log₂ 比| 中位数", coefficient),
        ("coverage_90", "in the 90 % interval", "落入 90 % 区间", whole_percent),
    )
    rows: list[list[Cell | str]] = [
        [row["of"], str(row["units"]), *(show(row[key]) for key, _, _, show in names)]
        for row in measures.to_dict("records")
    ]
    columns = [Column(Words("quantity", "量"), False), Column(Words("units", "单元"))]
    columns += [Column(Words(english, chinese)) for _, english, chinese, _ in names]
    told = Words("Skill is 1 − misplaced / the best of the baselines that are known: 1 is perfect, 0 no better; blank where it says nothing", "技巧为 1 − 错置 / 已知基准中的最好者：1 为完全一致，0 为不优于基准；无法判断时为空")  # fmt: skip
    return Rows("measures", Words("Measures", "指标"), told, columns, rows)


def _cells(found: Validation) -> Iterator[Rows]:
    if not len(found.cell_measures):
        return
    names = (
        ("bias", "bias", "偏差", short_number),
        ("spearman", "rank correlation", "秩相关", coefficient),
        ("misplaced", "misplaced", "错置", whole_percent),
        ("misplaced_scaled", "misplaced, scaled", "缩放后错置", whole_percent),
        ("by_area", "by area", "按面积", whole_percent),
        ("skill", "skill", "技巧", coefficient),
    )
    rows: list[list[Cell | str]] = [
        [row["of"], str(row["cells"]), *(show(row[key]) for key, _, _, show in names)]
        for row in found.cell_measures.to_dict("records")
    ]
    columns = [Column(Words("quantity", "量"), False), Column(Words("cells", "像元"))]
    columns += [Column(Words(english, chinese)) for _, english, chinese, _ in names]
    told = Words("On the raster's own cells: parcels' masses cut exactly by them, against the cells' values as far as they lie in units", "在栅格自身的像元上：地块质量按像元精确切分，与像元值（仅计单元内部分）对照")  # fmt: skip
    yield Rows("cells", Words("Cell by cell", "逐像元"), told, columns, rows)
    lines: list[list[Cell | str]] = [
        [row["of"], f"{x}, {y}", *(_tonnes(row[name]) for name in ("ours_t", "published_t", "apart_t"))]
        for row, (x, y) in zip(found.worst_cells.to_dict("records"), centres_written(found.worst_cells, found.cell_measures), strict=True)
    ]  # fmt: skip
    columns = [
        Column(Words("quantity", "量"), False),
        Column(Words("centre", "中心"), False),
        Column(Words("run, t", "本次，t")),
        Column(Words("published, t", "发布，t")),
        Column(Words("apart, t", "相差，t")),
    ]
    told = Words("The ten cells of each quantity whose masses lie furthest apart, with the run scaled to the raster's total", "每个量质量相差最大的十个像元（本次结果缩放至栅格总量）")  # fmt: skip
    yield Rows("worst-cells", Words("Cells furthest apart", "相差最大的像元"), told, columns, lines)


def _zones(found: Validation) -> Iterator[Rows]:
    if not found.zones:
        return
    zones = found.zones
    kinds = (
        ("run", "", "this run", "本次运算"),
        ("by_area", "_by_area", "emission spread by area", "排放按面积分摊"),
        ("by_one_total", "_by_one_total", "one whole total of each category", "每类一个总量"),
        ("by_published", "_by_published", "published values with the run's totals", "发布值配本次总量"),
    )  # fmt: skip
    rows: list[list[Cell | str]] = [
        [
            Cell(english, chinese),
            whole_percent(zones[f"agreement{key}"]),
            coefficient(zones[f"kappa{key}"]),
        ]
        for _, key, english, chinese in kinds
        if not math.isnan(zones[f"agreement{key}"])
    ]
    columns = [
        Column(Words("zones by", "分区依据"), False),
        Column(Words("agree", "一致")),
        Column(Words("kappa", "kappa")),
    ]
    table = found.unit_zones[~found.unit_zones["agrees"].astype(bool)]
    not_firm = whole_percent(zones["not_firm"])
    told = Words(
        f"Of {counted(len(found.unit_zones), 'unit')}, {not_firm} of them not firm; no zone disagrees",
        f"共 {len(found.unit_zones):,} 个单元，其中 {not_firm} 不稳定；分区全部一致",
    )
    if len(table):
        told = Words(
            f"Of {counted(len(found.unit_zones), 'unit')}; of the zones that disagree {whole_percent(zones['disagreements_not_firm'])} are not firm, of all {not_firm}",
            f"共 {len(found.unit_zones):,} 个单元；不一致者中 {whole_percent(zones['disagreements_not_firm'])} 不稳定，全部中为 {not_firm}",
        )
    yield Rows("zones", Words("Zones", "分区"), told, columns, rows)
    if table.empty:
        return
    names = found.outlines.set_index("region")["name"]
    lines: list[list[Cell | str]] = [
        [unit_cell(names[row["unit"]], row["unit"]), zone_cell(row["zone"]), zone_cell(row["zone_published"]), Cell("firm", "稳定") if row["firm"] else ""]
        for row in table.to_dict("records")
    ]  # fmt: skip
    columns = [
        Column(Words("unit", "单元"), False),
        Column(Words("zone of the run", "本次分区"), False),
        Column(Words("with the published emission", "采用发布排放"), False),
        Column(Words("firm", "稳定"), False),
    ]
    yield Rows("disagree", Words("Disagreements", "不一致"), None, columns, lines)


def _worst(worst: pd.DataFrame) -> Rows:
    rows: list[list[Cell | str]] = [
        [row["of"], row["region"], *(_tonnes(row[name]) for name in ("ours_t", "published_t", "low_t", "high_t")), short_number(2.0 ** row["log2_ratio"])]
        for row in worst.to_dict("records")
    ]  # fmt: skip
    columns = [
        Column(Words("quantity", "量"), False),
        Column(Words("unit", "单元"), False),
        Column(Words("run, t", "本次，t")),
        Column(Words("published, t", "发布，t")),
        Column(Words("5 %, t", "5 %，t")),
        Column(Words("95 %, t", "95 %，t")),
        Column(Words("ratio", "比值")),
    ]
    told = Words("The ten of each quantity that lie furthest apart", "每个量相差最大的十个单元")
    return Rows("worst", Words("Furthest apart", "相差最大"), told, columns, rows)


def _sums(sums: pd.DataFrame) -> Iterator[Rows]:
    if sums.empty:
        return
    rows: list[list[Cell | str]] = [
        [
            " ".join(filter(None, (row["of"], row["gas"]))),
            row["region"] or Cell("the whole", "全部"),
            _tonnes(row["total_t"]),
            _tonnes(row["sum_of_units_t"]),
            short_number(row["ratio"]),
            row["slip"]
            if row["off"] and row["slip"]
            else (Cell("off", "不符") if row["off"] else ""),
        ]
        for row in sums.to_dict("records")
    ]
    columns = [
        Column(Words("quantity", "量"), False),
        Column(Words("region", "区域"), False),
        Column(Words("its total, t", "其总量，t")),
        Column(Words("sum of its units, t", "单元之和，t")),
        Column(Words("ratio", "比值")),
        Column(Words("as if", "疑似"), False),
    ]
    told = Words("The published table against itself", "发布表格自身的核对")
    yield Rows("sums", Words("Its own sums", "自身合计"), told, columns, rows)


def _notes(found: Validation) -> Iterator[tuple[Problem, str]]:
    for row in found.measures.to_dict("records"):
        of, total = row["of"], row["units"] + row["units_missing"]
        if row["units_missing"]:
            what = f"{of}: {row['units_missing']} of {total} units are not in the table; all that is said here is of the others."
            yield (
                Problem(what, level="warning"),
                f"{of}：{total} 个单元中有 {row['units_missing']} 个未列出；此处仅针对其余单元。",
            )
        if row["same_proxy"]:
            what = f"{of}: less than 0.005 is misplaced, so the published values were probably made with this very proxy; it says nothing of either."
            yield (
                Problem(what, level="warning"),
                f"{of}：错置不足 0.005，发布值很可能采用了同一替代指标，无法说明任何一方。",
            )
        elif math.isnan(row["skill"]):
            why, zh = why_no_skill(row)
            what = f"{of}: no skill can be told: {why}."
            yield Problem(what, level="note"), f"{of}：无法判断技巧：{zh}。"
        elif row["skill"] <= 0:
            by, zh = placed_as_well_by(row)
            what = f"{of}: no skill. By {by} alone it would have been placed as well."
            yield Problem(what, level="warning"), f"{of}：没有技巧，仅按{zh}亦可达到。"


def _tonnes(value: float) -> str:
    return at_decimals(value, 0).replace("-", "−")
