"""GeoParquet read and written some rows at a time: neither all binary nor all of a written table is ever there beside the geometry."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from geopandas.array import GeometryArray

from carbongrid.case.readers.polygon_column import PolygonColumn
from carbongrid.case.readers.side_by_side import put_side_by_side
from carbongrid.errors import InputError
from carbongrid.raster.opening.files import open_file
from carbongrid.raster.opening.parquet import open_arrow, open_parquet
from carbongrid.raster.polygons.entry import wkb_of
from carbongrid.raster.polygons.outlines import Outlines, geometries_of_wkb, outlines_of
from carbongrid.raster.row_blocks import ROWS, each_block, row_blocks

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray
    from pyproj import CRS

ROWS_IN_GROUP = 50_000
_ARROW_LIMIT = 2**31 - 1
"""Of an Arrow array of binary."""
_GROUPS_AHEAD = 1
"""Of these one is made while the one before it is compressed."""

BETWEEN_TEXTS = " > "
"""What stands between the texts of a list that is read as one text."""

_KINDS = (
    *("Point", "LineString", "LineString", "Polygon"),
    *("MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection"),
)


def read_geoparquet(
    path: Path,
    geometry: str,
    columns: Sequence[str] | None = None,
    *,
    as_coordinates: bool = False,
) -> gpd.GeoDataFrame:
    """Read a GeoParquet file as GeoPandas does, the geometry on all cores.

    Parameters
    ----------
    path
        The file.
    geometry
        Name of its geometry column.
    columns
        Other columns to read, by a name of :func:`column_paths`; default all but the geometry's bounds, as they are stored.
    as_coordinates
        Make no geometries where all are polygons of two dimensions, without an empty part: the column is a :class:`PolygonColumn` then.

    Returns
    -------
    GeoDataFrame
        The columns, then the geometry; a RangeIndex. A list of texts that is asked for is one text, ``a > b > c``, without what is null in it.
    """
    import pyarrow.parquet as parquet

    with open_parquet(path) as file:
        schema, there = file.schema_arrow, file.metadata.num_rows
    geo = json.loads(schema.metadata[b"geo"])
    told = geo["columns"]
    ours = columns_of_geometry(told, geometry)
    told[geometry].pop("covering", None)
    others = [name for name in schema.names if name not in ours]
    nested: dict[str, tuple[str, ...]] = {}
    if columns is not None:
        nested = _nested_ways(schema, columns, path)
        others = [name for name in columns if name not in nested]
    if told[geometry]["encoding"] != "WKB" or len(set(told) & {*others, geometry}) > 1:
        with open_file(path) as stream:
            whole = _without_index(gpd.read_parquet(stream, columns=[*others, geometry]), others)
        return _all_of(_with_nested(whole, path, nested), there, path)
    # What GeoPandas makes of no rows at all has the CRS, and everything that it refuses is refused, but for such a null.
    plain = schema.with_metadata({**schema.metadata, b"geo": json.dumps(geo).encode()})
    crs = _crs_of(plain.serialize().to_pybytes(), geometry)
    with open_arrow(path) as stream:
        table = parquet.read_table(stream, columns=others, use_pandas_metadata=True).to_pandas()
    outlines = _outlines_in(path, geometry) if as_coordinates else None
    shapes = _geometries_in(path, geometry) if outlines is None else PolygonColumn(outlines, crs)
    _let_go()
    frame = gpd.GeoDataFrame(_without_index(table, others), geometry=shapes, crs=crs)
    whole = frame if geometry == "geometry" else frame.rename_geometry(geometry)
    return _all_of(_with_nested(whole, path, nested), there, path)


@lru_cache(maxsize=64)
def _crs_of(schema: bytes, geometry: str) -> CRS | None:
    """Return the CRS of a table without rows; a run reads the same files several times, and a CRS takes 20 ms to parse."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    buffer = io.BytesIO()
    parquet.write_table(pa.ipc.read_schema(pa.py_buffer(schema)).empty_table(), buffer)
    crs: CRS | None = gpd.read_parquet(buffer, columns=[geometry]).crs
    return crs


def _without_index[F: pd.DataFrame](table: F, names: Sequence[str]) -> F:
    """Return a table with a RangeIndex; columns of the file of which pandas made the index are columns again."""
    own = [str(name) for name in table.index.names if name in names and name not in table]
    columns = {name: table.index.get_level_values(name) for name in own}
    return table.assign(**columns).reset_index(drop=True)


