"""Parquet files of the same rows put side by side into one: columns that are written already are copied as they are, not packed again.

Of a million parcels, packing the outlines takes three times what all masses take, and of another year they are the same.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from carbongrid.errors import InputError
from carbongrid.raster.opening.files import open_file
from carbongrid.raster.opening.footers import MARK, footer_in
from carbongrid.raster.opening.thrift import (  # fmt: skip
    LIST,
    LONG,
    STRUCT,
    Struct,
    Values,
    read_struct,
    write_struct,
)

if TYPE_CHECKING:
    import pyarrow as pa

    Way = tuple[bytes, ...]

# Numbers of fields in Parquet's own description of its footer (parquet.thrift).
_SCHEMA, _ROWS, _GROUPS = 2, 3, 4
_NAME, _CHILDREN, _FIELD_ID = 4, 5, 9
_COLUMNS, _SIZE, _GROUP_ROWS, _GROUP_PLACE, _PACKED_SIZE = 1, 2, 3, 5, 6
_CHUNK_PLACES, _ABOUT = (2, 4, 6), 3
_WAY, _ABOUT_PLACES = 3, (9, 10, 11, 14)
_COPIED_AT_ONCE = 2**22


def put_side_by_side(parts: Sequence[Path], schema: pa.Schema, path: Path) -> None:
    """Write one Parquet file of the columns of several.

    Parameters
    ----------
    parts
        Files with the same rows, in groups of the same sizes; each column in one of them.
    schema
        The columns of all in the order wanted, and what is told of the file.
    path
        The file.

    Raises
    ------
    InputError
        If the parts' rows are not grouped alike, or a column is in none or in two of them, or of another type.

    Notes
    -----
    A column of some rows is bytes that the footer says the place of. These bytes are copied; the footer is the one that Arrow writes of no
    rows with this schema, with the parts' own entries, in which places are moved.
    """
    whole = _footer_of_no_rows(schema)
    wanted = dict(_leaves(whole[_SCHEMA]))
    groups: list[Struct] | None = None
    with path.open("wb") as target:
        for part in parts:
            with open_file(part) as source:
                data, end = footer_in(source, part)
                footer = read_struct(data)
                shift = target.tell() - (len(MARK) if target.tell() else 0)
                source.seek(len(MARK) if target.tell() else 0)
                _copy(source, target, end - source.tell())
            _require_types(dict(_leaves(footer[_SCHEMA])), wanted, part)
            moved = [_moved(group, shift) for group in footer[_GROUPS]]
            groups = moved if groups is None else _beside(groups, moved, part)
        ordered = [_ordered(group, list(wanted), path) for group in groups or []]
        rows = sum(group[_GROUP_ROWS] for group in ordered)
        told = write_struct(
            whole.with_fields((_ROWS, LONG, rows), (_GROUPS, LIST, Values(STRUCT, ordered)))
        )
        target.write(told + struct.pack("<I", len(told)) + MARK)


def _footer_of_no_rows(schema: pa.Schema) -> Struct:
    import pyarrow.parquet as parquet

    stream = io.BytesIO()
    parquet.write_table(schema.empty_table(), stream)
    data, _ = footer_in(stream, Path("no rows"))
    return read_struct(data)


def _leaves(schema: Sequence[Struct]) -> Iterator[tuple[Way, Struct]]:
    """Yield the columns of a schema, which is a tree written from its root on, and the way to each."""
    elements = iter(schema)

    def below(element: Struct, way: Way) -> Iterator[tuple[Way, Struct]]:
        children = element.get(_CHILDREN, 0)
        for _ in range(children):
            child = next(elements)
            yield from below(child, (*way, child[_NAME]))
        if not children:
            yield way, element

    yield from below(next(elements), ())


def _require_types(found: dict[Way, Struct], wanted: dict[Way, Struct], part: Path) -> None:
    for way, element in found.items():
        known = wanted.get(way)
        if known is None or _kind(known) != _kind(element):
            raise InputError(f"{_named(way)} is not the column that is wanted", part.name)


def _kind(element: Struct) -> dict[int, object]:
    return {number: value for number, value in element.items() if number != _FIELD_ID}


def _named(way: Way) -> str:
    return ".".join(each.decode("utf-8", "replace") for each in way)


def _copy(source: BinaryIO, target: BinaryIO, size: int) -> None:
    while size:
        piece = source.read(min(size, _COPIED_AT_ONCE))
        if not piece:
            raise InputError("the file ends before its footer", getattr(source, "name", ""))
        target.write(piece)
        size -= len(piece)


def _moved(group: Struct, shift: int) -> Struct:
    """Return a group of rows whose bytes stand so much further on in the file."""
    chunks = []
    for chunk in group[_COLUMNS]:
        about = _with_places_moved(chunk[_ABOUT], _ABOUT_PLACES, shift)
        chunks.append(_with_places_moved(chunk, _CHUNK_PLACES, shift).with_fields((_ABOUT, STRUCT, about)))  # fmt: skip
    return group.with_fields((_COLUMNS, LIST, Values(STRUCT, chunks)), without=[_GROUP_PLACE])


def _with_places_moved(told: Struct, places: Sequence[int], shift: int) -> Struct:
    # Arrow writes 0 for what Parquet does not use any more.
    moved = [(each, LONG, told[each] + shift) for each in places if told.get(each)]
    return told.with_fields(*moved)


def _beside(groups: list[Struct], more: list[Struct], part: Path) -> list[Struct]:
    if [each[_GROUP_ROWS] for each in groups] != [each[_GROUP_ROWS] for each in more]:
        raise InputError("the rows are not in the groups of the file beside it", part.name)
    return [_both(left, right) for left, right in zip(groups, more, strict=True)]


def _both(left: Struct, right: Struct) -> Struct:
    sums = [(each, LONG, left[each] + right[each]) for each in (_SIZE, _PACKED_SIZE) if each in left and each in right]  # fmt: skip
    chunks = Values(STRUCT, [*left[_COLUMNS], *right[_COLUMNS]])
    return left.with_fields((_COLUMNS, LIST, chunks), *sums)


def _ordered(group: Struct, ways: Sequence[Way], path: Path) -> Struct:
    """Return a group with its columns in the order of the schema."""
    by_way = {tuple(chunk[_ABOUT][_WAY]): chunk for chunk in group[_COLUMNS]}
    if len(by_way) != len(group[_COLUMNS]) or set(by_way) != set(ways):
        raise InputError("a column is in none of the parts, or in two", path.name)
    return group.with_fields((_COLUMNS, LIST, Values(STRUCT, [by_way[way] for way in ways])))
