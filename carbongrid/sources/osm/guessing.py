"""First guesses of totals, only where they are asked for: world means per head, and sinks by area (docs/decisions/0098)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

import pandas as pd

from carbongrid.case.table_formats import BY_AREA, GUESS, PER_HEAD
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
        Who lives in the units; of nobody nothing is guessed per head.
    not_told_apart
        Categories that lie on settlements alone: all of a subsector goes to the first category that it names where the others are among these.
    """
    world = packaged_table("world_emissions.csv")
    there = set(totals["category"]) if people else set[str]()
    served, shared = _served(world, there, not_told_apart)
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
    return Guessed(table, tuple(_notes(table, world, served, shared, people)))


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
        # The first holds what is not told apart; one with land of its own has its part, which nobody knows.
        if all(name in not_told_apart for name in fitting[1:]):
            fitting = fitting[:1]
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
    people: float,
) -> Iterable[Problem]:
    if not people:
        what = "nobody lives in the units by the raster of people, so nothing is guessed per head"
        yield Problem(what, "--guess", "Give the people of this place.", "warning")
    marked = table["basis"] == GUESS
    guessed, zero = set(table["category"][marked]), table["category"][~marked].tolist()
    used = {name for each in guessed for name, _ in served.get(each, ())}
    percents = dict(zip(world["subsector"], map(Decimal, world["percent"]), strict=True))
    if guessed:
        made_of = []
        if used:
            percent = sum((percents[name] for name in used), Decimal(0))
            made_of.append(f"world means per head of 2016, of {percent} % of the world's emissions, from which countries differ by factors of several")  # fmt: skip
        if guessed - served.keys():
            made_of.append("sinks by area")
        what = f"{len(guessed)} of {len(table)} totals are first guesses, no figures of this place: {'; and '.join(made_of)}"
        yield Problem(what, "totals.csv", "Replace them, and clear basis and uncertainty.", "warning")  # fmt: skip
    for row in world[(world["holds_too"] != "") & world["subsector"].isin(used)].to_dict("records"):
        what = f"{row['category']} holds what is emitted of {row['holds_too']} too: the world's figures do not tell them apart"
        yield Problem(what, "totals.csv", level="note")
    if zero:
        why = f"; {SUPPLY} since the figures of homes, shops and works include their electricity" if used and SUPPLY in zero else ""  # fmt: skip
        yield Problem(f"no guess, and 0: {', '.join(zero)}{why}", level="note")
    if not people:
        return
    left = [f"{name} {each} %" for name, each in percents.items() if name not in used]
    more = f"; {', '.join(shared)} since several categories here would share it" if shared else ""
    yield Problem(f"of the world's emissions no total here has {', '.join(left)}{more}", level="note")  # fmt: skip
