"""The method, step by step: read, weigh, allocate, rasterize, reduce, index, zone, write.

The list is the order. Categories that weigh by a raster are weighed and allocated when it has been summed with the land; all
others before, so that what is wrong with them is told before hours of work. ``run`` does all steps, ``check`` those up to
the first allocation (docs/decisions/0049).
"""

from __future__ import annotations

from carbongrid.case.readers.inputs import complete_inputs, read_section_of_categories
from carbongrid.outputs.tables import table_digests
from carbongrid.pipeline import (
    facilities,
    land,
    probability,
    rasterizing,
    residents,
    small_tables,
    tables,
    weights_step,
)
from carbongrid.pipeline.allocation import allocate_rest, allocate_totals
from carbongrid.pipeline.cross_checks import cross_check
from carbongrid.pipeline.electricity_readings import compare_readings
from carbongrid.pipeline.sections import HOLD_POINTS, READ_SECTIONS, points_step, section_steps
from carbongrid.pipeline.step import Kept, Step
from carbongrid.pipeline.writing import base_map_step, parcels_step, product_steps

STEPS: tuple[Step, ...] = (
    # What the case names: each long table by itself, then all the rest.
    Step("read categories", read_section_of_categories, ("case",), phase="reading"),
    *section_steps(),
    points_step(),
    Step(
        "read",
        lambda held, *sections: weights_step.one_spelling(complete_inputs(*sections, held=held)),
        (HOLD_POINTS, "case", "read categories", *READ_SECTIONS),
        phase="reading",
    ),
    # Where parcels stand, and whether the tables fit each other.
    Step(
        "land",
        land.Land.of,
        ("read",),
        kept=Kept(
            files=lambda _: land.FILES,
            load=land.Land.measured_before,
            save=lambda folder, found: found.save(folder),
            after=("read parcels", "read units"),
        ),
        phase="reading",
    ),
    Step(
        "facilities",
        facilities.place_facilities,
        ("read", "land"),
        kept=Kept(
            files=facilities.files_of_places,
            load=facilities.load_places,
            save=facilities.save_places,
            decided_by=facilities.what_places,
            after=("read parcels", "read units"),
        ),
        phase="reading",
    ),
    Step("cross-check", cross_check, ("read", "land"), phase="reading"),
    # Who lives in the units, whatever their mass.
    Step(
        "residents",
        residents.residents_of_units,
        ("read", "land"),
        kept=Kept(
            files=residents.files_of_residents,
            load=residents.load_residents,
            save=residents.save_residents,
            after=("read people", "read units"),
        ),
        phase="allocating",
    ),
    # What each parcel claims of each category, and the grams that it gets.
    Step(
        "weigh",
        weights_step.weigh_categories,
        ("read", "land"),
        kept=Kept(
            files=lambda *_: weights_step.FILES,
            load=weights_step.load_weights,
            save=weights_step.save_weights,
            decided_by=weights_step.what_weighs,
            after=READ_SECTIONS,
        ),
        phase="allocating",
    ),
    Step(
        "allocate",
        allocate_totals,
        ("read", "land", "weigh", "facilities", "residents"),
        phase="allocating",
    ),
    # What the report shows of outlines: drawn while the labels are made.
    base_map_step(),
    # Cells that parcels have in common with units and coarse cells, which tell their tiles themselves, and the grams of these.
    Step("grid", land.fine_grid, ("read",)),
    Step(
        "rasterize",
        rasterizing.rasterize_land,
        ("read", "land", "grid", "options"),
        kept=Kept(
            files=rasterizing.files_of_shares,
            load=rasterizing.shares_in,
            decided_by=rasterizing.what_shares,
            sources=lambda inputs, *_: weights_step.weight_rasters(inputs),
            scratch=(rasterizing.JOURNAL,),
        ),
    ),
    Step(
        "weigh by rasters",
        weights_step.weigh_by_rasters,
        ("read", "land", "weigh", "rasterize"),
        phase="adding up",
    ),
    Step(
        "allocate all",
        allocate_rest,
        ("read", "land", "allocate", "weigh by rasters", "facilities"),
        phase="adding up",
    ),
    Step(
        "share water",
        rasterizing.share_water,
        ("read", "land", "rasterize"),
        phase="adding up",
    ),
    Step(
        "reduce",
        rasterizing.reduce_allocation,
        ("read", "allocate all", "share water", "grid"),
        phase="adding up",
    ),
    # Nothing that comes after it changes what lies on a parcel: the table is put together while units are indexed and zoned. Not before mass is
    # reduced, which takes as much memory as the table.
    Step(
        "parcels",
        tables.parcels_with_mass,
        ("read", "land", "allocate all", "rasterize", "options"),
        meanwhile=True,
        imports=("pyarrow.compute",),
    ),
    # What the indices are made of, the indices, the zones.
    Step(
        "index",
        tables.index_units,
        ("read", "land", "weigh by rasters", "reduce", "residents"),
        phase="adding up",
    ),
    Step("zone", tables.zone_land, ("read", "index"), phase="adding up"),
    Step(
        "readings",
        compare_readings,
        ("read", "land", "weigh by rasters", "reduce", "zone"),
        phase="adding up",
    ),
    Step("grid_1km", tables.grid_with_mass, ("read", "reduce", "grid")),
    # Written while zones are drawn, and tables, report and figures are made.
    parcels_step(),
    Step(
        "probability",
        probability.draw_probabilities,
        ("read", "land", "allocate all", "reduce", "zone", "options"),
    ),
    # What a finished run answers from when it is asked what would be otherwise.
    Step(
        "keep tables",
        small_tables.keep_tables,
        ("read",),
        kept=Kept(
            files=lambda _: small_tables.FILES,
            load=lambda *_: None,
            decided_by=lambda inputs: [small_tables.content_of(inputs)],
        ),
        phase="writing",
    ),
    # The tables, and what people look at.
    Step(
        "assemble",
        tables.make_tables,
        (
            *("read", "land", "cross-check", "parcels", "allocate all", "reduce", "index"),
            *("probability", "readings", "grid_1km", "fingerprints", "options"),
        ),
        phase="writing",
    ),
    Step(
        "digest",
        lambda made, parcels, options: table_digests(
            made, public=options.public, parcels=parcels.digest
        ),
        ("assemble", "parcels", "options"),
        phase="writing",
    ),
    *product_steps(),
)
