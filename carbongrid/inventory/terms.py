"""The terms of equations 2 to 7: which products one row of activity forms, by which function, of which factors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from carbongrid.inventory import equations


@dataclass(frozen=True)
class Product:
    """One product that a row forms.

    Parameters
    ----------
    name
        Such as ``co2`` or ``enteric``.
    function
        Of :mod:`carbongrid.inventory.equations`; called with the amount, then the roles in order.
    roles
        Names of its factors.
    emitter
        The role whose unit says what the mass is of; blank if ``gas`` says it.
    gas
        What it must be: CO2, CH4, N2O, or blank for whatever the emitter gives.
    optional
        Whether it is left out where a role has no factor; the audit says so.
    """

    name: str
    function: Callable[..., Any]
    roles: tuple[str, ...]
    emitter: str = "factor"
    gas: str = ""
    optional: bool = False


@dataclass(frozen=True)
class Term:
    """A term: its name in the equations and the products of a row. The row's sector says which equation.

    Parameters
    ----------
    symbol
        As the equation has it.
    products
        In order.
    scope
        1, or 2 for what was emitted where electricity and heat are made (D24).
    upstream
        Whether it is what was emitted where an input is made (D28), whatever its factor says.
    memo
        Biogenic CO2 that stands beside the products and enters no total (docs/decisions/0058).
    balance
        Whether its rows enter the balance of electricity only (docs/decisions/0057): they form nothing by themselves.
    as_default
        Roles that have the factors that they have by the default method of the activity.
    """

    symbol: str
    products: tuple[Product, ...]
    scope: int = 1
    upstream: bool = False
    balance: bool = False
    memo: tuple[Product, ...] = ()
    as_default: tuple[str, ...] = ()


_FACTOR = ("factor",)
_BURNT = (
    Product("ch4", equations.burnt_gas, ("methane",), "methane", "CH4", True),
    Product("n2o", equations.burnt_gas, ("nitrous_oxide",), "nitrous_oxide", "N2O", True),
)
_BOUGHT = Product("bought", equations.bought_energy, _FACTOR)
LOSSES = Product("losses", equations.bought_energy, _FACTOR)
"""What is lost between plants and users: of scope 3, since neither emits it."""

_GASES_OF_FUEL = (
    Product("ch4", equations.fuel_gas, ("calorific_value", "methane"), "methane", "CH4", True),
    Product(
        "n2o",
        equations.fuel_gas,
        ("calorific_value", "nitrous_oxide"),
        "nitrous_oxide",
        "N2O",
        True,
    ),
)
_BIOGENIC_WASTE = Product(
    "biogenic",
    equations.burnt_biogenic_carbon,
    ("dry", "carbon", "fossil", "oxidation"),
    "carbon",
    "CO2",
)
_LANDFILL = ("correction", "carbon", "degradable", "methane", "recovered", "oxidised")

TERMS: dict[str, Term] = {
    "fuel": Term(
        "Ef*Cf, Eg*Cg",
        (
            Product(
                "co2",
                equations.fuel_carbon,
                ("calorific_value", "carbon_content", "oxidation"),
                "carbon_content",
                "CO2",
            ),
            *_GASES_OF_FUEL,
        ),
    ),
    "biomass": Term(
        "Ef*Cf, Eg*Cg",
        _GASES_OF_FUEL,
        memo=(
            Product(
                "biogenic",
                equations.fuel_carbon,
                ("calorific_value", "carbon_content", "oxidation"),
                "carbon_content",
                "CO2",
            ),
        ),
    ),
    "fuel-by-factor": Term(
        "Ef*Cf, Eg*Cg",
        (Product("co2", equations.product, _FACTOR, gas="CO2"), *_GASES_OF_FUEL),
        as_default=("calorific_value", "methane", "nitrous_oxide"),
    ),
    "product": Term("Ep*Cp", (Product("process", equations.product, _FACTOR),)),
    "ammonia": Term(
        "Ep*Cp", (Product("process", equations.product_less_recovered, ("factor", "recovered")),)
    ),
    "product-by-share": Term(
        "Ep*Cp", (Product("process", equations.product_by_share, ("share", "factor")),)
    ),
    "aluminium": Term(
        "Ep*Cp",
        (
            Product("process", equations.product, _FACTOR),
            Product("cf4", equations.product, ("cf4",), "cf4", "CF4", True),
            Product("c2f6", equations.product, ("c2f6",), "c2f6", "C2F6", True),
        ),
    ),
    "mine-gas": Term(
        "Ep*Cp",
        (
            Product(
                "mining", equations.mine_gas, ("gas", "density", "recovered"), "density", "CH4"
            ),
            Product(
                "after", equations.product_by_share, ("after", "density"), "density", "CH4", True
            ),
        ),
    ),
    "gas": Term("Ep*Cp", (Product("released", equations.released, _FACTOR),)),
    "glass": Term("Ep*Cp", (Product("process", equations.glass, ("factor", "cullet")),)),
    "electricity": Term("Ee*Ce", (_BOUGHT,), scope=2),
    "electricity-balance": Term("Ee*Ce", (_BOUGHT, LOSSES), scope=2, balance=True),
    "electricity-flow": Term("", (), balance=True),
    "heat": Term("Ee*Ce", (_BOUGHT,), scope=2),
    "freight": Term("T_f*c_f", (Product("freight", equations.transport_work, _FACTOR),)),
    "passengers": Term("T_p*c_p", (Product("passengers", equations.transport_work, _FACTOR),)),
    "vehicles": Term("D_t*c_t", (Product("vehicles", equations.transport_work, _FACTOR),)),
    "rice": Term(
        "C_plantation",
        (
            Product(
                "rice",
                equations.rice_methane,
                ("days", "per_day", "water", "before", "straw", "straw_unit", "conversion"),
                "per_day",
                "CH4",
            ),
        ),
    ),
    "rice-by-season": Term(
        "C_plantation", (Product("rice", equations.rice_by_season, _FACTOR, gas="CH4"),)
    ),
    "nitrogen": Term(
        "C_plantation",
        (
            Product("direct", equations.soil_nitrogen, ("direct",), "direct", "N2O"),
            Product(
                "deposition",
                equations.soil_nitrogen_after_loss,
                ("volatilised", "deposition"),
                "deposition",
                "N2O",
            ),
            Product(
                "leaching",
                equations.soil_nitrogen_after_loss,
                ("leached", "leaching"),
                "leaching",
                "N2O",
            ),
        ),
    ),
    "soil-carbon": Term(
        "C_plantation", (Product("soil", equations.soil_carbon, _FACTOR, gas="CO2"),)
    ),
    "input": Term(
        "C_plantation", (Product("input", equations.upstream_input, _FACTOR),), upstream=True
    ),
    "animals": Term(
        "C_husbandry",
        (
            Product("enteric", equations.animals, ("enteric",), "enteric", "CH4", True),
            Product(
                "manure-ch4", equations.animals, ("manure_methane",), "manure_methane", "CH4", True
            ),
            Product(
                "manure-n2o",
                equations.animals,
                ("manure_nitrous_oxide",),
                "manure_nitrous_oxide",
                "N2O",
                True,
            ),
        ),
    ),
    "industrial-wastewater": Term(
        "C_wastewater",
        (
            Product(
                "ch4",
                equations.industrial_wastewater,
                ("sludge", "capacity", "correction", "recovered"),
                "capacity",
                "CH4",
            ),
        ),
    ),
    "domestic-wastewater": Term(
        "C_wastewater",
        (
            Product(
                "ch4",
                equations.domestic_wastewater,
                ("bod", "days", "co_discharge", "capacity", "correction", "recovered"),
                "capacity",
                "CH4",
            ),
            Product(
                "n2o-effluent",
                equations.effluent_nitrogen,
                ("protein", "nitrogen", "non_consumed", "industrial", "effluent"),
                "effluent",
                "N2O",
                True,
            ),
            Product(
                "n2o-plant",
                equations.plant_nitrous_oxide,
                ("served", "industrial", "plant"),
                "plant",
                "N2O",
                True,
            ),
        ),
    ),
    "landfill-balance": Term(
        "C_solid", (Product("ch4", equations.landfill_balance, _LANDFILL, "", "CH4"),)
    ),
    "landfill-decay": Term(
        "C_solid",
        (Product("ch4", equations.landfill_decay, (*_LANDFILL, "rate", "age"), "", "CH4"),),
    ),
    "incineration": Term(
        "C_solid",
        (
            Product(
                "co2",
                equations.burnt_carbon,
                ("dry", "carbon", "fossil", "oxidation"),
                "carbon",
                "CO2",
            ),
            *_BURNT,
        ),
        memo=(_BIOGENIC_WASTE,),
    ),
    "incineration-by-factor": Term(
        "C_solid",
        (Product("co2", equations.burnt_gas, _FACTOR, gas="CO2"), *_BURNT),
        memo=(_BIOGENIC_WASTE,),
    ),
    "land": Term(
        "A_j*Cl_j", (Product("land", equations.land_exchange, ("coefficient",), "coefficient"),)
    ),
    "water": Term(
        "A_j*Cl_j",
        (
            Product("land", equations.land_exchange, ("coefficient",), "coefficient", "", True),
            Product("ch4", equations.land_exchange, ("methane",), "methane", "CH4", True),
        ),
    ),
    "crop": Term(
        "ca*Y*(1-wc)/HI",
        (
            Product(
                "crop", equations.crop_carbon, ("water", "harvest_index", "rate"), "rate", "CO2"
            ),
        ),
        memo=(
            Product(
                "biogenic", equations.crop_carbon, ("water", "harvest_index", "rate"), "rate", "CO2"
            ),
        ),
    ),
    "crop-as-grain": Term(
        "ca*Y/HI",
        (
            Product(
                "crop", equations.crop_carbon_as_grain, ("harvest_index", "rate"), "rate", "CO2"
            ),
        ),
        memo=(
            Product(
                "biogenic", equations.crop_carbon_as_grain, ("harvest_index", "rate"), "rate", "CO2"
            ),
        ),
    ),
}
"""Terms by the name that ``data/inventory/methods.csv`` gives them."""
