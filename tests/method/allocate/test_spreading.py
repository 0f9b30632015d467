"""From totals to parcels: every gram is somewhere, and the ledger says where."""

from __future__ import annotations

import dataclasses

import naive
import numpy as np
import pandas as pd
import pytest
import small_land
from hypothesis import given, settings
from hypothesis import strategies as st

from carbongrid.errors import InputError
from carbongrid.method.allocate import allocate, check_limits
from carbongrid.method.landuse import PARENT
from carbongrid.method.ledger import LedgerRow
from carbongrid.method.weights import Weights, eligible

KINDS = ["industrial", "mining", "forest", "utilities"]
WORKS = small_land.category("industry/works", "industrial", "pois")


def totals(*rows):
    columns = ["region", "grams", "place"]
    table = pd.DataFrame([(*row, "here")[:3] for row in rows], columns=columns)
    return table.assign(category=WORKS.name).astype({"region": "str", "grams": "int64"})


def land(types, area=None):
    columns = {} if area is None else {"area_m2": np.asarray(area, float)}
    side = int(np.ceil(np.sqrt(len(types))))
    return small_land.parcels(small_land.squares(side)[: len(types)], types, **columns)


def claims_of(weight, parcels, category=WORKS, **others):
    weight = np.where(eligible(category, parcels), weight, 0)
    none = np.zeros(len(weight), np.int64)
    inside = np.rint(weight).astype(np.int64)
    values = {"inside": inside, "near": none, "lost": 3, "note": "three POIs far from any works"}
    return Weights(
        weight, category.weight, "POI", eligible=eligible(category, parcels), **{**values, **others}
    )


def slow_allocate(category, total, weight, parcels, region, regions):
    """Region by region and step by step, in Python integers; returns mass and what stays."""
    types, area = list(parcels["type"]), list(parcels["area_m2"])
    own = {kind.partition(":")[0] for kind in category.types}
    parents = {PARENT[kind] for kind in own} - {""}
    steps = (
        [weight[p] if types[p] in own else 0 for p in range(len(types))],
        [area[p] if types[p] in own else 0.0 for p in range(len(types))],
        [area[p] if PARENT[types[p]] in parents else 0.0 for p in range(len(types))],
    )
    mass, stays = [0] * len(types), 0
    for number, code in enumerate(regions):
        members = [p for p in range(len(types)) if region[p] == (number if code else -1)]
        for step in steps:
            claims = [step[p] for p in members]
            if sum(claims):
                quanta = claims if step is steps[0] else naive.quanta(claims)
                parts = naive.apportion(total[code], quanta)
                for parcel, part in zip(members, parts, strict=True):
                    mass[parcel] += part
                break
        else:
            stays += total[code]
    return mass, stays


@st.composite
def cases(draw):
    count = draw(st.integers(1, 16))
    types = draw(st.lists(st.sampled_from(KINDS), min_size=count, max_size=count))
    weight = draw(st.lists(st.sampled_from([0, 0, 1, 2, 7]), min_size=count, max_size=count))
    region = draw(st.lists(st.integers(-1, 2), min_size=count, max_size=count))
    grams = draw(st.lists(st.integers(0, 10**15), min_size=4, max_size=4))
    whole = draw(st.booleans())
    return types, weight, region, grams, whole


@given(cases())
def test_mass_and_ledger_equal_python_integers(case):
    """Seen to fail when regions were not sorted before the split, when the whole's row also held what its regions have,
    when a parcel of no region shared a region's total, and when claims in no region stopped the split of the others."""
    types, weight, region, grams, whole = case
    parcels = land(types)
    codes = ["a", "b", "c"]
    rows = list(zip(codes, grams, strict=False))
    total = dict(rows)
    if whole:
        total[""] = grams[3]
        rows.append(("", sum(grams)))
    mass, ledger = allocate(
        WORKS,
        totals(*rows),
        claims_of(np.array(weight), parcels),
        parcels,
        regions=codes,
        region_of_parcel=np.array(region),
    )
    regions = ["a", "b", "c", ""] if whole else codes
    expected, stays = slow_allocate(WORKS, total, weight, parcels, region, regions)
    assert mass.tolist() == expected
    assert int(mass.sum()) + stays == sum(grams[: len(regions)])
    assert [row.region for row in ledger] == sorted(regions)
    assert all(row.balances for row in ledger)
    assert sum(row.total for row in ledger) == sum(grams[: len(regions)])
    assert sum(row.unallocated for row in ledger) == stays
    assert sum(row.weight_placed for row in ledger) <= sum(weight)


