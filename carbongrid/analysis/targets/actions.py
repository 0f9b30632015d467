"""What a solution of the program is as a plan: actions that a scenario takes, rounded outward, and a table of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from carbongrid.analysis.targets.model import currency_units_of_one
from carbongrid.case.toml_values import toml_value
from carbongrid.inventory.units_of_measure import base_currency
from carbongrid.pipeline.replanned import meaning_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from carbongrid.analysis.targets.limits import Limit
    from carbongrid.analysis.targets.model import Model
    from carbongrid.analysis.targets.program import Program, Step

_DIGITS = 12
"""Of a factor in a plan."""

_IN_A_LINE = 6

STEPS = ("row", "do", "unit", "name", "category", "from", "from_type", "to", "to_type", "parcels", "hectares", "cut_g", "gdp", "cost")  # fmt: skip
"""Columns of the table of what a plan does, by limit and unit."""


def plan_toml(actions: Sequence[Mapping[str, Any]], said: Sequence[str]) -> str:
    """Return a plan as its file has it, with remarks above it."""
    lines = [
        *(f"# {''.join(sign if sign.isprintable() else ' ' for sign in each)}" for each in said),
        'reference = "frozen"',
    ]
    for action in actions:
        lines += ["", "[[action]]"]
        for key, value in action.items():
            if isinstance(value, list) and len(value) > _IN_A_LINE:
                rows = [
                    value[start : start + _IN_A_LINE] for start in range(0, len(value), _IN_A_LINE)
                ]
                inner = ",\n".join("    " + ", ".join(map(toml_value, row)) for row in rows)
                lines.append(f"{key} = [\n{inner},\n]")
            else:
                lines.append(f"{key} = {toml_value(value)}")
    return "\n".join(lines) + "\n"


def conversions(model: Model, program: Program, x: NDArray[np.float64]) -> list[dict[str, Any]]:
    """Return the actions that convert land, by what it becomes."""
    ids = model.effects.answer.prepared.parcels["id"]
    found: dict[str, list[str]] = {}
    for step, part in zip(program.steps, x, strict=True):
        if step.do == "convert" and part > 0.5:
            found.setdefault(step.limit.to, []).append(str(ids.iloc[step.parcel]))
    return [{"do": "convert", "parcels": sorted(parcels), "to": code, "emission": "remove"} for code, parcels in sorted(found.items())]  # fmt: skip


def _factor(part: float, upper: float) -> Decimal:
    """Return what is left after a cut, rounded so that at least as much is cut, and no more than may be."""
    one = Decimal(1).scaleb(-_DIGITS)
    left = (Decimal(1) - Decimal(part)).quantize(one, ROUND_FLOOR)
    least = (Decimal(1) - Decimal(upper)).quantize(one, ROUND_CEILING)
    return min(max(left, least, Decimal(0)), Decimal(1))


def cuts(model: Model, program: Program, x: NDArray[np.float64]) -> list[dict[str, Any]]:
    """Return the actions that scale what units emit."""
    found = []
    for step, part, upper in zip(program.steps, x, program.upper, strict=True):
        factor = _factor(part, upper) if step.do == "cut" else Decimal(1)
        if factor < 1:
            found.append({"do": "scale", "category": list(step.names), "units": [str(model.units["id"].iloc[step.unit])], "factor": float(factor)})  # fmt: skip
    return found


def raises(model: Model, program: Program, x: NDArray[np.float64]) -> list[dict[str, Any]]:
    """Return the actions that raise GDP, in whole currency units."""
    found = []
    for step, part in zip(program.steps, x, strict=True):
        units = _money(model, step, part) if step.do == "gdp" else 0
        if units:
            found.append({"do": "gdp", "units": [str(model.units["id"].iloc[step.unit])], "change": f"{units} {base_currency(model.currency)}"})  # fmt: skip
    return found


def _money(model: Model, step: Step, part: float) -> int:
    one = currency_units_of_one(model.currency)
    return min(math.ceil(part * step.amount * one), math.floor(step.amount * one))


type _Told = tuple[tuple[Limit, int], dict[str, Any]]


def land_steps(model: Model, program: Program, x: NDArray[np.float64]) -> list[_Told]:
    """Return what is converted, by limit and unit."""
    found: dict[tuple[Limit, int], dict[str, Any]] = {}
    for step, part, cost in zip(program.steps, x, program.cost, strict=True):
        if step.do != "convert" or part < 0.5:
            continue
        if (step.limit, step.unit) not in found:
            blank = {"parcels": 0, "hectares": 0.0, "cost": 0.0}
            found[step.limit, step.unit] = _told(model, step) | _land(model, step.limit) | blank
        row = found[step.limit, step.unit]
        row["parcels"] += 1
        row["hectares"] += step.amount
        row["cost"] += float(cost)
    return list(found.items())


def hectares_converted(
    model: Model, program: Program, x: NDArray[np.float64]
) -> dict[tuple[int, int], float]:
    """Return the hectares that are converted by each row of the table in each of its places, as its cap counts them."""
    rows: dict[Limit, list[int]] = {}
    for step, part in zip(program.steps, x, strict=True):
        if step.do == "convert" and part >= 0.5:
            rows.setdefault(step.limit, []).append(step.parcel)
    found = {}
    for limit, parcels in rows.items():
        within = model.hectares_in(limit, np.array(parcels, np.int64)).sum(axis=0)
        for unit, hectares in zip(model.places_of(limit), np.ravel(within).tolist(), strict=True):
            found[limit.row, unit] = hectares
    return found


def other_steps(model: Model, program: Program, x: NDArray[np.float64]) -> list[_Told]:
    """Return what is cut and raised, by limit and unit; of the land that the program was made of, converted before."""
    found: list[_Told] = []
    for step, part, upper, cost in zip(program.steps, x, program.upper, program.cost, strict=True):
        row = _told(model, step)
        if step.do == "cut" and (factor := _factor(part, upper)) < 1:
            masses = {name: model.effects.of_cut([name], step.unit)[0] for name in step.names}
            # As an action rounds: each category by itself.
            cut = sum(grams - round(Fraction(factor) * grams) for grams in masses.values())
            names = [name for name, grams in masses.items() if grams]
            found.append(((step.limit, step.unit), row | {"category": " + ".join(names), "cut_g": cut, "cost": float(cost) * cut / step.amount}))  # fmt: skip
        elif step.do == "gdp" and (units := _money(model, step, part)):
            found.append(((step.limit, step.unit), row | {"gdp": units, "cost": float(cost) * part}))  # fmt: skip
    return found


def _told(model: Model, step: Step) -> dict[str, Any]:
    blank = dict.fromkeys(STEPS)
    own = {"row": step.limit.row, "do": step.do, "unit": model.units["id"].iloc[step.unit], "name": model.units["name"].iloc[step.unit]}  # fmt: skip
    return {**blank, **own}


def _land(model: Model, limit: Limit) -> dict[str, str]:
    """Return the codes of land before and after, and what they mean."""
    inputs = model.effects.answer.inputs
    ends = {"from": limit.code, "to": limit.to}
    return {**ends, **{f"{end}_type": meaning_of(code, inputs)[0] for end, code in ends.items()}}