def read_polygons(path: Path, crs: CRS) -> GeometryArray:
    """Read the geometry of a file of :func:`write_geoparquet`: polygons as coordinates, without making a geometry of each; any other as it is.

    Raises
    ------
    InputError
        If there are not as many rows as its footer tells of.
    """
    found = read_geoparquet(path, "geometry", [], as_coordinates=True).geometry.array
    held = outlines_of(found)
    return GeometryArray(found.to_numpy(), crs) if held is None else PolygonColumn(held, crs)


def _outlines_in(path: Path, geometry: str) -> Outlines | None:
    with open_parquet(path, buffer_size=2**20) as file:
        batches = file.iter_batches(ROWS, columns=[geometry])
        try:
            return Outlines.of_wkb(batch.column(0) for batch in batches)
        except InputError:  # something else is among them
            return None


def _geometries_in(path: Path, geometry: str) -> NDArray[np.object_]:
    with open_parquet(path, buffer_size=2**20) as file:
        batches = file.iter_batches(ROWS, columns=[geometry])
        parts = list(each_block(lambda batch: geometries_of_wkb(batch.column(0)), batches))
    return np.concatenate(parts) if parts else np.empty(0, object)


def columns_of_geometry(told: Mapping[str, Any], geometry: str) -> set[str]:
    """Return the names of the geometry's column and of those that hold its bounds, by what the file tells of its geometry columns."""
    covering = told[geometry].get("covering") or {}  # some write null
    bounds = (covering.get("bbox") or {}).values()
    return {geometry, *(column for column, *_ in bounds)}


def column_paths(schema: pa.Schema) -> dict[str, list[tuple[str, ...]]]:
    """Return the columns of a file by name, each with the names on every way to one that is called so.

    A struct is known by its fields, each called by the way to it with dots: ``taxonomy.primary``. A column of that very name hides them.
    A list is a column if it is of texts; other lists and maps are none.
    """
    import pyarrow as pa

    paths: dict[str, list[tuple[str, ...]]] = {}

    def fill(fields: Iterable[pa.Field], above: tuple[str, ...]) -> None:
        for field in fields:
            way = (*above, field.name)
            if pa.types.is_struct(field.type):
                fill(field.type, way)
            elif _is_texts(field.type) or not kind_of_several(field.type):
                paths.setdefault(".".join(way), []).append(way)

    fill(schema, ())
    return {name: [way for way in ways if len(way) == 1] or ways for name, ways in paths.items()}


def kind_of_several(kind: pa.DataType) -> str:
    """Return what holds several values in each row, a list or a map; blank for any other type."""
    import pyarrow as pa

    if pa.types.is_map(kind):
        return "map"
    of = pa.types
    lists = (of.is_list, of.is_large_list, of.is_fixed_size_list, of.is_list_view, of.is_large_list_view)  # fmt: skip
    return "list" if any(is_one(kind) for is_one in lists) else ""


def _is_texts(kind: pa.DataType) -> bool:
    """Whether a type is a list of texts, however either is stored."""
    import pyarrow as pa

    if kind_of_several(kind) != "list":
        return False
    inner = kind.value_type
    inner = inner.value_type if pa.types.is_dictionary(inner) else inner
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(is_one(inner) for is_one in texts)


def _nested_ways(
    schema: pa.Schema, columns: Sequence[str], path: Path
) -> dict[str, tuple[str, ...]]:
    """Return the ways to those columns that are fields of structs or lists of texts.

    Raises
    ------
    InputError
        If a name stands for two fields.
    """
    paths = column_paths(schema)
    for name in columns:
        if len(paths[name]) > 1:
            told = ", and ".join(" in ".join(reversed(way)) for way in paths[name])
            raise InputError(
                f"two fields are called {name!r}: {told}",
                path.name,
                "Give one of them a name without dots.",
            )
    ways = {name: paths[name][0] for name in columns}
    return {
        name: way
        for name, way in ways.items()
        if len(way) > 1 or _is_texts(schema.field(way[0]).type)
    }


