"""Borders that nest oddly, repeat names, miss levels, lie on one another: dealt with, or named."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import box

from carbongrid.errors import InputError
from carbongrid.osm.borders import units_of

CRS = "EPSG:32632"


def borders(*rows: tuple[str, str, str, shapely.Geometry]) -> gpd.GeoDataFrame:
    """Borders of (id, name, level, polygon), in kilometres."""
    return gpd.GeoDataFrame(
        {
            "id": [f"relation/{row[0]}" for row in rows],
            "name": [row[1] for row in rows],
            "name_en": None,
            "level": [row[2] for row in rows],
        },
        geometry=[shapely.transform(row[3], lambda xy: xy * 1000) for row in rows],
        crs=CRS,
    )


COUNTRY = ("1", "Land", "2", box(0, 0, 10, 10))
WEST, EAST = ("10", "West", "4", box(0, 0, 6, 10)), ("11", "Ost", "4", box(6, 0, 10, 10))
TOWNS = (
    ("21", "Neustadt", "8", box(0, 0, 6, 5)),
    ("22", "Altstadt", "8", box(0, 5, 6, 10)),
    ("23", "Neustadt", "8", box(6, 0, 10, 5)),
    ("24", "Berg", "8", box(6, 5, 10, 10)),
)


def said(units) -> str:
    return "\n".join(note.what for note in units.notes)


def test_the_smallest_level_that_covers_nearly_all_is_taken():
    units = units_of(borders(COUNTRY, WEST, EAST, *TOWNS, ("99", "Viertel", "10", box(0, 0, 1, 1))), None)  # fmt: skip
    assert units.table["level"].tolist() == ["8"] * 4
    assert units.parents == ("level_4",)
    assert units.table["level_4"].tolist() == ["West", "West", "Ost", "Ost"]
    assert "2 (1), 4 (2), 8 (4), 10 (1)" in said(units)


def test_names_that_repeat_get_what_is_around_them():
    units = units_of(borders(COUNTRY, WEST, EAST, *TOWNS), "8")
    assert units.table["name"].tolist() == ["Neustadt (West)", "Altstadt", "Neustadt (Ost)", "Berg"]  # fmt: skip
    assert "of one name" in said(units)


def test_names_that_repeat_within_a_parent_get_their_id():
    twin = ("25", "Neustadt", "8", box(0, 5, 6, 10))
    units = units_of(borders(COUNTRY, WEST, EAST, TOWNS[0], twin, TOWNS[3]), "8")
    assert {"Neustadt (relation/21)", "Neustadt (relation/25)"} <= set(units.table["name"])
    assert units.table["name"].is_unique


def test_where_the_level_is_missing_the_next_one_stands_in():
    """A city that is no part of a district has no unit below it."""
    units = units_of(borders(COUNTRY, WEST, EAST, *TOWNS[:2]), "8")
    assert units.table["name"].tolist() == ["Neustadt", "Altstadt", "Ost"]
    assert units.table["level"].tolist() == ["8", "8", "4"]
    assert "Ost (relation/11, level 4)" in said(units)
    assert units.table.area.sum() == pytest.approx(100e6)


def test_what_has_no_parent_is_its_own():
    units = units_of(borders(COUNTRY, WEST, ("12", "Nord", "4", box(0, 20, 1, 21)), *TOWNS), "8")
    own = units.table.set_index("id")["level_4"]
    assert own["relation/24"] == "relation/24"
    assert "Berg" in said(units)


def test_odd_nesting_is_named_and_the_larger_part_decides():
    across = ("26", "Quer", "8", box(4, 5, 9, 10))
    units = units_of(borders(COUNTRY, WEST, EAST, TOWNS[0], TOWNS[2], across), "8")
    assert units.table.set_index("id")["level_4"]["relation/26"] == "Ost"
    assert "Quer (60% in relation/11)" in said(units)


def test_a_border_mapped_twice_counts_once_and_overlaps_go_to_the_smaller():
    again = ("31", "Neustadt am See", "8", box(0, 0, 6, 5))
    exclave = ("32", "Hof", "8", box(1, 6, 2, 7))
    units = units_of(borders(COUNTRY, *TOWNS, again, exclave), "8")
    assert "relation/31" not in set(units.table["id"])
    assert "mapped twice" in said(units)
    area = units.table.set_index("name").area
    assert area["Altstadt"] == pytest.approx(29e6)
    assert area["Hof"] == pytest.approx(1e6)
    assert area.sum() == pytest.approx(100e6)


@pytest.mark.parametrize(
    ("rows", "level", "text"),
    [((COUNTRY, *TOWNS), "6", "no unit has admin_level 6"), ((), None, "no whole administrative border")],
)  # fmt: skip
def test_without_such_units_the_levels_are_told(rows, level, text):
    with pytest.raises(InputError, match=text):
        units_of(borders(*rows), level)


def test_a_country_alone_is_one_unit():
    assert units_of(borders(COUNTRY), None).table["name"].tolist() == ["Land"]


@given(
    st.lists(
        st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(1, 4), st.integers(1, 4), st.sampled_from(["4", "6", "8"])),
        min_size=1,
        max_size=6,
    )
)  # fmt: skip
def test_units_never_overlap_and_have_one_name_and_a_parent_each(boxes):
    """Seen to fail when stand-ins were not cut by those before them."""
    rows = [
        (str(k), "abc"[k % 3], level, box(x, y, x + w, y + h))
        for k, (x, y, w, h, level) in enumerate(boxes)
    ]
    units = units_of(borders(*rows), None)
    union = shapely.union_all(units.table.geometry.to_numpy(), grid_size=1e-4)
    assert units.table.area.sum() == pytest.approx(union.area, abs=1)
    assert units.table["name"].is_unique
    for parent in units.parents:
        assert (units.table[parent] != "").all()
