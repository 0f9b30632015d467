"""Parquet files of the same rows put side by side into one: columns that are written already are copied as they are, not packed again.

Of a million parcels, packing the outlines takes three times what all masses take, and of another year they are the same.
"""

from __future__ import annotations

import contextlib
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
        If a part is no Parquet file, the parts' rows are not grouped alike, or a column is in none or in two of them, or of another type: then nothing is written.

    Notes
    -----
    A column of some rows is bytes that the footer says the place of. These bytes are copied; the footer is the one that Arrow writes of no
    rows with this schema, with the parts' own entries, in which places are moved.
    """
    whole = _footer_of_no_rows(schema)
    wanted = dict(_leaves(whole[_SCHEMA]))
    with contextlib.ExitStack() as opened:
        sources: list[tuple[BinaryIO, int, int]] = []
        groups: list[list[Struct]] = []
        end = 0
        for part in parts:
            source = opened.enter_context(open_file(part))
            footer, own_end = footer_in(source, part)
            _require_types(dict(_leaves(footer[_SCHEMA])), wanted, part)
            # The first part is copied with the mark at its beginning, the others without.
            begin = len(MARK) if sources else 0
            groups.append([_moved(group, end - begin) for group in footer[_GROUPS]])
            sources.append((source, begin, own_end))
            end += own_end - begin
        told = write_struct(_with_groups(whole, _beside(groups, list(wanted), parts, path)))
        with path.open("wb") as target:
            for stream, begin, own_end in sources:
                stream.seek(begin)
                _copy(stream, target, own_end - begin)
            target.write(told + struct.pack("<I", len(told)) + MARK)


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


def _beside(groups: list[list[Struct]], ways: list[Way], parts: Sequence[Path], path: Path) -> list[Struct]:  # fmt: skip
    """Return each group of rows with the columns of all parts, in the order of the schema."""
    sizes = [[each[_GROUP_ROWS] for each in of_part] for of_part in groups]
    for part, size in zip(parts, sizes, strict=True):
        if size != sizes[0]:
            raise InputError(f"{sum(size):,} rows in {len(size):,} groups are not those of the file beside it, {sum(sizes[0]):,} rows in {len(sizes[0]):,} groups", part.name)  # fmt: skip
    return [_joined(several, ways, path) for several in zip(*groups, strict=True)]


def _joined(several: Sequence[Struct], ways: list[Way], path: Path) -> Struct:
    chunks = [chunk for group in several for chunk in group[_COLUMNS]]
    by_way = {tuple(chunk[_ABOUT][_WAY]): chunk for chunk in chunks}
    if len(by_way) != len(chunks) or set(by_way) != set(ways):
        raise InputError("a column is in none of the parts, or in two", path.name)
    told = [each for each in (_SIZE, _PACKED_SIZE) if all(each in group for group in several)]
    sums = [(each, LONG, sum(group[each] for group in several)) for each in told]
    ordered = Values(STRUCT, [by_way[way] for way in ways])
    return several[0].with_fields((_COLUMNS, LIST, ordered), *sums, without=[_PACKED_SIZE])
