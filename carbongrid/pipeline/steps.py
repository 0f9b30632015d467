"""The method, step by step: read, weigh, allocate, rasterize, reduce, index, zone, write.

The list is the order. A step is done as soon as what it needs is there, so where a category weighs by a raster the land is
rasterized before it is weighed. ``run`` does all steps, ``check`` those up to the allocation (docs/decisions/0049).
"""

from __future__ import annotations

from carbongrid.case.readers.inputs import complete_inputs, read_section_of_categories
from carbongrid.outputs.tables import table_digests
from carbongrid.pipeline.allocation import allocate_totals
from carbongrid.pipeline.cross_checks import cross_check
from carbongrid.pipeline.land import FILES as LAND_FILES
from carbongrid.pipeline.land import Land, fine_grid
from carbongrid.pipeline.rasterizing import (
    JOURNAL,
    files_of_shares,
    has_no_rasters,
    rasterize_land,
    reduce_allocation,
    shares_in,
    what_shares,
)
from carbongrid.pipeline.sections import READ_SECTIONS, section_steps
from carbongrid.pipeline.step import Kept, Step
from carbongrid.pipeline.tables import index_units, make_tables, zone_land
from carbongrid.pipeline.weighing import FILES as WEIGHT_FILES
from carbongrid.pipeline.weighing import (
    load_weights,
    one_spelling,
    save_weights,
    weigh_categories,
    weight_rasters,
    what_weighs,
)
from carbongrid.pipeline.writing import product_steps

STEPS: tuple[Step, ...] = (
    # What the case names: each long table by itself, then all the rest.
    Step("read categories", read_section_of_categories, ("case",), phase="reading"),
    *section_steps(),
    Step(
        "read",
        lambda *sections: one_spelling(complete_inputs(*sections)),
        ("case", "read categories", *READ_SECTIONS),
        phase="reading",
    ),
    # Where parcels stand, and whether the tables fit each other.
    Step(
        "land",
        Land.of,
        ("read",),
        kept=Kept(
            files=lambda _: LAND_FILES,
            load=Land.measured_before,
            save=lambda folder, land: land.save(folder),
            after=("read parcels", "read units"),
        ),
        phase="reading",
    ),
    Step("cross-check", cross_check, ("read", "land"), phase="reading"),
    # What each parcel claims of each category, and the grams that it gets.
    Step(
        "weigh",
        weigh_categories,
        ("read", "land"),
        unless=("rasterize", has_no_rasters),
        kept=Kept(
            files=lambda *_: WEIGHT_FILES,
            load=load_weights,
            save=save_weights,
            decided_by=what_weighs,
            after=(*READ_SECTIONS, "rasterize"),
        ),
    ),
    Step("allocate", allocate_totals, ("read", "land", "weigh")),
    # Cells that parcels have in common with units and coarse cells, and the grams of these.
    Step("grid", fine_grid, ("read",)),
    Step(
        "rasterize",
        rasterize_land,
        ("read", "land", "grid", "options"),
        kept=Kept(
            files=files_of_shares,
            load=shares_in,
            decided_by=what_shares,
            sources=lambda inputs, *_: weight_rasters(inputs),
            scratch=(JOURNAL,),
        ),
    ),
    Step("reduce", reduce_allocation, ("read", "land", "allocate", "rasterize", "grid")),
    # What the indices are made of, the indices, the zones.
    Step("index", index_units, ("read", "land", "weigh", "reduce")),
    Step("zone", zone_land, ("read", "index")),
    # The tables, and what people look at.
    Step(
        "assemble",
        make_tables,
        (
            *("read", "land", "cross-check", "allocate", "reduce", "index", "zone", "grid"),
            *("fingerprints", "options"),
        ),
    ),
    Step(
        "digest",
        lambda tables, options: table_digests(tables, public=options.public),
        ("assemble", "options"),
    ),
    *product_steps(),
)
