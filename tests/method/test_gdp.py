"""Docs/decisions/0005: a district's GDP reaches its units, and adds up."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from carbongrid.errors import InputError
from carbongrid.method.gdp import (
    Land,
    gdp_of_units,
    industries,
    parcel_gdp,
    unit_gdp,
    weights_of_units,
)

TYPES = [
    "cultivated",
    "industrial",
    "mining",
    "commercial",
    "public",
    "forest",
    "urban-residential",
]
PARENTS = ["01", "02"]
UNIT_PARENTS = np.array(["01", "01", "02", "02", "02"], dtype=object)


def split(total, weights, start=None):
    """Telescoped parts in Python integers; slow and obvious."""
    weights = [
        round(w * 2**20) if isinstance(w, float) else int(w) for w in np.asarray(weights).tolist()
    ]
    starts = [0, len(weights)] if start is None else [int(s) for s in start]
    totals = np.broadcast_to(total, len(starts) - 1).tolist()
    parts = []
    for whole, a, b in zip(totals, starts[:-1], starts[1:], strict=True):
        running, all_of_it = 0, sum(weights[a:b])
        for weight in weights[a:b]:
            before = whole * running // all_of_it
            running += weight
            parts.append(whole * running // all_of_it - before)
    return np.array(parts, dtype=np.int64)


def table(**columns):
    regions = columns.pop("region", PARENTS)
    return pd.DataFrame(
        {"region": regions} | {name: pd.array(v, dtype="Int64") for name, v in columns.items()}
    )


def land(types, parents, area=None, **pois):
    return Land(
        types=np.array(types, dtype=object),
        area=np.array(area if area is not None else [1.0] * len(types)),
        parents=np.array(parents, dtype=object),
        pois={
            name.replace("_", "/").replace("1", "-"): np.array(v, dtype=np.int64)
            for name, v in pois.items()
        },
    )


@st.composite
def districts(draw):
    """Parcels with a unit under their representative point, overlaps with any unit, and two districts' GDP."""
    n = draw(st.integers(2, 10))
    units = draw(
        st.lists(st.integers(0, 4), min_size=n, max_size=n).filter(lambda u: min(u) < 2 <= max(u))
    )
    overlap = draw(
        st.lists(st.lists(st.integers(0, 3), min_size=6, max_size=6), min_size=n, max_size=n)
    )
    types = draw(st.lists(st.sampled_from(TYPES), min_size=n, max_size=n))
    area = draw(st.lists(st.integers(1, 99), min_size=n, max_size=n))
    pois = draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    values = draw(st.lists(st.none() | st.integers(0, 10**13), min_size=6, max_size=6))
    where = np.array(units)
    manufacturing = [p * (t == "industrial") for p, t in zip(pois, types, strict=True)]
    there = land(
        types, UNIT_PARENTS[where], [float(a) for a in area], industry_manufacturing=manufacturing
    )
    gdp = table(primary=values[:2], secondary=values[2:4], tertiary=values[4:])
    return gdp, there, csr_array(np.array(overlap, dtype=np.int64)), where


@given(districts())
def test_units_of_a_district_add_up_to_its_gdp(case):
    """Seen to fail when a parcel's GDP went to units of the other district too, when parcels that overlap none of their own were dropped, and when an industry without land was skipped."""
    gdp, there, overlap, where = case
    result, _ = gdp_of_units(gdp, there, overlap, where, UNIT_PARENTS, split)
    assert result.dtype == "Int64"
    for row in gdp.itertuples(index=False):
        inside = result[row.region == UNIT_PARENTS]
        cells = [row.primary, row.secondary, row.tertiary]
        if any(pd.isna(cell) for cell in cells):
            assert inside.isna().all()
        else:
            assert inside.sum() == sum(cells)


@given(districts())
def test_parcels_carry_by_their_own_rule(case):
    """Seen to fail when an industry ignored its POIs, and when area was taken of all land instead of the industry's."""
    gdp, there, _, _ = case
    spread, _ = parcel_gdp(gdp, there, split)
    expected = [0] * there.area.size
    for row in gdp.itertuples(index=False):
        cells = {"primary": row.primary, "secondary": row.secondary, "tertiary": row.tertiary}
        if any(pd.isna(cell) for cell in cells.values()):
            continue
        own = [i for i, parent in enumerate(there.parents) if parent == row.region]
        for name, cell in cells.items():
            eligible = [i for i in own if there.types[i] in industries()[name].types]
            weights = [there.area[i] for i in eligible]
            pois = [int(there.pois["industry/manufacturing"][i]) for i in eligible]
            if name == "secondary" and sum(pois):
                weights = pois
            if not eligible:
                eligible, weights = own, [there.area[i] for i in own]
            for i, part in zip(eligible, split(cell, weights), strict=True):
                expected[i] += int(part)
    assert spread.tolist() == expected