def _with_nested(
    frame: gpd.GeoDataFrame, path: Path, ways: Mapping[str, tuple[str, ...]]
) -> gpd.GeoDataFrame:
    """Return the frame with fields of structs, and with lists of texts as one text each."""
    import pyarrow as pa
    import pyarrow.compute as compute

    if not ways:
        return frame
    with open_parquet(path) as file:
        table = file.read(columns=[".".join(way) for way in ways.values()])
    made = {}
    for name, (first, *inner) in ways.items():
        column = table.column(first)
        column = compute.struct_field(column, inner) if inner else column
        if _is_texts(column.type):
            lists = column.cast(pa.list_(pa.string()))
            column = pa.chunked_array([_as_one_text(chunk) for chunk in lists.chunks], pa.string())
        made[name] = column.to_pandas().to_numpy()
    return frame.assign(**made)


def _as_one_text(lists: pa.ListArray) -> pa.StringArray:
    """Return lists of texts as one text each, without what is null in them: Arrow makes null of all of such a list."""
    import pyarrow as pa
    import pyarrow.compute as compute

    texts = lists.flatten()
    known = texts.is_valid()
    # Of a list that is null nothing is flattened, also where it has a length, as one of a fixed length has.
    lengths = compute.list_value_length(lists).fill_null(0).to_numpy()
    row = np.repeat(np.arange(len(lists)), lengths)[known.to_numpy(zero_copy_only=False)]
    counts = np.bincount(row, minlength=len(lists))
    starts = pa.array(np.append(0, np.cumsum(counts)), pa.int32())
    kept = pa.ListArray.from_arrays(starts, texts.filter(known), mask=lists.is_null())
    return compute.binary_join(kept, BETWEEN_TEXTS)


def _all_of(frame: gpd.GeoDataFrame, there: int, path: Path) -> gpd.GeoDataFrame:
    """Return what was read if it is all that the footer tells of."""
    _require_all(len(frame), there, path)
    return frame


def _require_all(rows: int, there: int, path: Path) -> None:
    if rows != there:
        raise InputError(
            f"{rows:,} rows are read, but the footer tells of {there:,}",
            path.name,
            "Write it again with GeoDataFrame.to_parquet.",
        )


def write_geoparquet(frame: gpd.GeoDataFrame, path: Path, compression: str = "zstd") -> None:
    """Write GeoParquet 1.1 with a bounding box column, group of rows by group of rows.

    Parameters
    ----------
    frame
        Two-dimensional geometry in the column ``geometry``.
    path
        The file.
    compression
        Of the columns.
    """
    schema = _with_extent(_schema(frame.iloc[:0], frame), frame.geometry)
    _write_groups(path, schema, len(frame), lambda rows: _arrow_of(frame.iloc[rows], schema), compression)  # fmt: skip


def write_beside_geometry(
    shapes: Path,
    frame: pd.DataFrame,
    path: Path,
    of_rows: Callable[[pd.DataFrame], pd.DataFrame],
    after: str,
    units: Mapping[str, str] | None = None,
) -> None:
    """Write GeoParquet of a geometry that a file holds already, whose bytes are copied, and of columns that none holds.

    Parameters
    ----------
    shapes
        What :func:`write_geoparquet` wrote of the geometry alone.
    frame
        The other columns of the same rows.
    path
        The file.
    of_rows
        What is written of some of the rows: it may add columns.
    after
        The column that the geometry follows.
    units
        What the numbers of a column are in, which is told of the column and, of all of them, of the file: Arrow's readers have the first, all others the second.

    Raises
    ------
    InputError
        If the geometry has not the same number of rows.
    """
    import pyarrow as pa

    with open_parquet(shapes) as file:
        held = file.schema_arrow
    empty = of_rows(frame.iloc[:0])
    whole = gpd.GeoDataFrame(empty.assign(geometry=gpd.GeoSeries([])), geometry="geometry")
    place = whole.columns.get_loc(after) + 1
    whole = whole[[*empty.columns[:place], "geometry", *empty.columns[place:]]]
    known = _schema(whole, frame)
    # The geometry's own field and what is told of it have its CRS and its bounds.
    fields = [held.field(each.name) if each.name in held.names else each for each in known]
    told = {**known.metadata, b"geo": held.metadata[b"geo"]}
    if units:
        fields = [each.with_metadata({"units": units[each.name]}) if each.name in units else each for each in fields]  # fmt: skip
        told[b"units"] = json.dumps(units).encode()
    schema = pa.schema(fields, told)
    own = pa.schema([field for field in schema if field.name not in held.names])

    def made(rows: slice) -> pa.Table:
        some = of_rows(frame.iloc[rows])
        columns = [
            # Of a million parcels and 60 columns half a second less of Python's lock than Table.from_pandas.
            pa.array(some[field.name].array, field.type, from_pandas=True)
            for field in own
        ]
        return pa.table(columns, schema=own)

    columns = path.with_name(f"{path.name}.columns")
    try:
        _write_groups(columns, own, len(frame), made, "zstd")
        put_side_by_side([shapes, columns], schema, path)
    finally:
        columns.unlink(missing_ok=True)


