"""The tree that explains how a category's total is formed."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from decimal import Decimal
from typing import Any

import pandas as pd

from carbongrid.errors import InputError
from carbongrid.inventory.decimals import in_own_decimals
from carbongrid.inventory.factors.catalogue import GASES
from carbongrid.inventory.lines import Inventory
from carbongrid.inventory.tables import MEMO, SEPARATOR, audit


@in_own_decimals
def explain(trail: Inventory | pd.DataFrame, category: str) -> str:
    """Return how a category's total is formed, as a tree in text.

    Parameters
    ----------
    trail
        An inventory, or its audit trail: what :func:`carbongrid.inventory.audit` returns, or audit.csv of a run.
    category
        Its name. The tree is of the whole city; what rows of regions have of it stands below.

    Raises
    ------
    InputError
        If the category has no line.
    """
    table = audit(trail) if isinstance(trail, Inventory) else trail
    rows = [row for row in table.to_dict("records") if row["category"] == category]
    formed, parts = rows_of_city([row for row in rows if row["mass_t"]])
    if not formed:
        known = ", ".join(sorted(set(table.loc[table["mass_t"] != "", "category"])))
        raise InputError(f"{category!r} has no line", hint=f"There are: {known}.")
    text = [f"{category}  {_sum(formed, 'co2e_t')} t CO2e ({formed[0]['gwp_set']}, 100 years)"]
    # By its potential too: AR6 has two of CH4.
    gases = sorted(
        {(row["gas"], row["gwp"]) for row in formed},
        key=lambda pair: (GASES.index(pair[0]), pair[1]),
    )
    for gas, potential in gases:
        members = [row for row in formed if (row["gas"], row["gwp"]) == (gas, potential)]
        last = (gas, potential) == gases[-1]
        text.append(
            f"{'`--' if last else '|--'} {gas}  {_sum(members, 'mass_t')} t x {members[0]['gwp']} = {_sum(members, 'co2e_t')} t CO2e"
        )
        text += _branches(members, "    " if last else "|   ")
    text += [
        f"of it in {row['region']}: {row['activity']}, {row['product']}  {row['mass_t']} t {row['gas']} = {row['co2e_t']} t CO2e  ({row['sheet']} row {row['row']})"
        for row in parts
    ]
    text += [
        f"left out: {row['sheet']} row {row['row']}, {row['product']}: {row['remark'].removeprefix('left out: ')}"
        for row in rows
        if not row["mass_t"] and row["remark"] != MEMO
    ]
    return "\n".join(text)


def rows_of_city(
    rows: list[dict[Hashable, Any]],
) -> tuple[list[dict[Hashable, Any]], list[dict[Hashable, Any]]]:
    """Return rows of a category in the audit that add up to the city's total, and those of regions that a whole has in it."""
    wholes = {(row["scope"], row["activity"]) for row in rows if not row.get("region")}
    held = [bool(row.get("region")) and (row["scope"], row["activity"]) in wholes for row in rows]
    return (
        [row for row, inside in zip(rows, held, strict=True) if not inside],
        [row for row, inside in zip(rows, held, strict=True) if inside],
    )


def _sum(rows: list[dict[Hashable, Any]], column: str) -> Decimal:
    return sum((Decimal(row[column]) for row in rows), Decimal(0))


def _branches(members: list[dict[Hashable, Any]], stem: str) -> Iterator[str]:
    for number, row in enumerate(members, start=1):
        last = number == len(members)
        inner = stem + ("    " if last else "|   ")
        scope = f", scope {row['scope']}" if row["scope"] != "1" else ""
        scope += f", region {row['region']}" if row.get("region") else ""
        yield (
            f"{stem}{'`--' if last else '|--'} {row['activity']}, {row['product']}  {row['mass_t']} t  "
            f"(equation {row['equation']}, {row['term']}{scope})"
        )
        source = f"; {row['activity_source']}" if row["activity_source"] else ""
        yield f"{inner}{row['sheet']} row {row['row']}: {row['amount']} {row['unit']}{source}"
        factors, sources = row["factors"].split(SEPARATOR), row["factor_sources"].split(SEPARATOR)
        for factor, told in zip(factors, sources, strict=True):
            yield f"{inner}- {factor}; {told}" if told else f"{inner}- {factor}"
        for conversion in filter(None, row["conversions"].split(SEPARATOR)):
            yield f"{inner}- {conversion}"
        if row["remark"]:
            yield f"{inner}! {row['remark']}"
