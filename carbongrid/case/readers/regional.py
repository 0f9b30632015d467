"""Reads figures of regions: GDP, census, shares of water, and the codes of units that were merged."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pandas as pd

from carbongrid.case.models import Case
from carbongrid.case.readers.declared import Row, read_declared, rows_declared
from carbongrid.case.readers.rounding import moved_by_rounding
from carbongrid.case.readers.tables import Faults
from carbongrid.case.table_formats import (
    CENSUS,
    GDP,
    GDP_BY_INDUSTRY,
    OLD_CODES,
    WATER,
    TableFormat,
)
from carbongrid.case.values import is_table
from carbongrid.errors import InputError, Problem, listed
from carbongrid.inventory.units_of_measure import (
    INT64_MAX,
    base_currency,
    currency_units,
    exact_currency,
)
from carbongrid.method.tonnes import counted

INDUSTRIES = ("primary", "secondary", "tertiary")
"""Columns of GDP by industry, of a parent unit."""

_MILLIONTHS = 10**6
_LISTED = 10
_OF_FIGURES = ("region", "year", "uncertainty")
"""What a row says of its figures."""
_ROUNDED = 100
"""More than one in so many is no rounding."""
_UNITS = {"unit", "units", "单位", "currency", "币种"}
_PERSONS = {"人", "口", "人口", "person", "persons", "people", "resident", "residents", "inhabitant", "inhabitants"}  # fmt: skip
_SAYS_A_UNIT = re.compile(
    r"^[0-9.,\s^×x*]*[十百千万亿]*(?:元|美元|欧元|人|户|口|人口)(?![\u4e00-\u9fff])|^[十百千万亿]+$|人民币|10\s*\^|^['’]0{3}s?$"
    r"|\b(?:yuan|cny|rmb|usd|eur|euros?|dollars?|hundreds?|thousands?|millions?|billions?|households?)\b"
    r"|^[0-9.,'’\s^]+.*\b(?:persons?|people|residents?|inhabitants?)\b",
    re.IGNORECASE,
)
"""What is no name of a township, which a column called unit may hold: money, people or households, by any number or word of a power."""


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
    table = read_declared(path, OLD_CODES, beside=case.units.encoding)
    rows, faults = rows_declared(table, OLD_CODES, path.name, {"new": codes})
    for row in rows:
        old, new = row.cells["old"], row.cells["new"]
        if codes is not None and old in codes and old != new:
            faults.add(
                f"{old!r} is a code of today too: its statistics would be counted as those of {new!r}",
                "Take the row out, or correct it.",
                row=row.number,
                column="old",
            )
    faults.raise_any()
    return {row.cells["old"]: row.cells["new"] for row in rows}


def read_gdp(
    case: Case,
    codes: Collection[str] | None = None,
    *,
    levels: Mapping[str, str] | None = None,
    notes: list[Problem] | None = None,
    names: Mapping[str, Collection[str]] | None = None,
) -> pd.DataFrame:
    """Return GDP per region in whole currency units.

    Parameters
    ----------
    case
        With [gdp]; without it the table is empty.
    codes
        Codes that a region may have: of the units, or of the parent column that ``by`` names.
    levels
        For each code of the units and of their parents what ``by`` calls its level.
    notes
        A warning is appended for each column that is not read and looks like one that is missing.
    names
        Codes by name, for messages.

    Returns
    -------
    DataFrame
        region and value, or, where the table has them and ``by`` is a parent, region, primary,
        secondary, tertiary; Int64, missing where the cell is blank; sorted by region. Merged units are
        added up; an unknown part makes the sum unknown. The years of the figures are in its attribute ``years``.

    Raises
    ------
    InputError
        With every wrong cell, unknown or repeated region, and if whole currency units are too coarse for the figures.
    """
    notes = [] if notes is None else notes
    if case.gdp is None:
        return pd.DataFrame({"region": pd.Series(dtype="str"), "value": pd.Series(dtype="Int64")})
    path = case.resolve(case.gdp.path)
    table = read_declared(path, GDP, encoding=case.gdp.encoding, or_else=GDP_BY_INDUSTRY, unit=case.gdp.currency)  # fmt: skip
    by_industry = case.gdp.by != "unit" and any(column in table.columns for column in INDUSTRIES)
    form = GDP_BY_INDUSTRY if by_industry else GDP
    columns = INDUSTRIES if by_industry else ("value",)
    if codes is not None:
        others = {code: level for code, level in (levels or {}).items() if code not in codes}
        _refuse_other_levels(table, case.gdp.by, others, path.name)
    rows, faults = _rows_of_regions(table, form, path.name, case, codes, notes, names)
    values: dict[str, list[int | None]] = {}
    told: list[Fraction] = []
    for code, row in rows:
        amounts = [_money(row, column, case.gdp.currency, faults) for column in columns]
        whole = [None if each is None else round(each) for each in amounts]
        values[code] = _added(values.get(code), whole)
        told += [each for each in amounts if each is not None]
    name = base_currency(case.gdp.currency)
    if moved := moved_by_rounding(told, name):
        faults.add(
            f"GDP is counted in whole {name}: {moved}",
            f'Say what one in the table is worth, for example [gdp] currency = "1e8 {name}"; where there is nothing, write 0.',
        )
    if by_industry:
        _refuse_wholes_alone(rows, faults)
    faults.raise_any()
    frame = pd.DataFrame({"region": pd.Series(sorted(values), dtype="str")})
    for place, column in enumerate(columns):
        frame[column] = pd.array(
            [values[region][place] for region in frame["region"]], dtype="Int64"
        )
    frame.attrs["years"] = _years(rows, case)
    _check_sum_of_gdp(values, faults)
    if by_industry:
        notes += _notes_on_wholes(rows, path.name)
    return frame


def read_census(
    case: Case,
    codes: Collection[str] | None = None,
    *,
    ancestors: Mapping[str, Collection[str]] | None = None,
    notes: list[Problem] | None = None,
    names: Mapping[str, Collection[str]] | None = None,
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
    names
        Codes by name, for messages.

    Returns
    -------
    DataFrame
        region, thousandths (int64), sorted by region; a blank cell is no census value, and the region
        is left out. Merged units are added up; an unknown part makes the sum unknown, as for GDP. The years are told likewise.

    Raises
    ------
    InputError
        With every wrong cell, unknown or repeated region, and regions that hold one another.
    """
    notes = [] if notes is None else notes
    parts: dict[str, list[int | None]] = {}
    years: tuple[int, ...] = ()
    if case.people is not None and case.people.census is not None:
        path = case.resolve(case.people.census)
        table = read_declared(path, CENSUS, encoding=case.people.encoding)
        rows, faults = _rows_of_regions(table, CENSUS, path.name, case, codes, notes, names)
        for code, row in rows:
            parts.setdefault(code, []).append(_whole(row.values["residents"], 1000))
        years = _years(rows, case)
        _check_nested(parts, ancestors or {}, faults)
        faults.raise_any()
        notes += _half_known(parts, path.name)
    known = {region: _sum(counts) for region, counts in parts.items() if None not in counts}
    regions = sorted(known)
    thousandths = pd.Series([known[region] for region in regions], dtype="int64")
    frame = pd.DataFrame({"region": pd.Series(regions, dtype="str"), "thousandths": thousandths})
    frame.attrs["years"] = years
    return frame


