"""Rows of regions beside rows of the whole city, which hold them: what counts once, and what cannot stand together (docs/decisions/0095)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from carbongrid.errors import Problem
from carbongrid.inventory.activity import ActivityData, ActivityRow
from carbongrid.inventory.lines import Inventory, Line


def has_regions(data: ActivityData) -> bool:
    """Return whether any row is of a region."""
    return any(row.region for row in data.rows)


def counted_once(inventory: Inventory) -> Inventory:
    """Return the inventory of the whole city: where an activity stands for the whole, without its lines of regions, which the whole has in it.

    Where it stands for regions alone, their lines are the city's.
    """
    if not has_regions(inventory.data):
        return inventory
    kept = _not_held(inventory.lines)
    kept_memo = _not_held(inventory.memo)
    return replace(
        inventory,
        lines=tuple(inventory.lines[k] for k in kept),
        grams=tuple(inventory.grams[k] for k in kept),
        grams_co2e=tuple(inventory.grams_co2e[k] for k in kept),
        memo=tuple(inventory.memo[k] for k in kept_memo),
        memo_grams=tuple(inventory.memo_grams[k] for k in kept_memo),
    )


def rows_once(rows: Sequence[ActivityRow]) -> tuple[list[ActivityRow], list[ActivityRow]]:
    """Return the rows whose amounts add up to the whole city's, and those of regions that rows of the whole have in them."""
    wholes = {(row.category, row.activity) for row in rows if not row.region}
    held = [bool(row.region) and (row.category, row.activity) in wholes for row in rows]
    once = [row for row, inside in zip(rows, held, strict=True) if not inside]
    return once, [row for row, inside in zip(rows, held, strict=True) if inside]


def _not_held(lines: Sequence[Line]) -> list[int]:
    """Return the positions of the lines that no line of the whole has in it."""
    wholes = {_part(line) for line in lines if not line.row.region}
    return [k for k, line in enumerate(lines) if not line.row.region or _part(line) not in wholes]


def _part(line: Line) -> tuple[str, int, str]:
    return line.category, line.scope, line.row.activity


def turned_by_regions(lines: Iterable[Line]) -> list[Problem]:
    """Return an error for each row of a region that is a sink where the whole is a source, or the other way round: the whole has it in it with the other sign."""
    of_whole: dict[tuple[str, str], set[str]] = {}
    regional: list[Line] = []
    for line in lines:
        if line.product != "land":
            continue
        if line.row.region:
            regional.append(line)
        else:
            of_whole.setdefault((line.row.category, line.row.activity), set()).add(line.category)
    found = []
    for line in regional:
        row = line.row
        wholes = of_whole.get((row.category, row.activity))
        if wholes and line.category not in wholes:
            what = (
                f"{row.activity} of region {row.region!r} comes to {line.category}, and of the whole, which has it in it, "
                f"to {' and '.join(sorted(wholes))}: neither can be taken off the other"
            )
            hint = "Give every region its row and leave out the row of the whole."
            found.append(Problem(what, row.place("region"), hint))
    return found
