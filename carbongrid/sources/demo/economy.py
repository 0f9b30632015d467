"""The city's figures: category totals, GDP, census, known facilities. Integers of the last printed digit throughout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from carbongrid.sources.demo.draws import Draws, Ints, Mask
from carbongrid.sources.demo.parcels import Parcels
from carbongrid.sources.demo.places import CellPicker, Codes, Points

MADE_UP = "made-up split of the study's row"
STUDY = "row of the Suzhou study (2023), Table 3"

TOTALS: tuple[tuple[str, str, str], ...] = (
    ("industry/mining", "130.46", f"{MADE_UP} industrial land 12430.46"),
    ("industry/manufacturing", "12300.00", f"{MADE_UP} industrial land 12430.46"),
    ("industry/supply", "6905.31", f"{STUDY}: municipal utilities"),
    ("buildings/urban-homes", "767.06", f"{STUDY}: urban residential land"),
    ("buildings/rural-homes", "537.13", f"{STUDY}: rural homestead"),
    ("buildings/commerce", "1030.09", f"{STUDY}: commercial and business land"),
    ("buildings/public-services", "548.48", f"{STUDY}: administration and public services land"),
    ("transport/road", "1231.44", f"{MADE_UP} transportation land 1421.44"),
    ("transport/rail", "50.00", f"{MADE_UP} transportation land 1421.44"),
    ("transport/water", "120.00", f"{MADE_UP} transportation land 1421.44"),
    ("transport/air", "20.00", f"{MADE_UP} transportation land 1421.44"),
    ("agriculture/plantation", "94.68", f"{STUDY}: cultivated and garden land"),
    ("agriculture/husbandry", "6.02", f"{STUDY}: agricultural land for facilities"),
    ("waste/industrial", "1.02", f"{STUDY}: industrial land"),
    ("waste/domestic", "287.28", f"{STUDY}: municipal utilities"),
    ("sink/crops", "71.96", f"{STUDY}: crops"),
    ("sink/land", "179.90", f"{STUDY}: forest, grassland, water and unused land"),
)
"""Category, value in 1e4 t CO2e, where it comes from."""

_CITY_GDP = 2_017_045
"""0.01 x 1e8 CNY, for a city of 12.7 million people."""

_CITY_PEOPLE = 12_748_262

_PLANTS = (
    ("industry/supply", "0809", "power plant", "热电厂", 690_531 * 52 // 100),
    ("industry/manufacturing", "0601", "steel works", "钢铁厂", 1_230_000 * 24 // 100),
)
"""Category, land use, names, and what all of them emit together, 0.01 x 1e4 t CO2e."""


def hundredths(value: int) -> str:
    """Write an integer of hundredths with two decimals."""
    return f"{value // 100}.{value % 100:02d}"


def shared_out(total: int, weights: Ints) -> Ints:
    """Return integer parts of the total in proportion to the weights; they add up exactly."""
    running = np.r_[0, np.cumsum(weights)]
    ends = [total * int(value) // int(running[-1]) for value in running]
    return np.diff(np.array(ends))


@dataclass(frozen=True)
class Facility:
    """A known emitter: index of its district, category, names, value (0.01 x 1e4 t CO2e) and place (decimetres)."""

    district: int
    category: str
    kind_en: str
    kind_zh: str
    value: int
    x: int
    y: int


def known_facilities(
    picker: CellPicker, parcels: Parcels, code: Codes, district: Ints, seed: int
) -> list[Facility]:
    """Return a power plant and a works per district, each on the largest fitting parcel."""
    draws = Draws(seed, "facilities")
    of_parcel = np.where(parcels.township >= 0, district[parcels.township], -1)
    districts = int(district.max()) + 1
    facilities = []
    for category, land_use, kind_en, kind_zh, total in _PLANTS:
        values = shared_out(total, draws.between(40, 160, districts))
        for number in range(districts):
            fitting = np.flatnonzero((code == land_use) & (of_parcel == number))
            by_size = fitting[np.argsort(-parcels.area[fitting], kind="stable")]
            point = picker.pick(by_size, np.zeros(by_size.size, dtype=np.int64), draws)
            facilities.append(
                Facility(
                    number,
                    category,
                    kind_en,
                    kind_zh,
                    int(values[number]),
                    int(point.x[0]),
                    int(point.y[0]),
                )
            )
    return sorted(facilities, key=lambda facility: (facility.district, facility.category))


def township_gdp(
    people: Ints, services: Ints, factories: Ints, seat: Mask, total_people: int, seed: int
) -> Ints:
    """Return GDP per township, 0.01 x 1e8 CNY: from residents, services and factories, with luck.

    Parameters
    ----------
    people, services, factories
        Tenths of residents, POIs of services and POIs of manufacturing, shape (townships,) each.
    seat
        Which townships are their district's seat; of the others one in nine is poor.
    total_people
        Size of the city.
    seed
        Of the city.
    """
    luck = Draws(seed, "gdp").between(80, 121, people.size)
    others = np.flatnonzero(~seat)
    poor = others[np.argsort(-people[others], kind="stable")][1::9]
    luck[poor] = luck[poor] * 2 // 5
    shares = (
        280 * people // max(int(people.sum()) // 1000, 1)
        + 370_000 * services // max(int(services.sum()), 1)
        + 350_000 * factories // max(int(factories.sum()), 1)
    )
    return shared_out(_CITY_GDP * total_people // _CITY_PEOPLE, shares * luck + 1)


def industries(gdp: Ints, seed: int) -> Ints:
    """Split districts' GDP into primary, secondary and tertiary industry, shape (districts, 3); rows add up."""
    draws = Draws(seed, "industries")
    primary = gdp * draws.between(6, 26, gdp.size) // 1000
    secondary = gdp * draws.between(400, 560, gdp.size) // 1000
    return np.column_stack((primary, secondary, gdp - primary - secondary))


def census(people: Ints, seed: int) -> Ints:
    """Return residents per district by a census, within 3 % of the points' sum (tenths)."""
    return people * Draws(seed, "census").between(970, 1031, people.size) // 10_000


def sums_by(place: Ints, values: Ints, count: int) -> Ints:
    """Add up values by place (below 0: nowhere), shape (count,)."""
    total = np.zeros(count, dtype=np.int64)
    np.add.at(total, place[place >= 0], values[place >= 0])
    return total


def townships_of(points: Points, parcels: Parcels) -> Ints:
    """Return the township of the parcel that each point is meant for."""
    return parcels.township[points.parcel]
