"""Where an extract says that power and heat are made of something that burns, and how much (docs/decisions/0038)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from carbongrid.errors import Problem, listed
from carbongrid.method.landuse import packaged_table
from carbongrid.method.tonnes import counted

SUPPLY = "industry/supply"
KINDS = ("plant", "generator")
"""Values of ``power`` that make power; substations, transformers and poles carry it."""
OUTPUTS = ("electricity", "hot_water", "steam")
"""What they make, each with an output of its own."""

ENERGY_KEYS: tuple[str, ...] = (
    "power",
    *(
        f"{kind}:{what}"
        for kind in KINDS
        for what in ("source", *(f"output:{product}" for product in OUTPUTS))
    ),
)
"""Keys that are read of plants and generators."""

UNTOLD_MW = 1.0
"""What a site counts whose output is not told: large plants have theirs mapped."""
UNTOLD_SOURCE = "gas"
"""What a plant is taken to burn whose source is not told: of the fossil fuels the least."""

_OUTPUT = re.compile(
    r"(?:(\d+)\s*[x×*]\s*)?(\d+(?:\.\d+)?)\s*([kMG]?)W(?:_?(?:p|e|el|th?))?", re.IGNORECASE
)
_THOUSANDS = re.compile(r"(?<![\d.,])[1-9]\d{0,2}(?:,\d{3})+(?![\d,])")
"""A number with its thousands set apart; neither 0,300 nor 1234,567 is one, and the comma is a decimal one there."""
_MEGA = {"": 1e-6, "k": 1e-3, "m": 1.0, "g": 1e3}


@dataclass(frozen=True)
class EnergySites:
    """Places where something is burnt to make power and heat.

    Parameters
    ----------
    table
        Columns id, name, type (``plant:source=coal``), weight; points.
    notes
        Remarks for people.
    """

    table: gpd.GeoDataFrame
    notes: tuple[Problem, ...]


@cache
def source_weights() -> dict[str, float]:
    """Return what a source weighs per megawatt; 0 where nothing is burnt."""
    table = packaged_table("osm/energy_sources.csv")
    return dict(zip(table["source"], table["weight"].astype(float), strict=True))


def megawatts(text: object) -> float:
    """Return an output in MW, NaN where the tag is no number with a unit (``yes``, ``small_installation``, ``300``).

    Examples
    --------
    >>> megawatts("350 MW"), megawatts("2 x 1,200 kW"), megawatts("7,5 MW"), megawatts("0,300 MW"), megawatts("yes")
    (350.0, 2.4, 7.5, 0.3, nan)
    """
    if not isinstance(text, str):
        return np.nan
    plain = _THOUSANDS.sub(lambda number: number[0].replace(",", ""), text).replace(",", ".")
    parts = [_OUTPUT.fullmatch(part.strip()) for part in plain.split(";")]
    return sum(np.nan if m is None else int(m[1] or 1) * float(m[2]) * _MEGA[m[3].lower()] for m in parts)  # fmt: skip


def main_source(text: object) -> str:
    """Return the source that emits most of those in a tag (``gas;oil``); empty where none is known."""
    if not isinstance(text, str):
        return ""
    weights = source_weights()
    told = [part.strip().lower() for part in text.split(";")]
    return max((one for one in told if one in weights), key=lambda one: weights[one], default="")


def land_of_plants(areas: gpd.GeoDataFrame, tags: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return the tags of areas, those of plants and generators with what they are made to burn.

    Parameters
    ----------
    areas
        With a column per key of :data:`ENERGY_KEYS`.
    tags : shape (areas,)
        From :func:`carbongrid.sources.osm.extract.tag_of`.

    Notes
    -----
    A plant that burns something is a plant, whatever else is mapped of its land. One that burns nothing is told
    by its source where no more is known of its land than ``power`` or ``landuse=industrial``.
    """
    told = tags.copy()
    weights = source_weights()
    for kind in KINDS:
        own = (areas["power"] == kind).to_numpy()
        sources = areas[f"{kind}_source"].map(main_source).to_numpy(dtype=object)
        for row in np.flatnonzero(own):
            source = sources[row]
            vague = tags[row] in ("", f"power={kind}", "landuse=industrial")
            burns = kind == "plant" and (not source or weights[source] > 0)
            if vague or burns:
                told[row] = f"{kind}:source={source}" if source else f"power={kind}"
    return told


