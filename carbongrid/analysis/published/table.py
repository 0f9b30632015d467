"""A published table: read, and first held against its own totals."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Hashable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from carbongrid.case.readers.declared import read_declared, rows_declared
from carbongrid.case.table_formats import PUBLISHED
from carbongrid.errors import InputError, Problem, listed
from carbongrid.inventory.units_of_measure import gas_of
from carbongrid.method.agreement import slip_of
from carbongrid.method.gas import CO2, CO2E

MAX_OFF = 0.02
"""Units that add up to more or less of their total than this are told of."""
_YEAR = re.compile("(?<![0-9])[12][0-9]{3}(?![0-9])")
_GAS_OF_UNIT = {"CO2": "CO2", "CO2e": ""}
"""What a blank gas is by its unit: one gas, or all."""


def read_published(
    path: Path, regions: Collection[str], quantities: Collection[str]
) -> pd.DataFrame:
    """Read a published table.

    Parameters
    ----------
    path
        A CSV or XLSX file.
    regions
        Codes that it may name, a blank one not among them.
    quantities
        What it may be of.

    Returns
    -------
    DataFrame
        region, of, gas, grams (int64), year (as it is written), row, in the order of the file. A blank gas is that of the unit where this is of CO2 alone, but of sinks.

    Raises
    ------
    InputError
        With every wrong cell; a unit that stands twice with one quantity and gas is one.
    """
    if not path.is_file():
        raise InputError("there is no such table", str(path))
    table = read_declared(path, PUBLISHED)
    known = {"region": {*regions, ""}, "of": quantities}
    rows, faults = rows_declared(table, PUBLISHED, path.name, known)
    right = [row for row in rows if row.right]
    gases = [row.cells["gas"] or _gas_of(row.cells["of"], row.cells["unit"]) for row in right]
    faults.once(
        (
            (row.number, f"{row.cells['region']!r}, {row.cells['of']} {gas}".strip())
            for row, gas in zip(right, gases, strict=True)
        ),
        "the value of",
    )
    if not rows:
        faults.add("there are no values", "Write one row for each unit.")
    faults.raise_any()
    return pd.DataFrame(
        {
            "region": [row.cells["region"] for row in right],
            "of": [row.cells["of"] for row in right],
            "gas": gases,
            "grams": [int(row.values["value"]) for row in right],
            "year": [row.cells["year"] for row in right],
            "row": [row.number for row in right],
        }
    )


def _gas_of(of: str, unit: str) -> str:
    """Return what a blank gas means: of sinks, whose CO2 and CO2e are one, always all."""
    return "" if is_of_sinks(of) else _GAS_OF_UNIT[gas_of(unit)]


def is_of_sinks(of: str) -> bool:
    """Return whether a quantity is of sinks, which take up CO2 alone."""
    return of == "sink" or of.startswith("sink/")


def remarks_of_gas(
    of: str, gases: Collection[str], own: Collection[str]
) -> list[tuple[Problem, str]]:
    """Return a note that published values or the run's are of one gas where the others are of all, in both languages.

    Parameters
    ----------
    of
        The quantity.
    gases
        Of the published values; blank is all.
    own
        Of the run's emissions of this quantity: ``CO2``, ``CO2e`` or both; none where it emits nothing.
    """
    if is_of_sinks(of) or not own:
        return []
    if set(gases) == {CO2}:
        if CO2E not in own:
            return []
        ours, ours_zh = ("CO2e, in part CO2 alone", "CO2 当量，其中部分仅含 CO2") if CO2 in own else ("CO2e", "CO2 当量")  # fmt: skip
        what = f"{of}: the published values are of CO2 alone, the run's of {ours}: methane, nitrous oxide and other gases are on one side only"
        return [(Problem(what, level="note"), f"{of}：发布值仅含 CO2，本次运算为 {ours_zh}；其他气体只在一侧。")]  # fmt: skip
    if CO2 not in own:
        return []
    part, part_zh = ("in part ", "部分") if CO2E in own else ("", "")
    what = f"{of}: the run's values are {part}of CO2 alone, not the published ones: methane, nitrous oxide and other gases are on one side only"
    return [(Problem(what, level="note"), f"{of}：本次运算{part_zh}仅含 CO2，发布值不限于此；其他气体只在一侧。")]  # fmt: skip


def remarks_of_gases(
    values: pd.DataFrame, own: Mapping[str, Collection[str]]
) -> list[tuple[Problem, str]]:
    """Return what :func:`remarks_of_gas` has to say of each quantity of values of :func:`read_published`, by the gases of the run's own."""
    gases = values.groupby("of", sort=True)["gas"].agg(set)
    return [
        remark
        for of, each in gases.items()
        for remark in remarks_of_gas(str(of), each, own[str(of)])
    ]