def _years(rows: Iterable[tuple[str, Row]], case: Case) -> tuple[int, ...]:
    """Return the years that figures are of, in order; a row without one is of the case's."""
    return tuple(sorted({row.values["year"] or case.year for _, row in rows if _has_figure(row)}))


def _has_figure(row: Row) -> bool:
    """Whether a row holds a figure, which its year is of: where it is blank nothing of that year counts."""
    return any(value is not None for name, value in row.values.items() if name not in _OF_FIGURES)


def _check_nested(
    parts: Mapping[str, list[int | None]], ancestors: Mapping[str, Collection[str]], faults: Faults
) -> None:
    given = {region for region, counts in parts.items() if None not in counts}
    # Nobody in a part of a region leaves all of its people to the rest of it.
    for region in sorted(region for region in given if any(parts[region])):
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


def read_water(
    case: Case,
    codes: Collection[str] | None = None,
    *,
    notes: list[Problem] | None = None,
    names: Mapping[str, Collection[str]] | None = None,
) -> dict[str, int] | None:
    """Return the share of each unit in the water that lies in no unit; None without such a table.

    Parameters
    ----------
    case
        Its units.water is a word or names the table.
    codes
        Codes of the units.
    notes
        A note is appended of shares that are too small to count.
    names
        Codes by name, for messages.

    Returns
    -------
    dict
        Share by unit in millionths as written (0.25 is 250000), sorted by unit. Shares need not add up
        to 1; they are divided by their sum.

    Raises
    ------
    InputError
        With every wrong cell, unknown or repeated unit, if all shares are zero, or if millionths are too coarse for them: rounding moves more than 1 %, or what it takes to 0 is more than a millionth of all.
    """
    notes = [] if notes is None else notes
    if not is_table(case.units.water):
        return None
    path = case.resolve(case.units.water)
    table = read_declared(path, WATER, beside=case.units.encoding)
    rows, faults = rows_declared(table, WATER, path.name, {"unit": codes}, names=names)
    exact = {row.cells["unit"]: Fraction(row.values["share"] or 0) * _MILLIONTHS for row in rows}
    if moved := moved_by_rounding(exact.values(), "millionths", faint=_MILLIONTHS):
        faults.add(f"shares are counted in whole millionths: {moved}", "Give larger numbers, or 0: they are divided by their sum.")  # fmt: skip
    shares = {unit: round(share) for unit, share in exact.items()}
    if not faults.problems and not sum(shares.values()):
        faults.add("the shares add up to 0", "Give at least one unit a share.")
    faults.raise_any()
    faint = sum(1 for unit, share in exact.items() if share and not shares[unit])
    if faint:
        what = f"shares below half a millionth count as 0: those of {counted(faint, 'unit')}"
        notes.append(Problem(what, path.name, "", "note"))
    return dict(sorted(shares.items()))


