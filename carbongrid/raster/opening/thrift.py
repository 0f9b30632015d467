"""Thrift's compact protocol, in which Parquet has its footers: a struct is fields of a number, a type and a value, ended by a zero."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

TRUE, FALSE, BYTE, SHORT, INT, LONG, DOUBLE, TEXT, LIST, SET, STRUCT = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12  # fmt: skip
_DEEPEST = 16
_MANY = 15
"""A list of so many values or more has their number apart."""


class Struct(dict[int, Any]):
    """A struct's values by the numbers of their fields, and the type of each (``kinds``); a double is its eight bytes."""

    def __init__(self, fields: Iterable[tuple[int, int, Any]] = ()) -> None:
        told = list(fields)
        super().__init__((number, value) for number, _, value in told)
        self.kinds = {number: kind for number, kind, _ in told}

    def with_fields(self, *changed: tuple[int, int, Any], without: Iterable[int] = ()) -> Struct:
        """Return the struct with some fields changed or added, and without others."""
        gone = {*without, *(number for number, _, _ in changed)}
        kept = ((n, kind, self[n]) for n, kind in self.kinds.items() if n not in gone)
        return Struct((*kept, *changed))


class Values(list[Any]):
    """The values of a list or a set, all of one type (``kind``)."""

    def __init__(self, kind: int, values: Iterable[Any]) -> None:
        super().__init__(values)
        self.kind = kind


def read_struct(data: bytes) -> Struct:
    """Return the struct with which some bytes begin.

    Raises
    ------
    IndexError, ValueError
        If they hold none.
    """
    return _Reader(data).struct()


def write_struct(struct: Struct) -> bytes:
    """Return the bytes of a struct, as :func:`read_struct` reads them."""
    return b"".join(_struct(struct))


class _Reader:
    """Reads values one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0

    def _byte(self) -> int:
        byte = self.data[self.place]
        self.place += 1
        return byte

    def _bytes(self, length: int) -> bytes:
        if length > len(self.data) - self.place:
            raise ValueError("a text beyond the end")
        self.place += length
        return self.data[self.place - length : self.place]

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

    def struct(self, depth: int = 0) -> Struct:
        """Return a struct."""
        if depth > _DEEPEST:
            raise ValueError("nested too deep")
        found: dict[int, tuple[int, Any]] = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._signed()
            if number in found:
                raise ValueError("a field stands twice")
            kind = head & 15
            value = kind == TRUE if kind in (TRUE, FALSE) else self._value(kind, depth)
            found[number] = kind, value
        return Struct((number, *told) for number, told in found.items())

    def _value(self, kind: int, depth: int) -> Any:
        if depth > 2 * _DEEPEST:
            raise ValueError("nested too deep")
        if kind in (TRUE, FALSE, BYTE):
            return self._byte()
        if kind in (SHORT, INT, LONG):
            return self._signed()
        if kind == DOUBLE:
            return self._bytes(8)
        if kind == TEXT:
            return self._bytes(self._number())
        if kind in (LIST, SET):
            head = self._byte()
            length = head >> 4 if head >> 4 < _MANY else self._number()
            if length > len(self.data):
                raise ValueError("a list beyond the end")
            return Values(head & 15, [self._value(head & 15, depth + 1) for _ in range(length)])
        if kind == STRUCT:
            return self.struct(depth + 1)
        raise ValueError("a type that Parquet has not")


def _struct(struct: Struct) -> Iterable[bytes]:
    last = 0
    for number, kind in sorted(struct.kinds.items()):
        value, step = struct[number], number - last
        told = kind if kind not in (TRUE, FALSE) else TRUE if value else FALSE
        yield bytes([step << 4 | told]) if 0 < step < 16 else bytes([told]) + _signed(number)
        if told not in (TRUE, FALSE):
            yield from _value(kind, value)
        last = number
    yield b"\0"


def _value(kind: int, value: Any) -> Iterable[bytes]:
    if kind in (TRUE, FALSE, BYTE):
        yield bytes([value])
    elif kind in (SHORT, INT, LONG):
        yield _signed(value)
    elif kind == DOUBLE:
        yield value
    elif kind == TEXT:
        yield _number(len(value))
        yield value
    elif kind in (LIST, SET):
        many = len(value) >= _MANY
        yield bytes([(_MANY if many else len(value)) << 4 | value.kind])
        if many:
            yield _number(len(value))
        for each in value:
            yield from _value(value.kind, each)
    else:
        yield from _struct(value)


def _number(value: int) -> bytes:
    pieces = bytearray()
    while value >= 0x80:
        pieces.append(value & 0x7F | 0x80)
        value >>= 7
    pieces.append(value)
    return bytes(pieces)


def _signed(value: int) -> bytes:
    return _number(value << 1 if value >= 0 else (-value << 1) - 1)
