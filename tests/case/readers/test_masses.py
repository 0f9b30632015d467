"""Masses too small to count are told with what they are together."""

from __future__ import annotations

import pytest

from carbongrid.case.readers.masses import notes_on_faint


def cells(value, unit="g CO2e"):
    return {"value": value, "unit": unit}


@pytest.mark.parametrize(
    ("masses", "together"),
    [
        ([cells("0.4")], "0.4"),
        ([cells("0.4"), cells("1e-12", "t CO2e")], "0.400001"),
        ([cells("0.49", "g CO2e"), cells("0.0004", "kg CO2e")], "0.89"),
    ],
)
def test_faint_masses_are_added_in_grams(masses, together):
    """Seen to fail when a tenth of them was told."""
    (note,) = notes_on_faint([(row, mass) for row, mass in enumerate(masses, 2)], "totals.csv")
    rows = ", ".join(str(row) for row in range(2, len(masses) + 2))
    assert note.level == "note"
    assert note.what == (
        f"masses of less than half a gram count as nothing: {len(masses)} of them, {together} g together, in rows {rows}"
    )


def test_what_counts_and_what_is_nothing_at_all_is_not_told():
    assert notes_on_faint([(2, cells("0")), (3, cells("0.51")), (4, cells("7"))], "f") == []


@pytest.mark.parametrize("count", [1, 10, 11])
def test_ten_rows_are_listed_and_all_counted(count):
    (note,) = notes_on_faint([(row, cells("0.1")) for row in range(count)], "f")
    listed = ", ".join(str(row) for row in range(min(count, 10)))
    assert note.what.endswith(f"in rows {listed}{', ...' if count > 10 else ''}")
    assert f"{count} of them" in note.what
