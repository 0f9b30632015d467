"""Electricity counted where it is used, by a balance: uses + losses + exports = generation + imports (docs/decisions/0057)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate, pairwise

from carbongrid.errors import InputError, Problem
from carbongrid.inventory import equations
from carbongrid.inventory.activity import ActivityRow
from carbongrid.inventory.electricity import USES, is_supply, rows_set_aside
from carbongrid.inventory.factors import Factor, gwp_of, read_unit
from carbongrid.inventory.factors.catalogue import GASES
from carbongrid.inventory.forming import EQUATION_OF_SECTOR
from carbongrid.inventory.grids import grid_factor
from carbongrid.inventory.lines import Input, Inventory, Line, amount_of
from carbongrid.inventory.regions import counted_once, rows_once
from carbongrid.inventory.terms import LOSSES, TERMS, Product
from carbongrid.inventory.uncertainty import approach_1
from carbongrid.method.allocate import apportion

GENERATED, LOST, IMPORTED, EXPORTED = (
    f"electricity/{name}" for name in ("generated", "losses", "imported", "exported")
)
_BALANCE_ONLY = (USES[1], GENERATED, LOST, IMPORTED, EXPORTED)
_HINT = f"Write a row {GENERATED} on the sheet industry, 0 kWh if there is no plant, and {LOST} if they are known."


@dataclass(frozen=True)
class Mass:
    """Whole grams of one gas, and the whole grams of CO2e that they weigh."""

    grams: int = 0
    co2e: int = 0

    def __add__(self, other: Mass) -> Mass:
        """Add both."""
        return Mass(self.grams + other.grams, self.co2e + other.co2e)


@dataclass(frozen=True)
class Flow:
    """One side's part of the balance.

    Parameters
    ----------
    wh
        Whole watt-hours.
    gases
        What it emitted, by gas.
    """

    wh: int
    gases: Mapping[str, Mass]

    @property
    def co2e(self) -> int:
        """Grams of CO2e of all gases."""
        return sum(mass.co2e for mass in self.gases.values())


Flows = tuple[tuple[ActivityRow, Flow], ...]
"""Rows with their parts."""


@dataclass(frozen=True)
class Balance:
    """The balance of electricity: what is used, lost and exported is what is generated and imported, in Wh and in grams of each gas.

    Parameters
    ----------
    uses
        By row of use, in the order of category and id.
    lost
        Of the losses, the part of each row of use.
    within
        Uses and losses of rows of regions, as far as rows of the whole city have them in theirs: parts of ``uses`` and of ``lost``.
    losses, exported
        Of all together.
    generated
        In the land: what supply emits itself, less the heat that was bought.
    imported
        By the grid's factor.
    factor
        That of the grid; None where nothing is imported.
    """

    uses: Flows
    lost: Flows
    losses: Flow
    exported: Flow
    generated: Flow
    imported: Flow
    factor: Factor | None
    within: tuple[Flows, Flows] = ((), ())

    @property
    def used(self) -> int:
        """Whole Wh of all uses."""
        return sum(flow.wh for _, flow in self.uses)


def has_balance(inventory: Inventory) -> bool:
    """Return whether there are rows that only the balance has, whether or not it can be known by them."""
    return any(row.activity in _BALANCE_ONLY for row in inventory.data.rows)


def balance_of(inventory: Inventory) -> Balance:
    """Return the balance of electricity of an inventory.

    Raises
    ------
    InputError
        If generation is not said, an amount of any row of the balance is unknown, nothing is used, the sides do not agree,
        or supply emits without generating.

    Notes
    -----
    Imports are what closes the balance, or exports where more is generated than used and lost; rows that say either must agree
    with it to the Wh. Supply's emission and that of the imports make one pool, which uses, losses and exports share by their Wh
    (:func:`carbongrid.method.allocate.apportion`), gas by gas; the part of the losses is then shared by the uses.
    """
    if all(row.activity != GENERATED for row in inventory.data.rows):
        what = "a balance of electricity needs generation, and nothing says what is generated here"
        raise InputError(what, f"{inventory.data.file}, sheet industry", _HINT)
    _require_amounts(inventory)
    rows = _rows_of(inventory, USES)
    used = [_wh(row) for row in rows]
    if not sum(used):
        what = "a balance of electricity needs uses, and none is used"
        hint = f"Write rows {' or '.join(USES)} with the amounts that each sector uses."
        raise InputError(what, inventory.data.file, hint)
    generated, lost = (_sum_of(inventory, name) or 0 for name in (GENERATED, LOST))
    imported, exported = _flows_across(inventory, sum(used) + lost, generated)
    made = _made_here(inventory, generated)
    factor, brought = _brought(inventory, imported)
    pool = {gas: made.get(gas, Mass()) + brought.get(gas, Mass()) for gas in GASES}
    *parts, of_losses, of_exports = _shared(pool, [*used, lost, exported])
    uses = _flows(rows, used, parts)
    of_lost = _flows(rows, _split(lost, used), _shared(of_losses, used))
    return Balance(
        uses=uses,
        lost=of_lost,
        losses=Flow(lost, of_losses),
        exported=Flow(exported, of_exports),
        generated=Flow(generated, made),
        imported=Flow(imported, brought),
        factor=factor,
        within=_within(inventory, uses, of_lost),
    )


def _within(inventory: Inventory, uses: Flows, lost: Flows) -> tuple[Flows, Flows]:
    """Return what rows of regions have of the uses and of the losses of the whole that has them in it, by their Wh."""
    held: dict[tuple[str, str], list[ActivityRow]] = {}
    for row in rows_once(_all_rows_of(inventory, USES))[1]:
        held.setdefault((row.category, row.activity), []).append(row)
    parts: tuple[list[tuple[ActivityRow, Flow]], ...] = ([], [])
    for key, rows in held.items():
        ends = list(accumulate(map(_exact_wh, rows), initial=Fraction(0)))
        whole = sum(_exact_wh(row) for row, _ in uses if (row.category, row.activity) == key)
        if ends[-1] > whole:
            listed = ", ".join(row.id for row in rows)
            what = f"{key[1]} of {key[0]}: the regions ({listed}) use {float(ends[-1]) / 1000:,.3f} kWh, more than the whole's {float(whole) / 1000:,.3f} kWh"
            hint = "Correct the row without a region, or those with one."
            raise InputError(what, rows[0].place("amount"), hint)
        # A GJ is no whole Wh: rounded each by itself, three of them would be more than 3 GJ.
        weights = [end - start for start, end in pairwise(map(round, [*ends, whole]))]
        for flows, found in zip((uses, lost), parts, strict=True):
            own = [flow for row, flow in flows if (row.category, row.activity) == key]
            amounts = _split(sum(flow.wh for flow in own), weights)[:-1]
            found += _flows(
                rows, amounts, _shared(_added(flow.gases for flow in own), weights)[:-1]
            )
    return tuple(parts[0]), tuple(parts[1])


def by_consumption(inventory: Inventory) -> Inventory:
    """Return the inventory with electricity where it is used, by the balance, in place of electricity by the grid's factor.

    What supply emits stays among the lines: whoever counts by consumption sets it aside, as by ``use``.
    """
    balance = balance_of(inventory)
    ends = _relative_ends(inventory, balance)
    behind = () if balance.factor is None else (balance.factor,)
    term = TERMS["electricity-balance"]
    kept = [each for each in inventory.formed if each[0].row.activity not in USES]
    sides = (balance.uses, balance.lost)
    for product, flows, within in zip(term.products, sides, balance.within, strict=True):
        for row, flow in (*flows, *within):
            for gas, mass in flow.gases.items():
                factor = _mix(balance, product, gas, ends)
                line = _line(inventory, row, product, factor, mass)
                kept.append((replace(line, behind=behind), mass.grams, mass.co2e))
    left = tuple(each for each in inventory.left_out if each.row.activity != USES[1] or each.warn)
    return replace(_with_lines(inventory, kept), left_out=left)


def consumption_if_known(inventory: Inventory) -> tuple[Inventory | None, Problem | None]:
    """Return :func:`by_consumption` of an inventory, or why it is not known: for whoever did not choose it, no error."""
    try:
        return by_consumption(inventory), None
    except InputError as error:
        return None, error.problems[0]


def as_counted(inventory: Inventory, reading: str | None) -> Inventory:
    """Return the inventory without what a way of counting electricity sets aside; ``consumption`` is of :func:`by_consumption`."""
    if reading is None:
        return inventory
    aside = rows_set_aside(scopes_with_mass(inventory), inventory.categories, reading)
    kept = [each for each in inventory.formed if (each[0].category, each[0].scope) not in aside]
    return _with_lines(inventory, kept)


def scopes_with_mass(inventory: Inventory) -> set[tuple[str, int]]:
    """Return category and scope of what an inventory has: of a side of electricity whose rows are all 0 there is nothing that could count twice."""
    return {(line.category, line.scope) for line, _, co2e in inventory.formed if co2e}


def balance_notes(inventory: Inventory) -> list[Problem]:
    """Return the balance in a sentence, and of which gas heat is beyond it; or a warning why it is not known; nothing where the file has no rows of it."""
    if not has_balance(inventory):
        return []
    try:
        balance = balance_of(inventory)
    except InputError as error:
        why = error.problems[0]
        what = f"what electricity = consumption gives is not known: {why.what}"
        return [Problem(what, why.where, why.hint, "warning")]
    flows = {
        "used": Flow(balance.used, _added(flow.gases for _, flow in balance.uses)),
        "lost": balance.losses,
        "exported": balance.exported,
        "generated": balance.generated,
        "imported": balance.imported,
    }
    told = {name: f"{flow.wh / 1e9:,.1f} GWh ({flow.co2e / 1e6:,.0f} t CO2e)" for name, flow in flows.items()}  # fmt: skip
    what = (
        f"balance of electricity: used {told['used']} + lost {told['lost']} + exported {told['exported']} = "
        f"generated {told['generated']} + imported {told['imported']}"
    )
    return [Problem(what, inventory.data.file, "", "note"), *_heat_beyond_supply(inventory)]


def _line(
    inventory: Inventory, row: ActivityRow, product: Product, factor: Factor, mass: Mass
) -> Line:
    """Return what a row of use comes to of one gas; losses are of scope 3."""
    term = TERMS["electricity-balance"]
    category = inventory.categories[row.category]
    return Line(
        row=row,
        category=category.name,
        scope=3 if product is LOSSES else term.scope,
        equation=EQUATION_OF_SECTOR.get(category.sector, 2),
        symbol=term.symbol,
        product=product.name,
        variant="consumption",
        function=product.function,
        inputs=(amount_of(row), Input("factor", factor)),
        molar=Fraction(1),
        molar_text="",
        gas=factor.gas,
        exact=Fraction(mass.grams),
    )


def _mix(balance: Balance, product: Product, gas: str, ends: tuple[Fraction, Fraction]) -> Factor:
    """Return what a kWh that is used comes to of a gas: as it is made and imported, or for what is lost beside it."""
    sides = (balance.generated, balance.imported)
    grams = sum(side.gases.get(gas, Mass()).grams for side in sides)
    value = Fraction(grams, sum(side.wh for side in sides))
    what = "generation and imports"
    if product is LOSSES:
        value *= Fraction(balance.losses.wh, balance.used)
        what = "losses per use"
    name = f"mix.{product.name}.{gas.lower()}"
    return Factor(
        name,
        what,
        value,
        f"kg {gas}/kWh",
        gas=gas,
        low=value * ends[0],
        high=value * ends[1],
        source=f"balance of electricity: {what}",
        status="derived",
        group="mix of electricity",
    )


def _relative_ends(inventory: Inventory, balance: Balance) -> tuple[Fraction, Fraction]:
    """Return the ends of the mix's 95 % interval over its value: supply's own and those of the grid's factor, together."""
    whole = balance.generated.co2e + balance.imported.co2e
    if not whole:
        return Fraction(1), Fraction(1)
    supply = [each for each in inventory.formed if _is_of_supply(inventory, each[0])]
    ends = [Fraction(0), Fraction(0)]
    if balance.generated.co2e:
        made = approach_1(_with_lines(inventory, supply))
        row = made[made["category"] == "gross"].iloc[0]
        for side, name in enumerate(("low_t", "high_t")):
            ends[side] += Fraction(float(row[name] / row["co2e_t"])) * balance.generated.co2e
    if balance.factor is not None and balance.imported.co2e:
        for side, bound in enumerate((balance.factor.low, balance.factor.high)):
            ratio = 1 if bound is None else Fraction(bound) / Fraction(balance.factor.value or 1)
            ends[side] += ratio * balance.imported.co2e
    return ends[0] / whole, ends[1] / whole


