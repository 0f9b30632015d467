"""Digests of tables against bytes that are put together one by one."""

from __future__ import annotations

import hashlib
import struct

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbongrid.outputs.tables.content import Table
from carbongrid.outputs.tables.digests import digest_of_table
from carbongrid.raster import row_blocks


def _length(number: int) -> bytes:
    return struct.pack("<q", number)


def _slow_digest(texts: list[str], numbers: list[int]) -> str:
    """What :func:`digests_of` says of a table of two columns."""
    digest = hashlib.sha256()
    for name, kind in ((b"a", b"text"), (b"b", b"whole")):
        for word in (name, kind):
            digest.update(_length(len(word)) + word)
        digest.update(_length(len(texts)))
        if kind == b"text":
            for text in texts:
                digest.update(_length(len(text.encode())) + text.encode())
        else:
            digest.update(bytes(len(numbers)))
            for number in numbers:
                digest.update(_length(number))
    return digest.hexdigest()


@given(
    st.lists(st.tuples(st.text(max_size=5), st.integers(-(2**63), 2**63 - 1)), max_size=30),
    st.sampled_from(["str", "object", "string[pyarrow]"]),
    st.integers(1, 8),
    st.integers(0, 3),
)
def test_texts_are_digested_as_one_by_one(
    rows: list[tuple[str, int]], dtype: str, block: int, left_out: int
) -> None:
    """In any kind of column, in any blocks, and of a part of a longer column. Seen to fail when lengths are those of characters."""
    texts, numbers = [text for text, _ in rows], [number for _, number in rows]
    column = pd.Series(["é"] * left_out + texts, dtype=dtype).iloc[left_out:]
    frame = pd.DataFrame({"b": np.array(numbers, np.int64), "a": column.reset_index(drop=True)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_blocks.row_blocks, "__defaults__", (block,))
        found = digest_of_table(Table(frame, {"a": "text", "b": "whole"}))
    assert found == _slow_digest(texts, numbers)
