"""What a reader of the totals must know: what is unknown, elsewhere, of another year or place, and what may count twice."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fractions import Fraction

from carbongrid.errors import Problem, listed
from carbongrid.inventory.activity import CLIMATES, ActivityData
from carbongrid.inventory.decimals import in_own_decimals
from carbongrid.inventory.factors import Factor, read_unit
from carbongrid.inventory.factors.catalogue import OWN
from carbongrid.inventory.factors.units import Unit
from carbongrid.inventory.forming import LOST_LAND
from carbongrid.inventory.lines import Input, Inventory, Line, plain
from carbongrid.inventory.methods import instead_of
from carbongrid.inventory.own_numbers import own_numbers_far_off, own_numbers_of_nitrogen
from carbongrid.inventory.percents import percent_problems
from carbongrid.inventory.places import DEVELOPED, DEVELOPING, WORLD
from carbongrid.inventory.regions import counted_once, has_regions
from carbongrid.inventory.rows_compared import rows_that_contradict
from carbongrid.inventory.tables import caution_of
from carbongrid.inventory.thousands import thousands_problems
from carbongrid.inventory.units_of_measure import in_usual_width
from carbongrid.method.tonnes import counted

_BURNT_IN_WORKS = re.compile(r"fuel/(?:coke|anthracite|bituminous|lignite|cleaned-coal|briquette)")
_BY_NET_FUEL = re.compile(r"标准?[煤油]|油当量|(?:[tkg]|\b)(?:ce|ec|oe)s?\b")
"""How energy is written that is told by coal or oil, whose calorific value is a net one by definition."""
_NORMAL = re.compile("N[Mm]")
"""How a cubic metre is written that is one at 0 C; 标准 may be 20 C, too, as gas is sold by in China."""
_OF_DECAY = re.compile(r"ipcc\.swds\.k\..*")
_POULTRY = "ipcc.manure.poultry."
_OF_MANURE = re.compile(r"ipcc\.manure\..*")
_WORTH_TELLING = Fraction(1, 200)
"""Of the whole: what another factor must move to be told of by itself; the demo passes over 61, and 6 of them do."""


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
    found += own_numbers_far_off(inventory)
    found += own_numbers_of_nitrogen(inventory)
    found += rows_that_contradict(inventory)
    found += _grids_of_other_years(inventory)
    found += _factors_of_rows_in_the_mix(inventory)
    found += _counted_twice(inventory)
    found += _urea_and_ammonia(inventory)
    found += _lost_land(inventory)
    found += _bases_of_energy(inventory.data)
    found += _cubic_metres(inventory)
    found += _points_between_thousands(inventory.data)
    # Electricity at 0.5 % beside fuels at 12 % is as it should be: only what holds of all rows is told.
    found += [each for each in percent_problems(((row.id, float(row.uncertainty_pct or 0)) for row in inventory.data.rows), "uncertainty_pct", inventory.data.file) if each.level == "warning"]  # fmt: skip
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
    for line, _, co2e in inventory.formed:
        if line.product == "land" and line.category == LOST_LAND and co2e:
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
            if row.activity.startswith("fuel/") and not by_fuel and "NCV" not in unit.words:
                fuels.append(row.id)
            elif row.activity.startswith("electricity") and by_fuel:
                power.append(row.id)
    found = []
    if fuels:
        what = f"the energy of {counted(len(fuels), 'row')} ({listed(fuels, more=', ...')}) is taken as net calorific value, as the factors are by (2006 IPCC Guidelines, Vol. 2, 1.4.1.2): by the gross one it is about 10 % more of gas, 5 % more of coal and oil"
        hint = (
            "Write NCV behind the unit if it is net; multiply a gross one by 0.9, or 0.95, first."
        )
        found.append(Problem(what, data.file, hint, "note"))
    if power:
        what = f"the coal or oil equivalent of the electricity of {counted(len(power), 'row')} ({listed(power, more=', ...')}) is taken by its heat (0.1229 kgce/kWh, 0.086 kgoe/kWh; GB/T 2589, calorific equivalent): by what a power station burns (about 0.3 kgce/kWh, 0.2 kgoe/kWh, equivalent of supply) it is less than half as much electricity"
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
    what = f"the gas of {counted(len(rows), 'row')} ({listed(rows, more=', ...')}) is by m3 and its own factor or calorific value by Nm3, or the other way, and both count as one: m3 does not tell its state, and if it is one at 20 C, and Nm3 one at 0 C, they are 7.3 % apart"
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
    regional = sum(co2e for line, _, co2e in inventory.formed if line.row.region)
    once = counted_once(inventory)
    alone = sum(co2e for line, _, co2e in once.formed if line.row.region)
    told = listed(regions, more=", ...")
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
        for entry in line.taken:
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
    what = f"the grid {place.grid} tells no province, and its provinces lie in several regions of the factors of manure: {listed(rows, more=', ...')} may have those of another one"
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
        what = f"the landfills of {counted(len(rotting), 'row')} ({listed(rotting, more=', ...')}) are taken as {CLIMATES[0]}, boreal or temperate with more rain than evaporates: food decays about twice as fast where it is tropical and moist, a third as fast where it is temperate and dry"
        hint = f"Write climate on the sheet settings: {', '.join(CLIMATES[:-1])} or {CLIMATES[-1]}."
        found.append(Problem(what, file, hint, "note"))
    if manure:
        what = f"the CH4 of manure of {counted(len(manure), 'row')} ({listed(manure, more=', ...')}) is that of a temperate climate: of 16 °C, or of 15 to 25 °C where the IPCC has no single degrees"
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
    used = {entry.factor.key for line in inventory.lines for entry in line.taken}
    adding = {entry.factor.key for line in inventory.lines if line.row.amount for entry in line.taken}  # fmt: skip
    rows_of: dict[str, dict[str, None]] = {}
    for line, entry in _unasked(inventory):
        rows_of.setdefault(entry.factor.key, {})[line.row.id] = None
    for now in inventory.data.factors:
        was = inventory.factors.overridden.get(now.key)
        instead = sorted(instead_of(now.key) & rows_of.keys())
        if was is not None and now.key not in adding and instead:
            rows = dict.fromkeys(row for key in instead for row in rows_of[key])
            what = f"your factor {now.key} enters no total: rows {listed(rows, more=', ...')} take {', '.join(instead)}"
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


def _factors_of_rows_in_the_mix(inventory: Inventory) -> list[Problem]:
    """Return a warning of rows of electricity whose own factor the balance does not take (docs/decisions/0057)."""
    rows = dict.fromkeys(
        line.row.id
        for line in inventory.lines
        if line.variant == "consumption" and line.row.amount and "factor" in line.row.parameters
        # Who names the grid's means the grid's.
        if line.row.parameters["factor"] not in {factor.key for factor in line.behind}
    )
    if not rows:
        return []
    what = f"the factor that rows {listed(rows, more=', ...')} name is not taken: by consumption all electricity is of one mix, of what is generated here and of imports by the grid's factor"
    hint = "Take it out of their parameters, or count electricity by use."
    return [Problem(what, inventory.data.file, hint, "warning")]


def _counted_twice(inventory: Inventory) -> list[Problem]:
    """Return what sources say must not be counted beside their factors: a warning if it is in the file, else a note."""
    found = []
    coke = [
        line.row.id
        for line in inventory.lines
        if line.category == "industry/manufacturing" and _BURNT_IN_WORKS.search(line.row.activity)
    ]
    for factor, rows in _users(inventory, lambda factor: bool(caution_of(factor))).items():
        what, beside = f"{factor.key}, used by {rows}: {caution_of(factor)}", ""
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
    what = f"no CO2 that goes into urea is subtracted from the ammonia of rows {listed(whole, more=', ...')}"
    if urea:
        what += f"; what the urea of {listed(urea, more=', ...')} gives off is counted twice if it is made of it"
    hint = "Write recovered=... t CO2 in parameters: 0.733 t for each t of urea that is made of it (2006 IPCC Guidelines, Vol. 3, equation 3.1); recovered=0 t if there is none."
    return [Problem(what, inventory.data.file, hint, "warning" if urea and gross else "note")]


def _users(inventory: Inventory, wanted: Callable[[Factor], bool]) -> dict[Factor, str]:
    """Return the wanted factors in use, with the ids of the rows that use them."""
    users: dict[str, tuple[Factor, dict[str, None]]] = {}
    for line in inventory.lines:
        for entry in line.taken:
            if wanted(entry.factor):
                members = users.setdefault(entry.factor.key, (entry.factor, {}))[1]
                members.setdefault(line.row.id)
    return {factor: ", ".join(rows) for factor, rows in users.values()}
