"""First guesses of totals, only where they are asked for: world means per head, and sinks by area (docs/decisions/0098)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

import pandas as pd

from carbongrid.case.table_formats import GUESS
from carbongrid.errors import InputError, Problem
from carbongrid.method.landuse import packaged_table
from carbongrid.sources.osm.carriers import UNFILLED
from carbongrid.sources.osm.energy import SUPPLY

WORLD_TONNES = Decimal("49.4e9")
"""t CO2e emitted by the world in 2016, of which world_emissions.csv has the shares (source there)."""

WORLD_PEOPLE = Decimal("7464e6")
"""People of the world in 2016 (United Nations, World Population Prospects 2019: 7,464,022,049)."""

SURE_WITHIN = 200
"""Half-width of the 95 % interval in percent, so a factor of three either way: a convention, since means per head differ by as much and more between countries."""

PER_HEAD = "world mean per head"
BY_AREA = "area times the study's coefficient"


@dataclass(frozen=True)
class Guessed:
    """Totals with guesses in them.

    Parameters
    ----------
    totals
        The table of totals, with the columns basis and uncertainty.
    notes
        What is guessed and what is not, and why.
    """

    totals: pd.DataFrame
    notes: tuple[Problem, ...]


def require_heads(people: object) -> None:
    """Raise InputError unless there are people to guess by."""
    if people is None:
        what = "first guesses are world means per head, and nobody says how many people live here"
        hint = "Give --people FILE too, a GeoTIFF such as WorldPop, or leave --guess out."
        raise InputError(what, "--guess", hint)


def guessed_totals(
    totals: pd.DataFrame,
    sinks: Mapping[str, float],
    people: float,
    not_told_apart: Collection[str] = (),
) -> Guessed:
    """Return the totals of an extract's case with first guesses where there are any.

    Parameters
    ----------
    totals
        category, value, unit, year, source; a row per category that some parcel carries, all 0.
    sinks
        t CO2 of the sinks whose coefficient is known, by category.
    people
        Who lives in the units.
    not_told_apart
        Categories that lie on settlements alone: what another one with land of its own would share with them is all its own.
    """
    world = packaged_table("world_emissions.csv")
    served, shared = _served(world, set(totals["category"]), not_told_apart)
    rows = []
    for row in totals.to_dict("records"):
        parts = served.get(row["category"], [])
        details = row["source"].removeprefix(f"{UNFILLED}; ")
        percent = sum((Decimal(each) for _, each in parts), Decimal(0))
        cells = {**row, "basis": "", "uncertainty": ""}
        if parts:
            named = " + ".join(f"{name} {each} %" for name, each in parts)
            told = f"{named} of {WORLD_TONNES / 10**9:f} Gt CO2e over {WORLD_PEOPLE / 10**6:,f} million people in 2016, times {people:,.0f} people (Climate Watch and WRI, by Our World in Data)"
            value, origin = per_head(percent) * Decimal(people), f"{PER_HEAD}: {told}; {details}"
        else:
            value, origin = Decimal(sinks.get(row["category"], 0)), f"{BY_AREA}: {details}"
        tonnes = value.quantize(Decimal(1), ROUND_HALF_EVEN)
        if tonnes:
            # Of a sink what is uncertain is its coefficient, which has an uncertainty of its own.
            width = str(SURE_WITHIN) if parts else ""
            cells |= {"value": str(tonnes), "source": origin, "basis": GUESS, "uncertainty": width}
        rows.append(cells)
    table = pd.DataFrame(rows, columns=[*totals.columns, "basis", "uncertainty"])
    return Guessed(table, tuple(_notes(table, world, served, shared)))


def per_head(percent: Decimal) -> Decimal:
    """Return t CO2e per head and year of a share of the world's emissions."""
    return percent / 100 * WORLD_TONNES / WORLD_PEOPLE


def _served(
    world: pd.DataFrame, there: Collection[str], not_told_apart: Collection[str]
) -> tuple[dict[str, list[tuple[str, str]]], list[str]]:
    """Return the subsectors and shares of each category, and the subsectors that several categories of the case would share."""
    served: dict[str, list[tuple[str, str]]] = {}
    shared = []
    for row in world.to_dict("records"):
        fitting = [name for name in row["category"].split("+") if name in there]
        if len(fitting) > 1:
            fitting = [name for name in fitting if name not in not_told_apart] or fitting[:1]
        if len(fitting) == 1:
            served.setdefault(fitting[0], []).append((row["subsector"], row["percent"]))
        elif fitting:
            shared.append(row["subsector"])
    return served, shared


def _notes(
    table: pd.DataFrame,
    world: pd.DataFrame,
    served: Mapping[str, list[tuple[str, str]]],
    shared: Collection[str],
) -> Iterable[Problem]:
    guessed = table["basis"] == GUESS
    used = {name for parts in served.values() for name, _ in parts}
    percents = dict(zip(world["subsector"], map(Decimal, world["percent"]), strict=True))
    percent = sum((percents[name] for name in used), Decimal(0))
    what = (
        f"{int(guessed.sum())} of {len(table)} totals are first guesses, no figures of this place: world means per head of 2016, "
        f"of {percent} % of the world's emissions, and sinks by area. Countries differ from such means by factors of several"
    )
    yield Problem(what, "totals.csv", "Replace them, and clear basis and uncertainty.", "warning")
    zero = table["category"][~guessed]
    if len(zero):
        why = f"; {SUPPLY} since the figures of homes, shops and works include their electricity" if SUPPLY in set(zero) else ""  # fmt: skip
        yield Problem(f"no guess, and 0: {', '.join(zero)}{why}", level="note")
    left = [f"{name} {each} %" for name, each in percents.items() if name not in used]
    more = f"; {', '.join(shared)} since several categories here would share it" if shared else ""
    yield Problem(f"of the world's emissions no total here has {', '.join(left)}{more}", level="note")  # fmt: skip
