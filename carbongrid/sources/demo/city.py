"""Puts the city together, in memory: all of its parts, still in integers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from carbongrid.sources.demo.codes import land_use_codes
from carbongrid.sources.demo.draws import Ints
from carbongrid.sources.demo.economy import (
    Facility,
    census,
    industries,
    known_facilities,
    sums_by,
    township_gdp,
    townships_of,
)
from carbongrid.sources.demo.landscape import Landscape, Towns, make_landscape
from carbongrid.sources.demo.lattice import make_lattice, smoothed
from carbongrid.sources.demo.names import Names, name_places
from carbongrid.sources.demo.networks import Line, harbour_channels, lay_lines
from carbongrid.sources.demo.parcels import Parcels, make_parcels
from carbongrid.sources.demo.places import CellPicker, Codes, Points, place_people, place_pois
from carbongrid.sources.demo.plan import Plan
from carbongrid.sources.demo.ribbons import lay_ribbons
from carbongrid.sources.demo.zones import Zone, make_zones

_ROUNDS = 2
"""Of smoothing of the borders."""


@dataclass(frozen=True)
class City:
    """The synthetic city; coordinates in decimetres from the plan's origin.

    Parameters
    ----------
    plan
        Its settings.
    nodes
        Nodes of the mesh.
    towns, names
        Townships and districts.
    parcels, code
        Parcels and their land use.
    pois, poi_types
        Points of interest.
    people, residents
        Points of residents, tenths of a person each.
    lines
        Roads, railways, harbour channels.
    facilities
        Known emitters.
    gdp, industries, census
        Per township; per district and industry; per district.
    """

    plan: Plan
    nodes: tuple[Ints, Ints]
    towns: Towns
    names: Names
    parcels: Parcels
    code: Codes
    pois: Points
    poi_types: Codes
    people: Points
    residents: Ints
    lines: list[Line]
    facilities: list[Facility]
    gdp: Ints
    industries: Ints
    census: Ints


def build_city(plan: Plan, seed: int) -> City:
    """Return the city of a plan and a seed."""
    lattice = make_lattice(plan, seed)
    land = make_landscape(plan, lattice, seed)
    zoning = make_zones(plan, lattice, land, seed)
    ribbons = lay_ribbons(lattice, land, zoning.zone == Zone.AIRPORT, seed)
    parcels = make_parcels(lattice, land, zoning, ribbons, seed)
    code = land_use_codes(parcels, land, seed)
    border = np.pad(parcels.label * (land.towns.x.size + 2) + parcels.territory + 1, 1)
    nodes = smoothed(
        lattice,
        border[1:, 1:-1] != border[:-1, 1:-1],
        border[1:-1, 1:] != border[1:-1, :-1],
        _ROUNDS,
    )
    picker = CellPicker(lattice, nodes, parcels)
    pois, poi_types = place_pois(picker, parcels, code, seed)
    urban = parcels.mean(land.urban)
    people, residents = place_people(picker, parcels, code, (urban, plan.people), seed)
    lines = lay_lines(lattice, nodes, ribbons, parcels, seed)
    lines += harbour_channels(nodes, parcels, land)
    facilities = known_facilities(picker, parcels, code, land.towns.district, seed)
    figures = _figures(plan, land, parcels, (pois, poi_types, people, residents), seed)
    return City(
        plan,
        nodes,
        land.towns,
        name_places(land.towns, seed),
        parcels,
        code,
        pois,
        poi_types,
        people,
        residents,
        lines,
        facilities,
        *figures,
    )


def _figures(
    plan: Plan,
    land: Landscape,
    parcels: Parcels,
    places: tuple[Points, Codes, Points, Ints],
    seed: int,
) -> tuple[Ints, Ints, Ints]:
    """Return GDP per township, industries per district and census per district."""
    pois, types, people, residents = places
    district = land.towns.district
    count, districts = district.size, int(district.max()) + 1
    town_of_poi = townships_of(pois, parcels)
    town_of_people = townships_of(people, parcels)
    group = types.astype("<U2")
    services = np.isin(group, ("05", "06", "10", "12", "13", "14", "16"))
    factories = group == "17"
    gdp = township_gdp(
        sums_by(town_of_people, residents, count),
        sums_by(town_of_poi, services.astype(np.int64), count),
        sums_by(town_of_poi, factories.astype(np.int64), count),
        land.towns.seat,
        plan.people,
        seed,
    )
    by_district = sums_by(district, gdp, districts)
    people_by_district = sums_by(
        np.where(town_of_people >= 0, district[town_of_people], -1), residents, districts
    )
    return gdp, industries(by_district, seed), census(people_by_district, seed)
