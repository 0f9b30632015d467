"""Weight rules that have shown no skill for a category (docs/decisions/0087)."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

from carbongrid.method.landuse import packaged_table


@dataclass(frozen=True)
class NoSkill:
    """What showed that a rule places a category no better than chance.

    Parameters
    ----------
    category
        Whom it is of, with * for any text.
    weight
        The weight rule.
    units
        Number of units of the published inventory that it was held against.
    misplaced
        Share of the mass that the rule put into other units.
    source
        Where that is from.
    """

    category: str
    weight: str
    units: int
    misplaced: float
    source: str


def no_skill(category: str, weight: str) -> NoSkill | None:
    """Return what showed that a rule has no skill for a category; None where nothing has.

    Parameters
    ----------
    category
        Its name.
    weight
        Its weight rule. Of POIs with weights of their own nothing is known: the caller tells them apart.
    """
    fitting = (
        each
        for each in _evidence()
        if fnmatchcase(category, each.category) and weight == each.weight
    )
    return next(fitting, None)


@cache
def _evidence() -> tuple[NoSkill, ...]:
    table = packaged_table("rule_skill.csv")
    return tuple(
        NoSkill(
            str(row["category"]),
            str(row["weight"]),
            int(row["units"]),
            float(row["misplaced"]),
            str(row["source"]),
        )
        for row in table.to_dict("records")
    )
