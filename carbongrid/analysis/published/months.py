"""Of which months the layers of a published raster are: by their dates, never by their number alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from carbongrid.errors import InputError

MONTHS = 12
"""Of a year."""

_TIMES = ("time", "month")
_SINCE = re.compile(r"\s*months? since (\d{4})-(\d{1,2})\b.*", re.IGNORECASE)
_OF_A_FILE = "Write the twelve months of one year to a file of their own, or name a GeoTIFF's band: --variable 1."

Month = tuple[int, int]
"""Year, and 1 to 12."""


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
    """

    years: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    assumed: bool = False

    @property
    def month(self) -> Month | None:
        """The month of a single layer, where its date is known."""
        return (self.years[0], self.months[0]) if self.years and len(self.months) == 1 else None


def written(month: Month) -> str:
    """Return a month as YYYY-MM."""
    return f"{month[0]:04}-{month[1]:02}"


def dates_of(stack: xr.DataArray, singles: Sequence[Hashable], name: str, *, bands: bool) -> Dates:
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

    Raises
    ------
    InputError
        If twelve layers are not the months of one year.
    """
    if len(stack) == 1:
        found = [_dated(stack[each]) for each in {*singles, "time"} if each in stack.coords]
        month = next((each[0] for each in found if each), None)
        return Dates() if month is None else Dates((month[0],), (month[1],))
    layer = stack.dims[0]
    if bands:
        return Dates(months=tuple(range(1, MONTHS + 1)), assumed=True)
    along = stack.coords.get(layer)
    dated = None if along is None else _dated(along)
    if dated is None:
        return Dates(**_numbered(layer, along, name))
    years, months = zip(*dated, strict=True)
    if len(set(years)) > 1 or len(set(months)) < MONTHS:
        raise InputError(
            f"{layer} runs from {written(min(dated))} to {written(max(dated))}, not the twelve months of one year",
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


def _dated(coordinate: xr.DataArray) -> list[Month] | None:
    """Return the months of dates, or of numbers of months since a date; None of anything else."""
    values = np.atleast_1d(coordinate.to_numpy())
    if np.issubdtype(values.dtype, np.datetime64):
        if np.isnat(values).any():
            return None
        number = values.astype("datetime64[M]").astype(np.int64)
        return [(1970 + each // MONTHS, each % MONTHS + 1) for each in number.tolist()]
    if values.dtype == object:  # of another calendar
        if not all(hasattr(each, "year") and hasattr(each, "month") for each in values):
            return None
        return [(int(each.year), int(each.month)) for each in values]
    since = _SINCE.fullmatch(str(coordinate.attrs.get("units", "")))
    if since is None or values.dtype.kind not in "iuf" or not np.isfinite(values).all():
        return None
    start = int(since[1]) * MONTHS + int(since[2]) - 1
    number = start + np.floor(values).astype(np.int64)
    return [(each // MONTHS, each % MONTHS + 1) for each in number.tolist()]


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
        raise InputError(
            f"{of} has {months} months in {len(rasters)} rasters, and a year has twelve",
            rasters[0].name,
            "Give twelve: one raster a month, or the twelve layers of one. Where there are several parts, each with its twelve, say so in a table with a column part: --rasters.",
        )
    dated = [each.dates.month for each in rasters]
    known = [month for month in dated if month is not None]
    if single:
        [(most, times)] = Counter(known).most_common(1) or [((0, 0), 0)]
        if times > 1:
            raise InputError(f"{of} has {written(most)} twice", rasters[0].name, apart)
    years = {year for each in rasters for year in each.dates.years}
    if len(years) > 1 or (not single and len(set(known)) > 1):
        told = ", ".join([written(month) for month in sorted(set(known))] or map(str, sorted(years)))  # fmt: skip
        # 1 January may stand for a year or for its first month, in whatever unit a rate is told.
        whole = "A date does not tell a year from a month of it: where each raster is of the whole year, say so in a table with a column part: --rasters."
        raise InputError(
            f"the rasters of {of} are dated {told}, and would be added up as of one year",
            rasters[0].name,
            apart if len(years) > 1 else whole,
        )
