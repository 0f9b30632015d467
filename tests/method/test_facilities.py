"""Units that a facility could lie in as well."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from carbongrid.method.facilities import FacilityRow, units_in_reach
from carbongrid.method.sharing import masses_by_unit

UNITS = np.array([shapely.box(k * 1000, 0, k * 1000 + 1000, 1000) for k in range(4)])


def test_units_within_the_distance_but_not_its_own():
    """A point 100 m west of a border: 99 m reach nobody, 100 m the neighbour. Without a place or a distance there is no reach."""
    x = np.array([900.0, 900.0, 900.0, np.nan, 900.0])
    y = np.array([500.0] * 5)
    distance = np.array([99.0, 100.0, 1200.0, 500.0, np.nan])
    own = np.array([0, 0, 0, -1, 0])
    assert units_in_reach(x, y, distance, own, UNITS) == [[], [1], [1, 2], [], []]


def places(low, high):
    """Metres in steps of 2^-10, whose squares are exact: at 1e-260 m distance and reach round apart."""
    return st.integers(low * 1024, high * 1024).map(lambda steps: steps / 1024)


@given(st.lists(st.tuples(places(-500, 4500), places(-500, 1500), places(0, 3000)), max_size=8))
def test_reach_is_a_distance_to_each_unit(points):
    """Every pair measured by itself."""
    x, y, distance = (np.array([point[k] for point in points], float) for k in range(3))
    own = np.array([next((k for k, unit in enumerate(UNITS) if unit.covers(shapely.Point(a, b))), -1) for a, b, _ in points], np.int64)  # fmt: skip
    for row, found in enumerate(units_in_reach(x, y, distance, own, UNITS)):
        there = [k for k, unit in enumerate(UNITS) if unit.distance(shapely.Point(x[row], y[row])) <= distance[row]]  # fmt: skip
        expected = sorted(set(there) - {int(own[row])}) if distance[row] > 0 else []
        assert found == expected


def test_all_of_a_facility_could_be_elsewhere_or_nothing():
    row = FacilityRow("works", "industry/supply", "value", 7, "p", "u", 50.0, ("v",))
    assert row.could_be_elsewhere == 7
    assert FacilityRow("works", "industry/supply", "value", 7, "p", "u", 50.0, ()).could_be_elsewhere == 0  # fmt: skip


def test_mass_of_a_facility_goes_by_its_parcel_s_shares():
    """7 g on a parcel of 4 and 3 parts; 5 g on one that lies outside for a fifth; one without a parcel lies nowhere."""
    shares = sparse.csr_array(np.array([[0, 4, 3, 0], [4, 0, 0, 1], [0, 0, 1, 0]]))
    found = masses_by_unit([5, 7, 9, 2], np.array([1, 0, -1, 2]), shares)
    assert found == [[(0, 4), (3, 1)], [(1, 4), (2, 3)], [], [(2, 2)]]
