"""Days that the times of a file stand for: dates of any calendar, and numbers since a date or as a date is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MONTHS = 12
"""Of a year."""

type Day = tuple[int, int, int]
"""Year, month and day of the month, in the calendar of the file; the day is 0 where only a month is written."""

_USUAL = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAYS_OF_MONTHS = {
    **dict.fromkeys(("noleap", "365_day"), _USUAL),
    **dict.fromkeys(("all_leap", "366_day"), (31, 29, *_USUAL[2:])),
    "360_day": (30,) * MONTHS,
}
"""Calendars in which every year is the same. xarray reads the usual one itself, and these only where cftime is installed."""
_IN_A_DAY = {"day": 1, "hour": 24, "minute": 1440, "second": 86400}
_SINCE = re.compile(r"\s*(?P<step>year|month|day|hour|minute|second)s? since (?P<year>\d{1,4})-(?P<month>\d{1,2})(?:-(?P<day>\d{1,2}))?(?:[T\s].*)?", re.IGNORECASE)  # fmt: skip
_AS_WRITTEN = re.compile(r"\s*\w+ as %Y%m(?P<day>%d)?(?:\.%f)?\s*")
"""As CDO writes dates as numbers: 20190101."""
_ISO = re.compile(r"\s*(\d{4})-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?(?:[T ].*)?")


def units_as_written(values: NDArray[Any]) -> str:
    """Return the units of numbers without any that are written as dates, 202001 or 20200131; blank where they are not."""
    values = np.ravel(values)
    if values.dtype.kind not in "iuf" or not np.isfinite(values).all():
        return ""
    written = (("month as %Y%m", 180001, 219912), ("day as %Y%m%d", 18000101, 21991231))
    return next((units for units, first, last in written if (values >= first).all() and (values <= last).all()), "")  # fmt: skip


def is_a_time(attributes: Mapping[Any, Any]) -> bool:
    """Tell whether the units of a coordinate are those of a time, be it read or not."""
    return bool(re.search(r" since |%Y", str(attributes.get("units"))))


def days_of(values: NDArray[Any], attributes: Mapping[Any, Any]) -> list[Day] | None:
    """Return the days of times; None of what is no time or of a calendar that is not read.

    Parameters
    ----------
    values
        Dates, numbers, or texts such as 2020-01 and 2020-01-31.
    attributes
        Of the coordinate: units and calendar of numbers.
    """
    values = np.ravel(values)
    if np.issubdtype(values.dtype, np.datetime64):
        if np.isnat(values).any():
            return None
        return [(each.year, each.month, each.day) for each in values.astype("datetime64[D]").tolist()]  # fmt: skip
    if values.dtype.kind in "UO" and all(isinstance(each, str) for each in values):
        texts = [_ISO.fullmatch(each) for each in values]
        return [(int(each[1]), int(each[2]), int(each[3] or 0)) for each in texts if each] if all(texts) else None  # fmt: skip
    if values.dtype == object:  # of cftime
        if not all(hasattr(each, "year") and hasattr(each, "month") for each in values):
            return None
        return [(int(each.year), int(each.month), int(each.day)) for each in values]
    if values.dtype.kind not in "iuf" or not np.isfinite(values).all():
        return None
    units, calendar = str(attributes.get("units", "")), str(attributes.get("calendar", ""))
    found: list[Day] | None = None
    if since := _SINCE.fullmatch(units):
        found = _since(values, since, _DAYS_OF_MONTHS.get(calendar.lower()))
    elif written := _AS_WRITTEN.fullmatch(units):
        found = _as_written(values, written)
    # Whatever lies beyond is damaged, or counted from elsewhere.
    return found if found and all(0 < year < 10_000 for year, _, _ in found) else None


def middle_of(begin: Day, end: Day) -> tuple[Day, int]:
    """Return the day halfway between two, and how many days lie between them.

    Parameters
    ----------
    begin, end
        One that the usual calendar has not, as 30 February, counts on from the first of its month; a month without a day is its first.
    """
    first, last = (
        date(year, month, 1).toordinal() + max(day, 1) - 1 for year, month, day in (begin, end)
    )
    middle = date.fromordinal((first + last) // 2)
    return (middle.year, middle.month, middle.day), last - first


def _since(
    values: NDArray[Any], since: re.Match[str], lengths: tuple[int, ...] | None
) -> list[Day] | None:
    step = since["step"].lower()
    year, month, day = (int(since[part] or 1) for part in ("year", "month", "day"))
    if step in ("year", "month"):
        months = np.floor(values * (MONTHS if step == "year" else 1)).astype(np.int64)
        first = year * MONTHS + month - 1
        # Half a year is its middle; half a month is no day.
        day = 1 if step == "year" else 0
        return [(each // MONTHS, each % MONTHS + 1, day) for each in (first + months).tolist()]
    if lengths is None:
        return None
    begins = np.cumsum((0, *lengths))  # of the months, and of the next year
    number = year * begins[-1] + begins[month - 1] + day - 1
    whole, left = np.divmod(number + np.floor(values / _IN_A_DAY[step]).astype(np.int64), begins[-1])  # fmt: skip
    places = np.asarray(np.searchsorted(begins, left, "right"))
    days = left - begins[places - 1] + 1
    return list(zip(whole.tolist(), places.tolist(), days.tolist(), strict=True))


def _as_written(values: NDArray[Any], written: re.Match[str]) -> list[Day] | None:
    number = np.floor(values).astype(np.int64)
    number, day = np.divmod(number, 100) if written["day"] else (number, np.zeros_like(number))
    year, month = np.divmod(number, 100)
    if not ((month >= 1) & (month <= MONTHS)).all():
        return None
    return list(zip(year.tolist(), month.tolist(), day.tolist(), strict=True))
