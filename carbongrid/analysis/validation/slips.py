"""Units of published values that seem to be others than it says: of all its values, or of some among the others."""

from __future__ import annotations

import numpy as np
import pandas as pd

from carbongrid.analysis.published.rasters import Remark
from carbongrid.errors import Problem, listed
from carbongrid.method.agreement import NEAR_UNIT_SLIP, UNIT_SLIPS, slip_of
from carbongrid.method.evidence import in_words

_FAR = 100.0
"""Estimates of one thing in one place are hardly so many times apart."""

_FAR_FROM_OTHERS, _VALUES = 300.0, 5
"""One value among so many that is so many times further from the run than the median is, or nearer, is in another unit; a works that only one of the two knows may make it a hundred."""

_LISTED = 5
_WHOLES = ("emission", "sink")


def remarks_of_total(of: str, bias: float, slip: str, things: str, chinese: str) -> list[Remark]:
    """Return a warning, with its Chinese, where the run has so many times the total of published values that their unit is in doubt.

    Parameters
    ----------
    of
        The quantity.
    bias
        The run's total over the published one; of NaN nothing is said.
    slip
        What of units the bias looks like, blank for none.
    things, chinese
        What holds the published values.
    """
    if slip:
        what = f"{of}: the run has {bias:.3g} times the {things}'s total, as if {slip}: look at its unit again"
        return [(Problem(what, level="warning"), f"{of}：本次总量为{chinese}的 {bias:.3g} 倍，疑似单位有误（{slip}）。")]  # fmt: skip
    if not (1 / _FAR < bias < _FAR or np.isnan(bias)):
        what = f"{of}: the run has {bias:.3g} times the {things}'s total, further apart than estimates of one thing are: look at its unit, and at what it is of"
        return [(Problem(what, level="warning"), f"{of}：本次总量为{chinese}的 {bias:.3g} 倍，请核对单位与内容。")]  # fmt: skip
    return []


def remarks_of_slips(measures: pd.DataFrame, values: pd.DataFrame) -> list[Remark]:
    """Return warnings of quantities whose whole is far from the run's, and of single values that are far where the others are not, each with its Chinese.

    Parameters
    ----------
    measures
        A row for each quantity: of, bias.
    values
        A row for each value: of, region, log2_ratio (of the run over it).
    """
    found: list[Remark] = []
    for of, bias in zip(measures["of"], measures["bias"], strict=True):
        # Two estimates of one category may differ by four times without any slip.
        slip = slip_of(bias, UNIT_SLIPS, NEAR_UNIT_SLIP) if of in _WHOLES else ""
        if bias > 0:  # a category that the run has not is told elsewhere
            found += remarks_of_total(of, bias, slip, "table", "发布表")
        own = values[(values["of"] == of) & np.isfinite(values["log2_ratio"])]
        if len(own) < _VALUES:
            continue
        apart = own["log2_ratio"] - own["log2_ratio"].median()
        far = own[apart.abs() > np.log2(_FAR_FROM_OTHERS)]
        if not far.empty:
            usual = 2 ** own["log2_ratio"].median()
            named = zip(far["region"], 2 ** far["log2_ratio"], strict=True)
            which = [(region, in_words(times)) for region, times in named]
            what = f"{of}: half of the run's values are {usual:.3g} times the table's or less, and {len(far):,} of {len(own):,} are far from that: {listed((f'{region} ({times} times)' for region, times in which), _LISTED)}; look at their units"
            zh = listed((f"{region}（{times} 倍）" for region, times in which), _LISTED, more=" 等，另有 {} 个", between="、")  # fmt: skip
            found.append((Problem(what, level="warning"), f"{of}：本次值与发布值之比的中位数为 {usual:.3g}，而 {len(own):,} 个值中有 {len(far):,} 个相差悬殊：{zh}；请核对其单位。"))  # fmt: skip
    return found
