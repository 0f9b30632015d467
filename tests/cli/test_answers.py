"""What the answers of commands have in common."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from carbongrid.cli.answers import json_rows, signed_tonnes


def test_what_is_unknown_is_null_and_whole_numbers_stay_whole() -> None:
    table = pd.DataFrame({"of": ["a", None], "grams": [10**18 + 1, 0], "share": [math.nan, 0.5]})
    assert json_rows(table.assign(zone=pd.array([1, pd.NA], dtype="Int64"))) == [
        {"of": "a", "grams": 10**18 + 1, "share": None, "zone": 1},
        {"of": None, "grams": 0, "share": 0.5, "zone": None},
    ]


@pytest.mark.parametrize(
    ("grams", "told"),
    [(1, "+0.000001"), (-1_500_000, "-1.5"), (10**7, "+10"), (-1_234_567_890_000, "-1,234,568")],
)
def test_a_small_change_is_told_to_the_gram(grams: int, told: str) -> None:
    assert signed_tonnes(grams) == told
