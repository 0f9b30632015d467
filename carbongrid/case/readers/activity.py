"""Reads activity data: a filled template, XLSX with one sheet a sector, or the same as CSV files in a folder."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from carbongrid.case.fields import nearest
from carbongrid.case.readers.tables import (
    Faults,
    is_workbook,
    points_are_decimal,
    read_table,
    renamed,
    rows_of,
    with_header,
)
from carbongrid.case.readers.workbook import workbook_sheets
from carbongrid.errors import InputError, Problem, listed
from carbongrid.inventory.activity import (
    COLUMN_TITLES,
    ROW_COLUMNS,
    SETTINGS,
    SHEETS,
    ActivityData,
    ActivityRow,
    activities,
    category_of,
    check_unit,
)
from carbongrid.inventory.decimals import in_own_decimals
from carbongrid.inventory.factors import Factor, factor_of_row, read_unit
from carbongrid.inventory.factors.catalogue import COLUMNS as FACTOR_COLUMNS
from carbongrid.inventory.factors.catalogue import POTENTIALS
from carbongrid.inventory.factors.units import require_units
from carbongrid.method.categories import Category, read_categories

SETTINGS_SHEET, FACTORS_SHEET = "settings", "factors"
_IGNORED = ("readme", "lists")
_CHINESE = {title: name for name, title in COLUMN_TITLES.items()}
_KNOWN = (*SHEETS, SETTINGS_SHEET, FACTORS_SHEET)
_COLUMNS = {SETTINGS_SHEET: ("setting", "value", "note"), FACTORS_SHEET: FACTOR_COLUMNS}
"""Columns of the sheets that are not of rows."""

_MARKS = re.compile(r"[-–—－]+|[.．]{3,}|…+|[#＃]|不足.*|")
"""Not published, too little to print, of which, blank, less than."""
_WORD = re.compile(r"[a-z][a-z0-9_]*")


_SLIP = 0.8
"""How alike names within a kind are that differ by a slip of the pen."""

_COALS = "fuel/anthracite|fuel/bituminous|fuel/lignite"
_CATTLE = "animals/dairy|animals/other-cattle"
_CALLED_ELSEWHERE = {
    "fuel/coal": _COALS,
    "fuel/raw-coal": _COALS,
    "fuel/煤": _COALS,
    "fuel/原煤": _COALS,
    "fuel/煤炭": _COALS,
    "fuel/hard-coal": "fuel/anthracite|fuel/bituminous",
    "animals/cattle": _CATTLE,
    "animals/牛": _CATTLE,
    "animals/beef-cattle": "animals/other-cattle",
    "animals/non-dairy": "animals/other-cattle",
    "animals/non-dairy-cattle": "animals/other-cattle",
    "fuel/petrol": "fuel/gasoline",
    "fuel/motor-spirit": "fuel/gasoline",
    "fuel/gas-oil": "fuel/diesel",
    "fuel/gasoil": "fuel/diesel",
    "fuel/paraffin": "fuel/kerosene",
    "fuel/jet-fuel": "fuel/jet-kerosene",
    "fuel/petcoke": "fuel/petroleum-coke",
    "fuel/brown-coal": "fuel/lignite",
    "fuel/firewood": "fuel/wood",
    "fuel/propane": "fuel/lpg",
    "fuel/heavy-oil": "fuel/fuel-oil",
    "fuel/heavy-fuel-oil": "fuel/fuel-oil",
    "fuel/liquefied-natural-gas": "fuel/lng",
    "crop/corn": "crop/maize",
    "crop/soybean": "crop/beans",
}
"""Activities by the names that they have in other countries, and what several are together."""
_ADVICE = {
    _COALS: " It is a mixture of them: take the one that most of it is, and calorific_value=... of the coal itself, where it is known.",
    _CATTLE: " Each has a row: a dairy cow gives off more than other cattle.",
}
"""What to do with what is several activities together."""
_OTHER_THINGS = re.compile("petroleum|coke-oven|natural-gasoline|.*-liquids?")
"""Names that are the beginning, or the end, of those of other things."""
_OF_ANOTHER = re.compile("bio|sub|non|renewable|green")
"""How names begin of what is not the same without it: biodiesel is no diesel, sub-bituminous coal no bituminous one."""
_LISTED = 8


@in_own_decimals
def read_activity(
    path: str | Path, categories: Mapping[str, Category] | None = None
) -> ActivityData:
    """Read a file of activity data.

    Parameters
    ----------
    path
        An XLSX workbook with sheets named as in the template, a folder with a CSV file for each, or one CSV with a column
        ``sheet``.
    categories
        Categories that a row may name; default those of the package.

    Returns
    -------
    ActivityData
        Its rows without a fault; what is wrong is in ``problems``, by sheet, row and column.

    Raises
    ------
    InputError
        If the file cannot be read at all, or the libraries that read it are not installed.
    """
    require_units()
    path = Path(path)
    known = read_categories() if categories is None else categories
    notes: list[Problem] = []
    tables = _tables(path, notes)
    faults = _Sheets(path.name)
    for name in tables:
        if name not in _KNOWN:
            close = nearest(name, _KNOWN)
            faults.of(name).add(
                "unknown sheet",
                f"Did you mean {close!r}?" if close else f"Known: {', '.join(_KNOWN)}.",
            )
    tables = {name: _named(name, table, faults.of(name)) for name, table in tables.items()}
    settings = _settings(tables.get(SETTINGS_SHEET), faults.of(SETTINGS_SHEET))
    own = _factors(tables.get(FACTORS_SHEET), faults.of(FACTORS_SHEET))
    rows: list[ActivityRow] = []
    for sheet in SHEETS:
        if sheet in tables:
            rows += _rows(sheet, tables[sheet], path.name, known, faults.of(sheet))
    _refuse_doubles(rows, faults)
    if not rows and not faults.problems:
        faults.of("").add(
            "there are no rows of activity data", f"Fill one of the sheets {', '.join(SHEETS)}."
        )
    return ActivityData(path.name, tuple(rows), settings, own, tuple(faults.problems), tuple(notes))


class _Sheets:
    """The faults of each sheet of one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._of: dict[str, Faults] = {}

    def of(self, sheet: str) -> Faults:
        """Return the faults of a sheet; their places name it."""
        place = f"{self.file}, sheet {sheet}" if sheet else self.file
        return self._of.setdefault(sheet, Faults(place))

    @property
    def problems(self) -> list[Problem]:
        """All of them, sheet by sheet."""
        return [problem for faults in self._of.values() for problem in faults.problems]


