"""The raw claims of parcels: POIs, people, roads and lines (docs/decisions/0003, 0004, 0053)."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pyproj
import rasterio
import shapely

from oracle.clipping import as_lines, cut, joined
from oracle.inputs import (
    DATA,
    covering,
    lookup,
    moved,
    normalized,
    points_in_plane,
    read_points,
    read_table,
    read_vector,
    shipped_or_own,
    text,
)

POI_REACH, PEOPLE_REACH, ROAD_REACH, TRANSPORT_POI_REACH, PIECE = 100.0, 500.0, 30.0, 250.0, 10.0
TIE = 1e-6  # m


def eligible(inputs, types):
    """Which parcels are of these territorial types; ``transport:road`` asks for the mode too."""
    kinds, modes = inputs.parcels["type"].to_numpy(), inputs.parcels["mode"].to_numpy()
    found = np.zeros(len(kinds), dtype=bool)
    for wanted in types:
        kind, _, mode = wanted.partition(":")
        found |= (kinds == kind) & ((modes == mode) | (mode == ""))
    return found


def place(points, inputs, allowed, reach):
    """The parcel that takes each point: the first that covers it, else the nearest in reach; else -1."""
    rows = np.flatnonzero(allowed)
    geometry = inputs.parcels.geometry.to_numpy()[rows]
    taker = covering(points, geometry)
    no_cell_centre = np.flatnonzero(taker < 0)
    which, near = shapely.STRtree(geometry).query(
        points[no_cell_centre], predicate="dwithin", distance=reach + TIE if reach else 0.0
    )
    distance = shapely.distance(points[no_cell_centre[which]], geometry[near])
    distance = shortest_first(which, distance)
    seen = set()
    for i in np.lexsort((near, distance, which)):
        if which[i] not in seen:
            seen.add(which[i])
            taker[no_cell_centre[which[i]]] = near[i]
    return np.where(taker < 0, -1, rows[taker] if len(rows) else -1)


def shortest_first(which, distance):
    """Distances beyond each point's shortest; 0 where the difference is the noise of floats, so a tie."""
    shortest = pd.Series(distance).groupby(which).transform("min").to_numpy()
    return np.where(distance - shortest < TIE, 0.0, distance - shortest)


def summed(taker, quanta, length):
    """Integer quanta added up by parcel."""
    total = [0] * length
    for row, quantum in zip(taker.tolist(), list(quanta), strict=True):
        if row >= 0:
            total[row] += int(quantum)
    return total


# ---- POIs ---------------------------------------------------------------------------------------


class Pois:
    def __init__(self, inputs):
        self.inputs = inputs
        self.known_weights = {}
        self.points, self.categories = np.array([], dtype=object), np.array([], dtype=object)
        section = inputs.settings.get("pois")
        if not section:
            return
        table, points = read_points(inputs, section)
        crosswalk = shipped_or_own(section["crosswalk"], "poi", inputs.folder)
        types = text(table[section["type"]])
        rows = {code: lookup(crosswalk, "poi_type", code) for code in types.unique()}
        named = {code: "" if row is None else row["category"] for code, row in rows.items()}
        known = ~shapely.is_empty(points)
        self.points, self.categories = points[known], types.map(named).to_numpy()[known]
        self.reach = 0.0 if section.get("miss", "nearest") == "drop" else POI_REACH

    def of(self, category):
        return self.points[self.categories == category]

    def weights(self, category, allowed):
        key = category, allowed.tobytes()
        if key not in self.known_weights:
            self.known_weights[key] = self.counted(self.of(category), allowed)
        return self.known_weights[key]

    def counted(self, points, allowed):
        if not len(points):
            return [0] * len(self.inputs.parcels)
        taker = place(points, self.inputs, allowed, self.reach)
        return summed(taker, [1] * len(points), len(self.inputs.parcels))


# ---- people -------------------------------------------------------------------------------------


