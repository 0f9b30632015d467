"""Makes the documentation of the case file from the models, so that it cannot say anything else."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic.fields import FieldInfo

from carbongrid.case.commented import commented_toml, default_of
from carbongrid.case.fields import facts_of
from carbongrid.case.models import Case
from carbongrid.case.schema import keys_of, sections
from carbongrid.case.table_formats import TABLES, TABLES_WITHOUT_EXAMPLE, TableFormat
from carbongrid.case.toml_values import toml_value
from carbongrid.method.categories import read_categories, sector_names
from carbongrid.method.landuse import TERRITORIAL_TYPES

_INTRODUCTION = """\
# The case file

<!-- Made by `python -m carbongrid.case`; edit the models in carbongrid/case, not this page. -->

A case is a folder: one TOML file and, beside it, the tables and maps that it names. `carbongrid init DIR` writes one to start
from, `carbongrid demo DIR` a filled one. Required are `year`, `[parcels]`, `[units]` and one of `[totals]` and `[inventory]`
(activity data, see [inventory](inventory.md)); everything else has a default or is not used. The shortest case:
"""

_RULES = """\
Rules that hold everywhere:

- A key that is not known is an error, and so is a value of another kind: text stands in quotes, numbers do not. All faults
  of a file are told at once.
- Files lie under the folder of the case. `allow_outside = true` lets them lie elsewhere (absolute, or by `..`). A symbolic link
  counts as the file that it leads to: out of the folder only with `allow_outside`, out of a folder of activity tables never. Addresses (`https://`, `s3://`), GDAL's own paths (`/vsicurl/`, `/vsizip/`) and drivers' connections are refused: no
  file on another machine is read.
- Tables are CSV with commas, or XLSX, whose first sheet that is not hidden counts, formulas by their stored values. Merged cells that would come as blank
  are refused, and percentages but where a column has no unit (30% of a share is 0.3). The order of columns is free. A row of a CSV is one line: a cell in quotes that goes on in the
  next one is refused, as whole rows would be text in it. Numbers have a decimal point and nothing between thousands: a column whose points may stand between thousands
  (1.234 beside 987) is told, of layers too where it is text; numbers of a workbook have none there. A CSV is UTF-8, UTF-16 with a byte order mark, or else GB18030; anything else needs `encoding`; one that is named is told where it makes no words of the text and another one would, as long as that is clear. It
  holds for the tables that explain the file too (its codes, crosswalk, classes, water, old codes), unless they are UTF-8.