def _tables(path: Path, notes: list[Problem]) -> dict[str, pd.DataFrame]:
    """Return the tables of a file by the names of their sheets; what may be meant otherwise is appended to ``notes``."""
    if path.is_dir():
        tables = {file.stem: read_table(file) for file in _csv_files(path)}
    elif is_workbook(path):
        tables = {
            name: with_header(cells, f"{path.name}, sheet {name}")
            for name, cells in workbook_sheets(path, _IGNORED, notes).items()
            if not cells.empty
        }
    else:
        table = read_table(path)
        if "sheet" not in table.columns:
            raise InputError(
                "this is no activity data: the column 'sheet' is missing",
                path.name,
                f"It says which sheet of the template a row is of: {', '.join(SHEETS)}. A table under codes, such as 1.A.3, is read with --system.",
            )
        tables = {str(name): part for name, part in table.groupby("sheet", sort=False)}
    return tables


def _csv_files(folder: Path) -> list[Path]:
    """Return the CSV files of a folder, one a sheet.

    Raises
    ------
    InputError
        If there is none, if one leads elsewhere, or if a sheet stands in two files, or in one that is not read.
    """
    files = sorted(file for file in folder.iterdir() if not file.name.endswith("~") and not file.is_dir())  # fmt: skip
    found = [file for file in files if file.suffix.lower() == ".csv"]
    problems = []
    for file in files:
        if file not in found and file.stem.strip().lower() in _KNOWN:
            what = f"{file.name} has the name of a sheet, but of a folder CSV files alone are read"
            problems.append(Problem(what, str(folder), f"Save it as {file.stem}.csv, or move it elsewhere."))  # fmt: skip
        twin = next(each for each in (*found, file) if each.stem == file.stem)
        if file in found and twin is not file:
            what = f"{twin.name} and {file.name} are both the sheet {file.stem}"
            problems.append(Problem(what, str(folder), "Keep one of them here."))
        if file in found and not file.resolve().is_relative_to(folder.resolve()):
            what = f"{file.name} leads out of its folder by a symbolic link"
            problems.append(Problem(what, str(folder), "Copy it here."))
    if not found and not problems:
        problems.append(Problem("there is no CSV file in this folder", str(folder), "Name a filled template."))  # fmt: skip
    if problems:
        raise InputError(problems)
    return [file for file in found if file.stem not in _IGNORED]


def _first_word(header: str) -> str:
    """Return a column's name: the first word of its header, or what the template calls so in Chinese."""
    word = header.split()[0] if header.split() else header
    return _CHINESE.get(word, word)


