"""The page of a comparison: both runs' maps side by side, that of the change, and the tables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np

from carbongrid.analysis.run_page import write_run_page
from carbongrid.method.categories import sector_names
from carbongrid.method.tonnes import counted
from carbongrid.method.zoning import zones
from carbongrid.outputs.figures.classes import ordered_zones
from carbongrid.outputs.numbers import change_in_percent, index_number, mass, mass_in_chinese
from carbongrid.outputs.report.analysis_page import (
    Card,
    Cell,
    Column,
    Rows,
    Words,
    category_cell,
    change_cell,
    map_of_changes,
    map_of_zones,
    mass_cell,
    mass_is,
    unit_cell,
    unit_in_text,
    zone_cell,
)
from carbongrid.outputs.report.notes import note_in_chinese

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from carbongrid.analysis.comparison.compare import Comparison
    from carbongrid.analysis.finished import FinishedRun

_KINDS = {
    "answer": Words("answer", "假设"),
    "input": Words("input", "输入"),
    "setting": Words("setting", "设置"),
    "category": Words("category", "类别"),
    "statement": Words("statement", "说明"),
    "version": Words("version", "版本"),
}
_SAID = Cell("said", "有此说明")
_GUESSED = {
    "guessed_a_g": Words("first guess in A", "A 中的初步估计"),
    "guessed_b_g": Words("first guess in B", "B 中的初步估计"),
    "shared_by_guess_a_g": Words("over regions by a guess in A", "A 中按初步估计分配到区域"),
    "shared_by_guess_b_g": Words("over regions by a guess in B", "B 中按初步估计分配到区域"),
}
"""What of totals rests on guesses; a column that would be empty is left out."""


def write_comparison_page(found: Comparison, path: Path) -> Path:
    """Write ``comparison.html``; raises as :func:`carbongrid.analysis.run_page.write_run_page`."""
    units, a, b = found.units, found.a, found.b
    shown = b.units["id"].isin(units["unit"]).to_numpy()
    outlines = gpd.GeoDataFrame(geometry=b.outlines[shown].reset_index(drop=True))
    told = mass_is(a.gas, b.gas)
    order = {code: row for row, code in enumerate(b.units["id"][shown])}
    outlines = outlines.iloc[[order[code] for code in units["unit"]]].reset_index(drop=True)
    turned = np.flatnonzero((units["zone_a"] != units["zone_b"]).to_numpy()).tolist()
    sums = {row["of"]: row for row in found.totals[found.totals["kind"] == "sum"].to_dict("records")}  # fmt: skip
    cards = [
        Card(
            Words(english, chinese),
            change_cell(sums[key]["total_change_g"]),
            Words(
                *(
                    f"{show(sums[key]['total_a_g'])} → {show(sums[key]['total_b_g'])}"
                    for show in (mass, mass_in_chinese)
                )
            ),
        )
        for key, english, chinese in (
            ("emission", "Emissions", "碳排放"),
            ("sink", "Sinks", "碳汇"),
        )
        if key in sums
    ]
    cards.append(
        Card(
            Words("Units in another zone", "分区改变的单元"),
            f"{len(turned):,}",
            Words(f"of {counted(len(units), 'unit')}", f"共 {len(units):,} 个单元"),
        )
    )
    return write_run_page(
        b,
        path,
        kicker=Words("Two runs compared", "两次运算对比"),
        title=_title(a, b),
        sub=Words(f"A: {_called(a)} · B: {_called(b)} · changes are B less A, {told.en}", f"A：{_called(a)} · B：{_called(b)} · 变化为 B 减 A，{told.zh}"),
        cards=cards,
        outlines=outlines,
        tips=[_tip(row) for row in units.to_dict("records")],
        maps=[
            map_of_zones(units["zone_a"].tolist(), Words("Zones in A", "A 的分区")),
            map_of_zones(units["zone_b"].tolist(), Words("Zones in B", "B 的分区"), turned),
            map_of_changes(units["emission_change_g"].to_numpy(np.int64), Words("Change of emission", "排放变化"), turned, Words("Heavy outlines: units in another zone.", "粗线：分区改变的单元。")),
        ],
        tables=[_matrix(found), _totals(found), _unit_rows(found), _made_of(found)],
        notes=found.notes,
    )  # fmt: skip


def _title(a: FinishedRun, b: FinishedRun) -> str:
    names = dict.fromkeys(f"{run.manifest['title']}, {run.manifest['year']}" for run in (a, b))
    return " / ".join(names)


def _called(run: FinishedRun) -> str:
    return run.name if run.directory is None else run.directory.name


def _tip(row: Mapping[Any, Any]) -> str:
    pair = [zones()[row[f"zone_{side}"]] for side in "ab"]
    english, chinese = (" → ".join(names) for names in zip(*((zone.name_en, zone.name_zh) for zone in pair), strict=True))  # fmt: skip
    change = change_cell(row["emission_change_g"])
    return f"{unit_in_text(row['name'], row['unit'])}: {english} {chinese}; emission {change.en} 排放 {change.zh}"


def _matrix(found: Comparison) -> Rows:
    ordered = ordered_zones()
    rows: list[list[Cell | str]] = []
    for zone in ordered:
        counts = [int(count) for count in found.matrix.loc[zone.code].to_numpy()]
        rows.append([zone_cell(zone.code), *(str(count) if count else "" for count in counts)])
    columns = [
        Column(Words("zone in A, down; in B, across", "行为 A 的分区，列为 B 的分区"), False)
    ]
    columns += [Column(Words(zone.name_en, zone.name_zh)) for zone in ordered]
    told = Words("How many units went from which zone to which", "各分区之间转移的单元数")
    return Rows("matrix", Words("Zones", "分区"), told, columns, rows)


def _totals(found: Comparison) -> Rows:
    rows: list[list[Cell | str]] = []
    strong = []
    names = {"emission": Cell("all emission", "排放合计"), "sink": Cell("all sinks", "碳汇合计")}
    names |= {name: Cell(*words) for name, words in sector_names().items() if name not in names}
    categories = {**found.b.categories, **found.a.categories}
    names |= {name: category_cell(name, categories) for name in categories}
    marked = [name for name in _GUESSED if found.totals[name].any()]
    for row in found.totals.to_dict("records"):
        if row["kind"] == "sum":
            strong.append(len(rows))
        masses = [*(mass_cell(int(row[f"total_{side}_g"])) for side in "ab"), *_changes(row)]
        of_guesses = (mass_cell(int(row[name])) if row[name] else "" for name in marked)
        rows.append([names.get(row["of"], row["of"]), *masses, *of_guesses])
    columns = [
        Column(Words("sum, sector, category", "合计、部门、类别"), False),
        Column(Words("total in A", "A 总量")),
        Column(Words("total in B", "B 总量")),
        Column(Words("change", "变化")),
        Column(Words("in units", "单元内变化")),
        Column(Words("outside them", "单元外变化")),
        Column(Words("unallocated", "未分配变化")),
        *(Column(_GUESSED[name]) for name in marked),
    ]
    told = Words(
        "Totals of both runs; what changed of them, and where it lies", "两次运算的总量及其变化所在"
    )
    return Rows("totals", Words("Totals", "总量"), told, columns, rows, strong)


def _changes(row: Mapping[Any, Any]) -> Iterator[Cell | str]:
    change, before = int(row["total_change_g"]), int(row["total_a_g"])
    part = f" ({change_in_percent(before, change)})" if change else ""
    yield change_cell(change, part)
    for name in ("units", "outside_units", "unallocated"):
        yield change_cell(int(row[f"{name}_change_g"])) if row[f"{name}_change_g"] else ""


def _unit_rows(found: Comparison) -> Rows:
    rows = []
    units = found.units
    order = units["emission_change_g"].abs().sort_values(ascending=False, kind="stable").index
    for row in units.loc[order].to_dict("records"):
        cells: list[Cell | str] = [unit_cell(row["name"], row["unit"]), zone_cell(row["zone_a"])]
        cells.append(zone_cell(row["zone_b"]) if row["zone_a"] != row["zone_b"] else "")
        for name in ("emission", "sink"):
            change, before = int(row[f"{name}_change_g"]), int(row[f"{name}_a_g"])
            cells += [change_cell(change) if change else "", change_in_percent(before, change) if change else ""]  # fmt: skip
        cells += [
            f"{index_number(row[f'{name}_a'])} → {index_number(row[f'{name}_b'])}"
            for name in ("ecc", "esc")
        ]
        rows.append(cells)
    columns = [
        Column(Words("unit", "单元"), False),
        Column(Words("zone in A", "A 的分区"), False),
        Column(Words("another zone in B", "B 的分区（若不同）"), False),
        Column(Words("emission", "排放变化")),
        Column(Words("%", "%")),
        Column(Words("sink", "碳汇变化")),
        Column(Words("%", "%")),
        Column(Words("ECC", "ECC")),
        Column(Words("ESC", "ESC")),
    ]
    told = Words("The largest changes of emission first", "按排放变化量由大到小")
    return Rows("units", Words("Units", "单元"), told, columns, rows)


def _made_of(found: Comparison) -> Rows:
    rows: list[list[Cell | str]] = [
        [
            Cell(*_KINDS[row["kind"]]),
            Cell(row["what"], note_in_chinese(row["what"]) or ""),
            *(_SAID if text == "said" else text for text in _short(row["a"], row["b"])),
        ]
        for row in found.made_of.to_dict("records")
    ]
    columns = [
        Column(Words("kind", "类型"), False),
        Column(Words("what", "内容"), False),
        Column(Words("A", "A"), False),
        Column(Words("B", "B"), False),
    ]
    told = Words("What differs in inputs, settings and versions, by the manifests; all else is the same", "输入、设置与版本的差异，依据两份清单；其余相同")  # fmt: skip
    return Rows("made-of", Words("Made of", "来源差异"), told, columns, rows)


def _short(a: str, b: str) -> tuple[str, str]:
    """Return two texts that differ, cut so that it is seen where."""
    if all(re.fullmatch("[0-9a-f]{64}|", text) for text in (a, b)):
        return (f"{a[:12]}…" if a else "", f"{b[:12]}…" if b else "")
    same = next((k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))  # fmt: skip
    start = max(same - 20, 0) if same > 80 else 0
    cut = [("…" if start else "") + (text[start:] if len(text) - start <= 120 else f"{text[start : start + 100]}…") for text in (a, b)]  # fmt: skip
    return cut[0], cut[1]
