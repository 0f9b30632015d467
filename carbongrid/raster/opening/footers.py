"""The footer of a Parquet file, read by ourselves: Arrow ends the process at some that are damaged.

Thrift's compact protocol: a struct is fields of a number, a type and a value, ended by a zero.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from carbongrid.errors import InputError
from carbongrid.raster.opening.files import open_file

_TRUE, _FALSE, _BYTE, _DOUBLE, _TEXT, _LIST, _SET, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 12
_DEEPEST = 16
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
        size = stream.seek(0, 2)
        stream.seek(max(0, size - 8))
        length, mark = struct.unpack("<I4s", stream.read(8)) if size >= 12 else (0, b"")
        if mark != b"PAR1" or not 0 < length <= size - 12:
            raise _damaged(path, "it does not end as a Parquet file does")
        stream.seek(size - 8 - length)
        data = stream.read(length)
    try:
        footer = _decoded(data)
    except (IndexError, KeyError, TypeError, ValueError, AttributeError, struct.error):
        raise _damaged(path, "it is no footer") from None
    _require_one_count(footer, path)
    return footer


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
    told = _Reader(data).struct()
    single = list(_single(told[2]))
    groups = []
    for group in told.get(4, ()):
        if len(group[1]) != len(single):
            raise ValueError("a group of rows has other columns than the schema")
        chunks = (_chunk(column[3], alone) for column, alone in zip(group[1], single, strict=True))
        groups.append((int(group[3]), tuple(chunks)))
    return Footer(int(told[3]), tuple(groups))


def _chunk(about: dict[int, Any], single: bool) -> ColumnChunk:
    return ColumnChunk(
        name=".".join(part.decode("utf-8", "replace") for part in about[3]),
        kind=_KINDS[about[1]],
        encodings=tuple(_ENCODINGS.get(each, "UNKNOWN") for each in about[2]),
        values=int(about[5]),
        size=int(about[6]),
        single=single,
    )


def _single(schema: list[dict[int, Any]]) -> Iterator[bool]:
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


class _Reader:
    """Reads values of Thrift's compact protocol one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0

    def _byte(self) -> int:
        byte = self.data[self.place]
        self.place += 1
        return byte

    def _number(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
            if shift > 70:
                raise ValueError("a number without end")

    def _signed(self) -> int:
        value = self._number()
        return (value >> 1) ^ -(value & 1)

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """Return a struct's values by the numbers of their fields."""
        if depth > _DEEPEST:
            raise ValueError("nested too deep")
        found: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._signed()
            if number in found:
                raise ValueError("a field stands twice")
            kind = head & 15
            found[number] = kind == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind, depth)
        return found

    def _value(self, kind: int, depth: int) -> Any:
        if depth > 2 * _DEEPEST:
            raise ValueError("nested too deep")
        if kind in (_TRUE, _FALSE, _BYTE):
            return self._byte()
        if kind in (4, 5, 6):
            return self._signed()
        if kind == _DOUBLE:
            self.place += 8
            return None
        if kind == _TEXT:
            length = self._number()
            if length > len(self.data) - self.place:
                raise ValueError("a text beyond the end")
            self.place += length
            return self.data[self.place - length : self.place]
        if kind in (_LIST, _SET):
            head = self._byte()
            length = head >> 4 if head >> 4 < 15 else self._number()
            if length > len(self.data):
                raise ValueError("a list beyond the end")
            return [self._value(head & 15, depth + 1) for _ in range(length)]
        if kind == _STRUCT:
            return self.struct(depth + 1)
        raise ValueError("a type that Parquet has not")
