"""The inventory as tables: totals by category and gas, the audit trail, and the tree that explains a total."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pandas as pd

from carbongrid.errors import InputError, Problem
from carbongrid.inventory.activity import CLIMATES, ActivityData
from carbongrid.inventory.decimals import in_own_decimals
from carbongrid.inventory.factors import Factor, read_unit
from carbongrid.inventory.factors.catalogue import GASES, OWN
from carbongrid.inventory.factors.units import Unit
from carbongrid.inventory.forming import LOST_LAND
from carbongrid.inventory.lines import Input, Inventory, Line, plain
from carbongrid.inventory.methods import instead_of
from carbongrid.inventory.places import DEVELOPED, DEVELOPING, WORLD
from carbongrid.inventory.regions import counted_once, has_regions
from carbongrid.inventory.thousands import thousands_problems
from carbongrid.inventory.units_of_measure import in_usual_width
from carbongrid.method.categories import SECTORS
from carbongrid.method.tonnes import format_tonnes

SEPARATOR = " | "
"""Between the factors of a line, their sources, its conversions."""

_CAUTION = re.compile(r"\bdo not (?:also|mix|default)\b", re.IGNORECASE)
_BY_REGION = (
    "category", "region", "scope", "gas", "activity", "ids", "grams", "grams_co2e", "exact_co2e",
)  # fmt: skip
_LISTED = 10
"""Of regions or rows, in a message."""
_BURNT_IN_WORKS = re.compile(r"fuel/(?:coke|anthracite|bituminous|lignite|cleaned-coal|briquette)")
_BY_NET_FUEL = re.compile(r"标准?[煤油]|油当量|(?:[tkg]|\b)(?:ce|ec|oe)s?\b")
"""How energy is written that is told by coal or oil, whose calorific value is a net one by definition."""
_NET = {"NCV", "(NCV)"}
_NORMAL = re.compile("N[Mm]")
"""How a cubic metre is written that is one at 0 C; 标准 may be 20 C, too, as gas is sold by in China."""
_OF_DECAY = re.compile(r"ipcc\.swds\.k\..*")
_POULTRY = "ipcc.manure.poultry."
_OF_MANURE = re.compile(r"ipcc\.manure\..*")
_WORTH_TELLING = Fraction(1, 200)
"""Of the whole: what another factor must move to be told of by itself; the demo passes over 61, and 6 of them do."""

MEMO = "memo: biogenic CO2, in no total"
"""What the audit remarks of a row of the memo, whose tonnes stand in a column of their own."""

TOTALS_COLUMNS = ("category", "region", "gas", "mass_t", "co2e_t")
AUDIT_COLUMNS = (
    "file", "sheet", "row", "id", "activity", "category", "region", "scope", "equation", "term", "product", "variant", "amount", "unit", "year",
    "activity_source", "factors", "factor_sources", "conversions", "gas", "mass_t", "gwp", "gwp_set", "co2e_t", "passed_over", "remark", "memo_t",
)  # fmt: skip


@in_own_decimals
def by_gas(inventory: Inventory) -> pd.DataFrame:
    """Return the totals of the whole city in whole grams; what stands for regions and for the whole counts once.

    Returns
    -------
    DataFrame
        category, scope, gas, grams (int64), grams_co2e (int64): one row for each that has lines, in the order of equation (1).
    """
    sums: dict[tuple[str, int, str], list[int]] = {}
    for line, grams, co2e in _with_grams(counted_once(inventory)):
        entry = sums.setdefault((line.category, line.scope, line.gas), [0, 0])
        entry[0] += grams
        entry[1] += co2e
    keys = sorted(sums, key=lambda key: (*_order(inventory, key[0]), key[1], GASES.index(key[2])))
    rows = [(*key, *sums[key]) for key in keys]
    table = pd.DataFrame(rows, columns=["category", "scope", "gas", "grams", "grams_co2e"])
    return table.astype({"scope": "int64", "grams": "int64", "grams_co2e": "int64"})


@in_own_decimals
def by_region(inventory: Inventory) -> pd.DataFrame:
    """Return what the rows come to, whole and regions side by side, in whole grams: a whole has its regions in it.

    Returns
    -------
    DataFrame
        category, region (blank is the whole), scope, gas, activity, ids (of its rows, joined by a comma), grams (int64), grams_co2e
        (int64), exact_co2e (grams before they are rounded, a Fraction): one row for each that has lines, in the order of equation (1), the whole
        before its regions.
    """
    sums: dict[tuple[str, str, int, str, str], tuple[dict[str, None], list[Any]]] = {}
    for line, grams, co2e in _with_grams(inventory):
        key = (line.category, line.row.region, line.scope, line.gas, line.row.activity)
        ids, masses = sums.setdefault(key, ({}, [0, 0, Fraction(0)]))
        ids.setdefault(line.row.id)
        exact = line.exact * line.potential(inventory.gwp)
        masses[:] = [masses[0] + grams, masses[1] + co2e, masses[2] + exact]
    keys = sorted(
        sums,
        key=lambda key: (*_order(inventory, key[0]), *key[1:3], GASES.index(key[3]), key[4]),
    )
    rows = [(*key, ", ".join(sums[key][0]), *sums[key][1]) for key in keys]
    table = pd.DataFrame(rows, columns=list(_BY_REGION))
    return table.astype({"scope": "int64", "grams": "int64", "grams_co2e": "int64"})


@in_own_decimals
def totals(inventory: Inventory) -> pd.DataFrame:
    """Return the totals for people and files.

    Returns
    -------
    DataFrame
        category, region, gas, mass_t, co2e_t: tonnes as text with six decimals, which are whole grams. A blank region is the whole city, which
        has its regions in it, as in a table of totals.
    """
    sums = (
        by_region(inventory)
        .groupby(["category", "region", "gas"], sort=False)[["grams", "grams_co2e"]]
        .sum()
        .reset_index()
    )
    return pd.DataFrame(
        {
            "category": sums["category"],
            "region": sums["region"],
            "gas": sums["gas"],
            "mass_t": format_tonnes(sums["grams"].tolist()),
            "co2e_t": format_tonnes(sums["grams_co2e"].tolist()),
        }
    )


@in_own_decimals
def memo(inventory: Inventory) -> pd.DataFrame:
    """Return the biogenic CO2 of the whole city that enters no total: crops that are eaten, biomass and waste that are burnt.

    Returns
    -------
    DataFrame
        category, activity, mass_t: tonnes of CO2 as text with six decimals; in the order of the file.
    """
    sums: dict[tuple[str, str], int] = {}
    once = counted_once(inventory)
    for line, grams in zip(once.memo, once.memo_grams, strict=True):
        key = (line.category, line.row.activity)
        sums[key] = sums.get(key, 0) + grams
    rows = [(*key, format_tonnes([grams])[0]) for key, grams in sums.items()]
    return pd.DataFrame(rows, columns=["category", "activity", "mass_t"])


@in_own_decimals
def audit(inventory: Inventory) -> pd.DataFrame:
    """Return the audit trail: one row for each product formed, then the memo, then what was left out; every cell text.

    The masses of the rows of a category, region and gas add up to its total, exactly.
    """
    rows = []
    for line, grams, co2e in _with_grams(inventory):
        rows.append(
            {
                **_how(line),
                "mass_t": format_tonnes([grams])[0],
                "gwp": plain(line.potential(inventory.gwp)),
                "gwp_set": inventory.gwp,
                "co2e_t": format_tonnes([co2e])[0],
                "passed_over": SEPARATOR.join(_passed_over(line)),
                "remark": "; ".join(_remarks(inventory, line)),
            }
        )
    for line, grams in zip(inventory.memo, inventory.memo_grams, strict=True):
        rows.append({**_how(line), "remark": MEMO, "memo_t": format_tonnes([grams])[0]})
    for left in inventory.left_out:
        place = {
            "file": left.row.file,
            "sheet": left.row.sheet,
            "row": str(left.row.row),
            "id": left.row.id,
        }
        place |= {
            "activity": left.row.activity,
            "category": left.row.category,
            "region": left.row.region,
            "amount": left.row.written,
        }
        rows.append(
            {
                **place,
                "unit": left.row.unit,
                "product": left.what,
                "remark": f"left out: {left.why}",
            }
        )
    return pd.DataFrame(rows, columns=list(AUDIT_COLUMNS), dtype=str).fillna("")


@in_own_decimals
def notes(inventory: Inventory) -> list[Problem]:
    """Return what a reader of the totals must know: unknowns, recalled factors, overrides, other years."""
    found: list[Problem] = [*inventory.data.notes]
    unknown = [left for left in inventory.left_out if left.warn]
    for left in unknown:
        what = f"{left.what} is left out: {left.why}"
        found.append(Problem(what, left.row.place(left.column), left.hint, "warning"))
    for factor, rows in _users(inventory, lambda factor: factor.status == "recalled").items():
        what = f"the factor {factor.key} is recalled, not verified; used by {rows}"
        found.append(
            Problem(what, inventory.data.file, "Bring your own, or look it up.", "warning")
        )
    found.append(_place_note(inventory))
    found += _of_elsewhere(inventory)
    found += _manure_by_grid(inventory)
    found += _climate_notes(inventory)
    found += _regions_note(inventory)
    found += _passed_over_notes(inventory)
    found += _own_factors(inventory)
    found += _grids_of_other_years(inventory)
    found += _counted_twice(inventory)
    found += _urea_and_ammonia(inventory)
    found += _lost_land(inventory)
    found += _bases_of_energy(inventory.data)
    found += _cubic_metres(inventory)
    found += _points_between_thousands(inventory.data)
    year = str(inventory.year or "")
    for other in sorted({row.year for row in inventory.data.rows if row.year} - {year}):
        rows = ", ".join(row.id for row in inventory.data.rows if row.year == other)
        found.append(
            Problem(
                f"rows {rows} are of {other}, the inventory is of {year}",
                inventory.data.file,
                "",
                "warning",
            )
        )
    aside = [left for left in inventory.left_out if not left.warn]
    for why in dict.fromkeys(left.why for left in aside):
        which = ", ".join(left.row.id for left in aside if left.why == why)
        found.append(Problem(f"left out of {which}: {why}", inventory.data.file, "", "note"))
    return found


def _lost_land(inventory: Inventory) -> list[Problem]:
    """Return a warning for each type of land that gives off carbon: whoever leaves out the sign of an uptake has a source of it."""
    rows: dict[str, list[str]] = {}
    for line, grams in zip(inventory.lines, inventory.grams_co2e, strict=True):
        if line.product == "land" and line.category == LOST_LAND and grams:
            rows.setdefault(line.row.activity, []).append(line.row.id)
    hint = "Land that takes up carbon has a coefficient below 0."
    return [
        Problem(f"{activity} gives off carbon by the rows {', '.join(dict.fromkeys(ids))}, which counts as emission of {LOST_LAND}", inventory.data.file, hint, "warning")
        for activity, ids in rows.items()
    ]  # fmt: skip


def _bases_of_energy(data: ActivityData) -> list[Problem]:
    """Return by which calorific value fuels in energy count, and how electricity in coal or oil equivalent does: the unit tells neither, and either may be meant."""
    fuels, power = [], []
    for row in data.rows:
        unit = read_unit(row.unit)
        by_fuel = _BY_NET_FUEL.search(in_usual_width(row.unit)) is not None
        if row.amount and unit.dimension == read_unit("kWh").dimension:
            if row.activity.startswith("fuel/") and not by_fuel and not unit.words & _NET:
                fuels.append(row.id)
            elif row.activity.startswith("electricity") and by_fuel:
                power.append(row.id)
    found = []
    if fuels:
        what = f"the energy of {len(fuels)} rows ({_some(fuels)}) is taken as net calorific value, as the factors are by (2006 IPCC Guidelines, Vol. 2, 1.4.1.2): by the gross one it is about 10 % more of gas, 5 % more of coal and oil"
        hint = (
            "Write NCV behind the unit if it is net; multiply a gross one by 0.9, or 0.95, first."
        )
        found.append(Problem(what, data.file, hint, "note"))
    if power:
        what = f"the coal or oil equivalent of the electricity of {len(power)} rows ({_some(power)}) is taken by its heat (0.1229 kgce/kWh, 0.086 kgoe/kWh; GB/T 2589, calorific equivalent): by what a power station burns (about 0.3 kgce/kWh, 0.2 kgoe/kWh, equivalent of supply) it is less than half as much electricity"
        hint = "Write the electricity in kWh if the source counts by the second."
        found.append(Problem(what, data.file, hint, "note"))
    return found


def _cubic_metres(inventory: Inventory) -> list[Problem]:
    """Return which gas is counted by one cubic metre, and the user's own number for it by another: a unit is the same of both; what the package's mean is in their sources."""
    volume = read_unit("m3").dimension
    rows = [
        line.row.id
        for line in inventory.lines
        if line.row.activity.startswith("fuel/") and read_unit(line.row.unit).dimension == volume
        for entry in line.inputs
        if entry.role in ("calorific_value", "factor") and entry.factor.status == OWN
        if _is_normal(entry.factor.unit) != _is_normal(line.row.unit)
    ]
    if not rows:
        return []
    rows = list(dict.fromkeys(rows))
    what = f"the gas of {len(rows)} rows ({_some(rows)}) is by m3 and its own factor or calorific value by Nm3, or the other way, and both count as one: m3 does not tell its state, and if it is one at 20 C, and Nm3 one at 0 C, they are 7.3 % apart"
    hint = "If they are of two states, write both by one: 1 m3 at 20 C is 0.932 m3 at 0 C."
    return [Problem(what, inventory.data.file, hint, "note")]


def _is_normal(unit: str) -> bool:
    return _NORMAL.search(in_usual_width(unit)) is not None


def _counts_wholes(unit: Unit) -> bool:
    ones = (read_unit(name) for name in ("head", "person", "vehicle"))
    return any((unit.scale, unit.dimension) == (one.scale, one.dimension) for one in ones)


def _points_between_thousands(data: ActivityData) -> list[Problem]:
    """Return what is said of amounts whose points may stand between thousands; those of whole things apart, of which one such amount is odd."""
    wholes = [_counts_wholes(read_unit(row.unit)) for row in data.rows]
    told = []
    for whole in (True, False):
        amounts = [
            row.written
            for row, is_whole in zip(data.rows, wholes, strict=True)
            if is_whole == whole and not row.is_decimal
        ]
        told += thousands_problems(amounts, data.file, "amount", whole=whole)
    return told


def _some(texts: list[str]) -> str:
    return ", ".join(texts[:_LISTED]) + (", ..." if len(texts) > _LISTED else "")


@in_own_decimals
def explain(trail: Inventory | pd.DataFrame, category: str) -> str:
    """Return how a category's total is formed, as a tree in text.

    Parameters
    ----------
    trail
        An inventory, or its audit trail: what :func:`audit` returns, or audit.csv of a run.
    category
        Its name. The tree is of the whole city; what rows of regions have of it stands below.

    Raises
    ------
    InputError
        If the category has no line.
    """
    table = audit(trail) if isinstance(trail, Inventory) else trail
    rows = [row for row in table.to_dict("records") if row["category"] == category]
    formed, parts = _once([row for row in rows if row["mass_t"]])
    if not formed:
        known = ", ".join(sorted(set(table.loc[table["mass_t"] != "", "category"])))
        raise InputError(f"{category!r} has no line", hint=f"There are: {known}.")
    text = [f"{category}  {_sum(formed, 'co2e_t')} t CO2e ({formed[0]['gwp_set']}, 100 years)"]
    # By its potential too: AR6 has two of CH4.
    gases = sorted(
        {(row["gas"], row["gwp"]) for row in formed},
        key=lambda pair: (GASES.index(pair[0]), pair[1]),
    )
    for gas, potential in gases:
        members = [row for row in formed if (row["gas"], row["gwp"]) == (gas, potential)]
        last = (gas, potential) == gases[-1]
        text.append(
            f"{'`--' if last else '|--'} {gas}  {_sum(members, 'mass_t')} t x {members[0]['gwp']} = {_sum(members, 'co2e_t')} t CO2e"
        )
        text += _branches(members, "    " if last else "|   ")
    text += [
        f"of it in {row['region']}: {row['activity']}, {row['product']}  {row['mass_t']} t {row['gas']} = {row['co2e_t']} t CO2e  ({row['sheet']} row {row['row']})"
        for row in parts
    ]
    text += [
        f"left out: {row['sheet']} row {row['row']}, {row['product']}: {row['remark'].removeprefix('left out: ')}"
        for row in rows
        if not row["mass_t"] and row["remark"] != MEMO
    ]
    return "\n".join(text)


def _once(
    rows: list[dict[Hashable, Any]],
) -> tuple[list[dict[Hashable, Any]], list[dict[Hashable, Any]]]:
    """Return rows of the audit that add up to the city's total, and those of regions that a whole has in it."""
    wholes = {(row["scope"], row["activity"]) for row in rows if not row.get("region")}
    held = [bool(row.get("region")) and (row["scope"], row["activity"]) in wholes for row in rows]
    return (
        [row for row, inside in zip(rows, held, strict=True) if not inside],
        [row for row, inside in zip(rows, held, strict=True) if inside],
    )


