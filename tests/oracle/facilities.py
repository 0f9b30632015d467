"""How much each facility of a table emits, in whole grams: by value, by share of its category, by capacity (docs/decisions/0061)."""

from __future__ import annotations

from fractions import Fraction

from oracle.inputs import grams


def grams_of_facilities(table, totals):
    """Grams by row; totals: grams by (category, region), a blank region being the whole."""
    found = {}
    for category, rows in table.groupby("category"):
        regional = sum(mass for (name, region), mass in totals.items() if name == category and region)  # fmt: skip
        total = totals.get((category, ""), regional)
        rows = rows.sort_values("name")
        for row, (value, unit) in enumerate(zip(rows["value"], rows["unit"], strict=True)):
            if value:
                found[rows.index[row]] = round(grams(value, unit))
        by_share = {row: Fraction(rows.at[row, "share"]) / 100 for row in rows.index if rows.get("share") is not None and rows.at[row, "share"]}  # fmt: skip
        split(found, total, by_share)
        by_capacity = {row: Fraction(rows.at[row, "capacity"]) for row in rows.index if rows.get("capacity") is not None and rows.at[row, "capacity"]}  # fmt: skip
        rest = total - sum(found[row] for row in rows.index if row in found)
        whole = sum(by_capacity.values())
        split(found, rest, {row: part / whole for row, part in by_capacity.items()})
    return [found[row] for row in table.index]


def split(found, total, parts):
    """Give each row its part of the total: what the parts up to it make, in whole grams, less what those before it make."""
    until = Fraction(0)
    for row, part in parts.items():
        found[row] = int((until + part) * total) - int(until * total)
        until += part
