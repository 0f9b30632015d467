"""A Shapefile's index and table, as programs write them: what is odd and sound passes, what points elsewhere does not."""

from __future__ import annotations

import struct
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
import shapely

from carbongrid.errors import InputError
from carbongrid.raster.opening.shapefiles import fields_of_numbers, rows_of_shapefile

HEAD, ROWS, WORDS = 100, 4, 68
"""Of a square: 4 words of its head, 64 of five points, a box and two counts."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Four squares, a text and a number."""
    geometry = [shapely.box(k, 0, k + 1, 1) for k in range(ROWS)]
    table = gpd.GeoDataFrame({"text": [*"abcd"], "real": [0.5, 1, 2, 3]}, geometry=geometry, crs=4326)  # fmt: skip
    pyogrio.write_dataframe(table, tmp_path / "a.shp")
    return tmp_path / "a.shp"


def with_entry(path: Path, row: int, place: int, words: int) -> None:
    """Let the index say another place and length, in words of two bytes, of a row's shape."""
    index = bytearray(path.with_suffix(".shx").read_bytes())
    struct.pack_into(">II", index, HEAD + 8 * row, place, words)
    path.with_suffix(".shx").write_bytes(index)


def entry(path: Path, row: int) -> tuple[int, int]:
    place, words = struct.unpack_from(">II", path.with_suffix(".shx").read_bytes(), HEAD + 8 * row)
    return place, words


