"""An inventory under the codes of a system, a row for each code and gas, as national tables are published."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from carbongrid.errors import Problem

ALL_GASES = "all gases"

F_GASES = "F-gases"
"""Stands for all gases with fluorine together."""

BIOGENIC = "CO2(B)"
"""Stands for a gas: biogenic CO2, which is told beside an inventory and is in no total."""


@dataclass(frozen=True)
class CodedValue:
    """What the table says of one code and gas.

    Parameters
    ----------
    row
        In the file.
    code
        In the normal spelling; blank for a total of the file's own.
    name
        The code's name, or that of the total.
    gas
        In the spelling of :func:`carbongrid.inventory.gas_names.gas_named`: :data:`ALL_GASES` where it is of all together.
    grams
        Of CO2e, removals below 0; None where it is unknown.
    key
        The notation key or mark that stands instead of a number; blank for a number.
    slack
        Half of the last digit that is written, in grams: what rounding may have taken.
    """

    row: int
    code: str
    name: str
    gas: str
    grams: int | None
    key: str
    slack: Fraction


@dataclass(frozen=True)
class CodedTable:
    """One year of an inventory under the codes of a system.

    Parameters
    ----------
    file, system, year
        Where it is from.
    values
        Of codes, in the order of the file.
    totals
        The file's own totals.
    gwp
        Set by which gases are in CO2e, if the file or the reader tells it.
    checked
        What a reader found that held the file against sums of its own; nothing where ``totals`` are still to be held against the codes.
    apart
        Codes whose mass stands beside that of the codes below them, and does not hold it.
    notes
        What else a reader must know of the file.
    """

    file: str
    system: str
    year: int | None
    values: tuple[CodedValue, ...]
    totals: tuple[CodedValue, ...]
    gwp: str
    checked: tuple[Problem, ...] = ()
    apart: tuple[str, ...] = ()
    notes: tuple[Problem, ...] = ()
