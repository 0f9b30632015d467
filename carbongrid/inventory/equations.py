"""Equations 1 to 7: each term a function that reads like it.

A quantity may be a number, a Fraction, a NumPy array or a pint quantity: nothing here but +, -, x, / and, where a term has them, a
power or an exponential. Masses come out in what the factor is of (C, CO2, N2O-N ...): :func:`co2_of_carbon` and
:func:`nitrous_oxide_of_nitrogen` make gases of them, and only :func:`co2_equivalent` adds gases up. A function has as many
parameters as its term has factors.

| equation | functions |
| --- | --- |
| (1) net and gross | net_emission, gross_emission |
| (2) fuel n in branch m; product k | fuel_carbon, fuel_gas; product, product_less_recovered, product_by_share, glass; mine_gas, released |
| (3) gas, LPG; electricity, heat | fuel_carbon, fuel_gas; bought_energy |
| (4) freight, passengers, vehicles | transport_work |
| (5) plantation; husbandry | rice_methane, rice_by_season, soil_nitrogen, soil_nitrogen_after_loss, soil_carbon, upstream_input; animals |
| (6) wastewater; solid waste | industrial_wastewater, domestic_wastewater, effluent_nitrogen, plant_nitrous_oxide; landfill_balance, landfill_decay, burnt_carbon, burnt_gas |
| (7) land by type; crops by yield | land_exchange; crop_carbon, crop_carbon_as_grain |
| memo, in no total | fuel_carbon of biomass; burnt_biogenic_carbon; crop_carbon of what is given back |
"""

from __future__ import annotations

from typing import Any

import numpy as np

Quantity = Any
"""A number, a Fraction, an array of any shape or a pint quantity; what comes in decides what goes out."""


def gross_emission(
    industry: Quantity,
    buildings: Quantity,
    transport: Quantity,
    agriculture: Quantity,
    waste: Quantity,
) -> Quantity:
    """Return the gross emission: C_E + C_B + C_T + C_F + C_W, equation (1) without its sink."""
    return industry + buildings + transport + agriculture + waste


def net_emission(gross: Quantity, sink: Quantity) -> Quantity:
    """Return the net emission: gross - C_A, equation (1)."""
    return gross - sink


def co2_of_carbon(carbon: Quantity) -> Quantity:
    """Return the CO2 of a mass of carbon: x 44/12, exactly."""
    return carbon * 44 / 12


def nitrous_oxide_of_nitrogen(nitrogen: Quantity) -> Quantity:
    """Return the N2O of a mass of N2O-N: x 44/28, exactly."""
    return nitrogen * 44 / 28


def co2_equivalent(mass: Quantity, potential: Quantity) -> Quantity:
    """Return the CO2e of a mass of one gas: mass x GWP. The last step of all."""
    return mass * potential


def fuel_carbon(
    amount: Quantity, calorific_value: Quantity, carbon_content: Quantity, oxidation: Quantity
) -> Quantity:
    """Return the carbon of burnt fuel: Ef_mn * Cf_mn, with Cf = calorific value x carbon content x oxidation.

    Parameters
    ----------
    amount
        Fuel burnt: mass or volume; energy with a calorific value of 1.
    calorific_value
        Net, energy per amount.
    carbon_content
        Carbon (or CO2) per energy.
    oxidation
        Fraction of the carbon that burns.

    Notes
    -----
    First term of equation (2); terms 1 and 2 of equation (3).
    """
    return amount * calorific_value * carbon_content * oxidation


def fuel_gas(amount: Quantity, calorific_value: Quantity, factor: Quantity) -> Quantity:
    """Return the CH4 or N2O of burnt fuel: amount x calorific value x gas per energy; equations (2) to (4)."""
    return amount * calorific_value * factor


def product(amount: Quantity, factor: Quantity) -> Quantity:
    """Return the process emission of a product: Ep_k * Cp_k, second term of equation (2)."""
    return amount * factor


def product_less_recovered(amount: Quantity, factor: Quantity, recovered: Quantity) -> Quantity:
    """Return the process emission of ammonia: Ep * Cp - CO2 recovered for urea, which emits it where it is used; equation (2).

    References
    ----------
    2006 IPCC Guidelines, Vol. 3, Ch. 3, equation 3.1.
    """
    return amount * factor - recovered


def product_by_share(amount: Quantity, share: Quantity, factor: Quantity) -> Quantity:
    """Return the process emission where only a share of the product emits: cement by its clinker; equation (2)."""
    return amount * share * factor


def glass(amount: Quantity, factor: Quantity, cullet: Quantity) -> Quantity:
    """Return the process emission of glass, of which the cullet melts without: Ep * Cp * (1 - cullet); equation (2)."""
    return amount * factor * (1 - cullet)