def with_shape_behind(path: Path, number: int) -> int:
    """Let a copy of the first shape stand behind the last, under this number; returns its place in words."""
    data = path.read_bytes()
    first, words = entry(path, 0)
    more = struct.pack(">II", number, words) + data[2 * first + 8 : 2 * (first + words) + 8]
    whole = len(data) + len(more)
    path.write_bytes(data[:24] + struct.pack(">I", whole // 2) + data[28:] + more)
    return len(data) // 2


def test_an_editor_leaves_old_shapes_behind(path: Path) -> None:
    """The shape that took the place of the second has its number, and the index points at it."""
    place = with_shape_behind(path, 2)
    with_entry(path, 1, place, entry(path, 0)[1])
    assert rows_of_shapefile(path) == ROWS


def test_a_shape_that_no_entry_lists_is_told(path: Path) -> None:
    with_shape_behind(path, ROWS + 1)
    with pytest.raises(InputError, match=r"there are 5 shapes, the \.shx lists 4"):
        rows_of_shapefile(path)


def test_a_row_without_a_shape_is_told(path: Path) -> None:
    """Seen to pass where only shapes without a row were tried."""
    table = path.with_suffix(".dbf")
    data = table.read_bytes()
    head, width = struct.unpack_from("<HH", data, 8)
    more = data[:4] + struct.pack("<I", ROWS + 1) + data[8 : head + ROWS * width] + data[head : head + width]  # fmt: skip
    table.write_bytes(more)
    with pytest.raises(InputError, match="there are 4 shapes and 5 rows in its table"):
        rows_of_shapefile(path)


def test_a_row_that_the_head_of_the_table_does_not_count_is_told(path: Path) -> None:
    table = path.with_suffix(".dbf")
    data = table.read_bytes()
    head, width = struct.unpack_from("<HH", data, 8)
    table.write_bytes(data[: head + ROWS * width] + data[head : head + width])
    with pytest.raises(InputError, match=r"a\.dbf: .*says 4 rows of"):
        rows_of_shapefile(path)


def test_an_index_that_is_cut_within_an_entry_is_told(path: Path) -> None:
    index = path.with_suffix(".shx")
    data = index.read_bytes()[:-4]
    index.write_bytes(data[:24] + struct.pack(">I", len(data) // 2) + data[28:])
    with pytest.raises(InputError, match=r"a\.shx: .*its last entry is cut off"):
        rows_of_shapefile(path)


def test_a_missing_shape_may_be_listed_as_nothing_at_all(path: Path) -> None:
    """Its row stays: GDAL reads it without a geometry."""
    data, (last, words) = path.read_bytes(), entry(path, ROWS - 1)
    cut = data[: 2 * last]
    assert len(data) - len(cut) == 2 * words + 8
    path.write_bytes(cut[:24] + struct.pack(">I", len(cut) // 2) + cut[28:])
    with_entry(path, ROWS - 1, 0, 0)
    assert rows_of_shapefile(path) == len(pyogrio.read_dataframe(path)) == ROWS


@pytest.mark.parametrize(
    ("place", "longer", "told"),
    [(1, 0, "points at places"), (0, 1, "shapes of another length"), (-WORDS, 0, "lists a shape twice")],
)  # fmt: skip
def test_an_index_that_points_elsewhere_is_told(
    path: Path, place: int, longer: int, told: str
) -> None:
    at, words = entry(path, 2)
    with_entry(path, 2, at + place, words + longer)
    with pytest.raises(InputError, match=rf"a\.shx: .*{told}"):
        rows_of_shapefile(path)


def as_long_text(path: Path, kind: bytes) -> None:
    """Let the first field take 300 bytes of a row, its length over two bytes, as some programs write long text."""
    table = path.with_suffix(".dbf").read_bytes()
    rows, head, width = struct.unpack_from("<IHH", table, 4)
    size = table[48]
    cells = [table[head + row * width : head + (row + 1) * width] for row in range(rows)]
    body = b"".join(cell[:1] + cell[1 : 1 + size].ljust(300)[:300] + cell[1 + size :] for cell in cells)  # fmt: skip
    other = bytearray(table[:head])
    struct.pack_into("<H", other, 10, width - size + 300)
    other[43:44], other[48], other[49] = kind, 300 % 256, 300 // 256
    path.with_suffix(".dbf").write_bytes(bytes(other) + body + b"\x1a")


def test_long_text_may_have_its_length_over_two_bytes(path: Path) -> None:
    as_long_text(path, b"C")
    assert rows_of_shapefile(path) == ROWS


def test_of_numbers_the_second_byte_is_no_length(path: Path) -> None:
    """There stands how many decimals they have."""
    as_long_text(path, b"N")
    with pytest.raises(InputError, match="its fields take"):
        rows_of_shapefile(path)


def test_a_description_of_the_database_may_follow_the_fields(path: Path) -> None:
    """Of 263 bytes, as FoxPro writes it: no field of it is one of the table."""
    table = path.with_suffix(".dbf").read_bytes()
    head = struct.unpack_from("<H", table, 8)[0]
    longer = table[:8] + struct.pack("<H", head + 263) + table[10:head] + b"c" * 263 + table[head:]
    path.with_suffix(".dbf").write_bytes(longer)
    assert rows_of_shapefile(path) == ROWS


@pytest.mark.parametrize("kind", [b"N", b"F"])
@pytest.mark.parametrize("mark", [b" ", b"\0"])
def test_numbers_are_digits_in_fields_of_both_kinds_and_in_any_row_that_is_there(
    path: Path, kind: bytes, mark: bytes
) -> None:
    """Rows are deleted by an asterisk alone. Seen to pass where text in a field F was 0, or a row with another mark was blank."""
    table = path.with_suffix(".dbf")
    data = bytearray(table.read_bytes())
    head = struct.unpack_from("<H", data, 8)[0]
    data[32 + 32 + 11 : 32 + 32 + 12], data[head : head + 1] = kind, mark
    table.write_bytes(data)
    (real,) = fields_of_numbers(path, [1])
    assert real is not None
    assert [float(row.tobytes()) for row in real] == [0.5, 1, 2, 3]
    assert pyogrio.read_dataframe(path)["real"].tolist() == [0.5, 1, 2, 3]


def test_fields_of_numbers_are_those_that_are_asked_for(path: Path) -> None:
    text, real = fields_of_numbers(path, [0, 1])
    assert text is None
    assert real is not None
    assert [float(row.tobytes()) for row in real] == [0.5, 1, 2, 3]
