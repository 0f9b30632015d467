"""Reading as steps: a section whose files and settings are the same is taken from an earlier run, not read again."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from affine import Affine
from geopandas.array import GeometryArray
from pyproj import CRS

from carbongrid.case import Case
from carbongrid.case.readers.geoparquet import (
    read_geoparquet,
    read_polygons,
    write_geoparquet,
)
from carbongrid.case.readers.inputs import (
    NEEDED_FOR_POINTS,
    SECTION_READERS,
    Section,
    SectionReader,
    hold_points,
)
from carbongrid.case.readers.kept_polygons import KeptPolygons
from carbongrid.case.readers.people import PeopleGrid
from carbongrid.case.readers.polygon_column import PolygonColumn
from carbongrid.errors import Problem
from carbongrid.pipeline.step import Kept, Step
from carbongrid.raster.opening.crs import crs_of
from carbongrid.raster.opening.files import open_file, read_text

FOLDER = "steps"
"""Folder of a run for what only the next run needs."""

HOLD_POINTS = "hold points"
_POINTS = "points"  # as its file is called

READ_SECTIONS = tuple(f"read {reader.name}" for reader in SECTION_READERS)


def section_steps() -> tuple[Step, ...]:
    """Return a step for each section that takes long to read."""
    return tuple(map(_step, SECTION_READERS))


def _step(reader: SectionReader) -> Step:
    name = reader.name

    def decided_by(case: Case, *before: Section) -> list[Any]:
        settings = dict.fromkeys((name, "grid", "categories"))
        return [
            [repr(getattr(case, each)) for each in settings],
            [str(each) for each in reader.decided_by(case, *before)],
        ]

    kept = Kept(
        files=lambda case, *_: [] if getattr(case, name) is None else files_of(name),
        load=lambda folder, *_: _load(name, folder),
        save=functools.partial(save_section, name),
        decided_by=decided_by,
        sources=lambda case, *_: [
            path for key, path in case.named_files() if key.startswith(f"[{name}]")
        ],
    )
    needs = ("case", *(f"read {each}" for each in reader.needs))
    return Step(f"read {name}", reader, needs, kept=kept, phase="reading")


def points_step() -> Step:
    """Return the step that holds points against parcels, whose outlines it asks for."""
    kept = Kept(
        files=lambda case, *_: [facts_of(_POINTS)] if case.pois or case.people else [],
        load=lambda folder, *_: Section(notes=_notes_in(folder, _POINTS)),
        save=lambda folder, held: _save_facts(_POINTS, folder, held, {}),
        decided_by=lambda case, categories, *_: [repr(case.pois), repr(case.people), repr(categories.table)],
        after=("read parcels", "read pois", "read people"),
    )  # fmt: skip
    needs = ("case", *(f"read {each}" for each in NEEDED_FOR_POINTS))
    return Step(HOLD_POINTS, hold_points, needs, kept=kept, phase="reading")


_SHAPES_APART = ("parcels",)
"""Sections of which a plan changes columns, never outlines: these are a file of their own, taken over as it is."""


def files_of(section: str) -> list[str]:
    """Return the files in which a run keeps a section: its table, what a table of columns cannot say, and its geometry where that stands apart."""
    apart = [shapes_of(section)] if section in _SHAPES_APART else []
    return [_table_of(section), facts_of(section), *apart]


def _table_of(section: str) -> str:
    return f"{FOLDER}/{section}.parquet"


def facts_of(section: str) -> str:
    """Return the file that says what a table of columns cannot: its kinds, its CRS, its notes."""
    return f"{FOLDER}/{section}.json"


def shapes_of(section: str) -> str:
    """Return the file that holds a section's geometry."""
    return f"{FOLDER}/{section}-shapes.parquet" if section in _SHAPES_APART else _table_of(section)


