"""Write the case: parcels, units, roads, points, and the tables that a user fills in."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from carbongrid.case import commented_toml
from carbongrid.errors import InputError, Problem, listed
from carbongrid.method.tonnes import counted
from carbongrid.raster.opening.dates import fixed_date
from carbongrid.raster.opening.files import path_to_write
from carbongrid.raster.opening.names import plain_folder
from carbongrid.sources.osm.borders import Units, units_of
from carbongrid.sources.osm.carriers import carried_rows
from carbongrid.sources.osm.energy import energy_sites
from carbongrid.sources.osm.extract import Extract, read_extract
from carbongrid.sources.osm.filling import cover_in, notes_of_filling, require_codes
from carbongrid.sources.osm.filtered import what_is_missing
from carbongrid.sources.osm.guessing import guessed_totals, require_heads
from carbongrid.sources.osm.land import Land, land_of, mapped_land
from carbongrid.sources.osm.left_out import notes_on_what_is_not_in_use
from carbongrid.sources.osm.networks import Network, lines_within, network_of
from carbongrid.sources.osm.points import points_of_interest
from carbongrid.sources.osm.residents import cut_people, people_within, require_people

ATTRIBUTION = "© OpenStreetMap contributors, ODbL 1.0"
CODES, PEOPLE = "codes.csv", "people.tif"
_CODES_ROW = "| codes.csv | what the map's tags and the classes of the land cover mean; `land_cover=50` and its like fill what the map leaves white | correct what does not fit here |\n"
_PEOPLE_ROW = "| people.tif | people per cell around the units, by whom homes go | a census in `[people]`, if you have one |\n"
_GUESSED_TOTALS = "first guesses (`basis`), no figures of this place, or 0"
_TITLE = ", first guesses"
"""Of a case whose totals are guesses: reports, figures and projects bear the title."""
_WHITE = 0.05
"""Of the units' area; whatever is less may be roofs and yards between what is mapped."""
_RESOLUTION = 5  # m; an ordinary road has a cell centre in it

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class OsmCase:
    """What was made of an extract.

    Parameters
    ----------
    case
        The case file.
    level
        admin_level of the units.
    units, parcels, lines, pois
        How many.
    categories
        Rows of totals.csv: those that some parcel carries.
    guesses
        Of how many the total is a first guess.
    notes
        What was odd, and what was decided.
    """

    case: Path
    level: str
    units: int
    parcels: int
    lines: int
    pois: int
    categories: tuple[str, ...]
    guesses: int
    notes: tuple[Problem, ...]


