"""Earlier years of the city, a plan and a table of limits: all of it made up, from the city's own numbers."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from carbongrid.method.landuse import read_code_system
from carbongrid.sources.demo.city import City
from carbongrid.sources.demo.draws import Draws, Ints
from carbongrid.sources.demo.economy import TOTALS, hundredths, sums_by, townships_of
from carbongrid.sources.demo.plan import CRS, METRE
from carbongrid.sources.demo.tables import TOTAL_UNIT, Rows, facility_rows

EARLIER = (2015, 2018)
"""Years before that of the city itself."""

MADE_UP = "made up for the demo: {permille} per mille of the total of 2020"

_TOTALS: Mapping[str, tuple[int, int]] = {
    "industry/mining": (1150, 1060),
    "industry/manufacturing": (880, 1040),
    "industry/supply": (940, 1030),
    "buildings/urban-homes": (800, 930),
    "buildings/rural-homes": (1070, 1020),
    "buildings/commerce": (760, 930),
    "buildings/public-services": (850, 950),
    "transport/road": (720, 910),
    "transport/rail": (820, 940),
    "transport/water": (900, 980),
    "transport/air": (600, 880),
    "agriculture/plantation": (1080, 1030),
    "agriculture/husbandry": (1240, 1090),
    "waste/industrial": (950, 1010),
    "waste/domestic": (780, 920),
    "sink/crops": (1060, 1020),
    "sink/land": (1030, 1010),
}
"""Per mille of the total of the city's own year, by earlier year; facilities go with their category."""

_GDP: Mapping[int, tuple[int, int]] = {2015: (620, 780), 2018: (850, 960)}
_PEOPLE: Mapping[int, tuple[int, int]] = {2015: (930, 980), 2018: (970, 998)}
"""Per mille, drawn for each township and district."""

_LAND: Mapping[str, tuple[str, int]] = {
    "0601": ("0103", 60),
    "0701": ("0103", 60),
    "05H1": ("0103", 40),
    "0301": ("0103", 30),
    "1104": ("0101", 60),
}
"""Land use today: what some parcels were, and of how many per mille that was so in 2015; of half of them in 2018 as well."""


