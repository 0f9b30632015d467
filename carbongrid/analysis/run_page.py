"""What the pages of audits of one run have in common."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd

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
    result: Result,
    path: Path,
    *,
    kicker: Words,
    sub: Words,
    cards: Sequence[Card],
    maps: Sequence[Map],
    tables: Sequence[Rows],
    notes: Sequence[str],
    **more: Any,
) -> Path:
    """Write the page of an analysis of one run.

    Parameters
    ----------
    result
        The run: its title, year and units.
    path
        Of the page.
    kicker, sub, cards, maps, tables
        As :class:`carbongrid.outputs.report.analysis_page.AnalysisPage` has them.
    notes
        What has to be said, in English.
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
    units, manifest = result.units, result.manifest
    page = AnalysisPage(
        kicker=kicker,
        title=f"{manifest['title']}, {manifest['year']}",
        sub=sub,
        cards=cards,
        outlines=gpd.GeoDataFrame(geometry=units.geometry.reset_index(drop=True)),
        tips=[
            unit_in_text(name, code) for code, name in zip(units["id"], units["name"], strict=True)
        ],
        maps=maps,
        tables=tables,
        notes=[(Problem(text, level="note"), note_in_chinese(text)) for text in notes],
        attribution=manifest.get("attribution", ""),
        **more,
    )
    return write_analysis_page(page, path)
