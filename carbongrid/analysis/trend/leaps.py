"""What differs between two years by more than years bring: as by another unit, or by what one of them counts under another category."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from carbongrid.errors import Problem, listed
from carbongrid.method.evidence import in_words

if TYPE_CHECKING:
    from carbongrid.analysis.finished import FinishedRun

_LEAP, _A_YEAR = 5.0, 1.2
"""So many times, and by so much more each year, is no growth: the fastest economies double in six years in current prices."""

_MIN_SHARE = 0.01
"""A category that never was this much of all may have begun, or ended, as a works did."""

_MIN_PART = 0.001
"""Part of all that a unit has in one of the years: a village may be cleared, and a new town begin with few."""

_LISTED = 5
_OF_ALL = (("GDP", "gdp"), ("residents", "residents"), ("emission", "emission_g"), ("sink", "sink_g"))  # fmt: skip
_OF_UNITS = _OF_ALL[:2]
_HINT = "Check its unit, and what it counts, in both runs."


def leaps(
    years: Sequence[int], tables: Sequence[pd.DataFrame], runs: Sequence[FinishedRun]
) -> Iterator[Problem]:
    """Yield a warning of each sum, of units' GDP and residents, and of categories that leap between two years.

    Parameters
    ----------
    years
        In their order; of two runs of one year nothing is said, since plans may do anything.
    tables
        The units that all years have in common: id, gdp, residents, emission_g, sink_g.
    runs
        Whose categories are held against each other.
    """
    for k, (a, b) in enumerate(itertools.pairwise(years)):
        if a == b:
            continue
        limit = _LEAP * _A_YEAR ** (b - a)
        yield from _of_sums((a, b), tables[k], tables[k + 1], limit)
        masses = [run.ledger["total_g"].astype(float).groupby(run.ledger["category"].to_numpy()).sum() for run in runs[k : k + 2]]  # fmt: skip
        shares = [each / max(each.sum(), 1.0) for each in masses]
        ratio = (masses[1] / masses[0]).dropna()
        large = [name for name in ratio.index if max(each[name] for each in shares) >= _MIN_SHARE]
        far = ratio[large][_is_leap(ratio[large], limit)]
        if not far.empty:
            which = listed((f"{name} ({in_words(by)} times)" for name, by in far.items()), _LISTED)
            what = f"Totals of {b} are far from those of {a}: {which}. Check their units, and that both years count the same under these names."
            yield Problem(what, level="note")  # a works that closed, as often as a slip


def _is_leap(ratio: pd.Series[float], limit: float) -> pd.Series[bool]:
    # What is 0 in one of them has no ratio, and may be so.
    return (ratio > limit) & (ratio < float("inf")) | (ratio * limit < 1) & (ratio > 0)


def _of_sums(years: tuple[int, int], a: pd.DataFrame, b: pd.DataFrame, limit: float) -> Iterator[Problem]:  # fmt: skip
    a, b = a.set_index("id"), b.set_index("id")
    for name, column in _OF_ALL:
        ends = [each[column].astype("Float64") for each in (a, b)]
        known = ends[0].notna() & ends[1].notna()
        before, after = (float(each[known].sum()) for each in ends)
        times = after / before if before else 1.0
        if times > limit or 0 < times * limit < 1:
            what = f"The sum of {name} of {years[1]} is {in_words(times)} times that of {years[0]}. {_HINT}"  # fmt: skip
            yield Problem(what, level="warning")
        elif (name, column) in _OF_UNITS:
            ratio = (ends[1] / ends[0])[known].astype(float).dropna()
            larger = pd.concat(ends, axis=1).astype(float).max(axis=1)[ratio.index]
            ratio = ratio[larger >= _MIN_PART * max(before, after)]
            far = ratio[_is_leap(ratio, limit)]
            if not far.empty:
                which = listed((f"{code} ({in_words(by)} times)" for code, by in far.items()), _LISTED)  # fmt: skip
                what = f"Units with far more or less {name} in {years[1]} than in {years[0]} ({len(far):,} of {len(a):,}): {which}. {_HINT}"
                yield Problem(what, level="warning")
