"""What a planner can do in each zone: advice as data, which a user can replace zone by zone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import pandas as pd

from carbongrid.errors import InputError, Problem
from carbongrid.landuse import packaged_table

COLUMNS = ("zone", "topic_en", "topic_zh", "text_en", "text_zh")
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
    """

    zone: int
    topic_en: str
    topic_zh: str
    text_en: str
    text_zh: str


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
    )


@cache
def _packaged() -> tuple[Advice, ...]:
    rows = packaged_table("guidance.csv").to_dict("records")
    return tuple(_advice({str(name): text for name, text in row.items()}) for row in rows)