def _named(sheet: str, table: pd.DataFrame, faults: Faults) -> pd.DataFrame:
    """Return a table with its columns by name; a column that is unknown, or stands twice, is an error and left out."""
    known = _COLUMNS.get(sheet, ROW_COLUMNS)
    elsewhere = {
        column for columns in (*_COLUMNS.values(), ROW_COLUMNS, ("sheet",)) for column in columns
    }
    kept: dict[str, str] = {}
    for header in map(str, table.columns):
        name = _first_word(header)
        if name in kept.values():
            first = next(other for other, named in kept.items() if named == name)
            faults.add(
                f"the columns {first!r} and {header!r} are both {name}",
                "Keep one of them; an inventory is of one year.",
                column=name,
            )
        elif name in known:
            kept[header] = name
        elif name not in elsewhere or (name != "sheet" and (table[header] != "").any()):
            close = nearest(name, known)
            faults.add(
                "unknown column",
                f"Did you mean {close!r}?" if close else f"Known: {', '.join(known)}.",
                column=header,
            )
    return renamed(table[list(kept)], kept)


def _settings(table: pd.DataFrame | None, faults: Faults) -> dict[str, str]:
    settings = dict(SETTINGS)
    if table is None:
        return settings
    given = []
    for row, cells in rows_of(table, ("setting", "value")):
        name, value = cells["setting"], cells["value"]
        if not faults.member(name, SETTINGS, "setting", row, "setting") or not value:
            continue
        given.append((row, name))
        if name == "year" and faults.year(value, row, "value") is None:
            continue
        if name == "upstream" and value not in ("leave out", "include"):
            faults.add(
                f"unknown word {value!r}", "Write leave out, or include.", row=row, column="value"
            )
        else:
            settings[name] = value
    faults.once(given, "the setting")
    return settings


def _factors(table: pd.DataFrame | None, faults: Faults) -> tuple[Factor, ...]:
    if table is None:
        return ()
    found, rows = [], []
    columns = [str(column) for column in table.columns]
    for row, cells in rows_of(table, columns):
        factor = factor_of_row({**cells, "status": ""}, faults.place(row), faults.problems)
        if factor is None:
            continue
        if factor.value is None:
            faults.add("the value is blank", "Give a number.", row=row, column="value")
        elif read_unit(factor.unit).bare and "fraction" in factor.unit and factor.value > 1:
            faults.add(
                f"a fraction cannot be {cells['value']}",
                f"Write {cells['value']} and the unit %, or a number up to 1; a multiplier above 1 has the unit 1.",
                row=row,
                column="value",
            )
        if factor.key.startswith(POTENTIALS):
            faults.add(
                "a global warming potential is chosen by the name of its set, not replaced",
                "Choose AR4, AR5 or AR6: --gwp, or gwp in the case's [inventory].",
                row=row,
                column="key",
            )
        found.append(factor)
        rows.append((row, factor.key))
    faults.once(rows, "the factor")
    return tuple(found)


def _rows(
    sheet: str, table: pd.DataFrame, file: str, categories: Mapping[str, Category], faults: Faults
) -> Iterable[ActivityRow]:
    missing = [name for name in ("activity", "amount", "unit") if name not in table.columns]
    if missing:
        faults.add(
            f"the columns {', '.join(missing)} are missing",
            "Start from `carbongrid init DIR --inventory`.",
        )
        return
    decimal = points_are_decimal(table, "amount")
    for row, cells in rows_of(table, ROW_COLUMNS):
        before = len(faults.problems)
        found = _row(file, sheet, row, cells, categories, faults)
        if len(faults.problems) == before and found is not None:
            yield replace(found, is_decimal=True) if decimal else found


def _row(
    file: str,
    sheet: str,
    row: object,
    cells: dict[str, str],
    categories: Mapping[str, Category],
    faults: Faults,
) -> ActivityRow | None:
    activity = None
    called = cells["activity"]
    if called and called not in activities():
        faults.add(f"unknown activity {called!r}", _activity_meant(called), row=row, column="activity")  # fmt: skip
    elif faults.member(called, activities(), "activity", row, "activity"):
        activity = activities()[cells["activity"]]
        if sheet not in activity.sheets:
            faults.add(
                f"{activity.name} does not stand on the sheet {sheet}",
                f"Move it to {' or '.join(activity.sheets)}.",
                row=row,
                column="activity",
            )
            activity = None
    category, parameters = "", _parameters(cells["parameters"], row, faults)
    if activity is not None:
        home, written = activity, cells["category"]
        category = (
            faults.told(lambda: category_of(home, sheet, written, categories), row, "category")
            or ""
        )
        faults.told(lambda: check_unit(home, cells["unit"], parameters), row, "unit")
    unknown = _MARKS.fullmatch(cells["amount"]) is not None
    amount = None if unknown else faults.number(cells["amount"], row, "amount")
    if cells["year"]:
        faults.year(cells["year"], row, "year")
    pct = cells["uncertainty_pct"]
    return ActivityRow(
        file=file,
        sheet=sheet,
        row=int(str(row)),
        id=cells["id"] or f"{sheet}:{row}",
        activity=cells["activity"],
        category=category,
        amount=amount,
        written=cells["amount"],
        unit=cells["unit"],
        parameters=parameters,
        uncertainty_pct=faults.number(pct, row, "uncertainty_pct") if pct else None,
        year=cells["year"],
        source=cells["source"],
        note=cells["note"],
        region=cells["region"],
    )


