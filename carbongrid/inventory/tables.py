"""The inventory as tables: totals by category and gas, and the audit trail."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pandas as pd

from carbongrid.inventory.decimals import in_own_decimals
from carbongrid.inventory.factors import Factor, read_unit
from carbongrid.inventory.factors.catalogue import GASES
from carbongrid.inventory.lines import Inventory, Line, plain
from carbongrid.inventory.regions import counted_once
from carbongrid.method.categories import SECTORS
from carbongrid.method.tonnes import exact_tonnes, format_tonnes

SEPARATOR = " | "
"""Between the factors of a line, their sources, its conversions."""

_CAUTION = re.compile(r"\bdo not (?:also|mix|default)\b", re.IGNORECASE)
_BY_REGION = (
    "category", "region", "scope", "gas", "activity", "ids", "grams", "grams_co2e", "exact_co2e",
)  # fmt: skip

MEMO = "memo: biogenic CO2, in no total"
"""What the audit remarks of a row of the memo, whose tonnes stand in a column of their own."""

AUDIT_COLUMNS = (
    "file", "sheet", "row", "id", "activity", "category", "region", "scope", "equation", "term", "product", "variant", "amount", "unit", "year",
    "activity_source", "factors", "factor_sources", "conversions", "gas", "mass_t", "gwp", "gwp_set", "co2e_t", "passed_over", "remark", "memo_t",
)  # fmt: skip


@in_own_decimals
def by_gas(inventory: Inventory) -> pd.DataFrame:
    """Return the totals of the whole city in whole grams; what stands for regions and for the whole counts once.

    Returns
    -------
    DataFrame
        category, scope, gas, grams (int64), grams_co2e (int64): one row for each that has lines, in the order of equation (1).
    """
    sums: dict[tuple[str, int, str], list[int]] = {}
    for line, grams, co2e in counted_once(inventory).formed:
        entry = sums.setdefault((line.category, line.scope, line.gas), [0, 0])
        entry[0] += grams
        entry[1] += co2e
    keys = sorted(sums, key=lambda key: (*_order(inventory, key[0]), key[1], GASES.index(key[2])))
    rows = [(*key, *sums[key]) for key in keys]
    table = pd.DataFrame(rows, columns=["category", "scope", "gas", "grams", "grams_co2e"])
    return table.astype({"scope": "int64", "grams": "int64", "grams_co2e": "int64"})


@in_own_decimals
def by_region(inventory: Inventory) -> pd.DataFrame:
    """Return what the rows come to, whole and regions side by side, in whole grams: a whole has its regions in it.

    Returns
    -------
    DataFrame
        category, region (blank is the whole), scope, gas, activity, ids (of its rows, joined by a comma), grams (int64), grams_co2e
        (int64), exact_co2e (grams before they are rounded, a Fraction): one row for each that has lines, in the order of equation (1), the whole
        before its regions.
    """
    sums: dict[tuple[str, str, int, str, str], tuple[dict[str, None], list[Any]]] = {}
    for line, grams, co2e in inventory.formed:
        key = (line.category, line.row.region, line.scope, line.gas, line.row.activity)
        ids, masses = sums.setdefault(key, ({}, [0, 0, Fraction(0)]))
        ids.setdefault(line.row.id)
        exact = line.exact * line.potential(inventory.gwp)
        masses[:] = [masses[0] + grams, masses[1] + co2e, masses[2] + exact]
    keys = sorted(
        sums,
        key=lambda key: (*_order(inventory, key[0]), *key[1:3], GASES.index(key[3]), key[4]),
    )
    rows = [(*key, ", ".join(sums[key][0]), *sums[key][1]) for key in keys]
    table = pd.DataFrame(rows, columns=list(_BY_REGION))
    return table.astype({"scope": "int64", "grams": "int64", "grams_co2e": "int64"})


@in_own_decimals
def totals(inventory: Inventory) -> pd.DataFrame:
    """Return the totals for people and files.

    Returns
    -------
    DataFrame
        category, region, gas, mass_t, co2e_t: tonnes as text with six decimals, which are whole grams. A blank region is the whole city, which
        has its regions in it, as in a table of totals.
    """
    sums = (
        by_region(inventory)
        .groupby(["category", "region", "gas"], sort=False)[["grams", "grams_co2e"]]
        .sum()
        .reset_index()
    )
    return pd.DataFrame(
        {
            "category": sums["category"],
            "region": sums["region"],
            "gas": sums["gas"],
            "mass_t": format_tonnes(sums["grams"].tolist()),
            "co2e_t": format_tonnes(sums["grams_co2e"].tolist()),
        }
    )


@in_own_decimals
def memo(inventory: Inventory) -> pd.DataFrame:
    """Return the biogenic CO2 of the whole city that enters no total: crops that are eaten, biomass and waste that are burnt.

    Returns
    -------
    DataFrame
        category, activity, mass_t: tonnes of CO2 as text with six decimals; in the order of the file.
    """
    sums: dict[tuple[str, str], int] = {}
    once = counted_once(inventory)
    for line, grams in zip(once.memo, once.memo_grams, strict=True):
        key = (line.category, line.row.activity)
        sums[key] = sums.get(key, 0) + grams
    rows = [(*key, exact_tonnes(grams)) for key, grams in sums.items()]
    return pd.DataFrame(rows, columns=["category", "activity", "mass_t"])


@in_own_decimals
def audit(inventory: Inventory) -> pd.DataFrame:
    """Return the audit trail: one row for each product formed, then the memo, then what was left out; every cell text.

    The masses of the rows of a category, region and gas add up to its total, exactly.
    """
    rows = []
    for line, grams, co2e in inventory.formed:
        rows.append(
            {
                **_how(line),
                "mass_t": exact_tonnes(grams),
                "gwp": plain(line.potential(inventory.gwp)),
                "gwp_set": inventory.gwp,
                "co2e_t": exact_tonnes(co2e),
                "passed_over": SEPARATOR.join(_passed_over(line)),
                "remark": "; ".join(_remarks(inventory, line)),
            }
        )
    for line, grams in zip(inventory.memo, inventory.memo_grams, strict=True):
        rows.append({**_how(line), "remark": MEMO, "memo_t": exact_tonnes(grams)})
    for left in inventory.left_out:
        place = {
            "file": left.row.file,
            "sheet": left.row.sheet,
            "row": str(left.row.row),
            "id": left.row.id,
        }
        place |= {
            "activity": left.row.activity,
            "category": left.row.category,
            "region": left.row.region,
            "amount": left.row.written,
        }
        rows.append(
            {
                **place,
                "unit": left.row.unit,
                "product": left.what,
                "remark": f"left out: {left.why}",
            }
        )
    return pd.DataFrame(rows, columns=list(AUDIT_COLUMNS), dtype=str).fillna("")


def scopes_of_audit(trail: pd.DataFrame) -> dict[tuple[str, int], int]:
    """Return grams of CO2e by category and scope of an audit trail that was read back; what was left out and the memo are in none."""
    found: dict[tuple[str, int], int] = {}
    formed = trail[(trail["mass_t"] != "") & (trail["category"] != "")]
    columns = (formed[name].tolist() for name in ("category", "scope", "co2e_t"))
    for category, scope, tonnes in zip(*columns, strict=True):
        key = category, int(scope)
        found[key] = found.get(key, 0) + round(Decimal(tonnes or "0") * 10**6)
    return found


def _order(inventory: Inventory, name: str) -> tuple[int, str]:
    sector = inventory.categories[name].sector if name in inventory.categories else name
    order = (*SECTORS, "sink")
    return (order.index(sector) if sector in order else len(SECTORS)), name


def _place(line: Line) -> dict[str, str]:
    row = line.row
    return {
        "file": row.file, "sheet": row.sheet, "row": str(row.row), "id": row.id, "activity": row.activity,
        "amount": row.written, "unit": row.unit, "year": row.year, "activity_source": row.source,
    }  # fmt: skip


def _how(line: Line) -> dict[str, str]:
    """Return what the audit says of how a line was formed, but for its mass."""
    return {
        **_place(line),
        "category": line.category,
        "region": line.row.region,
        "scope": str(line.scope),
        "equation": str(line.equation),
        "term": line.symbol,
        "product": line.product,
        "variant": line.variant,
        "factors": SEPARATOR.join(entry.text for entry in line.inputs[1:]),
        "factor_sources": SEPARATOR.join(_sources(line)),
        "conversions": SEPARATOR.join(_conversions(line)),
        "gas": line.gas,
    }


def _sources(line: Line) -> list[str]:
    found = []
    for entry in line.inputs[1:]:
        factor = entry.factor
        parts = [factor.source, factor.source_table, factor.region]
        found.append(", ".join(filter(None, parts)))
    return found


def _passed_over(line: Line) -> list[str]:
    """Return the factors that were not taken, each with what it would have given and why it was passed over."""
    return [
        f"{other.name}: {exact_tonnes(round(other.mass))} t {other.gas} ({other.why})"
        for other in line.passed_over
    ]


def _conversions(line: Line) -> list[str]:
    amount = line.inputs[0]
    found = []
    for plain_unit in ("t", "TJ", "m3", "ha", "head", "person", "t km", "person km", "vehicle km"):
        base = read_unit(plain_unit)
        if base.dimension == amount.dimension and base.scale != amount.scale:
            found.append(
                f"1 {amount.factor.unit} = {plain(amount.scale / base.scale)} {plain_unit}"
            )
    return [*found, f"x {line.molar_text}"] if line.molar_text else found


def _remarks(inventory: Inventory, line: Line) -> list[str]:
    found = []
    for entry in line.inputs[1:]:
        factor = entry.factor
        if factor.status == "recalled":
            found.append(f"{factor.key} is recalled")
        if factor.upstream:
            found.append(f"{factor.key} holds what is emitted upstream")
        if factor.key in inventory.factors.overridden:
            found.append(
                f"{factor.key} is the user's own, in place of {plain(Fraction(inventory.factors.overridden[factor.key].value or 0))}"
            )
        if caution_of(factor):
            found.append(f"{factor.key}: {caution_of(factor)}")
    if line.product == "input" and not any(entry.factor.upstream for entry in line.inputs[1:]):
        found.append("the making of an input is emitted upstream")
    if line.row.category != line.category:
        found.append(f"gives off carbon, so it is no {line.row.category} (D27)")
    return found


def caution_of(factor: Factor) -> str:
    """Return what the source says of double counting, blank if nothing."""
    parts = [part for part in factor.note.split("; ") if _CAUTION.search(part)]
    return "; ".join(parts)
