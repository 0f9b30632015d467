"""Of which year and months the layers of a published raster are: by their dates, bounds and attributes, never by their number alone."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import xarray as xr

from carbongrid.errors import InputError
from carbongrid.method.tonnes import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

MONTHS = 12
"""Of a year."""

_TIMES = ("time", "month")
_YEARS = ("time", "year")
"""Coordinates whose number may be a year."""
_YEAR = re.compile(r"(1[89][0-9]{2}|2[01][0-9]{2})(?:\.[0-9]*)?")
_STANDS_FOR_A_YEAR = frozenset({(1, 1), (6, 30), (7, 1), (7, 2), (12, 30), (12, 31)})
"""Month and day by which whole years are dated: begin, middle and end, also where each month has thirty days."""
_SINCE = re.compile(r"\s*months? since (\d{4})-(\d{1,2})\b.*", re.IGNORECASE)
_OF_A_FILE = "Write the twelve months of one year to a file of their own, or name a GeoTIFF's band: --variable 1."

Month = tuple[int, int]
"""Year, 0 where it is not known, and 1 to 12."""
Day = tuple[int, int, int]


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
        Whether a single layer says that it is one month: by its bounds, or by a number of its month.
    odd
        Date of any other single layer that is neither begin, middle nor end of a year; else blank.
    """

    years: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    assumed: bool = False
    of_a_month: bool = False
    odd: str = ""

    @property
    def month(self) -> Month | None:
        """The month of a single layer, where it is known."""
        return (max(self.years, default=0), self.months[0]) if len(self.months) == 1 else None


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
        Of the raster and its file: ``year`` is looked at where layers have no dates.
    bounds
        Begin and end of what a coordinate with one value stands for, by its name.

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
    dated = None if along is None else _days(along)
    if dated is None:
        return Dates(year, **_numbered(layer, along, name))
    years, months, _ = zip(*dated, strict=True)
    if len(set(years)) > 1 or len(set(months)) < MONTHS:
        raise InputError(
            f"{layer} runs from {written(min(dated)[:2])} to {written(max(dated)[:2])}, not the twelve months of one year",
            name,
            _OF_A_FILE,
        )
    return Dates((years[0],), months)


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
    """Return when a single layer is: by the middle of its bounds, by its date, or by numbers of year and month."""
    day, is_month = None, False
    for name in _times_of(stack, singles):
        middle, length = _middle(bounds.get(name))
        day = middle or next(iter(_days(stack[name]) or ()), None)
        # To the last day of a month, or to the first of the next.
        is_month = 27 <= length < 31.5 or (day is not None and str(name).lower() == "month")
        if day:
            break
    years = (day[0],) if day else _year_said(stack, singles, attributes)
    number = _month_said(stack)
    if number:
        return Dates(years, (number,), of_a_month=True)
    if day is None:
        return Dates(years)
    odd = "" if is_month or day[1:] in _STANDS_FOR_A_YEAR else "{:04}-{:02}-{:02}".format(*day)
    return Dates(years, (day[1],), of_a_month=is_month, odd=odd)


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
    told = (_YEAR.fullmatch(_one_of(each)) for each in (*numbers, attributes.get("year")))
    return next(((int(each[1]),) for each in told if each), ())


def _month_said(stack: xr.DataArray) -> int:
    """Return the month that a raster's own coordinate or attribute ``month`` says as a number, 0 where neither does."""
    own = [stack[name].item() for name in stack.coords if stack[name].ndim == 0 and str(name).lower() == "month"]  # fmt: skip
    for each in (*own, stack.attrs.get("month")):
        text = _one_of(each).removesuffix(".0")
        if text.isdecimal() and 1 <= int(text) <= MONTHS:
            return int(text)
    return 0


def _one_of(value: Any) -> str:
    """Return a value, or the only one of an array, as text."""
    values = np.ravel(np.asarray(value)).tolist()
    return str(values[0]).strip() if len(values) == 1 else ""


def _middle(bounds: NDArray[Any] | None) -> tuple[Day | None, float]:
    """Return the day in the middle of bounds and how many days lie between them; NaN where they are no dates."""
    if bounds is None or bounds.size != 2:
        return None, math.nan
    begin, end = np.ravel(bounds)
    if np.issubdtype(bounds.dtype, np.datetime64):
        between = end - begin
        days = _days_in(np.atleast_1d(begin + between / 2))
        return (days[0], float(between / np.timedelta64(1, "D"))) if days else (None, math.nan)
    if not all(hasattr(each, "year") for each in (begin, end)):
        return None, math.nan
    middle = begin + (end - begin) / 2
    return (middle.year, middle.month, middle.day), (end - begin) / timedelta(days=1)


def _days(coordinate: xr.DataArray) -> list[Day] | None:
    """Return the days of dates, or of numbers of months since a date; None of anything else."""
    values = np.atleast_1d(coordinate.to_numpy())
    if np.issubdtype(values.dtype, np.datetime64):
        return _days_in(values)
    if values.dtype == object:  # of another calendar
        if not all(hasattr(each, "year") and hasattr(each, "month") for each in values):
            return None
        return [(int(each.year), int(each.month), int(each.day)) for each in values]
    since = _SINCE.fullmatch(str(coordinate.attrs.get("units", "")))
    if since is None or values.dtype.kind not in "iuf" or not np.isfinite(values).all():
        return None
    start = int(since[1]) * MONTHS + int(since[2]) - 1
    number = start + np.floor(values).astype(np.int64)
    return [(each // MONTHS, each % MONTHS + 1, 1) for each in number.tolist()]


def _days_in(dates: NDArray[np.datetime64]) -> list[Day] | None:
    if np.isnat(dates).any():
        return None
    return [(each.year, each.month, each.day) for each in dates.astype("datetime64[D]").tolist()]


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
        whole = "A date does not tell a year from a month of it: where each raster is of the whole year, say so in a table with a column part: --rasters. Where they are its months, write them as the twelve layers of one file."
        raise InputError(
            f"the rasters of {of} are dated {told}, and would be added up as of one year",
            rasters[0].name,
            apart if len(years) > 1 else whole,
        )