def mine_gas(coal: Quantity, gas: Quantity, density: Quantity, recovered: Quantity) -> Quantity:
    """Return the CH4 that coal gives off where it is mined: coal x gas per coal x density - recovered; equation (2).

    References
    ----------
    2006 IPCC Guidelines, Vol. 2, Ch. 4, equations 4.1.1 and 4.1.7.
    """
    return coal * gas * density - recovered


def released(mass: Quantity, share: Quantity) -> Quantity:
    """Return a gas whose own mass is known: mass x its share of the mass, 1 for the gas itself; equation (2)."""
    return mass * share


def bought_energy(amount: Quantity, factor: Quantity) -> Quantity:
    """Return what bought electricity or heat emitted where it was made: Ee * Ce, last term of equation (3), scope 2."""
    return amount * factor


def transport_work(amount: Quantity, factor: Quantity) -> Quantity:
    """Return the emission of a mode: T_f * c_f, T_p * c_p or D_t * c_t, equation (4).

    Parameters
    ----------
    amount
        Freight (mass x distance), passengers (people x distance) or vehicles x distance.
    factor
        Gas per amount.
    """
    return amount * factor


def rice_methane(
    area: Quantity, days: Quantity, per_day: Quantity, water: Quantity, before: Quantity, straw: Quantity,
    straw_unit: Quantity, conversion: Quantity,
) -> Quantity:  # fmt: skip
    """Return the CH4 of a rice field: A x t x EFc x SFw x SFp x SFo, SFo = (1 + ROA x CFOA)^0.59; equation (5).

    Parameters
    ----------
    area, days
        Harvested area; days from sowing to harvest.
    per_day
        EFc, CH4 per area and day of a field that is always flooded, without organic amendment.
    water, before
        Scaling factors SFw of the water regime and SFp of the time before.
    straw, straw_unit
        ROA, mass of the amendment per area, and the t/ha in which the formula takes it.
    conversion
        CFOA of the amendment.

    References
    ----------
    2006 IPCC Guidelines, Vol. 4, Ch. 5, equations 5.1 to 5.3.
    """
    organic = (1 + straw / straw_unit * conversion) ** 0.59
    return area * days * per_day * water * before * organic


def rice_by_season(area: Quantity, factor: Quantity) -> Quantity:
    """Return the CH4 of a rice field by season: A x CH4 per area; equation (5)."""
    return area * factor


def soil_nitrogen(nitrogen: Quantity, factor: Quantity) -> Quantity:
    """Return the N2O-N that a field emits of the nitrogen put on it: N x EF1; equation (5)."""
    return nitrogen * factor


def soil_nitrogen_after_loss(nitrogen: Quantity, lost: Quantity, factor: Quantity) -> Quantity:
    """Return the N2O-N of nitrogen that left the field, as gas or by leaching: N x Frac x EF; equation (5)."""
    return nitrogen * lost * factor


def soil_carbon(amount: Quantity, factor: Quantity) -> Quantity:
    """Return the carbon of urea or lime put on fields: M x EF; equation (5)."""
    return amount * factor


def upstream_input(amount: Quantity, factor: Quantity) -> Quantity:
    """Return what making an input emitted: fertiliser, pesticide, film (D28); equation (5)."""
    return amount * factor


def animals(stock: Quantity, factor: Quantity) -> Quantity:
    """Return the CH4 or N2O of animals: stock x (enteric + manure), one factor at a time; equation (5)."""
    return stock * factor


def industrial_wastewater(
    cod: Quantity, sludge: Quantity, capacity: Quantity, correction: Quantity, recovered: Quantity
) -> Quantity:
    """Return the CH4 of industrial wastewater: (TOW - S) x Bo x MCF - R; equation (6).

    Parameters
    ----------
    cod, sludge
        COD treated or discharged; COD removed with sludge.
    capacity, correction
        Bo, CH4 per COD; MCF of the treatment.
    recovered
        CH4 flared or used.

    References
    ----------
    2006 IPCC Guidelines, Vol. 5, Ch. 6, equation 6.4.
    """
    return (cod - sludge) * capacity * correction - recovered


def domestic_wastewater(
    people: Quantity, bod: Quantity, days: Quantity, co_discharge: Quantity, capacity: Quantity, correction: Quantity,
    recovered: Quantity,
) -> Quantity:  # fmt: skip
    """Return the CH4 of domestic wastewater: P x BOD x days x I x Bo x MCF - R; equation (6).

    Parameters
    ----------
    people
        Residents.
    bod, days
        BOD per person and day; days of the year.
    co_discharge
        I, for industry that discharges into the same sewers.
    capacity, correction
        Bo, CH4 per BOD; MCF of the treatment.
    recovered
        CH4 flared or used.

    References
    ----------
    2006 IPCC Guidelines, Vol. 5, Ch. 6, equations 6.1 to 6.3.
    """
    return people * bod * days * co_discharge * capacity * correction - recovered