def _sum(rows: list[dict[Hashable, Any]], column: str) -> Decimal:
    return sum((Decimal(row[column]) for row in rows), Decimal(0))


def _branches(members: list[dict[Hashable, Any]], stem: str) -> Iterator[str]:
    for number, row in enumerate(members, start=1):
        last = number == len(members)
        inner = stem + ("    " if last else "|   ")
        scope = f", scope {row['scope']}" if row["scope"] != "1" else ""
        scope += f", region {row['region']}" if row.get("region") else ""
        yield (
            f"{stem}{'`--' if last else '|--'} {row['activity']}, {row['product']}  {row['mass_t']} t  "
            f"(equation {row['equation']}, {row['term']}{scope})"
        )
        source = f"; {row['activity_source']}" if row["activity_source"] else ""
        yield f"{inner}{row['sheet']} row {row['row']}: {row['amount']} {row['unit']}{source}"
        factors, sources = row["factors"].split(SEPARATOR), row["factor_sources"].split(SEPARATOR)
        for factor, told in zip(factors, sources, strict=True):
            yield f"{inner}- {factor}; {told}" if told else f"{inner}- {factor}"
        for conversion in filter(None, row["conversions"].split(SEPARATOR)):
            yield f"{inner}- {conversion}"
        if row["remark"]:
            yield f"{inner}! {row['remark']}"


