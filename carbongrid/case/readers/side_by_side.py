"""Parquet files of the same rows put side by side into one: columns that are written already are copied as they are, not packed again.

Of a million parcels, packing the outlines takes three times what all masses take, and of another year they are the same.
"""

from __future__ import annotations

import contextlib
import io
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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
    write_struct,
)

if TYPE_CHECKING:
    import pyarrow as pa

    Way = tuple[bytes, ...]

# Numbers of fields in Parquet's own description of its footer (parquet.thrift).
_SCHEMA, _ROWS, _GROUPS = 2, 3, 4
_NAME, _CHILDREN, _FIELD_ID = 4, 5, 9
_COLUMNS, _SIZE, _GROUP_ROWS, _SORTED_BY, _GROUP_PLACE, _PACKED_SIZE = 1, 2, 3, 4, 5, 6
_CHUNK_PLACES, _ABOUT = (2, 4, 6), 3
_WAY, _ABOUT_PLACES = 3, (9, 10, 11, 14)
_COPIED_AT_ONCE = 2**24


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
        If a part is no Parquet file, the parts' rows are not grouped alike, or a column is in none or in two of them, or of another type: then nothing is written.

    Notes
    -----
    The part with the first column of the schema comes first. Readers that share a file out, as Spark does, give a group of rows to whom half of its bytes from the place of that
    column on are in; if these lay behind other columns, half of the last groups would be behind the end of the file, in nobody's share.

    A column of some rows is bytes that the footer says the place of. These bytes are copied; the footer is the one that Arrow writes of no
    rows with this schema, with the parts' own entries, in which places are moved.
    """
    whole = _footer_of_no_rows(schema)
    wanted = dict(_leaves(whole[_SCHEMA]))
    with contextlib.ExitStack() as opened:
        read = [_Part.read(opened.enter_context(open_file(part)), part) for part in parts]
        for part in read:
            _require_types(part, wanted)
        first = next(iter(wanted), ())
        read.sort(key=lambda part: first not in part.columns)
        groups, end = list[list[Struct]](), 0
        for part in read:
            # The first part is copied with the mark at its beginning, the others without.
            part.begin = len(MARK) if end else 0
            groups.append([_moved(group, end - part.begin) for group in part.groups])
            end += part.end - part.begin
        _require_one_grouping(read)
        ordered = [_joined(several, list(wanted), path) for several in zip(*groups, strict=True)]
        told = write_struct(_with_groups(whole, ordered))
        with path.open("wb") as target:
            for part in read:
                part.copy_to(target)
            target.write(told + struct.pack("<I", len(told)) + MARK)


@dataclass
class _Part:
    """An opened file: its columns, its groups of rows, and where its bytes begin and end that are copied."""

    name: str
    source: BinaryIO
    columns: dict[Way, Struct]
    groups: list[Struct]
    begin: int
    end: int

    @classmethod
    def read(cls, source: BinaryIO, path: Path) -> _Part:
        footer, end = footer_in(source, path)
        return cls(path.name, source, dict(_leaves(footer[_SCHEMA])), footer[_GROUPS], 0, end)

    def copy_to(self, target: BinaryIO) -> None:
        self.source.seek(self.begin)
        left = self.end - self.begin
        while left:
            piece = self.source.read(min(left, _COPIED_AT_ONCE))
            if not piece:
                raise InputError("the file ends before its footer", self.name)
            target.write(piece)
            left -= len(piece)


def _footer_of_no_rows(schema: pa.Schema) -> Struct:
    import pyarrow.parquet as parquet

    stream = io.BytesIO()
    parquet.write_table(schema.empty_table(), stream)
    footer, _ = footer_in(stream, Path("a file of no rows"))
    return footer


def _with_groups(footer: Struct, groups: list[Struct]) -> Struct:
    rows = sum(group[_GROUP_ROWS] for group in groups)
    return footer.with_fields((_ROWS, LONG, rows), (_GROUPS, LIST, Values(STRUCT, groups)))


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


def _require_types(part: _Part, wanted: Mapping[Way, Struct]) -> None:
    for way, element in part.columns.items():
        known = wanted.get(way)
        if known is None or _kind(known) != _kind(element):
            raise InputError(f"{_named(way)} is not the column that is wanted", part.name)


def _require_one_grouping(parts: Sequence[_Part]) -> None:
    sizes = [[group[_GROUP_ROWS] for group in part.groups] for part in parts]
    for part, size in zip(parts, sizes, strict=True):
        if size != sizes[0]:
            raise InputError(f"{sum(size):,} rows in {len(size):,} groups are not those of {parts[0].name}, {sum(sizes[0]):,} rows in {len(sizes[0]):,} groups", part.name)  # fmt: skip


def _kind(element: Struct) -> dict[int, object]:
    return {number: value for number, value in element.items() if number != _FIELD_ID}


def _named(way: Way) -> str:
    return ".".join(each.decode("utf-8", "replace") for each in way)


def _moved(group: Struct, shift: int) -> Struct:
    """Return a group of rows whose bytes stand so much further on in the file; by which of the part's columns they are sorted is not said any more."""
    chunks = []
    for chunk in group[_COLUMNS]:
        about = _with_places_moved(chunk[_ABOUT], _ABOUT_PLACES, shift)
        chunks.append(_with_places_moved(chunk, _CHUNK_PLACES, shift).with_fields((_ABOUT, STRUCT, about)))  # fmt: skip
    return group.with_fields((_COLUMNS, LIST, Values(STRUCT, chunks)), without=[_GROUP_PLACE, _SORTED_BY])  # fmt: skip


def _with_places_moved(told: Struct, places: Sequence[int], shift: int) -> Struct:
    # Arrow writes 0 for what Parquet does not use any more.
    moved = [(each, LONG, told[each] + shift) for each in places if told.get(each)]
    return told.with_fields(*moved)


def _joined(several: Sequence[Struct], ways: list[Way], path: Path) -> Struct:
    """Return the groups of the same rows as one, its columns in the order of the schema."""
    chunks = [chunk for group in several for chunk in group[_COLUMNS]]
    by_way = {tuple(chunk[_ABOUT][_WAY]): chunk for chunk in chunks}
    if len(by_way) != len(chunks) or set(by_way) != set(ways):
        raise InputError("a column is in none of the parts, or in two", path.name)
    told = [each for each in (_SIZE, _PACKED_SIZE) if all(each in group for group in several)]
    sums = [(each, LONG, sum(group[each] for group in several)) for each in told]
    ordered = Values(STRUCT, [by_way[way] for way in ways])
    return several[0].with_fields((_COLUMNS, LIST, ordered), *sums, without=[_PACKED_SIZE])
