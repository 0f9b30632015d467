"""Rings that surely touch themselves nowhere: GEOS is asked the same."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shapes import partition, ribbons

from carbongrid.raster.kernels.jit import as_readonly_contiguous
from carbongrid.raster.kernels.simple_rings import simple_rings

BOWTIE = [(0, 0), (2, 2), (2, 0), (0, 2)]
SPIKE = [(0, 0), (4, 0), (4, 4), (2, 4), (2, 6), (2, 4), (0, 4)]
TOUCHING = [(0, 0), (4, 0), (4, 4), (2, 0), (0, 4)]
STARTS_ON_ITS_LAST_EDGE = [(2, 0), (4, 4), (0, 0), (4, 0)]
LAST_OF_ITS_RUN = [(0, 0), (1, 0), (1, 1), (0, 2), (10, 2), (10, 5), (5, 5), (5, -5)]
"""Its fourth edge and the last but one cross."""
PLACES = [
    (1.0, 0.0),
    (0.1, 0.3),
    (0.1, 4e7),
    (1e-7, 4e7),
    (1e-8, 120.0),
    (1 / 3, -120.123456789),
    (1e-15, 1.0),
    (1e-146, 0.0),
    (1e-160, 0.0),
    (1e-310, 0.0),
    (1e99, 0.0),
    (1e160, 0.0),
]
"""Size of a step, and where the first one lies: of some, steps are a few of the last bits."""


def sure(rings):
    closed = [np.array([*ring, ring[0]], float).reshape(-1, 2) for ring in rings]
    x, y = (as_readonly_contiguous(side, np.float64) for side in np.concatenate(closed).T)
    start = as_readonly_contiguous(np.cumsum([0, *map(len, closed)]), np.int64)
    with np.errstate(all="ignore"):  # Python warns of what the compiled kernel passes over
        return simple_rings((x, y), start)


def of_geos(ring):
    """A ring of fewer than three corners is none to GEOS."""
    if len(ring) < 3:
        return False
    closed = shapely.LinearRing(ring)
    return bool(closed.is_simple and shapely.Polygon(closed).is_valid)


def star(corners, seed):
    rng = np.random.default_rng(seed)
    turn = (np.arange(corners) + rng.uniform(0.1, 0.9, corners)) * 2 * np.pi / corners
    return (rng.uniform(40, 100, corners) * [np.cos(turn), np.sin(turn)]).T


@st.composite
def on_a_lattice(draw):
    """Corners on a few whole numbers: many lie on others, on edges of others, or in line."""
    raw = np.frombuffer(draw(st.binary(min_size=2, max_size=26)), np.uint8)
    raw = raw[: raw.size // 2 * 2].reshape(-1, 2)
    return (raw % draw(st.integers(2, 8))).astype(float)


@settings(max_examples=3 * settings.default.max_examples)
@given(st.lists(on_a_lattice(), min_size=1, max_size=4))
@example(
    [np.array(ring) for ring in (BOWTIE, SPIKE, TOUCHING, STARTS_ON_ITS_LAST_EDGE, LAST_OF_ITS_RUN)]
)
def test_on_whole_numbers_nothing_is_left_open(rings):
    """Where products are exact, but for corners that are there twice. Seen to fail when the last edge is held against none, when a box lacks its run's last vertex, and when one end of an edge tells its side."""
    found = sure(rings)
    for ring, alone in zip(rings, found, strict=True):
        twice = (ring == np.roll(ring, 1, axis=0)).all(axis=1).any()
        assert alone == (of_geos(ring) and not twice), ring


@settings(max_examples=3 * settings.default.max_examples)
@given(on_a_lattice(), st.sampled_from(PLACES), st.sampled_from(PLACES), st.integers(0, 12))
@example(np.array(TOUCHING, float), (1.0, 0.0), (1e-146, 0.0), 0)
def test_what_geos_calls_invalid_is_never_sure(ring, across, along, begin):
    """Wherever it lies and begins, in sizes of its own to either side. Seen to fail when a turn back is none, and when one end of an edge tells its side."""
    moved = np.roll(ring, begin, axis=0) * [across[0], along[0]] + [across[1], along[1]]
    if sure([moved, moved[::-1]]).any():
        assert of_geos(moved)


