"""The footer of a Parquet file, read by ourselves: Arrow ends the process at some that are damaged."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from carbongrid.errors import InputError
from carbongrid.raster.opening.files import open_file
from carbongrid.raster.opening.thrift import Struct, read_struct

MARK = b"PAR1"
"""With it a Parquet file begins and ends."""
_NO_FOOTER = (IndexError, KeyError, TypeError, ValueError, AttributeError)
_REPEATED = 2
_KINDS = ("BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY")  # fmt: skip
_ENCODINGS = {
    0: "PLAIN", 2: "PLAIN_DICTIONARY", 3: "RLE", 4: "BIT_PACKED", 5: "DELTA_BINARY_PACKED",
    6: "DELTA_LENGTH_BYTE_ARRAY", 7: "DELTA_BYTE_ARRAY", 8: "RLE_DICTIONARY", 9: "BYTE_STREAM_SPLIT",
}  # fmt: skip


@dataclass(frozen=True)
class ColumnChunk:
    """A column in a group of rows, as the footer has it.

    Parameters
    ----------
    name
        Its path, with points.
    kind, encodings
        The physical type and the ways in which values are written, by Parquet's names.
    values
        How many there are, missing ones included.
    size
        Bytes before compression.
    single
        Whether a row has one value: the column is not in a list.
    """

    name: str
    kind: str
    encodings: tuple[str, ...]
    values: int
    size: int
    single: bool


@dataclass(frozen=True)
class Footer:
    """The number of rows in all, and of each group the number of its rows and its columns."""

    rows: int
    groups: tuple[tuple[int, tuple[ColumnChunk, ...]], ...]


def footer_of(path: Path) -> Footer:
    """Return the footer of a Parquet file.

    Raises
    ------
    InputError
        If it is not as Parquet's are, or contradicts itself.
    """
    with open_file(path) as stream:
        data, _ = _bytes_of(stream, path)
    try:
        footer = _decoded(data)
    except _NO_FOOTER:
        raise _damaged(path, "it is no footer") from None
    _require_one_count(footer, path)
    return footer


def footer_in(stream: BinaryIO, path: Path) -> tuple[Struct, int]:
    """Return the footer of an opened Parquet file as it is written, and where it begins.

    Raises
    ------
    InputError
        If it is not as Parquet's are.
    """
    data, begin = _bytes_of(stream, path)
    try:
        return read_struct(data), begin
    except _NO_FOOTER:
        raise _damaged(path, "it is no footer") from None


def _bytes_of(stream: BinaryIO, path: Path) -> tuple[bytes, int]:
    size = stream.seek(0, 2)
    stream.seek(max(0, size - 8))
    length, mark = struct.unpack("<I4s", stream.read(8)) if size >= 12 else (0, b"")
    if mark != MARK or not 0 < length <= size - 12:
        raise _damaged(path, "it does not end as a Parquet file does")
    stream.seek(size - 8 - length)
    return stream.read(length), size - 8 - length


def _damaged(path: Path, what: str) -> InputError:
    return InputError(
        f"the footer of the file cannot be read: {what}",
        path.name,
        "It may be damaged or cut off: write it again with GeoDataFrame.to_parquet.",
    )


def _require_one_count(footer: Footer, path: Path) -> None:
    """Raise unless all that a footer says of the number of rows is the same."""
    told = sum(rows for rows, _ in footer.groups)
    if told != footer.rows:
        raise _damaged(path, f"{footer.rows:,} rows in all, {told:,} in its groups of rows")
    for rows, columns in footer.groups:
        for column in columns:
            # A column of single values has one for each row, missing ones included; one of lists may have any number.
            if column.single and column.values != rows:
                raise _damaged(
                    path,
                    f"{rows:,} rows in a group, {column.values:,} values of {column.name!r} in it",
                )


@lru_cache(maxsize=8)
def _decoded(data: bytes) -> Footer:
    told = read_struct(data)
    single = list(_single(told[2]))
    groups = []
    for group in told.get(4, ()):
        # Other columns than the schema's are a ValueError.
        chunks = (_chunk(column[3], alone) for column, alone in zip(group[1], single, strict=True))
        groups.append((int(group[3]), tuple(chunks)))
    return Footer(int(told[3]), tuple(groups))


def _chunk(about: Struct, single: bool) -> ColumnChunk:
    return ColumnChunk(
        name=".".join(part.decode("utf-8", "replace") for part in about[3]),
        kind=_KINDS[about[1]],
        encodings=tuple(_ENCODINGS.get(each, "UNKNOWN") for each in about[2]),
        values=int(about[5]),
        size=int(about[6]),
        single=single,
    )


def _single(schema: list[Struct]) -> Iterator[bool]:
    """Yield, for each column of a schema, which is a tree written from its root on, whether no list is above it."""
    open_branches = [(int(schema[0].get(5, 0)), False)]
    for element in schema[1:]:
        while open_branches and open_branches[-1][0] == 0:
            open_branches.pop()
        left, within = open_branches.pop()
        open_branches.append((left - 1, within))
        within = within or element.get(3) == _REPEATED
        children = int(element.get(5, 0))
        if children:
            open_branches.append((children, within))
        else:
            yield not within
