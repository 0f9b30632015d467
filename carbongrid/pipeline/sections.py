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

from carbongrid.case import Case
from carbongrid.case.readers.geoparquet import read_geoparquet, write_geoparquet
from carbongrid.case.readers.inputs import SECTION_READERS, Section, SectionReader
from carbongrid.case.readers.people import PeopleGrid
from carbongrid.errors import Problem
from carbongrid.pipeline.step import Kept, Step
from carbongrid.raster.opening.crs import crs_of
from carbongrid.raster.opening.files import open_file, read_text

FOLDER = "steps"
"""Folder of a run for what only the next run needs."""

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


def files_of(section: str) -> list[str]:
    """Return the files in which a run keeps a section: its table, and what a table of columns cannot say."""
    return [f"{FOLDER}/{section}.parquet", f"{FOLDER}/{section}.json"]


def save_section(name: str, folder: Path, section: Section) -> None:
    """Write a section."""
    data, facts = (folder / file for file in files_of(name))
    told: dict[str, Any] = {"notes": [vars(note) for note in section.notes]}
    table = section.table
    if isinstance(table, PeopleGrid):
        told |= {"crs": table.crs.srs, "transform": list(table.transform[:6])}
        told["shape"] = list(table.values.shape)
        pd.DataFrame({"values": table.values.ravel()}).to_parquet(data)
    else:
        told["dtypes"] = {
            str(column): str(kind) for column, kind in table.dtypes.items() if column != "geometry"
        }
        if isinstance(table, gpd.GeoDataFrame):
            told["crs"] = table.crs.srs
            write_geoparquet(table, data, compression="snappy")
        else:
            table.to_parquet(data)
    facts.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")


def _load(name: str, folder: Path) -> Section:
    data, facts = (folder / file for file in files_of(name))
    told = json.loads(read_text(facts))
    return Section(_table(data, told), tuple(Problem(**note) for note in told["notes"]))


def _table(data: Path, told: dict[str, Any]) -> Any:
    if "transform" in told:
        values = _frame(data)["values"].to_numpy(np.int64).reshape(told["shape"])
        return PeopleGrid(values, crs_of(told["crs"]), Affine(*told["transform"]))
    if "crs" not in told:
        return _frame(data).astype(told["dtypes"])
    table = read_geoparquet(data, "geometry", list(told["dtypes"]))
    # PROJJSON keeps not every word of a CRS without a code, and the polygons' hash is of the words.
    table = table.set_crs(crs_of(told["crs"]), allow_override=True)
    return table.astype(told["dtypes"])


def data_of(section: str) -> str:
    """Return the file in which a run keeps a section's table."""
    return files_of(section)[0]


def load_columns(name: str, folder: Path) -> pd.DataFrame:
    """Return the table of a section that a run kept, without its geometry."""
    data, facts = (folder / file for file in files_of(name))
    kinds = json.loads(read_text(facts))["dtypes"]
    return _frame(data, list(kinds)).astype(kinds)


def _frame(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    with open_file(path) as stream:
        return pd.read_parquet(stream, columns=columns)