@given(districts(), st.lists(st.booleans(), min_size=10, max_size=10))
def test_weights_of_units_are_what_a_loop_says(case, homeless):
    """Each parcel's claim goes to the units of its own parent by overlap; without any to the unit it lies in, or to none. Region 03 has no parcels.

    Seen to fail where no parcel overlaps any: NumPy counts nothing in whole numbers, to which no claim could be added; and when a
    region without parcels took one of another region.
    """
    gdp, there, overlap, where = case
    without_land = table(region=["03"], primary=[1], secondary=[1], tertiary=[1])
    gdp = pd.concat([gdp, without_land], ignore_index=True)
    where = np.array([-1 if gone else unit for unit, gone in zip(where, homeless, strict=False)])
    found = weights_of_units(gdp, there, overlap, where, UNIT_PARENTS)
    assert list(found) == ["primary", "secondary", "tertiary"]
    shares = overlap.toarray()
    for name, (weights, by_rule) in found.items():
        expected = [0.0] * len(UNIT_PARENTS)
        ruled = set()
        for parent in PARENTS:
            own = [i for i, each in enumerate(there.parents) if each == parent]
            eligible = [i for i in own if there.types[i] in industries()[name].types]
            claims = {i: there.area[i] for i in eligible or own}
            pois = {i: int(there.pois["industry/manufacturing"][i]) for i in eligible}
            if name == "secondary" and sum(pois.values()):
                claims = pois
            by_pois = industries()[name].weight == "pois"
            if eligible and (not by_pois or (name == "secondary" and sum(pois.values()))):
                ruled.add(parent)
            for i, claim in claims.items():
                inside = {k: shares[i, k] for k in range(5) if UNIT_PARENTS[k] == parent and shares[i, k]}  # fmt: skip
                if not inside and where[i] >= 0:
                    inside = {int(where[i]): 1}
                for k, share in inside.items():
                    expected[k] += claim * share / sum(inside.values())
        np.testing.assert_allclose(weights, expected, rtol=1e-12, atol=1e-12)
        assert by_rule == ruled


def test_the_industries_of_the_decision():
    names = {name: (i.types, i.weight, i.categories) for name, i in industries().items()}
    assert names["primary"] == (("cultivated", "paddy", "farm-facilities"), "area", ())
    assert names["secondary"] == (
        ("industrial", "mining"), "pois", ("industry/manufacturing", "industry/mining"),
    )  # fmt: skip
    assert names["tertiary"] == (
        ("commercial", "public"), "pois", ("buildings/commerce", "buildings/public-services"),
    )  # fmt: skip
    assert set(names["value"][0]) == {
        t for name in ("primary", "secondary", "tertiary") for t in names[name][0]
    }
    assert names["value"][1:] == ("area", ())


def test_two_kinds_of_pois_are_added():
    there = land(
        ["commercial", "public", "commercial"], ["01"] * 3, [5.0, 7.0, 9.0],
        buildings_commerce=[1, 0, 2], buildings_public1services=[0, 3, 0],
    )  # fmt: skip
    gdp = table(region=["01"], primary=[0], secondary=[0], tertiary=[600])
    spread, notes = parcel_gdp(gdp, there, split)
    assert spread.tolist() == [100, 300, 200]
    assert notes == ()


def test_fallbacks_are_noted():
    """No POI: by area of the industry's land. No such land: by the area of all land."""
    there = land(["industrial", "forest", "industrial"], ["01"] * 3, [1.0, 2.0, 3.0])
    gdp = table(region=["01"], primary=[600], secondary=[400], tertiary=[0])
    spread, notes = parcel_gdp(gdp, there, split)
    assert spread.tolist() == [100 + 100, 200, 300 + 300]
    assert [("all the land" in note.what, "by area" in note.what) for note in notes] == [
        (True, False),
        (False, True),
    ]
    assert all(note.level == "note" and "01" in note.where for note in notes)


def test_a_single_value_goes_by_area_of_all_productive_land():
    there = land(
        ["industrial", "forest", "cultivated"],
        ["01"] * 3,
        [1.0, 2.0, 3.0],
        industry_manufacturing=[9, 0, 0],
    )
    spread, _ = parcel_gdp(table(region=["01"], value=[400]), there, split)
    assert spread.tolist() == [100, 0, 300]