@given(cases(), st.integers(0, 2**32))
@settings(max_examples=40)
def test_a_sum_of_parcels_does_not_depend_on_what_the_others_are(case, seed):
    """Moving one unit of weight between two parcels moves only what lies between them, by a gram.

    Seen to fail when parts were largest remainders.
    """
    rng = np.random.default_rng(seed)
    count, weight = 20, rng.integers(1, 9, 20)
    grams = case[3][0]
    parcels = land(["industrial"] * count)
    one, other = rng.choice(count, 2, replace=False)
    moved = weight.copy()
    moved[one] -= 1
    moved[other] += 1
    before, after = (
        allocate(WORKS, totals(("", grams)), claims_of(w, parcels), parcels)[0]
        for w in (weight, moved)
    )
    change = after - before
    low, high = sorted((one, other))
    assert not change[:low].any()
    assert not change[high + 1 :].any()
    assert np.abs(change[low + 1 : high]).max(initial=0) <= 1
    share = grams / int(weight.sum())
    assert abs(change[other] - share) <= 1
    assert abs(change[one] + share) <= 1


def test_facilities_come_first_and_are_taken_off_their_regions_total():
    parcels = land(["industrial", "forest", "industrial", "industrial"])
    mass, (whole, east) = allocate(
        WORKS,
        totals(("", 1000), ("east", 600)),
        claims_of(np.array([1, 0, 1, 1]), parcels),
        parcels,
        regions=["east"],
        region_of_parcel=np.array([-1, 0, 0, 0]),
        facilities=[("Plant", 1, 250), ("Mill", 0, 100), ("Secret", -1, 50)],
        region_of_facility=np.array([0, -1, -1]),
    )
    assert mass.tolist() == [400, 250, 175, 175]
    assert (whole.total, whole.facilities, whole.by_rule) == (400, 100, 300)
    assert (east.total, east.facilities, east.by_rule) == (600, 250, 350)
    assert "a facility without coordinates (0.000050 t) stays in the total" in whole.reason
    assert "Secret" not in whole.reason
    assert "three POIs" in whole.reason
    assert (whole.weight_unplaced, east.weight_unplaced) == (3, 0)
    assert (whole.weight_placed, east.weight_placed) == (1, 2)


@pytest.mark.parametrize(
    ("facilities", "numbers"),
    [
        ([("Plant", 1, 601)], "0.000601 t.*0.0006 t"),
        ([("Plant", 0, 401)], "0.000401 t.*0.0004 t"),
        ([("Plant", -1, 1001)], "0.001001 t.*0.001 t"),
    ],
)
def test_facilities_above_their_total_are_an_error_with_both_numbers(facilities, numbers):
    parcels = land(["industrial"] * 4)
    with pytest.raises(InputError, match=numbers):
        allocate(
            WORKS,
            totals(("", 1000), ("east", 600)),
            claims_of(np.ones(4, np.int64), parcels),
            parcels,
            regions=["east"],
            region_of_parcel=np.array([-1, 0, 0, 0]),
            facilities=facilities,
            region_of_facility=np.array([0 if facilities[0][1] == 1 else -1]),
        )


