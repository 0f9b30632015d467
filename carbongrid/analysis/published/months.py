"""Of which year and months the layers of a published raster are: by their dates, bounds and attributes, never by their number alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import xarray as xr

from carbongrid.analysis.published.attributes import only_text
from carbongrid.analysis.published.calendars import (
    MONTHS,
    Day,
    days_of,
    is_a_time,
    middle_of,
    units_as_written,
)
from carbongrid.errors import InputError
from carbongrid.method.tonnes import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TIMES = ("time", "month")
_YEARS = ("time", "year")
"""Coordinates whose number may be a year."""
_YEAR = re.compile(r"(1[89][0-9]{2}|2[01][0-9]{2})(?:\.[0-9]*)?")
_STANDS_FOR_A_YEAR = frozenset({(1, 0), (1, 1), (6, 30), (7, 1), (7, 2), (12, 30), (12, 31)})
"""Month and day by which whole years are dated: begin, middle and end, also where each month has thirty days; without a day only January."""
_YEAR_LONG = (330, 367)
"""Days of bounds that are a year's: also those from the first of its months to the first day of the last."""
_MONTH_LONG = (27, 31)
_OF_A_FILE = "Write the twelve months of one year to a file of their own, or name a GeoTIFF's band: --variable 1."

Month = tuple[int, int]
"""Year, 0 where it is not known, and 1 to 12."""


class Dates(NamedTuple):
    """What is known of when the layers of a raster are.

    Parameters
    ----------
    years
        That the layers are of, in order; none where no date is known.
    months
        Of each layer, 1 to 12; none where none is known.
    assumed
        Whether the months are taken as January to December, since nothing says them.
    of_a_month
        Whether a single layer says that it is one month: by its bounds, by a number of its month, or as one of twelve.
    by_date
        Whether nothing but its date says when a single layer is, which may be that of a month or stand for a year.
    number
        1 to 12 that ``time`` says of a single layer without a date, which may be its month or nothing; 0 where it says none.
    odd
        Why any other single layer may not be a year's, or twelve may not be its months', in English and in Chinese; None where nothing speaks against it.
    """

    years: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    assumed: bool = False
    of_a_month: bool = False
    by_date: bool = False
    number: int = 0
    odd: tuple[str, str] | None = None

    @property
    def month(self) -> Month | None:
        """The month of a single layer, where it is known."""
        return (max(self.years, default=0), self.months[0]) if len(self.months) == 1 else None

    def as_a_month(self) -> Dates:
        """Return them as those of a single layer that is one month: by its date, or by the number of its time."""
        months = (self.number,) if self.number else self.months
        return self._replace(months=months, of_a_month=True)


def written(month: Month) -> str:
    """Return a month as YYYY-MM, or as its number where the year is not known."""
    return f"{month[0]:04}-{month[1]:02}" if month[0] else f"month {month[1]}"


def dates_of(
    stack: xr.DataArray,
    singles: Sequence[Hashable],
    name: str,
    *,
    bands: bool,
    attributes: Mapping[Any, Any],
    bounds: Mapping[Hashable, NDArray[Any]],
) -> Dates:
    """Return when the layers of a raster [layer, y, x] are.

    Parameters
    ----------
    stack
        One layer, or twelve.
    singles
        Names of dimensions that were there with one value each, which the stack still has as coordinates.
    name
        Of the file, for messages.
    bands
        Whether layers are a GeoTIFF's bands, which have no dates.
    attributes
        Of the raster: ``year`` and ``month`` are looked at where layers have no dates.
    bounds
        Begins and ends [value, 2] of what the values of a coordinate stand for, by its name.

    Raises
    ------
    InputError
        If twelve layers are not the months of one year.
    """
    if len(stack) == 1:
        return _of_one_layer(stack, singles, attributes, bounds)
    layer = stack.dims[0]
    year = _year_said(stack, singles, attributes)
    if bands:
        return Dates(year, tuple(range(1, MONTHS + 1)), assumed=True)
    along = stack.coords.get(layer)
    dated = None if along is None else _months_of(along)
    if dated is None:
        return Dates(year, **_numbered(layer, along, name))
    spans = _spans(bounds.get(layer), along)
    # The end of a month is a date of the next one.
    bounded = [month for month, length in spans if _MONTH_LONG[0] <= length <= _MONTH_LONG[1]]
    if _are_of_one_year(bounded):
        dated = bounded
    years, months = zip(*dated, strict=True)
    if not _are_of_one_year(dated):
        raise InputError(
            f"{layer} runs from {written(min(dated))} to {written(max(dated))}, not the twelve months of one year",
            name,
            _OF_A_FILE,
        )
    lengths = [length for _, length in spans]
    no_months = [each for each in lengths if not _MONTH_LONG[0] <= each <= _MONTH_LONG[1]]
    if not no_months or not any(lengths):
        return Dates((years[0],), months)
    shortest, longest = min(no_months), max(no_months)
    several = "" if shortest == longest else f"{shortest:,} to "
    several_zh = "" if shortest == longest else f"{shortest} 至 "
    odd = (
        f"has {counted(len(no_months), 'layer')} with bounds of {several}{counted(longest, 'day')}, no month's",
        f"有 {len(no_months)} 层时间范围为 {several_zh}{longest} 天，并非整月",
    )
    return Dates((years[0],), months, odd=odd)


