"""The tables beside a case file: what each is for and what its columns mean."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column: its name, the unit or kind of its cells, what it means, whether it must be there."""

    name: str
    unit: str
    meaning: str
    required: bool = False


@dataclass(frozen=True)
class TableFormat:
    """A table: the key that names it, an example's file name in the template, its columns."""

    key: str
    file: str
    purpose: str
    columns: tuple[Column, ...]


_REGION = "code of a unit or of one of its parents"

TABLES = (
    TableFormat(
        "[totals] path",
        "totals.csv",
        "Mass per category. A row without a region is the whole city; regions that are named share it out, and what they "
        "leave is spread over the rest. Regions that add up to more than the whole are an error.",
        (
            Column("category", "category", "which category", True),
            Column("value", "number", "mass per year, 0 or more; a sink is positive too", True),
            Column("unit", "unit of mass", "what one is: t CO2e, 10000 t CO2e, kt CO2, t C", True),
            Column("region", "code", f"{_REGION}; blank is the whole"),
            Column(
                "place",
                "word",
                "here (default), or elsewhere: reported and never spread; a category of scope 3 is elsewhere unless the row says here",
            ),
            Column("year", "year", "default: the year of the case; others are warned of"),
            Column("source", "text", "where the figure is from"),
        ),
    ),
    TableFormat(
        "[facilities] path",
        "facilities.csv",
        "Emitters known by name. They come off their category's total, and their mass goes to the parcel that holds them. One "
        "without coordinates is listed, and its mass stays in the total.",
        (
            Column("name", "text", "name", True),
            Column("category", "category", "category that its mass is part of", True),
            Column("value", "number", "mass per year, 0 or more", True),
            Column("unit", "unit of mass", "as in the totals", True),
            Column("x", "degree or m", "longitude or easting; blank if unknown"),
            Column("y", "degree or m", "latitude or northing; blank if unknown"),
            Column(
                "crs", "CRS", "of x and y, no default: gcj02, bd09, or a code such as EPSG:4490"
            ),
        ),
    ),
    TableFormat(
        "[gdp] path",
        "gdp.csv",
        'GDP with by = "unit", or of a parent as one figure. Blank is unknown, 0 is zero.',
        (
            Column("region", "code", "code of the unit, or of the parent that by names", True),
            Column("value", "currency", "0 or more, in units of currency", True),
        ),
    ),
    TableFormat(
        "[gdp] path, by a parent",
        "gdp_by_district.csv",
        "GDP of a parent by its three industries, which are spread over the land of each. Blank is unknown.",
        (
            Column("region", "code", "code of the parent that by names", True),
            Column("primary", "currency", "farming, forestry, fishing", True),
            Column("secondary", "currency", "industry and building", True),
            Column("tertiary", "currency", "services", True),
        ),
    ),
    TableFormat(
        "[people] census",
        "census.csv",
        "Residents per region, to which the people there are scaled. Blank is unknown.",
        (
            Column("region", "code", _REGION, True),
            Column("residents", "persons", "0 or more", True),
        ),
    ),
    TableFormat(
        "[categories] path",
        "categories.csv",
        "Categories of your own. A row whose category the package has replaces it, a blank cell keeping what was there; any "
        "other row adds a category and needs all cells but the names.",
        (
            Column("category", "category", "sector/activity", True),
            Column(
                "sector",
                "sector",
                "industry, buildings, transport, agriculture, waste, sink, or your own",
            ),
            Column("name_en", "text", "name in English"),
            Column("name_zh", "text", "name in Chinese"),
            Column(
                "scope",
                "1, 2 or 3",
                "1 emitted here, 2 by electricity and heat bought, 3 elsewhere",
            ),
            Column("sink", "true or false", "true for an uptake; its sector is then sink"),
            Column("types", "types", "territorial types that carry it, joined by +"),
            Column("weight", "weight", "what its mass is spread by"),
        ),
    ),
    TableFormat(
        "[lines] class_weights",
        "classes.csv",
        "What classes of lines weigh; rows replace those of the package or add to them.",
        (
            Column("class", "text", "class as in the lines", True),
            Column("weight", "1", "0 or more; 0 carries no motor traffic", True),
            Column("mode", "word", "road, rail, water or air", True),
        ),
    ),
    TableFormat(
        "[units] water",
        "water.csv",
        "How the mass of water in no unit is shared.",
        (
            Column("unit", "code", "code of a unit", True),
            Column("share", "1", "0 or more; divided by their sum", True),
        ),
    ),
    TableFormat(
        "[units] old_codes",
        "old_codes.csv",
        "Codes in the statistics of units that were merged since; their figures are added up.",
        (
            Column("old", "code", "code in the tables of figures", True),
            Column("new", "code", "code in the units", True),
        ),
    ),
    TableFormat(
        "[pois] path",
        "pois.csv",
        "POIs with coordinates; the names of these columns are those that [pois] gives.",
        (
            Column("lon", "degree or m", "x", True),
            Column("lat", "degree or m", "y", True),
            Column("typecode", "code", "type, as in the crosswalk", True),
            Column(
                "weight",
                "1",
                "what the POI counts, 0 or more, to a thousandth; read if [pois] weight names it",
            ),
        ),
    ),
    TableFormat(
        "[people] path",
        "people.csv",
        "People at points; the names of these columns are those that [people] gives.",
        (
            Column("lon", "degree or m", "x", True),
            Column("lat", "degree or m", "y", True),
            Column("residents", "persons", "0 or more, 0.001 at the least", True),
        ),
    ),
)
"""Tables that the template has an example of, in the order of the documentation."""

TABLES_WITHOUT_EXAMPLE = (
    TableFormat(
        "[parcels] code_system",
        "",
        "A land-use code system of your own.",
        (
            Column("code", "code", "code as in the parcels", True),
            Column("type", "type", "territorial type", True),
            Column("mode", "word", "road, rail, water or air, of transport land"),
            Column("name_en", "text", "name in English"),
            Column("name_zh", "text", "name in Chinese"),
        ),
    ),
    TableFormat(
        "[pois] crosswalk",
        "",
        "Which POI type is of which category.",
        (
            Column("poi_type", "code", "type as in the POIs", True),
            Column("category", "category", "category; blank for none", True),
            Column("weight", "number", "what a POI of the type counts; blank is 1"),
            Column("source", "text", "who measured that weight; needed where there is one"),
        ),
    ),
    TableFormat(
        "[inventory] sinks",
        "",
        "A set of sinks of your own; what it does not name is no sink.",
        (
            Column("activity", "word", "land/forest ..., or crop/* for all crops", True),
            Column("products", "words", "what counts: land, ch4, crop, joined by +", True),
            Column("source", "text", "who counts it so", True),
            Column("note", "text", "what to know of it"),
        ),
    ),
)