def _with_grams(inventory: Inventory) -> Iterator[tuple[Line, int, int]]:
    yield from zip(inventory.lines, inventory.grams, inventory.grams_co2e, strict=True)


def _order(inventory: Inventory, name: str) -> tuple[int, str]:
    sector = inventory.categories[name].sector if name in inventory.categories else name
    order = (*SECTORS, "sink")
    return (order.index(sector) if sector in order else len(SECTORS)), name


def _place(line: Line) -> dict[str, str]:
    row = line.row
    return {
        "file": row.file, "sheet": row.sheet, "row": str(row.row), "id": row.id, "activity": row.activity,
        "amount": row.written, "unit": row.unit, "year": row.year, "activity_source": row.source,
    }  # fmt: skip


def _how(line: Line) -> dict[str, str]:
    """Return what the audit says of how a line was formed, but for its mass."""
    return {
        **_place(line),
        "category": line.category,
        "region": line.row.region,
        "scope": str(line.scope),
        "equation": str(line.equation),
        "term": line.symbol,
        "product": line.product,
        "variant": line.variant,
        "factors": SEPARATOR.join(entry.text for entry in line.inputs[1:]),
        "factor_sources": SEPARATOR.join(_sources(line)),
        "conversions": SEPARATOR.join(_conversions(line)),
        "gas": line.gas,
    }


