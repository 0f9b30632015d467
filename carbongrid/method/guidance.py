"""What a planner can do in each zone: advice as data, which a user can replace zone by zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from carbongrid.errors import InputError, Problem
from carbongrid.method.landuse import packaged_table
from carbongrid.method.tonnes import counted

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

COLUMNS = ("zone", "topic_en", "topic_zh", "text_en", "text_zh", "on_sinks")
ZONES = ("0", "1", "2", "3", "4")


@dataclass(frozen=True)
class Advice:
    """One piece of advice for the units of a zone.

    Parameters
    ----------
    zone
        Code of the zone, 0 (unclassified) to 4.
    topic_en, topic_zh
        What it is about, in a word or two.
    text_en, text_zh
        What to do; where a user's table has one language only, both are that one.
    on_sinks
        Whether it rests on ESC, so that it is not given to a unit whose region's sinks are below the floor.
    few_sinks
        Whether it is for such units alone.
    """

    zone: int
    topic_en: str
    topic_zh: str
    text_en: str
    text_zh: str
    on_sinks: bool = False
    few_sinks: bool = False


def read_guidance(extra: pd.DataFrame | None = None, *, where: str = "") -> tuple[Advice, ...]:
    """Return the advice for every zone, in the order of the zones.

    Parameters
    ----------
    extra
        A user's table, every cell text, indexed by the row of its file. A zone that it names has the user's
        rows only; the other zones keep the package's.
    where
        Name of the user's file, for messages.

    Returns
    -------
    tuple of Advice

    Raises
    ------
    InputError
        With every unknown zone and every row without a text.
    """
    packaged = _packaged()
    if extra is None:
        return packaged
    problems: list[Problem] = []
    own: list[Advice] = []
    for row, cells in zip(extra.index, extra.to_dict("records"), strict=True):
        text = {column: str(cells.get(column, "")).strip() for column in COLUMNS}
        place = f"{where}, row {row}"
        if text["zone"] not in ZONES:
            what = f"expected the code of a zone, not {text['zone']!r}"
            problems.append(Problem(what, f"{place}, column zone", f"Write {', '.join(ZONES)}."))
        elif not text["text_en"] and not text["text_zh"]:
            what = "the advice has no text"
            problems.append(Problem(what, place, "Write text_en, text_zh or both."))
        elif text["on_sinks"] not in ("", "true", "false"):
            what = f"expected true, false or nothing, not {text['on_sinks']!r}"
            problems.append(Problem(what, f"{place}, column on_sinks", "Correct it."))
        else:
            own.append(_advice(text))
    if problems:
        raise InputError(problems)
    replaced = {advice.zone for advice in own}
    kept = [advice for advice in packaged if advice.zone not in replaced]
    return tuple(sorted([*kept, *own], key=lambda advice: advice.zone))


def _advice(text: dict[str, str]) -> Advice:
    return Advice(
        zone=int(text["zone"]),
        topic_en=text["topic_en"] or text["topic_zh"],
        topic_zh=text["topic_zh"] or text["topic_en"],
        text_en=text["text_en"] or text["text_zh"],
        text_zh=text["text_zh"] or text["text_en"],
        on_sinks=text["on_sinks"] == "true",
    )


def guidance_of_zones(
    zone: ArrayLike, few_sinks: ArrayLike, guidance: Sequence[Advice], floor: float
) -> dict[int, tuple[Advice, ...]]:
    """Return each zone's advice: where the sinks of its units' regions are below the floor, what rests on ESC gives way.

    Parameters
    ----------
    zone, few_sinks : shape (units,)
        Each unit's zone, and whether the sinks of its region are below the floor.
    guidance
        Of all zones.
    floor
        CCR of a reference region below which ESC ranks noise, for the text.

    Returns
    -------
    dict
        By code. What rests on ESC is left out where it holds for none of the zone's units.
    """
    few, zones = np.asarray(few_sinks, np.bool_), np.asarray(zone)
    given = {}
    for code in map(int, ZONES):
        inside = zones == code
        number = int((inside & few).sum())
        own = [advice for advice in guidance if advice.zone == code]
        if number:
            own = [advice for advice in own if not advice.on_sinks or number < inside.sum()]
            own.append(_caution(code, number, f"{100 * floor:g} %"))
        given[code] = tuple(own)
    return given


def _caution(zone: int, number: int, floor: str) -> Advice:
    english = (
        f"Of {counted(number, 'unit')} here the reference region takes up less than {floor} of what it emits, so ESC ranks noise: "
        f"{'its' if number == 1 else 'their'} zone is indicative, and no payment for uptake follows from it."
    )
    chinese = f"此区有 {number} 个单元，其参照区域的碳汇不足排放的 {floor}，ESC 的排序没有意义：分区仅供参考，不能据此收付碳汇补偿。"
    return Advice(zone, "Sinks below the floor", "碳汇低于下限", english, chinese, few_sinks=True)


@cache
def _packaged() -> tuple[Advice, ...]:
    rows = packaged_table("guidance.csv").to_dict("records")
    return tuple(_advice({str(name): text for name, text in row.items()}) for row in rows)
