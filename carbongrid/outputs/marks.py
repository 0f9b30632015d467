"""The marks on units whose zone may be another: which units have one, and what it says or rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from carbongrid.method.zoning import few_sinks

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from carbongrid.outputs.result import RunTables


@dataclass(frozen=True)
class Flag:
    """A mark on a unit whose zone may be another: its column of the units, its names, its hatching, and what it says where that is the same in each run.

    ``borderline`` is a distance of an index from 1 and no probability, so it is called what it is; where a run has drawn how sure its zones are,
    units whose zone is not firm are marked instead.
    """

    column: str
    name_en: str
    name_zh: str
    hatch: str
    meaning: tuple[str, str] = ("", "")

    def marked(self, units: pd.DataFrame) -> NDArray[np.bool_]:
        """Return which units are marked, shape (units,)."""
        values = units[self.column].to_numpy(dtype=bool)
        return ~values & (units["zone"] > 0).to_numpy(bool) if self.column == "firm" else values

    @property
    def expression(self) -> str:
        """The same as a condition that QGIS reads."""
        return 'NOT "firm" AND "zone" > 0' if self.column == "firm" else f'"{self.column}"'


CLOSE = Flag(
    "borderline", "close to 1", "接近 1", "////",
    ("ECC or ESC within 0.05 of 1: a distance, no probability", "ECC 或 ESC 距 1 不超过 0.05：仅为距离，并非概率"),
)  # fmt: skip
NOT_FIRM = Flag(
    "firm", "not firm", "不稳定", "////",
    ("fewer than 90 % of the draws have this zone", "不足 90 % 的抽样属该分区"),
)  # fmt: skip
INDICATIVE = Flag("indicative", "indicative", "仅供参考", "....")


def flags_of(units: pd.DataFrame) -> tuple[Flag, Flag]:
    """Return the marks of a run's units: on zones that are not firm where that was drawn, else on those close to 1; and on indicative ones."""
    return (NOT_FIRM if "firm" in units else CLOSE, INDICATIVE)


def why_indicative(tables: RunTables) -> list[tuple[str, str]]:
    """Return why units are indicative, in both languages; where GDP is their own it is the sinks, also of units whose reason is another."""
    why = []
    if tables.gdp_derived:
        why.append(("GDP was derived from that of a larger area", "地区生产总值由上级区域推算"))
    if not why or few_sinks(tables.units["reason"]).any():
        why.append(("the region's sinks are below the floor", "参照区域的碳汇低于下限"))
    return why