class People:
    """Residents in thousandths of a person: by parcel of any residential land, and by unit."""

    def __init__(self, inputs, categories):
        self.inputs = inputs
        self.by_parcel = [0] * len(inputs.parcels)
        self.by_unit = [0] * len(inputs.units)
        section = inputs.settings.get("people")
        if not section:
            return
        land = [kind for c in categories.values() if c.weight == "people" for kind in c.types]
        homes = eligible(inputs, land)
        if (inputs.folder / section["path"]).suffix.lower() in {".tif", ".tiff"}:
            cells = read_cells(inputs, section)
            points, quanta = cells["points"], cells["quanta"]
        else:
            table, points = read_points(inputs, section)
            known = ~shapely.is_empty(points)
            count = pd.to_numeric(table[section["count"]].replace("", "0")).to_numpy(float)
            points, quanta = points[known], thousandths(count[known])
            cells = None
        unit = covering(points, inputs.units.geometry.to_numpy())
        quanta = self.scaled_to_census(section.get("census"), quanta, unit)
        self.by_unit = summed(unit, quanta, len(inputs.units))
        shared = (
            self.share_cells(cells, quanta, homes) if cells else np.zeros(len(points), dtype=bool)
        )
        taker = place(points[~shared], inputs, homes, PEOPLE_REACH)
        alone = [q for q, s in zip(quanta, shared, strict=True) if not s]
        for row, more in enumerate(summed(taker, alone, len(inputs.parcels))):
            self.by_parcel[row] += more

    def scaled_to_census(self, path, quanta, unit):
        if not path:
            return quanta
        scaled = list(quanta)
        done = set()
        for row in read_table(self.inputs.folder / path).to_dict("records"):
            if row["residents"] == "":
                continue
            members = np.flatnonzero(np.isin(unit, self.inputs.units_of(row["region"])))
            if done & set(members.tolist()):
                raise ValueError(f"census region {row['region']} counts people twice")
            done |= set(members.tolist())
            census = thousandths([float(row["residents"])])[0]
            total = sum(quanta[i] for i in members)
            for i in members:
                if total:
                    scaled[i] = (2 * quanta[i] * census + total) // (2 * total)
        return scaled

    def share_cells(self, cells, quanta, homes):
        """Share each cell out by the area (or floor area) of the homes in it; which cells had any."""
        rows = np.flatnonzero(homes)
        crs = self.inputs.source_parcels.crs
        geometry = moved(self.inputs.source_parcels.to_numpy()[rows], crs, cells["crs"])
        which, near = shapely.STRtree(geometry).query(cells["boxes"], predicate="intersects")
        inside = shapely.area(shapely.intersection(cells["boxes"][which], geometry[near]))
        claim = inside
        if "floor_area" in self.inputs.parcels.columns:
            floor = pd.to_numeric(self.inputs.parcels["floor_area"]).fillna(0).to_numpy(float)[rows]
            claim = floor[near] * (inside / shapely.area(geometry[near]))
        shared = np.zeros(len(quanta), dtype=bool)
        table = pd.DataFrame({"cell": which, "row": rows[near], "inside": inside, "claim": claim})
        table = table[table["inside"] > 0].sort_values(["cell", "row"])
        for cell, part in table.groupby("cell"):
            claims = part["claim"] if part["claim"].sum() > 0 else part["inside"]
            parts = telescoped(quanta[cell], integers(claims.to_list()))
            shared[cell] = True
            for row, people in zip(part["row"], parts, strict=True):
                self.by_parcel[row] += people
        return shared


def thousandths(counts):
    return [int(q) for q in np.rint(np.asarray(counts, float) * 1000)]


def integers(weights):
    """Floats times the power of two that brings their exact sum to 2^55..2^56, rounded."""
    scale = 56 - math.frexp(math.fsum(weights))[1]
    return [round(math.ldexp(weight, scale)) for weight in weights]


def telescoped(total, weights):
    whole, running, parts, before = sum(weights), 0, [], 0
    for weight in weights:
        running += weight
        here = total * running // whole
        parts.append(here - before)
        before = here
    return parts


def read_cells(inputs, section):
    with rasterio.open(inputs.folder / section["path"]) as raster:
        values = raster.read(1, masked=True).astype(float).filled(np.nan)
        transform, crs = raster.transform, pyproj.CRS.from_user_input(raster.crs.to_wkt())
    row, column = np.nonzero(np.nan_to_num(values) > 0)
    left, top = transform.c + transform.a * column, transform.f + transform.e * row
    right, bottom = left + transform.a, top + transform.e
    x, y = left + transform.a / 2, top + transform.e / 2
    return {
        "boxes": shapely.box(left, bottom, right, top),
        "quanta": thousandths(values[row, column]),
        "points": points_in_plane(x, y, crs, inputs.crs),
        "crs": crs,
    }


# ---- lines --------------------------------------------------------------------------------------


