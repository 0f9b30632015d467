"""How much regional totals move against one total of the whole, worked out by hand."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
from squares_case import squares_case

from carbongrid.outputs.report.notes import note_in_chinese
from carbongrid.pipeline import check, run

NONE = ["0101"] * 4


def told(folder: Path, rows: str) -> list[str]:
    tables = {"totals.csv": f"category,value,unit,region\n{rows}"}
    result = run(squares_case(folder, NONE, tables), folder / "run")
    return [text for _, text in result.manifest["assumptions"] if "elsewhere than one total" in text]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "moved"),
    [
        ("agriculture/plantation,400,t CO2e,\n", ""),
        ("agriculture/plantation,200,t CO2e,D1\nagriculture/plantation,200,t CO2e,D2\n", ""),
        ("agriculture/plantation,300,t CO2e,D1\nagriculture/plantation,100,t CO2e,D2\n", "100 t of agriculture/plantation (25.0%"),
        ("agriculture/plantation,200,t CO2e,01\nagriculture/plantation,200,t CO2e,02\n", "200 t of agriculture/plantation (50.0%"),
        ("agriculture/plantation,400,t CO2e,01\n", "300 t of agriculture/plantation (75.0%"),
    ],
)  # fmt: skip
def test_land_of_no_region_would_have_its_part_of_one_total(tmp_path: Path, rows: str, moved: str) -> None:  # fmt: skip
    """Four equal fields in two districts. Seen to fail: where regions left land out, that was taken to have nothing of one total either."""
    notes = told(tmp_path, rows)
    assert len(notes) == bool(moved)
    assert all(moved in note for note in notes)
    assert ["land of no region -" in note for note in notes] == [",0" in rows] * len(notes)


@pytest.mark.parametrize(
    ("rows", "regions"),
    [
        ("agriculture/plantation,400,t CO2e,D1\n", "50.0% of its land (2 km2) lies in regions that have none, and get nothing of it: D2"),
        ("agriculture/plantation,400,t CO2e,01\n", "75.0% of its land (3 km2) lies in regions that have none, and get nothing of it: 02, 03, 04"),
        ("agriculture/plantation,400,t CO2e,D1\nagriculture/plantation,0,t CO2e,D2\n", ""),
        ("agriculture/plantation,400,t CO2e,D1\nagriculture/plantation,500,t CO2e,\n", ""),
        ("agriculture/plantation,400,t CO2e,\n", ""),
    ],
)  # fmt: skip
def test_land_of_regions_without_a_total_is_told_where_none_is_of_the_whole(tmp_path: Path, rows: str, regions: str) -> None:  # fmt: skip
    """Four equal fields in two districts. Seen to fail: a district whose total was not known had nothing, and a zone, and a note named no region."""
    tables = {"totals.csv": f"category,value,unit,region\n{rows}"}
    found = check(squares_case(tmp_path, NONE, tables)).problems
    said = [each for each in found if "no total of agriculture/plantation" in each.what]
    assert [each.level for each in said] == ["warning"] * bool(regions)
    assert all(each.what.endswith(regions) and note_in_chinese(str(each)) for each in said)


@pytest.mark.parametrize(
    ("rows", "regions"),
    [
        ("agriculture/plantation,400,t CO2e,D1,\nagriculture/plantation,9,t CO2e,D2,elsewhere\n", ""),
        ("agriculture/plantation,400,t CO2e,01,\nagriculture/plantation,9,t CO2e,D2,elsewhere\n", "25.0% of its land (1 km2) lies in regions that have none, and get nothing of it: 02"),
        ("agriculture/plantation,400,t CO2e,D1,\nagriculture/plantation,9,t CO2e,,elsewhere\n", ""),
        ("agriculture/plantation,400,t CO2e,D2,elsewhere\n", ""),
    ],
)  # fmt: skip
def test_a_total_that_lies_elsewhere_is_a_total(tmp_path: Path, rows: str, regions: str) -> None:
    """Seen to fail: a district whose mass lies elsewhere was said to have no total."""
    tables = {"totals.csv": f"category,value,unit,region,place\n{rows}"}
    found = check(squares_case(tmp_path, NONE, tables)).problems
    said = [each.what for each in found if "no total of agriculture/plantation" in each.what]
    assert len(said) == bool(regions)
    assert all(each.endswith(regions) for each in said)


def test_land_in_no_unit_is_in_no_region_without_a_total(tmp_path: Path) -> None:
    tables = {"totals.csv": "category,value,unit,region\nagriculture/plantation,4,t CO2e,01\n"}
    case = squares_case(tmp_path, ["0101"] * 2, tables)
    units = gpd.read_file(tmp_path / "units.gpkg")
    (tmp_path / "units.gpkg").unlink()
    units.iloc[:1].to_file(tmp_path / "units.gpkg")
    assert not [each for each in check(case).problems if "is of the whole" in each.what]