def _rows_of_regions(
    table: pd.DataFrame,
    form: TableFormat,
    where: str,
    case: Case,
    codes: Collection[str] | None,
    notes: list[Problem],
    names: Mapping[str, Collection[str]] | None,
) -> tuple[list[tuple[str, Row]], Faults]:
    """Return the rows of a table of regions, each with its code of today: it may name units that were merged since."""
    old_codes = read_old_codes(case)
    known = None if codes is None else {*codes, *old_codes}
    rows, faults = rows_declared(table, form, where, {"region": known}, notes, names)
    _refuse_units(table, case, form, faults)
    years = [(row.number, row.values["year"] or case.year) for row in rows if _has_figure(row)]
    notes += notes_on_years(years, case.year, where)
    named = [(row.number, row.cells["region"], "") for row in rows]
    notes += notes_on_old_codes(named, old_codes, where)
    found = []
    for row in rows:
        told = row.cells["region"]
        code = old_codes.get(told, told)
        if codes is not None and told in old_codes and code not in codes:
            what = f"{told!r} is an old code of {code!r}, which is no code that this table may name"
            hint = f"Map it to one of: {_some(codes)}."
            faults.add(what, hint, row=row.number, column="region")
        found.append((code, row))
    return found, faults


def _refuse_other_levels(
    table: pd.DataFrame, by: str, others: Mapping[str, str], file: str
) -> None:
    """Refuse codes of another level than the one that GDP is given by: those of a parent among its units, as in a row of their sum."""
    faults = Faults(file)
    for row, code in table.get("region", pd.Series(dtype="str")).items():
        if code in others:
            what = f"{code!r} is a code of {others[code]!r}, and GDP is read by {by!r}"
            hint = f"Take the row out, or give GDP of that level alone, with [gdp] by = {others[code]!r}."
            faults.add(what, hint, row=row, column="region")
    faults.raise_any()


def _refuse_units(table: pd.DataFrame, case: Case, form: TableFormat, faults: Faults) -> None:
    """Refuse a column that says that the figures are in another currency or count than they are taken to be; names of units, which such a column may hold too, say nothing."""
    currency = "" if form is CENSUS or case.gdp is None else case.gdp.currency
    taken = currency or "persons"
    way = f"Give the figures in {taken}" + (", or change [gdp] currency" if currency else "") + ", and take the column out."  # fmt: skip
    for name in map(str, table.columns):
        if name.lower() not in _UNITS:
            continue
        texts = sorted(set(table[name]) - {"", taken})
        told = [text for text in texts if (_is_other_money(text, currency) if currency else _is_other_count(text))]  # fmt: skip
        if told:
            faults.add(f"figures are taken to be in {taken}, and the column says {', '.join(map(repr, told[:5]))}", way, column=name)  # fmt: skip


def _is_other_money(text: str, currency: str) -> bool:
    many = Decimal(10**6)  # so that one of a small unit is not rounded away
    try:
        own = currency_units(many, text), base_currency(text)
    except InputError:
        return _SAYS_A_UNIT.search(text) is not None
    return own != (currency_units(many, currency), base_currency(currency))


def _is_other_count(text: str) -> bool:
    return text.lower().removeprefix("1 ") not in _PERSONS and _SAYS_A_UNIT.search(text) is not None


def notes_on_years(rows: Iterable[tuple[Any, int]], year: int, file: str) -> list[Problem]:
    """Return a warning for each other year than that of the case, of (row, year) pairs of all rows."""
    places: dict[int, list[str]] = {}
    for row, of in rows:
        places.setdefault(of, []).append(str(row))
    return [
        Problem(f"{_rows_of(other, found, everywhere=len(places) == 1)}, the case is of {year}", file, "Years are mixed; the report says so.", "warning")
        for other, found in sorted(places.items()) if other != year
    ]  # fmt: skip


