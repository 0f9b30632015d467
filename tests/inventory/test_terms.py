"""Which products may be left out for want of a factor, and what counts elsewhere or upstream."""

from __future__ import annotations

from carbongrid.inventory.terms import TERMS


def test_what_has_no_factor_is_left_out_only_where_it_is_a_gas_beside_others() -> None:
    """Seen to fail when methane of fires was asked for; CO2, and the only gas of a term, always are."""
    optional = {
        (name, product.name)
        for name, term in TERMS.items()
        for product in term.products
        if product.optional
    }
    beside = {
        (name, gas)
        for name in ("fuel", "fuel-by-factor", "biomass", "incineration", "incineration-by-factor")
        for gas in ("ch4", "n2o")
    }
    of_animals = {("animals", name) for name in ("enteric", "manure-ch4", "manure-n2o")}
    of_water = {("domestic-wastewater", name) for name in ("n2o-effluent", "n2o-plant")}
    of_land = {("water", "land"), ("water", "ch4")}
    of_metal = {("aluminium", "cf4"), ("aluminium", "c2f6")}
    assert optional == beside | of_animals | of_water | of_land | of_metal | {("mine-gas", "after")}


def test_electricity_and_heat_are_of_scope_2_and_inputs_are_made_upstream() -> None:
    """Seen to fail when inputs were not upstream: the study's equation 5 would count them twice (D28)."""
    bought = {"electricity", "electricity-balance", "heat"}
    assert {name for name, term in TERMS.items() if term.scope == 2} == bought
    balance = {"electricity-balance", "electricity-flow"}
    assert {name for name, term in TERMS.items() if term.balance} == balance
    assert {name for name, term in TERMS.items() if term.upstream} == {"input"}
