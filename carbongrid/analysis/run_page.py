"""What the pages of analyses of runs have in common."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd

from carbongrid.analysis.finished import FinishedRun
from carbongrid.errors import Problem
from carbongrid.outputs.report.analysis_page import (
    AnalysisPage,
    Card,
    Map,
    Rows,
    Words,
    unit_in_text,
    write_analysis_page,
)
from carbongrid.outputs.report.notes import note_in_chinese

if TYPE_CHECKING:
    from carbongrid.outputs.result import Result


def write_run_page(
    run: Result | FinishedRun,
    path: Path,
    *,
    kicker: Words,
    sub: Words,
    cards: Sequence[Card],
    maps: Sequence[Map],
    tables: Sequence[Rows],
    notes: Sequence[Problem | str],
    title: str | None = None,
    outlines: gpd.GeoDataFrame | None = None,
    tips: Sequence[str] | None = None,
    **more: Any,
) -> Path:
    """Write the page of an analysis of a run, or of several of which this is the last.

    Parameters
    ----------
    run
        Whose data's licence is named.
    path
        Of the page.
    kicker, sub, cards, maps, tables
        As :class:`carbongrid.outputs.report.analysis_page.AnalysisPage` has them.
    notes
        What has to be said, in English; a text is a note.
    title
        Default: the run's title and year.
    outlines, tips
        Of the units on the maps; default: all of the run, each with its name and id.
    more
        Further fields of the page.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    InputError
        If Jinja is not installed.
    """
    units, manifest = run.units, run.manifest
    if outlines is None:
        of_units = run.outlines if isinstance(run, FinishedRun) else run.units.geometry
        outlines = gpd.GeoDataFrame(geometry=of_units.reset_index(drop=True))
    if tips is None:
        tips = [unit_in_text(*unit) for unit in zip(units["name"], units["id"], strict=True)]
    problems = [
        each if isinstance(each, Problem) else Problem(each, level="note") for each in notes
    ]
    page = AnalysisPage(
        kicker=kicker,
        title=f"{manifest['title']}, {manifest['year']}" if title is None else title,
        sub=sub,
        cards=cards,
        outlines=outlines,
        tips=tips,
        maps=maps,
        tables=tables,
        notes=[(each, note_in_chinese(str(each))) for each in problems],
        attribution=manifest.get("attribution", ""),
        **more,
    )
    return write_analysis_page(page, path)
