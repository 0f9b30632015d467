"""What people look at, as steps: tables, report and figures, made again only if what they show changed.

What needs a library that is not installed is left out, and told before a run starts (docs/decisions/0046).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import pandas as pd

from carbongrid.errors import Problem, how_to_install, missing_libraries
from carbongrid.outputs.figures import write_figures
from carbongrid.outputs.report import write_report
from carbongrid.outputs.result import RunTables
from carbongrid.outputs.tables import table_files, write_tables
from carbongrid.raster.software import versions
from carbongrid.run_store import RunStore, hash_values

_IN_DIGESTS = ("inventory", "parcels", "units", "grid_1km")
REPORT, FIGURES = ["report.html"], ["figures"]
_DRAWN_BY = {"units.xlsx": "openpyxl", "report.html": "jinja2", "figures": "matplotlib"}
"""What a run can do without, and the library of the extra ``report`` that writes it."""


def left_out() -> list[str]:
    """Return the files and folders of a run that cannot be written here, since a library is not installed."""
    return [name for name, library in _DRAWN_BY.items() if missing_libraries(library)]


def problems_of_left_out() -> list[Problem]:
    """Return a warning if something is left out: what it is, and how it can be had."""
    files = left_out()
    if not files:
        return []
    libraries = ", ".join(_DRAWN_BY[name] for name in files)
    what = (
        f"runs are without {', '.join(files)}, since these libraries are not installed: {libraries}"
    )
    return [Problem(what, hint=how_to_install("report"), level="warning")]


def write_products(
    store: RunStore,
    tables: RunTables,
    digests: Mapping[str, str],
    report: Callable[[str, int, int], None],
) -> None:
    """Write tables, report and figures into a run.

    Parameters
    ----------
    store
        The run.
    tables
        What they show.
    digests
        Of the tables' content; without one of the parcels, these are not written (``--public``).
    report
        Called with the name of the step, what is done and what there is to do.
    """
    key = hash_values(versions(), dict(digests), _told(tables))
    folder = store.folder
    public = "parcels" not in digests
    missing = left_out()
    products: list[tuple[str, list[str], Callable[[], object]]] = [
        (
            "tables",
            table_files(tables, public=public),
            lambda: write_tables(tables, folder, public=public),
        ),
        ("report", REPORT, lambda: write_report(tables, folder)),
        ("figures", FIGURES, lambda: write_figures(tables, folder / FIGURES[0])),
    ]
    steps = [step for step in products if not set(step[1]) <= set(missing)]
    report("writing", 0, len(steps))
    for done, (name, files, make) in enumerate(steps, start=1):
        store.step(name, key, files, lambda make=make: _call(make))  # type: ignore[misc]
        report("writing", done, len(steps))


def _told(tables: RunTables) -> dict[str, object]:
    """Return all that the report may show and the digests do not hold."""
    told = {}
    for field in dataclasses.fields(tables):
        value = getattr(tables, field.name)
        if field.name in _IN_DIGESTS:
            continue
        told[field.name] = value.to_csv() if isinstance(value, pd.DataFrame) else value
    return told


def _call(make: Callable[[], object]) -> None:
    make()
