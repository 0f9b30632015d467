"""On what land facilities lie, and which system their coordinates fit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from squares_case import CRS, SOUTH, WEST, square, squares_case

import carbongrid as cg
from carbongrid.case import Case
from carbongrid.case.readers.coordinates import from_wgs84, project_points
from carbongrid.method.categories import read_categories
from carbongrid.outputs.report.notes import note_in_chinese
from carbongrid.pipeline.facility_land import _chance, _on_own_land
from carbongrid.pipeline.plans import plan_of
from carbongrid.pipeline.scenario_run import run_plan
from carbongrid.raster.opening.crs import crs_of

WORKS, FOREST = "0601", "0301"
WGS84 = crs_of("EPSG:4326")
ON_WORKS = [1.2, 3.2, 5.2, 7.2, 9.2, 11.2]


def row(number: int, place: tuple[float, float], declared: str, mass: float | None = None) -> str:
    x, y = place
    return f"W{number},waste/industrial,{number + 1 if mass is None else mass},t CO2e,{x:.9f},{y:.9f},{declared}\n"


def degrees(east: Sequence[float], north: float = 500) -> list[tuple[float, float]]:
    """Longitude and latitude of places so many km east and m north in the town."""
    x, y = project_points([WEST + 1000 * each for each in east], [SOUTH + north] * len(east), f"EPSG:{CRS}", WGS84)  # fmt: skip
    return list(zip(x.tolist(), y.tolist(), strict=True))


def town(folder: Path, rows: Sequence[str], codes: Sequence[str] = (FOREST, WORKS) * 6, **sections: Any) -> Case:  # fmt: skip
    """A town of forest and works in turns every km, with facilities."""
    tables = {
        "totals.csv": "category,value,unit\nwaste/industrial,100,t CO2e\n",
        "works.csv": "name,category,value,unit,x,y,crs\n" + "".join(rows),
    }
    return squares_case(folder, list(codes), tables, facilities={"path": "works.csv"}, **sections)


def told(case: Case) -> list[tuple[str, str]]:
    """Return what check says of the land of facilities; all of it is known in Chinese."""
    found = [each for each in cg.check(case).problems if re.search("than the category's|of their category's types", each.what)]  # fmt: skip
    assert all(note_in_chinese(str(each)) and each.where == "works.csv" for each in found)
    return [(each.level, f"{each.what}. {each.hint}") for each in found]


def rows_at(east: Sequence[float], declared: str = "EPSG:4326") -> list[str]:
    return [row(n, place, declared) for n, place in enumerate(degrees(east))]


def test_facilities_on_their_land_are_not_spoken_of(tmp_path: Path) -> None:
    assert told(town(tmp_path, rows_at(ON_WORKS))) == []


def test_land_that_does_not_carry_what_stands_on_it_is_told(tmp_path: Path) -> None:
    """Seen to stay silent: a works in a forest looked as sound as one on its own land. What emits nothing is not looked at."""
    nothing = row(9, degrees([6.5])[0], "EPSG:4326", 0)
    [(level, text)] = told(town(tmp_path, [*rows_at([1.5, 2.5, 3.5, 4.5]), nothing]))
    assert level == "note"
    assert text.startswith(
        "2 of 4 facilities of waste/industrial (6 t) on land of other types than the category's, where they stay: "
        "W3 (4 t) on forest (parcel p4); W1 (2 t) on forest (parcel p2). Look at them on a map"
    )


@pytest.mark.parametrize("declared", ["gcj02", "bd09"])
def test_a_system_that_fits_better_is_warned_of(tmp_path: Path, declared: str) -> None:
    """As of points of interest: read as GCJ-02 they lie half a km farther west."""
    (note, first), (warning, second) = told(town(tmp_path, rows_at(ON_WORKS, declared)))
    assert (note, warning) == ("note", "warning")
    assert first.startswith("6 of 6 facilities of waste/industrial (21 t) on land")
    assert second == (
        f"of 6 places of facilities 0 are on land of their category's types, coordinates read as {declared}; read as EPSG:4326, 6 would be. Check the column crs."
    )


def test_a_shift_that_was_projected_is_told_as_such(tmp_path: Path) -> None:
    """Degrees of GCJ-02 that were brought to the grid's CRS as if they were of WGS 84. Seen to say crs = gcj02, which no metres can be."""
    longitude, latitude = np.array(degrees([1.7, 3.7, 5.7, 7.7, 9.7])).T
    x, y = project_points(*from_wgs84(longitude, latitude, "gcj02"), WGS84, crs_of(f"EPSG:{CRS}"))
    rows = [row(n, place, f"EPSG:{CRS}") for n, place in enumerate(zip(x, y, strict=True))]
    _, (level, text) = told(town(tmp_path, rows))
    assert level == "warning"
    assert "read as EPSG:4549; read as gcj02, 5 would be. Check how they were projected" in text


