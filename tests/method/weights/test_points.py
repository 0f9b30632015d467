"""Points in parcels, against loops over every pair."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
import small_land
from hypothesis import example, given
from hypothesis import strategies as st

from carbongrid.errors import InputError
from carbongrid.method.weights import locate, nearest, parcels_of_facilities, points_in_parcels

SEEDS = st.integers(0, 2**32)
SIDE = 4
MICROMETRE = 1e-6


def slow_locate(x, y, polygons):
    found = []
    for point in shapely.points(x, y):
        covering = [row for row, polygon in enumerate(polygons) if polygon.intersects(point)]
        found.append(covering[0] if covering else -1)
    return found


def slow_nearest(geometries, polygons, within):
    found = []
    for geometry in geometries:
        distances = [geometry.distance(polygon) for polygon in polygons]
        # What is a micrometre off is a tie, among parcels and at the reach.
        limit = min(min(distances, default=np.inf), within) + MICROMETRE
        near = [row for row, distance in enumerate(distances) if distance <= limit]
        found.append(near[0] if near else -1)
    return found


def slow_points_in_parcels(x, y, quanta, parcels, eligible, within):
    rows = [row for row in range(len(parcels)) if eligible[row]]
    polygons = [parcels[row] for row in rows]
    inside, snapped, unplaced = [0] * len(parcels), [0] * len(parcels), 0
    home = slow_locate(x, y, polygons)
    near = slow_nearest(shapely.points(x, y), polygons, within)
    for point in range(len(x)):
        if home[point] >= 0:
            inside[rows[home[point]]] += int(quanta[point])
        elif near[point] >= 0:
            snapped[rows[near[point]]] += int(quanta[point])
        else:
            unplaced += int(quanta[point])
    return inside, snapped, unplaced


def scattered(seed, count=60):
    """Land, whole-number points of which many lie on borders and some far outside, eligibility, quanta."""
    rng = np.random.default_rng(seed)
    land = small_land.bent(rng, SIDE) if seed % 2 else small_land.squares(SIDE)
    low, high = -150, SIDE * small_land.CELL + 150
    step = 10 if seed % 3 else 1
    x, y = rng.integers(low // step, high // step, (2, count)).astype(float) * step
    return land, x, y, rng.random(len(land)) < 0.4, rng.integers(0, 10**9, count)


@given(SEEDS)
def test_locate_is_the_first_polygon_that_covers_the_point(seed):
    """Seen to fail with the predicate contains_properly, and with the last polygon instead of the first."""
    land, x, y, *_ = scattered(seed)
    assert locate(x, y, land).tolist() == slow_locate(x, y, land)


@given(SEEDS, st.sampled_from([0.0, 10.0, 30.0, 50.0, 100.0, 500.0, np.inf]))
@example(9669, 30.0)  # 30.000000000000004 m
def test_nearest_is_the_first_of_the_nearest(seed, within):
    """Seen to fail with a search that ends short of the reach, with ties going to the last polygon, and with <
    instead of <= at the limit."""
    land, x, y, eligible, _ = scattered(seed)
    points, polygons = shapely.points(x, y), land[eligible]
    assert nearest(points, polygons, within).tolist() == slow_nearest(points, polygons, within)


@given(SEEDS, st.sampled_from([-1.0, 25.0, 100.0]))
def test_points_in_parcels_equal_a_loop_over_pairs(seed, within):
    """Seen to fail when rows of eligible parcels are taken for rows of all parcels, and when a point
    inside a parcel may also go to the nearest."""
    land, x, y, eligible, quanta = scattered(seed)
    found = points_in_parcels(x, y, quanta, land, eligible, within)
    inside, snapped, unplaced = slow_points_in_parcels(x, y, quanta, land, eligible, within)
    assert found.inside.tolist() == inside
    assert found.snapped.tolist() == snapped
    assert found.unplaced == unplaced
    assert int(found.weight.sum()) + found.unplaced == int(quanta.sum())


@given(SEEDS)
def test_the_order_of_points_does_not_matter(seed):
    """Seen to fail when the second ring looks at the first of the points that are left instead of at those."""
    land, x, y, eligible, quanta = scattered(seed)
    order = np.random.default_rng(seed + 1).permutation(len(x))
    one = points_in_parcels(x, y, quanta, land, eligible, 100.0)
    other = points_in_parcels(x[order], y[order], quanta[order], land, eligible, 100.0)
    assert one.inside.tolist() == other.inside.tolist()
    assert one.snapped.tolist() == other.snapped.tolist()
    assert one.unplaced == other.unplaced


@pytest.mark.parametrize(("east", "parcel"), [(200.0, 0), (200.001, -1), (100.0, 0)])
def test_the_limit_itself_is_near_enough(east, parcel):
    found = nearest(shapely.points([east], [50.0]), small_land.squares(1), 100.0)
    assert found.tolist() == [parcel]


def test_nothing_to_place_or_nowhere_to_place_it():
    nowhere = np.empty(0, object)
    empty = np.empty(0)
    assert locate(empty, empty, small_land.squares(2)).tolist() == []
    assert locate(np.array([1.0]), np.array([1.0]), nowhere).tolist() == [-1]
    assert nearest(shapely.points([1.0], [1.0]), nowhere, 10.0).tolist() == [-1]
    assert nearest(nowhere, small_land.squares(2), np.inf).tolist() == []


def test_facilities_find_their_parcel_whatever_its_type():
    land = small_land.squares(2)
    x, y = np.array([150.0, 260.0, np.nan, 100.0]), np.array([50.0, 150.0, np.nan, 100.0])
    assert parcels_of_facilities(x, y, list("abcd"), land).tolist() == [1, 3, -1, 0]


def test_a_facility_far_from_every_parcel_is_an_error_that_names_it():
    land = small_land.squares(2)
    x, y = np.array([50.0, 301.0, 50.0]), np.array([50.0, 50.0, -101.0])
    with pytest.raises(InputError, match="'Far works'") as caught:
        parcels_of_facilities(x, y, ["Near works", "Far works", "South works"], land)
    assert len(caught.value.problems) == 2


def test_a_facility_at_infinity_is_lost_not_unknown():
    # A projection leaves infinity where it cannot reach; that was taken for "no coordinates", without a word.
    land = small_land.squares(2)
    x, y = np.array([np.inf, np.nan]), np.array([50.0, np.nan])
    with pytest.raises(InputError, match="'Far works'") as caught:
        parcels_of_facilities(x, y, ["Far works", "Unknown works"], land)
    assert len(caught.value.problems) == 1
