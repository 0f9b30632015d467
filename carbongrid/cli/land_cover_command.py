"""The command ``from-raster``: a land-cover raster becomes parcels."""

from __future__ import annotations

from pathlib import Path

import click

from carbongrid.cli.console import Console
from carbongrid.cli.group import main
from carbongrid.cli.options import PATH, WRITTEN_PATH, with_console, with_layer


@main.command("from-raster")
@click.argument("raster", type=PATH)
@click.option(
    "--units",
    type=PATH,
    required=True,
    help="Polygons of the units; only what lies in one becomes a parcel.",
)
@with_layer
@click.option(
    "--codes",
    required=True,
    help="Code system of the raster: worldcover, globeland30, corine-grid, nlcd, glc-fcs30, or a CSV of your own.",
)
@click.option(
    "--side",
    type=click.IntRange(1, 100_000),
    default=50,
    show_default=True,
    help="Cells of a square: the cells of one class in it are one parcel.",
)
@click.option("--out", type=WRITTEN_PATH, required=True, help="parcels.parquet or parcels.gpkg.")
@with_console
def from_raster(
    console: Console,
    raster: Path,
    units: Path,
    layer: str | None,
    codes: str,
    side: int,
    out: Path,
) -> None:
    """Turn RASTER, a GeoTIFF of land-cover codes, into parcels.

    \b
        carbongrid from-raster worldcover.tif --units townships.gpkg --codes worldcover --out parcels.parquet
    """  # noqa: D301  (click wants the character)
    from carbongrid.method.tonnes import counted
    from carbongrid.run_store import detect_full_disk
    from carbongrid.sources.land_cover import read_land_cover, require_target, write_land_cover

    require_target(out)
    with console.progress() as progress, detect_full_disk(out.parent):
        cover = read_land_cover(
            raster, units, codes=codes, layer=layer, side=side, progress=progress
        )
        write_land_cover(cover, out)
    for code, row in cover.codes.iterrows():
        share = row["cells"] / cover.cells
        kind = row["type"] or "unknown"
        console.say(f"{code:>5}  {kind:<18} {share:7.2%}  {counted(row['parcels'], 'parcel')}")
    console.problems(cover.notes)
    console.say(f"{counted(len(cover.parcels), 'parcel')} in {out}. In the case:")
    console.say()
    settings = {"path": out.name, "id": "id", "land_use": "code", "code_system": codes}
    for line in ("[parcels]", *(f'{key} = "{value}"' for key, value in settings.items())):
        console.say(f"    {line}")
    console.document(
        {
            "status": "done",
            "parcels": len(cover.parcels),
            "file": out,
            "codes": cover.codes.reset_index().to_dict("records"),
            "notes": [vars(note) for note in cover.notes],
        }
    )