def _write_groups(
    path: Path, schema: pa.Schema, rows: int, made: Callable[[slice], pa.Table], compression: str
) -> None:
    import pyarrow.parquet as parquet

    # Numbers and geometries seldom repeat: without a search for those that do, a million parcels take a fifth less time, and less room.
    texts = [field.name for field in schema if _is_text(field.type)]
    # Of a million parcels level -1 takes a tenth less room and time than level 1, which looks for coordinates that repeat.
    level = -1 if compression == "zstd" else None
    with parquet.ParquetWriter(
        path, schema, compression=compression, compression_level=level, use_dictionary=texts
    ) as writer:
        groups = each_block(made, row_blocks(rows, ROWS_IN_GROUP), _GROUPS_AHEAD)
        with contextlib.closing(groups) as tables:
            for table in tables:
                writer.write_table(table, ROWS_IN_GROUP)
    _let_go()


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    kinds = (pa.types.is_string, pa.types.is_large_string, pa.types.is_dictionary)
    return any(is_kind(kind) for is_kind in kinds)


def _let_go() -> None:
    """Give back what Arrow keeps for its next table: as much as the largest column that it read."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()


def _schema(empty: gpd.GeoDataFrame, frame: pd.DataFrame) -> pa.Schema:
    """Return the schema that GeoPandas writes for such a table, of which there are rows."""
    import pyarrow.parquet as parquet

    # Where pandas keeps text as objects (``future.infer_string``), a column without rows does not tell that it is text.
    texts = [name for name, column in empty.items() if column.dtype == object and name in frame and frame[name].notna().any()]  # fmt: skip
    empty = empty.astype(dict.fromkeys(texts, pd.StringDtype(na_value=np.nan)))
    buffer = io.BytesIO()
    empty.to_parquet(buffer, index=False, schema_version="1.1.0", write_covering_bbox=True)
    return parquet.read_schema(buffer)


def _with_extent(schema: pa.Schema, geometry: gpd.GeoSeries) -> pa.Schema:
    """Return the schema with the bounds and kinds of all geometry."""
    told = json.loads(schema.metadata[b"geo"])
    held = outlines_of(geometry)
    kinds = shapely.get_type_id(geometry.to_numpy()) if held is None else held.kinds
    told["columns"]["geometry"]["geometry_types"] = sorted(
        {_KINDS[kind] for kind in np.unique(kinds)}
    )
    if len(geometry):
        told["columns"]["geometry"]["bbox"] = geometry.array.total_bounds.tolist()
    return schema.with_metadata({**schema.metadata, b"geo": json.dumps(told).encode()})


def _arrow_of(frame: gpd.GeoDataFrame, schema: pa.Schema) -> pa.Table:
    """Return rows as the schema has them: geometry as binary, and its bounds."""
    import pyarrow as pa

    sides = [pa.array(side) for side in frame.geometry.array.bounds.T]
    made = {
        "geometry": _binary_of(frame.geometry),
        "bbox": pa.StructArray.from_arrays(sides, fields=list(schema.field("bbox").type)),
    }
    columns = [
        made[name] if name in made else pa.array(frame[name], schema.field(name).type)
        for name in schema.names
    ]
    return pa.table(columns, schema=schema)


def _binary_of(series: gpd.GeoSeries) -> pa.Array:
    import pyarrow as pa

    held = outlines_of(series)
    written = _written(series.to_numpy()) if held is None else held.binary()
    if written is None or written[1][-1] > _ARROW_LIMIT:
        return pa.array(shapely.to_wkb(series.to_numpy()), pa.binary())
    data, begin = written
    buffers = [None, pa.py_buffer(begin.astype(np.int32)), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.binary(), len(series), buffers)


def _written(geometry: NDArray[np.object_]) -> tuple[NDArray[np.uint8], NDArray[np.int64]] | None:
    deep = shapely.has_z(geometry) | shapely.has_m(geometry)
    return None if deep.any() else wkb_of(geometry)
