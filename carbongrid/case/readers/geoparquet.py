"""GeoParquet read and written some rows at a time: neither all binary nor all of a written table is ever there beside the geometry."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from carbongrid.errors import InputError
from carbongrid.raster.opening.files import open_file
from carbongrid.raster.opening.parquet import open_arrow, open_parquet
from carbongrid.raster.row_blocks import ROWS, each_block, row_blocks

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

ROWS_IN_GROUP = 50_000
_GROUPS_AHEAD = 2
"""Of these one is made while the one before it is compressed."""

BETWEEN_TEXTS = " > "
"""What stands between the texts of a list that is read as one text."""

_KINDS = (
    *("Point", "LineString", "LineString", "Polygon"),
    *("MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection"),
)


def read_geoparquet(
    path: Path, geometry: str, columns: Sequence[str] | None = None
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

    Returns
    -------
    GeoDataFrame
        The columns, then the geometry; a RangeIndex. A list of texts that is asked for is one text, ``a > b > c``.
    """
    import pyarrow.parquet as parquet

    with open_parquet(path) as file:
        schema, there = file.schema_arrow, file.metadata.num_rows
    geo = json.loads(schema.metadata[b"geo"])
    told = geo["columns"]
    covering = told[geometry].pop("covering", None) or {}  # some write null
    bounds = (covering.get("bbox") or {}).values()
    ours = {geometry, *(column for column, *_ in bounds)}
    others = [name for name in schema.names if name not in ours]
    nested: list[str] = []
    if columns is not None:
        nested = [name for name in columns if _is_nested(schema, name)]
        others = [name for name in columns if name not in nested]
    if told[geometry]["encoding"] != "WKB" or len(set(told) & {*others, geometry}) > 1:
        with open_file(path) as stream:
            whole = gpd.read_parquet(stream, columns=[*others, geometry]).reset_index(drop=True)
        return _all_of(_with_nested(whole, path, schema, nested), there, path)
    # What GeoPandas makes of no rows at all has the CRS, and everything that it refuses is refused, but for such a null.
    buffer = io.BytesIO()
    plain = schema.with_metadata({**schema.metadata, b"geo": json.dumps(geo).encode()})
    parquet.write_table(plain.empty_table(), buffer)
    crs = gpd.read_parquet(buffer, columns=[geometry]).crs
    with open_arrow(path) as stream:
        table = parquet.read_table(stream, columns=others, use_pandas_metadata=True).to_pandas()
    with open_parquet(path, buffer_size=2**20) as file:
        batches = file.iter_batches(ROWS, columns=[geometry])
        parts = list(each_block(_geometry_of, batches))
    shapes = np.concatenate(parts) if parts else np.empty(0, object)
    _let_go()
    frame = gpd.GeoDataFrame(table.reset_index(drop=True), geometry=shapes, crs=crs)
    whole = frame if geometry == "geometry" else frame.rename_geometry(geometry)
    return _all_of(_with_nested(whole, path, schema, nested), there, path)


def column_paths(schema: pa.Schema) -> dict[str, tuple[str, ...]]:
    """Return the columns of a file by name, each with the names on the way to it.

    A struct is known by its fields, each called by the way to it with dots: ``taxonomy.primary``. A column of that very name comes first.
    """
    import pyarrow as pa

    paths: dict[str, tuple[str, ...]] = {}

    def fill(fields: Iterable[pa.Field], above: tuple[str, ...]) -> None:
        for field in fields:
            way = (*above, field.name)
            if pa.types.is_struct(field.type):
                fill(field.type, way)
            else:
                paths.setdefault(".".join(way), way)

    flat = [field for field in schema if not pa.types.is_struct(field.type)]
    fill([*flat, *(field for field in schema if field not in flat)], ())
    return paths


def _is_nested(schema: pa.Schema, name: str) -> bool:
    import pyarrow as pa

    return name not in schema.names or pa.types.is_list(schema.field(name).type)


