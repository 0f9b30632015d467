"""The page of all factors that are taken by default, made from the package's tables."""

from __future__ import annotations

from decimal import Decimal

from carbongrid.inventory.activity import ActivityRow, activities
from carbongrid.inventory.factors import Factor, catalogue
from carbongrid.inventory.lines import plain
from carbongrid.inventory.methods import Setting, choose
from carbongrid.inventory.places import place_of
from carbongrid.inventory.spread import spread_of_factor
from carbongrid.method.categories import read_categories

HEAD = """\
# Factors taken by default

Every factor that some row takes unasked, for China (grid `jiangsu`, 2020) and for the world; made by `docs/generate.py` from the tables in `carbongrid/data`. Which comes first says [decision 0051](decisions/0051-which-factor-a-row-takes.md), where the bounds are from
[decision 0052](decisions/0052-intervals-that-mean-95-percent.md). A factor is exact where its source leaves no other value (no fossil carbon in food).
"""
NEEDED = {
    "input/ploughing": {"factor": "lal2004.till_conventional"},
    "wastewater/industrial": {"correction": "ipcc.iww.mcf.aerobic_overloaded"},
    "fugitive/coal-underground": {"gas": "18 m3/t"},
}
"""What an activity without a default is given here."""


def defaults(country: str) -> dict[str, Factor]:
    """Return the factors that rows take unasked, by key."""
    grid = "jiangsu"
    place = place_of(catalogue(), grid, country)
    setting = Setting(catalogue(), 2020, grid, "", place)
    found: dict[str, Factor] = {}
    for name, activity in activities().items():
        given = {"deposited": "2015"} if name.startswith("landfill-decay") else {}
        homes = activity.categories or [
            category.name
            for category in read_categories().values()
            if category.sector in activity.sheets
        ]
        for home in homes:
            for unit in activity.units:
                row = ActivityRow(
                    "docs", activity.sheets[0], 2, "x", name, home, Decimal(1), "1", unit,
                    NEEDED.get(name, given), None, "", "", "",
                )  # fmt: skip
                chosen = choose(row, setting)
                for _, inputs in (*chosen.formed, *chosen.memo_formed):
                    found |= {e.factor.key: e.factor for e in inputs if e.factor.key}
    return found


def shape(factor: Factor) -> tuple[str, str]:
    """Return the distribution of a factor and the ends of its interval, as the draws take them."""
    spread = spread_of_factor(factor)
    if spread is None:
        return "exact", plain(factor.value)
    return spread.kind, f"{spread.low:.4g} to {spread.high:.4g}"


def page() -> str:
    """Return the page."""
    by_place = {"CN": defaults("CN"), "world": defaults("world")}
    every = {key: factor for found in by_place.values() for key, factor in found.items()}
    lines = [
        "| factor | value | 95 % interval | distribution | taken in | source | source of the bounds |",
        "| --- | ---: | --- | --- | --- | --- | --- |",
    ]
    for key in sorted(every):
        factor = every[key]
        kind, ends = shape(factor)
        source = ", ".join(filter(None, (factor.source, factor.source_table)))
        cells = (
            f"`{key}`",
            f"{plain(factor.value)} {factor.unit}",
            ends,
            kind,
            ", ".join(place for place, found in by_place.items() if key in found),
            f"{source} ({factor.status})",
            factor.bounds_source or "the same",
        )
        lines.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    return HEAD + "\n" + "\n".join(lines) + "\n"
