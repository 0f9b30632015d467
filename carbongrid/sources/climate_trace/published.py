"""Reads the tables of sources that Climate TRACE publishes: one row for each source, gas and period.

The columns are those of the publisher's guides to the releases of 2024 and 2025, and before them ``asset_id`` and its like
of 2022 (docs/howto/climate-trace.md says where each was read). A cell may hold line ends, so the row that a message names is
counted in rows, as a spreadsheet does.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from carbongrid.case.readers.tables import Faults
from carbongrid.errors import InputError, Problem, listed
from carbongrid.raster.opening.files import ZIP, head_of, open_file

Progress = Callable[[str, int, int], None]
Period = tuple[int, int]
"""First and last day, as ordinals."""

_NAMES = {
    "id": ("source_id", "asset_id"),
    "name": ("source_name", "asset_name"),
    "kind": ("source_type", "asset_type"),
    "subsector": ("subsector", "original_inventory_sector"),
    "gas": ("gas",),
    "start": ("start_time",),
    "end": ("end_time",),
    "quantity": ("emissions_quantity",),
    "unit": ("emissions_quantity_units",),
    "latitude": ("lat",),
    "longitude": ("lon",),
    "point": ("st_astext",),
    "boundary": ("geometry_ref",),
}
"""Columns by what they hold, the newest name first."""

_NEEDED = ("id", "subsector", "gas", "start", "end", "quantity")
_NOTHING = frozenset({"", "n/a", "na", "n-a", "nan", "null", "none"})
"""What stands, in lower case, for what is not there."""

_TONNES = frozenset({"", "t", "tonne", "tonnes", "metric tonnes", "metric tons"})
_POINT = re.compile(r"\s*POINT\s*\(\s*(\S+)\s+(\S+)\s*\)\s*", re.IGNORECASE)
_MAX_FAULTS = 1000
_ROWS_A_STEP = 50_000


@dataclass
class Source:
    """A source, as the files tell of it in a year.

    Parameters
    ----------
    number
        Of the publisher.
    subsector
        As published.
    name, kind
        Name and type, blank where there is none.
    x, y
        Longitude and latitude in degrees, None where unknown.
    boundary
        Which boundary it has, blank if none; None where no file that names it has such a column.
    series
        By gas, tonnes of each period; None where the quantity is not available.
    moved
        Whether its rows are not at one on its place.
    """

    number: str
    subsector: str
    name: str
    kind: str
    x: Decimal | None
    y: Decimal | None
    boundary: str | None
    series: dict[str, dict[Period, Decimal | None]] = field(default_factory=dict)
    moved: bool = False

    def tonnes(self, gas: str) -> Fraction | None:
        """Return what it emits of a gas in the year, exactly; None if no row has a quantity."""
        known = [Fraction(mass) for mass in self.series.get(gas, {}).values() if mass is not None]
        return sum(known, Fraction(0)) if known else None

    def days(self, gas: str) -> int:
        """Return how many days its quantities of a gas cover."""
        periods = self.series.get(gas, {}).items()
        return sum(last - first + 1 for (first, last), mass in periods if mass is not None)


@dataclass(frozen=True)
class Published:
    """What the files hold of a year.

    Parameters
    ----------
    year
        The year.
    sources
        In the order of their subsectors and numbers.
    rows
        Those of the year, of all gases.
    read
        By gas, tonnes of all rows of the year, exactly.
    repeated
        By gas, how many rows say again what another row says, and their tonnes.
    over_the_turn
        By gas, how many rows begin or end in the year but not both, and their tonnes.
    notes
        On files that were passed over.
    """

    year: int
    sources: tuple[Source, ...]
    rows: int
    read: dict[str, Fraction]
    repeated: dict[str, tuple[int, Fraction]]
    over_the_turn: dict[str, tuple[int, Fraction]]
    notes: tuple[Problem, ...]


def read_published(
    files: Sequence[Path], *, year: int | None = None, progress: Progress | None = None
) -> Published:
    """Return the sources of a year, of one or several tables of emissions of sources.

    Parameters
    ----------
    files
        CSV as published, of any sectors and gases. Tables of countries, owners and confidence, which lie beside them, are passed
        over with a note.
    year
        May be left out where the files hold one only.
    progress
        Called with a phase, bytes done, bytes in all.

    Raises
    ------
    InputError
        If a file cannot be read or is no such table, a cell is wrong, the files hold several years and none is named, or none of
        the year; if two rows of one source and gas share days but do not say the same: which of them counts nobody can tell.

    Notes
    -----
    Memory goes with the sources of the year, not with the files.
    """
    reading = _Reading(year if year is not None else _only_year(files))
    size = sum(path.stat().st_size for path in files if path.is_file())
    done = 0
    for path in files:
        with _opened(path) as table:
            if not table.columns:
                reading.notes.append(table.passed_over())
                continue
            for number, row in table.rows():
                reading.take(table, number, row)
                if progress and not number % _ROWS_A_STEP:
                    progress("sources of Climate TRACE", done + table.position(), size)
        table.faults.raise_any()
        done += path.stat().st_size
    return reading.published(files)


def _only_year(files: Sequence[Path]) -> int:
    years: set[int] = set()
    for path in files:
        with _opened(path) as table:
            for number, row in table.rows() if table.columns else ():
                period = table.period(number, row)
                years |= {date.fromordinal(period[0]).year} if period else set()
        table.faults.raise_any()
    if len(years) == 1:
        return years.pop()
    if not years:
        raise _no_table(files)
    what = f"the files hold the years {listed(map(str, sorted(years)))}, and none is named"
    raise InputError(what, "", f"Say which: --year {max(years)}.")


def _no_table(files: Sequence[Path]) -> InputError:
    what = "none of the files holds emissions of sources"
    hint = "Give the files that are called ..._emissions_sources.csv, with their version."
    return InputError(what, listed(path.name for path in files), hint)


@contextmanager
def _opened(path: Path) -> Iterator[_Table]:
    """Open a file as a table; raises InputError if there is none, or it is an archive."""
    if head_of(path, len(ZIP)) == ZIP:
        raise InputError("this is an archive", path.name, "Unpack it, and give its tables.")
    with open_file(path) as stream:
        yield _Table(path, stream)


class _Table:
    """One file: its columns by what they hold, its rows, what is wrong in it."""

    def __init__(self, path: Path, stream: io.BufferedReader) -> None:
        self.path, self.stream = path, stream
        self.faults = Faults(path.name)
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
        self.reader = csv.reader(text)
        self.header = [name.strip().lower() for name in self._next() or []]
        self.columns = self._columns()

    def position(self) -> int:
        """Return how many bytes have been taken from the file."""
        return self.stream.tell()

    def _next(self) -> list[str] | None:
        try:
            return next(self.reader, None)
        except UnicodeDecodeError:
            raise InputError("this is no UTF-8", self.path.name, "Save it as UTF-8.") from None
        except csv.Error as error:
            where = f"{self.path.name}, line {self.reader.line_num}"
            raise InputError(f"this is no CSV: {error}", where, "Check the quotes.") from None

    def _columns(self) -> dict[str, int]:
        """Return where each column is; nothing for a table of countries, owners or confidence, which has no places."""
        found: dict[str, int] = {}
        for what, names in _NAMES.items():
            there = [name for name in names if name in self.header]
            if there and self.header.count(there[0]) > 1:
                what = f"the column {there[0]!r} stands twice"
                raise InputError(what, self.path.name, "Keep one of them.")
            if there:
                found[what] = self.header.index(there[0])
        if not ({"latitude", "longitude"} <= set(found) or "point" in found):
            return {}
        missing = [" or ".join(_NAMES[what]) for what in _NEEDED if what not in found]
        if missing:
            what = f"there is no column {', no column '.join(missing)}"
            hint = "Give a table of emissions of sources as it is published."
            raise InputError(what, self.path.name, hint)
        return found

    def passed_over(self) -> Problem:
        """Return the note on a table without places."""
        what = "no column tells where a source is (lat and lon, or st_astext), so this is no table of emissions of sources: passed over"
        return Problem(what, self.path.name, level="warning")

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield number and cells of each row, the header being row 1."""
        number = 1
        while (row := self._next()) is not None:
            number += 1
            if not row:
                continue
            if len(row) != len(self.header):
                what = f"there are {len(row)} cells, expected {len(self.header)} as in the header"
                self.faults.add(what, "Check the quotes; the file may be cut off.", row=number)
                continue
            yield number, row
            if len(self.faults.problems) >= _MAX_FAULTS:
                self.faults.raise_any()

    def text(self, row: list[str], what: str) -> str:
        """Return a cell without blanks around it; nothing where there is no such column."""
        place = self.columns.get(what)
        return "" if place is None else row[place].strip()

    def word(self, row: list[str], what: str) -> str:
        """Return a cell as :meth:`text` does, and nothing where it says NULL or the like."""
        text = self.text(row, what)
        return "" if text.lower() in _NOTHING else text

    def number(self, number: int, row: list[str], what: str) -> Decimal | None:
        """Return a number, None where it is not available or wrong."""
        text = self.word(row, what)
        if not text:
            return None
        return self.faults.number(text, number, self.header[self.columns[what]], signed=True)

    def period(self, number: int, row: list[str]) -> Period | None:
        """Return first and last day of a row; None, with an error added, where they are none."""
        start, end = self.text(row, "start"), self.text(row, "end")
        first, last = _moment(start), _moment(end)
        if first is None or last is None or last < first:
            what = f"no period goes from {start!r} to {end!r}"
            self.faults.add(what, "Write 2024-01-01 00:00:00.", row=number, column="start_time")
            return None
        if last > first and last.day == 1 and last.time() == datetime.min.time():
            last -= timedelta(days=1)  # a month that ends as the next begins
        return first.toordinal(), last.toordinal()

    def place(self, number: int, row: list[str]) -> tuple[Decimal | None, Decimal | None]:
        """Return longitude and latitude, None where they are unknown, nowhere on earth, or 0, 0."""
        if "latitude" in self.columns and "longitude" in self.columns:
            x, y = self.number(number, row, "longitude"), self.number(number, row, "latitude")
        else:
            match = _POINT.fullmatch(self.text(row, "point"))
            parts = match.groups() if match else ("", "")
            x, y = (
                self.faults.number(part, number, "st_astext", signed=True) if part else None
                for part in parts
            )
        if x is None or y is None or abs(x) > 180 or abs(y) > 90 or x == y == 0:
            return None, None  # 0, 0 is open sea, and what is written for unknown places
        return x, y


