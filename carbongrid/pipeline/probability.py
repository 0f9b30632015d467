"""The step that draws how sure zones are, and what of the draws the units of a run are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from carbongrid.case.readers.inputs import Inputs
from carbongrid.method.probability.mass_on_land import MassOnLand, NamedEmitters, homes_of_points
from carbongrid.method.probability.uncertainty import uncertainty_of
from carbongrid.method.probability.zone_probability import DRAWS, SEED, draw_zones, unit_columns
from carbongrid.outputs.tables.inventory_draws import relative_draws
from carbongrid.pipeline.allocation import Allocation
from carbongrid.pipeline.facilities import facilities_by_unit, rows_of_parcels
from carbongrid.pipeline.land import Land
from carbongrid.pipeline.rasterizing import Reduction
from carbongrid.pipeline.step import RunOptions
from carbongrid.pipeline.tables import MAX_DRAWN, Zoned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from carbongrid.method.facilities import FacilityRow
    from carbongrid.method.ledger import LedgerRow


def draws_of(inputs: Inputs) -> int:
    """Return how many draws a run makes: as the case says; else 1,000, or none of a large case."""
    section = inputs.case.uncertainty
    if section is not None and section.draws is not None:
        return section.draws
    return DRAWS if len(inputs.parcels) <= MAX_DRAWN else 0


def draw_probabilities(
    inputs: Inputs,
    land: Land,
    allocation: Allocation,
    reduction: Reduction,
    zoned: Zoned,
    options: RunOptions,
) -> Zoned:
    """Return the units with how sure their zones are; as they are where nothing is drawn, or no unit has a zone."""
    draws = draws_of(inputs)
    if not draws or not (zoned.units["zone"] > 0).any():
        return zoned
    run = mass_on_land(inputs, land, allocation, reduction, zoned)
    uncertainty = uncertainty_of({"uncertainty": inputs.uncertainty})
    found = draw_zones(
        run, uncertainty, draws=draws, seed=SEED, sources=False, progress=options.progress
    )
    columns = unit_columns(found.table).set_axis(zoned.units.index)
    return Zoned(zoned.units.join(columns), draws)


def mass_on_land(
    inputs: Inputs, land: Land, allocation: Allocation, reduction: Reduction, zoned: Zoned
) -> MassOnLand:
    """Return what a run has on its land, from what its steps made."""
    masses = dict(zip(allocation.names, allocation.masses, strict=True))
    ledger: dict[str, list[LedgerRow]] = {}
    for row in allocation.ledger:
        ledger.setdefault(row.category, []).append(row)
    shares, case = reduction.shares, inputs.case
    rasters = {name: each.structure for name, each in inputs.categories.items()}
    named = facilities_by_unit(
        allocation.facilities, land, shares, {name: path for name, path in rasters.items() if path}
    )
    drawn = None if inputs.formed is None else inputs.formed.drawn
    home = np.where(land.unit_of_parcel < 0, len(land.units), land.unit_of_parcel)
    return MassOnLand(
        units=zoned.units,
        categories=tuple(inputs.categories.values()),
        mass=masses.__getitem__,
        types=land.parcels["type"].to_numpy(object),
        home=home,
        shares=shares.units,
        by_raster={path: pair[0] for path, pair in shares.rasters.items()},
        ledger=ledger,
        regions_of=land.regions_of_units,
        facilities=_by_category([row for row in named if row.parcel], land, home),
        inventory={} if drawn is None else relative_draws(drawn),
        reference=case.reference,
        ties=case.ties,
        gdp_by=case.gdp.by if case.gdp else None,
    )


def _by_category(
    rows: Sequence[FacilityRow], land: Land, home: NDArray[np.int64]
) -> dict[str, NamedEmitters]:
    position = {code: number for number, code in enumerate([*land.units["id"].astype(str), ""])}
    parcel = rows_of_parcels(rows, land)
    found = {}
    for category in dict.fromkeys(row.category for row in rows):
        own = [number for number, row in enumerate(rows) if row.category == category]
        grams = np.zeros((len(own), len(position)), np.int64)
        for line, number in enumerate(own):
            for unit, mass in rows[number].by_unit:
                grams[line, position[unit]] += mass
        names = tuple(rows[number].name for number in own)
        homes = homes_of_points([rows[number].unit for number in own], home[parcel[own]], position)
        found[category] = NamedEmitters(names, parcel[own], homes, grams)
    return found
