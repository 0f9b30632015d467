"""The page of an audit of choices: what each choice moves, and which zones hold under all of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from carbongrid.analysis.choices.audit import CANNOT_TELL, CODES
from carbongrid.analysis.run_page import write_run_page
from carbongrid.method.landuse import packaged_table
from carbongrid.method.tonnes import counted
from carbongrid.outputs.figures.palettes import colours_at
from carbongrid.outputs.numbers import whole_percent
from carbongrid.outputs.report.analysis_page import (
    Card,
    Cell,
    Column,
    Map,
    Rows,
    Words,
    map_of_zones,
    unit_cell,
    zone_cell,
)
from carbongrid.outputs.report.layers import Entry
from carbongrid.outputs.report.notes import note_in_chinese

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from carbongrid.analysis.choices.audit import ChoiceAudit
    from carbongrid.outputs.result import Result

_DECIDED = "#dedcd5"
_KEPT = (
    (1.0, "all", "全部"),
    (0.9, "90 % and more", "90 % 及以上"),
    (0.75, "75 to 90 %", "75 % 至 90 %"),
    (0.5, "50 to 75 %", "50 % 至 75 %"),
    (0.0, "less than half", "不足一半"),
)
"""Classes of the share of readings that keep the run's zone, by their least."""


def write_choices_page(found: ChoiceAudit, result: Result, path: Path) -> Path:
    """Write ``choices.html``; raises as :func:`carbongrid.analysis.run_page.write_run_page`."""
    units = found.units
    kept = units[[f"share_{code}" for code in CODES]].to_numpy(np.float64)
    kept = kept[np.arange(len(units)), [CODES.index(code) for code in units["zone"]]]
    return write_run_page(
        result,
        path,
        kicker=Words("Which choices decide a zone", "哪些选择决定分区"),
        sub=Words(f"{counted(len(units), 'unit')} · {found.design}", f"{len(units):,} 个单元 · 共 {len(found.readings)} 种解读"),
        cards=list(_cards(found)),
        maps=[_map_of_core(found), _map_of_kept(kept)],
        tables=[_choices(found), _units(found, kept), *_not_tried(found)],
        notes=[CANNOT_TELL],
    )  # fmt: skip


def _cards(found: ChoiceAudit) -> Iterator[Card]:
    count, made = found.zoned, len(found.readings)
    none = len(found.units) - count
    rest = (
        (
            f"; {counted(none, 'unit')} {'has' if none == 1 else 'have'} none",
            f"；另有 {none:,} 个单元未分区",
        )
        if none
        else ("", "")
    )
    yield Card(
        Words("Stable core", "稳定核心"),
        f"{found.stable:,}",
        Words(f"of {count:,} units with a zone have one zone under all readings{rest[0]}", f"个单元（共 {count:,} 个已分区单元）在全部解读下分区不变{rest[1]}"),
    )  # fmt: skip
    yield Card(Words("Readings", "解读"), f"{made:,}", Words("of the method were made from what the run keeps", "种，均由本次运算所存数据得出"))  # fmt: skip
    most = found.choices.sort_values("mean", ascending=False, kind="stable").head(2)
    for row in most.to_dict("records"):
        yield Card(
            Words(f"{row['choice']}: {row['value']}", f"{row['choice']}：{row['value']}"),
            str(row["alone"]),
            Words(f"units flip when it alone changes, {row['mean']:.1f} in the mean over the other choices", f"个单元在仅此改变时换区；在其他选择的平均下为 {row['mean']:.1f} 个"),
        )  # fmt: skip


def _map_of_core(found: ChoiceAudit) -> Map:
    """Return the zones of the stable core; grey where a choice decides."""
    codes, decided = found.units["zone"].tolist(), found.decided.tolist()
    shown = [_DECIDED if moved else zone_cell(code).colour for code, moved in zip(codes, decided, strict=True)]  # fmt: skip
    held = [code for code, moved in zip(codes, decided, strict=True) if not moved]
    whole = map_of_zones(
        held, Words("Zones that hold under all readings", "在全部解读下不变的分区")
    )
    entries = [*whole.entries, Entry(_DECIDED, "decided by a choice", "取决于选择", len(codes) - len(held))]  # fmt: skip
    return Map(whole.name, shown, entries)