def _sources(line: Line) -> list[str]:
    found = []
    for entry in line.inputs[1:]:
        factor = entry.factor
        parts = [factor.source, factor.source_table, factor.region]
        found.append(", ".join(filter(None, parts)))
    return found


def _passed_over(line: Line) -> list[str]:
    """Return the factors that were not taken, each with what it would have given and why it was passed over."""
    return [
        f"{other.name}: {format_tonnes([round(other.mass)])[0]} t {other.gas} ({other.why})"
        for other in line.passed_over
    ]


def _conversions(line: Line) -> list[str]:
    amount = line.inputs[0]
    found = []
    for plain_unit in ("t", "TJ", "m3", "ha", "head", "person", "t km", "person km", "vehicle km"):
        base = read_unit(plain_unit)
        if base.dimension == amount.dimension and base.scale != amount.scale:
            found.append(
                f"1 {amount.factor.unit} = {plain(amount.scale / base.scale)} {plain_unit}"
            )
    return [*found, f"x {line.molar_text}"] if line.molar_text else found


def _remarks(inventory: Inventory, line: Line) -> list[str]:
    found = []
    for entry in line.inputs[1:]:
        factor = entry.factor
        if factor.status == "recalled":
            found.append(f"{factor.key} is recalled")
        if factor.upstream:
            found.append(f"{factor.key} holds what is emitted upstream")
        if factor.key in inventory.factors.overridden:
            found.append(
                f"{factor.key} is the user's own, in place of {plain(Fraction(inventory.factors.overridden[factor.key].value or 0))}"
            )
        if _caution(factor):
            found.append(f"{factor.key}: {_caution(factor)}")
    if line.product == "input" and not any(entry.factor.upstream for entry in line.inputs[1:]):
        found.append("the making of an input is emitted upstream")
    if line.row.category != line.category:
        found.append(f"gives off carbon, so it is no {line.row.category} (D27)")
    return found


