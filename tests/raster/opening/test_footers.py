"""Our reading of a Parquet footer against Arrow's, on sound files; on others it is an error and never the end of the process."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from carbongrid.errors import InputError
from carbongrid.raster.opening.footers import footer_of
from carbongrid.raster.opening.thrift import (
    INT,
    LIST,
    LONG,
    STRUCT,
    Struct,
    Values,
    read_struct,
    write_struct,
)

NESTED = pa.table(
    {
        "list": [[1, 2], [], None, [3]],
        "struct": [{"a": 1, "b": [1, 2]}, {"a": 2, "b": []}, None, {"a": None, "b": None}],
        "map": pa.array([[("a", 1)], [], None, [("b", 2)]], pa.map_(pa.string(), pa.int64())),
        "dictionary": pa.array(["a", "b", "a", None]).dictionary_encode(),
        "truth": pa.array([True, False, None, True]),
    }
)


def points(path: Path, **options: Any) -> Path:
    geometry = shapely.points(np.arange(2000.0).reshape(1000, 2) / 100)
    names = [str(k) for k in range(1000)]
    gpd.GeoDataFrame({"id": names}, geometry=geometry, crs=4326).to_parquet(path, **options)
    return path


def require_the_same(path: Path) -> None:
    arrow, ours = parquet.read_metadata(path), footer_of(path)
    assert (ours.rows, len(ours.groups)) == (arrow.num_rows, arrow.num_row_groups)
    for number, (rows, columns) in enumerate(ours.groups):
        group = arrow.row_group(number)
        assert (rows, len(columns)) == (group.num_rows, group.num_columns)
        for place, column in enumerate(columns):
            known = group.column(place)
            assert column.name == known.path_in_schema
            assert column.kind == known.physical_type
            assert set(column.encodings) == set(known.encodings)
            assert column.values == known.num_values
            assert column.size == known.total_uncompressed_size
            assert column.single == (arrow.schema.column(place).max_repetition_level == 0)


@pytest.mark.parametrize("options", [{"row_group_size": 100, "write_covering_bbox": True}, {"geometry_encoding": "geoarrow"}])  # fmt: skip
def test_layers(tmp_path: Path, options: dict[str, Any]) -> None:
    require_the_same(points(tmp_path / "a.parquet", **options))


@pytest.mark.parametrize("rows", [0, 4])
@pytest.mark.parametrize("version", ["1.0", "2.6"])
@pytest.mark.parametrize("dictionary", [True, False])
def test_lists_structs_and_maps(tmp_path: Path, rows: int, version: Any, dictionary: bool) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(NESTED.slice(0, rows), path, version=version, use_dictionary=dictionary)
    require_the_same(path)


def with_group(footer: Struct, group: Struct) -> Struct:
    return footer.with_fields((4, LIST, Values(STRUCT, [group])))


def with_values(footer: Struct, more: int) -> Struct:
    [group] = footer[4]
    first = group[1][0]
    other = first.with_fields((3, STRUCT, first[3].with_fields((5, LONG, first[3][5] + more))))
    return with_group(footer, group.with_fields((1, LIST, Values(STRUCT, [other, *group[1][1:]]))))


def without_a_column(footer: Struct) -> Struct:
    [group] = footer[4]
    return with_group(footer, group.with_fields((1, LIST, Values(STRUCT, group[1][1:]))))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda footer: footer.with_fields((3, LONG, 1001)), "1,001 rows in all, 1,000 in its groups"),
        (lambda footer: footer.with_fields((3, LONG, 999)), "999 rows in all, 1,000 in its groups"),
        (lambda footer: with_values(footer, 1), "1,000 rows in a group, 1,001 values of 'id' in it"),
        (lambda footer: with_values(footer, -1), "1,000 rows in a group, 999 values of 'id' in it"),
        (without_a_column, "it is no footer"),
        (lambda footer: Struct([(1, INT, 1)]), "it is no footer"),
    ],
)  # fmt: skip
def test_counts_that_contradict_each_other_are_told(tmp_path: Path, change: Any, told: str) -> None:
    path = points(tmp_path / "a.parquet")
    data = path.read_bytes()
    begin = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    footer = write_struct(change(read_struct(data[begin:-8])))
    path.write_bytes(data[:begin] + footer + len(footer).to_bytes(4, "little") + b"PAR1")
    with pytest.raises(InputError, match=told):
        footer_of(path)


@pytest.mark.parametrize("length", [0, 1, 5, 2**31])
@pytest.mark.parametrize("between", [b"", b"\0"])
def test_a_footer_that_is_longer_than_its_file_is_told(tmp_path: Path, length: int, between: bytes) -> None:  # fmt: skip
    path = tmp_path / "a.parquet"
    for begin in (b"PAR1", b""):
        path.write_bytes(begin + between * (length != 1) + length.to_bytes(4, "little") + b"PAR1")
        with pytest.raises(InputError, match="does not end as a Parquet file does"):
            footer_of(path)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_footer_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("footers") / "a.parquet"
    path.write_bytes(b"PAR1" + data + len(data).to_bytes(4, "little") + b"PAR1")
    with contextlib.suppress(InputError):
        footer_of(path)


def test_lists_in_lists_without_end_are_an_error(tmp_path: Path) -> None:
    data = bytes([0x29]) + bytes([0x19]) * 100_000
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1" + data + len(data).to_bytes(4, "little") + b"PAR1")
    with pytest.raises(InputError, match="it is no footer"):
        footer_of(path)