def _map_of_kept(kept: NDArray[np.float64]) -> Map:
    shades = colours_at("YlGnBu", [0.95, 0.7, 0.5, 0.3, 0.1])
    place = np.array([next(k for k, (least, *_) in enumerate(_KEPT) if share >= least) for share in kept])  # fmt: skip
    entries = [Entry(shades[k], en, zh, int((place == k).sum())) for k, (_, en, zh) in enumerate(_KEPT)]  # fmt: skip
    note = Words("Shares of readings, not probabilities: nobody says that readings are equally likely.", "为解读的占比而非概率：各解读未必同等可能。")  # fmt: skip
    return Map(Words("Readings that keep the run's zone", "保持本次分区的解读占比"), [shades[k] for k in place], entries, (), note)  # fmt: skip


@cache
def _in_chinese() -> dict[str, str]:
    table = packaged_table("choices.csv")
    pairs = [("question", "question_zh"), ("why", "why_zh")]
    return {en: zh for one, other in pairs for en, zh in zip(table[one], table[other], strict=True)}


def _said(text: str) -> Cell:
    return Cell(text, _in_chinese().get(text, "") or note_in_chinese(text))


def _choices(found: ChoiceAudit) -> Rows:
    rows: list[list[Cell | str]] = [
        [row["choice"], _said(row["question"]), row["own"], row["value"], str(row["alone"]), f"{row['mean']:.1f}", _said(row["why"]), row["decision"]]
        for row in found.choices.sort_values("mean", ascending=False, kind="stable").to_dict("records")
    ]  # fmt: skip
    columns = [
        Column(Words("choice", "选择"), False),
        Column(Words("what is left open", "未定之处"), False),
        Column(Words("in the run", "本次"), False),
        Column(Words("read as", "改为"), False),
        Column(Words("units that flip, it alone", "仅此改变时换区单元")),
        Column(Words("mean over the others", "在其他选择下的平均")),
        Column(Words("what speaks for it", "理由"), False),
        Column(Words("decision", "决定"), False),
    ]
    told = Words("Each choice read otherwise: how many units are then in another zone.", "每项选择改变后，有多少单元换区。")  # fmt: skip
    return Rows("choices", Words("Choices", "选择"), told, columns, rows)


def _units(found: ChoiceAudit, kept: NDArray[np.float64]) -> Rows:
    order = np.argsort(kept, kind="stable")
    rows: list[list[Cell | str]] = []
    for place in order:
        row = found.units.iloc[place]
        shares = [whole_percent(float(row[f"share_{code}"])) for code in CODES]
        core: Cell | str = Cell("yes", "是") if row["stable"] else Cell("no", "否")
        if not row["zone"]:
            core = "–"
        rows.append(
            [unit_cell(row["name"], row["unit"]), zone_cell(int(row["zone"])), *shares, core]
        )
    columns = [
        Column(Words("unit", "单元"), False),
        Column(Words("zone", "分区"), False),
        *(Column(Words(name.en, name.zh)) for name in map(zone_cell, CODES)),
        Column(Words("one zone under all", "全部解读下不变"), False),
    ]
    told = Words("Of the readings, in each zone; the units that are moved most come first.", "各单元在各分区的解读占比；变动最大者在前。")  # fmt: skip
    return Rows("units", Words("Units", "单元"), told, columns, rows)


def _not_tried(found: ChoiceAudit) -> list[Rows]:
    if found.not_tried.empty:
        return []
    rows: list[list[Cell | str]] = [
        [row["choice"], row["value"], _said(row["reason"]), row["decision"]]
        for row in found.not_tried.to_dict("records")
    ]
    columns = [
        Column(Words("choice", "选择"), False),
        Column(Words("read as", "改为"), False),
        Column(Words("why this run cannot answer it", "本次无法回答的原因"), False),
        Column(Words("decision", "决定"), False),
    ]
    return [Rows("not-tried", Words("Not tried", "未尝试"), None, columns, rows)]
