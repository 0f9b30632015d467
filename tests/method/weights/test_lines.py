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

from carbongrid.method.weights import corrected_lengths, line_lengths, weighted_lengths

SEEDS = st.integers(0, 2**32)
SIDE = 4
HUNDRED = SIDE * small_land.CELL


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
    """mm by (line, parcel) inside, mm by (line, parcel) brought near, mm by line lost; one at a time."""
    inside, near, lost = {}, defaultdict(int), defaultdict(int)
    rows = [row for row in range(len(parcels)) if eligible[row]]
    for number, line in enumerate(lines):
        met = [row for row in rows if parcels[row].intersects(line)]
        taken = shapely.LineString()
        for row in met:
            part = shapely.difference(line.intersection(parcels[row]), taken)
            taken = taken.union(parcels[row])
            millimetres = round(1000 * part.length)
            if millimetres:
                inside[number, row] = millimetres
        rest = line.difference(shapely.union_all([parcels[row] for row in met])) if met else line
        rest = shapely.line_merge(
            rest
        )  # a corner that the line only touches does not end a stretch
        for part in getattr(rest, "geoms", [rest]):
            length = round(part.length, 6)
            pieces = math.ceil(length / 10)
            for k in range(pieces):
                middle = part.interpolate((k + 0.5) * length / pieces)
                distances = {r: middle.distance(parcels[r]) for r in rows}
                distance = min(distances.values(), default=99)
                row = min((r for r in rows if distances[r] < distance + 1e-6), default=0)
                millimetres = round(1000 * length / pieces)
                if distance <= 30 + 1e-6:
                    near[number, row] += millimetres
                else:
                    lost[number] += millimetres
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
    assert sorted(inside) == sorted(summed(found.line, found.parcel, found.length))
    for key, value in summed(found.line, found.parcel, found.length).items():
        assert abs(value - inside[key]) <= 1  # the last bit of a length may turn a millimetre
    pairs = summed(found.snapped_line, found.snapped_parcel, found.snapped_length)
    assert {key: value for key, value in near.items() if value} == pairs
    assert lost == summed(found.lost_line, found.lost_length)


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
    assert abs(int(total) - 1000 * shapely.length(lines).sum()) <= 0.5 * pieces + 1


def test_a_line_along_a_border_counts_for_the_first_parcel():
    lines = np.array([shapely.LineString([(0, 100), (200, 100)])], dtype=object)
    land = small_land.squares(2)
    found = line_lengths(lines, land, np.ones(4, bool))
    assert summed(found.parcel, found.length) == {0: 100_000, 1: 100_000}
    found = line_lengths(lines, land, np.array([False, True, True, True]))
    assert summed(found.parcel, found.length) == {1: 100_000, 2: 100_000}


def test_a_line_outside_is_cut_into_equal_pieces_and_goes_to_the_nearest_within_30_m():
    land = small_land.squares(1)
    lines = np.array([shapely.LineString([(50, 50), (225, 50)])], dtype=object)
    found = line_lengths(lines, land, np.array([True]))
    # 125 m outside are 13 pieces of 9.615 m; the first three have their midpoints within 30 m.
    assert found.length.tolist() == [50_000]
    assert found.snapped_length.tolist() == [9615] * 3
    assert found.lost_length.tolist() == [9615] * 10


def test_a_few_centimetres_outside_are_not_forgotten():
    land = small_land.squares(1)
    lines = np.array([shapely.LineString([(0, 50), (100.03, 50)])], dtype=object)
    found = line_lengths(lines, land, np.array([True]))
    assert found.snapped_length.tolist() == [30]


@given(SEEDS)
@settings(max_examples=40)
def test_weights_are_millimetres_times_class_halved_for_one_of_two_carriageways(seed):
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


@given(SEEDS, st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([1, 15]))
@settings(max_examples=40)
def test_corrected_lengths_follow_the_formula(seed, lambda_, pois):
    """Seen to fail when a POI near two parts of a parcel counted twice, with the mean over all regions, and when a POI that is alone
    counted for another parcel.
    """
    lines, land, eligible, rng = setting(seed)
    claims = weighted_lengths(road_table(lines, rng), "road", land, eligible)
    x, y = rng.integers(-300, HUNDRED + 300, (2, pois)).astype(float)
    regions = rng.integers(-1, 2, len(land))
    found = corrected_lengths(claims, x, y, lambda_, regions)
    length = (claims.inside + claims.snapped) / 1e6
    n = np.zeros(len(land))
    for parcel in range(len(land)):
        parts = shapely.union_all(claims.road_line[claims.road_parcel == parcel])
        n[parcel] = sum(parts.distance(point) <= 250 for point in shapely.points(x, y))
    for parcel in range(len(land)):
        there = (regions == regions[parcel]) & (length > 0)
        factor = 1.0
        if length[parcel] and n[there].sum():
            mean = n[there].sum() / length[there].sum()
            factor = 1 + lambda_ * (n[parcel] / length[parcel] / mean - 1)
        assert found[parcel] == pytest.approx(claims.weight[parcel] * factor, rel=1e-12)


def test_a_poi_that_counts_three_corrects_like_three_pois():
    """Seen to fail when the correction counted rows."""
    lines, land, eligible, rng = setting(7)
    claims = weighted_lengths(road_table(lines, rng), "road", land, eligible)
    x, y = rng.integers(-300, HUNDRED + 300, (2, 12)).astype(float)
    count = rng.integers(0, 4, 12)
    everywhere = np.zeros(len(land), np.int64)
    weighed = corrected_lengths(claims, x, y, 1.0, everywhere, 1000 * count)
    repeated = corrected_lengths(claims, np.repeat(x, count), np.repeat(y, count), 1.0, everywhere)
    assert (repeated != claims.weight).any()
    np.testing.assert_allclose(weighed, repeated, rtol=1e-12)


def test_without_transport_pois_and_with_lambda_0_it_is_pure_length():
    lines, land, eligible, rng = setting(11)
    claims = weighted_lengths(road_table(lines, rng), "road", land, eligible)
    everywhere = np.zeros(len(land), np.int64)
    assert claims.weight.any()
    empty = np.empty(0)
    assert (corrected_lengths(claims, empty, empty, 0.5, everywhere) == claims.weight).all()
    x, y = rng.uniform(0, HUNDRED, (2, 9))
    assert (corrected_lengths(claims, x, y, 0.0, everywhere) == claims.weight).all()


def test_no_line_and_no_land():
    nothing = np.empty(0, object)
    land = small_land.squares(2)
    assert line_lengths(nothing, land, np.ones(4, bool)).length.size == 0
    line = np.array([shapely.LineString([(0, 0), (25, 0)])], dtype=object)
    assert line_lengths(line, land, np.zeros(4, bool)).lost_length.sum() == 25_000 - 1
