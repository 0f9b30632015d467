"""The report's base map as a step: of another year, or of a plan that leaves land as it is, it is the same and is not drawn again."""

from __future__ import annotations

import dataclasses
import json
import threading
from pathlib import Path
from typing import Any

import numpy as np

from carbongrid.case.readers.inputs import Inputs
from carbongrid.outputs.report import BaseMap, ParcelDots, ZoneMap, draw_base_map
from carbongrid.pipeline.sections import FOLDER
from carbongrid.pipeline.step import RunOptions
from carbongrid.raster.opening.files import read_text
from carbongrid.raster.opening.parquet import open_parquet

STEP = "base map"
FILES = [f"{FOLDER}/base_map.json", f"{FOLDER}/base_map.parquet"]


class BaseMapLater:
    """A base map that is drawn when it is first asked for: while the run keeps it, beside the labels.

    Parameters
    ----------
    inputs
        Whose land it shows.
    drawn
        The map, where it is known.
    """

    def __init__(self, inputs: Inputs, drawn: BaseMap | None = None) -> None:
        self._inputs, self._drawn = inputs, drawn
        self._drawing = threading.Lock()

    @property
    def known(self) -> BaseMap | None:
        """The map, if somebody has asked for it."""
        return self._drawn

    @property
    def drawn(self) -> BaseMap:
        """The map."""
        with self._drawing:  # the thread that keeps it, or the report
            if self._drawn is None:
                inputs = self._inputs
                self._drawn = draw_base_map(inputs.units, inputs.parcels, inputs.case.units.parents)
            return self._drawn


def draw_later(inputs: Inputs, options: RunOptions) -> BaseMapLater | None:
    """Return the base map to be; None where the report may not show parcels, and draws its own."""
    return None if options.public else BaseMapLater(inputs)


def what_draws(inputs: Inputs, _: RunOptions) -> list[Any]:
    """Return what decides the map beside the parcels and the units."""
    return [inputs.case.units.parents]


def save(folder: Path, later: BaseMapLater) -> None:
    """Draw the map and write it: texts as JSON, dots as one column."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    base = later.drawn
    dots = [{"bounds": each.bounds, "shape": each.parcel.shape} for each in base.dots]
    texts = {"water": base.water, "roads": base.roads}
    zones, areas = dataclasses.asdict(base.zones), base.areas.tolist()
    told = {"zones": zones, "areas": areas, **texts, "dots": dots}
    (folder / FILES[0]).write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    seen = [np.empty(0, np.uint32), *(each.parcel.ravel() for each in base.dots)]
    # Runs of a few equal numbers: a dictionary would be as large as the column.
    parquet.write_table(pa.table({"parcel": np.concatenate(seen)}), folder / FILES[1], compression="zstd", use_dictionary=False)  # fmt: skip


def load(folder: Path, inputs: Inputs, *_: object) -> BaseMapLater:
    """Return the map that an earlier run drew."""
    told = json.loads(read_text(folder / FILES[0]))
    with open_parquet(folder / FILES[1]) as file:
        column = file.read().column("parcel").to_numpy()
    ends = np.cumsum([0, *(rows * columns for each in told["dots"] for rows, columns in [each["shape"]])])  # fmt: skip
    dots = tuple(
        ParcelDots(tuple(each["bounds"]), column[first:last].reshape(each["shape"]))
        for each, first, last in zip(told["dots"], ends[:-1], ends[1:], strict=True)
    )
    zones, areas = _zones(told["zones"]), np.array(told["areas"], np.float64)
    return BaseMapLater(inputs, BaseMap(zones, areas, told["water"], told["roads"], dots))


def _zones(told: dict[str, Any]) -> ZoneMap:
    places = tuple(None if each is None else tuple(each) for each in told.pop("places"))
    units, borders = (tuple(told.pop(name)) for name in ("units", "borders"))
    return ZoneMap(units=units, borders=borders, places=places, **told)
