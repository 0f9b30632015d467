"""Numbers as the audit writes them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbongrid.inventory.factors import Factor
from carbongrid.inventory.lines import Input, plain


@given(st.integers(-(10**30), 10**30), st.integers(0, 15))
def test_a_short_decimal_is_written_exactly(digits: int, places: int) -> None:
    """Seen to fail when fives, or twos, of the denominator were not counted."""
    number = Fraction(digits, 10**places)
    written = plain(number)
    assert Fraction(Decimal(written)) == number
    assert "e" not in written
    assert not ("." in written and written.endswith("0"))


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (None, ""),
        (Fraction(0), "0"),
        (Fraction(1, 3), "0.333333333333"),
        (Fraction(44, 12), "3.66666666667"),
        (Fraction(-1, 8), "-0.125"),
        (Fraction(1, 2**15), "0.000030517578125"),
        (Fraction(1, 2**16), "1.52587890625e-05"),
        (Fraction(1, 5**3), "0.008"),
        (Fraction(-12), "-12"),
    ],
)
def test_a_number_is_written(number: Fraction | None, written: str) -> None:
    assert plain(number) == written


def test_what_enters_as_its_rest_to_one_is_written_so() -> None:
    """Seen to read as water of 0.89, where grain is dry by as much."""
    dry = Factor("own.dry", "dry matter", Fraction(89, 100), "fraction", status="verified")
    grain = Input("water", dry, complement=True)
    assert grain.value == Fraction(11, 100)
    assert grain.text == "water = 1 - 0.89 fraction (own.dry) [verified]"
    assert Input("dry", dry).text == "dry = 0.89 fraction (own.dry) [verified]"
