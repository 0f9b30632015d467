"""Reading as steps: a table whose files and settings are the same is taken from an earlier run, not read again."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from affine import Affine

from carbongrid.case.readers.fingerprints import Fingerprints
from carbongrid.case.readers.geoparquet import read_geoparquet, write_geoparquet
from carbongrid.case.readers.people import PeopleGrid
from carbongrid.errors import Problem
from carbongrid.raster.opening.crs import crs_of
from carbongrid.raster.opening.files import open_file, read_text
from carbongrid.raster.software import versions
from carbongrid.run_store import Recall, RunStore, hash_values

FOLDER = "steps"
"""Folder of a run for what only the next run needs."""

Read = Callable[[], tuple[Any, list[Problem]]]


@dataclass
class Reading:
    """What reads the tables of a case, or remembers them.

    Parameters
    ----------
    fingerprints
        Digests of the case's files.
    recall
        Earlier runs.
    keys
        By section, the hash of all that its table was made from.
    """

    fingerprints: Fingerprints
    recall: Recall
    keys: dict[str, str] = field(default_factory=dict)
    _tables: dict[str, tuple[Any, list[Problem]]] = field(default_factory=dict)

    def __call__(self, section: str, more: Sequence[Any], read: Read) -> tuple[Any, list[Problem]]:
        """Return a section's table and notes, from an earlier run if nothing that decides them changed.

        Parameters
        ----------
        section
            Name of the case's section.
        more
            What decides the table beside the section, the grid and the files.
        read
            Reads them.
        """
        case = self.fingerprints.case
        settings = [
            repr(getattr(case, name)) for name in dict.fromkeys((section, "grid", "categories"))
        ]
        digests = self.fingerprints.take_section(section)
        key = hash_values(versions(), section, settings, digests, [str(each) for each in more])
        self.keys[section] = key
        place = self.recall.find(_step(section), key, _files(section))
        outcome = read() if place is None else _load(place, section)
        self._tables[section] = outcome
        return outcome

    def save(self, store: RunStore) -> None:
        """Write the tables into a run, one step each, for the next one."""
        for section, (table, notes) in self._tables.items():
            store.step(
                _step(section),
                self.keys[section],
                _files(section),
                lambda section=section, table=table, notes=notes: _save(  # type: ignore[misc]
                    store.folder, section, table, notes
                ),
            )


def _step(section: str) -> str:
    return f"read {section}"


def _files(section: str) -> list[str]:
    return [f"{FOLDER}/{section}.parquet", f"{FOLDER}/{section}.json"]


def _save(folder: Path, section: str, table: Any, notes: list[Problem]) -> None:
    data, facts = (folder / name for name in _files(section))
    told: dict[str, Any] = {"notes": [vars(note) for note in notes]}
    if isinstance(table, PeopleGrid):
        told |= {"crs": table.crs.srs, "transform": list(table.transform[:6])}
        told["shape"] = list(table.values.shape)
        pd.DataFrame({"values": table.values.ravel()}).to_parquet(data)
    else:
        told["dtypes"] = {
            str(name): str(kind) for name, kind in table.dtypes.items() if name != "geometry"
        }
        if isinstance(table, gpd.GeoDataFrame):
            told["crs"] = table.crs.srs
            write_geoparquet(table, data, compression="snappy")
        else:
            table.to_parquet(data)
    facts.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")


def _load(folder: Path, section: str) -> tuple[Any, list[Problem]]:
    data, facts = (folder / name for name in _files(section))
    told = json.loads(read_text(facts))
    notes = [Problem(**note) for note in told["notes"]]
    if "transform" in told:
        values = _frame(data)["values"].to_numpy(np.int64).reshape(told["shape"])
        return PeopleGrid(values, crs_of(told["crs"]), Affine(*told["transform"])), notes
    if "crs" not in told:
        return _frame(data).astype(told["dtypes"]), notes
    table = read_geoparquet(data, "geometry", list(told["dtypes"]))
    # PROJJSON keeps not every word of a CRS without a code, and the polygons' hash is of the words.
    table = table.set_crs(crs_of(told["crs"]), allow_override=True)
    return table.astype(told["dtypes"]), notes


def _frame(path: Path) -> pd.DataFrame:
    with open_file(path) as stream:
        return pd.read_parquet(stream)
