"""Files in the layout of Overture's releases, for a made place.

The columns and their kinds are those of docs.overturemaps.org/schema/reference (land_use, land, water, place; August 2026), the metadata and the bounds those that
``overturemaps download -f geoparquet`` writes (OvertureMaps/overturemaps-py, overturemaps/writers.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import shapely

_TEXT, _TEXTS = pa.string(), pa.list_(pa.string())
_SIDES = ("xmin", "xmax", "ymin", "ymax")
_BBOX = pa.struct([(side, pa.float32()) for side in _SIDES])
_NAMES = pa.struct([("primary", _TEXT), ("common", pa.map_(_TEXT, _TEXT))])
_SOURCES = pa.list_(
    pa.struct([("property", _TEXT), ("dataset", _TEXT), ("record_id", _TEXT), ("confidence", pa.float64())])
)  # fmt: skip
_EVERY = {"id": _TEXT, "geometry": pa.binary(), "bbox": _BBOX, "version": pa.int32(), "sources": _SOURCES, "names": _NAMES}  # fmt: skip
BASE = {
    **_EVERY,
    "subtype": _TEXT,
    "class": _TEXT,
    "surface": _TEXT,
    "level": pa.int32(),
    "source_tags": pa.map_(_TEXT, _TEXT),
    "wikidata": _TEXT,
}
"""Columns of the base theme's types."""

PLACE = {
    **_EVERY,
    "categories": pa.struct([("primary", _TEXT), ("alternate", _TEXTS)]),
    "basic_category": _TEXT,
    "taxonomy": pa.struct([("primary", _TEXT), ("hierarchy", _TEXTS), ("alternates", _TEXTS)]),
    "confidence": pa.float64(),
    "operating_status": _TEXT,
    "websites": _TEXTS,
    "addresses": pa.list_(pa.struct([("freeform", _TEXT), ("country", _TEXT)])),
}
"""Columns of places; ``categories`` until the release of September 2026."""


def write_overture(
    path: Path,
    columns: Mapping[str, pa.DataType],
    geometry: Sequence[Any],
    rows: Sequence[Mapping[str, Any]],
) -> Path:
    """Write a file of geometries, and of what is known of each; what is not said is null."""
    made = {
        "id": [f"{path.stem}-{number}" for number in range(len(rows))],
        "geometry": shapely.to_wkb(list(geometry)).tolist(),
        "bbox": [dict(zip(("xmin", "ymin", "xmax", "ymax"), each.bounds, strict=True)) for each in geometry],
        "version": [1] * len(rows),
        "sources": [[{"property": "", "dataset": "made", "record_id": str(number)}] for number in range(len(rows))],
    }  # fmt: skip
    arrays = {
        name: pa.array(made[name] if name in made else [row.get(name) for row in rows], kind)
        for name, kind in columns.items()
    }
    kinds = sorted({each.geom_type for each in geometry})
    covering = {"bbox": {side: ["bbox", side] for side in ("xmin", "ymin", "xmax", "ymax")}}
    about = {"encoding": "WKB", "geometry_types": kinds, "covering": covering}
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": about}}
    table = pa.table(arrays).replace_schema_metadata({"geo": json.dumps(geo)})
    parquet.write_table(table, path)
    return path