def remarks_of_years(values: pd.DataFrame, year: int) -> list[tuple[Problem, str]]:
    """Return a warning, with its Chinese, where values are of another year than the run, or of several.

    Parameters
    ----------
    values
        Of :func:`read_published`.
    year
        The run's.
    """
    # As a workbook's numbers are written.
    told = [str(text).removesuffix(".0") for text in values["year"]]
    other = [text for text in told if set(_YEAR.findall(text)) - {str(year)}]
    if not other:
        return []
    years = sorted(set(other))
    what = f"{len(other):,} of {len(values):,} values are of {listed(years)}, the run of {year}: what differs may be what happened between, or that several years were added up"
    zh = f"{len(values):,} 个发布值中有 {len(other):,} 个属于 {listed(years, more=' 等，另有 {} 个', between='、')}，本次运算为 {year} 年：差异可能来自年份不同，或为多年合计。"  # fmt: skip
    return [(Problem(what, level="warning"), zh)]


def require_same_gases(values: pd.DataFrame, where: str) -> None:
    """Refuse values whose gases differ from unit to unit, or that have a sum of gases beside its parts: added up they would not be of one thing.

    Parameters
    ----------
    values
        Rows of units, of :func:`read_published`.
    where
        Name of the file.

    Raises
    ------
    InputError
        With the first such unit of each quantity.
    """
    problems = []
    for of, rows in values.groupby("of", sort=True):
        pairs = zip(rows["region"], rows["gas"], strict=True)
        gases: dict[str, tuple[str, ...]] = {}
        for region, gas in sorted(pairs):
            gases[region] = (*gases.get(region, ()), gas)
        usual = Counter(gases.values()).most_common(1)[0][0]
        both = [region for region, each in gases.items() if len(each) > 1 and "" in each]
        other = [region for region, each in gases.items() if each != usual]
        if both:
            what = f"{both[0]!r} has {of} of all gases and of single ones, which would be counted twice"
            hint = "Give either the sum, with a blank gas, or its parts."
            problems.append(Problem(what, where, hint))
        elif other:
            own, most = (", ".join(filter(None, e)) or "all gases" for e in (gases[other[0]], usual))  # fmt: skip
            what = f"{of} of {other[0]!r} is of {own}, that of most units of {most}"
            hint = "Give the same gases for every unit, 0 where there is none."
            problems.append(Problem(what, where, hint))
    if problems:
        raise InputError(problems)


def own_sums(published: pd.DataFrame, inside: Mapping[str, Collection[str]]) -> pd.DataFrame:
    """Hold a table's units against its own totals.

    Parameters
    ----------
    published
        Of :func:`read_published`.
    inside
        For each region that is no unit, the whole's blank one among them, the units in it.

    Returns
    -------
    DataFrame
        of, gas, region, total_t, sum_of_units_t, ratio (sum over total), off (by more than 2 %), slip (what would make the ratio), units_missing;
        one row for each total of the table. Where units are missing only a sum above its total is off.
    """
    units = {unit for members in inside.values() for unit in members}
    found: list[dict[str, Any]] = []
    for of, rows in published.groupby("of", sort=True):
        of_units = rows["region"].isin(units)
        named = set(rows.loc[of_units, "gas"])
        totals = [each for each in dict.fromkeys(rows.loc[~of_units, "region"]) if each in inside]
        for region in totals:
            own = rows[rows["region"] == region]
            there = set(own["gas"])
            # Gas by gas: of what else one side has the other says nothing.
            both = sorted(named & there)
            held = [(gas, own[own["gas"] == gas], rows[of_units & (rows["gas"] == gas)]) for gas in both]  # fmt: skip
            for gas, total, parts in held or [("", _together(own), rows[of_units])]:
                added = parts.groupby("region")["grams"].sum()
                grams = {str(unit): int(mass) for unit, mass in added.items()}
                grams[region] = int(total["grams"].sum())
                row = _sum_of(of, gas, region, inside[region], grams)
                if not held and _is_no_contradiction(named, there, row["ratio"]):
                    row |= {"off": False, "slip": ""}
                found.append(row)
    columns = ["of", "gas", "region", "total_t", "sum_of_units_t", "ratio", "off", "slip", "units_missing"]  # fmt: skip
    return pd.DataFrame(found, columns=columns)


def _together(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that make all gases of a total: its sum of all where it has one, whatever stands beside it."""
    whole = rows[rows["gas"] == ""]
    return whole if len(whole) else rows


def _is_no_contradiction(units: Collection[str], total: Collection[str], ratio: float) -> bool:
    """Return whether units and a total of other gases may both be right: one gas is less than all gases, and says nothing of another one."""
    one, other = (len(gases) == 1 and "" not in gases for gases in (units, total))
    if one and other:
        return True
    return (one and ratio < 1) or (other and ratio > 1)


def _sum_of(
    of: Hashable, gas: Hashable, region: str, members: Collection[str], grams: Mapping[str, int]
) -> dict[str, Any]:
    there = [int(grams[unit]) for unit in members if unit in grams]
    missing = len(members) - len(there)
    added, total = sum(there), int(grams[region])
    ratio = added / total if total else (math.inf if added else 1.0)
    off = bool(there) and (ratio > 1 + MAX_OFF or (ratio < 1 - MAX_OFF and not missing))
    return {
        "of": of,
        "gas": gas,
        "region": region,
        "total_t": total / 1e6,
        "sum_of_units_t": added / 1e6,
        "ratio": ratio,
        "off": off,
        "slip": slip_of(ratio) if off else "",
        "units_missing": missing,
    }