class Lines:
    def __init__(self, inputs, pois):
        self.inputs, self.pois = inputs, pois
        self.known_claims = {}
        self.table = None
        section = inputs.settings.get("lines")
        if not section:
            return
        self.bend = float(section.get("lambda", 0.5))
        frame = read_vector(inputs.folder / section["path"], section.get("layer"))
        frame = frame[frame.geometry.notna() & ~frame.geometry.is_empty].reset_index(drop=True)
        own = section.get("class_weights")
        tables = [*([inputs.folder / own] if own else []), DATA / "road_classes.csv"]
        classes = pd.concat([read_table(path) for path in tables]).drop_duplicates("class")
        classes = classes.set_index("class")
        kind = text(frame[section["class"]])
        weight = kind.map(classes["weight"].replace("", "0").astype(float)).fillna(0.0).to_numpy()
        carriageway = section.get("dual", "dual")
        dual = (
            text(frame[carriageway]) if carriageway in frame else pd.Series("", index=frame.index)
        )
        self.table = pd.DataFrame(
            {
                "line": moved(
                    normalized(frame.geometry.to_numpy(), frame.crs), frame.crs, inputs.crs
                ),
                "class": kind,
                "mode": kind.map(classes["mode"]).fillna(""),
                "weight": weight,
                "half": np.where(
                    dual.str.lower().isin({"", "0", "0.0", "false", "no", "n"}), 1.0, 0.5
                ),
            }
        )

    def claims(self, mode, allowed):
        """Rows of line and parcel of a mode: metres inside or brought there, and where that is."""
        key = mode, allowed.tobytes()
        if key not in self.known_claims:
            self.known_claims[key] = self.measured(mode, allowed)
        return self.known_claims[key]

    def measured(self, mode, allowed):
        if self.table is None:
            return pd.DataFrame(columns=["line", "row", "metres", "part", "weight", "half"])
        lines = self.table[(self.table["mode"] == mode) & (self.table["weight"] > 0)]
        rows = np.flatnonzero(allowed)
        geometry = self.inputs.parcels.geometry.to_numpy()[rows]
        found = pd.DataFrame(columns=["line", "row", "metres", "part"])
        if len(lines) and len(rows):
            pieces = cut(lines["line"].to_numpy(), geometry)
            within = self.inside(pieces[pieces["polygon"] >= 0])
            found = pd.concat([within, self.brought_near(pieces, geometry)], ignore_index=True)
        number = found["line"].to_numpy(dtype=int)
        found["row"] = rows[found["row"].to_numpy(dtype=int)]
        found["weight"] = lines["weight"].to_numpy()[number]
        found["half"] = lines["half"].to_numpy()[number]
        return found[found["metres"] > 0]

    def inside(self, pieces):
        """Each line's length in each parcel, and where that is."""
        found = []
        for (line, row), part in pieces.groupby(["line", "polygon"]):
            found.append((line, row, math.fsum(part["length"]), as_lines(part)))
        return pd.DataFrame(found, columns=["line", "row", "metres", "part"])

    def brought_near(self, pieces, geometry):
        """What lies in no eligible parcel, in steps of at most 10 m, each to the nearest within 30 m."""
        owners, middles, metres = [], [], []
        for _, stretch in pieces[pieces["polygon"] < 0].groupby("stretch"):
            line = joined(stretch)
            steps = math.ceil(round(line.length, 6) / PIECE) or 1
            middles += [line.interpolate((k + 0.5) * line.length / steps) for k in range(steps)]
            metres += [line.length / steps] * steps
            owners += [stretch["line"].iloc[0]] * steps
        middles = np.array(middles, dtype=object)
        step, near = shapely.STRtree(geometry).query(
            middles, predicate="dwithin", distance=ROAD_REACH + TIE
        )
        distance = shortest_first(step, shapely.distance(middles[step], geometry[near]))
        table = pd.DataFrame({"step": step, "row": near, "distance": distance})
        table = table.sort_values(["step", "distance", "row"]).drop_duplicates("step")
        table["line"] = np.array(owners, dtype=int)[table["step"]]
        table["metres"] = np.array(metres, dtype=float)[table["step"]]
        table["part"] = middles[table["step"]]
        return table[["line", "row", "metres", "part"]]

    def length_weights(self, mode, allowed):
        claims = self.claims(mode, allowed)
        lengths = (claims["metres"] * claims["weight"] * claims["half"]).groupby(claims["row"])
        return lengths.agg(math.fsum).reindex(range(len(self.inputs.parcels)), fill_value=0.0)

    def road_parts(self, allowed):
        """By parcel: weighted metres of road, and what its road has of the transport POIs."""
        claims = self.claims("road", allowed)
        served = np.zeros(len(self.inputs.parcels))
        for stop in self.pois.of("transport/road"):
            near = claims[
                shapely.dwithin(claims["part"].to_numpy(), stop, TRANSPORT_POI_REACH + TIE)
            ]
            metres = [
                length if part.geom_type == "Point" else inside_circle(part, stop)
                for length, part in zip(near["metres"], near["part"], strict=True)
            ]
            claim = np.array(metres, dtype=float) * near["weight"] * near["half"]
            if claim.sum() > 0:
                np.add.at(served, near["row"].to_numpy(dtype=int), claim / math.fsum(claim))
        return self.length_weights("road", allowed).to_numpy(), served

    def road_weights(self, parts, region):
        """(1 - lambda) of a region's road by length, lambda of it by the POIs that the road serves."""
        length, served = (np.where(region, column, 0.0) for column in parts)
        if served.sum() == 0:
            return length
        by_length, by_pois = length / math.fsum(length), served / math.fsum(served)
        return (1 - self.bend) * by_length + self.bend * by_pois


def inside_circle(lines, centre):
    """Metres of lines inside the circle of 250 m around a point: the roots of |a + t (b - a) - c| = 250."""
    total = 0.0
    for line in shapely.get_parts(lines):
        for (ax, ay), (bx, by) in itertools.pairwise(line.coords):
            square = (bx - ax) ** 2 + (by - ay) ** 2
            product = (bx - ax) * (ax - centre.x) + (by - ay) * (ay - centre.y)
            rest = (ax - centre.x) ** 2 + (ay - centre.y) ** 2 - TRANSPORT_POI_REACH**2
            under_root = product**2 - square * rest
            if under_root > 0:
                enters = max((-product - math.sqrt(under_root)) / square, 0.0)
                leaves = min((-product + math.sqrt(under_root)) / square, 1.0)
                total += max(leaves - enters, 0.0) * math.sqrt(square)
    return total
