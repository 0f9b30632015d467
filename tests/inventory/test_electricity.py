"""Which categories count as supply and use of electricity."""

from __future__ import annotations

import dataclasses

import pytest

from carbongrid.errors import InputError
from carbongrid.inventory.electricity import set_aside
from carbongrid.method.categories import read_categories

KNOWN = read_categories()
USE = {name for name in KNOWN if name.startswith("buildings/")}


def test_of_all_categories_of_the_package():
    assert set_aside(set(KNOWN), KNOWN, "use") == {"industry/supply"}
    assert set_aside(set(KNOWN), KNOWN, "supply") == USE
    assert set_aside(set(KNOWN), KNOWN, "both") == frozenset()
    with pytest.raises(InputError, match="counted twice"):
        set_aside(set(KNOWN), KNOWN, None)


def test_scope_decides_not_the_name():
    gas = dataclasses.replace(KNOWN["buildings/urban-homes"], name="buildings/gas", scope=1)
    plant = dataclasses.replace(
        KNOWN["industry/supply"], name="industry/plants", types=("industrial", "utilities")
    )
    known = {**KNOWN, gas.name: gas, plant.name: plant}
    assert set_aside({"buildings/gas", "industry/supply"}, known, None) == frozenset()
    assert set_aside({"buildings/commerce", "industry/plants"}, known, "use") == {"industry/plants"}
    assert set_aside({"buildings/commerce", "waste/domestic"}, known, None) == frozenset()
