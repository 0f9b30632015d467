"""What another choice would have given, in sentences for the report (D2 and D19)."""

from __future__ import annotations

from collections.abc import Iterator

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from carbongrid.case import Case
from carbongrid.errors import listed
from carbongrid.method.zoning import flips
from carbongrid.pipeline.land import Land

_LISTED = 20


def notes_of_comparison(
    case: Case,
    land: Land,
    units: gpd.GeoDataFrame,
    emission: NDArray[np.int64],
    by_raster: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> tuple[tuple[str, str], ...]:
    """Return what other choices would have given, each (level, text).

    Parameters
    ----------
    case
        The case.
    land
        Parcels and units.
    units
        The run's units, with emission_g, sink_g and gdp.
    emission : int64, shape (parcels,)
        Grams of each parcel.
    by_raster : int64, shapes (parcels,) and (units,)
        How much of the emission of parcels and of units follows a raster inside parcels, whichever way these are shared.
    """
    sentences = [
        *_other_references(case, units),
        *_exact_overlay(case, land, units, emission, by_raster),
        *_surveyed_units(land, emission),
    ]
    return tuple(("note", sentence) for sentence in sentences)


def _other_references(case: Case, units: gpd.GeoDataFrame) -> Iterator[str]:
    """Yield, for each other reference region, which units would be in another zone."""
    for other in ("all", *case.units.parents):
        if other == case.reference or units["zone"].eq(0).all():
            continue
        turned = [flip.unit for flip in flips(units, case.reference, other, case.ties)]
        yield (
            f'With reference = "{other}", {len(turned):,} of {len(units):,} units would be in another zone'
            f"{': ' + listed(turned, _LISTED, more=', ...') if turned else ''} (D2)."
        )


def _exact_overlay(
    case: Case,
    land: Land,
    units: gpd.GeoDataFrame,
    emission: NDArray[np.int64],
    by_raster: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> Iterator[str]:
    """Yield how far sharing by cells is from sharing by exact areas."""
    whole = float(emission.sum())
    if case.reduce != "cells" or not whole:
        return
    of_parcels, of_units = by_raster
    exact = land.shares_of_area().T @ (emission - of_parcels).astype(np.float64)
    moved = np.abs(exact - (units["emission_g"].to_numpy(np.int64) - of_units))
    worst = int(moved.argmax())
    yield (
        f"Shared by exact areas instead of cells, {moved.sum() / 2 / whole:.3%} of the emission would lie in "
        f"another unit, at most {moved[worst] / 1e6:,.0f} t in one ({units['id'].iloc[worst]}) (D19)."
    )


def _surveyed_units(land: Land, emission: NDArray[np.int64]) -> Iterator[str]:
    """Yield how far the overlay is from the unit that the survey names, where it names one."""
    if "survey_unit" not in land.parcels:
        return
    surveyed = _rows_of_codes(
        land.parcels["survey_unit"].tolist(),
        {code: row for row, code in enumerate(land.units["id"])},
    )
    named = np.flatnonzero(surveyed >= 0)
    if not named.size:
        yield "The survey's units name none of the units: their codes do not begin with a unit's code."
        return
    mass = emission[named].astype(np.float64)
    overlaid = land.shares_of_area(named).T @ mass
    by_survey = np.bincount(surveyed[named], mass, len(land.units))
    moved = np.maximum(overlaid - by_survey, 0.0).sum()
    elsewhere = np.count_nonzero(land.unit_of_parcel[named] != surveyed[named])
    yield (
        f"The survey names a unit for {named.size:,} of {len(land.parcels):,} parcels; by the overlay {elsewhere:,} of "
        f"them belong to another one or to none, and {moved / 1e6:,.0f} t "
        f"({moved / max(mass.sum(), 1.0):.3%} of their emission) lie in another unit (D19)."
    )


def _rows_of_codes(codes: list[str], rows: dict[str, int]) -> NDArray[np.int64]:
    """Return the unit that each code names or begins with, the longest; -1 for none."""
    sizes = sorted({len(code) for code in rows}, reverse=True)
    found = {
        code: next((rows[code[:size]] for size in sizes if code[:size] in rows), -1)
        for code in set(codes)
    }
    return np.array([found[code] for code in codes], np.int64)