def test_shares_of_a_parcel():
    """Parcel 0 straddles a border inside, 1 across districts, 2 overlaps no unit of its own, 3 reaches outside."""
    overlap = csr_array(
        np.array([[1, 3, 0, 0, 0, 0], [2, 0, 5, 0, 0, 0], [0, 0, 0, 0, 0, 4], [0, 0, 0, 1, 0, 9]])
    )
    parents = np.array(["01", "01", "01", "02"], dtype=object)
    sums = unit_gdp(
        np.array([400, 7, 11, 13]), parents, overlap, np.array([0, 0, 1, 3]), UNIT_PARENTS, split
    )
    assert sums.tolist() == [100 + 7, 300 + 11, 0, 13, 0]


def test_a_stored_zero_is_no_overlap():
    overlap = csr_array(np.array([[1, 0, 0, 0, 0, 5]]))
    overlap.data[0] = 0
    sums = unit_gdp(
        np.array([4]), np.array(["01"], dtype=object), overlap, np.array([1]), UNIT_PARENTS, split
    )
    assert sums.tolist() == [0, 4, 0, 0, 0]


def test_exact_areas_will_do_as_well():
    overlap = csr_array(np.array([[0.25, 0.75, 0.0, 0.0, 0.0]]))
    sums = unit_gdp(
        np.array([400]), np.array(["01"], dtype=object), overlap, np.array([0]), UNIT_PARENTS, split
    )
    assert sums.tolist() == [100, 300, 0, 0, 0]


def test_unknown_is_not_zero():
    there = land(["industrial"] * 2, PARENTS)
    overlap = csr_array(np.array([[1, 0, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0]]))
    result, notes = gdp_of_units(
        table(value=[None, 0]), there, overlap, np.array([0, 2]), UNIT_PARENTS, split
    )
    assert result.isna().tolist() == [True, True, False, False, False]
    assert result[2:].tolist() == [0, 0, 0]
    assert "'01'" in notes[-1].what
    missing_row = table(region=["02"], value=[5])
    result, _ = gdp_of_units(missing_row, there, overlap, np.array([0, 2]), UNIT_PARENTS, split)
    assert result.isna().tolist() == [True, True, False, False, False]
    assert result[2] == 5


@pytest.mark.parametrize(
    ("regions", "what"), [(["01", "03"], "'03' is no parent"), (["01", "01"], "two rows")]
)
def test_regions_are_checked(regions, what):
    there = land(["industrial"], ["01"])
    overlap = csr_array(np.ones((1, 5), dtype=np.int64))
    with pytest.raises(InputError, match=what):
        gdp_of_units(
            table(region=regions, value=[1, 1]), there, overlap, np.array([0]), UNIT_PARENTS, split
        )


def test_gdp_without_any_land_is_an_error():
    with pytest.raises(InputError, match="gdp of 02, value: no parcel"):
        parcel_gdp(table(value=[1, 5]), land(["industrial"], ["01"]), split)


def test_land_without_area_carries_nothing():
    """Seen to fail when land of no area counted as an industry's land: its GDP was then refused."""
    there = land(["industrial", "forest"], ["01"] * 2, [0.0, 2.0])
    spread, notes = parcel_gdp(table(region=["01"], value=[7]), there, split)
    assert spread.tolist() == [0, 7]
    assert "all the land" in notes[0].what


def test_everything_that_cannot_be_carried_is_told_at_once():
    """Seen to fail when the first industry without land ended the search."""
    gdp = table(primary=[1, 1], secondary=[2, 0], tertiary=[3, 3])
    with pytest.raises(InputError) as told:
        parcel_gdp(gdp, land(["industrial"], ["03"]), split)
    assert [problem.where for problem in told.value.problems] == [
        "gdp of 01, primary", "gdp of 01, secondary", "gdp of 01, tertiary",
        "gdp of 02, primary", "gdp of 02, tertiary",
    ]  # fmt: skip


@given(st.integers(1, 14))
def test_ten_parents_without_gdp_are_named_and_all_counted(count):
    """Seen to fail when eleven were named."""
    parents = np.array([f"{number:02}" for number in range(count)], dtype=object)
    there = land(["industrial"], ["99"])
    _, notes = gdp_of_units(
        table(region=[], value=[]), there, csr_array((1, count)), np.array([0]), parents, split
    )
    named = ", ".join(f"'{number:02}'" for number in range(min(count, 10)))
    assert [note.what for note in notes] == [
        f"GDP is unknown for {count} parent units, so for all units in them: {named}"
    ]
