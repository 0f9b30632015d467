"""The tables that a user hands in: each column's kind, unit and meaning, declared once.

Readers, messages, the example tables and docs/case.md follow these declarations (docs/decisions/0050).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from carbongrid.method.landuse import MODES

Kind = Literal["text", "code", "id", "word", "number", "coordinate", "year", "mass", "unit of mass"]
"""What a cell holds, and so how it is read.

text
    Any text; a known one where the reader is given those that are known.
code
    Text that may begin with zeros, which a workbook's number has lost.
id
    Text that is looked up in another table; a workbook may hold it as a whole number.
word
    One of ``words``.
number, coordinate
    A decimal, exactly as written; a number is 0 or more.
year
    Four digits.
mass, unit of mass
    Two cells that are read together, to whole grams.
"""

HERE, ELSEWHERE = "here", "elsewhere"
"""Places of a total: spread, or reported and never spread."""

GUESS = "guess"
"""Basis of a total that is no figure of the place (docs/decisions/0098)."""

BY_AREA, PER_HEAD = "area times the study's coefficient", "world mean per head"
"""How the source of a guess begins that the package makes; a colon and its details follow."""

UNCERTAIN = ("totals", "weights", "sinks", "gdp")
"""What draws are made of."""

PERSONS = "persons"
"""Unit of counts of people, who are whole in a table that a person wrote."""

BASES = ("measured", "read", "recalled", "assumed")
"""How an uncertainty is known."""


@dataclass(frozen=True)
class Limit:
    """The most that a number may be, what is said of more than that, and the way out."""

    most: int
    what: str
    hint: str = "Check the number."


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    name
        In the header.
    kind
        How its cells are read.
    meaning
        For the documentation.
    required
        Whether it must be there; its cells are then filled, unless ``blank`` says otherwise.
    unit
        For the documentation; by default the kind.
    blank
        Whether a cell may be blank; by default where the column is not required.
    noun
        How messages call a cell; by default the name.
    hint
        The way out of a blank cell.
    otherwise
        The way out of an unknown text that is like none that is known; by default some of the known.
    words
        Those that a cell may hold; by default what the reader is given, if anything.
    limit
        Of a number.
    """

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    unit: str = ""
    blank: bool | None = None
    noun: str = ""
    hint: str = ""
    otherwise: str = ""
    words: tuple[str, ...] = ()
    limit: Limit | None = None

    @property
    def may_be_blank(self) -> bool:
        """Whether a cell may be blank."""
        return not self.required if self.blank is None else self.blank

    @property
    def called(self) -> str:
        """How messages call a cell."""
        return self.noun or self.name


@dataclass(frozen=True)
class TableFormat:
    """A table: the key that names it, an example's file name in the template, its columns.

    ``once`` names a column of which each cell stands in one row.
    """

    key: str
    file: str
    purpose: str
    columns: tuple[Column, ...]
    once: str = ""

    def names(self, kind: Kind | None = None, *, required: bool = False) -> tuple[str, ...]:
        """Return the names of the columns, or of those of a kind, or of those that must be there."""
        return tuple(
            column.name
            for column in self.columns
            if kind in (None, column.kind) and column.required >= required
        )

    def column(self, name: str) -> Column:
        """Return the column of a name."""
        return next(column for column in self.columns if column.name == name)


_REGION = "code of a unit or of one of its parents"

MAX_PEOPLE = 10**11
"""More than this in a row or a cell is no count of people; sums of thousandths stay far below 2^63."""

_TOO_LARGE = Limit(10**13 - 1, "{text} is too large")
_TOO_MANY = Limit(
    MAX_PEOPLE, "{text} people are more than any place holds; at most {most:,} may stand in a row"
)
_TOO_HEAVY = Limit(
    10**9,
    "a POI of weight {text}: at most {most:,} may stand in a row",
    "Give the weights in a larger unit.",
)

LINE_WEIGHT = Column(
    "weight",
    "number",
    "what a line counts instead of its class's weight",
    limit=Limit(10**7, "{text} is more than passes anywhere in a day; at most {most:,}"),
)
"""Of the column of the lines that ``[lines] weight`` names."""

_FULL_RANGE = Limit(1000, "{text} % is more than any half-width that a lognormal number needs")
_TOO_WIDE = Limit(5, "{text} is a factor of more than 10,000 either way at 95 %")


