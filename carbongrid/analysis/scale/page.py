"""The page of an audit of scale: what coarse grids, larger units and other fine cells make of a run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from carbongrid.analysis.run_page import write_run_page
from carbongrid.analysis.scale.audit import CANNOT_TELL
from carbongrid.method.tonnes import at_decimals, counted
from carbongrid.outputs.numbers import (
    coefficient,
    density,
    ends,
    gini_number,
    mass,
    mass_in_chinese,
    whole_percent,
)
from carbongrid.outputs.report.analysis_page import (
    Card,
    Cell,
    Column,
    Map,
    Rows,
    Words,
    map_of_classes,
    map_of_zones,
)

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from carbongrid.analysis.scale.audit import ScaleAudit
    from carbongrid.outputs.result import Result

_KM = 1000.0
_MEASURES = {
    "same": Words("have the zone with the largest part of their units' emission", "分区与其单元排放占比最大的分区相同"),
    "adjusted_rand": Words("adjusted Rand index of zones of units and of theirs", "单元分区与其分区的调整兰德指数"),
}  # fmt: skip
_OF = {"emission": Cell("emission", "排放"), "sink": Cell("sink", "碳汇")}


def write_scale_page(found: ScaleAudit, result: Result, path: Path) -> Path:
    """Write ``scale.html``; raises as :func:`carbongrid.analysis.run_page.write_run_page`."""
    return write_run_page(
        result,
        path,
        kicker=Words("Does the pattern survive another ruler?", "换一把尺，格局是否依旧？"),
        sub=Words(f"{counted(len(result.units), 'unit')} · {_done(found).en}", f"{len(result.units):,} 个单元 · {_done(found).zh}"),
        cards=list(_cards(found, result)),
        maps=_maps(found, result),
        tables=[_grids(found.grids), *_null(found.null), *_cells(found.cells)],
        notes=[*found.remarks, CANNOT_TELL],
    )  # fmt: skip


def _done(found: ScaleAudit) -> Words:
    """Return which rulers were tried: a run may have no larger units, and fine cells can be left out."""
    rulers = [
        Words("coarse grids at eight origins", "八种原点的粗网格"),
        *([Words("units merged", "单元合并")] if len(found.groups) else ()),
        *([Words("other fine cells", "其他细网格")] if len(found.cells) else ()),
    ]
    return Words(", ".join(each.en for each in rulers), "、".join(each.zh for each in rulers))


def _cards(found: ScaleAudit, result: Result) -> Iterator[Card]:
    inside = (found.grids["quantity"] == "emission") & (found.grids["side_m"] == _KM)
    of_km = found.grids[inside]
    densest = Words(_densest(of_km, mass), _densest(of_km, mass_in_chinese))
    yield Card(Words("Densest cell of 1 km", "1 km 网格最大密度"), densest, Words("by where the grid begins", "随网格原点而异"))  # fmt: skip
    yield Card(Words("Gini of emission, 1 km", "排放基尼系数，1 km"), ends(of_km["gini"], gini_number, " – "), Words("of density, cells by their covered area", "按覆盖面积加权的密度"))  # fmt: skip
    for row in found.null[found.null["measure"] == "same"].head(1).to_dict("records"):
        yield Card(
            Words(f"Merged to {row['merged']}", f"合并至 {row['merged']}"),
            whole_percent(row["parents"]),
            Words(f"{_MEASURES['same'].en}; random groups of neighbours {whole_percent(row['random_mean'])}", f"{_MEASURES['same'].zh}；随机相邻组为 {whole_percent(row['random_mean'])}"),
        )  # fmt: skip
    if len(found.cells):
        moved = int(_moved(found, result).sum())
        most = at_decimals(float(found.cells["emission_percent"].max()), 3)
        yield Card(Words("Zones that fine cells move", "细网格改变的分区"), str(moved), Words(f"units of {len(result.units)} by any of them; the largest change of an emission that a unit has is {most} %", f"个单元（共 {len(result.units)} 个），任一细网格下；单元已有排放的最大变化为 {most} %"))  # fmt: skip


def _densest(grids: pd.DataFrame, show: Callable[[int], str]) -> str:
    """Return the least and the most of the densest cells, in the unit that suits the place."""
    least, most = (show(round(each * 1e6)) for each in (grids["max_t_km2"].min(), grids["max_t_km2"].max()))  # fmt: skip
    if least == most:
        return f"{most}/km²"
    number, _, unit = least.rpartition(" ")
    return f"{number if most.endswith(f' {unit}') else least} – {most}/km²"


def _moved(found: ScaleAudit, result: Result) -> NDArray[np.bool_]:
    """Return which units are in another zone by some fine cells."""
    by_each = found.units[[f"zone_{fine}" for fine in found.cells["fine"]]].to_numpy()
    zone = result.units["zone"].to_numpy(np.int64)
    moved: NDArray[np.bool_] = (by_each != zone[:, None]).any(axis=1)
    return moved


def _maps(found: ScaleAudit, result: Result) -> list[Map]:
    zone = result.units["zone"].to_numpy(np.int64)
    name = Words("Zones of the run", "本次运算的分区")
    if not len(found.cells):
        return [map_of_zones(zone.tolist(), name)]
    fine = found.cells["fine"].tolist()
    turned = np.flatnonzero(_moved(found, result))
    zones = map_of_zones(zone.tolist(), name, turned.tolist())
    note = Words("Heavy outlines: in another zone by some other fine cells.", "粗线：在其他细网格下换区。")  # fmt: skip
    change = found.units[[f"emission_percent_{each}" for each in fine]].abs().max(axis=1)
    more = map_of_classes(change.to_numpy(np.float64), Words("Largest change of emission by fine cells, %", "细网格引起的最大排放变化，%"), Words("no emission", "无排放"))  # fmt: skip
    return [
        Map(
            zones.name, zones.colours, zones.entries, turned.tolist(), note if turned.size else None
        ),
        more,
    ]


def _grids(grids: pd.DataFrame) -> Rows:
    rows: list[list[Cell | str]] = [
        [_OF[str(of)], f"{float(str(side)) / _KM:g} km", ends(inside["gini"], gini_number, " – "), ends(inside["max_t_km2"], density, " – "), ends(inside["cells"], "{:,}".format, " – ")]
        for (of, side), inside in grids.groupby(["quantity", "side_m"], sort=True)
    ]  # fmt: skip
    columns = [
        Column(Words("quantity", "量"), False),
        Column(Words("side of a cell", "网格边长")),
        Column(Words("Gini of density", "密度基尼系数")),
        Column(Words("most, t/km² and year", "最大密度，t/km²·年")),
        Column(Words("cells with land", "有用地的网格")),
    ]
    told = Words("Least and most over eight origins of the grid", "八种网格原点的最小与最大值")
    return Rows("grids", Words("Coarse grids", "粗网格"), told, columns, rows)


def _null(null: pd.DataFrame) -> list[Rows]:
    if null.empty:
        return []
    rows: list[list[Cell | str]] = [
        [row["merged"], Cell(*_MEASURES[row["measure"]]), coefficient(row["parents"]), *_of_random(row), whole_percent(row["reached_by"])]
        for row in null.to_dict("records")
    ]  # fmt: skip
    columns = [
        Column(Words("merged to", "合并至"), False),
        Column(Words("measure", "指标"), False),
        Column(Words("parents", "上级区域")),
        Column(Words("random groups, mean", "随机组均值")),
        Column(Words("90 % of them", "其中 90 %")),
        Column(Words("random ones that reach it", "达到者占比")),
    ]
    told = Words("As many random groups of neighbours are the null: a parent that does no better says little of its units.", "以同样数目的随机相邻组为对照：不优于随机的上级区域说明不了其单元。")  # fmt: skip
    return [Rows("merged", Words("Merged units", "单元合并"), told, columns, rows)]


def _of_random(row: dict[Any, Any]) -> tuple[str, str]:
    """Return the mean and 90 % of random groupings, dashes where none of them has a zone."""
    if math.isnan(row["random_mean"]):
        return "–", "–"
    low, high = coefficient(row["random_p05"]), coefficient(row["random_p95"])
    return coefficient(row["random_mean"]), f"{low} – {high}"


def _cells(cells: pd.DataFrame) -> list[Rows]:
    if cells.empty:
        return []
    rows: list[list[Cell | str]] = [
        [Cell("exact areas", "精确面积") if row["fine"] == "exact" else f"{row['fine']} m", _largest(row, "emission"), _largest(row, "sink"), str(row["zones"]), row["which"] or "–"]
        for row in cells.to_dict("records")
    ]  # fmt: skip
    columns = [
        Column(Words("fine cells", "细网格"), False),
        Column(Words("largest change of emission", "排放最大变化")),
        Column(Words("of sink", "碳汇最大变化")),
        Column(Words("zones moved", "换区单元数")),
        Column(Words("which", "单元"), False),
    ]
    return [Rows("cells", Words("Fine cells", "细网格"), None, columns, rows)]


def _largest(row: dict[Any, Any], of: str) -> str:
    """Return the largest change in percent, and the most that a unit without any has now."""
    new = row[f"{of}_from_0_t"]
    return f"{at_decimals(row[f'{of}_percent'], 3)} %" + (
        f"; 0 → {at_decimals(new, 3)} t" if new else ""
    )
