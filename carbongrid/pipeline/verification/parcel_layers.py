"""The parcels as layers for a GIS: whether they say what parcels.parquet and units.csv say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from carbongrid.method.columns import in_tonnes
from carbongrid.method.weights import locate
from carbongrid.outputs.tables.parcel_layer import PARCELS_LAYER
from carbongrid.pipeline.verification.opened import Opened
from carbongrid.raster.opening.vectors import open_vector

COMPARED = ("parcels.gpkg", "parcels.fgb")
"""Tiles hold what a map shows at a scale, and are not compared."""

_TEXTS = ("land_use", "type")
_BLANK = {"O": "", "f": np.nan, "i": -1}
"""What a blank cell is compared as: a parcel in no unit has a blank one, and no blank number is 0."""


def layers_of_parcels(run: Opened) -> list[str]:
    """Return the layers that the run has."""
    return [name for name in COMPARED if name in run.manifest["files"]]


def faults_of_layer(run: Opened, name: str) -> Iterator[str]:
    """Yield what a layer says otherwise: ids, land use, mass in tonnes, unit, zone, and the outline of a parcel."""
    with run.reading(name, trusted=False) as path, open_vector(path) as file:
        [layer] = [each for each, kind in file.layers() if kind and each in (PARCELS_LAYER, path.stem)]  # fmt: skip
        found = file.table(layer)
    parcels = run.parcels
    ids = parcels["id"].astype(str)
    place = {code: row for row, code in enumerate(found["id"].astype(str))}
    if len(place) != len(found) or place.keys() != {*ids}:
        yield f"{name} has other parcels than parcels.parquet"
        return
    found = found.iloc[[place[code] for code in ids]].reset_index(drop=True)
    for column, expected in _expected(run, parcels).items():
        if column not in found:
            yield f"{name} has no column {column}"
            continue
        told = found[column].to_numpy(expected.dtype, na_value=_BLANK[expected.dtype.kind])
        for row in np.flatnonzero(told != expected).tolist():
            yield f"{name}, parcel {ids.iloc[row]}: {column} is {told[row]}, expected {expected[row]}"
    outlines = (np.asarray(each.geometry.array, dtype=object) for each in (found, parcels))
    for row in np.flatnonzero(~_same_outlines(*outlines)).tolist():
        yield f"{name}, parcel {ids.iloc[row]}: its outline is not that of parcels.parquet"


def _expected(run: Opened, parcels: gpd.GeoDataFrame) -> dict[str, NDArray[Any]]:
    masses = ["emission_g", "sink_g", *(term.name for term in run.terms)]
    titles = [*map(in_tonnes, masses[:2]), *(in_tonnes(term.column) for term in run.terms)]
    columns: dict[str, NDArray[Any]] = {
        title: parcels[mass].to_numpy(np.float64) / 1e6
        for title, mass in zip(titles, masses, strict=True)
    }
    columns |= {each: parcels[each].astype(str).to_numpy(object) for each in _TEXTS}
    inside = shapely.point_on_surface(np.asarray(parcels.geometry.array, dtype=object))
    units = run.units.set_index(run.units["id"].astype(str)).reindex(run.outlines["id"].astype(str))
    unit = locate(shapely.get_x(inside), shapely.get_y(inside), run.outlines.geometry.to_numpy())
    columns["unit"] = np.append(units.index.to_numpy(object), "")[unit]
    columns["zone"] = np.append(units["zone"].to_numpy(np.int64), 0)[unit]
    return columns


def _same_outlines(left: NDArray[Any], right: NDArray[Any]) -> NDArray[np.bool_]:
    """Return where polygons are the same, one polygon being that of one part."""
    parts = [np.bincount(shapely.get_parts(each, return_index=True)[1], minlength=len(each)) for each in (left, right)]  # fmt: skip
    same: NDArray[np.bool_] = parts[0] == parts[1]
    rows = np.flatnonzero(same)
    pieces = [shapely.get_parts(each[rows], return_index=True) for each in (left, right)]
    unlike = ~shapely.equals_exact(pieces[0][0], pieces[1][0], 0.0)
    same[rows[np.unique(pieces[0][1][unlike])]] = False
    return same