def test_parts_of_the_whole_that_are_too_much_for_a_region_say_so():
    """Seen to tell masses that nobody had given, with the hint to correct them."""
    parcels = land(["industrial"] * 4)

    def told(facilities, where, by_part=()):
        with pytest.raises(InputError) as error:
            allocate(
                WORKS,
                totals(("east", 1000), ("west", 1000)),
                claims_of(np.ones(4, np.int64), parcels),
                parcels,
                regions=["east", "west"],
                region_of_parcel=np.array([0, 0, 1, 1]),
                facilities=facilities,
                region_of_facility=np.array(where),
                by_part=by_part,
            )
        [problem] = error.value.problems
        return str(problem)

    two, correct = [("A", 0, 1500), ("B", 2, 500)], "more than its total, 0.001 t. Correct the facilities or the total."  # fmt: skip
    assert "in region 'east' add up to 0.0015 t, more than its total, 0.001 t: by share or capacity A have parts of all regions' totals together, 0.002 t. Give them masses of their own" in told(two, [0, 1], ["A", "B"])  # fmt: skip
    assert told(two, [0, 1]) == told(two, [0, 1], ["B"])
    assert told(two, [0, 1]).endswith(correct)
    # Seen to fail: a works of 1 % was blamed where a mass of its own, of another, was too much already.
    assert told([("Big", 0, 1500), ("Tiny", 1, 10)], [0, 0], ["Tiny"]).endswith(correct)


def test_a_facility_comes_off_its_own_regions_total_whatever_its_parcels():
    """Seen to fail when it came off that of its parcel's region, and when all that is on its parcel was spread there."""
    parcels = land(["industrial"] * 3)
    mass, (east, west) = allocate(
        WORKS,
        totals(("east", 600), ("west", 100)),
        claims_of(np.ones(3, np.int64), parcels),
        parcels,
        regions=["east", "west"],
        region_of_parcel=np.array([0, 1, 1]),
        facilities=[("Plant", 1, 250)],
        region_of_facility=np.array([0]),
    )
    assert mass.tolist() == [350, 300, 50]
    assert (east.facilities, east.by_rule) == (250, 350)
    assert (west.facilities, west.by_rule) == (0, 100)


def test_regions_of_parcels_and_of_facilities_come_together():
    """Seen to fail: every facility came off the total of the whole."""
    parcels = land(["industrial"] * 2)
    given = {"facilities": [("Plant", 1, 250)], "regions": ["east"]}
    for one in ("region_of_parcel", "region_of_facility"):
        with pytest.raises(AssertionError, match="those of parcels and of facilities"):
            allocate(WORKS, totals(("", 900), ("east", 600)), claims_of(np.ones(2, np.int64), parcels), parcels, **given, **{one: np.zeros(2, np.int64)})  # fmt: skip


def test_a_facility_in_no_region_with_a_total_is_an_error():
    parcels = land(["industrial"] * 4)
    with pytest.raises(InputError, match=r"'Plant' .* no region"):
        allocate(
            WORKS,
            totals(("east", 600)),
            claims_of(np.ones(4, np.int64), parcels),
            parcels,
            regions=["east"],
            region_of_parcel=np.array([-1, 0, 0, 0]),
            facilities=[("Plant", 0, 1)],
            region_of_facility=np.array([-1]),
        )


def test_regions_above_the_whole_are_an_error_with_both_numbers():
    parcels = land(["industrial"] * 4)
    rows = totals(("", 1000), ("east", 600), ("west", 401))
    with pytest.raises(InputError, match=r"industry/works.*east.*west.*0\.001001 t.*0\.001 t"):
        allocate(WORKS, rows, claims_of(np.ones(4, np.int64), parcels), parcels)


def test_what_is_elsewhere_is_told_and_never_spread():
    parcels = land(["industrial"] * 2)
    rows = totals(("", 10), ("", 7, "elsewhere"), ("far", 5, "elsewhere"))
    mass, (row,) = allocate(
        WORKS,
        rows,
        claims_of(np.ones(2, np.int64), parcels),
        parcels,
        regions=["far"],
        region_of_parcel=np.array([0, -1]),
    )
    assert mass.tolist() == [5, 5]
    assert (row.total, row.elsewhere) == (10, 7)
    mass, (row,) = allocate(
        WORKS, totals(("", 7, "elsewhere")), claims_of(np.ones(2, np.int64), parcels), parcels
    )
    assert not mass.any()
    assert (row.total, row.elsewhere) == (0, 7)