def _place_note(inventory: Inventory) -> Problem:
    place = inventory.place
    what = f"factors that hold for {place.regions[0]} come first ({place.told_by})"
    hint = "Write country on the sheet settings, or in the case, for those of another."
    return Problem(what, inventory.data.file, hint, "note")


def _regions_note(inventory: Inventory) -> list[Problem]:
    """Return which rows are of regions, what of their mass a whole has in it, and what the intervals are of."""
    data = inventory.data
    if not has_regions(data):
        return []
    regions = sorted({row.region for row in data.rows if row.region})
    regional = sum(co2e for line, _, co2e in _with_grams(inventory) if line.row.region)
    once = counted_once(inventory)
    alone = sum(co2e for line, _, co2e in _with_grams(once) if line.row.region)
    told = _some(regions)
    what = (
        f"{sum(1 for row in data.rows if row.region)} of {len(data.rows)} rows are of regions ({told}), {regional / 1e6:,.0f} t CO2e with sinks: "
        f"rows of the whole have {(regional - alone) / 1e6:,.0f} t of it in them, {alone / 1e6:,.0f} t stand alone; "
        "the intervals are of the whole city's totals, with which its regions go up and down"
    )
    return [Problem(what, data.file, "", "note")]


def _of_elsewhere(inventory: Inventory) -> list[Problem]:
    """Return the factors in use that are of another place than the inventory, for want of one that holds there."""
    place, by_region = inventory.place, dict[str, dict[str, None]]()
    for _, entry in _unasked(inventory):
        factor = entry.factor
        # A province's electricity is of the grid that the settings name, of whichever region that is.
        is_own_grid = ".grid." in factor.key and factor.region.partition("/")[0] == place.country
        if place.distance(factor) == place.elsewhere and not is_own_grid:
            by_region.setdefault(factor.region, {})[factor.key] = None
    found = []
    for region, keys in by_region.items():
        what = f"factors of {region} are taken for {place.country}, where none of its own or of the world is known: {', '.join(keys)}"
        hint = "Bring your own factors on the sheet factors."
        if place.country == WORLD and region in (DEVELOPED, DEVELOPING):
            hint = "Write country on the sheet settings, or in the case."
        elif any(key.startswith(_POULTRY) for key in keys):
            hint = f"Write manure_methane=... in parameters of poultry: {', '.join(_poultry_by_kind(inventory))}."
        found.append(Problem(what, inventory.data.file, hint, "warning"))
    return found


