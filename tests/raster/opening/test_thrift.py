"""Structs of Thrift's compact protocol: what is read is written as it was, byte by byte."""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbongrid.raster.opening import thrift
from carbongrid.raster.opening.thrift import Struct, Values, read_struct, write_struct

WHOLE = st.integers(-(2**63), 2**63 - 1)
PLAIN = {
    thrift.BYTE: st.integers(0, 255),
    thrift.SHORT: st.integers(-(2**15), 2**15 - 1),
    thrift.INT: st.integers(-(2**31), 2**31 - 1),
    thrift.LONG: WHOLE,
    thrift.DOUBLE: st.binary(min_size=8, max_size=8),
    thrift.TEXT: st.binary(max_size=200),
}


def lists(values: st.SearchStrategy[Any], kind: int) -> st.SearchStrategy[tuple[int, Values]]:
    made = st.lists(values, max_size=20).map(lambda each: Values(kind, each))
    return st.tuples(st.sampled_from([thrift.LIST, thrift.SET]), made)


def structs(inner: st.SearchStrategy[Struct]) -> st.SearchStrategy[Struct]:
    plain = [st.tuples(st.just(kind), values) for kind, values in PLAIN.items()]
    truth = st.booleans().map(lambda each: (thrift.TRUE if each else thrift.FALSE, each))
    several = [lists(values, kind) for kind, values in PLAIN.items()]
    nested = [st.tuples(st.just(thrift.STRUCT), inner), lists(inner, thrift.STRUCT)]
    value = st.one_of(truth, *plain, *several, *nested)
    # Numbers far apart are written in another way.
    return st.dictionaries(st.integers(1, 60), value, max_size=6).map(
        lambda fields: Struct((number, *told) for number, told in sorted(fields.items()))
    )


def same(left: Any, right: Any) -> bool:
    if isinstance(left, Struct):
        return left.kinds == right.kinds and all(
            same(left[number], right[number]) for number in left
        )
    if isinstance(left, Values):
        return left.kind == right.kind and len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


@given(structs(structs(st.just(Struct()))))
def test_what_is_written_is_read(struct: Struct) -> None:
    found = read_struct(write_struct(struct))
    assert same(found, struct)
    assert write_struct(found) == write_struct(struct)


def test_a_footer_of_arrow_is_written_as_it_was() -> None:
    """Of 40 columns, so that lists have their number apart; with statistics, a dictionary, a list and a struct."""
    columns: dict[str, Any] = {f"column {i}": pa.array([i / 3, None, -i]) for i in range(40)}
    columns |= {
        "text": ["a", "b", None],
        "list": [[1], [], None],
        "struct": [{"a": 1}, None, {"a": 3}],
    }
    stream = io.BytesIO()
    parquet.write_table(pa.table(columns), stream, row_group_size=2)
    data = stream.getvalue()
    footer = data[-8 - int.from_bytes(data[-8:-4], "little") : -8]
    assert write_struct(read_struct(footer)) == footer


def test_fields_are_changed_added_and_left_out() -> None:
    struct = Struct([(1, thrift.INT, 5), (4, thrift.TEXT, b"a"), (20, thrift.TRUE, True)])
    changed = struct.with_fields((1, thrift.INT, 6), (2, thrift.LONG, 7), without=[4])
    assert dict(read_struct(write_struct(changed))) == {1: 6, 2: 7, 20: True}
    assert dict(struct) == {1: 5, 4: b"a", 20: True}


@given(structs(st.just(Struct())), st.data())
def test_bytes_that_are_cut_short_are_refused(struct: Struct, data: st.DataObject) -> None:
    written = write_struct(struct)
    with pytest.raises((IndexError, ValueError)):
        read_struct(written[: data.draw(st.integers(0, len(written) - 1))])


@pytest.mark.parametrize(
    "data",
    [
        b"\x15\x02\x05\x02\x04\0",  # field 1 is 1, and then 2
        b"\x15" + b"\x80" * 11 + b"\x01\0",  # a number of more than 64 bits
        b"\x1c" * 20 + b"\0" * 21,  # structs in structs
    ],
)
def test_what_no_writer_writes_is_refused(data: bytes) -> None:
    """Each ends as a struct does: a reader that takes the last field, or wide numbers, reads something."""
    with pytest.raises(ValueError, match=r"twice|without end|too deep"):
        read_struct(data)