@pytest.mark.parametrize(
    ("types", "weight", "field"),
    [
        (["industrial", "forest"], 2, "by_rule"),
        (["industrial", "forest"], 0, "by_area"),
        (["mining", "forest"], 2, "by_parent"),
        (["forest", "water"], 2, "unallocated"),
    ],
)
def test_each_step_of_the_fallback_has_its_column(types, weight, field):
    parcels = land(types)
    claims = claims_of(np.full(2, weight), parcels)
    mass, (row,) = allocate(WORKS, totals(("", 99)), claims, parcels)
    columns = ("by_rule", "by_area", "by_parent", "unallocated")
    assert {name: getattr(row, name) for name in columns} == {
        name: 99 if name == field else 0 for name in columns
    }
    assert mass.tolist() == [0 if field == "unallocated" else 99, 0]
    assert row.reason.removesuffix("three POIs far from any works") or field == "by_rule"


@pytest.mark.parametrize("weight", [2, 0])
@pytest.mark.parametrize("types", [["industrial", "forest", "mining"], ["mining", "forest", "mining"]])  # fmt: skip
def test_some_parcels_of_many_are_spread_over_as_if_there_were_no_others(types, weight):
    """Seen to fail when area, or type, was that of the first parcels."""
    rows, area = np.array([1, 3, 4]), np.array([50.0, 1, 50, 3, 5])
    few = land(types, area=area[rows])
    many = land(["water", types[0], "industrial", *types[1:]], area=area)
    claims = claims_of(np.full(3, weight), few)
    expected = allocate(WORKS, totals(("", 99)), claims, few)
    mass, ledger = allocate(WORKS, totals(("", 99)), claims, many, rows=rows)
    assert (mass.tolist(), ledger) == (expected[0].tolist(), expected[1])


def test_rail_without_lines_goes_by_area_and_that_is_its_rule():
    rail = small_land.category("transport/rail", "transport:rail", "lines:rail")
    parcels = land(["transport:rail", "transport:rail", "transport:road"], area=[1, 3, 5])
    claims = claims_of(np.zeros(3), parcels, rail, note="", by_area=True)
    mass, (row,) = allocate(rail, totals(("", 100)), claims, parcels)
    assert mass.tolist() == [25, 75, 0]
    assert (row.by_rule, row.by_area) == (100, 0)
    assert "which is its rule then" in row.reason
    assert check_limits([row]) == []


def test_transport_has_no_parent_to_fall_to():
    rail = small_land.category("transport/rail", "transport:rail", "lines:rail")
    parcels = land(["transport:road", "commercial"])
    mass, (row,) = allocate(rail, totals(("", 100)), claims_of(np.zeros(2), parcels, rail), parcels)
    assert not mass.any()
    assert row.unallocated == 100


def ledger_row(**masses):
    row = LedgerRow("industry/works", "", 10_000, 0, 10_000, 0, 0, 0, "pois")
    return dataclasses.replace(row, **masses)


def test_the_limits_are_1_percent_unallocated_and_5_percent_by_fallback():
    """Seen to fail with >= instead of >, and with the fallbacks compared one by one."""
    fine = ledger_row(by_rule=9400, by_area=400, by_parent=100, unallocated=100)
    assert check_limits([fine]) == []
    lost = ledger_row(by_rule=9899, unallocated=101)
    (problem,) = check_limits([lost])
    assert "unallocated" in problem.hint
    assert problem.level == "error"
    fallen = ledger_row(by_rule=9499, by_area=400, by_parent=101)
    (problem,) = check_limits([fallen])
    assert "fallback" in problem.hint
    assert "0.000501 t" in problem.what
    # Seen to be 1234567000.000000 t.
    (problem,) = check_limits([ledger_row(total=1_234_567 * 10**9, unallocated=10**15 + 1)])
    assert problem.what.startswith("1,000,000,000.000001 t of industry/works's 1,234,567,000 t stay unallocated")  # fmt: skip
    # Seen to pass without a word where the case allows it.
    for row, allow in ((lost, (["industry/works"], [])), (fallen, ([], ["industry/works"]))):
        (problem,) = check_limits([row], *allow)
        assert problem.level == "warning"
        assert "The case lets it pass: [allow]" in problem.hint
    assert check_limits([fine], ["industry/works"], ["industry/works"]) == []
    assert len(check_limits([lost, fallen], ["other"], ["other"])) == 0  # 0.5 % and 2.5 % of both
    assert len(check_limits([lost, dataclasses.replace(fallen, category="b/c")])) == 2