- What is not read may be meant. Columns that are not listed are ignored, but:

  | what stands there | what happens |
  | --- | --- |
  | a column whose name is nearly that of one that is missing (`regions`) | a warning |
  | filled cells without a header | a warning with their number |
  | another sheet with the columns of the same table | a warning; only the first one is read |
  | rows or columns that are hidden, as a filter or a closed group leaves them, and numbers whose format shows none (`;;;`) | an error: they would count unseen; columns that are not read, without a header and of remarks may be |
  | in a workbook a number that its format shows as another one: in thousands or millions (`#,##0,`), with a point or digits that are text (`0!.0000`, `0"."0000`) | an error: the unit may be that of what is shown or of what is held. The part of the format that is for the number counts, in columns that are read |
  | in a workbook digits of a number or code that are raised or lowered, as a footnote's mark (100¹), or a part of a text that is struck out | an error in columns that are read: they would be digits and text like the others. A cell that is struck out whole is read, with a warning |
  | in a workbook formulas that it says are to be computed when it is opened (`fullCalcOnLoad`), as XlsxWriter does, which stores 0 for each | an error in columns that are read: what is stored need not be their value. Open it in a spreadsheet program, compute it and save it |
  | text in a column of numbers of a Shapefile or GeoPackage (`0,75`, `1,200`, `N/A`), or a number that does not go into it | an error with row and text: other programs read the digits in front, or 0. Blank text is blank |
  | members of a GeoJSON's `features` that are no features (`null`, a geometry, another `type`) | an error: other programs pass over them |
  | in a workbook a number that its format shows whole with a word such as `万`, `k` or `million`, of which neither the header, the unit of its row (`万元`, `10000 t`, `kt`) nor the currency of the case says anything | a warning: it is read as what it holds |
  | beside GDP or a census a column `unit`, `currency`, `单位` or `币种` that tells another currency, size or count (`万元`, `万人`) | an error; names of townships in it say nothing |
  | in totals a column of another name than `region`, all of whose cells are codes or names of units or parents (one is enough under the name of the units' id or a parent) | an error: its rows would be of the whole city. None is a code or name of what holds every unit, one name in all rows, or plain numbers that may number rows |
  | `year` of another year than the case's | a warning |
  | rows of old codes beside rows of the unit that they were merged into, or of some of its old codes alone (in totals and activity data, of one category) | a warning; they are added up |
- Codes and ids are text: `0101` keeps its zero. Whole numbers are taken for their digits, but not where the codes that they are looked up in begin with zeros
  (`0101` in tdland3, `050000` in gaode): store those as text, in XLSX or in a number format of as many zeros as the codes have digits (`0000`).
- Numbers are written with digits and a point: `1234.5`, `1.2e4`. Blank, NaN, infinite and negative ones are errors that name file,
  row, column and value, except where a table below says that blank is unknown.
"""

_MASS = """\
## Units of mass and money

A mass is `g`, `kg`, `t`, `kt`, `Mt`, `Gt` (or `Gg`, `Tg`, `metric tons`, `MMT`, `short tons`, `lb`, `吨`, `万吨`, `亿吨`, `トン`, `toneladas`), with a number before it if need be (`10000 t`,
`1e4 t`, `million t`), of `CO2e`, `CO2` or `C`. What means one mass here and another there is refused: `MT` (a metric ton in North America, a million of them elsewhere) and `tons`. Carbon becomes CO2 by 44/12, exactly. What it is of must be said: `t` alone is refused, and so is
a mass of CH4 or N2O, whose CO2e depends on a set of GWPs. Inside the package mass is whole grams per year.

Money is a number and three letters, `1e8 CNY`, `1e6 EUR`, `EUR`, or `万元`, `亿元`.
"""

_WEIGHTS = """\
## Weights

A category's mass is shared over the parcels of its types in proportion to a weight:

| weight | claim of a parcel |
| --- | --- |
| `area` | its area; a sink on several types: area times the type's coefficient |
| `pois` | POIs whose crosswalk names this category, each counting 1 or its weight |
| `people` | residents |
| `roads` | length of road, corrected by class and by transport POIs nearby |
| `lines:MODE` | length of lines of a mode: road, rail, water, air; by area where there are none |
| `field:COLUMN` | a numeric column of the parcels |
| `raster:PATH` | sum of a raster of density or counts (GeoTIFF of one band, or one variable of NetCDF or Zarr), read at the centres of the fine grid's cells, or added up in them where two or more of its cells lie along their sides (an even density stays even to a quarter or better); mass follows it inside the parcel too |
"""

_ELECTRICITY = """\
## Electricity

Electricity is emitted by a power plant (scope 1: `industry/supply`) and used in buildings (scope 2). A case that has totals of both must
choose: `electricity = "supply"` sets the categories of scope 2 aside, `"use"` sets supply aside, `"both"` counts it twice, as the study
does. What is set aside is reported as `elsewhere` and never spread (docs/decisions/0009). A case of activity data may choose `"consumption"`:
uses of all sectors and losses carry what is emitted by plants here and by imports, in whole Wh and grams (docs/decisions/0057). `check` and the
report say what each of the four would spread, the report also which units would be in another zone.
"""


def case_reference() -> str:
    """Return docs/case.md: every key, table, type, weight and category, in Markdown."""
    shortest = {
        "year": 2020,
        "parcels": {"path": "parcels.gpkg", "code_system": "tdland3"},
        "units": {"path": "townships.gpkg"},
        "totals": {"path": "totals.csv"},
    }
    parts = [_INTRODUCTION, f"```toml\n{commented_toml(shortest)}```\n", _RULES, "## Keys\n"]
    top = [(key, field) for key, field in keys_of(Case).items() if key not in sections()]
    parts += ["At the top of the file:\n", _table_of_keys(top)]
    for name, model in sections().items():
        parts += [f"### [{name}]\n", f"{model.__doc__}\n", _table_of_keys(keys_of(model).items())]
    parts += ["## Tables\n", *map(_table_format, (*TABLES, *TABLES_WITHOUT_EXAMPLE))]
    parts += [_MASS, _types(), _WEIGHTS, _categories(), _ELECTRICITY]
    return "\n".join(parts)


def _markdown(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return (
        "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)
        + "\n"
    )


def _table_of_keys(fields: Iterable[tuple[str, FieldInfo]]) -> str:
    rows = (
        (f"`{key}`", facts_of(field)["unit"], _needed(field), _meaning(field))
        for key, field in fields
    )
    return _markdown(("key", "unit or kind", "default", "meaning"), rows)


def _needed(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return f"`{default_of(field)}`" if default_of(field) else ""


def _meaning(field: FieldInfo) -> str:
    return (
        f"{field.title}: {field.description}. Example: `{toml_value(facts_of(field)['example'])}`"
    )


def _table_format(table: TableFormat) -> str:
    title = f"### {table.file or table.key}\n"
    named = f"Named by `{table.key}`. " if table.file else ""
    rows = (
        (
            f"`{column.name}`",
            column.unit or column.kind,
            "required" if column.required else "",
            column.meaning,
        )
        for column in table.columns
    )
    columns = _markdown(("column", "unit or kind", "", "meaning"), rows)
    return "\n".join([title, f"{named}{table.purpose}\n", columns])


def _types() -> str:
    rows = (
        (f"`{row['type']}`", row["parent"], row["name_en"], row["name_zh"])
        for row in TERRITORIAL_TYPES.to_dict("records")
    )
    text = (
        "## Territorial types\n\nWhat a parcel is used for, as the method sees it. Where the parcels of a type have no weight and no "
        "area, mass falls back to the parent.\nTransport land has a mode, written `transport:road`, `transport:rail`, "
        "`transport:water`, `transport:air`; `transport` alone is any.\n"
    )
    return f"{text}\n{_markdown(('type', 'parent', 'English', 'Chinese'), rows)}"


def _categories() -> str:
    sectors = _markdown(
        ("sector", "English", "Chinese"),
        (
            (f"`{sector}`", english, chinese)
            for sector, (english, chinese) in sector_names().items()
        ),
    )
    rows = (
        (f"`{name}`", one.name_en, one.name_zh, str(one.scope), "+".join(one.types), one.weight)
        for name, one in read_categories().items()
    )
    header = ("category", "English", "Chinese", "scope", "types", "weight")
    plain = read_categories()
    by_people = "; ".join(
        f"`{name}` goes by {one.weight} over {'+'.join(one.types)} instead of by {plain[name].weight} over {'+'.join(plain[name].types)}"
        for name, one in read_categories(people=True).items()
        if one != plain[name]
    )
    return (
        "## Categories\n\nOf the package; rows of `categories.csv` replace or add to them. A sink's mass is taken up. Give either "
        f"`sink/land` or the four by type. In a case with `[people]`, {by_people}.\n\n{_markdown(header, rows)}\nSectors:\n\n{sectors}"
    )