def energy_sites(
    areas: gpd.GeoDataFrame,
    points: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    closed: gpd.GeoDataFrame | None = None,
) -> EnergySites:
    """Return the units' sites that emit, each once, weighed by output and by what is burnt.

    Parameters
    ----------
    areas, points
        Of the extract, in one plane, with id, name and a column per key of :data:`ENERGY_KEYS`.
    units
        What lies outside of them is left out.
    closed
        Areas that are no longer in use; a plan or a building site closes nothing.

    Notes
    -----
    Generators within a plant are parts of it: they say its output and source where its own tags do not. A generator
    of unknown source is no evidence: most are panels on roofs. One within a plant that is closed, and within no other, is
    closed with it, unless it is of another source or says that it runs.
    """
    region = shapely.union_all(units.geometry.to_numpy())
    plants = _sites((areas, points), "plant", region)
    generators = _sites((areas, points), "generator", region)
    grounds = plants[shapely.area(plants["ground"].to_numpy()) > 0]
    inner = _within(plants, grounds)
    plants = plants[(inner < 0) | (inner == np.arange(len(plants)))].reset_index(drop=True)
    parts = _within(generators, plants)
    plants = _completed(plants, generators.assign(plant=parts))
    alone = parts < 0
    if closed is not None:
        alone &= ~_closed_with(generators, _sites((closed,), "plant", region))
    idle = generators[(parts < 0) & ~alone]
    untold_source = plants["source"] == ""
    sites = pd.concat(
        [plants.assign(source=plants["source"].where(~untold_source, UNTOLD_SOURCE)), generators[alone]],
        ignore_index=True,
    )  # fmt: skip
    factor = sites["source"].map(source_weights()).fillna(0.0)
    burning = sites[factor > 0].reset_index(drop=True)
    output = burning["mw"].fillna(UNTOLD_MW)
    weight = (output * factor[factor > 0].to_numpy()).round(3)
    tags = burning["kind"] + ":source=" + burning["source"]
    table = gpd.GeoDataFrame(
        {"id": burning["id"], "name": burning["name"], "type": tags, "weight": weight},
        geometry=gpd.GeoSeries(burning["ground"], crs=areas.crs).representative_point(),
        crs=areas.crs,
    )
    notes = _notes(sites[factor == 0], burning, int(untold_source.sum()))
    if len(idle):
        what = f"{counted(len(idle), 'generator stands in a plant that is closed, and is left out with it', 'generators stand in plants that are closed, and are left out with them')}: {listed(idle['id'])}"
        notes = (*notes, Problem(what, level="note"))
    return EnergySites(table, notes)


def _sites(
    tables: tuple[gpd.GeoDataFrame, ...], kind: str, region: shapely.Geometry
) -> pd.DataFrame:
    """Return plants or generators: id, name, kind, source, mw, unread (tags with a number that is no output), runs (by its tags), ground (their polygon or point)."""
    found = []
    for table in tables:
        own = table[table["power"] == kind]
        middles = np.asarray(own.geometry.representative_point().array, dtype=object)
        own = own[shapely.covers(region, middles)]
        tags = own[[f"{kind}_output_{what}" for what in OUTPUTS]]
        outputs = tags.map(megawatts).astype(float).to_numpy()
        electric, heat = outputs[:, 0], np.fmax(outputs[:, 1], outputs[:, 2])
        found.append(
            pd.DataFrame(
                {
                    "id": own["id"].to_numpy(dtype=object),
                    "name": own["name"].to_numpy(dtype=object),
                    "kind": kind,
                    "source": own[f"{kind}_source"].map(main_source).to_numpy(dtype=object),
                    "mw": np.where(np.isnan(electric), heat, electric),
                    "unread": [_unread(kind, row) for row in tags.to_numpy(dtype=object)],
                    "runs": _runs(own),
                    "ground": np.asarray(own.geometry.array, dtype=object),
                }
            )
        )
    return pd.concat(found, ignore_index=True).sort_values("id", ignore_index=True)