def write_case_from_osm(
    path: Path,
    directory: Path,
    *,
    level: str | None = None,
    land_cover: Path | None = None,
    codes: str | None = None,
    people: Path | None = None,
    guess: bool = False,
    progress: Progress | None = None,
) -> OsmCase:
    """Turn an OpenStreetMap extract into a case that is ready to edit, and runs as it is.

    Parameters
    ----------
    path
        An extract, ``.osm.pbf``.
    directory
        A new or empty folder.
    level
        ``admin_level`` of the units; default the smallest that covers nearly all land.
    land_cover, codes
        A raster of land cover for what the map leaves white, and its code system (docs/decisions/0097).
    people
        A raster of people per cell, by whom homes then go.
    guess
        Fill in first guesses of totals, marked as such: world means per head, and sinks by area (docs/decisions/0098).
    progress
        Called with the name of a step, what is done and what there is to do.

    Raises
    ------
    InputError
        If the folder is an address, or holds something, the extract cannot be read, or has no such units; if a raster cannot be read, or lies elsewhere; if guesses are
        asked for without people.
    """
    _require_new(directory)
    if codes is not None and land_cover is None:
        what = "a code system is named, and there is no land cover that it is of"
        raise InputError(what, "--codes", "Give --land-cover FILE too, or leave --codes out.")
    if guess:
        require_heads(people)
    if land_cover is not None:
        require_codes(codes)
    if people is not None:
        require_people(people)
    report = progress or (lambda *_: None)
    report("reading the extract", 0, 1)
    extract = read_extract(path)
    report("reading the extract", 1, 1)
    network = network_of(extract.lines)
    gone = extract.not_in_use.areas
    mapped = mapped_land(extract.areas, network.land, gone, coastal=extract.coastal)
    units = units_of(extract.borders, level, mapped)
    cover = None if land_cover is None else cover_in(land_cover, units.table, str(codes), progress)
    report("cutting parcels", 0, 1)
    below = None if cover is None else cover.land
    land = land_of(extract.areas, network.land, units.table, below, gone)
    report("cutting parcels", 1, 1)
    lines = lines_within(network.lines, units.table)
    sites = energy_sites(
        extract.areas, extract.points, units.table, extract.not_in_use.of(ahead=False).areas
    )
    points = points_of_interest(extract, sites.table, units.table)
    pois = points.table
    rows = carried_rows(land.parcels, pois, lines, people=people is not None)
    notes = [*units.notes, *land.notes, *_notes(extract, network, units, land)]
    notes += what_is_missing(land.parcels, lines, len(extract.points))
    notes += notes_on_what_is_not_in_use(extract.not_in_use, units.table, land.parcels)
    notes += [*sites.notes, *points.notes, *rows.notes]
    if cover is not None:
        notes += [*cover.notes, *notes_of_filling(land.parcels, units.table)]
    totals = rows.totals
    if guess and people is not None:
        guessed = guessed_totals(
            totals, rows.sinks, people_within(people, units.table), rows.not_told_apart
        )
        totals = guessed.totals
        notes += guessed.notes
    directory.mkdir(parents=True, exist_ok=True)
    if people is not None:
        notes += cut_people(people, units.table, directory / PEOPLE)
    notes.append(_missing_most(land, units, totals, people=people is not None))
    _write_layers(directory, land, units, lines)
    if cover is not None:
        cover.codes.to_csv(directory / CODES, index=False)
    pois.to_csv(directory / "pois.csv", index=False)
    totals.to_csv(directory / "totals.csv", index=False)
    rows.categories.to_csv(directory / "categories.csv", index=False)
    guesses = int((totals["basis"] != "").sum()) if "basis" in totals else 0
    there = {
        "categories": len(rows.categories) > 0,
        "lines": len(lines) > 0,
        "pois": len(pois) > 0,
        "people": people is not None,
        "cover": cover is not None,
        "guesses": guesses > 0,
    }
    _write_case(path, directory, units, {name for name, some in there.items() if some})
    more = [text for text, some in ((_CODES_ROW, cover), (_PEOPLE_ROW, people)) if some is not None]
    _write_readme(path, directory, units, more, notes, guesses=guesses > 0)
    names = tuple(totals["category"])
    counts = (len(units.table), len(land.parcels), len(lines), len(pois))
    return OsmCase(directory / "case.toml", units.level, *counts, names, guesses, tuple(notes))


def _require_new(directory: Path) -> None:
    path_to_write(directory)
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise InputError(
            "the directory is not empty", str(directory), "Give a new one, or empty this one."
        )


def _notes(extract: Extract, network: Network, units: Units, land: Land) -> list[Problem]:
    notes = []
    if extract.broken:
        notes.append(
            Problem(
                f"{counted(len(extract.broken), 'area could not be mended and is', 'areas could not be mended and are')} left out"
            )
        )
    if network.tunnels:
        notes.append(Problem(f"{network.tunnels} ways run in tunnels and are left out"))
    mapped = _mapped(land, units)
    share = mapped / units.table.area.to_numpy()
    poor = np.flatnonzero(share < 0.5)
    if len(poor):
        named = listed(f"{units.table['name'][k]} ({share[k]:.0%})" for k in poor)
        what = f"{counted(len(poor), 'unit is mapped over less than half of its area, or reaches', 'units are mapped over less than half of their area, or reach')} into the sea or over the extract's edge: {named}"
        notes.append(Problem(what, level="warning"))
    bare = 1 - land.parcels.area.sum() / units.table.area.sum()
    notes.append(Problem(f"{bare:.1%} of the units' area is not mapped and carries nothing"))
    return [note if note.level == "warning" else Problem(note.what, level="note") for note in notes]


def _mapped(land: Land, units: Units) -> NDArray[np.float64]:
    """Return the land of parcels in each unit, m2; of those that lie across a border each has its part."""
    parcels = np.asarray(land.parcels.geometry.array, dtype=object)
    polygons = np.asarray(units.table.geometry.array, dtype=object)
    parcel, unit = shapely.STRtree(polygons).query(parcels, predicate="intersects")
    across = np.bincount(parcel, minlength=len(parcels))[parcel] > 1
    area = shapely.area(parcels[parcel])
    area[across] = shapely.area(shapely.intersection(parcels[parcel[across]], polygons[unit[across]]))  # fmt: skip
    return np.bincount(unit, area, len(polygons))