def _require_amounts(inventory: Inventory) -> None:
    """Refuse rows of the balance of which no amount is known: without them it would close as if they were 0."""
    balanced = {USES[0], *_BALANCE_ONLY}
    blank = [r for r in inventory.data.rows if r.activity in balanced and r.amount is None]
    if blank:
        rows = ", ".join(f"{row.id} ({row.activity})" for row in blank)
        what = f"the balance of electricity needs every amount, and that of {rows} is unknown, which is not zero"
        hint = "Write the amount, 0 if there is none, or take the row out."
        raise InputError(what, blank[0].place("amount"), hint)


def _rows_of(inventory: Inventory, names: Iterable[str]) -> list[ActivityRow]:
    """Return the rows of some activities, but those of regions that rows of the whole have in them."""
    return rows_once(_all_rows_of(inventory, names))[0]


def _all_rows_of(inventory: Inventory, names: Iterable[str]) -> list[ActivityRow]:
    """Return the rows of some activities, in canonical order; :func:`_require_amounts` has seen their amounts."""
    wanted = set(names)
    rows = [row for row in inventory.data.rows if row.activity in wanted]
    return sorted(rows, key=lambda row: (row.category, row.id))


def _wh(row: ActivityRow) -> int:
    """Return a row's amount in whole watt-hours."""
    return round(_exact_wh(row))


