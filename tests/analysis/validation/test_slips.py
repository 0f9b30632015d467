"""Units of a published table that seem to be others than it says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from english_left import english_in

from carbongrid.analysis.validation.slips import remarks_of_slips, remarks_of_total


@pytest.mark.parametrize(
    ("bias", "apart", "words"),
    [
        (1.4, [0, 1, -1, 2, 3, 0], []),
        (3.7, [0] * 6, ["3.7 times the table's total, as if carbon for CO2, 44/12: look at its unit again"]),
        (1000, [0] * 6, ["as if a unit a thousand times as large"]),
        (150, [0] * 6, ["150 times the table's total, further apart than estimates of one thing are"]),
        (1.1, [0, 0, 0, 0, 0, 10], ["half of the run's values are 1 times the table's or less, and 1 of 6 are far from that: u5 (1,024 times); look at their units"]),
        (1.1, [1, 1, 1, 1, 1, -9], ["u5 (0.00195 times)"]),
        (1.1, [0, 0, 0, 0, 0, 7], []),  # a works that one of the two does not know
        (1.1, [0, 0, 0, 10], []),  # of a few none is usual
        (1.1, [0, 0, 0, 0, 0, np.inf], []),
        (np.nan, [0] * 6, []),
    ],
)  # fmt: skip
def test_a_table_in_another_unit_is_told_as_a_raster_is(bias, apart, words):
    """Seen without a word: a table in carbon, in kt, and one value in kt among those in t."""
    values = pd.DataFrame({"of": "emission", "region": [f"u{k}" for k in range(len(apart))], "log2_ratio": np.array(apart, float)})  # fmt: skip
    told = remarks_of_slips(pd.DataFrame({"of": ["emission"], "bias": [bias]}), values)
    assert len(told) == len(words)
    for (problem, chinese), part in zip(told, words, strict=True):
        assert problem.level == "warning"
        assert part in problem.what
        assert [each for each in english_in(chinese, ["emission", "u5"]) if each not in ("carbon", "for", "unit", "thousand", "times", "as", "large")] == []  # fmt: skip


@pytest.mark.parametrize(("bias", "told"), [(np.nan, 0), (0.0, 1), (0.01, 1), (0.02, 0), (99.0, 0), (100.0, 1)])  # fmt: skip
def test_a_raster_of_which_the_run_has_nothing_is_told(bias, told):
    assert len(remarks_of_total("emission", bias, "", "raster", "栅格")) == told
