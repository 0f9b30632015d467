"""The table of units, the report's heart: map, plane and sheets read their numbers from it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely

from carbongrid.case.readers.geometry import geodesic_area
from carbongrid.method.categories import SECTORS, sector_names
from carbongrid.method.tonnes import exact_tonnes, format_tonnes
from carbongrid.outputs.numbers import (
    hundreds_of_millions_of,
    index_number,
    interval,
    millions_of,
    money,
    money_in_chinese,
    people,
    percent,
    share_of_draws,
    short_number,
    ten_thousands,
    threshold,
    to_the_gram,
    to_the_gram_in_chinese,
    tonnes,
    tonnes_in_chinese,
)
from carbongrid.outputs.report.wording import whole_or_none

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from carbongrid.outputs.result import RunTables


@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers of the table of units.

    Parameters
    ----------
    key
        What the page's script calls it; its name in units.csv where it stands there.
    name_en, name_zh
        For people.
    unit, unit_zh
        Of the shown text; may be empty.
    optional
        Whether it is hidden until the reader asks for more columns.
    """

    key: str
    name_en: str
    name_zh: str
    unit: str = ""
    unit_zh: str = ""
    optional: bool = False


class Cell(NamedTuple):
    """A number: as units.csv writes it (empty: unknown), and as people read it; in Chinese too where that counts otherwise."""

    exact: str
    shown: str
    shown_zh: str = ""


@dataclass(frozen=True)
class UnitTable:
    """Columns of numbers and, for each unit in order, its cells."""

    columns: tuple[NumberColumn, ...]
    rows: tuple[tuple[Cell, ...], ...]


def unit_table(tables: RunTables, area: NDArray[np.float64] | None = None) -> UnitTable:
    """Return the numbers of the units, exact and as shown; ``area`` as for :func:`intensity`."""
    units = tables.units
    own = sorted({c.sector for c in tables.categories if not c.sink} - set(SECTORS))
    names = sector_names()
    density = intensity(units, area)
    found: list[tuple[NumberColumn, Sequence[Cell]]] = [
        (NumberColumn("ecc", "ECC", "经济贡献系数"), _with_interval(units)),
        (NumberColumn("esc", "ESC", "生态承载系数"), _numbers(units["esc"].tolist(), index_number)),
        (NumberColumn("ccr", "CCR", "碳补偿率"), _numbers(units["ccr"].tolist(), percent)),
        (
            NumberColumn("emission_t", "emission", "碳排放", "t", unit_zh="万吨"),
            _masses(units["emission_g"]),
        ),
        (NumberColumn("sink_t", "sink", "碳汇", "t", unit_zh="万吨"), _masses(units["sink_g"])),
        (
            NumberColumn("intensity", "intensity", "排放强度", "t km⁻²", unit_zh="万吨/km²"),
            _numbers(density.tolist(), short_number, ten_thousands),
        ),
    ]
    if units["gdp"].notna().any():
        column = NumberColumn("gdp", "GDP", "地区生产总值", *_currency(tables.currency))
        values = [whole_or_none(value) for value in units["gdp"]]
        found.append((column, [Cell("" if v is None else str(v), money(v), money_in_chinese(v)) for v in values]))  # fmt: skip
    if units["residents"].notna().any():
        counts = _numbers(units["residents"].tolist(), people)
        found.append((NumberColumn("residents", "residents", "人口"), counts))
    for sector in (*SECTORS, *own):
        english, chinese = names.get(sector, (sector, sector))
        column = NumberColumn(f"{sector}_t", english, chinese, "t", optional=True, unit_zh="万吨")
        if f"{sector}_g" in units:
            found.append((column, _masses(units[f"{sector}_g"])))
    if "firm" in units:
        found += _drawn(units)
    found += _leaving(units, tables.currency)
    if tables.unit_intervals is not None:
        found += _ends(tables.unit_intervals)
    columns, cells = zip(*found, strict=True)
    return UnitTable(tuple(columns), tuple(zip(*cells, strict=True)))


def _drawn(units: pd.DataFrame) -> list[tuple[NumberColumn, Sequence[Cell]]]:
    """Return how sure each zone is, and between which numbers nine tenths of the draws lie; the exact cell is the lower one."""
    sure = NumberColumn("zone_probability", "sure", "可靠程度")
    found: list[tuple[NumberColumn, Sequence[Cell]]] = [
        (sure, _numbers(units["zone_probability"].tolist(), share_of_draws))
    ]
    shown: Mapping[str, tuple[str, str, Callable[[float], str], Callable[[float], str] | None]] = {
        "emission_t": ("emission", "碳排放", _of_tonnes(to_the_gram), _of_tonnes(to_the_gram_in_chinese)),
        "sink_t": ("sink", "碳汇", _of_tonnes(to_the_gram), _of_tonnes(to_the_gram_in_chinese)),
        "ccr": ("CCR", "碳补偿率", percent, None),
        "ecc": ("ECC", "经济贡献系数", index_number, None),
        "esc": ("ESC", "生态承载系数", index_number, None),
    }  # fmt: skip
    for name, (english, chinese, show, show_in_chinese) in shown.items():
        column = NumberColumn(f"{name}_p05", f"{english}, 5 to 95 % of the draws", f"{chinese}，抽样的 5 % 至 95 %", optional=True)  # fmt: skip
        ends = zip(units[f"{name}_p05"].tolist(), units[f"{name}_p95"].tolist(), strict=True)
        cells = [
            Cell("", "–") if math.isnan(low)
            else Cell(repr(low), f"{show(low)} – {show(high)}", f"{show_in_chinese(low)} – {show_in_chinese(high)}" if show_in_chinese else "")
            for low, high in ends
        ]  # fmt: skip
        found.append((column, cells))
    return found


