"""What a value of a published raster is: a mass of carbon, CO2 or CO2e, per cell or per area, in a second, an hour, a day, a month or a year; never guessed."""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Literal

from carbongrid.analysis.published.substances import (
    named_by_units,
    other_quantity,
    remarks_of_substance,
    substance_of,
    unmarked,
)
from carbongrid.errors import InputError, Problem
from carbongrid.inventory.units_of_measure import as_co2, mass_and_substance, names_other_gas

Period = Literal["second", "hour", "day", "month", "year"]

HINT = 'Name it: --unit "t CO2 yr-1", "t C month-1", "kg CO2 m-2 s-1", "g C m-2 day-1" ...'

_IN_A_DAY = {"second": 86400, "hour": 24, "day": 1}
_PERIODS: dict[Period, str] = {
    "second": "seconds?|sec|s",
    "hour": "hours?|hrs?|h",
    "day": "days?|d",
    "month": "months?|mon?",
    "year": "years?|annum|yr|y|a",
}
_AREAS = {1: "m", 10**4: "ha", 10**6: "km"}
_CELL = r"(?:grid\s?)?cell|grid|pixel"
_WHOLE_WORDS = (
    (re.compile(r"carbon dioxide", re.IGNORECASE), "CO2"),
    (re.compile(r"\bcarbon\b", re.IGNORECASE), "C"),
    (re.compile(r"CO2-C\b|C-CO2\b"), " C"),
    (re.compile(r"\bmetric ton(?:ne)?s?\b|\btonnes?\b", re.IGNORECASE), "t"),
    (re.compile(r"\bkilograms?\b", re.IGNORECASE), "kg"),
    (re.compile(r"\bgrams?\b", re.IGNORECASE), "g"),
    (re.compile(r"\bsquare kilomet(?:er|re)s?\b", re.IGNORECASE), "km2"),
    (re.compile(r"\bsquare met(?:er|re)s?\b", re.IGNORECASE), "m2"),
    (re.compile(r"\bhectares?\b", re.IGNORECASE), "ha"),
    (re.compile("平方公里|平方千米"), "km2"),
    (re.compile("平方米"), "m2"),
    (re.compile("公顷"), "ha"),
    (re.compile("像元|网格|格网"), "cell"),
    (re.compile("每"), "/"),
    (re.compile("小时"), "h"),
    (re.compile("秒"), "s"),
    (re.compile("日|天"), "day"),
    (re.compile("月"), "month"),
    (re.compile("年"), "yr"),
)
_NO_UNITS = frozenset({"", "1", "-", "none", "unknown", "unitless", "dimensionless", "n/a"})
"""What files write where they say nothing of units."""
_TON = re.compile(r"(?<![A-Za-z])tons?(?!ne)", re.IGNORECASE)
_BRACKET = re.compile(r"/\s*\(([^()]*)\)")
_BETWEEN = re.compile(r"[\s*·.]+")
_OF_A_SIDE = re.compile(r"(?i)(?:/|\bper\b)\s*[0-9.x×]*\s*(?:[kc]?m|kilomet(?:re|er)s?|met(?:re|er)s?|deg(?:ree)?s?|°|arc\s?\w+)(?![a-wyz0-9])|\b[kc]?m-1\b")  # fmt: skip
"""Per a length or an angle: the side of a cell, or an area whose power is lost."""
_POWER_SIGN = re.compile(r"(?<=[A-Za-z])(?:\*\*|\^)(?=-?[0-9])")
"""Not of 10^3, which is a number."""
_RAISED = str.maketrans("⁻−¹²", "--12")


