"""Electricity is emitted where it is made and used elsewhere: which of the two counts (decision 24)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from carbongrid.categories import Category
from carbongrid.errors import InputError


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
        ``supply``, ``use``, ``both`` or None, as the case has it.
    where
        Name of the case file, for the message.

    Raises
    ------
    InputError
        If supply and use are both there and the case does not choose.
    """
    of_present = [categories[name] for name in sorted(present)]
    supply = [category.name for category in of_present if _is_supply(category)]
    use = [category.name for category in of_present if category.scope == 2 and not category.sink]
    if not supply or not use:
        return frozenset()
    if choice is None:
        raise InputError(
            f"electricity may be counted twice: where it is made ({', '.join(supply)}, scope 1) and where "
            f"it is used ({', '.join(use)}, scope 2)",
            f"{where}, electricity" if where else "electricity",
            'Choose electricity = "supply", "use" or "both" at the top of the case.',
        )
    return frozenset({"supply": use, "use": supply, "both": []}[choice])


def _is_supply(category: Category) -> bool:
    on_utilities = category.sector == "industry" and "utilities" in category.types
    return category.scope == 1 and not category.sink and on_utilities