def _poultry_by_kind(inventory: Inventory) -> list[str]:
    """Return the keys of manure of poultry that hold in developed countries, where the IPCC has none of no known kind."""
    keys = (factor.key for factor in inventory.factors if factor.region == DEVELOPED)
    kinds = ("broilers", "ducks", "layers", "turkeys")
    return [key for key in keys if key.startswith(tuple(f"ipcc.manure.{kind}" for kind in kinds))]


def _unasked(inventory: Inventory) -> Iterator[tuple[Line, Input]]:
    """Yield the package's factors of rows that are not 0, with their lines, but for what a row itself names."""
    for line in inventory.lines:
        for entry in line.inputs[1:]:
            if line.row.amount and entry.role not in line.row.parameters and entry.factor.status != OWN:  # fmt: skip
                yield line, entry


def _manure_by_grid(inventory: Inventory) -> list[Problem]:
    """Return a warning where the grid alone tells the region of manure, and its provinces lie in several."""
    place = inventory.place
    if not place.grid_cuts:
        return []
    rows = dict.fromkeys(
        line.row.id
        for line, entry in _unasked(inventory)
        if entry.role in ("manure_methane", "manure_nitrous_oxide")
        if entry.factor.region.startswith(f"{place.country}/")
    )
    if not rows:
        return []
    what = f"the grid {place.grid} tells no province, and its provinces lie in several regions of the factors of manure: {_some(list(rows))} may have those of another one"
    hint = "Write the province as country on the sheet settings, or in the case: CN/shandong."
    return [Problem(what, inventory.data.file, hint, "warning")]


