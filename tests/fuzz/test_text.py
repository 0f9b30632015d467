"""Text, numbers and shapes that nobody would write: every reader gives a result or an error in words, within time and memory.

``nox -s fuzz`` runs seed after seed in processes of bounded memory; here is a sample.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import geopandas as gpd
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from carbongrid.case import Case
from carbongrid.case.readers.tables import decimal_cell, read_table
from carbongrid.case.readers.vector import read_vector
from carbongrid.case.readers.workbook import workbook_sheets
from carbongrid.errors import InputError
from carbongrid.inventory.units_of_measure import grams_of_text
from fuzz.test_headers import kept

LONG = os.environ.get("CARBONGRID_FUZZ") == "1"
Flips = list[tuple[int, int]]
FLIPS = st.lists(st.tuples(st.integers(0, 99_999), st.integers(1, 255)), min_size=1, max_size=4)
CHUNKS = st.sampled_from(
    ['"', '""', ",", ";", "\n", "\r", "\r\n", "\t", " ", "\ufeff", "\0", "category", "value", "1e999", "-1", "NaN", "１", "'", "=",
     "x" * 5000, " " * 5000, "," * 5000, "[", "]", "[[", "{", "}", ".", "a", "totals", "year", "path", "true", "1979-05-27", "\\", "#"]
)  # fmt: skip
TEXTS = st.lists(CHUNKS | st.text(max_size=8), max_size=30).map("".join)
AMOUNTS = st.lists(
    st.sampled_from(["1", ".", "e", "-", "+", "9" * 70, " ", " " * 5000, "t", "kt", "CO2e", "CH4", "/", "yr", "of", "per", "year", "万", "吨", ","])
    | st.text(max_size=3), max_size=12,
).map("".join)  # fmt: skip

DRAWN = {"csv": TEXTS | st.binary(max_size=200), "toml": TEXTS, "amount": AMOUNTS, "number": AMOUNTS}  # fmt: skip


@pytest.fixture(autouse=True)
def no_hang() -> Iterator[None]:
    """End a test that waits for ever; a guard, no measure."""
    signal.alarm(3600 if LONG else 900)
    yield
    signal.alarm(0)


def tried[T](values: st.SearchStrategy[T], read: Callable[[T], object]) -> None:
    """Read drawn values; an InputError must say something, anything else is a fault."""

    @seed(int(os.environ.get("CARBONGRID_FUZZ_SEED", "0")))
    @settings(
        max_examples=int(os.environ.get("CARBONGRID_FUZZ_EXAMPLES", "40")),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(values)
    def reading(value: T) -> None:
        try:
            read(value)
        except InputError as error:
            assert str(error).strip()

    reading()


def flipped(data: bytes, flips: Flips) -> bytes:
    changed = bytearray(data)
    for place, mask in flips:
        changed[place % len(changed)] ^= mask
    return bytes(changed)


def read_text(name: str, folder: Path, text: str | bytes) -> None:
    """Have the reader of this name read a text."""
    if name == "amount":
        grams_of_text(text)
    elif name == "number":
        decimal_cell(text, "a.csv")
    else:
        path = folder / f"a.{name}"
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
        (read_table if name == "csv" else Case.read)(path)


@pytest.mark.parametrize(("name", "text", "_what"), kept(DRAWN))
def test_what_was_found_once(tmp_path: Path, name: str, text: str, _what: str) -> None:
    with contextlib.suppress(InputError):
        read_text(name, tmp_path, text)


@pytest.mark.parametrize("name", DRAWN)
def test_any_text(tmp_path: Path, name: str) -> None:
    """Caught: a blank line before a quote that never closes, an error of pandas."""
    tried(DRAWN[name], lambda text: read_text(name, tmp_path, text))


def test_any_workbook(tmp_path: Path) -> None:
    """Bytes of its parts, whose checksums are right, and bytes of the archive."""
    book, stream = openpyxl.Workbook(), io.BytesIO()
    for row in (["category", "value"], ["a", 1], ["b", "=1+1"], [None, 2.5]):
        book.active.append(row)
    book.save(stream)
    with zipfile.ZipFile(stream) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    path = tmp_path / "a.xlsx"

    def read(drawn: tuple[str, Flips]) -> None:
        name, flips = drawn
        if name:
            with zipfile.ZipFile(path, "w") as archive:
                for each, content in parts.items():
                    archive.writestr(each, flipped(content, flips) if each == name else content)
        else:
            path.write_bytes(flipped(stream.getvalue(), flips))
        workbook_sheets(path)

    tried(st.tuples(st.sampled_from(["", *parts]), FLIPS), read)


def test_any_shape(tmp_path: Path) -> None:
    """Well-known binary of which bytes are changed, in a GeoParquet that is whole."""
    path = tmp_path / "a.parquet"
    shapes = [shapely.box(0, 0, 1, 1), shapely.MultiPoint([(0, 0), (1, 1)]), shapely.box(2, 2, 3, 3).buffer(1)]  # fmt: skip
    gpd.GeoDataFrame({"id": ["a", "b", "c"]}, geometry=shapes, crs=4326).to_parquet(path)
    whole = pq.read_table(path)
    place = whole.schema.get_field_index("geometry")

    def read(flips: Flips) -> None:
        shape = [flipped(each, flips) for each in shapely.to_wkb(shapes)]
        column = pa.array(shape, whole.schema.field(place).type)
        pq.write_table(whole.set_column(place, whole.schema.field(place), column), path)
        read_vector(path)

    tried(FLIPS, read)