def _with_nested(
    frame: gpd.GeoDataFrame, path: Path, schema: pa.Schema, names: Sequence[str]
) -> gpd.GeoDataFrame:
    """Return the frame with fields of structs, and with lists of texts as one text each."""
    import pyarrow as pa
    import pyarrow.compute as compute

    if not names:
        return frame
    paths = column_paths(schema)
    with open_parquet(path) as file:
        table = file.read(columns=[".".join(paths[name]) for name in names])
    made = {}
    for name in names:
        first, *inner = paths[name]
        column = table.column(first)
        column = compute.struct_field(column, inner) if inner else column
        if pa.types.is_list(column.type) and pa.types.is_string(column.type.value_type):
            column = compute.binary_join(column, BETWEEN_TEXTS)
        made[name] = column.to_pandas().to_numpy()
    return frame.assign(**made)


def _all_of(frame: gpd.GeoDataFrame, there: int, path: Path) -> gpd.GeoDataFrame:
    """Return what was read if it is all that the footer tells of."""
    if len(frame) != there:
        raise InputError(
            f"{len(frame):,} rows are read, but the footer tells of {there:,}",
            path.name,
            "Write it again with GeoDataFrame.to_parquet.",
        )
    return frame


def _geometry_of(batch: pa.RecordBatch) -> NDArray[np.object_]:
    made: NDArray[np.object_] = shapely.from_wkb(batch.column(0).to_numpy(zero_copy_only=False))
    return made


def write_geoparquet(
    frame: gpd.GeoDataFrame,
    path: Path,
    of_rows: Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame] = lambda rows: rows,
    compression: str = "zstd",
) -> None:
    """Write GeoParquet 1.1 with a bounding box column, group of rows by group of rows.

    Parameters
    ----------
    frame
        Two-dimensional geometry in the column ``geometry``.
    path
        The file.
    of_rows
        What is written of some of the rows: it may add columns.
    compression
        Of the columns.
    """
    import pyarrow.parquet as parquet

    schema = _schema(of_rows(frame.iloc[:0]), frame.geometry)
    groups = row_blocks(len(frame), ROWS_IN_GROUP)
    with parquet.ParquetWriter(path, schema, compression=compression) as writer:
        tables = each_block(
            lambda rows: _arrow_of(of_rows(frame.iloc[rows]), schema), groups, _GROUPS_AHEAD
        )
        for table in tables:
            writer.write_table(table, ROWS_IN_GROUP)
    _let_go()


def _let_go() -> None:
    """Give back what Arrow keeps for its next table: as much as the largest column that it read."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()


def _schema(empty: gpd.GeoDataFrame, geometry: gpd.GeoSeries) -> pa.Schema:
    """Return the schema that GeoPandas writes for such a table, with the bounds and kinds of all its geometry."""
    import pyarrow.parquet as parquet

    buffer = io.BytesIO()
    empty.to_parquet(buffer, index=False, schema_version="1.1.0", write_covering_bbox=True)
    schema = parquet.read_schema(buffer)
    told = json.loads(schema.metadata[b"geo"])
    kinds = np.unique(shapely.get_type_id(geometry.to_numpy())).tolist()
    told["columns"]["geometry"]["geometry_types"] = sorted({_KINDS[kind] for kind in kinds})
    if len(geometry):
        told["columns"]["geometry"]["bbox"] = geometry.total_bounds.tolist()
    return schema.with_metadata({**schema.metadata, b"geo": json.dumps(told).encode()})


def _arrow_of(frame: gpd.GeoDataFrame, schema: pa.Schema) -> pa.Table:
    """Return rows as the schema has them: geometry as binary, and its bounds."""
    import pyarrow as pa

    geometry = frame.geometry.to_numpy()
    sides = [pa.array(side) for side in shapely.bounds(geometry).T]
    made = {
        "geometry": pa.array(shapely.to_wkb(geometry), pa.binary()),
        "bbox": pa.StructArray.from_arrays(sides, fields=list(schema.field("bbox").type)),
    }
    columns = [
        made[name] if name in made else pa.array(frame[name], schema.field(name).type)
        for name in schema.names
    ]
    return pa.table(columns, schema=schema)
