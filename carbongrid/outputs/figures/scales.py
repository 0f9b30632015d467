"""How each variable of the units is classed and coloured, for figures and for styles in files (D30)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

from carbongrid.method.gas import ALL_GASES, Gas
from carbongrid.outputs.figures.classes import (
    RATIOS,
    area_breaks,
    area_quantile,
    natural_breaks,
    no_specks,
)
from carbongrid.outputs.figures.palettes import colours_at
from carbongrid.outputs.numbers import (
    mass_scale,
    millions_of,
    plain_number,
    round_number,
    short_number,
)

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""Breaks of CCR: up to 1, a sink of the size of the emission, by steps of about three."""

_OF_RATES = "YlGnBu"
_SINK_OVER_EMISSION = ("sink over emission, %", "碳汇与排放之比，%")


@dataclass(frozen=True)
class Scale:
    """Classes of one variable.

    Parameters
    ----------
    column
        The column of the units that is classed, mass in grams.
    breaks
        Between the classes, ascending, in the column's own unit: one fewer than there are classes.
    at_break
        Which class a value at a break belongs to.
    labels, colours
        Of each class, lowest first.
    name
        The variable in English and Chinese.
    unit
        What the values are, in English and Chinese.
    missing
        What a value that is not there means.
    note
        A remark for the legend, in English and Chinese.
    """

    column: str
    breaks: tuple[float, ...]
    at_break: Literal["below", "above"]
    labels: tuple[str, ...]
    colours: tuple[str, ...]
    name: tuple[str, str]
    unit: tuple[str, str] = ("", "")
    missing: str = "unknown"
    note: tuple[str, str] = ("", "")

    def values(self, units: pd.DataFrame) -> NDArray[np.float64]:
        """Return what is classed, shape (units,); NaN has no class."""
        values = units[self.column].to_numpy(np.float64, na_value=np.nan)
        if self.at_break == "below":  # totals: nothing is not the least of something
            values = np.where(values > 0, values, np.nan)
        result: NDArray[np.float64] = values
        return result

    def classes(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the class of each value, 0 the lowest, -1 for NaN."""
        side: Literal["left", "right"] = "left" if self.at_break == "below" else "right"
        found = np.searchsorted(self.breaks, values, side=side).astype(np.int64)
        found[np.isnan(values)] = -1
        return found


def scales_of(units: pd.DataFrame, currency: str = "", gas: Gas = ALL_GASES) -> dict[str, Scale]:  # fmt: skip
    """Return the scale of every variable that the units have, by a short name.

    Parameters
    ----------
    units
        Columns emission_g, sink_g, ccr, ecc, esc and, where they are known, gdp and residents.
    currency
        Of GDP.
    gas
        Of the emissions.

    Returns
    -------
    dict of Scale
        emission, sink, ccr, ecc, esc; gdp and residents if some unit has one.
    """
    scales = {
        "emission": totals("emission_g", units["emission_g"], ("Emissions", "碳排放"), "YlOrRd", gas),
        "sink": totals("sink_g", units["sink_g"], ("Carbon sinks", "碳汇"), "YlGn", gas),
        "ccr": rates(units),
        "ecc": around_one("ecc", ("Economic contributive coefficient (ECC)", "经济贡献系数"), ("GDP", "GDP ")),
        "esc": around_one("esc", ("Ecological support coefficient (ESC)", "生态承载系数"), ("sinks", "碳汇")),
    }  # fmt: skip
    for column, name, unit, palette in (
        ("gdp", ("GDP", "地区生产总值"), millions_of(currency), "Purples"),
        ("residents", ("Residents", "常住人口"), ("people", "人"), "Blues"),
    ):
        if column in units and units[column].notna().any():
            divisor = 1e6 if column == "gdp" else 1.0
            scale = natural(units[column], unit, palette, divisor=divisor)
            scales[column] = replace(scale, name=name, missing="unknown")
    return scales


def totals(
    column: str, grams: pd.Series[int], name: tuple[str, str], palette: str, gas: Gas
) -> Scale:
    """Return five natural classes of a mass, in the unit that suits the largest."""
    divisor, unit = mass_scale(float(grams.max()) if len(grams) else 0.0)
    scale = natural(grams, (gas.told(f"{unit} CO₂e yr⁻¹"), ""), palette, divisor=divisor)
    return replace(scale, column=column, name=name)


def natural(
    values: pd.Series[int] | pd.Series[float],
    unit: tuple[str, str],
    palette: str,
    *,
    divisor: float = 1.0,
) -> Scale:
    """Return at most five natural classes of the values above 0.

    Parameters
    ----------
    values
        A column of a table; its name is the scale's.
    unit
        Of the values over the divisor, in English and Chinese.
    palette
        Of ColorBrewer.
    divisor
        Labels tell the values over it.
    """
    known: NDArray[np.float64] = np.asarray(values.to_numpy(np.float64, na_value=np.nan))
    numbers = known[known > 0]
    bounds = joined(natural_breaks(numbers), float(np.min(numbers, initial=np.inf)), divisor)
    ends = [each / divisor for each in (float(numbers.min()), *bounds)] if bounds else []
    return Scale(
        str(values.name),
        tuple(bounds[:-1]),
        "below",
        tuple(ranges(ends)) or ("none",),
        sequential(palette, max(len(bounds), 1)),
        ("", ""),
        unit,
        "none",
    )


def by_area(
    values: pd.Series[float],
    areas: NDArray[np.float64],
    unit: tuple[str, str],
    palette: str,
    *,
    divisor: float = 1.0,
    palest: float = 0.12,
) -> Scale:
    """Return at most five classes of about the same area of the values above 0; specks have no say in them.

    A class may be of one number: all parcels of a kind have the same density where mass is spread by area.

    Parameters
    ----------
    values
        A column of a table; its name is the scale's.
    areas
        What each value covers, shape (n,).
    unit, palette, divisor
        As for :func:`natural`.
    palest
        Where in the palette the lowest class is: 0 is white.
    """
    known: NDArray[np.float64] = np.asarray(values.to_numpy(np.float64, na_value=np.nan))
    above = known > 0
    bounds = area_breaks(known[above], areas[above])
    labels: list[str] = []
    if bounds:
        numbers = known[above]
        least = float(numbers[no_specks(areas[above])].min())
        labels = ranges([each / divisor for each in (least, *bounds)])
        if numbers.min() < least and len(bounds) > 1:
            labels[0] = f"≤ {plain_number(bounds[0] / divisor)}"
        if numbers.max() > bounds[-1]:
            labels[-1] = f"> {plain_number((bounds[-2] if len(bounds) > 1 else 0) / divisor)}"
    colours = sequential(palette, max(len(bounds), 1), palest)
    return Scale(str(values.name), tuple(bounds[:-1]), "below", tuple(labels) or ("none",), colours, ("", ""), unit, "none")  # fmt: skip


def rates(units: pd.DataFrame) -> Scale:
    """Return the classes of CCR: fixed ones, in percent, the same for every place.

    ESC_i = CCR_i/CCR, so with breaks that follow the rate of the whole the maps of CCR and ESC would be one map twice
    (docs/decisions/0059). Without sinks, or without emissions, there is no rate and so one class.
    """
    name = ("Carbon compensation rate (CCR)", "碳补偿率")
    emission, sink = int(units["emission_g"].sum()), int(units["sink_g"].sum())
    if not emission or not sink:
        lack = ("no emissions", "no sinks")[not sink]
        colour = sequential(_OF_RATES, 1)
        return Scale("ccr", (), "above", (lack,), colour, name, _SINK_OVER_EMISSION)
    rate = f"{short_number(100 * sink / emission)} %"
    note = (
        f"100 %: takes up all that it emits.\nAll units together: {rate}",
        f"100 %：碳汇与排放相抵\n全部单元合计：{rate}",
    )
    colours = sequential(_OF_RATES, len(RATES) + 1)
    return _open_ended("ccr", RATES, colours, name, _SINK_OVER_EMISSION, note, shown=100)


def around_one(column: str, name: tuple[str, str], what: tuple[str, str]) -> Scale:
    """Return six classes of a coefficient that double away from 1."""
    unit = (f"share of {what[0]} over\nshare of emissions", f"{what[1]}份额与排放份额之比")
    note = (
        f"1: a unit's share of {what[0]} equals\nits share of emissions",
        f"1：{what[1]}份额等于排放份额",
    )
    return _open_ended(column, RATIOS, diverging(6), name, unit, note)


def _open_ended(
    column: str,
    breaks: tuple[float, ...],
    colours: tuple[str, ...],
    name: tuple[str, str],
    unit: tuple[str, str],
    note: tuple[str, str],
    *,
    shown: float = 1,
) -> Scale:
    """Return classes between breaks, the lowest and the highest open; a value at a break is in the class above it."""
    texts = [f"{value * shown:.3g}" for value in breaks]
    middle = [f"{low} – {high}" for low, high in pairwise(texts)]
    labels = (f"< {texts[0]}", *middle, f"≥ {texts[-1]}")
    return Scale(column, breaks, "above", labels, colours, name, unit, note=note)


def signed(
    column: str,
    values: NDArray[np.float64],
    name: tuple[str, str],
    unit: str,
    areas: NDArray[np.float64] | None = None,
) -> Scale:
    """Return classes of powers of ten on both sides of 0, teal below and brown above; 0 itself has no class.

    Where areas are given, shape (n,), specks have no say in the breaks, and a value as much as it covers.
    """
    areas = np.ones(values.shape) if areas is None else np.where(no_specks(areas), areas, 0.0)
    above, below = (np.isfinite(values) & (sign * values > 0) & (areas > 0) for sign in (1, -1))
    breaks: list[float] = [0.0]
    if above.any():
        breaks += _powers(values[above], areas[above])
    if below.any():
        breaks = [-power for power in reversed(_powers(-values[below], areas[below]))] + breaks
    negative = sum(each <= 0 for each in breaks)
    colours = [
        *_of_palette("BrBG", (0.95, 0.60), negative),
        *_of_palette("BrBG", (0.40, 0.05), len(breaks) + 1 - negative),
    ]
    texts = [round_number(each).replace("-", "−") for each in breaks]
    middle = [f"{low} – {high}" for low, high in pairwise(texts)]
    labels = (f"< {texts[0]}", *middle, f"≥ {texts[-1]}")
    return Scale(
        column, tuple(breaks), "above", labels, tuple(colours), name, (unit, ""), missing="none"
    )


def _powers(values: NDArray[np.float64], areas: NDArray[np.float64]) -> list[float]:
    """Return the powers of ten between the least twentieth of the area and the highest hundredth, six at most; values are above 0."""
    top = math.floor(math.log10(area_quantile(values, areas, 0.99)))
    low = math.ceil(math.log10(area_quantile(values, areas, 0.05)))
    stride = -(
        -max(top - low + 1, 1) // 6
    )  # every power, or every second or third where six do not suffice
    return [10.0**power for power in range(top, min(low, top) - 1, -stride)][::-1]


def joined(bounds: list[float], least: float, divisor: float = 1.0) -> list[float]:
    """Return the upper bounds of classes without those that a legend would tell as one number.

    Classes that look alike are one, with the class below whose upper bound reads so too. The lowest, where it is of a single
    value, is one with the class above, unless that is all that there is: what stands out from the rest must be seen to.

    Parameters
    ----------
    bounds
        Ascending, of values from ``least`` on.
    divisor
        Labels tell the values over it.
    """
    kept = list({plain_number(bound / divisor): bound for bound in bounds}.values())
    return kept[1:] if len(kept) > 2 and kept[0] == least else kept


def ranges(bounds: Sequence[float]) -> list[str]:
    """Return a label for each class between its bounds, the lowest of which is above 0; a single value stands alone."""
    return _ranges(bounds, [plain_number(value) for value in bounds])


def ranges_of_powers(bounds: Sequence[float], factor: float = 1) -> list[str]:
    """Return the labels of classes that powers of ten part, all but the least and the most of which are told as round numbers: 10, not 10.0.

    ``factor`` is another power of ten, by which all are told multiplied.
    """
    told = [value * factor for value in bounds]
    texts = [plain_number(told[0]), *map(round_number, told[1:-1]), plain_number(told[-1])]
    return _ranges(told, texts)


def _ranges(bounds: Sequence[float], texts: list[str]) -> list[str]:
    plain = [plain_number(value) for value in bounds]
    if bounds and bounds[0] < 1e-3 <= bounds[-1] / 1e3:  # its digits would say nothing
        texts[0] = plain[0] = "> 0"
    alike = [low == high for low, high in pairwise(plain)]
    return [
        high if same else f"{low} – {high}"
        for same, (low, high) in zip(alike, pairwise(texts), strict=True)
    ]


def sequential(palette: str, count: int, palest: float = 0.12) -> tuple[str, ...]:
    """Return colours of a sequential palette of ColorBrewer, without its palest and its darkest end."""
    return _of_palette(palette, (palest, 0.88), count)


def diverging(count: int) -> tuple[str, ...]:
    """Return colours from orange through white to purple, which the colour-blind tell apart too; low is purple."""
    return _of_palette("PuOr", (0.92, 0.08), count)


def _of_palette(palette: str, ends: tuple[float, float], count: int) -> tuple[str, ...]:
    return colours_at(palette, np.linspace(*ends, count) if count != 1 else [0.6])