def _exact_wh(row: ActivityRow) -> Fraction:
    return amount_of(row).value / read_unit("Wh").scale


def _sum_of(inventory: Inventory, activity: str) -> int | None:
    """Return the Wh of an activity; None where no row says it."""
    rows = _rows_of(inventory, [activity])
    return sum(map(_wh, rows)) if rows else None


def _flows_across(inventory: Inventory, needed: int, generated: int) -> tuple[int, int]:
    """Return imports and exports that close the balance, in Wh."""
    imported, exported = (_sum_of(inventory, name) for name in (IMPORTED, EXPORTED))
    if imported is None and exported is None:
        return max(needed - generated, 0), max(generated - needed, 0)
    if imported is None:
        imported = needed + (exported or 0) - generated
    elif exported is None:
        exported = imported + generated - needed
    exported = exported or 0
    # What would close the balance below 0 is none of it: the sides are told without it.
    imported, exported = max(imported, 0), max(exported, 0)
    if needed + exported != generated + imported:
        kwh = [f"{value / 1000:,.3f}" for value in (needed, exported, generated, imported)]
        what = f"the balance of electricity does not close: used and lost {kwh[0]} + exported {kwh[1]} is not generated {kwh[2]} + imported {kwh[3]} kWh"
        hint = f"Leave {IMPORTED} and {EXPORTED} out: what closes the balance is taken. Or mend one of the amounts."
        raise InputError(what, inventory.data.file, hint)
    return imported, exported