def _runs(sites: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Return which sites say that they are in use."""
    found = np.zeros(len(sites), bool)
    for key, value in (("operational_status", "operational"), ("disused", "no"), ("abandoned", "no")):  # fmt: skip
        if key in sites:
            found |= (sites[key] == value).to_numpy(bool)
    return found


def _unread(kind: str, texts: NDArray[np.object_]) -> str:
    """Return the tags of one site's outputs that have a number and are not understood."""
    odd = [isinstance(text, str) and any(map(str.isdigit, text)) and np.isnan(megawatts(text)) for text in texts]  # fmt: skip
    return ", ".join(f"{kind}:output:{OUTPUTS[k]}={texts[k]}" for k in np.flatnonzero(odd))


def _within(sites: pd.DataFrame, grounds: pd.DataFrame) -> NDArray[np.int64]:
    """Return for each site the index of the largest ground that holds its middle; -1 where none does."""
    middles = [shapely.point_on_surface(each) for each in sites["ground"]]
    polygons = grounds["ground"].to_numpy(dtype=object)
    found = np.full(len(sites), -1, np.int64)
    if not len(sites) or not len(polygons):
        return found
    site, ground = shapely.STRtree(polygons).query(middles, predicate="intersects")
    area = shapely.area(polygons)
    for k in np.argsort(area[ground], kind="stable"):
        if area[ground[k]] > 0:
            found[site[k]] = grounds.index[ground[k]]
    return found


def _closed_with(generators: pd.DataFrame, closed: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which generators stand in a closed plant and are part of it: what burns something else came after it, and what says that it runs does."""
    plant = _within(generators, closed)
    own, theirs = generators["source"].to_numpy(object), np.append(closed["source"], "")[plant]
    found: NDArray[np.bool_] = (
        (plant >= 0)
        & ~generators["runs"].to_numpy(bool)
        & ((own == theirs) | (own == "") | (theirs == ""))
    )
    return found


def _completed(plants: pd.DataFrame, generators: pd.DataFrame) -> pd.DataFrame:
    """Fill a plant's output and source from its generators: those that emit most decide."""
    weights = source_weights()
    told = generators[(generators["plant"] >= 0) & (generators["source"] != "")]
    source, output, unread = (plants[name].to_list() for name in ("source", "mw", "unread"))
    for plant in sorted(set(told["plant"].astype(int))):
        parts = told[told["plant"] == plant]
        source[plant] = source[plant] or max(parts["source"], key=lambda one: weights[one])
        same = parts[parts["source"] == source[plant]]
        if np.isnan(output[plant]):
            output[plant] = float(same["mw"].sum(min_count=1))
            unread[plant] = ", ".join(filter(None, [unread[plant], *same["unread"]]))
    return plants.assign(source=source, mw=np.array(output, dtype=np.float64), unread=unread)


def _notes(silent: pd.DataFrame, burning: pd.DataFrame, untold: int) -> tuple[Problem, ...]:
    notes = []
    if len(burning):
        output = burning["mw"].fillna(UNTOLD_MW).to_numpy()
        called = [
            n if isinstance(n, str) else i
            for n, i in zip(burning["name"], burning["id"], strict=True)
        ]
        order = np.argsort(-output, kind="stable")
        names = listed(f"{called[k]} ({burning['source'][k]}, {output[k]:g} MW)" for k in order)
        notes.append(Problem(f"{counted(len(burning), 'place burns something for power and heat; its output times what it burns', 'places burn something for power and heat; their output times what they burn')} weighs {SUPPLY}: {names}", level="note"))  # fmt: skip
        odd = burning[burning["unread"] != ""]
        if len(odd):
            tags = listed(f"{row.id} ({row.unread})" for row in odd.itertuples())
            what = f"the output of {len(odd)} of them is not understood, and counts as {UNTOLD_MW:g} MW where no other tag tells it: {tags}"
            notes.append(Problem(what, "", "Write weight in pois.csv, or a number with its unit on the map: 300 MW, 2 x 300 MW.", "warning"))  # fmt: skip
        guessed = int((burning["mw"].isna() & (burning["unread"] == "")).sum())
        if guessed:
            notes.append(Problem(f"{guessed} of them tell no output and count as {UNTOLD_MW:g} MW", level="note"))  # fmt: skip
        if untold:
            notes.append(Problem(f"{untold} plants tell no source and count as {UNTOLD_SOURCE}", level="note"))  # fmt: skip
    else:
        notes.append(Problem(f"no plant that burns something is mapped, so nothing says where power and heat are made ({SUPPLY}); name the plants in [facilities] if there are any", level="warning"))  # fmt: skip
    if len(silent):
        kinds = silent["kind"] + ":source=" + silent["source"].where(silent["source"] != "", "?")
        told = listed(f"{kind} ({count})" for kind, count in kinds.value_counts().items())
        notes.append(Problem(f"{len(silent)} plants and generators burn nothing, or nobody knows what, and carry no emission: {told}", level="note"))  # fmt: skip
    return tuple(notes)
