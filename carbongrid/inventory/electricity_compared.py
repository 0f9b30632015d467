"""What each way of counting electricity makes of the same activity data, side by side (docs/decisions/0057)."""

from __future__ import annotations

import math

import pandas as pd

from carbongrid.errors import Problem
from carbongrid.inventory.decimals import in_own_decimals
from carbongrid.inventory.electricity import READINGS, is_supply, rows_set_aside
from carbongrid.inventory.lines import Input, Inventory
from carbongrid.inventory.power_balance import (
    Mass,
    balance_notes,
    balance_of,
    consumption_if_known,
    has_balance,
    scopes_with_mass,
)
from carbongrid.inventory.tables import audit, by_gas
from carbongrid.method.tonnes import readable_tonnes

COLUMNS = ("reading", "made_t", "used_t", "gross_t")


@in_own_decimals
def compare_electricity(inventory: Inventory) -> pd.DataFrame:
    """Return the emission of an inventory by every way of counting electricity.

    Returns
    -------
    DataFrame
        reading, made_t (what supply emits itself), used_t (electricity and heat where they are used, losses among them), gross_t
        (all emissions): t CO2e per year, float64. NaN by consumption where the balance is not known. Empty where nothing would be counted twice.
    """
    twice = rows_set_aside(scopes_with_mass(inventory), inventory.categories, "use")
    if not twice and not has_balance(inventory):
        return pd.DataFrame(columns=list(COLUMNS))
    return pd.DataFrame([_row(inventory, name) for name in READINGS], columns=list(COLUMNS))


ASIDE = "set aside by electricity = "
"""What the audit remarks of a row that the choice counts in no total; its mass stays."""


@in_own_decimals
def audit_with_readings(
    inventory: Inventory, as_given: Inventory, reading: str | None = None
) -> pd.DataFrame:
    """Return the audit trail, and below it the balance of electricity and what each way of counting gives: rows without a category and without a mass.

    Parameters
    ----------
    inventory
        What is audited, with what the choice sets aside.
    as_given
        The same with electricity by the grid's factor: itself, unless it is of :func:`carbongrid.inventory.by_consumption`.
    reading
        The choice: rows that it sets aside are marked, and by consumption the balance has its rows.
    """
    trail = _marked(audit(inventory), inventory, reading)
    rows = _rows_of_balance(as_given) if reading == "consumption" else []
    _, unknown = consumption_if_known(as_given)
    for each in compare_electricity(as_given).to_dict("records"):
        if each["gross_t"] == each["gross_t"]:
            told = f"all emissions are {readable_tonnes(round(each['gross_t'] * 1e6))} t CO2e"
        else:
            told = f"not known: {unknown.what if unknown else ''}"
        rows.append(
            {"product": f"electricity = {each['reading']}", "remark": f"side by side: {told}"}
        )
    return pd.concat(
        [trail, pd.DataFrame(rows, columns=trail.columns, dtype=str).fillna("")], ignore_index=True
    )


def _marked(trail: pd.DataFrame, inventory: Inventory, reading: str | None) -> pd.DataFrame:
    """Return the audit with a remark in front of those of the rows that a choice sets aside."""
    if reading is None:
        return trail
    aside = rows_set_aside(scopes_with_mass(inventory), inventory.categories, reading)
    marks = [
        f"{ASIDE}{reading}"
        if row["mass_t"] and (row["category"], int(row["scope"])) in aside
        else ""
        for row in trail.to_dict("records")
    ]
    remarks = [
        "; ".join(filter(None, pair)) for pair in zip(marks, trail["remark"].tolist(), strict=True)
    ]
    return trail.assign(remark=remarks)


def _rows_of_balance(as_given: Inventory) -> list[dict[str, str]]:
    """Return a row of the audit for each side of the balance but the uses, which have their own, and for each gas."""
    balance = balance_of(as_given)
    sides = {
        "generated": balance.generated,
        "imported": balance.imported,
        "losses": balance.losses,
        "exported": balance.exported,
    }
    rows = []
    for name, flow in sides.items():
        common = {
            "file": as_given.data.file,
            "activity": f"electricity/{name}",
            "product": f"balance of electricity, {name}",
            "variant": "consumption",
            "amount": str(flow.wh),
            "unit": "Wh",
            "year": str(as_given.year or ""),
        }
        if name == "imported" and balance.factor is not None:
            factor = balance.factor
            common["factors"] = Input("factor", factor).text
            common["factor_sources"] = ", ".join(
                filter(None, (factor.source, factor.source_table, factor.region))
            )
        masses = [(gas, mass) for gas, mass in flow.gases.items() if mass.grams or mass.co2e]
        for gas, mass in masses or [("CO2", Mass())]:
            made, counted = map(readable_tonnes, (mass.grams, mass.co2e))
            remark = f"part of the mix, in no total of its own: {made} t {gas}, {counted} t CO2e"
            rows.append({**common, "gas": gas, "remark": remark})
    return rows


def _row(inventory: Inventory, reading: str) -> tuple[str, float, float, float]:
    if reading == "consumption":
        balanced, _ = consumption_if_known(inventory)
        if balanced is None:
            return reading, math.nan, math.nan, math.nan
        inventory = balanced
    categories, sums = inventory.categories, by_gas(inventory)
    sums = sums.loc[[not categories[name].sink for name in sums["category"]]]
    keys = list(zip(sums["category"], sums["scope"].tolist(), strict=True))
    aside = rows_set_aside(scopes_with_mass(inventory), categories, reading)
    grams = dict.fromkeys(keys, 0)
    for key, mass in zip(keys, sums["grams_co2e"].tolist(), strict=True):
        grams[key] += 0 if key in aside else mass
    made = sum(
        mass for (name, scope), mass in grams.items() if scope == 1 and is_supply(categories[name])
    )
    used = sum(mass for (_, scope), mass in grams.items() if scope > 1)
    return reading, made / 1e6, used / 1e6, sum(grams.values()) / 1e6


@in_own_decimals
def energy_notes(inventory: Inventory) -> list[Problem]:
    """Return the balance of electricity, and which waste is counted as burnt without making use of its energy."""
    burnt = [
        line.row.id
        for line in inventory.lines
        if line.row.activity.startswith("incineration/")
        and inventory.categories[line.category].sector == "waste"
    ]
    notes = balance_notes(inventory)
    if burnt:
        what = f"the waste of {', '.join(dict.fromkeys(burnt))} counts as burnt without making use of its energy (5.C)"
        hint = "What is burnt in a power plant belongs to energy (1.A.1.a): write it on the sheet industry, category industry/supply."
        notes.append(Problem(what, inventory.data.file, hint, "note"))
    return notes