def test_few_places_may_fit_another_system_by_chance(tmp_path: Path) -> None:
    """Four do, and five boilers on one parcel are one place. Seen to fail: of those each counted."""
    few, alike = tmp_path / "few", tmp_path / "alike"
    for folder in (few, alike):
        folder.mkdir()
    assert [level for level, _ in told(town(few, rows_at(ON_WORKS[:4], "gcj02")))] == ["note"]
    assert [level for level, _ in told(town(alike, rows_at([2.1, 2.11, 2.12, 2.13, 2.14, 2.15])))] == ["note"]  # fmt: skip


def test_what_a_system_takes_off_its_land_counts_against_it(tmp_path: Path) -> None:
    """Five in forests, which GCJ-02 would put on the works west of them, and three on works, which it would take to forests."""
    places = [2.2, 4.2, 6.2, 8.2, 10.2]
    assert [level for level, _ in told(town(tmp_path, rows_at(places)))] == ["note", "warning"]
    assert [level for level, _ in told(town(tmp_path, rows_at([*places, 3.2, 5.2, 7.2])))] == ["note"]  # fmt: skip


def test_systems_are_tried_each_by_itself_whatever_their_spelling(tmp_path: Path) -> None:
    """Six that were declared wrongly beside six that were not; and three and three in two spellings."""
    right, wrong = rows_at(ON_WORKS), [each.replace("W", "V") for each in rows_at(ON_WORKS, "gcj02")]  # fmt: skip
    [_, (level, text)] = told(town(tmp_path, [*right, *wrong]))
    assert (level, text.startswith("of 6 places of facilities 0 are")) == ("warning", True)
    spelt = [each.replace("EPSG", "epsg") if n % 2 else each for n, each in enumerate(rows_at([2.2, 4.2, 6.2, 8.2, 10.2]))]  # fmt: skip
    assert told(town(tmp_path, spelt))[-1][0] == "warning"


def test_a_facility_beside_its_parcel_is_on_it(tmp_path: Path) -> None:
    """As the run has it: the nearest within 100 m. Seen to warn of another system where one of six was off, since points beside their parcels counted as off, too."""
    case = town(tmp_path, rows_at([*[each + 0.74 for each in ON_WORKS[:5]], 2.5]))
    layer = gpd.read_file(tmp_path / "parcels.gpkg")
    layer.loc[layer["DLBM"] == WORKS, "geometry"] = [square(n, width=0.9) for n in range(1, 12, 2)]
    layer.loc[layer["DLBM"] == FOREST, "geometry"] = [square(n + 0.1, width=0.8) for n in range(0, 12, 2)]  # fmt: skip
    layer.to_file(tmp_path / "parcels.gpkg")
    [(level, text)] = told(case)
    assert (level, text.startswith("1 of 6 facilities")) == ("note", True)


def test_a_parcel_is_found_for_another_reading_as_for_the_run(tmp_path: Path) -> None:
    """True places are 40 m west of their works, in a gap; declared as GCJ-02 they lie in forests."""
    case = town(tmp_path, rows_at([each - 0.24 for each in ON_WORKS], "gcj02"))
    layer = gpd.read_file(tmp_path / "parcels.gpkg")
    layer.loc[layer["DLBM"] == FOREST, "geometry"] = [square(n + 0.1, width=0.8) for n in range(0, 12, 2)]  # fmt: skip
    layer.loc[layer["DLBM"] == WORKS, "geometry"] = [square(n, width=0.7) for n in range(1, 12, 2)]
    layer.to_file(tmp_path / "parcels.gpkg")
    assert [level for level, _ in told(case)] == ["note", "warning"]


