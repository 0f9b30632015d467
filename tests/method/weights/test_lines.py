"""Lines in parcels, against one line, one parcel and one piece at a time."""

from __future__ import annotations

import math
from collections import defaultdict

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import small_land
from hypothesis import given, settings
from hypothesis import strategies as st

from carbongrid.method.weights import line_lengths, weighted_lengths
from carbongrid.method.weights.lines import summed_by_class

SEEDS = st.integers(0, 2**32)
SIDE = 4
HUNDRED = SIDE * small_land.CELL
NM = 10**9
"""Nanometres of a metre: lengths are whole nanometres."""


def wandering(rng, count=6):
    """Lines of whole-number vertices, some along borders, some far outside."""
    lines = []
    for _ in range(count):
        vertices = rng.integers(-60, HUNDRED + 60, (rng.integers(2, 6), 2))
        if rng.random() < 0.5:
            vertices = vertices // 100 * 100  # along the borders of squares
        line = shapely.LineString(vertices)
        # An overlay, the oracle here, merges what a line runs twice and splits it where it crosses itself.
        if line.length > 0 and line.is_simple and not line.is_closed:
            lines.append(line)
    return np.array([*lines, shapely.LineString([(0, 100), (HUNDRED, 100)])], dtype=object)


def setting(seed):
    rng = np.random.default_rng(seed)
    land = small_land.bent(rng, SIDE) if seed % 2 else small_land.squares(SIDE)
    return wandering(rng), land, rng.random(len(land)) < 0.5, rng


def slow_lengths(lines, parcels, eligible):
    """Nm by (line, parcel) inside, by (line, parcel) brought near, by line lost; one at a time."""
    inside, near, lost = {}, defaultdict(int), defaultdict(int)
    rows = [row for row in range(len(parcels)) if eligible[row]]
    for number, line in enumerate(lines):
        met = [row for row in rows if parcels[row].intersects(line)]
        taken = shapely.LineString()
        for row in met:
            part = shapely.difference(line.intersection(parcels[row]), taken)
            taken = taken.union(parcels[row])
            if part.length > 1e-6:
                inside[number, row] = round(NM * part.length)
        rest = line.difference(shapely.union_all([parcels[row] for row in met])) if met else line
        rest = shapely.line_merge(
            rest
        )  # a corner that the line only touches does not end a stretch
        for part in getattr(rest, "geoms", [rest]):
            length = part.length
            pieces = math.ceil(round(length, 6) / 10)
            for k in range(pieces):
                middle = part.interpolate((k + 0.5) * length / pieces)
                distances = {r: middle.distance(parcels[r]) for r in rows}
                distance = min(distances.values(), default=99)
                row = min((r for r in rows if distances[r] < distance + 1e-6), default=0)
                if distance <= 30 + 1e-6:
                    near[number, row] += round(NM * length / pieces)
                else:
                    lost[number] += round(NM * length / pieces)
    return inside, dict(near), dict(lost)


def summed(*columns):
    sums = defaultdict(int)
    for *key, value in zip(*(column.tolist() for column in columns), strict=True):
        sums[tuple(key) if len(key) > 1 else key[0]] += value
    return dict(sums)


@given(SEEDS)
def test_lengths_equal_one_line_at_a_time(seed):
    """Seen to fail without the difference from earlier parcels (borders counted twice), with one piece too many
    where 10 m divide a part, and with 3 km instead of 30 m."""
    lines, land, eligible, _ = setting(seed)
    found = line_lengths(lines, land, eligible)
    inside, near, lost = slow_lengths(lines, land, eligible)
    # The last bits of a length turn a few nanometres.
    assert pytest.approx(inside, abs=9) == summed(found.line, found.parcel, found.length)
    pairs = summed(found.snapped_line, found.snapped_parcel, found.snapped_length)
    assert {key: value for key, value in near.items() if value} == pytest.approx(pairs, abs=99)
    assert pytest.approx(lost, abs=99) == summed(found.lost_line, found.lost_length)


@given(SEEDS)
@settings(max_examples=40)
def test_the_order_of_lines_does_not_matter(seed):
    """Seen to fail when the rest of one line was taken from the land that another meets."""
    lines, land, eligible, rng = setting(seed)
    order = rng.permutation(len(lines))
    table = road_table(lines, rng)
    one = weighted_lengths(table, "road", land, eligible)
    other = weighted_lengths(table.iloc[order], "road", land, eligible)
    assert one.weight.tolist() == other.weight.tolist()
    assert one.inside.tolist() == other.inside.tolist()
    assert one.snapped.tolist() == other.snapped.tolist()
    assert one.unplaced == other.unplaced


def test_evidence_is_whole_millimetres():
    """Seen to fail with nanometres cut off."""
    lines = np.array([shapely.LineString([(0, 50), (33.3337, 50)])], dtype=object)
    table = road_table(lines, np.random.default_rng(0)).assign(mode="road", weight=1.0, dual=False)
    found = weighted_lengths(table, "road", small_land.squares(2), np.ones(4, bool))
    assert found.inside.tolist() == [33_334, 0, 0, 0]
    nowhere = weighted_lengths(table, "road", small_land.squares(2), np.zeros(4, bool))
    assert nowhere.unplaced == 33_334