def _rows_of(year: int, found: list[str], *, everywhere: bool) -> str:
    rows, more = ", ".join(found[:_LISTED]), len(found) - _LISTED
    if everywhere and len(found) > 1:
        return f"all figures are of {year}"
    if more > 0:
        return f"rows {rows} and {more:,} more are of {year}"
    return f"rows {rows} are of {year}" if len(found) > 1 else f"row {rows} is of {year}"


def notes_on_old_codes(
    rows: Iterable[tuple[Any, str, str]], old_codes: Mapping[str, str], file: str
) -> Iterator[Problem]:
    """Yield a warning of each merged unit of which some old codes have rows and others none (these may be other names of the same, or be missing), and of each that has rows of its own beside rows of its old codes.

    Parameters
    ----------
    rows
        Row, code as written, and of what the row is: parts are held against each other within one thing, such as a category; blank where the table is of one.
    old_codes
        Code of today by old code.
    file
        Name of the table.
    """
    things: dict[str, list[tuple[Any, str]]] = {}
    for row, code, thing in rows:
        things.setdefault(thing, []).append((row, code))
    lacking: dict[tuple[str, ...], list[str]] = {}
    doubled: list[Problem] = []
    for thing, told in sorted((thing, _rows_by_code(each)) for thing, each in things.items()):
        for new, olds in _parts_of(old_codes):
            there = [old for old in olds if old in told]
            missing = [old for old in olds if old not in told and old != new]
            if there and new in told and new not in olds:
                beside = ", ".join(row for code in [*there, new] for row in told[code])
                what = f"rows {beside} are of {new!r} and of its old codes {', '.join(map(repr, there))}, and are added up"
                hint = f"If {new!r} holds them already, keep either; if it is what it was before, add {new},{new} to the old codes."
                doubled.append(Problem(what, file, hint, "warning"))
            elif there and missing:
                key = (new, ", ".join(map(repr, there)), ", ".join(map(repr, missing)))
                lacking.setdefault(key, []).append(thing)
    for (new, parts, gone), of in lacking.items():
        which = f" for {listed(of)}" if any(of) else ""
        what = f"{new!r} is made of its old codes {parts} alone: there is no row of {gone}{which}"
        yield Problem(what, file, "Add what is missing, or make sure that it is nothing.", "warning")  # fmt: skip
    yield from doubled


def _rows_by_code(rows: Iterable[tuple[Any, str]]) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {}
    for row, code in rows:
        told.setdefault(code, []).append(str(row))
    return told


def _parts_of(old_codes: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    parts: dict[str, list[str]] = {}
    for old, new in sorted(old_codes.items()):
        parts.setdefault(new, []).append(old)
    return sorted(parts.items())


def _refuse_wholes_alone(rows: Iterable[tuple[str, Row]], faults: Faults) -> None:
    """Refuse a GDP beside which all industries are blank: these count, and there would be none."""
    for code, row in rows:
        if row.values["value"] is not None and all(row.values[name] is None for name in INDUSTRIES):
            faults.add(f"the industries of {code!r} are blank", "Give them, or leave them all out of the table.", row=row.number)  # fmt: skip


def _notes_on_wholes(rows: Iterable[tuple[str, Row]], file: str) -> Iterator[Problem]:
    """Yield a warning of each GDP that is told beside its industries and is not what they add up to, or less than those that are known, by more than rounding."""
    for code, row in rows:
        parts = [row.values[name] for name in INDUSTRIES]
        whole, known = row.values["value"], [part for part in parts if part is not None]
        if whole is None:
            continue
        more = sum(known) - whole
        if len(known) == len(parts) and abs(more) * _ROUNDED > max(whole, sum(known)):
            what = f"row {row.number}: the value of {code!r} is {whole}, its industries add up to {sum(known)}, and these count"
            yield Problem(what, file, "Correct what is wrong.", "warning")
        elif len(known) < len(parts) and more * _ROUNDED > sum(known):
            what = f"row {row.number}: the value of {code!r} is {whole}, and those of its industries that are known add up to {sum(known)}"
            yield Problem(what, file, "Correct what is wrong.", "warning")


def _some(codes: Collection[str]) -> str:
    return listed(sorted(codes), 8, more=", ...")


def _money(row: Row, column: str, currency: str, faults: Faults) -> Fraction | None:
    value = row.values[column]
    if value is None:
        return None
    return faults.told(lambda: exact_currency(value, currency), row.number, column)


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


def _whole(value: Decimal | None, quanta: int) -> int | None:
    """Return a number in whole quanta, half to even."""
    return None if value is None else round(Fraction(value) * quanta)
