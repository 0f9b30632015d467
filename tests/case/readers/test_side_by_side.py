"""Parquet files put side by side: any reader finds each column as it was, and the bytes of its values are those that were written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbongrid.case.readers.side_by_side import put_side_by_side
from carbongrid.errors import InputError

KINDS = {
    "whole": lambda rng, n: pa.array(rng.integers(0, 9, n)),
    "number": lambda rng, n: pa.array(rng.random(n)),
    "null": lambda rng, n: pa.array(rng.integers(0, 9, n), mask=rng.random(n) < 0.3),
    "text": lambda rng, n: pa.array([f"编 {k}" for k in rng.integers(0, 4, n)]),
    "binary": lambda rng, n: pa.array([bytes(k) for k in rng.integers(0, 40, n)], pa.binary()),
    "struct": lambda rng, n: pa.array([{"a": k, "b": {"c": k / 2}} for k in rng.random(n)], pa.struct({"a": pa.float64(), "b": pa.struct({"c": pa.float64()})})),
    "list": lambda rng, n: pa.array([list(range(k)) for k in rng.integers(0, 4, n)], pa.list_(pa.field("element", pa.int64()))),
}  # fmt: skip


def table_of(kinds: list[str], rows: int, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    return pa.table({f"{kind} {place}": KINDS[kind](rng, rows) for place, kind in enumerate(kinds)})


@given(
    st.lists(st.sampled_from(sorted(KINDS)), min_size=2, max_size=9),
    st.integers(0, 60),
    st.sampled_from(["zstd", "lz4", "none"]),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_each_column_is_as_it_was(tmp_path_factory, kinds, rows, compression, pages, random):
    """Whole, group by group and column by column; ``nox -s formats`` has DuckDB read a run's parcels as well."""
    folder = tmp_path_factory.mktemp("parts")
    table = table_of(kinds, rows, len(kinds))
    names = table.column_names
    random.shuffle(names)
    cut = random.randrange(1, len(names))
    parts = [folder / "left.parquet", folder / "right.parquet"]
    how: list[dict[str, Any]] = [{"compression": compression, "write_page_index": pages}, {"use_dictionary": False}]  # fmt: skip
    for path, own, options in zip(parts, (names[:cut], names[cut:]), how, strict=True):
        parquet.write_table(table.select(own), path, row_group_size=17, **options)
    random.shuffle(names)
    wanted = table.select(names).replace_schema_metadata({"told": "of the file"})
    path = folder / "both.parquet"
    put_side_by_side(parts, wanted.schema, path)
    found = parquet.read_table(path)
    assert found.equals(wanted, check_metadata=True)
    file = parquet.ParquetFile(path)
    assert file.num_row_groups == max(1, -(-rows // 17))  # Arrow writes a group of no rows
    for group in range(file.num_row_groups):
        rows_of = wanted.slice(17 * group, 17)
        for name in names:
            assert file.read_row_group(group, [name]).column(name).equals(rows_of.column(name))
    if rows:
        # What a filter of a reader skips groups by is there as well.
        assert file.metadata.row_group(0).total_byte_size == sum(parquet.read_metadata(part).row_group(0).total_byte_size for part in parts)  # fmt: skip
        columns = [file.metadata.row_group(0).column(i) for i in range(file.metadata.num_columns)]
        assert all(each.is_stats_set for each in columns if "list" not in each.path_in_schema)


def written(folder: Path, name: str, rows: int, column: Any = None, group: int = 10) -> Path:
    path = folder / f"{name}.parquet"
    column = pa.array(range(rows)) if column is None else column
    parquet.write_table(pa.table({name: column}), path, row_group_size=group)
    return path


def require_shared_out(path: Path) -> None:
    """Each group of rows is in somebody's share where a file is shared out: parquet-java gives it to whom half of its bytes, from its first column on, are in (filterFileMetaDataByMidpoint)."""
    told = parquet.read_metadata(path)
    for number in range(told.num_row_groups):
        group = told.row_group(number)
        columns = [group.column(place) for place in range(group.num_columns)]
        places = [columns[0].data_page_offset, columns[0].dictionary_page_offset or 2**63]
        middle = min(places) + sum(each.total_compressed_size for each in columns) // 2
        assert middle < path.stat().st_size


@pytest.mark.parametrize("group", [10**6, 100, 11])
@pytest.mark.parametrize("order", [("small", "large"), ("large", "small")])
def test_no_group_of_rows_is_in_nobody_s_share(tmp_path, group, order):
    """Seen to fail: where the schema's first column lay behind large ones, Spark would have read the small demo as an empty table."""
    rng = np.random.default_rng(0)
    sizes = {"small": pa.array(rng.integers(0, 5, 2000)), "large": pa.array([rng.bytes(400) for _ in range(2000)])}  # fmt: skip
    parts = [written(tmp_path, name, 2000, column, group) for name, column in sizes.items()]
    schema = pa.schema([(name, sizes[name].type) for name in order])
    for several in (parts, parts[::-1]):
        put_side_by_side(several, schema, tmp_path / "both.parquet")
        require_shared_out(tmp_path / "both.parquet")
        assert parquet.read_table(tmp_path / "both.parquet").equals(pa.table({name: sizes[name] for name in order}))  # fmt: skip


def test_the_parcels_of_a_run_are_in_somebody_s_share(small_run):
    require_shared_out(small_run / "parcels.parquet")


def test_three_files(tmp_path):
    names = ("a", "b", "c")
    parts = [written(tmp_path, name, 25) for name in names]
    path = tmp_path / "all.parquet"
    put_side_by_side(parts, pa.schema([(name, pa.int64()) for name in ("c", "a", "b")]), path)
    assert parquet.read_table(path).to_pydict() == {
        name: list(range(25)) for name in ("c", "a", "b")
    }


@pytest.mark.parametrize(
    ("rows", "group", "column", "schema", "said"),
    [
        (24, 10, None, {"a": pa.int64(), "b": pa.int64()}, "b.parquet: 24 rows in 3 groups are not those of a.parquet, 25 rows in 3 groups"),
        (25, 5, None, {"a": pa.int64(), "b": pa.int64()}, "b.parquet: 25 rows in 5 groups are not those of a.parquet, 25 rows in 3 groups"),
        (25, 10, None, {"a": pa.int64(), "b": pa.float64()}, "b.parquet: b is not the column that is wanted"),
        (25, 10, None, {"a": pa.int64()}, "b.parquet: b is not the column that is wanted"),
        (25, 10, None, {"a": pa.int64(), "b": pa.int64(), "c": pa.int64()}, "both.parquet: a column is in none of the parts, or in two"),
        (25, 10, pa.array(range(25), pa.int32()), {"a": pa.int64(), "b": pa.int64()}, "b is not the column that is wanted"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(tmp_path, rows, group, column, schema, said):
    parts = [written(tmp_path, "a", 25), written(tmp_path, "b", rows, column, group)]
    with pytest.raises(InputError, match=said):
        put_side_by_side(parts, pa.schema(list(schema.items())), tmp_path / "both.parquet")
    assert not (tmp_path / "both.parquet").exists()


def test_a_column_that_is_in_two_is_refused(tmp_path):
    part = written(tmp_path, "a", 25)
    with pytest.raises(InputError, match="a column is in none of the parts, or in two"):
        put_side_by_side([part, part], pa.schema([("a", pa.int64())]), tmp_path / "both.parquet")


def test_the_order_of_a_part_is_not_that_of_the_whole(tmp_path):
    """Seen to fail: of a part that says by which of its columns it is sorted, the whole said that it is sorted by the column at that place."""
    table = pa.table({"sorted": range(25)})
    parquet.write_table(table, tmp_path / "a.parquet", sorting_columns=[parquet.SortingColumn(0)])
    parts = [tmp_path / "a.parquet", written(tmp_path, "z", 25, group=1000)]
    put_side_by_side(parts, pa.schema([("z", pa.int64()), ("sorted", pa.int64())]), tmp_path / "b.parquet")  # fmt: skip
    assert parquet.read_metadata(tmp_path / "a.parquet").row_group(0).sorting_columns
    assert not parquet.read_metadata(tmp_path / "b.parquet").row_group(0).sorting_columns


@pytest.mark.parametrize("data", [b"PAR1 nothing", b"PAR1" + b"\x0e" * 20 + b"\x14\0\0\0PAR1"])
def test_what_is_no_parquet_file_is_refused(tmp_path, data):
    (tmp_path / "a.parquet").write_bytes(data)
    with pytest.raises(InputError, match=r"a\.parquet: the footer of the file cannot be read"):
        put_side_by_side([tmp_path / "a.parquet"], pa.schema([]), tmp_path / "both.parquet")