def _half_width(of: str) -> Column:
    meaning = f"half of the 95 % interval of {of}; blank: the default of `[uncertainty]`. Only probabilities are made of it"
    return Column("uncertainty", "number", meaning, unit="%", limit=_FULL_RANGE)


_YEAR = Column("year", "year", "default: the year of the case; others are warned of")

# A column a line, so that the tables can be read as such.
# fmt: off
TOTALS = TableFormat(
    "[totals] path", "totals.csv",
    "Mass per category. A row without a region is the whole city; regions that are named share it out, and what they leave is spread "
    "over the rest. Regions that add up to more than the whole are an error. Without a row of the whole, regions that have none get nothing, which is told.",
    (
        Column("category", "text", "which category", True, unit="category"),
        Column("value", "mass", "mass per year, 0 or more; a sink is positive too", True, unit="number"),
        Column("unit", "unit of mass", "what one is: t CO2e, 10000 t CO2e, kt CO2, t C", True),
        Column("region", "id", f"{_REGION}; blank is the whole", unit="code"),
        Column("place", "word", "here (default), or elsewhere: reported and never spread; a category of scope 3 is elsewhere unless the row says here", words=(HERE, ELSEWHERE)),
        _YEAR,
        Column("source", "text", "where the figure is from"),
        Column("basis", "word", "guess: no figure of this place, but a mean of other places; `check`, the run, its ledger and report say how much rests on such rows. Blank: a figure", words=(GUESS,)),
        _half_width("value"),
    ),
)
FACILITIES = TableFormat(
    "[facilities] path", "facilities.csv",
    "Emitters known by name. They come off their category's total, and their mass goes to the parcel that holds them. One without "
    "coordinates is listed, and its mass stays in the total. Each row fills one of value, share and capacity; what they leave of the total is "
    "spread by the category's rule, and capacities leave nothing.",
    (
        Column("name", "text", "name", True, hint="Give each facility a name."),
        Column("category", "text", "category that its mass is part of", True, unit="category"),
        Column("value", "mass", "mass per year, 0 or more", unit="number"),
        Column("unit", "unit of mass", "of value, as in the totals"),
        Column("share", "number", "of the category's total, instead of a value", unit="%", limit=Limit(100, "{text} % is more than the whole category")),
        Column("capacity", "number", "weight by which the facilities that have one share what is left of the category", unit="capacity_unit"),
        Column("capacity_unit", "text", "what capacity counts, such as MW or t a day; one for all of a category", noun="unit of the capacity"),
        Column("x", "coordinate", "longitude or easting; blank if unknown", unit="degree or m"),
        Column("y", "coordinate", "latitude or northing; blank if unknown", unit="degree or m"),
        Column("crs", "text", "of x and y, no default: gcj02, bd09, or a code such as EPSG:4490", unit="CRS"),
        Column("place_uncertainty_m", "number", "how far it may lie from x and y; units within that distance are told of", unit="m", noun="uncertainty of place"),
        _half_width("its mass, which is then drawn by itself and no longer with its category's total"),
    ),
)
GDP = TableFormat(
    "[gdp] path", "gdp.csv",
    'GDP with by = "unit", or of a parent as one figure. Blank is unknown, 0 is zero. Counted in whole units of the currency (CNY, EUR): figures of which rounding moves more than 1 %, or takes one to 0, are refused.',
    (
        Column("region", "id", "code of the unit, or of the parent that by names", True, unit="code", hint="Write its code."),
        Column("value", "number", "0 or more, in units of currency", True, unit="currency", blank=True),
        _YEAR,
        _half_width("value"),
    ),
    once="region",
)
GDP_BY_INDUSTRY = TableFormat(
    "[gdp] path, by a parent", "gdp_by_district.csv",
    "GDP of a parent by its three industries, which are spread over the land of each. Blank is unknown.",
    (
        Column("region", "id", "code of the parent that by names", True, unit="code", hint="Write its code."),
        Column("primary", "number", "farming, forestry, fishing", True, unit="currency", blank=True),
        Column("secondary", "number", "industry and building", True, unit="currency", blank=True),
        Column("tertiary", "number", "services", True, unit="currency", blank=True),
        Column("value", "number", "the three together; where it is filled it is held against them, and they count; it cannot stand alone", unit="currency"),
        _YEAR,
        _half_width("the three together"),
    ),
    once="region",
)
UNCERTAINTY = TableFormat(
    "[uncertainty] path", "uncertainty.csv",
    "How uncertain numbers are, for `carbongrid probability`. The first row that fits counts, rows here before those of the package; a blank number is 0, which is exact.",
    (
        Column("source", "word", "what is drawn", True, words=UNCERTAIN),
        Column("of", "text", "whom the row is for, with * for any text: categories of totals; types of land or categories of sinks; categories or weight rules of weights; of gdp unit, or the parent column that by names", True),
        Column("percent", "number", "half of the 95 % interval of totals, coefficients of sinks and gdp", unit="%", limit=_FULL_RANGE),
        Column("sigma", "number", "of weights: standard deviation of the logarithm of a parcel's claim about its weight", unit="1", limit=_TOO_WIDE),
        Column("tau", "number", "of weights: the same of a factor that the parcels of a unit share", unit="1", limit=_TOO_WIDE),
        Column("group", "text", "what is of one group shares a draw"),
        Column("basis", "word", "how it is known; default assumed", words=BASES),
        Column("origin", "text", "where it is from"),
    ),
)
CENSUS = TableFormat(
    "[people] census", "census.csv",
    "Residents per region, to which the people there are scaled. Blank, or without a row, is unknown: people there keep the count of points or cells, which is told. Of regions one level; only a 0 may lie in another, whose people are then in the rest of it.",
    (
        Column("region", "id", _REGION, True, unit="code", hint="Write its code."),
        Column("residents", "number", "0 or more", True, unit=PERSONS, blank=True, limit=_TOO_LARGE),
        _YEAR,
    ),
    once="region",
)
CATEGORIES = TableFormat(
    "[categories] path", "categories.csv",
    "Categories of your own. A row whose category the package has replaces it, a blank cell keeping what was there; any other row "
    "adds a category and needs all cells but the names; one that has no total is told.",
    (
        Column("category", "text", "sector/activity", True, unit="category"),
        Column("sector", "text", "industry, buildings, transport, agriculture, waste, sink, or your own", unit="sector"),
        Column("name_en", "text", "name in English"),
        Column("name_zh", "text", "name in Chinese"),
        Column("scope", "text", "1 emitted here, 2 by electricity and heat bought, 3 elsewhere", unit="1, 2 or 3"),
        Column("sink", "text", "true for an uptake; its sector is then sink", unit="true or false"),
        Column("types", "text", "territorial types that carry it, joined by +", unit="types"),
        Column("weight", "text", "what its mass is spread by", unit="weight"),
        Column("inside", "text", "a raster that its mass follows inside each parcel, whatever weighs the parcels; blank: that of a weight by raster, else none", unit="raster:PATH"),
    ),
)
CLASS_WEIGHTS = TableFormat(
    "[lines] class_weights", "classes.csv",
    "What classes of lines weigh; rows replace those of the package or add to them. Lines that weigh as in the package's table beside ones of this table are told, with how both compare.",
    (
        Column("class", "text", "class as in the lines", True),
        Column("weight", "number", "0 or more, what a metre counts: of roads the vehicles a day, as in the package's table; 0 carries no motor traffic", True, unit="1"),
        Column("mode", "word", "road, rail, water or air", True, words=MODES),
    ),
    once="class",
)
WATER = TableFormat(
    "[units] water", "water.csv",
    "How the mass of water in no unit is shared.",
    (
        Column("unit", "id", "code of a unit", True, unit="code", hint="Write its code."),
        Column("share", "number", "0 or more, to a millionth; divided by their sum", True, unit="1", limit=_TOO_LARGE),
    ),
    once="unit",
)
OLD_CODES = TableFormat(
    "[units] old_codes", "old_codes.csv",
    "Codes in the statistics of units that were merged since; their figures are added up.",
    (
        Column("old", "id", "code in the tables of figures", True, unit="code", noun="old code"),
        Column("new", "id", "code in the units", True, unit="code", noun="code"),
    ),
    once="old",
)
POIS = TableFormat(
    "[pois] path", "pois.csv",
    "POIs with coordinates; the names of these columns are those that [pois] gives.",
    (
        Column("lon", "coordinate", "x", True, unit="degree or m"),
        Column("lat", "coordinate", "y", True, unit="degree or m"),
        Column("typecode", "code", "type, as in the crosswalk", True),
        Column("weight", "number", "what the POI counts, 0 or more, to a thousandth, which may move 1 % of a category's; read if [pois] weight names it", unit="1", blank=False, limit=_TOO_HEAVY),
    ),
)
PEOPLE = TableFormat(
    "[people] path", "people.csv",
    "People at points; the names of these columns are those that [people] gives.",
    (
        Column("lon", "coordinate", "x", True, unit="degree or m"),
        Column("lat", "coordinate", "y", True, unit="degree or m"),
        Column("residents", "number", "0 or more, 0.001 at the least", True, unit=PERSONS, blank=True, limit=_TOO_MANY),
    ),
)
CODE_SYSTEM = TableFormat(
    "[parcels] code_system", "",
    "A land-use code system of your own.",
    (
        Column("code", "code", "code as in the parcels", True),
        Column("type", "text", "territorial type", True, unit="type"),
        Column("mode", "word", "road, rail, water or air, of transport land", words=MODES),
        Column("name_en", "text", "name in English"),
        Column("name_zh", "text", "name in Chinese"),
    ),
)
CROSSWALK = TableFormat(
    "[pois] crosswalk", "",
    "Which POI type is of which category; a type that serves several has a row for each, with what it counts there.",
    (
        Column("poi_type", "code", "type as in the POIs", True, blank=True, noun="POI type"),
        Column("category", "text", "category; blank for none", True, unit="category", blank=True, otherwise="Add it to the categories, or leave it blank."),
        Column("weight", "text", "what a POI of the type counts in this category; blank is 1, which beside weights far from it is told", unit="number"),
        Column("source", "text", "who measured that weight; needed where there is one"),
    ),
)
SINKS = TableFormat(
    "[inventory] sinks", "",
    "A set of sinks of your own; what it does not name is no sink.",
    (
        Column("activity", "text", "land/forest ..., or crop/* for all crops", True),
        Column("products", "text", "what counts: land, ch4, crop, joined by +", True),
        Column("source", "text", "who counts it so", True),
        Column("note", "text", "what to know of it"),
    ),
)
PUBLISHED = TableFormat(
    "carbongrid validate", "",
    "What others have published for the units of a run. Rows of a parent, and rows without a region, are the table's own totals, against which its units are added up.",
    (
        Column("region", "id", f"{_REGION}, or of the column that --key names; blank is the whole", True, unit="code", blank=True),
        Column("of", "text", "emission, sink, a sector or a category", True),
        Column("value", "mass", "mass per year, 0 or more", True, unit="number"),
        Column("unit", "unit of mass", "what one is: t CO2e, kt CO2 ...", True),
        Column("gas", "text", "where gases stand apart; they are added up. Blank is what the unit is of: CO2 alone, or all gases"),
        Column("year", "text", "which year the value is of; others than the run's are warned of"),
        Column("source", "text", "who published it"),
    ),
)
PUBLISHED_RASTERS = TableFormat(
    "carbongrid validate --rasters", "",
    "Which published raster is of which quantity of a run. Several of one quantity are added up: sectors that make up a category, or the twelve months of a year.",
    (
        Column("of", "text", "emission, sink, a sector or a category", True),
        Column("path", "text", "GeoTIFF, NetCDF or Zarr, as seen from the table", True),
        Column("unit", "text", "what a value is, where the raster does not say: t CO2 yr-1, t C month-1, kg CO2 m-2 s-1 ..."),
        Column("variable", "text", "of a NetCDF file or a Zarr store with several; of a GeoTIFF the number of the band"),
        Column("part", "text", "of the quantity, where some of its rasters are of months and others of the year, or each part has its twelve months; parts are added up"),
        Column("source", "text", "who published it"),
    ),
)
# fmt: on

TABLES = (
    TOTALS,
    FACILITIES,
    GDP,
    GDP_BY_INDUSTRY,
    UNCERTAINTY,
    CENSUS,
    CATEGORIES,
    CLASS_WEIGHTS,
    WATER,
    OLD_CODES,
    POIS,
    PEOPLE,
)
"""Tables that the template has an example of, in the order of the documentation."""

TABLES_WITHOUT_EXAMPLE = (CODE_SYSTEM, CROSSWALK, SINKS, PUBLISHED, PUBLISHED_RASTERS)
