"""Land that an extract leaves white, from a land-cover raster: its classes are tags of their own beside the map's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd

from carbongrid.errors import InputError, Problem
from carbongrid.method.landuse import match_codes, read_code_system
from carbongrid.sources.land_cover import Progress, land_cover_in, system_of

KEY = "land_cover"
"""Of the tags that stand for the raster's classes: ``land_cover=50``."""


@dataclass(frozen=True)
class Cover:
    """Land of a raster, wherever the map has land too.

    Parameters
    ----------
    land
        Columns id, land_use, type, mode, name, geometry; in the CRS of the units.
    codes
        The code system of a case that has both: the map's tags and the raster's classes.
    notes
        What is worth saying.
    """

    land: gpd.GeoDataFrame
    codes: pd.DataFrame
    notes: tuple[Problem, ...]


def require_codes(codes: str | None) -> None:
    """Raise InputError unless a code system is named that there is."""
    if codes is None:
        what = "nobody says what the numbers of the land cover mean, and the same ones mean other land elsewhere"
        raise InputError(what, "--codes", "Name the code system: worldcover, globeland30, corine-grid, nlcd, glc-fcs30, or a CSV of your own.")  # fmt: skip
    system_of(codes)


def cover_in(raster: Path, units: gpd.GeoDataFrame, codes: str, progress: Progress | None) -> Cover:
    """Return the land of a land-cover raster whose class is known.

    Parameters
    ----------
    raster
        GeoTIFF of whole numbers, as ``from-raster`` takes it.
    units
        Whose land it is: columns name and geometry. One without a cell is told, since the map may have all of it.
    codes
        Its code system: the name of one, or the path of a CSV.
    progress
        Called with a phase, rows done, rows in all.

    Raises
    ------
    InputError
        As :func:`carbongrid.sources.land_cover.read_land_cover`, or if nothing of the raster has a known class.
    """
    system = system_of(codes)
    named = ("the units of the extract", units["name"].to_numpy(object))
    cover = land_cover_in(raster, units, codes=codes, named=named, every_unit=False, progress=progress)  # fmt: skip
    kinds = match_codes(cover.parcels["code"], system)
    known = (kinds["matched"] != "").to_numpy(bool)
    if not known.any():
        raise InputError(f"no code of the raster is one of {codes}", raster.name, "Name the code system that it is of.")  # fmt: skip
    patches = cover.parcels[known].to_crs(units.crs)
    columns = {
        "id": "cover/" + patches["id"],
        "land_use": f"{KEY}=" + patches["code"],
        "type": kinds["type"][known],
        "mode": kinds["mode"][known],
        "name": None,
    }
    land = gpd.GeoDataFrame(columns, geometry=patches.geometry, crs=units.crs)
    classes = system.assign(code=f"{KEY}=" + system["code"])
    both = pd.concat([read_code_system("osm"), classes], ignore_index=True)
    return Cover(land.reset_index(drop=True), both, cover.notes)


def notes_of_filling(parcels: gpd.GeoDataFrame, units: gpd.GeoDataFrame) -> list[Problem]:
    """Return how much of the units the land cover fills, and with what.

    Parameters
    ----------
    parcels
        Those of the case: columns land_use and type.
    units
        Whose land it is.
    """
    filled = parcels[parcels["land_use"].str.startswith(f"{KEY}=")]
    if filled.empty:
        return [Problem("the land cover fills nothing: the map leaves no land white", level="note")]
    whole = float(units.area.sum())
    areas = filled.area.groupby(filled["type"].to_numpy()).sum().sort_values(ascending=False)
    named = ", ".join(f"{kind} {area / whole:.1%}" for kind, area in areas.items())
    what = f"{areas.sum() / whole:.1%} of the units' area is white on the map and is of the land cover: {named}"
    return [Problem(what, level="note")]
