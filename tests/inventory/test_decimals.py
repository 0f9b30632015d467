"""Whatever a caller has set for decimals of its own, carbongrid counts in the same way."""

from __future__ import annotations

import decimal
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from inventory_example import example
from squares_case import CRS, SOUTH, WEST, squares_case

import carbongrid as cg
from carbongrid import inventory
from carbongrid.inventory.decimals import in_own_decimals

FEW_DIGITS = decimal.Context(prec=3, rounding=decimal.ROUND_UP)
STRICT = decimal.Context(prec=3, traps=[decimal.Inexact, decimal.Rounded, decimal.FloatOperation])


@pytest.fixture(params=[FEW_DIGITS, STRICT], ids=["few digits", "strict"])
def caller(request: pytest.FixtureRequest) -> Iterator[decimal.Context]:
    with decimal.localcontext(request.param) as context:
        yield context


def test_the_caller_s_context_is_as_it_was(caller: decimal.Context) -> None:
    third = in_own_decimals(lambda: Decimal(1) / 3)
    assert len(str(third())) == 2 + 28
    assert decimal.getcontext() is caller
    assert not any(caller.flags.values())


def test_people_are_counted_to_the_thousandth(caller: decimal.Context, tmp_path: Path) -> None:
    """Seen to count 1,230,000 of 1,234,567.891 with three digits, and to end in decimal.Inexact."""
    tables = {
        "totals.csv": "category,value,unit\nbuildings/urban-homes,400,t CO2e\n",
        "people.csv": f"lon,lat,residents\n{WEST + 500},{SOUTH + 500},1234567.891\n",
    }
    people = {"path": "people.csv", "crs": f"EPSG:{CRS}"}
    found = cg.check(squares_case(tmp_path, ["0701"] * 2, tables, people=people))
    assert found.content["residents"] == {"in_units": 1234567.891, "in_none": 0.0}


def test_an_inventory_is_explained_to_the_gram(caller: decimal.Context) -> None:
    """Seen to add up rows to 1.23E+6 t."""
    audit = inventory.audit(example())
    told = inventory.explain(audit, "industry/manufacturing")
    with decimal.localcontext(decimal.Context(prec=28)):
        assert told == inventory.explain.__wrapped__(audit, "industry/manufacturing")  # type: ignore[attr-defined]