@dataclass(frozen=True)
class GriddedUnit:
    """What a value is, as far as it is said.

    Parameters
    ----------
    grams
        In one unit of the mass, of whatever it is of; None where no mass is said.
    substance
        CO2e, CO2 or C; blank where it is not said.
    square_metres
        Of the area that it is per; None where it is per cell.
    period
        In which it is emitted; None where it is not said.
    biogenic
        Whether it is CO2 of biomass, which inventories tell apart.
    """

    grams: Fraction | None = None
    substance: str = ""
    square_metres: int | None = None
    period: Period | None = None
    biogenic: bool = False

    @property
    def grams_of_co2(self) -> Fraction:
        """Grams of CO2 or CO2e that a value of 1 is, per cell or m2, and per period."""
        assert self.grams is not None, "a unit that says no mass is refused"
        return as_co2(self.grams, self.substance) / (self.square_metres or 1)

    @property
    def gas(self) -> str:
        """CO2 or CO2e."""
        return "CO2" if self.substance == "C" else self.substance

    def __str__(self) -> str:
        if self.grams is None:
            return " per ".join(filter(None, (self.substance, self.period)))
        mass = f"{float(self.grams):g} g {self.substance}".strip()
        area = "cell" if self.square_metres is None else f"{self.square_metres} m2"
        return " per ".join(filter(None, (mass, area, self.period)))


def read_unit(text: str) -> GriddedUnit:
    """Read a unit as people write it.

    Parameters
    ----------
    text
        Such as ``kg CO2 m-2 s-1``, ``gC/m2/d``, ``t C month-1``, ``Tonnes``. Without an area it is per cell.

    Raises
    ------
    InputError
        If it is no mass, is of another gas, or says an area or a period twice.
    """
    left = _POWER_SIGN.sub("", unmarked(text).replace("_", "").strip()).translate(_RAISED)
    for written, short in _WHOLE_WORDS:
        left = written.sub(short, left)
    if ton := _TON.search(left):
        raise InputError(
            f"the unit {text!r} says {ton[0]}, which is 1000 kg or a short ton of 907 kg",
            hint="Write t or tonnes, or 907.18474 kg for a short ton.",
        )
    left = _BRACKET.sub(_without_bracket, left)
    periods: list[Period] = []
    for period, words in _PERIODS.items():
        left, times = _taken(left, words, "")
        periods += [period] * times
    areas: list[int | None] = []
    for square_metres, word in _AREAS.items():
        left, times = _taken(left, word, "" if word == "ha" else "2")
        areas += [square_metres] * times
    left, times = _taken(left, _CELL, "")
    areas += [None] * times
    if len(periods) > 1 or len(areas) > 1:
        raise InputError(f"the unit {text!r} is per several areas or times", hint=HINT)
    left = left.strip(" .")
    try:
        grams, substance = mass_and_substance(left)
    except InputError as error:
        if names_other_gas(left):
            raise
        if _OF_A_SIDE.search(left):
            raise InputError(
                f"the unit {text!r} is per a length or an angle, which is no area",
                hint="Write /cell where it is per grid cell, of whatever size, or /km2, /m2.",
            ) from None
        what = error.problems[0].what
        raise InputError(what if left == text else f"of {text!r} {what}", hint=HINT) from None
    return GriddedUnit(grams, substance, areas[0] if areas else None, periods[0] if periods else None)  # fmt: skip


def _without_bracket(found: re.Match[str]) -> str:
    """Return /(m2 s) as /m2/s."""
    return "".join(f"/{each}" for each in _BETWEEN.split(found[1]) if each)


def _taken(text: str, words: str, power: str) -> tuple[str, int]:
    """Return a text without what it says per one of some words, and how often it said so."""
    before = rf"(?:\s*/\s*|\s+per\s+)(?:1\s?)?(?:{words})\s*{power}(?![A-Za-z0-9-])"
    after = rf"(?<![A-Za-z])(?:{words})\s?-{power or 1}(?![0-9])"
    return re.subn(rf"{before}|{after}", " ", text)