def _numbered(layer: Hashable, along: xr.DataArray | None, name: str) -> dict[str, Any]:
    """Return the months that numbers along a dimension of time say."""
    if str(layer).lower() not in _TIMES:
        raise InputError(
            f"the raster has twelve layers along {str(layer)!r}, which is neither time nor month",
            name,
            "Write the one that is meant, or their sum, to a file of its own.",
        )
    from_january = tuple(range(1, MONTHS + 1))
    if along is None:
        return {"months": from_january, "assumed": True}
    values = along.to_numpy().tolist()
    if all(isinstance(each, str) and each.isdecimal() for each in values):
        values = [int(each) for each in values]
    if sorted(values, key=str) == sorted(from_january, key=str):
        return {"months": tuple(int(each) for each in values)}
    if values == list(range(MONTHS)):
        return {"months": from_january, "assumed": True}
    units = f", in {along.attrs['units']!r}" if "units" in along.attrs else ""
    raise InputError(
        f"{layer} ({values[0]} to {values[-1]}{units}) says no months",
        name,
        f"Write dates along {layer}, or 1 to 12.",
    )


def _of_one_layer(
    stack: xr.DataArray,
    singles: Sequence[Hashable],
    attributes: Mapping[Any, Any],
    bounds: Mapping[Hashable, NDArray[Any]],
) -> Dates:
    """Return when a single layer is: by its bounds, else by its date, else by numbers of year and month."""
    times = _times_of(stack, singles)
    found = next(filter(None, (_of_bounds(bounds.get(each), stack[each]) for each in times)), None)
    found = found or next(filter(None, (_of_date(stack[each]) for each in times)), None)
    years = found.years if found else _year_said(stack, singles, attributes)
    number = _month_said(stack, attributes)
    if number:
        return Dates(years, (number,), of_a_month=True)
    if found is None and not years:
        unread = [stack[each].attrs["units"] for each in times if is_a_time(stack[each].attrs)]
        odd = [(f"has a time in {each!r}, which is not read", f"栅格时间单位“{each}”无法识别") for each in unread]  # fmt: skip
        return Dates(number=_number_of_time(stack), odd=odd[0] if odd else None)
    return found or Dates(years, number=_number_of_time(stack))


def _of_bounds(bounds: NDArray[Any] | None, time: xr.DataArray) -> Dates | None:
    """Return when a layer is by its bounds: of a year or a month by their length alone; None where they are none, or a moment."""
    ends = None if bounds is None or bounds.size != 2 else np.ravel(bounds)
    days = None if ends is None else days_of(ends, time.attrs)
    if ends is None or days is None or ends[0] == ends[1]:
        return None
    begin, end = days
    (year, month, _), length = middle_of(begin, end)
    if _YEAR_LONG[0] <= length <= _YEAR_LONG[1]:
        return Dates((year,))
    # To the last day of a month, or to the first of the next.
    if _MONTH_LONG[0] <= length <= _MONTH_LONG[1]:
        return Dates((year,), (month,), of_a_month=True)
    days_long = max(length, 1)
    odd = (f"has bounds of {counted(days_long, 'day')}, neither a month nor a year", f"栅格时间范围为 {days_long} 天，既非一月亦非一年")  # fmt: skip
    return Dates((year,), (month,), odd=odd)