@lru_cache(maxsize=4096)
def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None


class _Reading:
    """Sources of a year, gathered row by row."""

    def __init__(self, year: int) -> None:
        self.year = year
        self.first, self.last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
        self.sources: dict[tuple[str, str], Source] = {}
        self.rows = 0
        self.read: dict[str, Fraction] = {}
        self.repeated: dict[str, tuple[int, Fraction]] = {}
        self.over_the_turn: dict[str, tuple[int, Fraction]] = {}
        self.notes: list[Problem] = []

    def take(self, table: _Table, number: int, row: list[str]) -> None:
        """Take a row in, unless it is of another year."""
        period = table.period(number, row)
        if period is None or period[1] < self.first or period[0] > self.last:
            return
        gas = table.word(row, "gas").lower()
        key = table.word(row, "id"), table.word(row, "subsector").lower()
        unit = table.text(row, "unit")
        if not (gas and all(key)):
            what = "the source's id, its subsector or the gas is blank"
            table.faults.add(what, "Every row needs all three.", row=number)
            return
        if unit.lower() not in _TONNES:
            what = f"the quantity is in {unit!r}, and only tonnes are read"
            table.faults.add(
                what, "Bring it to tonnes.", row=number, column="emissions_quantity_units"
            )
            return
        mass = table.number(number, row, "quantity")
        tonnes = Fraction(mass or 0)
        self.rows += 1
        self.read[gas] = self.read.get(gas, Fraction(0)) + tonnes
        source = self._source(key, table, number, row)
        if period[0] < self.first or period[1] > self.last:
            _add(self.over_the_turn, gas, tonnes)
            return
        series = source.series.setdefault(gas, {})
        if period in series and series[period] == mass:
            _add(self.repeated, gas, tonnes)
        elif any(period[0] <= last and first <= period[1] for first, last in series):
            days = " to ".join(date.fromordinal(day).isoformat() for day in period)
            what = f"the source {key[0]} ({key[1]}) has other rows of {gas} that share days with {days}, and do not say the same"
            hint = "Give one release, and months or years, not both."
            table.faults.add(what, hint, row=number)
        else:
            series[period] = mass

    def _source(self, key: tuple[str, str], table: _Table, number: int, row: list[str]) -> Source:
        x, y = table.place(number, row)
        boundary = table.word(row, "boundary") if "boundary" in table.columns else None
        source = self.sources.get(key)
        if source is None:
            name = " ".join(table.word(row, "name").split())
            kind = " ".join(table.word(row, "kind").split())
            source = self.sources[key] = Source(*key, name, kind, x, y, boundary)
        elif (source.x, source.y) != (x, y):
            source.moved = source.moved or None not in (x, source.x)
            source.x, source.y = (x, y) if source.x is None else (source.x, source.y)
        if boundary is not None and not source.boundary:
            source.boundary = boundary
        return source

    def published(self, files: Sequence[Path]) -> Published:
        """Return what was gathered; raises InputError if that is nothing."""
        if len(self.notes) == len(files):
            raise _no_table(files)
        if not self.rows:
            what = f"no row is of the year {self.year}"
            raise InputError(what, listed(path.name for path in files), "Name another: --year.")
        sources = tuple(
            self.sources[key]
            for key in sorted(self.sources, key=lambda key: (key[1], len(key[0]), key[0]))
        )
        told = self.read, self.repeated, self.over_the_turn
        return Published(self.year, sources, self.rows, *told, tuple(self.notes))


def _add(counted: dict[str, tuple[int, Fraction]], gas: str, tonnes: Fraction) -> None:
    rows, mass = counted.get(gas, (0, Fraction(0)))
    counted[gas] = rows + 1, mass + tonnes