def road_table(lines, rng):
    classes = rng.choice(["primary", "secondary", "footway"], len(lines))
    weight = pd.Series(classes).map({"primary": 1.0, "secondary": 0.3, "footway": 0.0}).to_numpy()
    table = {
        "line_class": classes,
        "mode": rng.choice(["road", "road", "rail"], len(lines)),
        "weight": weight,
        "dual": rng.random(len(lines)) < 0.3,
    }
    return gpd.GeoDataFrame(table, geometry=lines, crs=small_land.CRS)


@given(SEEDS)
def test_every_metre_is_inside_near_or_lost_once(seed):
    """Seen to fail when a shared border counted for both parcels."""
    lines, land, eligible, _ = setting(seed)
    lines = lines[shapely.is_simple(lines)]
    found = line_lengths(lines, land, eligible)
    total = found.length.sum() + found.snapped_length.sum() + found.lost_length.sum()
    pieces = found.length.size + found.snapped_length.size + found.lost_length.size
    assert abs(int(total) - NM * shapely.length(lines).sum()) <= 0.5 * pieces + 99


def test_a_line_along_a_border_counts_for_the_first_parcel():
    lines = np.array([shapely.LineString([(0, 100), (200, 100)])], dtype=object)
    land = small_land.squares(2)
    found = line_lengths(lines, land, np.ones(4, bool))
    assert summed(found.parcel, found.length) == {0: 100 * NM, 1: 100 * NM}
    found = line_lengths(lines, land, np.array([False, True, True, True]))
    assert summed(found.parcel, found.length) == {1: 100 * NM, 2: 100 * NM}


def test_a_line_outside_is_cut_into_equal_pieces_and_goes_to_the_nearest_within_30_m():
    land = small_land.squares(1)
    lines = np.array([shapely.LineString([(50, 50), (225, 50)])], dtype=object)
    found = line_lengths(lines, land, np.array([True]))
    # 125 m outside are 13 pieces of 9.615 m; the first three have their midpoints within 30 m.
    assert found.length.tolist() == [50 * NM]
    assert found.snapped_length.tolist() == [9_615_384_615] * 3
    assert found.lost_length.tolist() == [9_615_384_615] * 10


def test_a_few_centimetres_outside_are_not_forgotten():
    land = small_land.squares(1)
    lines = np.array([shapely.LineString([(0, 50), (100.03, 50)])], dtype=object)
    found = line_lengths(lines, land, np.array([True]))
    assert found.snapped_length.tolist() == [pytest.approx(0.03 * NM, abs=9)]


@given(SEEDS)
@settings(max_examples=40)
def test_weights_are_lengths_times_class_halved_for_one_of_two_carriageways(seed):
    """Seen to fail with dual lines counted whole, and with lines of another mode counted."""
    lines, land, eligible, rng = setting(seed)
    table = road_table(lines, rng)
    found = weighted_lengths(table, "road", land, eligible)
    expected = np.zeros(len(land))
    for line, weight, dual, mode in zip(
        lines, table["weight"], table["dual"], table["mode"], strict=True
    ):
        if mode != "road" or weight == 0:
            continue
        one = line_lengths(np.array([line], dtype=object), land, eligible)
        for parcel, value in [
            *zip(one.parcel, one.length, strict=True),
            *zip(one.snapped_parcel, one.snapped_length, strict=True),
        ]:
            expected[parcel] += value * weight * (0.5 if dual else 1.0)
    np.testing.assert_allclose(found.weight, expected, rtol=1e-12)


def test_no_line_and_no_land():
    nothing = np.empty(0, object)
    land = small_land.squares(2)
    assert line_lengths(nothing, land, np.ones(4, bool)).length.size == 0
    line = np.array([shapely.LineString([(0, 0), (25, 0)])], dtype=object)
    assert line_lengths(line, land, np.zeros(4, bool)).lost_length.sum() == 25 * NM - 1


@given(SEEDS)
@settings(max_examples=40)
def test_lengths_of_many_weights_are_added_up_class_by_class(seed):
    """Against a loop over the weights, with ==: as many as lines, as counts of vehicles are."""
    rng = np.random.default_rng(seed)
    n, size = int(rng.integers(0, 40)), 5
    row, length = rng.integers(0, size, n), rng.integers(0, 10**15, n)
    weight = rng.choice([0.0, 1.0, 2.5, 37_290.0, *rng.random(6) * 1e5], n)
    dual = rng.random(n) < 0.5
    slow = np.zeros(size)
    for value in np.unique(weight):
        own = weight == value
        sums = np.zeros(size, np.int64)
        np.add.at(sums, row[own], np.where(dual, length, 2 * length)[own])
        slow += sums * (value / 2)
    assert summed_by_class(row, length, weight, dual, size).tolist() == slow.tolist()