def _of_date(time: xr.DataArray) -> Dates | None:
    """Return when a layer is by its date; None where it has none that is read."""
    days = _days_of(time)
    if days is None:
        return None
    [day] = days
    is_month = str(time.name).lower() == "month"
    text = "-".join(f"{each:02}" for each in day if each)
    odd = (f"is dated {text}, neither begin, middle nor end of a year", f"栅格日期为 {text}，并非年初、年中或年末")  # fmt: skip
    if not day[2]:
        odd = (f"is dated {text}, which may be that month alone", f"栅格日期为 {text}，可能仅为该月")  # fmt: skip
    stands = is_month or day[1:] in _STANDS_FOR_A_YEAR
    return Dates(
        (day[0],),
        (day[1],),
        of_a_month=is_month,
        by_date=not is_month,
        odd=None if stands else odd,
    )


def _times_of(stack: xr.DataArray, singles: Sequence[Hashable]) -> list[Hashable]:
    """Return the coordinates with one value that may say when a raster is."""
    return [
        name
        for name in stack.coords
        if stack[name].ndim == 0 and (name in singles or str(name).lower() in {*_TIMES, *_YEARS})
    ]


def _year_said(
    stack: xr.DataArray, singles: Sequence[Hashable], attributes: Mapping[Any, Any]
) -> tuple[int, ...]:
    """Return the year that a number says, of a coordinate or in the attribute ``year``; none where nothing does."""
    coordinates = [stack[name] for name in _times_of(stack, singles) if str(name).lower() in _YEARS]
    # A number since a date is no year.
    numbers = [each.item() for each in coordinates if "since" not in str(each.attrs.get("units"))]
    told = (year_in(each) for each in (*numbers, attributes.get("year")))
    return next(((each,) for each in told if each), ())


def year_in(value: Any) -> int:
    """Return the year that a number or a text is, 0 where it is none."""
    found = _YEAR.fullmatch(only_text(value))
    return int(found[1]) if found else 0


def _month_said(stack: xr.DataArray, attributes: Mapping[Any, Any]) -> int:
    """Return the month that a raster's own coordinate or attribute ``month`` says as a number, 0 where neither does."""
    own = [stack[name].item() for name in stack.coords if stack[name].ndim == 0 and str(name).lower() == "month"]  # fmt: skip
    for each in (*own, attributes.get("month")):
        text = only_text(each).removesuffix(".0")
        if text.isdecimal() and 1 <= int(text) <= MONTHS:
            return int(text)
    return 0


def _number_of_time(stack: xr.DataArray) -> int:
    """Return the number from 1 to 12 that the coordinate ``time`` of a single layer is, 0 where it is none."""
    times = [stack[name] for name in stack.coords if stack[name].ndim == 0 and str(name).lower() == "time"]  # fmt: skip
    texts = [only_text(each.item()).removesuffix(".0") for each in times if not is_a_time(each.attrs)]  # fmt: skip
    return next((int(each) for each in texts if each.isdecimal() and 1 <= int(each) <= MONTHS), 0)


def _months_of(along: xr.DataArray) -> list[Month] | None:
    """Return year and month of each time along a dimension; None where they are no times that are read."""
    found = _days_of(along)
    return None if found is None else [(year, month) for year, month, _ in found]


def _days_of(times: xr.DataArray) -> list[Day] | None:
    """Return the days of times, also where numbers without units, or texts of digits, are written as dates."""
    values, attributes = times.to_numpy(), times.attrs
    units = str(attributes.get("units", "")).strip().upper()
    if str(times.name).lower() in {*_TIMES, "date"} and units in ("", "YYYYMM", "YYYYMMDD"):
        digits = all(isinstance(each, str) and re.fullmatch("[0-9]{6}|[0-9]{8}", each) for each in np.ravel(values))  # fmt: skip
        values = values.astype(np.int64) if digits else values
        attributes = {"units": units_as_written(values)}
    return days_of(values, attributes)