def effluent_nitrogen(
    people: Quantity,
    protein: Quantity,
    nitrogen: Quantity,
    non_consumed: Quantity,
    industrial: Quantity,
    factor: Quantity,
) -> Quantity:
    """Return the N2O-N of effluent: P x protein x F_NPR x F_NON-CON x F_IND-COM x EF; equation (6).

    References
    ----------
    2006 IPCC Guidelines, Vol. 5, Ch. 6, equations 6.7 and 6.8, without nitrogen removed with sludge.
    """
    return people * protein * nitrogen * non_consumed * industrial * factor


def plant_nitrous_oxide(
    people: Quantity, served: Quantity, industrial: Quantity, factor: Quantity
) -> Quantity:
    """Return the N2O of treatment plants: P x T_plant x F_IND-COM x EF; equation (6)."""
    return people * served * industrial * factor


def landfill_balance(
    waste: Quantity, correction: Quantity, carbon: Quantity, degradable: Quantity, methane: Quantity, recovered: Quantity,
    oxidised: Quantity,
) -> Quantity:  # fmt: skip
    """Return the CH4 of a year's waste, all of it at once: mass balance; equation (6).

    (MSW x MCF x DOC x DOCf x F x 16/12 - R) x (1 - OX).

    Parameters
    ----------
    waste, correction
        Waste put down this year; MCF of the site.
    carbon, degradable
        DOC, degradable carbon in the wet waste; DOCf, the fraction of it that degrades.
    methane
        F, the fraction of the gas that is CH4.
    recovered, oxidised
        CH4 flared or used; fraction oxidised in the cover.
    """
    return (waste * correction * carbon * degradable * methane * 16 / 12 - recovered) * (
        1 - oxidised
    )


def landfill_decay(
    waste: Quantity, correction: Quantity, carbon: Quantity, degradable: Quantity, methane: Quantity, recovered: Quantity,
    oxidised: Quantity, rate: Quantity, age: Quantity,
) -> Quantity:  # fmt: skip
    """Return the CH4 this year of waste put down in one year before: first-order decay; equation (6).

    The degradable carbon decays from the year after: of it (exp(-k (age - 1)) - exp(-k age)) in the year at ``age``, nothing at
    age 0.

    Parameters
    ----------
    waste, correction, carbon, degradable, methane, recovered, oxidised
        As for :func:`landfill_balance`.
    rate
        k, per year.
    age
        Years between the year of deposit and this one.

    References
    ----------
    2006 IPCC Guidelines, Vol. 5, Ch. 3, equations 3.2 to 3.6.
    """
    decayed = (_exp(-rate * (age - 1)) - _exp(-rate * age)) * (age >= 1)
    return (waste * correction * carbon * degradable * decayed * methane * 16 / 12 - recovered) * (
        1 - oxidised
    )


def burnt_carbon(
    waste: Quantity, dry: Quantity, carbon: Quantity, fossil: Quantity, oxidation: Quantity
) -> Quantity:
    """Return the fossil carbon of burnt waste: SW x dm x CF x FCF x OF; equation (6).

    References
    ----------
    2006 IPCC Guidelines, Vol. 5, Ch. 5, equation 5.1.
    """
    return waste * dry * carbon * fossil * oxidation


def burnt_biogenic_carbon(
    waste: Quantity, dry: Quantity, carbon: Quantity, fossil: Quantity, oxidation: Quantity
) -> Quantity:
    """Return the carbon of burnt waste that is of plants and animals: SW x dm x CF x (1 - FCF) x OF; beside equation (6), in no total."""
    return waste * dry * carbon * (1 - fossil) * oxidation


def burnt_gas(waste: Quantity, factor: Quantity) -> Quantity:
    """Return the CH4 or N2O of burnt waste, or its CO2 by one factor: SW x EF; equation (6)."""
    return waste * factor


def land_exchange(area: Quantity, coefficient: Quantity) -> Quantity:
    """Return what land gives off in a year: A_j * Cl_j, first term of equation (7); below 0 it takes up."""
    return area * coefficient


def crop_carbon(
    crop: Quantity, water: Quantity, harvest_index: Quantity, rate: Quantity
) -> Quantity:
    """Return the carbon that a crop took up: ca_x * Y_x * (1 - wc_x) / HI_x, second term of equation (7).

    Parameters
    ----------
    crop
        Yield, as weighed.
    water
        Water content of the yield.
    harvest_index
        Yield over the whole plant.
    rate
        Carbon per dry matter.
    """
    return rate * crop * (1 - water) / harvest_index


def crop_carbon_as_grain(crop: Quantity, harvest_index: Quantity, rate: Quantity) -> Quantity:
    """Return the carbon of a crop that stands in the yearbook as dry grain equivalent: tubers (D27); equation (7)."""
    return rate * crop / harvest_index


def _exp(exponent: Quantity) -> Quantity:
    """Return e to the exponent; a Fraction has no exact one and becomes a float."""
    return (
        np.exp(np.asarray(exponent, dtype=np.float64))[()]
        if not hasattr(exponent, "units")
        else np.exp(exponent)
    )