def _of_tonnes(show: Callable[[int], str]) -> Callable[[float], str]:
    """Return what shows a number of tonnes as a mass, in the unit that suits it: the ends of a range may lie far apart."""
    return lambda tonnes: show(round(tonnes * 1e6))


def _leaving(units: gpd.GeoDataFrame, currency: str) -> list[tuple[NumberColumn, Sequence[Cell]]]:
    """Return at which emission, sink and GDP each unit would be in another zone; the exact cell is the change that it takes."""
    columns = [
        (NumberColumn("emission_to_leave_zone_t", "leaves its zone at emission", "改变分区的排放", optional=True), "emission_g", "emission_to_leave_zone_g"),
        (NumberColumn("sink_to_leave_zone_t", "leaves its zone at sink", "改变分区的碳汇", optional=True), "sink_g", "sink_to_leave_zone_g"),
        (NumberColumn("gdp_to_leave_zone", "leaves its zone at GDP", "改变分区的地区生产总值", *_currency(currency), optional=True), "gdp", "gdp_to_leave_zone"),
    ]  # fmt: skip
    found: list[tuple[NumberColumn, Sequence[Cell]]] = []
    for column, now, change in columns:
        if units[change].isna().all():
            continue
        cells = []
        for amount, by in zip(map(whole_or_none, units[now]), map(whole_or_none, units[change]), strict=True):  # fmt: skip
            if amount is None or by is None:
                cells.append(Cell("", "–"))
            elif now == "gdp":
                cells.append(Cell(str(by), threshold(amount, by, money), threshold(amount, by, money_in_chinese)))  # fmt: skip
            else:
                cells.append(Cell(exact_tonnes(by), threshold(amount, by, to_the_gram), threshold(amount, by, to_the_gram_in_chinese)))  # fmt: skip
        found.append((column, cells))
    return found


def _ends(intervals: pd.DataFrame) -> list[tuple[NumberColumn, Sequence[Cell]]]:
    """Return the ends of the units' intervals; the headings say that placing is not in them."""
    names = {
        "emission_low_t": ("emission, 2.5 % (inventory alone)", "碳排放下限（仅清单）"),
        "emission_high_t": ("emission, 97.5 % (inventory alone)", "碳排放上限（仅清单）"),
        "sink_low_t": ("sink, 2.5 % (inventory alone)", "碳汇下限（仅清单）"),
        "sink_high_t": ("sink, 97.5 % (inventory alone)", "碳汇上限（仅清单）"),
    }
    return [
        (
            NumberColumn(name, *words, "t", "万吨", optional=True),
            _masses((intervals[name] * 1e6).round()),
        )
        for name, words in names.items()
    ]


def _currency(currency: str) -> tuple[str, str]:
    """Return in which unit money is shown, in English and Chinese."""
    return millions_of(currency)[0], hundreds_of_millions_of(currency)


def intensity(
    units: gpd.GeoDataFrame, area: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return the emission per area on the ellipsoid of each unit, t km-2; NaN without an area.

    Parameters
    ----------
    units
        With ``emission_g``.
    area : float64, shape (units,)
        What :func:`areas_of_units` says of them, where it is known.
    """
    km2 = (areas_of_units(units) if area is None else area) / 1e6
    with np.errstate(divide="ignore", invalid="ignore"):
        density: NDArray[np.float64] = units["emission_g"].to_numpy(np.float64) / 1e6 / km2
    return np.where(km2 > 0, density, np.nan)


def areas_of_units(units: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """Return the area of each unit on the ellipsoid, m2."""
    shapes = np.array([shape or shapely.Polygon() for shape in units.geometry], dtype=object)
    return geodesic_area(shapes, units.crs)


def _masses(grams: Any) -> list[Cell]:
    whole = [int(each) for each in grams]
    texts = zip(
        format_tonnes(whole), map(tonnes, whole), map(tonnes_in_chinese, whole), strict=True
    )
    return [Cell(*each) for each in texts]


def _with_interval(units: pd.DataFrame) -> list[Cell]:
    """Return ECC, with its interval where that has a width: GDP was derived, and how is not known so well."""
    rows = zip(*(units[name].tolist() for name in ("ecc", "ecc_low", "ecc_high")), strict=True)
    return [
        Cell("" if math.isnan(value) else repr(value), interval(value, low, high))
        for value, low, high in rows
    ]


def _numbers(
    values: Sequence[float],
    show: Callable[[float], str],
    show_zh: Callable[[float], str] = lambda _: "",
) -> list[Cell]:
    return [
        Cell("" if math.isnan(value) else repr(value), show(value), show_zh(value))
        for value in values
    ]