def test_far_from_china_other_systems_are_tried(tmp_path: Path) -> None:
    """Numbers of the old German datum declared to be WGS 84, 100 m off; of BD-09, which would move places by 800 m, nobody there has heard."""
    german, old = "EPSG:25832", crs_of("EPSG:4314")
    west, south = 500_000.0, 5_700_000.0
    layer = gpd.GeoSeries([shapely.box(west + 1000 * n, south, west + 1000 * (n + 1), south + 1000) for n in range(12)], crs=german)  # fmt: skip

    def case(folder: Path, east: Sequence[float], system: Any, north: float = 500) -> Case:
        folder.mkdir()
        x, y = project_points([west + 1000 * each for each in east], [south + north] * len(east), german, system)  # fmt: skip
        rows = [row(n, place, "EPSG:4326") for n, place in enumerate(zip(x, y, strict=True))]
        made = town(folder, rows, grid={"crs": german, "resolution": 100})
        for name in ("parcels", "units"):
            told_of = gpd.read_file(folder / f"{name}.gpkg")
            told_of.set_geometry(layer.to_numpy(), crs=german).to_file(folder / f"{name}.gpkg")
        return made

    x, y = project_points([west + 1000], [south + 500], german, old)
    [off], _ = project_points(x, y, "EPSG:4326", crs_of(german))
    within = 0.98 if off > west + 1000 else 0.02
    [_, (level, text)] = told(case(tmp_path / "old", [n + within for n in range(1, 12, 2)], old))
    assert level == "warning"
    assert re.search(
        r"read as EPSG:4326; read as EPSG:(4314 \(DHDN\)|4230 \(ED50\)), 6 would be", text
    )  # as near to each other
    shifted = case(tmp_path / "none", [n + 0.2 for n in range(2, 12, 2)], WGS84, 900)
    assert [level for level, _ in told(shifted)] == ["note"]


def test_land_of_another_type_of_the_same_parent_is_not_the_categorys(tmp_path: Path) -> None:
    """Where works have land of their own; and what kind of transport land it is, is said."""
    case = town(tmp_path, rows_at([1.5, 3.5]), [WORKS, "0602", WORKS, "1003"])
    [(_, text)] = told(case)
    assert "W1 (2 t) on transport:road (parcel p3); W0 (1 t) on mining (parcel p1)" in text


def test_land_of_the_parent_type_is_the_categorys_where_it_lies_there(tmp_path: Path) -> None:
    """Of works there is no land: the rest of their mass lies on mines, and so may they."""
    case = town(tmp_path, rows_at([1.5, 3.5]), [FOREST, "0602"] * 3, allow={"fallback": ["waste/industrial"]})  # fmt: skip
    assert told(case) == []


def test_a_plan_that_adds_a_works_in_a_forest_says_so(tmp_path: Path) -> None:
    base = cg.run(town(tmp_path, rows_at(ON_WORKS)), tmp_path / "run")
    place = {"x": WEST + 2500, "y": SOUTH + 500, "crs": f"EPSG:{CRS}"}
    add = {"do": "add", "facility": "New", "category": "waste/industrial", "mass": "5 t CO2e", **place}  # fmt: skip
    _, folder = run_plan(base, plan_of([add]), tmp_path / "plan")
    notes = [text for _, text in cg.open(folder).manifest["assumptions"]]
    (note,) = (text for text in notes if "types than the category" in text)
    assert "1 of 7 facilities of waste/industrial (5 t) on land" in note
    assert "New (5 t) on forest (parcel p2)" in note
    assert note_in_chinese(note.replace("of 7 facilities", "of 1 facility"))


def test_no_parcel_is_no_land_of_a_category() -> None:
    parcels = pd.DataFrame({"type": ["industrial", "forest"], "mode": ["", ""]})
    inputs: Any = SimpleNamespace(parcels=parcels, categories=read_categories())
    works = pd.DataFrame({"category": ["waste/industrial"] * 3})
    assert _on_own_land(works, np.array([0, -1, 1]), inputs, set()).tolist() == [True, False, False]


@given(st.integers(1, 60), st.integers(0, 60))
def test_chance_is_that_of_a_sign_test(gained: int, lost: int) -> None:
    expected = binomtest(gained, gained + lost, alternative="greater").pvalue
    assert _chance(gained, lost) == pytest.approx(expected)