def _missing_most(land: Land, units: Units, totals: pd.DataFrame, *, people: bool) -> Problem:
    """Return what the case lacks, what it cannot do without first."""
    given = int((totals["value"] != "0").sum())
    guesses = f"{given} are first guesses, " if given else ""
    lacks = [
        f"totals ({guesses}{counted(len(totals) - given, 'category is', 'categories are')} 0)",
        "GDP of the units (without it no unit has a zone: [gdp])",
    ]
    if not people:
        lacks.append("people (homes go by area: --people, or [people])")
    white = 1 - float(land.parcels.area.sum() / units.table.area.sum())
    if white >= _WHITE:
        lacks.append(f"land use of {white:.0%} of the units' area (it carries nothing: --land-cover)")  # fmt: skip
    return Problem(f"missing most, in this order: {'; '.join(lacks)}", level="note")


def _write_layers(directory: Path, land: Land, units: Units, lines: gpd.GeoDataFrame) -> None:
    about = {"DESCRIPTION": ATTRIBUTION}
    options = {"driver": "GPKG", "engine": "pyogrio", "layer_metadata": about}
    parcels = land.parcels[["id", "land_use", "type", "name", "geometry"]]
    tables = {"parcels": parcels, "units": units.table, "lines": lines}
    with plain_folder(directory) as folder, fixed_date():
        for name, table in tables.items():
            if name != "lines" or len(table):
                file = folder / f"{name}.gpkg"
                table.to_file(file, layer=name, promote_to_multi=True, **options)


def _write_case(path: Path, directory: Path, units: Units, there: set[str]) -> None:
    values: dict[str, object] = {
        "title": path.name.removesuffix(".pbf").removesuffix(".osm")
        + (_TITLE if "guesses" in there else ""),
        "year": _year_of(path),
        "attribution": ATTRIBUTION,
        "electricity": "both",
        "grid": {"resolution": _RESOLUTION, "coarse": 1000},
        "parcels": {
            "path": "parcels.gpkg",
            "id": "id",
            "land_use": "land_use",
            "code_system": CODES if "cover" in there else "osm",
        },
        "units": {
            "path": "units.gpkg",
            "id": "id",
            "name": "name",
            "name_en": "name_en",
            **({"parents": list(units.parents)} if units.parents else {}),
        },
        "totals": {"path": "totals.csv"},
    }
    if "categories" in there:
        values["categories"] = {"path": "categories.csv"}
    if "people" in there:
        values["people"] = {"path": PEOPLE}
    if "pois" in there:
        place = {"x": "lon", "y": "lat", "crs": "EPSG:4326"}
        values["pois"] = {
            "path": "pois.csv",
            **place,
            "type": "type",
            "weight": "weight",
            "crosswalk": "osm",
        }
    if "lines" in there:
        values["lines"] = {"path": "lines.gpkg", "class": "class", "dual": "dual"}
    name = " ".join(path.name.split())
    head = f"# Made of {name}, {ATTRIBUTION}. README.md says what to fill in.\n"
    text = head + commented_toml(values, unused=True)
    (directory / "case.toml").write_text(text, encoding="utf-8")


def _year_of(path: Path) -> int:
    """Return the year in the file's name (2024-03-04, 240304), else that of the file."""
    whole = re.search(r"(?<!\d)(20\d\d)(?!\d)", path.name)
    if whole:
        return int(whole[1])
    short = re.search(r"(?<!\d)(\d\d)(0[1-9]|1[0-2])([0-3]\d)(?!\d)", path.name)
    if short:
        return 2000 + int(short[1])
    return dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC).year


def _write_readme(
    path: Path,
    directory: Path,
    units: Units,
    more: list[str],
    notes: list[Problem],
    *,
    guesses: bool,
) -> None:
    text = files("carbongrid").joinpath("data", "osm", "README.md").read_text(encoding="utf-8")
    found = "\n".join(f"- {note.what}." for note in notes)
    filled = text.format(
        extract=path.name,
        attribution=ATTRIBUTION,
        level=units.level,
        units=len(units.table),
        totals=_GUESSED_TOTALS if guesses else "all 0",
        more="".join(more),
        notes=found,
    )
    (directory / "README.md").write_text(filled, encoding="utf-8")