def _with_lines(inventory: Inventory, formed: list[tuple[Line, int, int]]) -> Inventory:
    """Return the inventory with other lines, each with its grams and its grams of CO2e."""
    lines, grams, co2e = ([each[part] for each in formed] for part in range(3))
    return replace(inventory, lines=tuple(lines), grams=tuple(grams), grams_co2e=tuple(co2e))  # type: ignore[arg-type]


def _is_of_supply(inventory: Inventory, line: Line) -> bool:
    return line.scope == 1 and is_supply(inventory.categories[line.category])


def _supply_and_heat(inventory: Inventory) -> tuple[dict[str, Mass], dict[str, Mass]]:
    """Return what supply emits itself, and what the bought heat comes to by its own factor, gas by gas."""
    made: dict[str, Mass] = {}
    heat: dict[str, Mass] = {}
    for line, grams, co2e in counted_once(inventory).formed:
        if _is_of_supply(inventory, line):
            made[line.gas] = made.get(line.gas, Mass()) + Mass(grams, co2e)
        elif line.row.activity == "heat":
            heat[line.gas] = heat.get(line.gas, Mass()) + Mass(grams, co2e)
    return made, heat


def _made_here(inventory: Inventory, generated: int) -> dict[str, Mass]:
    """Return what supply emits itself, gas by gas, less the heat that was bought: heat is not brought from far."""
    supply, heat = _supply_and_heat(inventory)
    made = {
        gas: Mass(max(mass.grams - taken.grams, 0), max(mass.co2e - taken.co2e, 0))
        for gas, mass in supply.items()
        if (taken := heat.get(gas, Mass())) is not None
    }
    left = sum(mass.co2e for mass in made.values())
    if left and not generated:
        what = f"supply emits {left / 1e6:,.3f} t CO2e besides the heat that is bought, and generates 0 kWh: it is no emission of electricity"
        hint = "Give what emits without generating a category of its own, with scope 1; or write what is generated."
        raise InputError(what, f"{inventory.data.file}, sheet industry", hint)
    return made


