"""Names and kinds of the columns that the method gives units; what a user's own columns may not be called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from carbongrid.method.categories import SECTORS, column_of, in_order

if TYPE_CHECKING:
    from carbongrid.method.categories import Category

Kind = Literal["text", "mass", "whole", "number", "flag"]
"""Text; int64 grams; int64; float64, NaN where unknown; bool. Mass and whole numbers may be missing."""

UNIT_NAMES: Mapping[str, Kind] = {"id": "text", "name": "text", "name_en": "text"}
UNIT_NUMBERS: Mapping[str, Kind] = {
    "residents": "number",
    "gdp": "whole",
    "gdp_low": "whole",
    "gdp_high": "whole",
    "ccr": "number",
    "ecc": "number",
    "ecc_low": "number",
    "ecc_high": "number",
    "esc": "number",
    "zone": "whole",
    "zone_name": "text",
    "zone_name_zh": "text",
    "borderline": "flag",
    "indicative": "flag",
    "balance": "text",
    "reason": "text",
    "emission_to_leave_zone_g": "mass",
    "sink_to_leave_zone_g": "mass",
    "gdp_to_leave_zone": "whole",
}
UNIT_DRAWN: Mapping[str, Kind] = {
    "zone_probability": "number",
    "firm": "flag",
    **{
        f"{name}_{point}": "number"
        for name in ("emission_t", "sink_t", "ccr", "ecc", "esc")
        for point in ("p05", "p95")
    },
}
"""What draws say of the units; not there where a run made none."""

GEOMETRY_COLUMNS = ("geometry", "geom", "fid", "bbox")
"""What formats call a geometry, or a row's number."""


def unit_masses(categories: Iterable[Category]) -> list[str]:
    """Return the mass columns of units.csv, in grams: emission, sink, the sectors, the categories."""
    categories = list(categories)
    return [
        "emission_g",
        "sink_g",
        *(f"{sector}_g" for sector in _sectors_of(categories)),
        *(f"{column_of(c.name)}_g" for c in categories),
    ]


def repeated_columns(names: Iterable[str]) -> list[str]:
    """Return the names that would be one in a file, sorted: in tonnes, and with letters of one size.

    SQLite and spreadsheets do not tell columns apart by the size of letters.
    """
    folded: dict[str, list[str]] = {}
    for name in names:
        folded.setdefault(_as_in_a_file(name), []).append(name)
    return sorted({name for same in folded.values() if len(same) > 1 for name in same})


def clashes(categories: Iterable[Category]) -> Iterator[tuple[str, str, str]]:
    """Yield each sector and category of a run whose column of masses is taken, what has it, and the way out."""
    categories = list(categories)
    of_units = (*UNIT_NAMES, *UNIT_NUMBERS, *UNIT_DRAWN)
    owned = zip(unit_masses(categories), _owners_of_masses(categories), strict=True)
    columns = [
        *(_Column(column, "a column that a run gives the units") for column in of_units),
        *(_Column(column, owner) for column, owner in owned),
    ]
    taken: dict[str, _Column] = {}
    for column in columns:
        other = taken.setdefault(_as_in_a_file(column.name), column)
        if other is not column:
            yield column.owner, other.owner, _hint(column, other)


@dataclass(frozen=True)
class _Column:
    name: str
    owner: str


def _owners_of_masses(categories: list[Category]) -> list[str]:
    """Return in words what each column of :func:`unit_masses` is of."""
    return [
        "the sum of all sectors",
        "the sum of all sinks",
        *(
            f"the package's own sector {name!r}" if name in SECTORS else f"the sector {name!r}"
            for name in _sectors_of(categories)
        ),
        *(f"the category {one.name!r}" for one in categories),
    ]


def _hint(column: _Column, other: _Column) -> str:
    if in_tonnes(column.name) == in_tonnes(other.name):
        # A name of a category has a slash, that of a sector none.
        why = ": in the name of its column / is written as _" if "/" in column.owner else ""
        return f"Give it another name{why}."
    sector = other.name.removesuffix("_g")
    given = f"Write it {sector!r}, or give" if sector in SECTORS else "Give"
    return f"{given} it another name: files do not tell columns apart by the size of letters."


def parent_clashes(parents: Iterable[str], categories: Iterable[Category]) -> list[str]:
    """Return the parent columns that are called like a column which a run gives the units."""
    categories, parents = list(categories), list(parents)
    own = (*UNIT_NAMES, *UNIT_NUMBERS, *UNIT_DRAWN, *GEOMETRY_COLUMNS, *unit_masses(categories))
    taken = repeated_columns([*parents, *dict.fromkeys((*own, *(c.name for c in categories)))])
    return [parent for parent in parents if parent in taken]


def in_tonnes(name: str) -> str:
    """Return what a mass column in grams is called where it holds tonnes."""
    return name.removesuffix("_g") + "_t" if name.endswith("_g") else name


def _as_in_a_file(name: str) -> str:
    return in_tonnes(name).casefold()


def _sectors_of(categories: Iterable[Category]) -> list[str]:
    return in_order([*SECTORS, *(one.sector for one in categories if not one.sink)])