def unit_of(
    attributes: Mapping[Any, Any],
    named: str | None,
    where: str,
    of_file: Mapping[Any, Any] = MappingProxyType({}),
    variable: str = "",
) -> tuple[GriddedUnit, list[tuple[Problem, str]]]:
    """Return what a raster's values are, by its attributes and by what was named for it, and what has to be said of that.

    Parameters
    ----------
    attributes
        units, substance (species, gas, pollutant) and standard_name are looked at, and long_name for what it may contradict.
    named
        By the user, or None.
    where
        The raster, for messages.
    of_file
        Attributes of its file, which say what its own do not.
    variable
        The raster's own name in its file, looked at as long_name is.

    Raises
    ------
    InputError
        If something stays unsaid, the two contradict each other, or the raster says that it is of something else.
    """
    try:
        given = GriddedUnit() if named is None else read_unit(named)
        stated, by_units, odd = _stated(attributes, of_file, given.substance)
    except InputError as error:
        raise InputError(replace(each, where=where) for each in error.problems) from None
    for what, ours, theirs in _pairs(given, stated):
        if ours and theirs and ours != theirs:
            raise InputError(
                f"the raster says {stated}, and the unit {named!r} that was named another {what}",
                where,
                "Name what the raster says, or correct its attributes.",
            )
    mass = stated if given.grams is None else given
    found = replace(
        mass,
        substance=given.substance or stated.substance,
        period=given.period or stated.period,
        biogenic=stated.biogenic,
    )
    missing = [
        what
        for what, said in (
            ("how much one is (t, kg, g)", found.grams),
            ("of what (CO2e, CO2 or C)", found.substance),
            ("in which time (s-1, h-1, day-1, month-1, yr-1)", found.period),
        )
        if not said
    ]
    ton = ", where a ton is 1000 kg or a short ton of 907 kg" if _TON.search(odd) else ""
    if missing:
        told = f": its units are {odd + ton!r}" if odd else ""
        raise InputError(
            f"neither the raster nor --unit says {', '.join(missing)}{told}", where, HINT
        )
    remarks = remarks_of_substance(
        attributes,
        of_file,
        where,
        by_units=by_units,
        stated=stated.substance,
        named=named,
        taken=found.substance,
        variable=variable,
    )
    if odd:
        what = f"the raster's units are {odd!r}, which are not read{ton}: what --unit says is taken, {named}"
        remarks.append((Problem(what, where, level="warning"), f"{where}：栅格单位“{odd}”无法识别，按 --unit（{named}）处理。"))  # fmt: skip
    return found, remarks


def _pairs(given: GriddedUnit, stated: GriddedUnit) -> list[tuple[str, Any, Any]]:
    both = given.grams is not None and stated.grams is not None
    areas = [each.square_metres or "cell" for each in (given, stated)] if both else (None, None)
    return [
        ("mass", given.grams, stated.grams),
        ("substance", given.substance, stated.substance),
        ("area", *areas),
        ("time", given.period, stated.period),
    ]


def _stated(
    attributes: Mapping[Any, Any], of_file: Mapping[Any, Any], named: str
) -> tuple[GriddedUnit, str, str]:
    """Return what attributes say, what their units alone are of, and their text of units where that is not read.

    Raises
    ------
    InputError
        If they say of something that is no mass of carbon, CO2 or CO2e in a time that can be named.
    """
    text = str(attributes.get("units") or of_file.get("units") or "").strip()
    odd = "" if text.casefold() in _NO_UNITS else text
    found = GriddedUnit()
    if odd:
        if other := other_quantity(text):
            raise InputError(
                f"the raster's units are {text!r}, which is {other}",
                hint="Write it as a mass of CO2e, CO2 or C in a second, an hour, a day, a month or a year, and say so in its attribute units.",
            )
        try:
            found, odd = read_unit(text), ""
        except InputError:
            if (named_there := named_by_units(text)) is None:
                raise
            found = GriddedUnit(substance=named_there)
    substance, biogenic = substance_of(attributes, of_file, by_units=found.substance, named=named)
    stated = replace(found, substance=substance, biogenic=biogenic)
    return stated, found.substance, odd


def periods_in(period: Period, year: int, month: int | None) -> int:
    """Return how many of a period a month has, or, of None, a year.

    Parameters
    ----------
    period
        No month, of which a layer is one.
    year
        Whose days count.
    month
        1 to 12.
    """
    if period in ("year", "month"):
        return 1
    days = (365 + calendar.isleap(year)) if month is None else calendar.monthrange(year, month)[1]
    return days * _IN_A_DAY[period]
