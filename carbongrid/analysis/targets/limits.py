"""The table of limits of a joint plan: what may be cut, converted or raised, at most how much, at what cost, and what is kept."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from carbongrid.case.readers.tables import Faults, read_table, require_columns
from carbongrid.errors import InputError
from carbongrid.method.tonnes import counted

if TYPE_CHECKING:
    import pandas as pd

EACH = "*"
"""As a unit: a row holds for every unit that is to be lifted, each by itself; blank is all of them together."""

COLUMNS = ("do", "unit", "category", "from", "to", "most", "measured_in", "cost", "polygons")
_NEEDED = {"cut": (), "convert": ("from", "to"), "gdp": ("most", "measured_in"), "keep": ()}
_ALLOWED = {
    "cut": ("unit", "category", "most", "measured_in", "cost"),
    "convert": ("unit", "from", "to", "most", "measured_in", "cost"),
    "gdp": ("unit", "most", "measured_in", "cost"),
    "keep": ("unit", "from", "polygons"),
}
_MEASURED = {"cut": ("%", "t"), "convert": ("%", "ha")}


@dataclass(frozen=True)
class Limit:
    """One row: an action that a plan may take, or land that it may not touch.

    Parameters
    ----------
    row
        In the table, the header being row 1.
    do
        ``cut``, ``convert``, ``gdp`` or ``keep``.
    unit
        A code; ``*``: every unit that is to be lifted, each by itself; empty: all of them together.
    category
        Pattern of the categories that are cut, all of a unit's alike.
    code, to
        Land-use code of the land that is converted or kept, and what it becomes.
    most
        The cap, in ``measured_in``: ``%`` of what there is, ``t``, ``ha``, or the unit of the case's GDP; None: all that there is.
    measured_in
        Of ``most``.
    cost
        Of a tonne, a hectare, or one unit of the case's GDP; None where the table has none.
    polygons
        File of red lines; None for none.
    """

    row: int
    do: str
    unit: str = EACH
    category: str = "*"
    code: str = ""
    to: str = ""
    most: Fraction | None = None
    measured_in: str = "%"
    cost: float | None = None
    polygons: Path | None = None

    def of_unit(self, code: str) -> bool:
        """Tell whether the row means a unit that is to be lifted."""
        return self.unit in ("", EACH, code)

    def names(self, categories: list[str]) -> list[str]:
        """Return those of some categories that the row cuts."""
        return [name for name in categories if fnmatchcase(name, self.category)]

    def __str__(self) -> str:
        """Return the row in a line."""
        where = {"": "all units together", EACH: "each unit"}.get(self.unit, f"unit {self.unit}")
        what = {
            "cut": f"cut {self.category}",
            "convert": f"convert {self.code} to {self.to}",
            "gdp": "GDP",
            "keep": f"keep {self.code or 'land'}",
        }[self.do]
        most = "" if self.most is None else f", at most {float(self.most):,.10g} {self.measured_in}"
        return f"{f'row {self.row}: ' if self.row else ''}{what}, {where}{most}"


UNLIMITED = (Limit(0, "cut", EACH, "*", most=None),)
"""Without a table: each unit cuts all its emission alike."""


def read_limits(path: Path, units: pd.Series[str], currency: str) -> tuple[Limit, ...]:
    """Read a table of limits, CSV or XLSX; polygons lie beside it.

    Parameters
    ----------
    path
        Columns do, unit, category, from, to, most, measured_in, cost, polygons; all but ``do`` may be missing.
    units
        Codes of the run's units.
    currency
        Unit of the case's GDP, such as ``1e8 CNY``; empty where the run has none.

    Raises
    ------
    InputError
        With every row that says something else than the table has, and if it allows no action.
    """
    table = read_table(path, codes=("unit", "from", "to"))
    require_columns(table, path.name, ("do",))
    faults = Faults(path.name)
    for name in (str(name) for name in table if name not in COLUMNS):
        faults.add(f"a table of limits has no column {name!r}", f"It has {', '.join(COLUMNS)}.", column=name)  # fmt: skip
    known = set(units)
    found = []
    for row, cells in table.iterrows():
        told = {name: str(cells[name]) if name in table else "" for name in COLUMNS}
        limit = _limit(int(str(row)), told, faults, path.parent, known, currency)
        if limit is not None:
            found.append(limit)
    faults.raise_any()
    _require_one_measure(found, path.name)
    if all(each.do == "keep" for each in found):
        raise InputError("the table allows no action", path.name, "Add a row with cut, convert or gdp.")  # fmt: skip
    return tuple(found)


def _limit(
    row: int, told: dict[str, str], faults: Faults, folder: Path, units: set[str], currency: str
) -> Limit | None:
    do, before = told["do"], len(faults.problems)
    if do not in _ALLOWED:
        faults.add(f"{do!r} is nothing to do", f"Give {', '.join(_ALLOWED)}.", row=row, column="do")
        return None
    for name in COLUMNS[1:]:
        if told[name] and name not in _ALLOWED[do]:
            faults.add(f"{do} has no {name}", f"It has {', '.join(_ALLOWED[do])}.", row=row, column=name)  # fmt: skip
        if not told[name] and name in _NEEDED[do]:
            faults.add(f"{do} needs {name}", row=row, column=name)
    if told["unit"] not in ("", EACH, *units):
        faults.add(f"the run has no unit {told['unit']!r}", "Give a code, * for each, blank for all together.", row=row, column="unit")  # fmt: skip
    if do == "keep" and not (told["from"] or told["polygons"]):
        faults.add(
            "keep names no land", "Give from, a land-use code, or polygons, a file.", row=row
        )
    numbers = {name: faults.number(told[name], row, name) for name in ("most", "cost") if told[name]}  # fmt: skip
    measured = told["measured_in"]
    if do in _MEASURED and (bool(told["most"]) != bool(measured) or measured not in ("", *_MEASURED[do])):  # fmt: skip
        faults.add(f"most is measured in {measured!r}", f"Give {' or '.join(_MEASURED[do])}, and only with most.", row=row, column="measured_in")  # fmt: skip
    if do == "gdp" and (not currency or measured not in ("%", currency)):
        faults.add(f"GDP is measured in {measured!r}", f"Give % or {currency}." if currency else "The run has no GDP.", row=row, column="measured_in")  # fmt: skip
    most = numbers.get("most")
    if most is not None and measured == "%" and do != "gdp" and most > 100:
        faults.add(f"{told['most']} % is more than there is", row=row, column="most")
    if len(faults.problems) > before:
        return None
    return Limit(
        row, do, told["unit"], told["category"] or "*", told["from"], told["to"],
        None if most is None else Fraction(most), measured or "%",
        None if not told["cost"] else float(numbers["cost"] or 0),
        folder / told["polygons"] if told["polygons"] else None,
    )  # fmt: skip


def _require_one_measure(limits: list[Limit], where: str) -> None:
    """Refuse a sum of what cannot be added: tonnes, hectares and money need costs."""
    kinds = {each.do for each in limits if each.do != "keep"}
    priced = [each for each in limits if each.cost is not None]
    without = [each for each in limits if each.do != "keep" and each.cost is None]
    if without and (priced or len(kinds) > 1):
        what = f"{', '.join(sorted(kinds))} stand in one table, and {counted(len(without), 'row has', 'rows have')} no cost" if len(kinds) > 1 else f"{counted(len(without), 'row has', 'rows have')} no cost, others have"  # fmt: skip
        raise InputError(what, where, "Give each row what a tonne, a hectare or a unit of GDP costs, in one unit of your own: tonnes and hectares cannot be added.")  # fmt: skip
