"""Lines cut at the borders of polygons, piece by piece, without an overlay engine.

Every segment is cut where it meets an edge; a piece belongs to the first polygon, in the order given, that
holds its middle. On the slivers that a partition of real land leaves, GEOS 3.14 was seen to lose metres of a line
that lies inside a polygon, so overlays are no measure for lengths.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

NOISE = 1e-6  # m: a middle this near to a polygon lies on its border


def segments(geometry):
    """Starts and ends of all segments of lines or polygon borders, with the row that each comes from."""
    # A copy: Shapely 2.1 takes no array that must not be written.
    parts, owner = shapely.get_parts(np.array(geometry, dtype=object), return_index=True)
    if len(parts) and shapely.get_type_id(parts[0]) == 3:
        rings, of_part = shapely.get_rings(parts, return_index=True)
        parts, owner = rings, owner[of_part]
    xy, of_part = shapely.get_coordinates(parts, return_index=True)
    same = of_part[1:] == of_part[:-1]
    return xy[:-1][same], xy[1:][same], owner[of_part[:-1][same]], of_part[:-1][same]


def cut(lines, polygons):
    """One row for each piece, along the lines: line, part, ends, the polygon that has it or -1, the stretch.

    A stretch is of pieces that follow one another in the same polygon, or in none.
    """
    start, end, owner, part = segments(lines)
    moving = np.hypot(*(end - start).T) > 0
    start, end, owner, part = start[moving], end[moving], owner[moving], part[moving]
    edge_start, edge_end, _, _ = segments(polygons)
    segment, edge = shapely.STRtree(
        shapely.linestrings(np.stack([edge_start, edge_end], axis=1))
    ).query(
        shapely.linestrings(np.stack([start, end], axis=1)), predicate="dwithin", distance=NOISE
    )
    at = [np.arange(len(start)), np.arange(len(start))]
    along = [np.zeros(len(start)), np.ones(len(start))]
    for which, share in crossings(start[segment], end[segment], edge_start[edge], edge_end[edge]):
        at.append(segment[which])
        along.append(np.clip(share, 0.0, 1.0))
    cuts = pd.DataFrame({"segment": np.concatenate(at), "share": np.concatenate(along)})
    cuts = apart(cuts, np.hypot(*(end - start).T)).to_numpy()
    same = cuts[1:, 0] == cuts[:-1, 0]
    number = cuts[:-1, 0][same].astype(int)
    first, last = cuts[:-1, 1][same][:, None], cuts[1:, 1][same][:, None]
    way = end[number] - start[number]
    pieces = pd.DataFrame({"line": owner[number], "part": part[number]})
    pieces["start"], pieces["end"] = (
        list(start[number] + first * way),
        list(start[number] + last * way),
    )
    pieces["length"] = (last - first)[:, 0] * np.hypot(*way.T)
    middle = shapely.points(start[number] + (first + last) / 2 * way)
    which, held = shapely.STRtree(polygons).query(middle, predicate="dwithin", distance=NOISE)
    holder = pd.Series(held).groupby(which).min().reindex(range(len(pieces)), fill_value=-1)
    pieces["polygon"] = holder.to_numpy(dtype=int)
    begins = (pieces[["part", "polygon"]] != pieces[["part", "polygon"]].shift()).any(axis=1)
    pieces["stretch"] = begins.cumsum()
    return pieces


def apart(cuts, length):
    """Cuts without those that follow another, or stand at an end, within the noise: no length is lost with them."""
    cuts = cuts.drop_duplicates().sort_values(["segment", "share"], ignore_index=True)
    whole = length[cuts["segment"]]
    metres = cuts["share"] * whole
    inner = (metres > NOISE) & (whole - metres > NOISE)
    follows = metres.groupby(cuts["segment"]).diff() <= NOISE
    return cuts[cuts["share"].isin([0.0, 1.0]) | (inner & ~follows)]


def crossings(start, end, edge_start, edge_end):
    """Where along a segment (0..1) it crosses an edge, and where an end of the edge lies on it."""
    way, edge_way = end - start, edge_end - edge_start
    turn = way[:, 0] * edge_way[:, 1] - way[:, 1] * edge_way[:, 0]
    apart = edge_start - start
    cross = apart[:, 0] * edge_way[:, 1] - apart[:, 1] * edge_way[:, 0]
    oblique = np.abs(turn) > 1e-12 * np.hypot(*way.T) * np.hypot(*edge_way.T)
    yield np.flatnonzero(oblique), cross[oblique] / turn[oblique]
    for corner in (edge_start, edge_end):
        share = ((corner - start) * way).sum(axis=1) / (way * way).sum(axis=1)
        near = np.hypot(*(start + share[:, None] * way - corner).T) < NOISE
        yield np.flatnonzero(near), share[near]


def joined(pieces):
    """Pieces that follow one another on a line, as one line."""
    coordinates = [pieces["start"].iloc[0], *pieces["end"]]
    return shapely.LineString(coordinates)


def as_lines(pieces):
    """Pieces as one geometry of many lines."""
    if not len(pieces):
        return shapely.LineString()
    ends = np.stack([np.stack(pieces["start"]), np.stack(pieces["end"])], axis=1)
    return shapely.multilinestrings(shapely.linestrings(ends))