@pytest.mark.parametrize("edges", [1, 4])
@pytest.mark.parametrize("way", [1, -1])
def test_a_corner_on_an_edge_is_found_wherever_it_lies(edges, way):
    """From each side, with edges in any order, whole ones or in four pieces. Seen to fail when boxes that touch are apart, of edges or of runs of them."""
    for turn in ([[1, 0], [0, 1]], [[0, 1], [-1, 0]], [[-1, 0], [0, -1]], [[0, -1], [1, 0]]):
        corners = (np.array(TOUCHING) @ turn)[::way]
        ring = np.concatenate([np.linspace(a, b, edges, endpoint=False) for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)])  # fmt: skip
        assert not of_geos(ring)
        assert not sure([np.roll(ring, begin, axis=0) for begin in range(len(ring))]).any()


@given(st.integers(0, 2**32), st.sampled_from([(1.0, 0.0), (1.0, 1000.0), (1.0, 4e7), (1e-5, 120.0), (1e-158, 0.0), (1e-161, 0.0)]))  # fmt: skip
@example(1, (1.0, 0.0))
def test_a_corner_some_last_bits_from_an_edge_is_never_sure_to_be_on_the_wrong_side(seed, place):
    """The tip of a notch, on the edge across or beside it. Seen to fail without the bound on rounding."""
    size, away = place
    rng = np.random.default_rng(seed)
    rings = []
    for _ in range(50):
        a, b = rng.uniform(0, 100, (2, 2)) * size + away
        up = np.array([a[1] - b[1], b[0] - a[0]])
        tip = a + rng.uniform(0.2, 0.8) * (b - a)
        tip = tip + rng.integers(-2, 3, 2) * np.spacing(tip)
        rings.append(np.array([a, b, b + up, tip, a + up]))
    for ring, found in zip(rings, sure(rings), strict=True):
        assert not found or of_geos(ring), ring.tolist()


@given(
    st.integers(3, 200),
    st.integers(0, 2**32),
    st.sampled_from([(1.0, 0.0), (1.0, 4e7), (1e-5, 120.0), (1e3, -5e6)]),
    st.sampled_from([4, 9]),
)
@example(200, 1, (1.0, 4e7), 4)
@example(5, 1, (1e-5, 120.0), 9)
def test_well_shaped_rings_are_sure(corners, seed, place, decimals):
    """Stars, rounded as parcels are. Seen to fail when neighbours are held against each other, and when 128 edges are the most."""
    size, away = place
    ring = np.round(star(corners, seed) * size + away, max(decimals, 9 if size < 1 else 4))
    assert of_geos(ring)
    assert sure([ring, ring[::-1]]).all()


@pytest.mark.parametrize(
    "shapes", [partition(300, 12_000.0, 3), ribbons(150, 5000.0, 4)], ids=["parcels", "ribbons"]
)
@pytest.mark.parametrize(("size", "away"), [(1.0, 0.0), (1.0, 4e7), (1e-5, 120.0)])
def test_what_layers_are_made_of_is_as_geos_says(shapes, size, away):
    """Parcels, and ribbons, which are crooked."""
    parts = shapely.get_parts(shapely.transform(shapes, lambda xy: xy * size + away))
    parts = parts[(shapely.get_num_coordinates(parts) <= 201) & (shapely.get_num_interior_rings(parts) == 0)]  # fmt: skip
    rings = [np.array(part.exterior.coords)[:-1] for part in parts]
    assert len(rings) > 20
    assert sure(rings).tolist() == [of_geos(ring) for ring in rings]


def test_longer_rings_are_left_to_geos():
    """Seen to fail when 201 edges are looked at, and when 199 are the most."""
    assert sure([star(200, 1), star(201, 1), star(1000, 1)]).tolist() == [True, False, False]


def test_what_is_no_ring_is_not_sure():
    one, three = np.zeros((1, 2)), np.array([[0.0, 0], [1, 0], [0, 1]])
    odd = [np.where(three == 1, value, three) for value in (np.nan, np.inf, -np.inf)]
    assert sure([one, three[:2], three, *odd]).tolist() == [False, False, True, *[False] * 3]
    nothing = as_readonly_contiguous([], np.float64)
    assert sure([three, three]).tolist() == [True, True]
    assert simple_rings((nothing, nothing), as_readonly_contiguous([0], np.int64)).tolist() == []
