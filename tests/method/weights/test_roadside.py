"""Roads corrected by POIs: each gives its weight once, and a road's share is the same however its land is cut."""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pytest
import shapely
import shapely.ops
import small_land
from hypothesis import given, settings
from hypothesis import strategies as st

from carbongrid.method.weights import blended_lengths, weighted_lengths
from carbongrid.method.weights.roadside import lengths_by_pois, served_pois

SEEDS = st.integers(0, 2**32)
SIDE = 6


def roads(lines, weight=1.0, dual=False):
    table = {"line_class": "primary", "mode": "road", "weight": weight, "dual": dual}
    return gpd.GeoDataFrame(table, index=range(len(lines)), geometry=lines, crs=small_land.CRS)


def network(rng, count=5):
    """Roads of whole-number vertices with classes, that wander in and out of the land and along its borders."""
    lines = []
    while len(lines) < count:
        vertices = rng.integers(-60, SIDE * small_land.CELL + 60, (rng.integers(2, 5), 2))
        line = shapely.LineString(vertices if len(lines) % 2 else vertices // 100 * 100)
        if line.length > 0:
            lines.append(line)
    return roads(lines, rng.choice([1.0, 0.3], count), rng.random(count) < 0.3)


def land_of(rng):
    return small_land.bent(rng, SIDE), rng.random(SIDE * SIDE) < 0.6


def points(rng, count):
    return rng.uniform(-300, SIDE * small_land.CELL + 300, (2, count))


def cut_by_lines(rng, land, cuts):
    """Pieces of the land, and the parcel that each comes from; a piece of its own stands for what no cut meets."""
    low, high = rng.integers(-50, SIDE * small_land.CELL + 50, (2, cuts, 2))
    pieces, origin = [], []
    for row, parcel in enumerate(land):
        parts = [parcel]
        for a, b in zip(low, high, strict=True):
            if (a == b).all():
                continue
            way = (b - a) / np.hypot(*(b - a)) * 3000
            knife = shapely.LineString([a - way, a + way])
            parts = [each for part in parts for each in shapely.ops.split(part, knife).geoms]
        pieces += parts
        origin += [row] * len(parts)
    return np.array(pieces, dtype=object), np.array(origin)


def corrected_lengths(claims, x, y, lambda_, regions, quanta=None):
    quanta = np.ones(len(x), np.int64) if quanta is None else quanta
    return blended_lengths(claims.weight, lengths_by_pois(claims, x, y, regions, quanta), lambda_)


def shares(table, land, eligible, x, y, quanta, lambda_, origin=None):
    claims = weighted_lengths(table, "road", land, eligible)
    everywhere = np.zeros(len(land), np.int64)
    weight = corrected_lengths(claims, x, y, lambda_, everywhere, quanta)
    whole = np.bincount(range(len(land)) if origin is None else origin, weight)
    return whole / max(whole.sum(), 1.0)


@given(SEEDS, st.integers(1, 8), st.sampled_from([0.3, 1.0]))
def test_the_share_of_a_road_is_the_same_however_its_land_is_cut(seed, cuts, lambda_):
    """Seen to fail when every parcel counted all POIs beside it, and with lengths in millimetres."""
    rng = np.random.default_rng(seed)
    land, eligible = land_of(rng)
    table, (x, y), quanta = network(rng), points(rng, 20), rng.integers(0, 4, 20)
    pieces, origin = cut_by_lines(rng, land, cuts)
    whole = shares(table, land, eligible, x, y, quanta, lambda_)
    cut = shares(table, pieces, eligible[origin], x, y, quanta, lambda_, origin)
    np.testing.assert_allclose(cut, whole, rtol=0, atol=1e-9)


@pytest.mark.parametrize("pieces", [1, 2, 20])
def test_one_of_two_equal_roads_keeps_its_half(pieces):
    """Seen to give the road that was cut into 20 a share of 0.70."""
    edges = np.linspace(0.0, 1000.0, pieces + 1)
    land = np.array(
        [
            shapely.box(0, 2000, 1000, 2020),
            *(shapely.box(a, 0, b, 20) for a, b in itertools.pairwise(edges)),
        ]
    )
    table = roads([shapely.LineString([(0, y), (1000, y)]) for y in (10, 2010)])
    x, y = np.repeat(np.arange(50.0, 1000.0, 100.0), 2), np.tile([0.0, 2000.0], 10)
    share = shares(table, land, np.ones(pieces + 1, bool), x, y, np.ones(20, np.int64), 0.5)
    assert share[0] == pytest.approx(0.5, abs=1e-9)
    assert share[1:].sum() == pytest.approx(0.5, abs=1e-9)


@given(SEEDS, st.integers(1, 30))
@settings(max_examples=40, deadline=None)
def test_each_poi_gives_its_weight_once(seed, count):
    """By ==, in quanta of all POIs; seen to fail with parts that were rounded."""
    rng = np.random.default_rng(seed)
    land, eligible = land_of(rng)
    claims = weighted_lengths(network(rng), "road", land, eligible)
    (x, y), quanta = points(rng, count), rng.integers(0, 5000, count)
    served = served_pois(claims, x, y, quanta)
    fine = 2 ** (62 - int(quanta.sum()).bit_length())
    alone = np.array(
        [served_pois(claims, x[k : k + 1], y[k : k + 1], np.array([1])).any() for k in range(count)]
    )
    assert served.sum() == int(quanta[alone].sum()) * fine


@given(SEEDS, st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([1, 15]))
@settings(max_examples=40, deadline=None)
def test_corrected_lengths_follow_the_formula(seed, lambda_, pois):
    """One POI and one parcel at a time, a circle of many corners instead of roots; seen to fail with the mean over all
    regions, and with roads that count half taken whole.
    """
    rng = np.random.default_rng(seed)
    land, eligible = land_of(rng)
    claims = weighted_lengths(network(rng), "road", land, eligible)
    (x, y), regions = points(rng, pois), rng.integers(-1, 2, len(land))
    found = corrected_lengths(claims, x, y, lambda_, regions)
    parts = claims.parts
    ends = shapely.linestrings(np.stack([parts.start, parts.end], axis=1))
    worth = parts.weight * np.where(parts.dual, 0.5, 1.0)
    n = np.zeros(len(land))
    for point in shapely.points(x, y):
        circle = shapely.buffer(point, 250.0, quad_segs=400)
        inside = shapely.length(shapely.intersection(ends, circle))
        midpoint = shapely.length(ends) == 0
        inside[midpoint] = np.where(shapely.dwithin(ends, point, 250.0), parts.length, 0)[midpoint]
        claim = np.bincount(parts.parcel, inside * worth, len(land))
        n += claim / claim.sum() if claim.sum() > 1e-3 else 0.0
    for parcel in range(len(land)):
        there = regions == regions[parcel]
        factor = 1.0
        if claims.weight[parcel] and n[there].sum() > 0:
            mean = n[there].sum() / claims.weight[there].sum()
            factor = 1 + lambda_ * (n[parcel] / claims.weight[parcel] / mean - 1)
        expected = claims.weight[parcel] * factor
        assert found[parcel] == pytest.approx(expected, rel=1e-3, abs=1e-3 * claims.weight.max())


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_the_sum_of_a_region_s_lengths_stays(seed):
    rng = np.random.default_rng(seed)
    land, eligible = land_of(rng)
    claims = weighted_lengths(network(rng), "road", land, eligible)
    regions = rng.integers(-1, 2, len(land))
    found = corrected_lengths(claims, *points(rng, 9), 0.7, regions)
    np.testing.assert_allclose(
        np.bincount(regions + 1, found), np.bincount(regions + 1, claims.weight), rtol=1e-12
    )


def test_pois_in_blocks_are_the_same_bits(monkeypatch):
    """Seen to fail when a block's POIs began at 0 again."""
    rng = np.random.default_rng(3)
    land, eligible = land_of(rng)
    claims = weighted_lengths(network(rng), "road", land, eligible)
    (x, y), quanta = points(rng, 25), rng.integers(1, 9, 25)
    whole = served_pois(claims, x, y, quanta)
    monkeypatch.setattr("carbongrid.method.weights.roadside._POIS_AT_ONCE", 4)
    assert (served_pois(claims, x, y, quanta) == whole).all()
    order = rng.permutation(25)
    assert (served_pois(claims, x[order], y[order], quanta[order]) == whole).all()
    assert whole.any()


def test_a_poi_that_counts_three_corrects_like_three_pois():
    """Seen to fail when the correction counted rows."""
    rng = np.random.default_rng(7)
    land, eligible = land_of(rng)
    claims = weighted_lengths(network(rng), "road", land, eligible)
    (x, y), count = points(rng, 12), rng.integers(0, 4, 12)
    everywhere = np.zeros(len(land), np.int64)
    weighed = corrected_lengths(claims, x, y, 1.0, everywhere, 1000 * count)
    repeated = corrected_lengths(claims, np.repeat(x, count), np.repeat(y, count), 1.0, everywhere)
    assert (repeated != claims.weight).any()
    np.testing.assert_allclose(weighed, repeated, rtol=1e-9)


def test_without_transport_pois_and_with_lambda_0_it_is_pure_length():
    rng = np.random.default_rng(11)
    land, eligible = land_of(rng)
    claims = weighted_lengths(network(rng), "road", land, eligible)
    everywhere = np.zeros(len(land), np.int64)
    assert claims.weight.any()
    empty, far = np.empty(0), np.array([9999.0])
    assert (corrected_lengths(claims, empty, empty, 0.5, everywhere) == claims.weight).all()
    assert (corrected_lengths(claims, far, far, 0.5, everywhere) == claims.weight).all()
    assert (corrected_lengths(claims, *points(rng, 9), 0.0, everywhere) == claims.weight).all()
    no_line = weighted_lengths(roads([])[:0], "road", land, eligible)
    assert not corrected_lengths(no_line, *points(rng, 9), 0.5, everywhere).any()
