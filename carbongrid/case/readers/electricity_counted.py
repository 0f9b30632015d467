"""Which electricity the totals of a case count: by scopes, and by the side where it is made or used."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from carbongrid.case.models import Case
from carbongrid.case.readers.formed_totals import Formed
from carbongrid.case.table_formats import HERE
from carbongrid.inventory.electricity import rows_set_aside, side_of
from carbongrid.method.categories import Category


def scopes_with_mass(formed: Formed, case: Case) -> list[tuple[str, int]]:
    """Return the categories and scopes of which activity data make a mass, sorted, before anything is set aside."""
    rows = formed.rows_by(case.electricity)
    return sorted({(row["category"], row["scope"]) for row in rows if row["grams"]})


def scopes_spread(
    case: Case, categories: Mapping[str, Category], totals: pd.DataFrame, formed: Formed | None
) -> dict[str, tuple[int, ...]]:
    """Return the scopes of the mass that is spread, by category; one of which nothing is spread is not in it.

    Parameters
    ----------
    case, categories
        As for :func:`~carbongrid.case.readers.totals.read_totals` and :func:`~carbongrid.case.readers.totals.totals_of_rows`.
    totals
        What either of them returned.
    formed
        What the totals were formed of, whose rows have scopes of their own; None where they were given.
    """
    spread = totals[(totals["place"] == HERE) & (totals["grams"] > 0)]
    if formed is None:
        return {name: (categories[name].scope,) for name in sorted(set(spread["category"]))}
    counted = scopes_with_mass(formed, case)
    aside = rows_set_aside(counted, categories, case.electricity, case.path.name)
    found: dict[str, tuple[int, ...]] = {}
    for name, scope in counted:
        if (name, scope) not in aside and categories[name].scope != 3:
            found[name] = (*found.get(name, ()), scope)
    return found


def has_both_electricities(
    case: Case, categories: Mapping[str, Category], totals: pd.DataFrame, formed: Formed | None
) -> bool:
    """Return whether the totals hold electricity where it is made and where it is used, so that the case's choice decides something.

    Parameters
    ----------
    case, categories, totals, formed
        As for :func:`scopes_spread`.
    """
    if formed is not None:
        present = scopes_with_mass(formed, case)
    else:
        # What the choice set aside stands elsewhere; with both, nothing was.
        counts = totals["grams"] > 0
        if case.electricity == "both":
            counts &= totals["place"] == HERE
        present = [
            (name, categories[name].scope) for name in sorted(set(totals[counts]["category"]))
        ]
    return bool(rows_set_aside(present, categories, "use"))


def electricity_counted(
    case: Case, categories: Mapping[str, Category], totals: pd.DataFrame, formed: Formed | None
) -> str | None:
    """Return the side of electricity that the totals count: ``use``, ``supply``, ``both``, or ``consumption`` by a balance; None where they hold none.

    Parameters
    ----------
    case, categories, totals, formed
        As for :func:`scopes_spread`.
    """
    if case.electricity == "consumption":
        return case.electricity
    counted = scopes_spread(case, categories, totals, formed)
    sides = {side_of(categories[name], scope) for name, own in counted.items() for scope in own}
    if sides >= {"supply", "use"}:
        return "both"
    return next((side for side in ("supply", "use") if side in sides), None)
