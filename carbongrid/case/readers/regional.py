"""Reads figures of regions: GDP, census, shares of water, and the codes of units that were merged."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fractions import Fraction

import pandas as pd

from carbongrid.case.models import Case
from carbongrid.case.readers.tables import Faults, read_table, require_columns, rows_of
from carbongrid.case.values import is_table
from carbongrid.errors import InputError, Problem
from carbongrid.inventory.units_of_measure import INT64_MAX, currency_units

INDUSTRIES = ("primary", "secondary", "tertiary")
"""Columns of GDP by industry, of a parent unit."""

_MILLIONTHS = 10**6


def read_old_codes(case: Case, codes: Collection[str] | None = None) -> dict[str, str]:
    """Return the code of today for each code that the old-to-new table of the units names.

    Parameters
    ----------
    case
        Without a table the answer is empty.
    codes
        Codes of today: those of units and of their parents. Not checked if None.

    Raises
    ------
    InputError
        If an old code is blank, stands twice or is still the code of another one today, or a new one is unknown.
    """
    if case.units.old_codes is None:
        return {}
    path = case.resolve(case.units.old_codes)
    table = read_table(path, beside=case.units.encoding, ids=("old", "new"))
    require_columns(table, path.name, ("old", "new"))
    faults = Faults(path.name)
    rows = list(rows_of(table, ("old", "new")))
    for row, cells in rows:
        for column in ("old", "new"):
            if not cells[column]:
                faults.add("the code is blank", row=row, column=column)
        if cells["new"] and codes is not None:
            faults.member(cells["new"], codes, "code", row, "new")
        if codes is not None and cells["old"] in codes and cells["old"] != cells["new"]:
            faults.add(
                f"{cells['old']!r} is a code of today too: its statistics would be counted as those of {cells['new']!r}",
                "Take the row out, or correct it.",
                row=row,
                column="old",
            )
    faults.once(((row, repr(cells["old"])) for row, cells in rows), "the old code")
    faults.raise_any()
    return {cells["old"]: cells["new"] for _, cells in rows}


def read_gdp(case: Case, codes: Collection[str] | None = None) -> pd.DataFrame:
    """Return GDP per region in whole currency units.

    Parameters
    ----------
    case
        With [gdp]; without it the table is empty.
    codes
        Codes that a region may have: of the units, or of the parent column that ``by`` names.

    Returns
    -------
    DataFrame
        region and value, or, where the table has them and ``by`` is a parent, region, primary,
        secondary, tertiary; Int64, missing where the cell is blank; sorted by region. Merged units are
        added up; an unknown part makes the sum unknown.

    Raises
    ------
    InputError
        With every wrong cell, unknown or repeated region.
    """
    if case.gdp is None:
        return pd.DataFrame({"region": pd.Series(dtype="str"), "value": pd.Series(dtype="Int64")})
    path = case.resolve(case.gdp.path)
    table = read_table(path, encoding=case.gdp.encoding, ids=("region",))
    by_industry = case.gdp.by != "unit" and any(column in table.columns for column in INDUSTRIES)
    columns = INDUSTRIES if by_industry else ("value",)
    require_columns(table, path.name, ("region", *columns))
    faults = Faults(path.name)
    regions, old_codes = _regions(table, case, codes, faults)
    values: dict[str, list[int | None]] = {}
    for row, cells in rows_of(table, ("region", *columns)):
        amounts = [
            _money(cells[column], row, column, case.gdp.currency, faults) for column in columns
        ]
        region = old_codes.get(cells["region"], cells["region"])
        values[region] = _added(values.get(region), amounts)
    faults.raise_any()
    frame = pd.DataFrame({"region": pd.Series(sorted(set(regions)), dtype="str")})
    for place, column in enumerate(columns):
        frame[column] = pd.array(
            [values[region][place] for region in frame["region"]], dtype="Int64"
        )
    _check_sum_of_gdp(values, faults)
    return frame


def read_census(
    case: Case,
    codes: Collection[str] | None = None,
    *,
    ancestors: Mapping[str, Collection[str]] | None = None,
    notes: list[Problem] | None = None,
) -> pd.DataFrame:
    """Return residents per region in thousandths of a person.

    Parameters
    ----------
    case
        With people.census; without it the table is empty.
    codes
        Codes that a region may have.
    ancestors
        For a code, the codes of the higher levels that hold it; a census of a district and of a township in
        it is refused.
    notes
        A warning is appended for merged units of which a part is unknown.

    Returns
    -------
    DataFrame
        region, thousandths (int64), sorted by region; a blank cell is no census value, and the region
        is left out. Merged units are added up; an unknown part makes the sum unknown, as for GDP.

    Raises
    ------
    InputError
        With every wrong cell, unknown or repeated region, and regions that hold one another.
    """
    parts: dict[str, list[int | None]] = {}
    if case.people is not None and case.people.census is not None:
        path = case.resolve(case.people.census)
        table = read_table(path, encoding=case.people.encoding, ids=("region",))
        require_columns(table, path.name, ("region", "residents"))
        faults = Faults(path.name)
        _, old_codes = _regions(table, case, codes, faults)
        for row, cells in rows_of(table, ("region", "residents")):
            text = cells["residents"]
            count = _whole(text, 1000, row, "residents", faults) if text else None
            region = old_codes.get(cells["region"], cells["region"])
            parts.setdefault(region, []).append(count)
        _check_nested(parts, ancestors or {}, faults)
        faults.raise_any()
        if notes is not None:
            notes += _half_known(parts, path.name)
    known = {region: _sum(counts) for region, counts in parts.items() if None not in counts}
    regions = sorted(known)
    thousandths = pd.Series([known[region] for region in regions], dtype="int64")
    return pd.DataFrame({"region": pd.Series(regions, dtype="str"), "thousandths": thousandths})


def _check_nested(
    parts: Mapping[str, list[int | None]], ancestors: Mapping[str, Collection[str]], faults: Faults
) -> None:
    given = {region for region, counts in parts.items() if None not in counts}
    for region in sorted(given):
        for holder in sorted((set(ancestors.get(region, ())) & given) - {region}):
            faults.add(
                f"the census counts {_people(parts[holder])} in {holder!r} and {_people(parts[region])} in "
                f"{region!r}, which lies in it",
                "Give one level of regions, or leave the residents of the other blank.",
            )


def _half_known(parts: Mapping[str, list[int | None]], where: str) -> list[Problem]:
    unknown = [
        region for region, counts in sorted(parts.items()) if len(counts) > 1 and None in counts
    ]
    if not unknown:
        return []
    what = (
        f"the census is blank for a part of {', '.join(map(repr, unknown))}: the whole is unknown"
    )
    return [Problem(what, where, "Fill in the blanks of the units merged into it.", "warning")]


def _people(counts: list[int | None]) -> str:
    return f"{_sum(counts) / 1000:,.10g}"


def _sum(counts: list[int | None]) -> int:
    return sum(one or 0 for one in counts)


def read_water(case: Case, codes: Collection[str] | None = None) -> dict[str, int] | None:
    """Return the share of each unit in the water that lies in no unit; None without such a table.

    Parameters
    ----------
    case
        Its units.water is a word or names the table.
    codes
        Codes of the units.

    Returns
    -------
    dict
        Share by unit in millionths as written (0.25 is 250000), sorted by unit. Shares need not add up
        to 1; they are divided by their sum.

    Raises
    ------
    InputError
        With every wrong cell, unknown or repeated unit, or if all shares are zero.
    """
    if not is_table(case.units.water):
        return None
    path = case.resolve(case.units.water)
    table = read_table(path, beside=case.units.encoding, ids=("unit",))
    require_columns(table, path.name, ("unit", "share"))
    faults = Faults(path.name)
    _regions(table, case, codes, faults, column="unit")
    shares = {
        cells["unit"]: _whole(cells["share"], _MILLIONTHS, row, "share", faults)
        for row, cells in rows_of(table, ("unit", "share"))
    }
    if not faults.problems and not sum(shares.values()):
        faults.add("the shares add up to 0", "Give at least one unit a share.")
    faults.raise_any()
    return dict(sorted(shares.items()))


def _regions(
    table: pd.DataFrame,
    case: Case,
    codes: Collection[str] | None,
    faults: Faults,
    *,
    column: str = "region",
) -> tuple[list[str], Mapping[str, str]]:
    """Return the regions of today that a table has, and the code of today for each old one."""
    old_codes = read_old_codes(case) if column == "region" else {}
    rows = list(rows_of(table, (column,)))
    for row, cells in rows:
        if not cells[column]:
            faults.add(f"the {column} is blank", "Write its code.", row=row, column=column)
        elif codes is not None and old_codes.get(cells[column], cells[column]) not in codes:
            told = cells[column]
            if told in old_codes:
                what = f"{told!r} is an old code of {old_codes[told]!r}, which is no code that this table may name"
                hint = f"Map it to one of: {_some(codes)}."
                faults.add(what, hint, row=row, column=column)
            else:
                faults.member(told, {*codes, *old_codes}, f"{column} code", row, column)
    named = [(row, repr(cells[column])) for row, cells in rows if cells[column]]
    faults.once(named, f"the {column}")
    return [old_codes.get(cells[column], cells[column]) for _, cells in rows], old_codes


def _some(codes: Collection[str]) -> str:
    return ", ".join(sorted(codes)[:8]) + (", ..." if len(codes) > 8 else "")


def _money(text: str, row: object, column: str, currency: str, faults: Faults) -> int | None:
    if not text:
        return None
    value = faults.number(text, row, column)
    if value is None:
        return None
    try:
        return currency_units(value, currency)
    except InputError as error:
        for fault in error.problems:
            faults.add(fault.what, fault.hint, row=row, column=column)
        return None


def _added(first: list[int | None] | None, second: list[int | None]) -> list[int | None]:
    if first is None:
        return second
    pairs = zip(first, second, strict=True)
    return [None if a is None or b is None else a + b for a, b in pairs]


def _check_sum_of_gdp(values: Mapping[str, list[int | None]], faults: Faults) -> None:
    if sum(amount or 0 for amounts in values.values() for amount in amounts) > INT64_MAX:
        faults.add(
            "GDP adds up to more than can be counted exactly (9.2e18)", "Check the currency."
        )
    faults.raise_any()


def _whole(text: str, quanta: int, row: object, column: str, faults: Faults) -> int:
    """Return a cell's number in whole quanta, half to even; 0, with an error added, if it is wrong."""
    value = faults.number(text, row, column)
    if value is None:
        return 0
    if value.adjusted() > 12:
        faults.add(f"{text} is too large", "Check the number.", row=row, column=column)
        return 0
    return round(Fraction(value) * quanta)
