"""A case of a few squares whose every figure can be worked out on paper."""

from __future__ import annotations

import geopandas as gpd
import shapely

EAST, NORTH, CRS = 40_500_000, 3_450_000, "EPSG:4528"

CASE = """
year = 2020
reduce = "exact"
[grid]
crs = "EPSG:4528"
resolution = 10
coarse = 1000
[parcels]
path = "parcels.gpkg"
id = "BSM"
land_use = "DLBM"
code_system = "tdland3"
area_field = "TBDLMJ"
[units]
path = "townships.gpkg"
id = "code"
parents = ["district"]
water = "nearest"
[pois]
path = "pois.csv"
x = "x"
y = "y"
crs = "EPSG:4528"
type = "typecode"
crosswalk = "gaode"
[people]
path = "people.csv"
x = "x"
y = "y"
crs = "EPSG:4528"
count = "residents"
census = "census.csv"
[lines]
path = "lines.gpkg"
class = "class"
lambda = 0.5
[totals]
path = "totals.csv"
[categories]
path = "categories.csv"
[allow]
fallback = ["industry/mining"]
outside = ["sink/water"]
[facilities]
path = "facilities.csv"
[gdp]
path = "gdp.csv"
by = "unit"
currency = "1e8 CNY"
"""

PARCELS = [  # id, code, west, south, east, north
    ("01", "0601", 0, 0, 400, 400),  # industrial, in a
    ("02", "0601", 900, 0, 1300, 400),  # industrial, a quarter in a
    ("03", "0101", 2000, 0, 3000, 500),  # cultivated, in c
    ("04", "0701", 1300, 0, 1700, 400),  # urban homes, in b
    ("05", "0702", 1700, 0, 1900, 400),  # rural homes, in b
    ("06", "1003", 0, 400, 400, 500),  # road, in a
    ("07", "1003", 400, 400, 1000, 500),  # road, in a
    ("08", "1102", 2500, 500, 3500, 1000),  # lake, half outside of every unit
    ("09", "0301", 0, 500, 1000, 1000),  # forest, in a
    ("10", "0301", 1000, 500, 2000, 1000),  # forest, in b
    ("11", "1007", 2000, 500, 2500, 1000),  # airport, in c
]
UNITS = [("0101", "01", 0, 1000), ("0102", "01", 1000, 2000), ("0201", "02", 2000, 3000)]
LINES = [  # class, dual, points
    ("primary", 0, [(0, 450), (400, 450)]),  # 400 m in 06, touches 07
    ("primary", 1, [(400, 450), (1000, 450)]),  # 600 m in 07, counts half
    ("primary", 0, [(800, 520), (900, 520)]),  # 100 m beside 07, brought there
    ("footway", 0, [(0, 460), (400, 460)]),  # no claim
    ("primary", 0, [(400, 400), (400, 500)]),  # 100 m on the border of 06 and 07: to 06
]
TABLES = {
    "pois.csv": ["x,y,typecode"],
    "people.csv": [
        "x,y,residents",
        "1400,100,10",
        "1500,100,30",
        "1800,100,20",
        "1950,100,5",
        "2600,450,7",
    ],
    "census.csv": ["region,residents", "01,130"],
    "totals.csv": [
        "category,value,unit,region,place",
        "industry/manufacturing,110,t CO2e,,",
        "industry/manufacturing,999,t CO2e,,elsewhere",
        "industry/mining,32,t CO2,,",
        "buildings/urban-homes,8,t CO2e,,here",
        "buildings/rural-homes,2,t CO2e,,",
        "buildings/homes,13,t CO2e,,",
        "transport/road,0.02,kt CO2e,,",
        "transport/air,4,t CO2e,,",
        "agriculture/plantation,3,t C,,",
        "sink/forest,6,t CO2e,,",
        "sink/forest,4,t CO2e,0102,",
        "sink/water,1,t CO2e,,",
    ],
    "categories.csv": [
        "category,sector,name_en,name_zh,scope,sink,types,weight",
        "buildings/homes,buildings,Homes,居民生活,2,false,urban-residential+rural-homestead,people",
    ],
    "facilities.csv": [
        "name,category,value,unit,x,y,crs",
        "works,industry/manufacturing,10,t CO2e,2500,100,EPSG:4528",
    ],
    "gdp.csv": ["region,value", "0101,3", "0102,1", "0201,"],
}
POIS = [  # x, y, typecode
    *((50 * i, 50, "170300") for i in (1, 2, 3)),  # in 01
    (1000, 100, "170300"),  # in 02
    (1000, 450, "170300"),  # 50 m from 02
    (1000, 900, "170300"),  # far from all industry: dropped
    (200, 690, "150700"),  # 240 m from the road: the 140 m within 250 m lie in 06
]


def write_tiny_case(folder):
    squares = [
        shapely.box(EAST + w, NORTH + s, EAST + e, NORTH + n) for _, _, w, s, e, n in PARCELS
    ]
    parcels = gpd.GeoDataFrame(
        {
            "BSM": [row[0] for row in PARCELS],
            "DLBM": [row[1] for row in PARCELS],
            "TBDLMJ": shapely.area(squares),
        },
        geometry=squares,
        crs=CRS,
    )
    parcels.iloc[::-1].to_file(folder / "parcels.gpkg")
    units = gpd.GeoDataFrame(
        {"code": [row[0] for row in UNITS], "district": [row[1] for row in UNITS]},
        geometry=[shapely.box(EAST + w, NORTH, EAST + e, NORTH + 1000) for _, _, w, e in UNITS],
        crs=CRS,
    )
    units.to_file(folder / "townships.gpkg")
    lines = gpd.GeoDataFrame(
        {"class": [row[0] for row in LINES], "dual": [row[1] for row in LINES]},
        geometry=[shapely.LineString([(EAST + x, NORTH + y) for x, y in row[2]]) for row in LINES],
        crs=CRS,
    )
    lines.to_file(folder / "lines.gpkg")
    tables = dict(TABLES)
    tables["pois.csv"] = [*tables["pois.csv"], *(f"{x},{y},{kind}" for x, y, kind in POIS)]
    for name, rows in tables.items():
        (folder / name).write_text("\n".join(shifted(name, rows)) + "\n", "utf-8")
    (folder / "case.toml").write_text(CASE, "utf-8")
    return folder / "case.toml"


def shifted(name, rows):
    """Bring x and y of a table's rows from the drawing to the plane of EPSG:4528."""
    header = rows[0].split(",")
    if "x" not in header:
        return rows
    x, y = header.index("x"), header.index("y")
    moved = [rows[0]]
    for row in rows[1:]:
        cells = row.split(",")
        cells[x], cells[y] = str(EAST + int(cells[x])), str(NORTH + int(cells[y]))
        moved.append(",".join(cells))
    return moved