def _spans(bounds: NDArray[Any] | None, along: xr.DataArray | None) -> list[tuple[Month, int]]:
    """Return the month of the middle between each begin and end along a dimension, and the days between; none where they are no times that are read."""
    if along is None or bounds is None or bounds.shape != (along.size, 2):
        return []
    days = days_of(bounds, along.attrs) or []
    middles = [middle_of(begin, end) for begin, end in zip(days[::2], days[1::2], strict=True)]
    return [((year, month), length) for (year, month, _), length in middles]


def _are_of_one_year(months: Sequence[Month]) -> bool:
    """Tell whether months are the twelve of one year, in whatever order."""
    return len({year for year, _ in months}) == 1 and len({month for _, month in months}) == MONTHS == len(months)  # fmt: skip


def told_apart_by_dates(rasters: Sequence[Dates]) -> bool:
    """Tell whether twelve rasters, of which some have nothing but their dates or the numbers of their times, are a year's twelve months: years are not dated at twelve months.

    Parameters
    ----------
    rasters
        Those that are added up, of which none has a unit per year.
    """
    told = [each for each in rasters if each.by_date or each.of_a_month or each.number]
    months = [each.as_a_month().month for each in told]
    known = [month for month in months if month is not None]
    return len(known) == len(rasters) and _are_of_one_year(known)


class Layered(NamedTuple):
    """What decides whether rasters may be added up.

    Parameters
    ----------
    name
        Of the file.
    months
        How many its layers are; 0 where it is of a year.
    dates
        Of its layers.
    """

    name: str
    months: int
    dates: Dates


def require_one_year(of: str, rasters: Sequence[Layered]) -> None:
    """Raise unless rasters that are added up are all of years, or all of the twelve months of each, or twelve of one month each.

    Parameters
    ----------
    of
        The quantity, or the part of one.
    rasters
        Those that are added up to it.

    Raises
    ------
    InputError
        Saying which are too many or of another time.
    """
    single = [each for each in rasters if each.months == 1]
    annual = [each for each in rasters if not each.months]
    monthly = len(rasters) - len(annual)
    apart = "Give each year's rasters alone. Where they are parts of one year, say so in a table with a column part: --rasters."
    if annual and monthly:
        others = "1 other is" if monthly == 1 else f"{monthly} others are"
        raise InputError(f"{of}: {annual[0].name} is of a year, and {others} of months: they would be counted on top of each other", hint=apart)  # fmt: skip
    if single and not len(single) == len(rasters) == MONTHS:
        months = sum(each.months for each in rasters)
        said = [each for each in single if each.dates.of_a_month]
        why = f": {said[0].name} says that it is of {written(said[0].dates.month or (0, 0))} alone" if said else ""  # fmt: skip
        raise InputError(
            f"{of} has {counted(months, 'month')} in {counted(len(rasters), 'raster')}, and a year has twelve{why}",
            rasters[0].name,
            "Give twelve: one raster a month, or the twelve layers of one. Where there are several parts, each with its twelve, say so in a table with a column part: --rasters."
            + (" Where one is of the whole year, correct its bounds or its month." if said else ""),
        )
    dated = [each.dates.month for each in rasters]
    known = [month for month in dated if month is not None]
    if single:
        [(most, times)] = Counter(known).most_common(1) or [((0, 0), 0)]
        if times > 1:
            raise InputError(f"{of} has {written(most)} twice", rasters[0].name, apart)
    years = {year for each in rasters for year in each.dates.years}
    if len(years) > 1 or (not single and len(set(known)) > 1):
        undated = (each.dates.years for each in rasters if each.dates.month is None)
        told = ", ".join(sorted({*map(written, known), *(str(year) for own in undated for year in own)}))  # fmt: skip
        # 1 January may stand for a year or for its first month, in whatever unit a rate is told.
        whole = "A date does not tell a year from a month of it: where each raster is of the whole year, say so in a table with a column part: --rasters. Where they are its months, give the twelve of them, in a unit that is not per year."
        raise InputError(
            f"the rasters of {of} are dated {told}, and would be added up as of one year",
            rasters[0].name,
            apart if len(years) > 1 else whole,
        )
