"""What a plan does not know of land of another use is told, with hectares and the reason."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from english_left import english_in
from town import CRS, EAST, NORTH, square, write_town

import carbongrid as cg
from carbongrid.errors import InputError
from carbongrid.outputs.report.notes import note_in_chinese
from carbongrid.pipeline.conversion import mass_of_conversion
from carbongrid.pipeline.plans import plan_of
from carbongrid.pipeline.scenario_run import run_plan

CODES = ("0701", "0101", "0101", "0601", "1101", "0101")
TOTALS = ("buildings/urban-homes", "agriculture/plantation", "industry/manufacturing", "sink/crops", "sink/water")  # fmt: skip


def town(
    folder: Path,
    totals: tuple[str, ...] = TOTALS,
    *,
    more: str = "",
    works_at: float = 3.5,
    tables: Mapping[str, str] | None = None,
) -> cg.Result:
    """Six parcels of 100 ha in two units: homes with people, a works with a POI, fields, a lake."""
    folder.mkdir()
    parcels = [(f"p{k}", code, square(k, 0)) for k, code in enumerate(CODES)]
    units = [("u0", "a", square(0, 0, 3, 1)), ("u1", "b", square(3, 0, 3, 1))]
    x, y = f"{EAST + 500}", f"{NORTH + 500}"
    tables = {
        **(tables or {}),
        "totals.csv": "category,value,unit,region\n" + "".join(f"{name},10,kt CO2e,\n" for name in totals),
        "people.csv": f"residents,x,y\n1000,{x},{y}\n",
        "pois.csv": f"poi_type,x,y\nworks,{EAST + 1000 * works_at},{y}\n",
        "crosswalk.csv": "poi_type,category\nworks,industry/manufacturing\n",
    }  # fmt: skip
    sections = (
        f'[people]\npath = "people.csv"\nx = "x"\ny = "y"\ncrs = "EPSG:{CRS}"\ncount = "residents"\n'
        f'[pois]\npath = "pois.csv"\nx = "x"\ny = "y"\ncrs = "EPSG:{CRS}"\ntype = "poi_type"\ncrosswalk = "crosswalk.csv"\n'
    )
    return cg.run(write_town(folder, parcels, units, tables, sections + more), folder / "run")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> cg.Result:
    return town(tmp_path_factory.mktemp("untold") / "case")


def told(run: cg.Result, actions: list[dict[str, Any]]) -> list[str]:
    """Return what a plan says of converted parcels."""
    return [str(each) for each in run.scenario(actions).problems if "converted parcels" in each.what]  # fmt: skip


def test_forest_in_a_run_without_a_total_of_it_is_told(base: cg.Result, tmp_path: Path) -> None:
    """Seen to fail: the field's uptake went with it, the forest's was 0, and nobody was told."""
    convert = {"do": "convert", "parcels": ["p1", "p2"], "to": "0301"}
    (said,) = told(base, [convert])
    # 200 ha of 0.612 t C, 44/12 of it as CO2.
    assert said == (
        "no total of the run is a sink of forest: what 2 of the converted parcels (200.0 ha) take up as forest is unknown, and counts as 0; "
        "by the package's coefficient (0.612 t C ha-1 yr-1) it would be 449 t CO2e. "
        "A plan takes the rate of the run: give the case a total of sink/land or sink/forest and land that has it."
    )
    chinese = note_in_chinese(said)
    assert english_in(chinese) == []
    assert "没有林地碳汇" in chinese and "sink/land 或 sink/forest 的总量" in chinese
    _, out = run_plan(base, plan_of([convert]), tmp_path / "scenario")
    assert ["warning", said] in json.loads((out / "manifest.json").read_text("utf-8"))["assumptions"]  # fmt: skip


def test_no_sink_of_the_package_is_named_where_the_case_may_have_changed_it(tmp_path: Path) -> None:  # fmt: skip
    """Seen to fail: sink/land and sink/forest were named, neither of which was of forest any more."""
    table = "category,types\nsink/forest,grassland\nsink/land,water\n"
    run = town(tmp_path / "case", more='[categories]\npath = "categories.csv"\n', tables={"categories.csv": table})  # fmt: skip
    (one,) = told(run, [{"do": "convert", "parcels": "p1", "to": "0301"}])
    assert one.endswith("give the case a category that is a sink of forest, with a total and land that has it.")  # fmt: skip
    assert english_in(note_in_chinese(one)) == []


def test_a_sink_with_a_total_and_land_that_takes_up_nothing_are_not(base: cg.Result, tmp_path: Path) -> None:  # fmt: skip
    to = {"water": "1101", "a field": "0102", "a road of which the run has no total": "1003"}
    for code in to.values():
        assert told(base, [{"do": "convert", "parcels": "p1", "to": code}]) == []
    all_land = town(tmp_path / "land", (*TOTALS[:-1], "sink/land"))
    assert told(all_land, [{"do": "convert", "parcels": "p1", "to": "0301"}]) == []


def test_land_that_was_forest_before_has_lost_nothing(base: cg.Result) -> None:
    """Seen to fail where all that is selected counted."""
    actions = [{"do": "convert", "parcels": "p1", "to": "0301"}, {"do": "convert", "parcels": ["p1", "p2"], "to": "0305"}]  # fmt: skip
    (both,) = told(base, actions)  # of one parcel each, in the same words
    assert "1 of the converted parcels (100.0 ha) take up as forest" in both


@pytest.mark.parametrize(
    ("code", "counted", "said"),
    [
        ("0701", "人口", "buildings/urban-homes goes by people, of which a plan knows none on land of another use: 2 of the converted parcels (200.0 ha) may carry it now and have 0 t of it"),
        ("0601", "兴趣点", "industry/manufacturing goes by POIs, of which a plan knows none on land of another use: 2 of the converted parcels (200.0 ha) may carry it now and have 0 t of it"),
    ],
)  # fmt: skip
def test_land_on_which_a_plan_counts_nobody_is_told(
    base: cg.Result, code: str, counted: str, said: str
) -> None:
    """Seen to fail: new homes emitted 0 t for ever, and nobody was told; in Chinese by POIs, or by "个兴趣点"."""
    convert = {"do": "convert", "parcels": ["p1", "p2"], "to": code, "emission": "redistribute"}
    (one,) = told(base, [convert])
    assert one.startswith(said)
    chinese = note_in_chinese(one)
    assert english_in(chinese) == []
    assert f"按{counted}分摊" in chinese and f"及其{counted}重新" in chinese
    after = base.scenario([convert]).parcels.set_index("id")
    name = said.partition(" ")[0]
    assert after.loc[["p1", "p2"], name].tolist() == [0, 0] and after[name].sum() == 10**10


def test_where_nothing_at_all_is_counted_land_has_its_part_by_area(tmp_path: Path) -> None:
    """The only POI stands in a lake, so that the category goes by area: new land has its part, and nothing is to be told."""
    allowed = (
        '[allow]\nfallback = ["industry/manufacturing"]\nunallocated = ["industry/manufacturing"]\n'
    )
    run = town(tmp_path / "case", more=allowed, works_at=4.5)
    convert = {"do": "convert", "parcels": "p5", "to": "0601"}
    assert not any("goes by POIs" in each for each in told(run, [convert]))
    assert run.scenario([convert]).parcels.set_index("id").at["p5", "industry/manufacturing"] > 0


def test_homes_are_no_use_that_emits_nothing(base: cg.Result) -> None:
    """Seen to fail: a plan of least cost might make homes of fields, for want of people on them."""
    with pytest.raises(InputError, match="land of 0701 emits buildings/urban-homes"):
        mass_of_conversion(base.live, "0701", np.array([1]))
