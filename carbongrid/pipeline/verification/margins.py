"""What units.csv says would move a unit to another zone, tried: with the change it is in another, just before in its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

Row = dict[str, Any]

_COLUMNS = {"C": "emission_to_leave_zone_g", "CA": "sink_to_leave_zone_g", "G": "gdp_to_leave_zone"}
_MAX = 2**63 - 1


class Sums(NamedTuple):
    """C, CA and G of a region, and C of its units with known GDP."""

    C: int
    CA: int
    G: int
    C_known: int


def sums_of(region: Sequence[Row]) -> Sums:
    """Add a region up; an empty one is none."""
    known = [row for row in region if row["G"] is not None]
    return Sums(
        C=sum(row["C"] for row in region),
        CA=sum(row["CA"] for row in region),
        G=sum(row["G"] for row in known),
        C_known=sum(row["C"] for row in known),
    )


def margin_faults(row: Row, sums: Sums, strict: bool) -> Iterator[str]:
    """Try each change that the row tells, and where it tells none the extremes."""
    for quantity, column in _COLUMNS.items():
        told = row[column]
        change = None if told is None or str(told) == "<NA>" or told != told else int(told)
        if not row["zone"] or row["G"] is None:
            wrong = change is not None
        elif change is None:
            # Each index goes one way with each quantity: what neither extreme moves, nothing between them does. With none of it there may be no zone.
            extremes = (-row[quantity], 1 - row[quantity], _MAX)
            zones = {_zone_with(row, sums, strict, quantity, to) for to in extremes}
            wrong = bool(zones - {row["zone"], 0})
        else:
            before = abs(change) - 1
            tried = [_zone_with(row, sums, strict, quantity, by) for by in (before, -before)]
            there = _zone_with(row, sums, strict, quantity, change)
            wrong = there in (row["zone"], 0, None) or bool({*tried} - {row["zone"], 0, None})
        if wrong:
            yield f"units.csv, unit {row['id']}: {column} is {change}, which is not the least change that moves it to another zone"


def _zone_with(row: Row, sums: Sums, strict: bool, quantity: str, change: int) -> int | None:
    """Return the zone that a change of one quantity gives, 0 for none; None where the quantity would be below 0."""
    C, CA, G = (int(row[name]) + (change if name == quantity else 0) for name in _COLUMNS)
    if min(C, CA, G) < 0:
        return None
    more = {name: change if name == quantity else 0 for name in _COLUMNS}
    all_C, all_CA, all_G = sums.C + more["C"], sums.CA + more["CA"], sums.G + more["G"]
    if not all_G or not all_CA or not (C or CA):
        return 0
    high = [
        (left > right or (left == right and not strict)) if C else bool(part)
        for part, left, right in (
            (G, G * (sums.C_known + more["C"]), all_G * C),
            (CA, CA * all_C, all_CA * C),
        )
    ]
    return 1 + 2 * (not high[0]) + (not high[1])