def save_section(name: str, folder: Path, section: Section) -> None:
    """Write a section."""
    if name in _SHAPES_APART:
        shapes = section.table[["geometry"]]
        # Packed as parcels.parquet is, which takes these bytes over.
        write_geoparquet(shapes, folder / shapes_of(name))
        save_columns(name, folder, section)
        return
    table, data = section.table, folder / _table_of(name)
    told: dict[str, Any] = {}
    if isinstance(table, PeopleGrid):
        told |= {"crs": table.crs.srs, "transform": list(table.transform[:6])}
        told["shape"] = list(table.values.shape)
        pd.DataFrame({"values": table.values.ravel()}).to_parquet(data)
    elif isinstance(table, gpd.GeoDataFrame):
        write_geoparquet(table, data, compression="lz4")
        told = _told_of(table)
    else:
        table.to_parquet(data)
        told = _told_of(table)
    _save_facts(name, folder, section, told)


def save_columns(name: str, folder: Path, section: Section) -> None:
    """Write the columns of a section whose geometry stands apart, and leave that as it is."""
    table = section.table
    pd.DataFrame(table.drop(columns="geometry")).to_parquet(folder / _table_of(name))
    told, polygons = _told_of(table), table.geometry.array
    if isinstance(polygons, PolygonColumn):
        told["digest"] = polygons.digest
    _save_facts(name, folder, section, told)


def _told_of(table: pd.DataFrame) -> dict[str, Any]:
    kinds = {
        str(column): str(kind) for column, kind in table.dtypes.items() if column != "geometry"
    }
    if not isinstance(table, gpd.GeoDataFrame):
        return {"dtypes": kinds}
    return {
        "dtypes": kinds,
        "crs": table.crs.srs,
        "coordinates": isinstance(table.geometry.array, PolygonColumn),
    }


def _save_facts(name: str, folder: Path, section: Section, told: dict[str, Any]) -> None:
    whole = {"notes": [vars(note) for note in section.notes], **told}
    (folder / facts_of(name)).write_text(json.dumps(whole, ensure_ascii=False), encoding="utf-8")


def _load(name: str, folder: Path) -> Section:
    told = json.loads(read_text(folder / facts_of(name)))
    return Section(_table(name, folder, told), _notes_in(folder, name))


def _notes_in(folder: Path, name: str) -> tuple[Problem, ...]:
    told = json.loads(read_text(folder / facts_of(name)))
    return tuple(Problem(**note) for note in told["notes"])


def _table(name: str, folder: Path, told: dict[str, Any]) -> Any:
    data = folder / _table_of(name)
    if "transform" in told:
        values = _frame(data)["values"].to_numpy(np.int64).reshape(told["shape"])
        return PeopleGrid(values, crs_of(told["crs"]), Affine(*told["transform"]))
    if "crs" not in told:
        return _frame(data).astype(told["dtypes"])
    # PROJJSON keeps not every word of a CRS without a code, and the polygons' hash is of the words.
    crs = crs_of(told["crs"])
    if name not in _SHAPES_APART:
        table = read_geoparquet(data, "geometry", list(told["dtypes"]))
        return table.set_crs(crs, allow_override=True).astype(told["dtypes"])
    columns = _frame(data).astype(told["dtypes"])
    return gpd.GeoDataFrame(columns, geometry=load_shapes(name, folder, crs))


def load_shapes(name: str, folder: Path, crs: CRS) -> GeometryArray:
    """Return the geometry of a section that a run kept, in the order of its rows: polygons that were held as coordinates are read when they are asked for."""
    path = folder / shapes_of(name)
    told = json.loads(read_text(folder / facts_of(name)))
    if told.get("coordinates"):
        return PolygonColumn(KeptPolygons(path, told.get("digest")), crs)
    return read_polygons(path, crs)


def load_crs(name: str, folder: Path) -> CRS:
    """Return the CRS of a section that a run kept, word for word: a GeoPackage keeps not every word of one without a code."""
    return crs_of(json.loads(read_text(folder / facts_of(name)))["crs"])


def load_columns(name: str, folder: Path) -> pd.DataFrame:
    """Return the table of a section that a run kept, without its geometry."""
    kinds = json.loads(read_text(folder / facts_of(name)))["dtypes"]
    return _frame(folder / _table_of(name), list(kinds)).astype(kinds)


def columns_files_of(section: str) -> list[str]:
    """Return the files that :func:`load_columns` reads."""
    return [_table_of(section), facts_of(section)]


def _frame(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    with open_file(path) as stream:
        return pd.read_parquet(stream, columns=columns)
