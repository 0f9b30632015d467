"""How far a unit is from another zone: the emission, sink or GDP at which an index is no longer on its side of 1, in whole numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pandas as pd

from carbongrid.method.zoning import Region, Unit, no_zone, units_in_regions

if TYPE_CHECKING:
    from typing import Any

Index = Literal["ecc", "esc"]
Reference = Literal["floating", "frozen"]
Quantity = Literal["emission", "sink", "gdp"]

BOUNDARIES: tuple[tuple[Index, Quantity], ...] = (
    ("ecc", "emission"),
    ("ecc", "gdp"),
    ("esc", "emission"),
    ("esc", "sink"),
)
"""What moves which index, all others as they are."""

REFERENCES: tuple[Reference, ...] = ("floating", "frozen")

NONE_TO_DIVIDE = "low at any emission: the unit has none of it"
NOBODY_ELSE = "high at any amount: no other unit of its region has any"
NO_OTHER_EMISSION = "low at any amount: no other unit of its region emits"
NO_CARBON_THERE = "high at any amount: with neither emission nor sink there is no zone"
LOW_UNTIL_NO_CARBON = (
    "low at any emission from 1 g on: with neither emission nor sink there is no zone"
)
"""Why there is no boundary in a unit that has a zone."""

_MAX = int(np.iinfo(np.int64).max)

COLUMNS = ("unit", "boundary", "reference", "quantity", "now", "at_boundary", "difference", "percent", "remark")  # fmt: skip


class Boundary(NamedTuple):
    """The last amount on the high side of 1: the most emission, the least sink or GDP; None, and why, where there is none."""

    at: int | None
    why: str = ""


class _Share(NamedTuple):
    """An index as a comparison: part/whole of GDP or of sinks against C_i/C of the emission that counts for it."""

    part: int
    whole: int
    C_i: int
    C: int
    CA_i: int
    strict: bool

    @property
    def high(self) -> bool:
        """Whether the index is high now, as the zone has it."""
        if not self.C_i:
            return self.part > 0
        left, right = self.part * self.C, self.whole * self.C_i
        return left > right if self.strict else left >= right


def margins(units: pd.DataFrame, reference: str = "all", ties: str = ">=") -> pd.DataFrame:
    """Return how much of what would bring each unit's indices to 1, all other units unchanged.

    Parameters
    ----------
    units
        Columns id, emission_g, sink_g (int64), gdp (Int64; missing is unknown) and, if it is the reference, a parent column.
    reference, ties
        As for :func:`carbongrid.method.zoning.zone_units`.

    Returns
    -------
    pandas.DataFrame
        Eight rows for each unit, in the order of ``units``: unit, boundary (ecc, esc), reference (floating, frozen), quantity (emission, sink, gdp),
        now, at_boundary and difference (Python integers in g yr-1 or currency units; None where there is no boundary), percent (of now; NaN where
        that is 0) and remark (why there is none).

    Raises
    ------
    InputError
        As :func:`carbongrid.method.zoning.classify`.

    Notes
    -----
    With X_i the unit's GDP or sink, C_i its emission and X_-i, C_-i what the other units of its region have, an index is high where
    X_i*C_-i >= C_i*X_-i. So the most emission with a high index is floor(X_i*C_-i / X_-i), and the least X is ceil(C_i*X_-i / C_-i); both with the
    sums of the region instead, X and C as they are now, where the reference is frozen. Where ties are low (``>``) it is the last whole number below, or the first above.
    At the boundary the index is high; one gram of emission more, or one gram of sink or currency unit less, it is low.
    For ECC, C and G are sums over the units of known GDP.
    """
    found: list[tuple[Any, ...]] = []
    placed = units_in_regions(units, reference, ties)
    for name, (unit, region) in zip(units["id"].tolist(), placed, strict=True):
        amounts = {"emission": unit.C_i, "sink": unit.CA_i, "gdp": unit.G_i}
        why = no_zone(unit, region)
        for index, quantity in BOUNDARIES:
            for held in REFERENCES:
                none = region is None or bool(why)
                at, remark = (
                    Boundary(None, why)
                    if none or region is None
                    else _boundary(_share(unit, region, index), quantity, held)
                )
                now = amounts[quantity]
                difference = None if at is None or now is None else at - now
                percent = 100 * difference / now if difference is not None and now else np.nan
                found.append((name, index, held, quantity, now, at, difference, percent, remark))
    table = pd.DataFrame(found, columns=list(COLUMNS), dtype=object)
    return table.astype({"percent": np.float64})


def leave_zone(units: pd.DataFrame, reference: str = "all", ties: str = ">=") -> pd.DataFrame:
    """Return the least change of each unit's emission, sink or GDP that moves it to another zone, the region following.

    Parameters
    ----------
    units, reference, ties
        As for :func:`margins`.

    Returns
    -------
    pandas.DataFrame
        With the index of ``units``: emission_to_leave_zone_g, sink_to_leave_zone_g, gdp_to_leave_zone (Int64, signed). With this change the
        unit is in another of the four zones, with one gram or currency unit less of it in its own. Missing where the unit has no zone, where no change leads to another, and
        where it would be beyond an int64 (9.2e12 t).
    """
    names = {"emission": "emission_to_leave_zone_g", "sink": "sink_to_leave_zone_g", "gdp": "gdp_to_leave_zone"}  # fmt: skip
    columns: dict[str, list[int | None]] = {name: [] for name in names.values()}
    for unit, region in units_in_regions(units, reference, ties):
        for quantity, name in names.items():
            changes = [] if no_zone(unit, region) else list(_changes(unit, region, quantity))
            least = min(changes, key=abs, default=None)
            columns[name].append(None if least is None or abs(least) > _MAX else least)
    return pd.DataFrame(
        {name: pd.array(cells, dtype="Int64") for name, cells in columns.items()},
        index=units.index,
    )


def _changes(unit: Unit, region: Region | None, of: str) -> Iterator[int]:
    """Yield the changes of a quantity that just bring an index to its other side."""
    amounts = {"emission": unit.C_i, "sink": unit.CA_i, "gdp": unit.G_i}
    for index, quantity in BOUNDARIES:
        now = amounts[quantity]
        if quantity != of or region is None or now is None:
            continue
        share = _share(unit, region, index)
        at, _ = _boundary(share, quantity, "floating")
        if at is not None:
            # At the boundary an index is high; the next amount is on the low side of it.
            beyond = at + 1 if quantity == "emission" else at - 1
            yield (beyond if share.high else at) - now


def _share(unit: Unit, region: Region, index: Index) -> _Share:
    strict = region.ties == ">"
    if index == "ecc":
        return _Share(unit.G_i or 0, region.G, unit.C_i, region.C_known, unit.CA_i, strict)
    return _Share(unit.CA_i, region.CA, unit.C_i, region.C, unit.CA_i, strict)


def _boundary(share: _Share, quantity: Quantity, reference: Reference) -> Boundary:
    own = (share.part, share.C_i) if reference == "floating" else (0, 0)
    whole, C = share.whole - own[0], share.C - own[1]
    if quantity == "emission":
        return _most_emission(share, whole, C)
    return _least_part(share, whole, C, quantity)


def _most_emission(share: _Share, whole: int, C: int) -> Boundary:
    """Return the most emission x with part*C >= x*whole."""
    if not share.part:
        return Boundary(None, NONE_TO_DIVIDE)
    if not whole and (C or not share.strict):
        return Boundary(None, NOBODY_ELSE)
    # Without emission an index is high as soon as there is a part, tie or not.
    most = max((share.part * C - share.strict) // whole, 0) if whole else 0
    if not most and not share.CA_i:
        return Boundary(None, LOW_UNTIL_NO_CARBON)
    return Boundary(most)


def _least_part(share: _Share, whole: int, C: int, quantity: Quantity) -> Boundary:
    """Return the least part x with x*C >= C_i*whole."""
    if not whole:
        tied = share.strict and share.C_i and not C
        return Boundary(None, NO_OTHER_EMISSION if tied else NOBODY_ELSE)
    if not share.C_i:
        # Any sink is enough, and without it there is nothing left to zone.
        return Boundary(None, NO_CARBON_THERE) if quantity == "sink" else Boundary(1)
    if not C:
        return Boundary(None, NO_OTHER_EMISSION)
    product = share.C_i * whole
    return Boundary(product // C + 1 if share.strict else -(-product // C))
