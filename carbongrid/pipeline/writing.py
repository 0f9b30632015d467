"""What people look at, as steps: tables, report and figures, made again only if what they show changed.

What needs a library that is not installed is left out, and told before a run starts (docs/decisions/0046).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from carbongrid.case.readers.inputs import Inputs
from carbongrid.errors import Problem, how_to_install, missing_libraries
from carbongrid.outputs.figures import write_figures
from carbongrid.outputs.report import write_report
from carbongrid.outputs.result import RunTables
from carbongrid.outputs.tables import PARCELS_FILE, table_files, write_parcels, write_tables
from carbongrid.outputs.tables.content import ParcelLayer
from carbongrid.pipeline import base_maps
from carbongrid.pipeline.base_maps import BaseMapLater
from carbongrid.pipeline.land import Land
from carbongrid.pipeline.sections import shapes_of
from carbongrid.pipeline.step import SAVES, Kept, RunOptions, Step
from carbongrid.pipeline.tables import Parcels, gas_of_inputs

_IN_DIGESTS = ("inventory", "parcels", "units", "grid_1km", "surroundings")
PARCELS_STEP = "write parcels"
REPORT, FIGURES = ["report.html"], ["figures"]
_DRAWN_BY = {
    "units.xlsx": ("xlsxwriter",),
    "report.html": ("jinja2", "pillow"),
    "figures": ("matplotlib", "pillow"),
}
"""What a run can do without, and the libraries of the extra ``report`` that write it."""
_PNG = "PIL.PngImagePlugin"
_DRAWS = (_PNG, "matplotlib.figure", "matplotlib.backends.backend_agg")


def left_out() -> list[str]:
    """Return the files and folders of a run that cannot be written here, since a library is not installed."""
    return [name for name, libraries in _DRAWN_BY.items() if missing_libraries(*libraries)]


def problems_of_left_out() -> list[Problem]:
    """Return a warning if something is left out: what it is, and how it can be had."""
    files = left_out()
    if not files:
        return []
    needed = dict.fromkeys(library for name in files for library in _DRAWN_BY[name])
    missing = ", ".join(missing_libraries(*needed))
    what = (
        f"runs are without {', '.join(files)}, since these libraries are not installed: {missing}"
    )
    return [Problem(what, hint=how_to_install("report"), level="warning")]


def base_map_step() -> Step:
    """Return the step that draws what the report shows of outlines; of a published run, whose report may not show parcels, nothing is kept."""

    def files(_: object, options: RunOptions) -> list[str]:
        return [] if options.public or set(REPORT) <= set(left_out()) else base_maps.FILES

    kept = Kept(
        files=files,
        load=base_maps.load,
        save=base_maps.save,
        decided_by=base_maps.what_draws,
        after=("read parcels", "read units"),
    )
    return Step(base_maps.STEP, base_maps.draw_later, ("read", "options"), kept=kept)


def parcels_step() -> Step:
    """Return the step that writes parcels.parquet; what is published has none."""

    def files(_: object, parcels: Parcels) -> list[str]:
        return [] if parcels.digest is None else [PARCELS_FILE]

    def write(folder: Path, inputs: Inputs, parcels: Parcels) -> None:
        known, gas = tuple(inputs.categories.values()), gas_of_inputs(inputs)
        write_parcels(
            parcels.frame, known, folder / PARCELS_FILE, folder / shapes_of("parcels"), gas
        )

    kept = Kept(
        files=files,
        load=lambda *_: None,
        decided_by=lambda inputs, parcels: [
            parcels.digest,
            str(parcels.frame.crs),
            gas_of_inputs(inputs).name,
        ],
    )
    return Step(PARCELS_STEP, write, ("read", "parcels"), kept=kept, meanwhile=True, imports=SAVES)


def product_steps() -> tuple[Step, ...]:
    """Return the steps that write what people look at; without a digest of the parcels, these are not written (``--public``)."""
    return (
        Step(
            "tables",
            _write_tables,
            ("assemble", "digest", "land", "options"),
            kept=Kept(files=_files_of_tables, load=lambda *_: None, decided_by=_shown_of_tables),
            phase="writing",
            beside=True,
            imports=("h5netcdf", "xlsxwriter"),
        ),
        _product("report", _but_left_out(REPORT), _write_report, (_PNG,), (base_maps.STEP,)),
        _product("figures", _but_left_out(FIGURES), _write_figures, _DRAWS, (base_maps.STEP,)),
    )


def _product(
    name: str,
    files: Callable[..., list[str]],
    write: Callable[..., None],
    imports: tuple[str, ...],
    needs: tuple[str, ...] = (),
) -> Step:
    kept = Kept(files=files, load=lambda *_: None, decided_by=_shown)
    needs = ("assemble", "digest", *needs)
    return Step(name, write, needs, kept=kept, phase="writing", beside=True, imports=imports)


def _shown(tables: RunTables, digests: Mapping[str, str], *_: object) -> list[Any]:
    return [dict(digests), _told(tables)]


def _shown_of_tables(tables: RunTables, digests: Mapping[str, str], _: Land, options: RunOptions) -> list[Any]:  # fmt: skip
    return [*_shown(tables, digests), options.parcels]


def _files_of_tables(tables: RunTables, digests: Mapping[str, str], land: Land, options: RunOptions) -> list[str]:  # fmt: skip
    public = "parcels" not in digests
    return table_files(tables, public=public, layer=_layer(land, options), parcels=False)


def _write_tables(folder: Path, tables: RunTables, digests: Mapping[str, str], land: Land, options: RunOptions) -> None:  # fmt: skip
    public = "parcels" not in digests
    write_tables(tables, folder, public=public, layer=_layer(land, options), parcels=False)


def _layer(land: Land, options: RunOptions) -> ParcelLayer | None:
    """Return how parcels are written for a GIS; None where parcels.parquet is all."""
    wanted = options.parcels
    return None if wanted == "parquet" else ParcelLayer(wanted, land.unit_of_parcel)


def _write_report(folder: Path, tables: RunTables, _: object, base: BaseMapLater | None) -> None:
    write_report(tables, folder, None if base is None else base.drawn)


def _write_figures(folder: Path, tables: RunTables, _: object, base: BaseMapLater | None) -> None:
    known = None if base is None else base.known
    matched = None if known is None else known.zones.matched
    write_figures(tables, folder / FIGURES[0], matched)


def _but_left_out(files: list[str]) -> Callable[..., list[str]]:
    return lambda *_: [] if set(files) <= set(left_out()) else files


def _told(tables: RunTables) -> dict[str, object]:
    """Return all that the report may show and the digests do not hold."""
    told = {}
    for field in dataclasses.fields(tables):
        value = getattr(tables, field.name)
        if field.name in _IN_DIGESTS:
            continue
        told[field.name] = value.to_csv() if isinstance(value, pd.DataFrame) else value
    return told
