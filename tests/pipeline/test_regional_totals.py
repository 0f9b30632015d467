"""How much regional totals move against one total of the whole, worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from squares_case import squares_case

from carbongrid.pipeline import run

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
