"""On what land facilities lie, and which system their coordinates fit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from squares_case import CRS, SOUTH, WEST, squares_case

import carbongrid as cg
from carbongrid.case import Case
from carbongrid.case.readers.coordinates import project_points
from carbongrid.outputs.report.notes import note_in_chinese
from carbongrid.pipeline.facility_land import _chance
from carbongrid.pipeline.plans import plan_of
from carbongrid.pipeline.scenario_run import run_plan
from carbongrid.raster.opening.crs import crs_of

WORKS, FOREST = "0601", "0301"


def town(folder: Path, east: list[float], declared: str) -> Case:
    """A town of forest and works in turns every km, and facilities so many km east, in degrees of WGS 84 that are declared to be something."""
    x, y = project_points([WEST + 1000 * each for each in east], [SOUTH + 500] * len(east), f"EPSG:{CRS}", crs_of("EPSG:4326"))  # fmt: skip
    rows = "".join(f"W{n},waste/industrial,{n + 1},t CO2e,{x[n]:.9f},{y[n]:.9f},{declared}\n" for n in range(len(east)))  # fmt: skip
    tables = {
        "totals.csv": "category,value,unit\nwaste/industrial,100,t CO2e\n",
        "works.csv": f"name,category,value,unit,x,y,crs\n{rows}",
    }
    return squares_case(folder, [FOREST, WORKS] * 6, tables, facilities={"path": "works.csv"})


def told(folder: Path, east: list[float], declared: str = "EPSG:4326") -> list[cg.Problem]:
    """Return what check says of their land."""
    problems = cg.check(town(folder, east, declared)).problems
    return [
        each
        for each in problems
        if re.search("types than the category's|carries their category", each.what)
    ]


ON_WORKS = [1.2, 3.2, 5.2, 7.2, 9.2, 11.2]


def test_facilities_on_their_land_are_not_spoken_of(tmp_path: Path) -> None:
    assert told(tmp_path, ON_WORKS) == []


def test_land_that_does_not_carry_what_stands_on_it_is_told(tmp_path: Path) -> None:
    """Seen to stay silent: a works in a forest looked as sound as one on its own land."""
    (note,) = told(tmp_path, [1.5, 2.5, 3.5, 4.5])
    assert note.level == "note"
    assert note.where == "works.csv"
    assert note.what == (
        "6 t of 2 of 4 facilities of waste/industrial lie on land of other types than the category's, and stay there: "
        "W3 (4 t) on forest (parcel p4); W1 (2 t) on forest (parcel p2)"
    )
    assert note_in_chinese(str(note))


@pytest.mark.parametrize("declared", ["gcj02", "bd09"])
def test_a_system_that_fits_better_is_warned_of(tmp_path: Path, declared: str) -> None:
    """As of points of interest: read as GCJ-02 they lie half a km farther west."""
    note, warning = told(tmp_path, ON_WORKS, declared)
    assert (note.level, warning.level) == ("note", "warning")
    assert "21 t of 6 of 6 facilities of waste/industrial lie" in note.what
    assert warning.what == (
        f"of 6 facilities 0 lie on land that carries their category, their coordinates read as {declared}; read as EPSG:4326, 6 would"
    )
    assert note_in_chinese(str(warning))


def test_four_facilities_may_fit_another_system_by_chance(tmp_path: Path) -> None:
    assert [each.level for each in told(tmp_path, ON_WORKS[:4], "gcj02")] == ["note"]


def test_a_plan_that_adds_a_works_in_a_forest_says_so(tmp_path: Path) -> None:
    base = cg.run(town(tmp_path, ON_WORKS, "EPSG:4326"), tmp_path / "run")
    place = {"x": WEST + 2500, "y": SOUTH + 500, "crs": f"EPSG:{CRS}"}
    add = {"do": "add", "facility": "New", "category": "waste/industrial", "mass": "5 t CO2e", **place}  # fmt: skip
    _, folder = run_plan(base, plan_of([add]), tmp_path / "plan")
    notes = [text for _, text in cg.open(folder).manifest["assumptions"]]
    (note,) = (text for text in notes if "types than the category" in text)
    assert "5 t of 1 of 7 facilities of waste/industrial lie on land" in note
    assert "New (5 t) on forest (parcel p2)" in note
    assert note_in_chinese(note.replace("of 7 facilities", "of 1 facility"))


@given(st.integers(1, 60), st.integers(0, 60))
def test_chance_is_that_of_a_sign_test(gained: int, lost: int) -> None:
    expected = binomtest(gained, gained + lost, alternative="greater").pvalue
    assert _chance(gained, lost) == pytest.approx(expected)
