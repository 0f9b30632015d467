"""Activity data: what a row says, which activities there are, and which categories and units they go with."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cache

from carbongrid.errors import InputError, Problem
from carbongrid.inventory.factors import Factor, catalogue, read_unit
from carbongrid.inventory.factors.catalogue import GASES
from carbongrid.inventory.factors.units import dimension_name
from carbongrid.method.categories import Category, read_categories
from carbongrid.method.landuse import packaged_table

SHEETS = ("industry", "buildings", "transport", "agriculture", "waste", "sinks")
"""Sheets of rows, one a sector; sinks is the sheet of the sector ``sink``."""

ROW_COLUMNS = (
    "id", "activity", "category", "amount", "unit", "parameters", "uncertainty_pct", "year", "source", "note", "region",
)  # fmt: skip
COLUMN_TITLES = {
    "id": "编号", "activity": "活动", "category": "类别", "amount": "数量", "unit": "单位", "parameters": "参数",
    "uncertainty_pct": "不确定度(%)", "year": "年份", "source": "来源", "note": "备注", "region": "区域代码", "setting": "设置", "value": "值",
    "key": "键", "name": "名称", "gas": "气体", "low": "下限", "high": "上限",
}  # fmt: skip
"""What the template calls its columns in Chinese; a header may say either."""

CLIMATES = ("temperate-wet", "temperate-dry", "tropical-wet", "tropical-dry")
"""What the setting ``climate`` may be, the first where it is blank: as waste decays in landfills (2006 IPCC Guidelines, Vol. 5, Table 3.3)."""
_CLIMATES_ZH = ("温带湿润", "温带干旱", "热带湿润", "热带干旱")

SETTINGS = {
    "year": "",
    "country": "",
    "grid": "",
    "climate": "",
    "prefer": "",
    "upstream": "leave out",
}
"""What the sheet of settings may say, with its defaults. Year and grid have none: whoever needs them must give them; the
country is told by the case, the grid or the land survey where it is blank."""


_OF_A_VOLUME = frozenset(("calorific_value", "factor"))
"""Parameters by which a fuel may be given as a volume."""


@dataclass(frozen=True)
class Activity:
    """An activity that a row may name.

    Parameters
    ----------
    name
        Such as ``fuel/diesel``.
    sheets
        Where its rows may stand.
    categories
        Categories that it may be of, the first the default; empty for any of the sheet's sector, without a default.
    units
        Examples of units of each dimension that its amount may have.
    of
        Substance that its amount is of, such as N or COD; blank if none.
    name_en, name_zh
        For people.
    """

    name: str
    sheets: tuple[str, ...]
    categories: tuple[str, ...]
    units: tuple[str, ...]
    of: str
    name_en: str
    name_zh: str


@dataclass(frozen=True)
class ActivityRow:
    """One row of activity data, its cells checked one by one.

    Parameters
    ----------
    file, sheet, row
        Where it stands; the header is row 1.
    id
        The user's key, or sheet and row.
    activity
        Name of an :class:`Activity`.
    category
        Name of a category.
    amount
        None if unknown.
    written
        The amount as written.
    unit
        Of the amount.
    parameters
        What the row says of its factors, by role: a factor's key, a number with a unit, or a word.
    uncertainty_pct
        Half of the 95 % interval of the amount, in percent of it; None if not given.
    year, source, note
        As written.
    region
        Code of a unit or of one of its parents; blank is the whole city.
    is_decimal
        Whether a point in the amount is a decimal one for certain, as in a number that a workbook holds.
    """

    file: str
    sheet: str
    row: int
    id: str
    activity: str
    category: str
    amount: Decimal | None
    written: str
    unit: str
    parameters: Mapping[str, str]
    uncertainty_pct: Decimal | None
    year: str
    source: str
    note: str
    region: str = ""
    is_decimal: bool = False

    def place(self, column: str = "") -> str:
        """Return file, sheet, row and column as one text."""
        place = f"{self.file}, sheet {self.sheet}, row {self.row}"
        return f"{place}, column {column}" if column else place


@dataclass(frozen=True)
class ActivityData:
    """A file of activity data.

    Parameters
    ----------
    file
        Its name.
    rows
        Rows without a fault, in the order of the file.
    settings
        As :data:`SETTINGS`.
    factors
        The user's own factors.
    problems
        What is wrong in the file; forming the inventory raises it with whatever else it finds.
    notes
        Warnings of what may be meant otherwise.
    """

    file: str
    rows: tuple[ActivityRow, ...]
    settings: Mapping[str, str]
    factors: tuple[Factor, ...]
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()


@cache
def activities() -> dict[str, Activity]:
    """Return the activities of the package by name, in the order of the template."""
    found = {}
    for cells in packaged_table("inventory/activities.csv").to_dict("records"):
        found[str(cells["activity"])] = Activity(
            name=str(cells["activity"]),
            sheets=tuple(str(cells["sheets"]).split("+")),
            categories=tuple(filter(None, str(cells["categories"]).split("|"))),
            units=tuple(str(cells["unit"]).split("|")),
            of=str(cells["of"]),
            name_en=str(cells["name_en"]),
            name_zh=str(cells["name_zh"]),
        )
    return found


def climate_of(written: str) -> str:
    """Return which of :data:`CLIMATES` a setting names, in any case, with blanks or underscores for hyphens, or in Chinese; blank if none."""
    name = re.sub(r"[\s_-]+", "-", written.strip().lower())
    return (
        name if name in CLIMATES else dict(zip(_CLIMATES_ZH, CLIMATES, strict=True)).get(name, "")
    )


def sheet_of(sector: str) -> str:
    """Return the sheet of a sector."""
    return "sinks" if sector == "sink" else sector


def category_of(
    activity: Activity, sheet: str, written: str, categories: Mapping[str, Category]
) -> str:
    """Return the category of a row: as written, else the activity's default; a user's own category of the sector may be any.

    Raises
    ------
    InputError
        If it is unknown, of another sector than the sheet, not one that the activity goes with, or blank without a default.
    """
    of_sheet = [name for name, each in categories.items() if sheet_of(each.sector) == sheet]
    fitting = tuple(n for n in activity.categories if n in of_sheet) or tuple(of_sheet)
    if not written:
        if activity.categories:
            return fitting[0]
        raise InputError(
            f"the category of {activity.name} is blank",
            hint=f"Choose one of {', '.join(fitting)}.",
        )
    if written in fitting and written in categories:
        return written
    own = categories.get(written)
    if (
        own is not None
        and written not in read_categories()
        and sheet_of(own.sector) == sheet
        and own.sector not in ("transport", "sink")
    ):
        return written
    known = f"Choose one of {', '.join(fitting)}."
    if own is None:
        raise InputError(f"unknown category {written!r}", hint=known)
    raise InputError(f"{activity.name} is no part of {written}", hint=known)


def check_unit(activity: Activity, written: str, given: Collection[str]) -> None:
    """Check that a unit measures what the activity is counted in.

    Parameters
    ----------
    activity
        What is counted.
    written
        The unit.
    given
        Parameters of the row: a fuel with its own calorific value, or factor, may be by volume; whether these are too is seen where
        they are multiplied.

    Raises
    ------
    InputError
        If the unit is unknown, of another dimension, of another substance, or says that it is of another thing.
    """
    unit = read_unit(written)
    wanted = {read_unit(example).dimension: example for example in activity.units}
    fuel_by_volume = (
        activity.name.startswith("fuel/") and unit.dimension == read_unit("m3").dimension
    )
    if unit.dimension not in wanted and not (fuel_by_volume and _OF_A_VOLUME & {*given}):
        known = " or ".join(f"{dimension_name(d)} ({example})" for d, example in wanted.items())
        hint = f"Write the amount in {' or '.join(activity.units)}, or a multiple."
        if fuel_by_volume:
            hint = f"Multiply it by {_density(activity)}, and write t; or give calorific_value=... or factor=... by volume in parameters."
        raise InputError(
            f"{written!r} is {dimension_name(unit.dimension)}, but {activity.name} is counted in {known}",
            hint=hint,
        )
    if unit.substance and unit.substance != activity.of:
        wanted_text = f"of {activity.of}" if activity.of else "of the thing itself"
        raise InputError(
            f"{written!r} is of {unit.substance}, but {activity.name} is counted {wanted_text}",
            hint=_of_another_hint(activity, unit.substance),
        )
    strange = words_elsewhere(activity.name, {*unit.words, *unit.per_words})
    if strange:
        raise InputError(
            f"{written!r} is of {strange}, but {activity.name} is counted of {activity.of or 'the thing itself'}",
            hint=_of_words_hint(activity, strange),
        )


def _of_words_hint(activity: Activity, words: str) -> str:
    """Return the way out for an amount of which the unit says what goes with other activities."""
    if words == "NCV":
        return f"Leave {words} out if it is {activity.name} that is counted: only fuels have a calorific value. If it is the fuel that was burnt, choose that fuel."  # fmt: skip
    return f"Work the amount out, and write it in {activity.units[0]}; or choose an activity that is counted so."


def _of_another_hint(activity: Activity, substance: str) -> str:
    """Return the way out for an amount of another substance: no number is right as it stands."""
    as_itself = f"write it in {activity.units[0]}"
    if substance in GASES and activity.of not in GASES:
        return f"What is emitted is a total: give it as one, in CO2e; or write of what, in {activity.units[0]}."
    if substance == "CO2e":
        return f"Divide it by the GWP that it was multiplied by, and {as_itself}; or give it as a total in CO2e."
    return f"Work the amount out, and {as_itself}; or choose an activity that is counted so."


def _density(activity: Activity) -> str:
    """Return a fuel's density for a hint, with the number if there is one."""
    key = activity.name.replace("fuel/", "cn.density.")
    factor = next((each for each in catalogue() if each.key == key and each.value), None)
    return (
        f"its density ({key}: {float(factor.value or 0):g} {factor.unit})"
        if factor
        else "its density"
    )


def words_elsewhere(activity: str, words: Collection[str], column: str = "amount") -> str:
    """Return those of a unit's words that do not go with an activity, as one text; blank if all do.

    Parameters
    ----------
    activity
        Its name.
    words
        As :class:`~carbongrid.inventory.factors.units.Unit` has them.
    column
        ``amount`` for the unit of an amount, ``factor`` for what stands below the line of a factor of it.
    """
    fitting = _unit_words(column)
    return " ".join(
        word
        for word in sorted(words)
        if not any(fnmatchcase(activity, pattern) for pattern in fitting[word])
    )


@cache
def _unit_words(column: str) -> dict[str, tuple[str, ...]]:
    """Return the activities that each word of a unit goes with."""
    table = packaged_table("inventory/unit_words.csv")
    return {
        str(word): tuple(filter(None, str(activities).split("|")))
        for word, activities in zip(table["word"], table[column], strict=True)
    }