def _activity_meant(called: str) -> str:
    """Return the way out of an unknown activity: the same by another name, a slip of the pen, or those of its kind that it is a part of; a fuel that is merely spelt alike is another."""
    kinds: dict[str, list[str]] = {}
    for each in activities():
        kinds.setdefault(each.partition("/")[0], []).append(each)
    kind, slash, name = _hyphened(called).partition("/")
    if slash or kind in kinds:
        kind = kind if kind in kinds else nearest(kind, kinds) or ""
        within = [kind]
    else:
        kind, name, within = "", kind, list(kinds)
    elsewhere = next(filter(None, (_CALLED_ELSEWHERE.get(f"{each}/{name}") for each in within)), "")
    meant = elsewhere.split("|") if elsewhere else _so_called(name, within)
    if kind and name and not meant:
        meant = _meant_within(kind, name, kinds[kind])
    if meant:
        likely = " or ".join(map(repr, meant[:_LISTED]))
        return f"Did you mean {likely}?{_ADVICE.get(elsewhere, '')}"
    known = kinds.get(kind, list(kinds))
    return f"Known: {listed(known, _LISTED, more=', ...')} (docs/inventory.md)"


def _so_called(name: str, kinds: Collection[str]) -> list[str]:
    """Return the activities of some kinds by a name that the template shows, in English or Chinese, or by theirs without the kind."""
    return [
        each.name
        for each in activities().values()
        for kind, _, rest in (each.name.partition("/"),)
        if kind in kinds and name and name in map(_hyphened, (rest, each.name_en, each.name_zh))
    ]


def _hyphened(name: str) -> str:
    return re.sub(r"[\s_]+", "-", name.lower())


def _meant_within(kind: str, name: str, known: Collection[str]) -> list[str]:
    """Return the activities of a kind that a name may stand for."""
    if _OTHER_THINGS.fullmatch(name):
        return []
    of_another = _OF_ANOTHER.match(name)
    names = {
        each.removeprefix(f"{kind}/"): each
        for each in known
        if not of_another or each.startswith(f"{kind}/{of_another[0]}")
    }
    slips = difflib.get_close_matches(name, names, n=1, cutoff=_SLIP)
    return [names[slip] for slip in slips] or [
        each for part, each in names.items() if _is_part(name, part) or _is_part(part, name)
    ]


def _is_part(name: str, whole: str) -> bool:
    """Whether a name is the first or the last words of another."""
    return whole.startswith(f"{name}-") or whole.endswith(f"-{name}")


def _parameters(text: str, row: object, faults: Faults) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in re.split("[;；\n]", text))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not value or not _WORD.fullmatch(name):
            faults.add(
                f"{part!r} is no parameter",
                "Write name=value; name=value.",
                row=row,
                column="parameters",
            )
        elif name in found:
            faults.add(f"{name} stands twice", "Keep one.", row=row, column="parameters")
        else:
            found[name] = value
    return found


def _refuse_doubles(rows: list[ActivityRow], faults: _Sheets) -> None:
    """Refuse an id twice, and the same activity twice in one category and region with the same parameters."""
    ids: dict[str, ActivityRow] = {}
    for row in rows:
        first = ids.setdefault(row.id, row)
        if first is not row:
            faults.of(row.sheet).add(
                f"the id {row.id!r} stands in sheet {first.sheet}, row {first.row} too",
                "Give each row its own id.",
                row=row.row,
                column="id",
            )
    keys: dict[object, ActivityRow] = {}
    for row in rows:
        parameters = tuple(sorted(row.parameters.items()))
        key = (row.activity, row.category, row.region, parameters, row.note)
        first = keys.setdefault(key, row)
        if first is not row:
            of_region = f" in region {row.region!r}" if row.region else ""
            faults.of(row.sheet).add(
                f"{row.activity} of {row.category}{of_region} stands in sheet {first.sheet}, row {first.row} too",
                "Add them up, or say in note what tells them apart.",
                row=row.row,
                column="activity",
            )
