"""Electricity is emitted where it is made and used elsewhere: which of the two counts (D24, docs/decisions/0057)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from carbongrid.errors import InputError
from carbongrid.method.categories import Category

USES = ("electricity", "electricity/used")
"""Activities of power that is used; a balance counts them anew, and the second is of no other reading."""

READINGS = ("supply", "use", "both", "consumption")
"""What may be counted of electricity: where it is made; where it is used, by the grid's factor; both; or where it is used, by a balance."""


def set_aside(
    present: Collection[str],
    categories: Mapping[str, Category],
    choice: str | None,
    where: str = "",
) -> frozenset[str]:
    """Return the categories that are not spread, so that electricity is counted once.

    Supply is what scope 1 emits in the sector industry on municipal utilities; use is every
    category of scope 2 (docs/decisions/0009).

    Parameters
    ----------
    present
        Names of the categories that have mass to be spread.
    categories
        Categories by name.
    choice
        One of :data:`READINGS` or None, as the case has it.
    where
        Name of the case file, for the message.

    Raises
    ------
    InputError
        If supply and use are both there and the case does not choose.
    """
    scopes = [(name, categories[name].scope) for name in sorted(present)]
    return frozenset(name for name, _ in rows_set_aside(scopes, categories, choice, where))


def rows_set_aside(
    present: Collection[tuple[str, int]],
    categories: Mapping[str, Category],
    choice: str | None,
    where: str = "",
) -> frozenset[tuple[str, int]]:
    """Return which scopes of which categories are not spread, so that electricity is counted once.

    As :func:`set_aside`, for totals whose scopes are known apart: gas burnt in homes is of scope 1 and stays, the electricity
    of the same homes is of scope 2 (docs/decisions/0016).

    Parameters
    ----------
    present
        Category and scope of all that has mass to be spread.
    categories, choice, where
        As there.

    Raises
    ------
    InputError
        As there.
    """
    of_present = [(categories[name], scope) for name, scope in present]
    supply, use = (
        [entry.name for entry, scope in of_present if side_of(entry, scope) == side]
        for side in ("supply", "use")
    )
    if not supply or not use:
        return frozenset()
    if choice is None:
        raise InputError(
            f"electricity may be counted twice: where it is made ({', '.join(supply)}, scope 1) and where "
            f"it is used ({', '.join(use)}, scope 2)",
            f"{where}, electricity" if where else "electricity",
            'Choose electricity = "supply", "use", "both" or "consumption" at the top of the case.',
        )
    if choice == "both":
        return frozenset()
    return (
        frozenset((name, 2) for name in use)
        if choice == "supply"
        else frozenset((name, 1) for name in supply)
    )


def side_of(category: Category, scope: int) -> str:
    """Return the side of electricity that a scope of a category is, ``supply`` or ``use``; blank for neither."""
    if is_supply(category) and scope == 1:
        return "supply"
    return "use" if scope == 2 and not category.sink else ""


def is_supply(category: Category) -> bool:
    """Return whether what a category emits itself is that of power plants: of the sector industry, on municipal utilities."""
    on_utilities = category.sector == "industry" and "utilities" in category.types
    return not category.sink and on_utilities