def _climate_notes(inventory: Inventory) -> list[Problem]:
    """Return of which climate factors are that nobody chose: how waste decays, and the methane of manure."""
    rotting, manure = (
        list(dict.fromkeys(line.row.id for line, entry in _unasked(inventory) if entry.role == role and pattern.fullmatch(entry.factor.key)))
        for role, pattern in (("rate", _OF_DECAY), ("manure_methane", _OF_MANURE))
    )  # fmt: skip
    found, file = [], inventory.data.file
    if rotting and not inventory.data.settings["climate"]:
        what = f"the landfills of {len(rotting)} rows ({_some(rotting)}) are taken as {CLIMATES[0]}, boreal or temperate with more rain than evaporates: food decays about twice as fast where it is tropical and moist, a third as fast where it is temperate and dry"
        hint = f"Write climate on the sheet settings: {', '.join(CLIMATES[:-1])} or {CLIMATES[-1]}."
        found.append(Problem(what, file, hint, "note"))
    if manure:
        what = f"the CH4 of manure of {len(manure)} rows ({_some(manure)}) is that of a temperate climate: of 16 °C, or of 15 to 25 °C where the IPCC has no single degrees"
        hint = "Write manure_methane=... in parameters where it is colder or warmer, with a factor's key or a number with its unit."
        found.append(Problem(what, file, hint, "note"))
    return found


def _passed_over_notes(inventory: Inventory) -> list[Problem]:
    """Return which factors were passed over that would move the inventory, the largest difference first, and how many others there are."""
    sums: dict[tuple[str, str, str, str], tuple[dict[str, None], list[Fraction]]] = {}
    lines = counted_once(inventory).lines
    for line in lines:
        for other in line.passed_over:
            key = (line.row.activity, line.variant, other.name, other.why)
            rows, masses = sums.setdefault(key, ({}, [Fraction(0), Fraction(0)]))
            rows[line.row.id] = None
            masses[0] += line.exact * line.potential(inventory.gwp)
            masses[1] += other.mass * line.potential(inventory.gwp, other.gas)
    whole = sum((abs(line.exact) * line.potential(inventory.gwp) for line in lines), Fraction(0))
    apart = {key: abs(instead - taken) for key, (_, (taken, instead)) in sums.items()}
    told = [key for key, difference in apart.items() if difference >= _WORTH_TELLING * whole]
    found = []
    for key in sorted(told, key=lambda key: -apart[key]):
        (activity, variant, name, why), (rows, (taken, instead)) = key, sums[key]
        more = f", {float(instead / taken - 1):+.1%}" if taken else ""
        what = (
            f"{activity} of {', '.join(rows)}: {name} is passed over ({why}); it would have given {float(instead) / 1e6:,.1f} t CO2e "
            f"in place of {float(taken) / 1e6:,.1f} t by {variant}{more}"
        )
        found.append(Problem(what, inventory.data.file, "", "note"))
    if len(told) < len(sums):
        what = f"{len(sums) - len(told)} other factors were passed over, each of which would move less than {float(_WORTH_TELLING):.1%} of the whole"
        found.append(
            Problem(
                what,
                inventory.data.file,
                "The column passed_over of audit.csv names them.",
                "note",
            )
        )
    return found


def _own_factors(inventory: Inventory) -> list[Problem]:
    """Return which of the user's factors replace the package's, and which no row takes: a warning if rows take the package's of another use or climate."""
    place, found = f"{inventory.data.file}, sheet factors", []
    used = {entry.factor.key for line in inventory.lines for entry in line.inputs[1:]}
    counted = {entry.factor.key for line in inventory.lines if line.row.amount for entry in line.inputs[1:]}  # fmt: skip
    for now in inventory.data.factors:
        was = inventory.factors.overridden.get(now.key)
        rows, instead = _taken_instead(inventory, now.key)
        if was is not None and now.key not in counted and instead:
            what = f"your factor {now.key} enters no total: rows {_some(rows)} take {', '.join(instead)}"
            hint = "Bring it by the key of these too, if it is meant for them."
            found.append(Problem(what, place, hint, "warning"))
            continue
        if now.key not in used:
            what = f"your factor {now.key} enters no total: no row that counts takes it"
        elif was is not None:
            what = f"your factor {now.key} = {plain(now.value)} {now.unit} replaces {plain(was.value)} {was.unit} ({was.status})"
        else:
            continue
        found.append(Problem(what, place, "", "note"))
    return found


