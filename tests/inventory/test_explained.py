"""The tree that explains a total."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from itertools import pairwise

import pytest
from inventory_example import example

from carbongrid import inventory
from carbongrid.errors import InputError


@cache
def audit():
    return inventory.audit(example())


@pytest.mark.parametrize("category", sorted(set(audit().query("mass_t != ''")["category"])))
def test_every_branch_of_a_tree_ends_where_it_should(category: str) -> None:
    """Seen to fail when the last branch was drawn as one of several, and the other way round."""
    rows = audit()[(audit()["category"] == category) & (audit()["mass_t"] != "")]
    head, *lines = inventory.explain(audit(), category).splitlines()
    whole = sum(map(Decimal, rows["co2e_t"]))
    assert head == f"{category}  {whole} t CO2e ({rows['gwp_set'].iloc[0]}, 100 years)"
    tree = [line for line in lines if not line.startswith("left out: ")]
    gases = [line for line in tree if line.startswith(("|-- ", "`-- "))]
    assert [line[4:].split()[0] for line in gases] == [
        gas for gas in ("CO2", "CH4", "N2O", "CO2e") if gas in set(rows["gas"])
    ]
    assert [line[:4] for line in gases] == ["|-- "] * (len(gases) - 1) + ["`-- "]
    starts = [tree.index(line) for line in gases] + [len(tree)]
    for first, last in pairwise(starts):
        stem = "    " if last == len(tree) else "|   "
        inner = [line.removeprefix(stem) for line in tree[first + 1 : last]]
        assert all(line.startswith(stem) for line in tree[first + 1 : last])
        branches = [at for at, line in enumerate(inner) if line.startswith(("|-- ", "`-- "))]
        gas = tree[first][4:].split()[0]
        assert len(branches) == (rows["gas"] == gas).sum()
        for place, at in enumerate(branches):
            closing = place == len(branches) - 1
            assert inner[at].startswith("`-- " if closing else "|-- ")
            leaves = inner[at + 1 : branches[place + 1] if not closing else len(inner)]
            assert all(leaf.startswith("    " if closing else "|   ") for leaf in leaves)
            assert len(leaves) >= 2


def test_a_category_without_lines_is_told_those_that_have_some() -> None:
    formed = sorted(set(audit().query("mass_t != ''")["category"]))
    with pytest.raises(InputError, match="has no line") as told:
        inventory.explain(audit(), "buildings/public-services")
    assert told.value.problems[0].hint == f"There are: {', '.join(formed)}."