def earlier_totals(year: int) -> Rows:
    """Return the city's totals of an earlier year."""
    rows: Rows = [("category", "value", "unit", "year", "source")]
    for name, value, _ in TOTALS:
        permille = _permille(name, year)
        made = hundredths(_hundredths(value) * permille // 1000)
        rows.append((name, made, TOTAL_UNIT, str(year), MADE_UP.format(permille=permille)))
    return rows


def earlier_facilities(city: City, year: int) -> Rows:
    """Return the known emitters of an earlier year."""
    header, *rows = facility_rows(city)
    found: Rows = [header]
    for row in rows:
        made = _hundredths(row[2]) * _permille(row[1], year) // 1000
        found.append((*row[:2], hundredths(made), *row[3:]))
    return found


def earlier_gdp(city: City, year: int, seed: int) -> Rows:
    """Return GDP per township, in prices of the city's own year."""
    names = city.names
    part = Draws(seed, f"gdp of {year}").between(*_GDP[year], len(names.code))
    values = [hundredths(int(value)) for value in city.gdp * part // 1000]
    rows: Rows = [("region", "value", "name_zh", "name_en")]
    rows += sorted(zip(names.code, values, names.name_zh, names.name_en, strict=True))
    return rows


def earlier_census(city: City, year: int, seed: int) -> Rows:
    """Return residents per district, to which the points of people are scaled."""
    names = city.names
    part = Draws(seed, f"census of {year}").between(*_PEOPLE[year], len(names.district_code))
    people = [str(int(count)) for count in city.census * part // 1000]
    rows: Rows = [("region", "residents", "name_zh", "name_en")]
    rows += list(zip(names.district_code, people, names.district_zh, names.district_en, strict=True))  # fmt: skip
    return rows


def earlier_parcels(city: City, parcels: gpd.GeoDataFrame, year: int, seed: int) -> gpd.GeoDataFrame:  # fmt: skip
    """Return the parcels with the land use that some had, but for those with a known emitter."""
    code = np.array(parcels["DLBM"].tolist())
    drawn = Draws(seed, "land of earlier years").below(1000, len(parcels))
    drawn[_with_facility(city, parcels)] = 1000
    before = code.copy()
    for now, (was, chance) in _LAND.items():
        before[(code == now) & (drawn < (chance if year == EARLIER[0] else chance // 2))] = was
    system = read_code_system("tdland3")
    name_of = dict(zip(system["code"], system["name_zh"], strict=True))
    return parcels.assign(DLBM=before.tolist(), DLMC=[name_of[each] for each in before.tolist()])


def _with_facility(city: City, parcels: gpd.GeoDataFrame) -> NDArray[np.int64]:
    east, north = city.plan.origin
    points = [shapely.Point((each.x + east) / METRE, (each.y + north) / METRE) for each in city.facilities]  # fmt: skip
    found: NDArray[np.int64] = parcels.sindex.query(points, predicate="intersects")[1]
    return found


def _permille(category: str, year: int) -> int:
    return _TOTALS[category][EARLIER.index(year)]


def _hundredths(text: str) -> int:
    return int(text.replace(".", ""))


def plan_text(city: City) -> str:
    """Return a plan of six actions on the city's own year."""
    names = city.names
    works = min((each for each in city.facilities if each.kind_en == "steel works"), key=lambda each: each.value)  # fmt: skip
    name = f"{names.district_en[works.district]} {works.kind_en}"
    (row,) = (row for row in facility_rows(city) if row[0] == name)
    people = sums_by(townships_of(city.people, city.parcels), city.residents, len(names.code))
    fields = sums_by(city.parcels.township, (city.code == "0103").astype(np.int64), len(names.code))
    crowded, rural, poor = _largest(people), _largest(fields), _largest(-city.gdp)
    return f"""\
# What if? Six actions on the city of 2020, made up as the city is: carbongrid scenario run case/plan.toml --out run-plan
reference = "floating"           # zones are told first with the region following the plan; "frozen": with the region as it was

[[action]]                       # the total of supply; its plants are given by mass and keep theirs
do = "scale"
category = "industry/supply"
factor = 0.9

[[action]]                       # a works closes, and its mass goes
do = "remove"
facility = "{name}"

[[action]]                       # another comes to its place
do = "add"
facility = "Wind parts works"
category = "industry/manufacturing"
mass = "300 kt CO2e"
x = {row[4]}
y = {row[5]}
crs = "{row[6]}"

[[action]]                       # dry fields of {names.name_en[rural]} become forest
do = "convert"
units = ["{names.code[rural]}"]
code = "0103"
to = "0301"
emission = "remove"

[[action]]                       # buildings of {names.name_en[crowded]}
do = "scale"
category = "buildings/*"
units = ["{names.code[crowded]}"]
factor = 0.8

[[action]]                       # and {names.name_en[poor]} earns more
do = "gdp"
units = ["{names.code[poor]}"]
factor = 1.05
"""


def _largest(values: Ints) -> int:
    return int(np.argmax(values))


def limit_rows() -> Rows:
    """Return the table of limits: what a plan may cut, convert and raise, and what it may not touch; costs are made up."""
    return [
        ("do", "unit", "category", "from", "to", "most", "measured_in", "cost", "polygons"),
        ("cut", "*", "industry/*", "", "", "98", "%", "100", ""),
        ("cut", "*", "buildings/*", "", "", "90", "%", "300", ""),
        ("cut", "*", "transport/*", "", "", "90", "%", "400", ""),
        ("convert", "*", "", "0103", "0301", "80", "%", "900", ""),
        ("convert", "*", "", "0101", "0301", "20", "%", "1500", ""),
        ("gdp", "*", "", "", "", "2", "%", "50000000", ""),
        ("keep", "", "", "", "", "", "", "", RED_LINES),
    ]


RED_LINES = "red-lines.gpkg"


def red_lines(city: City) -> gpd.GeoDataFrame:
    """Return the shore of the great lake, which no plan may convert: an octagon around it."""
    (x, y), (wide, high) = city.plan.lake, city.plan.lake_radius
    east, north = city.plan.origin
    corners = ((8, 3), (3, 8), (-3, 8), (-8, 3), (-8, -3), (-3, -8), (3, -8), (8, -3))
    ring = [((east + 100 * x) / METRE + 10 * wide * a / 6, (north + 100 * y) / METRE + 10 * high * b / 6) for a, b in corners]  # fmt: skip
    return gpd.GeoDataFrame({"name": ["shore of the great lake"]}, geometry=[shapely.Polygon(ring)], crs=CRS)  # fmt: skip