def _taken_instead(inventory: Inventory, key: str) -> tuple[list[str], list[str]]:
    """Return the rows that take a factor's like of another use or climate, and those factors."""
    taken = [
        (line.row.id, entry.factor.key)
        for line, entry in _unasked(inventory)
        if entry.factor.key in instead_of(key, line.row.category)
    ]
    return [*dict.fromkeys(row for row, _ in taken)], [*dict.fromkeys(like for _, like in taken)]


def _grids_of_other_years(inventory: Inventory) -> list[Problem]:
    """Return the grids' factors in use that are of another year than the inventory (D29)."""
    year, found = str(inventory.year or ""), []
    for factor, rows in _users(
        inventory,
        lambda factor: bool(year) and ".grid." in factor.key and factor.year not in ("", year),
    ).items():
        what = f"the electricity of rows {rows} is of {year}, its grid's factor {factor.key} of {factor.year}"
        hint = "Bring the factor of the year, or name a nearer one."
        found.append(Problem(what, inventory.data.file, hint, "warning"))
    return found


def _counted_twice(inventory: Inventory) -> list[Problem]:
    """Return what sources say must not be counted beside their factors: a warning if it is in the file, else a note."""
    found = []
    coke = [
        line.row.id
        for line in inventory.lines
        if line.category == "industry/manufacturing" and _BURNT_IN_WORKS.search(line.row.activity)
    ]
    for factor, rows in _users(inventory, lambda factor: bool(_caution(factor))).items():
        what, beside = f"{factor.key}, used by {rows}: {_caution(factor)}", ""
        if coke and "coke" in factor.note:
            beside = f"; this file burns them in {', '.join(dict.fromkeys(coke))}"
        found.append(
            Problem(what + beside, inventory.data.file, "", "warning" if beside else "note")
        )
    return found


def _urea_and_ammonia(inventory: Inventory) -> list[Problem]:
    """Return where ammonia may have CO2 that urea gives off on fields: a warning if such urea is in the file, else a note."""
    rows = [line.row for line in inventory.lines if line.exact]
    ammonia = [row for row in rows if row.activity.startswith("product/ammonia-")]
    whole = dict.fromkeys(row.id for row in ammonia if "recovered" not in row.parameters)
    if not whole:
        return []
    # A number of the row's own may be net of it.
    gross = any("factor" not in row.parameters or row.parameters["factor"] in inventory.factors for row in ammonia if row.id in whole)  # fmt: skip
    urea = dict.fromkeys(row.id for row in rows if row.activity == "soil/urea")
    what = f"no CO2 that goes into urea is subtracted from the ammonia of rows {_some(list(whole))}"
    if urea:
        what += (
            f"; what the urea of {_some(list(urea))} gives off is counted twice if it is made of it"
        )
    hint = "Write recovered=... t CO2 in parameters: 0.733 t for each t of urea that is made of it (2006 IPCC Guidelines, Vol. 3, equation 3.1); recovered=0 t if there is none."
    return [Problem(what, inventory.data.file, hint, "warning" if urea and gross else "note")]


def _caution(factor: Factor) -> str:
    """Return what the source says of double counting, blank if nothing."""
    parts = [part for part in factor.note.split("; ") if _CAUTION.search(part)]
    return "; ".join(parts)


def _users(inventory: Inventory, wanted: Callable[[Factor], bool]) -> dict[Factor, str]:
    """Return the wanted factors in use, with the ids of the rows that use them."""
    users: dict[str, tuple[Factor, dict[str, None]]] = {}
    for line in inventory.lines:
        for entry in line.inputs[1:]:
            if wanted(entry.factor):
                members = users.setdefault(entry.factor.key, (entry.factor, {}))[1]
                members.setdefault(line.row.id)
    return {factor: ", ".join(rows) for factor, rows in users.values()}