def _heat_beyond_supply(inventory: Inventory) -> list[Problem]:
    """Return a warning of each gas of which the bought heat comes to more than supply emits: nothing is taken off below 0."""
    supply, heat = _supply_and_heat(inventory)
    found = []
    for gas, mass in heat.items():
        emitted = supply.get(gas, Mass())
        if mass.grams > emitted.grams:
            tonnes = [each / 1e6 for each in (mass.grams, emitted.grams, mass.grams - emitted.grams)]  # fmt: skip
            what = (
                f"the heat that is bought comes to {tonnes[0]:,.3f} t {gas}, and supply emits {tonnes[1]:,.3f} t of it: "
                f"electricity = consumption spreads {tonnes[2]:,.3f} t more than supply and imports emit"
            )
            hint = "Give the heat a factor of its own plants, or write the fuel that they burn."
            found.append(Problem(what, inventory.data.file, hint, "warning"))
    return found


def _brought(inventory: Inventory, wh: int) -> tuple[Factor | None, dict[str, Mass]]:
    """Return what imports emitted elsewhere, by the grid's factor."""
    if not wh:
        return None, {}
    factor = grid_factor(inventory.factors, inventory.data.settings["grid"], inventory.year)
    entry = Input("factor", factor)
    exact = (
        Fraction(equations.bought_energy(wh * read_unit("Wh").scale, entry.value)) * factor.molar
    )
    gas = factor.emits
    weight = gwp_of(inventory.gwp, fossil=False)[gas]
    return factor, {gas: Mass(round(exact), round(exact * weight))}


def _shared(pool: Mapping[str, Mass], weights: list[int]) -> list[dict[str, Mass]]:
    """Split each gas of a pool by weights, so that the parts add up to it."""
    parts: list[dict[str, Mass]] = [{} for _ in weights]
    for gas, mass in pool.items():
        if mass.grams or mass.co2e:
            split = zip(_split(mass.grams, weights), _split(mass.co2e, weights), strict=True)
            for part, (grams, co2e) in zip(parts, split, strict=True):
                part[gas] = Mass(grams, co2e)
    return parts


def _split(total: int, weights: list[int]) -> list[int]:
    return [int(part) for part in apportion(total, weights)] if total else [0] * len(weights)


def _flows(rows: list[ActivityRow], wh: list[int], parts: list[dict[str, Mass]]) -> Flows:
    flows = [Flow(each, part) for each, part in zip(wh, parts, strict=True)]
    return tuple(zip(rows, flows, strict=True))


def _added(gases: Iterable[Mapping[str, Mass]]) -> dict[str, Mass]:
    sums: dict[str, Mass] = {}
    for each in gases:
        for gas, mass in each.items():
            sums[gas] = sums.get(gas, Mass()) + mass
    return sums
